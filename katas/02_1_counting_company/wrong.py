"""Co-occurrence as people count it at first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minilm.course.mistakes import mistake
from minilm.embeddings.sparse import SparseMatrix
from minilm.errors import OptionError

Pairs = Iterator[tuple[int, int]]


def _check(ids: Any, window: int, size: int) -> list[int]:
    if window < 1:
        raise OptionError("the window must be 1 or more")
    if len(ids) and max(ids) >= size:
        raise OptionError("an id is outside the vocabulary")
    return [int(i) for i in ids]


def _matrix(met: dict[tuple[int, int], Any], size: int, dtype: Any = np.int64) -> SparseMatrix:
    cells = sorted(met)
    keys = np.array([row * size + column for row, column in cells], np.int64)
    return SparseMatrix(keys, np.array([met[cell] for cell in cells], dtype), size)


def _documents(ids: list[int]) -> list[list[int]]:
    documents: list[list[int]] = [[]]
    for i in ids:
        if i < 0:
            documents.append([])
        else:
            documents[-1].append(i)
    return documents


def _pairs(ids: list[int], window: int) -> Iterator[tuple[int, int, int]]:
    """Yield the earlier word, the later one and their distance."""
    for document in _documents(ids):
        for i, word in enumerate(document):
            for j in range(i + 1, min(i + window + 1, len(document))):
                yield word, document[j], j - i


def _both(pairs: Any, size: int) -> SparseMatrix:
    met: Counter[tuple[int, int]] = Counter()
    for one, other in pairs:
        met[one, other] += 1
        met[other, one] += 1
    return _matrix(met, size)


def _around(
    ids: Any, window: int, size: int, places: Callable[[int, int], range], itself: bool = False
) -> SparseMatrix:
    """Let each place look at the places that `places(i, length)` gives."""
    met: Counter[tuple[int, int]] = Counter()
    for document in _documents(_check(ids, window, size)):
        for i, word in enumerate(document):
            for j in places(i, len(document)):
                if itself or i != j:
                    met[word, document[j]] += 1
    return _matrix(met, size)


@mistake("count")
def only_one_side(ids, window, size):
    """each pair was counted from one side only: the earlier word has met the later one.

    Company is mutual. Add one to (ids[i], ids[j]) *and* one to (ids[j], ids[i]): the table is the
    same when rows and columns are exchanged.
    """
    met = Counter((a, b) for a, b, _ in _pairs(_check(ids, window, size), window))
    return _matrix(met, size)


@mistake("count")
def only_the_words_before(ids, window, size):
    """each word has met only those before it, not those after it.

    The window reaches to both sides. Add one to (ids[i], ids[j]) and one to (ids[j], ids[i]).
    """
    met = Counter((b, a) for a, b, _ in _pairs(_check(ids, window, size), window))
    return _matrix(met, size)


@mistake("count")
def center_counted(ids, window, size):
    """every word was counted as its own company: the place in the middle is in the window too.

    range(i - window, i + window + 1) includes i itself. Skip the *place* (i == j): the same word at
    another place is company all right.
    """
    return _around(
        ids,
        window,
        size,
        lambda i, n: range(max(0, i - window), min(n, i + window + 1)),
        itself=True,
    )


@mistake("count")
def words_compared_instead_of_places(ids, window, size):
    """a word beside itself was left out: words were compared where places should be.

    `if ids[i] != ids[j]` keeps the diagonal empty, and "very very good" has lost a meeting. What
    must differ are the places: `i != j`.
    """
    pairs = _pairs(_check(ids, window, size), window)
    return _both([(a, b) for a, b, _ in pairs if a != b], size)


@mistake("count")
def diagonal_counted_once(ids, window, size):
    """a word next to itself added one on the diagonal; it adds two.

    Each of the two places has met the other. Without an exception for equal words, both additions
    go to the same cell, and that is right: all rows then sum by the same rule.
    """
    met: Counter[tuple[int, int]] = Counter()
    for a, b, _ in _pairs(_check(ids, window, size), window):
        met[a, b] += 1
        if a != b:
            met[b, a] += 1
    return _matrix(met, size)


@mistake("count")
def last_place_missing(ids, window, size):
    """the window is one place short on the right: range() stops before its end.

    range(i - window, i + window) ends at i + window - 1. It is i + window + 1 that includes the
    last place; the counts are then symmetric, which yours are not.
    """
    return _around(ids, window, size, lambda i, n: range(max(0, i - window), min(n, i + window)))


@mistake("count")
def window_too_narrow(ids, window, size):
    """the window is one word too narrow on both sides.

    Window 1 is the next word, and here it gives nothing. Places i and j meet when
    j - i <= window; range(i + 1, i + window) stops at i + window - 1.
    """
    pairs = _pairs(_check(ids, window, size), window - 1)
    return _both([(a, b) for a, b, _ in pairs], size)


@mistake("count")
def window_too_wide(ids, window, size):
    """the window is one word too wide on both sides.

    Places i and j meet when j - i <= window, so the last one is i + window: range(i + 1, i + window
    + 1).
    """
    pairs = _pairs(_check(ids, window, size), window + 1)
    return _both([(a, b) for a, b, _ in pairs], size)


@mistake("count")
def window_shared_by_both_sides(ids, window, size):
    """the window was taken as the width of both sides together: half of it to either side.

    Some books count so. Here `window` is the greatest distance: window 2 is two words to the left
    and two to the right.
    """
    pairs = _pairs(_check(ids, window, size), window // 2)
    return _both([(a, b) for a, b, _ in pairs], size)


@mistake("count")
def across_documents(ids, window, size):
    """words of different documents were counted as neighbors: the separators were dropped first.

    The last word of one text and the first word of the next one have nothing to do with each other.
    Begin again at each negative id.
    """
    words = [i for i in _check(ids, window, size) if i >= 0]
    return _both([(a, b) for a, b, _ in _pairs(words, window)], size)


@mistake("count")
def separator_skipped(ids, window, size):
    """the window reached over a separator, which only took a place in it.

    To pass over a negative id is not enough: what comes behind it is another document. `break`, not
    `continue`.
    """
    ids = _check(ids, window, size)
    met: Counter[tuple[int, int]] = Counter()
    for i, a in enumerate(ids):
        for b in ids[i + 1 : i + window + 1]:
            if a >= 0 and b >= 0:
                met[a, b] += 1
                met[b, a] += 1
    return _matrix(met, size)


@mistake("count")
def separator_taken_for_the_last_word(ids, window, size):
    """the separator was counted as a word: index -1 is the last row of the table.

    NumPy counts negative indices from the end, so table[-1, j] is the company of the last word of
    the vocabulary. No error, only wrong counts. End the window at a negative id.
    """
    ids = _check(ids, window, size)
    table = np.zeros((size, size), np.int64)
    for i, a in enumerate(ids):
        for b in ids[i + 1 : i + window + 1]:
            table[a, b] += 1
            table[b, a] += 1
    return _sparse(table)


def _sparse(table: np.ndarray) -> SparseMatrix:
    keys = np.flatnonzero(table)
    return SparseMatrix(keys, table.reshape(-1)[keys], len(table))


@mistake("count")
def repeated_pairs_lost(ids, window, size):
    """`table[a, b] += 1`, with arrays a and b, adds only once to a cell that stands there often.

    NumPy reads table[a, b], adds one, and writes back; of equal cells the last one wins. Use
    np.add.at(table, (a, b), 1), or np.bincount of the keys, or a Counter.
    """
    ids = np.array(_check(ids, window, size))
    document = np.cumsum(ids < 0)
    table = np.zeros((size, size), np.int64)
    for offset in range(1, min(window, len(ids) - 1) + 1):
        together = (document[:-offset] == document[offset:]) & (ids[:-offset] >= 0)
        a, b = ids[:-offset][together], ids[offset:][together]
        table[a, b] += 1
        table[b, a] += 1
    return _sparse(table)


@mistake("count")
def met_or_not(ids, window, size):
    """each pair of words has a 1: that they met was kept, how often was lost.

    A set forgets repetitions. Counts are the point: use a Counter, and += 1 instead of = 1.
    """
    met: dict[tuple[int, int], int] = {}
    for a, b, _ in _pairs(_check(ids, window, size), window):
        met[a, b] = met[b, a] = 1
    return _matrix(met, size)


@mistake("count")
def each_word_once_in_a_window(ids, window, size):
    """a word that is twice in one window was counted once: the window was made a set.

    Each *place* counts. In "to be or to do", at window 4, "be" has met "to" twice.
    """
    met: Counter[tuple[int, int]] = Counter()
    for document in _documents(_check(ids, window, size)):
        for i, word in enumerate(document):
            near = document[max(0, i - window) : i] + document[i + 1 : i + window + 1]
            met.update((word, other) for other in set(near))
    return _matrix(met, size)


@mistake("count")
def everything_twice(ids, window, size):
    """all counts are twice what they should be.

    Either let each place look to both sides and add one, or look to the right only and add one for
    either word. Both at once meet each pair twice.
    """
    pairs = [(a, b) for a, b, _ in _pairs(_check(ids, window, size), window)]
    return _both(pairs + pairs, size)


@mistake("count")
def one_over_the_distance(ids, window, size):
    """the counts are weighted by 1 / distance.

    GloVe does that (Pennington and others 2014), and there it is right. Here every place of the
    window counts one, and the counts are whole numbers.
    """
    met: Counter[tuple[int, int]] = Counter()
    for a, b, distance in _pairs(_check(ids, window, size), window):
        met[a, b] += 1 / distance
        met[b, a] += 1 / distance
    return _matrix(met, size, np.float64)


@mistake("count")
def nearer_words_count_more(ids, window, size):
    """near words count more than far ones: window for the next word, down to 1 for the last.

    So word2vec weights on average, by drawing its windows at random. Here every place of the
    window counts one.
    """
    met: Counter[tuple[int, int]] = Counter()
    for a, b, distance in _pairs(_check(ids, window, size), window):
        met[a, b] += window + 1 - distance
        met[b, a] += window + 1 - distance
    return _matrix(met, size)


@mistake("count")
def round_the_ends(ids, window, size):
    """the first words have met the last ones: the window went round the end of the text.

    ids[i - 1] is the last id when i is 0, and np.roll does the same. Cut the window at the ends:
    max(0, i - window).
    """
    ids = _check(ids, window, size)
    met: Counter[tuple[int, int]] = Counter()
    for document in _documents(ids):
        for i, word in enumerate(document):
            for distance in range(1, window + 1):
                other = document[(i - distance) % len(document)]
                met[word, other] += 1
                met[other, word] += 1
    return _matrix(met, size)


@mistake("count")
def the_whole_document(ids, window, size):
    """every two words of a document were counted, however far apart: the window was not used.

    That is a bag of words, which tells the topic. Only places with j - i <= window are company.
    """
    ids = _check(ids, window, size)
    return _both([(a, b) for a, b, _ in _pairs(ids, len(ids))], size)


@mistake("count")
def keys_not_sorted(ids, window, size):
    """the keys are in the order in which the pairs were met; a SparseMatrix has them ascending.

    What comes next merges and searches by key, and trusts their order. keys = sorted(met), and the
    values in the same order.
    """
    met: Counter[int] = Counter()
    for a, b, _ in _pairs(_check(ids, window, size), window):
        met[a * size + b] += 1
        met[b * size + a] += 1
    keys = np.array(list(met), np.int64)
    return SparseMatrix(keys, np.array(list(met.values()), np.int64), size)


@mistake("count")
def keys_too_large_for_their_type(ids, window, size):
    """`row * size + column` was computed in the small integers of the ids, and overflowed.

    290 * 300 does not fit into 16 bits; NumPy wraps it round to some other number. Turn the ids
    into int64 first: np.asarray(ids, dtype=np.int64), or .tolist() for Python's own integers.
    """
    _check(ids, window, size)
    met: Counter[int] = Counter()
    for i in range(len(ids)):
        for j in range(i + 1, min(i + window + 1, len(ids))):
            if ids[j] < 0 or ids[i] < 0:
                break
            met[int(ids[i] * ids.dtype.type(size) + ids[j])] += 1
            met[int(ids[j] * ids.dtype.type(size) + ids[i])] += 1
    keys = sorted(met)
    counts = np.array([met[key] for key in keys], np.int64)
    return SparseMatrix(np.array(keys, np.int64), counts, size)


@mistake("count")
def counts_as_floats(ids, window, size):
    """the counts are floats; they should be int64.

    np.zeros((V, V)) makes floats. Above 2**53 they can no longer count by one, and before that they
    hide whether anything was weighted. Ask for np.int64.
    """
    met: Counter[tuple[int, int]] = Counter()
    for a, b, _ in _pairs(_check(ids, window, size), window):
        met[a, b] += 1
        met[b, a] += 1
    return _matrix(met, size, np.float64)


@mistake("count")
def nothing_refused(ids, window, size):
    """a window below 1 was not refused.

    It gives a table of zeros, and the mistake shows up three steps later. Begin with
    `if window < 1: raise OptionError(...)`; and do the same for an id that is `size` or more.
    """
    return _both([(a, b) for a, b, _ in _pairs([int(i) for i in ids], window)], size)


@mistake("count")
def nothing_refused_with_a_table(ids, window, size):
    """neither a window below 1 nor an id outside the vocabulary was refused in words.

    The window gives a table of zeros and no error; the id an IndexError, which does not say what to
    do about it. Begin with both questions, and raise OptionError.
    """
    table = np.zeros((size, size), np.int64)
    for a, b, _ in _pairs([int(i) for i in ids], window):
        table[a, b] += 1
        table[b, a] += 1
    return _sparse(table)


@mistake("count")
def a_plain_table(ids, window, size):
    """this is a plain array of V x V; a SparseMatrix was asked for.

    Of 10,000 words the array has 100 million cells, nearly all of them 0. Keep those that are not:
    keys = np.flatnonzero(table), then SparseMatrix(keys, table.reshape(-1)[keys], size).
    """
    counts = _both([(a, b) for a, b, _ in _pairs(_check(ids, window, size), window)], size)
    return counts.dense()


@mistake("count")
def id_outside_not_refused(ids, window, size):
    """an id of `size` or more was not refused.

    As a key, row * size + column, it lands in another word's row, and no error is raised. The ids
    of V words go from 0 to V - 1: raise OptionError for the others.
    """
    if window < 1:
        raise OptionError("the window must be 1 or more")
    return _both([(a, b) for a, b, _ in _pairs([int(i) for i in ids], window)], size)


@mistake("count")
def each_place_with_itself(ids, window, size):
    """each place was counted with itself too: the inner loop starts at i, not at i + 1.

    A word keeps no company with itself at the same place. Begin one place further on.
    """
    words = _check(ids, window, size)
    itself = [(word, word) for word in words if word >= 0]
    return _both([*itself, *((a, b) for a, b, _ in _pairs(words, window))], size)


@mistake("count")
def only_at_the_greatest_distance(ids, window, size):
    """only words exactly `window` places apart were counted; all nearer ones count too.

    i - window and i + window are two places. The window is all of them from one to the other.
    """
    found = _pairs(_check(ids, window, size), window)
    return _both(((a, b) for a, b, distance in found if distance == window), size)
