"""PPMI as people write it at first."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course.mistakes import mistake
from minilm.embeddings.sparse import SparseMatrix
from minilm.errors import OptionError


def _checked(smoothing: float) -> None:
    if not 0 < smoothing <= 1:
        raise OptionError(f"the smoothing is {smoothing}; it must be above 0 and at most 1")


def _ratio(counts: SparseMatrix, words: Any, contexts: Any, total: float | None = None) -> Any:
    """Return P(w, c) / (P(w) P(c)) of each entry; the shares need not sum to one."""
    total = counts.values.sum() if total is None else total
    joint = counts.values / total
    return joint / (words[counts.rows] * contexts[counts.columns])


def _share(weights: Any) -> Any:
    total = weights.sum()
    return weights / total if total else weights


def _positive(counts: SparseMatrix, values: Any) -> SparseMatrix:
    kept = values > 0
    return SparseMatrix(counts.keys[kept], values[kept], counts.size)


def _right(counts: SparseMatrix, smoothing: float) -> Any:
    totals = counts.row_sums()
    return np.log(_ratio(counts, _share(totals), _share(totals**smoothing)))


@mistake("ppmi")
def negative_values_kept(counts, smoothing=0.75):
    """pairs that met less often than by chance are still there, with negative values.

    This is PMI; the first P of PPMI is "positive". A pair that never met would have minus
    infinity, and is stored as 0; to keep the negative ones would put "less than by chance" *below*
    "never". Keep the entries above 0.
    """
    _checked(smoothing)
    values = _right(counts, smoothing)
    kept = values != 0
    return SparseMatrix(counts.keys[kept], values[kept], counts.size)


@mistake("ppmi")
def zeros_stored(counts, smoothing=0.75):
    """negative values were made 0 and are still stored.

    np.maximum(values, 0) is right for a dense matrix. In a sparse one an entry that is 0 is left
    out, with its key: select values > 0 from both.
    """
    _checked(smoothing)
    values = np.maximum(_right(counts, smoothing), 0)
    return SparseMatrix(counts.keys, values, counts.size)


@mistake("ppmi")
def no_smoothing(counts, smoothing=0.75):
    """the smoothing is not used: this is its value for smoothing = 1.

    P_a(c) = n(c)**a / sum of n(c')**a makes rare contexts count as less rare, or else the chance
    meeting of two rare words outweighs everything.
    """
    _checked(smoothing)
    return _positive(counts, _right(counts, 1.0))


@mistake("ppmi")
def smoothed_words(counts, smoothing=0.75):
    """the words were smoothed, not the contexts: your result is the transpose of the right one.

    n(w), of the row, stays as it is. The exponent is on n(c), of the column.
    """
    _checked(smoothing)
    totals = counts.row_sums()
    return _positive(counts, np.log(_ratio(counts, _share(totals**smoothing), _share(totals))))


@mistake("ppmi")
def smoothed_both(counts, smoothing=0.75):
    """words and contexts were both smoothed.

    The exponent belongs to the contexts alone. That makes the result unsymmetric; it is meant so.
    """
    _checked(smoothing)
    share = _share(counts.row_sums() ** smoothing)
    return _positive(counts, np.log(_ratio(counts, share, share)))


@mistake("ppmi")
def smoothed_over_the_plain_sum(counts, smoothing=0.75):
    """the smoothed contexts were divided by the sum of the plain ones.

    n(c)**a has another sum than n(c). The P_a(c) are shares and sum to one: divide by the sum of
    n(c')**a.
    """
    _checked(smoothing)
    totals = counts.row_sums()
    contexts = totals**smoothing / max(totals.sum(), 1)
    return _positive(counts, np.log(_ratio(counts, _share(totals), contexts)))


@mistake("ppmi")
def shares_to_the_power(counts, smoothing=0.75):
    """the exponent was put on P(c) and the result not brought back to a sum of one.

    P(c)**a of all contexts sums to more than one. Divide by that sum.
    """
    _checked(smoothing)
    share = _share(counts.row_sums())
    return _positive(counts, np.log(_ratio(counts, share, share**smoothing)))


@mistake("ppmi")
def in_bits(counts, smoothing=0.75):
    """the logarithm is to base 2; the natural one is asked for.

    Every value is 1.44 times too large. np.log is the natural logarithm.
    """
    _checked(smoothing)
    return _positive(counts, _right(counts, smoothing) / np.log(2))


@mistake("ppmi")
def logarithm_of_one_plus(counts, smoothing=0.75):
    """1 was added before the logarithm (log1p).

    It keeps everything positive, and so "as often as by chance" (ratio 1) becomes 0.69 in place of
    0. Take the logarithm of the ratio itself; what comes out negative is dropped.
    """
    _checked(smoothing)
    return _positive(counts, np.log1p(np.exp(_right(counts, smoothing))))


@mistake("ppmi")
def logarithm_forgotten(counts, smoothing=0.75):
    """the logarithm is missing: these are the ratios of seen to expected.

    A ratio of 1000 would rule a whole row. The logarithm brings it to 7, and "by chance" to 0.
    """
    _checked(smoothing)
    return _positive(counts, np.exp(_right(counts, smoothing)))


@mistake("ppmi")
def total_forgotten(counts, smoothing=0.75):
    """counts were not made shares: the sum of all counts is missing from the formula.

    n(w, c) / (n(w) n(c)) has the unit 1 / count, and is below 1 nearly always. With P(w, c), P(w)
    and P(c), one sum of counts is left in the numerator.
    """
    _checked(smoothing)
    totals = counts.row_sums()
    return _positive(counts, np.log(_ratio(counts, totals, totals**smoothing, 1.0)))


@mistake("ppmi")
def each_pair_counted_once_in_the_total(counts, smoothing=0.75):
    """the sum of all counts is half of what it should be: each value is too large by log 2.

    The matrix is symmetric and holds each meeting twice, as (w, c) and as (c, w). Both are in the
    row sums, so both are in the total: counts.values.sum().
    """
    _checked(smoothing)
    totals = counts.row_sums()
    half = counts.values.sum() / 2
    return _positive(
        counts, np.log(_ratio(counts, _share(totals), _share(totals**smoothing), half))
    )


@mistake("ppmi")
def distinct_contexts_counted(counts, smoothing=0.75):
    """n(w) is the number of *different* words that w met, not how often it met them.

    np.bincount without weights, or counting the entries of a row, gives that. n(w) is the sum of
    the row: counts.row_sums().
    """
    _checked(smoothing)
    totals = np.bincount(counts.rows, minlength=counts.size).astype(float)
    return _positive(counts, np.log(_ratio(counts, _share(totals), _share(totals**smoothing))))


@mistake("ppmi")
def rows_on_both_sides(counts, smoothing=0.75):
    """the context's share was looked up by the row, like the word's.

    Entry k is word counts.rows[k] with context counts.columns[k]: each share has its own index.
    """
    _checked(smoothing)
    totals = counts.row_sums()
    words, contexts = _share(totals), _share(totals**smoothing)
    joint = counts.values / counts.values.sum()
    return _positive(counts, np.log(joint / (words[counts.rows] * contexts[counts.rows])))


@mistake("ppmi")
def any_smoothing_accepted(counts, smoothing=0.75):
    """a smoothing outside its range is accepted.

    With 0 every context would be equally frequent, below 0 the rare ones would be the frequent
    ones. A person who passes 75 for 0.75 should hear of it: raise OptionError.
    """
    return _positive(counts, _right(counts, smoothing))


@mistake("ppmi")
def smoothing_one_refused(counts, smoothing=0.75):
    """smoothing = 1 is refused, but it is allowed: it is plain PMI.

    The range is above 0 and at most 1: `not 0 < smoothing <= 1` is the error.
    """
    if not 0 < smoothing < 1:
        raise OptionError(f"the smoothing is {smoothing}; it must be above 0 and below 1")
    return _positive(counts, _right(counts, smoothing))


@mistake("ppmi")
def in_place_on_the_counts(counts, smoothing=0.75):
    """the counts were divided in place, and are shares now.

    counts.values is the caller's array. `values = counts.values / total` makes a new one.
    """
    _checked(smoothing)
    values = _right(counts, smoothing)
    if counts.values.dtype.kind == "f":
        np.divide(counts.values, counts.values.sum(), out=counts.values)
    return _positive(counts, values)


@mistake("ppmi")
def ratios_above_one(counts, smoothing=0.75):
    """the logarithm is missing: these are the ratios themselves, those above 1.

    A ratio above 1 is a logarithm above 0, so the right pairs are there. But twice as often and
    half as often should be equally far from nothing special: take np.log.
    """
    _checked(smoothing)
    values = np.exp(_right(counts, smoothing))
    kept = values > 1
    return SparseMatrix(counts.keys[kept], values[kept], counts.size)


@mistake("ppmi")
def absolute_values(counts, smoothing=0.75):
    """negative values became positive: abs() does not leave them out.

    A pair that met less often than by chance would look like one that met more often. Its value is
    0, and an entry of 0 is not stored.
    """
    _checked(smoothing)
    return _positive(counts, np.abs(_right(counts, smoothing)))
