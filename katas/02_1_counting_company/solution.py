"""Kata 2.1  Counting company: a solution."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from minilm.embeddings.sparse import SparseMatrix
from minilm.errors import OptionError


def count(ids: npt.NDArray[np.integer], window: int, size: int) -> SparseMatrix:
    """Count how often each word is at most `window` places from each other word."""
    words = np.asarray(ids).tolist()
    if window < 1:
        raise OptionError(f"the window is {window}; it must be 1 word or more")
    if any(word >= size for word in words):
        raise OptionError(f"id {max(words)} is outside the vocabulary of {size} words")
    met: Counter[int] = Counter()
    for i, word in enumerate(words):
        if word < 0:
            continue
        for other in words[i + 1 : i + 1 + window]:
            if other < 0:
                break
            met[word * size + other] += 1
            met[other * size + word] += 1
    keys = sorted(met)
    values = [met[key] for key in keys]
    return SparseMatrix(np.array(keys, np.int64), np.array(values, np.int64), size)
