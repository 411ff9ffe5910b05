"""Cases of heads: several, one, one channel each, float32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case
from minilm.nn import functional as F


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases: B = 2, T = 5, and heads of 4."""
    examples = {
        "three heads of 4": (rng.standard_normal((2, 5, 12)), 3),
        "three heads of 4, one sequence": (rng.standard_normal((1, 5, 12)), 3),
        "a single head": (rng.standard_normal((2, 5, 4)), 1),
        "three heads of 1": (rng.standard_normal((2, 5, 3)), 3),
        "one position": (rng.standard_normal((2, 1, 12)), 3),
    }
    for name, (x, heads) in examples.items():
        yield Call("split_heads", {"x": x, "heads": heads}, name=name)
    single = rng.standard_normal((2, 5, 12), dtype=np.float32)
    yield Call("split_heads", {"x": single, "heads": 3}, tolerance=1e-6, name="float32")
    for name, (x, heads) in examples.items():
        heads_first = np.ascontiguousarray(F.split_heads(x, heads))
        yield Call("merge_heads", {"x": heads_first}, name=name)
    parts = np.ascontiguousarray(F.split_heads(single, 3))
    yield Call("merge_heads", {"x": parts}, tolerance=1e-6, name="float32")


def there_and_back(f: Any, rng: np.random.Generator) -> str | None:
    """Split and merge."""
    x = rng.standard_normal((2, 3, 20))
    if not np.array_equal(f.merge_heads(f.split_heads(x, 5)), x):
        return "merge_heads(split_heads(x, 5)) is not x"
    return None


PROPERTIES = {"merge undoes split": there_and_back}
