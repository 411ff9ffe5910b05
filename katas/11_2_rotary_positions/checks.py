"""Cases of kata 11.2: angles from any position on, turns in two, three and four axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Gradient
from minilm.nn import functional as F

_FREQUENCIES = np.array([1.0, 0.4, 0.15])


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases: B = 2, H = 4, T = 5, D = 6."""
    places = {
        "five positions from 3 on": (np.arange(3.0, 8.0), _FREQUENCIES),
        "a single position, far along": (np.array([301.0]), _FREQUENCIES),
        "as many positions as pairs": (np.array([4.0, 2.0, 9.0]), _FREQUENCIES),
    }
    for name, (positions, frequencies) in places.items():
        inputs = {"positions": positions, "frequencies": frequencies}
        yield Call("rotary_angles", inputs, returns=("cos", "sin"), name=name)
    shapes = {
        "five positions": (5, 6),
        "heads and a batch": (2, 4, 5, 6),
        "three axes": (4, 5, 6),
        "a single position": (2, 1, 6),
        "as many heads as positions": (2, 5, 5, 6),
    }
    for name, shape in shapes.items():
        angles = F.rotary_angles(np.arange(3.0, 3.0 + shape[-2]), _FREQUENCIES)
        inputs = {"x": rng.standard_normal(shape), "cos": angles[0], "sin": angles[1]}
        yield Call("rotary", inputs, returns=("y", ("cos", "sin")), name=name)
        yield Gradient(
            "rotary_backward",
            F.rotary,
            {"x": inputs["x"]},
            rng=rng,
            options={"cos": angles[0], "sin": angles[1]},
            name=name,
        )
    cos, sin = (a.astype(np.float32) for a in F.rotary_angles(np.arange(5.0), _FREQUENCIES))
    single = rng.standard_normal((2, 5, 6), dtype=np.float32)
    inputs = {"x": single, "cos": cos, "sin": sin}
    yield Call("rotary", inputs, returns=("y", ("cos", "sin")), tolerance=1e-4, name="float32")
    inputs = {"dy": single, "cache": (cos, sin)}
    yield Call("rotary_backward", inputs, returns="dx", tolerance=1e-4, name="float32")


def only_the_distance_counts(f: Any, rng: np.random.Generator) -> str | None:
    """Move a query and a key along by a hundred positions."""
    q, k = rng.standard_normal((2, 1, 6))

    def product(query: float, key: float) -> float:
        turned = []
        for x, position in ((q, query), (k, key)):
            turned.append(f.rotary(x, *f.rotary_angles(np.array([position]), _FREQUENCIES))[0])
        return float(np.vdot(*turned))

    apart = abs(product(5.0, 2.0) - product(105.0, 102.0))
    if not apart < 1e-9:
        return (
            "a query at 5 and a key at 2 must give the same product as at 105 and 102, but yours "
            f"are {apart:.3g} apart"
        )
    return None


def a_turn_keeps_the_length(f: Any, rng: np.random.Generator) -> str | None:
    """Compare lengths before and after."""
    x = rng.standard_normal((5, 6))
    y, _ = f.rotary(x, *f.rotary_angles(np.arange(5.0), _FREQUENCIES))
    apart = np.abs(np.linalg.norm(y, axis=-1) - np.linalg.norm(x, axis=-1)).max()
    return None if apart < 1e-9 else f"a turned vector is longer or shorter by up to {apart:.3g}"


PROPERTIES = {
    "only the distance counts": only_the_distance_counts,
    "a turn keeps the length": a_turn_keeps_the_length,
}


def _angles(positions: Any, frequencies: Any) -> dict[str, Any]:
    return {"angles": np.outer(positions, frequencies)}


def _halves(x: Any, cos: Any, sin: Any) -> dict[str, Any]:
    a, b = np.split(x, 2, axis=-1)
    return {"a": a, "b": b}


STEPS = {"rotary_angles": _angles, "rotary": _halves}
