"""Means of word vectors as people write them at first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minilm.course.mistakes import mistake


def _rows(documents: Any, vectors: Any, of: Callable[[Any, Any], Any]) -> Any:
    """Fill the row of each text that has words."""
    means = np.zeros((len(documents), vectors.shape[1]), vectors.dtype)
    for mean, ids in zip(means, documents, strict=True):
        if len(ids):
            mean[:] = of(vectors[np.asarray(ids)], np.asarray(ids))
    return means


def _right(documents: Any, vectors: Any) -> Any:
    return _rows(documents, vectors, lambda rows, ids: rows.mean(axis=0))


def _shares(counts: Any) -> Any:
    return np.asarray(counts, np.float64) / max(sum(counts), 1)


@mistake("mean_vectors")
def sums(documents, vectors):
    """these are sums: nothing was divided by the number of words.

    A text that is twice as long then has a vector twice as long. Divide by len(ids), or use
    mean(axis=0).
    """
    return _rows(documents, vectors, lambda rows, ids: rows.sum(axis=0))


@mistake("mean_vectors")
def running_halves(documents, vectors):
    """each word was averaged with the mean so far, so that the last word counts half.

    (mean + row) / 2 is right for two words only. Add all rows up, and divide once.
    """

    def halved(rows, ids):
        mean = np.zeros_like(rows[0])
        for row in rows:
            mean = (mean + row) / 2
        return mean

    return _rows(documents, vectors, halved)


@mistake("mean_vectors")
def divided_after_each_word(documents, vectors):
    """the sum was divided after each word, inside the loop; it must be divided once, at the end.

    The first words are divided again and again, until next to nothing is left of them.
    """

    def divided(rows, ids):
        mean = np.zeros_like(rows[0])
        for row in rows:
            mean = (mean + row) / len(rows)
        return mean

    return _rows(documents, vectors, divided)


@mistake("mean_vectors")
def each_word_once(documents, vectors):
    """a word that occurs twice counts only once.

    set(ids), or np.unique, forgets repetitions. vectors[ids] has a row for each occurrence.
    """
    return _rows(documents, vectors, lambda rows, ids: vectors[np.unique(ids)].mean(axis=0))


@mistake("mean_vectors")
def divided_by_different_words(documents, vectors):
    """the sum was divided by the number of different words, not of all words.

    Repetitions are in the sum, so they must be in the number too: len(ids).
    """
    return _rows(documents, vectors, lambda rows, ids: rows.sum(axis=0) / len(np.unique(ids)))


@mistake("mean_vectors")
def divided_by_the_longest(documents, vectors):
    """the sums were divided by the length of the longest text.

    That is what padding with zeros and a mean over the padded axis does. Divide each by the number
    of its own words.
    """
    longest = max((len(ids) for ids in documents), default=1)
    return _rows(documents, vectors, lambda rows, ids: rows.sum(axis=0) / longest)


@mistake("mean_vectors")
def divided_by_the_number_of_texts(documents, vectors):
    """the sums were divided by the number of texts.

    The mean is over the words of one text: divide by len(ids).
    """
    return _rows(documents, vectors, lambda rows, ids: rows.sum(axis=0) / len(documents))


@mistake("mean_vectors")
def divided_by_the_vocabulary(documents, vectors):
    """the sums were divided by V, the number of rows of the table.

    A table of counts times the vectors gives sums; their number of words is the sum of each row of
    counts, not its length.
    """
    return _rows(documents, vectors, lambda rows, ids: rows.sum(axis=0) / len(vectors))


@mistake("mean_vectors")
def one_number_for_a_text(documents, vectors):
    """every entry of a row is the same: the mean has no axis.

    rows.mean() is one number. The mean of the words is over axis 0: rows.mean(axis=0).
    """
    return _rows(documents, vectors, lambda rows, ids: rows.mean())


@mistake("mean_vectors")
def mean_over_the_wrong_axis(documents, vectors):
    """the mean is over axis 1, the numbers of each word, and not over the words.

    vectors[ids] has shape (words, D). What is to go is the axis of the words: axis=0.
    """
    means = np.zeros((len(documents), vectors.shape[1]), vectors.dtype)
    for n, ids in enumerate(documents):
        if len(ids):
            means[n] = vectors[np.asarray(ids)].mean(axis=1)
    return means


@mistake("mean_vectors")
def empty_texts_are_nan(documents, vectors):
    """a text without words became NaN: that is the mean of nothing, 0/0.

    One NaN spreads to everything that it meets. Leave the row of an empty text at zero.
    """
    means = _right(documents, vectors)
    means[[n for n, ids in enumerate(documents) if not len(ids)]] = np.nan
    return means


@mistake("mean_vectors")
def empty_texts_left_out(documents, vectors):
    """texts without words were left out, so there are fewer rows than texts.

    Every row after them then belongs to another label. Keep a row of zeros in their place.
    """
    return _right([ids for ids in documents if len(ids)], vectors)


@mistake("mean_vectors")
def empty_texts_are_the_mean(documents, vectors):
    """a text without words got the mean of all vectors.

    That is a vector of something. Of an empty text nothing is known: zeros.
    """
    means = _right(documents, vectors)
    means[[n for n, ids in enumerate(documents) if not len(ids)]] = vectors.mean(axis=0)
    return means


@mistake("mean_vectors")
def texts_at_unit_length(documents, vectors):
    """the means were brought to length 1.

    The cosine does so by itself. Here the mean is asked for as it is.
    """
    means = _right(documents, vectors)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return means / np.where(lengths > 0, lengths, 1).astype(vectors.dtype)


@mistake("mean_vectors")
def words_at_unit_length(documents, vectors):
    """the word vectors were brought to length 1 before the mean.

    Their lengths may be weights, and are meant. Take the mean of the rows as they are.
    """
    return _right(documents, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@mistake("mean_vectors")
def medians(documents, vectors):
    """these are medians, column by column; the mean is asked for.

    mean(axis=0).
    """
    return _rows(documents, vectors, lambda rows, ids: np.median(rows, axis=0))


@mistake("mean_vectors")
def largest_entries(documents, vectors):
    """these are the largest entries of each column (max pooling); the mean is asked for.

    mean(axis=0) in place of max(axis=0).
    """
    return _rows(documents, vectors, lambda rows, ids: rows.max(axis=0))


@mistake("mean_vectors")
def last_word_left_out(documents, vectors):
    """the last word of each text is left out.

    A slice [:-1], or a loop over range(len(ids) - 1), stops one too early.
    """
    return _right([ids[:-1] for ids in documents], vectors)


@mistake("mean_vectors")
def only_the_first_text(documents, vectors):
    """only the first text has its mean: the function returns inside the loop.

    `return` belongs behind the loop, at the level of `for`.
    """
    means = _right(documents, vectors)
    means[1:] = 0
    return means


@mistake("mean_vectors")
def a_list_of_rows(documents, vectors):
    """a list of rows is returned; asked for is one array of shape (N, D).

    Begin with np.zeros((N, D)), which also has the right shape when there are no texts.
    """
    return list(_right(documents, vectors))


@mistake("mean_vectors")
def always_float64(documents, vectors):
    """the dtype is float64, whatever the vectors have.

    np.zeros makes float64 by default. Pass vectors.dtype.
    """
    return _right(documents, vectors).astype(np.float64)


@mistake("frequency_weights")
def counts_not_shares(counts, a=1e-3):
    """the counts were used as they are; they must be shares of all words.

    A text ten times as long would change every weight. Divide by the sum of the counts.
    """
    return a / (a + np.asarray(counts, np.float64))


@mistake("frequency_weights")
def other_way_round(counts, a=1e-3):
    """the weights are the other way round: frequent words weigh most.

    p / (a + p) is 1 minus what is asked for. The constant a belongs on top.
    """
    shares = _shares(counts)
    return shares / (a + shares)


@mistake("frequency_weights")
def upside_down(counts, a=1e-3):
    """the fraction is upside down: the weights are above 1.

    They lie between 0 and 1, and are smallest for the most frequent word.
    """
    return (a + _shares(counts)) / a


@mistake("frequency_weights")
def no_a_below(counts, a=1e-3):
    """a is missing in the denominator: a word that never occurs is a division by zero.

    With a below the line too, the weight of a rare word stops at 1.
    """
    return a / _shares(counts)


@mistake("frequency_weights")
def no_a_above(counts, a=1e-3):
    """a is missing on top of the fraction: every weight is too large by 1 / a.

    A word that never occurs should weigh 1.
    """
    return 1 / (a + _shares(counts))


@mistake("frequency_weights")
def a_ignored(counts, a=1e-3):
    """the argument a is not used: a constant was written in its place.

    Use the name a, not 0.001.
    """
    return 1e-3 / (1e-3 + _shares(counts))


@mistake("frequency_weights")
def share_of_the_most_frequent(counts, a=1e-3):
    """the counts were divided by the largest one, not by the sum of all words.

    A share is a part of the whole text.
    """
    return a / (a + np.asarray(counts, np.float64) / max([1, *counts]))


@mistake("frequency_weights")
def share_of_the_vocabulary(counts, a=1e-3):
    """the counts were divided by how many different words there are.

    len(counts) is V. A share is a part of all words of the text: sum(counts).
    """
    return a / (a + np.asarray(counts, np.float64) / max(len(counts), 1))


@mistake("frequency_weights")
def sum_of_one(counts, a=1e-3):
    """the weights were brought to a sum of one.

    Then they depend on the size of the vocabulary. A rare word weighs nearly 1.
    """
    weights = a / (a + _shares(counts))
    return weights / weights.sum()


@mistake("frequency_weights")
def logarithm(counts, a=1e-3):
    """these are logarithms of one over the share, as in TF-IDF.

    A good weight too, but not this one: it has no upper limit, and no a.
    """
    return -np.log(np.maximum(_shares(counts), 1e-12))


@mistake("frequency_weights")
def one_minus_the_share(counts, a=1e-3):
    """1 minus the share is nearly 1 for every word; a is not in it.

    Even the most frequent word is only 5 % of a text. The constant a says what "frequent" means.
    """
    return 1 - _shares(counts)


@mistake("frequency_weights")
def nothing_counted(counts, a=1e-3):
    """when nothing was counted the shares are 0/0, and the weights NaN.

    Divide by max(sum(counts), 1): then all shares are 0 and all weights 1.
    """
    counts = np.asarray(counts, np.float64)
    return a / (a + counts / counts.sum())
