"""Cases of kata 4.6: rows in one, two and three axes, random gains, another epsilon."""

from collections.abc import Iterator

import numpy as np

from minilm.course.cases import Case, Gradient
from minilm.nn import functional as F


def cases(rng: np.random.Generator) -> Iterator[Case]:
    shapes = {"five rows": (5, 7), "a batch of rows": (2, 3, 7), "one row alone": (6,)}
    for name, shape in shapes.items():
        arguments = {
            "x": 2 + 3 * rng.standard_normal(shape),
            "gain": rng.standard_normal(shape[-1]),
            "bias": rng.standard_normal(shape[-1]),
        }
        yield Gradient("layer_norm_backward", F.layer_norm, arguments, rng=rng, name=name)
    small = {
        "x": 0.05 * rng.standard_normal((4, 3)),
        "gain": rng.standard_normal(3),
        "bias": rng.standard_normal(3),
    }
    yield Gradient(
        "layer_norm_backward",
        F.layer_norm,
        small,
        rng=rng,
        options={"epsilon": 1e-2},
        name="rows so alike that epsilon counts",
    )


def steps(dy: np.ndarray, cache: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
    """Give the names of the docstring's formula their values."""
    _, _, gain = cache
    return {"d": dy * gain}


STEPS = {"layer_norm_backward": steps}
