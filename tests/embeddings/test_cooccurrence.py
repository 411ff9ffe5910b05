"""Counting against the obvious double loop, and the bounded-memory path against the plain one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from minilm.embeddings import cooccurrence
from minilm.errors import OptionError


def slow_count(documents: list[list[int]], window: int) -> Counter[tuple[int, int]]:
    """The oracle: each word looks at each place of its window."""
    counts: Counter[tuple[int, int]] = Counter()
    for words in documents:
        for i, word in enumerate(words):
            for j in range(max(0, i - window), min(len(words), i + window + 1)):
                if i != j:
                    counts[word, words[j]] += 1
    return counts


def some_documents(rng: np.random.Generator, size: int, number: int) -> list[list[int]]:
    lengths = rng.integers(0, 12, number)
    return [(rng.zipf(1.3, n) % size).tolist() for n in lengths]


def joined(documents: list[list[int]]) -> np.ndarray:
    return np.array([i for words in documents for i in (*words, -1)], dtype=np.int64)


@pytest.mark.parametrize("window", [1, 2, 3, 30])
@pytest.mark.parametrize("size", [1, 7, 300])
def test_count_equals_the_double_loop(window, size):
    documents = some_documents(np.random.default_rng(size), size, 200)
    counts = cooccurrence.count(joined(documents), window, size)
    found = {
        divmod(key, size): n
        for key, n in zip(counts.keys.tolist(), counts.values.tolist(), strict=True)
    }
    assert found == slow_count(documents, window)


@pytest.mark.parametrize("cells", [0, 40, 400, 10**6])
def test_dense_rows_and_sorting_give_the_same_counts(monkeypatch, cells):
    monkeypatch.setattr(cooccurrence, "_DENSE_CELLS", cells)
    documents = some_documents(np.random.default_rng(8), 30, 300)
    counts = cooccurrence.count(joined(documents), 3, 30)
    expected = slow_count(documents, 3)
    assert len(expected) == counts.keys.size
    assert all(counts.dense()[pair] == n for pair, n in expected.items())


@pytest.mark.parametrize("size", [65_534, 65_535, 65_536, 65_537])
def test_ids_of_16_bits_and_beyond(size):
    documents = some_documents(np.random.default_rng(9), 5, 20)
    documents = [[size - 1 - word for word in words] for words in documents]
    counts = cooccurrence.count(joined(documents), 2, size)
    pairs = zip(counts.rows.tolist(), counts.columns.tolist(), strict=True)
    assert dict(zip(pairs, counts.values.tolist(), strict=True)) == slow_count(documents, 2)


def test_count_is_sorted_exact_and_symmetric():
    documents = some_documents(np.random.default_rng(5), 40, 300)
    counts = cooccurrence.count(joined(documents), 3, 40)
    assert counts.keys.dtype == counts.values.dtype == np.int64
    assert (np.diff(counts.keys) > 0).all()
    np.testing.assert_array_equal(counts.dense(), counts.dense().T)
    np.testing.assert_array_equal(counts.keys, counts.rows * 40 + counts.columns)


def test_a_word_beside_itself_counts_twice_on_the_diagonal():
    counts = cooccurrence.count(np.array([4, 4]), 3, 5)
    assert (counts.rows.tolist(), counts.columns.tolist(), counts.values.tolist()) == (
        [4],
        [4],
        [2],
    )


def test_nothing_is_counted_across_documents():
    assert cooccurrence.count(np.array([0, -1, 1, -1, -1, 2]), 5, 3).keys.size == 0


@pytest.mark.parametrize("ids", [[], [-1], [0], [-1, -1, 0]])
def test_too_little_text_gives_no_counts(ids):
    counts = cooccurrence.count(np.array(ids, dtype=np.int64), 3, 2)
    assert counts.keys.size == counts.values.size == 0
    np.testing.assert_array_equal(counts.dense(), np.zeros((2, 2)))


def test_large_keys_do_not_overflow():
    size = 3_000_000
    counts = cooccurrence.count(np.array([size - 1, size - 2]), 1, size)
    assert counts.rows.tolist() == [size - 2, size - 1]
    assert counts.columns.tolist() == [size - 1, size - 2]


def test_mistakes_are_named():
    with pytest.raises(OptionError, match="the window is 0"):
        cooccurrence.count(np.array([0, 1]), 0, 2)
    with pytest.raises(OptionError, match="the window is -1"):
        cooccurrence.count_chunks([[0, 1]], -1, 2)
    with pytest.raises(OptionError, match="id 2 is outside the vocabulary of 2 words"):
        cooccurrence.count(np.array([0, 2]), 1, 2)


# 1 byte: every part goes to a file and each batch is as short as it may be; 200 kB: some of both.
@pytest.mark.parametrize("memory", [1, 10_000, 200_000, 1 << 29])
@pytest.mark.parametrize("window", [1, 4])
def test_chunks_equal_the_whole(memory, window):
    documents = some_documents(np.random.default_rng(window), 60, 150)
    whole = cooccurrence.count(joined(documents), window, 60)
    parts = cooccurrence.count_chunks(documents, window, 60, memory=memory)
    np.testing.assert_array_equal(parts.keys, whole.keys)
    np.testing.assert_array_equal(parts.values, whole.values)


@pytest.mark.parametrize("memory", [1, 20_000])
def test_a_document_longer_than_memory_is_cut_without_loss(memory):
    ids = np.random.default_rng(3).integers(0, 9, 3000)
    whole = cooccurrence.count(ids, 5, 9)
    parts = cooccurrence.count_chunks([ids[:2500], [], ids[2500:]], 5, 9, memory=memory)
    across = slow_count([ids.tolist()], 5) - slow_count([ids[:2500].tolist()], 5)
    across -= slow_count([ids[2500:].tolist()], 5)
    expected = whole.dense()
    for (i, j), n in across.items():
        expected[i, j] -= n
    np.testing.assert_array_equal(parts.dense(), expected)


def test_chunks_may_hold_several_documents():
    parts = cooccurrence.count_chunks([[0, 1, -1, 2, 0], np.array([1, 2])], 3, 3)
    whole = cooccurrence.count(np.array([0, 1, -1, 2, 0, -1, 1, 2]), 3, 3)
    np.testing.assert_array_equal(parts.dense(), whole.dense())


def test_no_chunks_give_no_counts():
    assert cooccurrence.count_chunks([], 3, 4).keys.size == 0
