"""Sums over temporary files against sums in a dictionary."""

from __future__ import annotations

import tempfile
from collections import Counter

import numpy as np
import pytest

from minilm.embeddings import spill


def some_parts(seed: int, number: int, highest: int) -> list[spill.Pairs]:
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(number):
        keys = np.unique(rng.integers(0, highest, rng.integers(0, 80)))
        parts.append((keys, rng.integers(1, 2**40, keys.size)))
    return parts


def slow_sum(parts: list[spill.Pairs]) -> dict[int, int]:
    total: Counter[int] = Counter()
    for keys, values in parts:
        for key, value in zip(keys.tolist(), values.tolist(), strict=True):
            total[key] += value
    return dict(sorted(total.items()))


@pytest.mark.parametrize("highest", [50, 10_000, 2**62])
@pytest.mark.parametrize("memory", [0, 160, 3_000, 10**6])
def test_sums_are_exact_whatever_the_memory(memory, highest):
    parts = some_parts(memory, 60, highest)
    with spill.Sums(memory) as sums:
        for part in parts:
            sums.add(*part)
        keys, values = sums.total()
    assert dict(zip(keys.tolist(), values.tolist(), strict=True)) == slow_sum(parts)
    assert (np.diff(keys) > 0).all()


def test_only_what_outgrows_memory_goes_to_files(monkeypatch):
    opened = []

    def temporary_file(real=tempfile.TemporaryFile):
        opened.append(real())
        return opened[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", temporary_file)
    with spill.Sums(16 * 1000) as sums:
        for _ in range(50):  # many parts of the same 100 keys: they shrink when they are merged
            sums.add(np.arange(100), np.ones(100, np.int64))
        assert sums.total()[1].tolist() == [50] * 100
        assert opened == []
        for i in range(50):
            sums.add(np.arange(1000) + 1000 * i, np.ones(1000, np.int64))
        assert len(opened) == 2
    assert all(file.closed for file in opened)


def test_the_files_are_closed_when_counting_fails(monkeypatch):
    opened = []

    def temporary_file(real=tempfile.TemporaryFile):
        opened.append(real())
        return opened[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", temporary_file)

    def count_and_stop() -> None:
        with spill.Sums(0) as sums:
            sums.add(np.arange(5), np.arange(5))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        count_and_stop()
    assert len(opened) == 2
    assert all(file.closed for file in opened)
