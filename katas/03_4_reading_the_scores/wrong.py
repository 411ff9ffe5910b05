"""Confusion matrices and F1 as people write them at first."""

from __future__ import annotations

import numpy as np

from minilm.course.mistakes import mistake
from minilm.errors import OptionError

# ------------------------------------------------------------------- confusion_matrix


def _checked(truth, predicted, classes):
    if truth.shape != predicted.shape:
        raise OptionError("one prediction for each label")
    both = np.concatenate([truth, predicted])
    if both.min() < 0 or both.max() >= classes:
        raise OptionError("a class outside 0 ... classes - 1")


def _counted(truth, predicted, classes):
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (truth, predicted), 1)
    return table


def _table(truth, predicted, classes):
    _checked(truth, predicted, classes)
    return _counted(truth, predicted, classes)


@mistake("confusion_matrix")
def rows_are_predictions(truth, predicted, classes):
    """the matrix is transposed: its rows are predictions, its columns the truth.

    Row i has the examples whose *true* class is i, so that a row says what became of them. (Both
    conventions exist. This is scikit-learn's.)
    """
    return _table(truth, predicted, classes).T


@mistake("confusion_matrix")
def each_pair_once(truth, predicted, classes):
    """each pair of classes was counted once only, however often it occurs.

    `table[truth, predicted] += 1` reads all cells first and then writes them, so repeated cells get
    1 in all. np.add.at(table, (truth, predicted), 1) adds for each.
    """
    table = np.zeros((classes, classes), np.int64)
    _checked(truth, predicted, classes)
    table[truth, predicted] += 1
    return table


@mistake("confusion_matrix")
def shares_of_rows(truth, predicted, classes):
    """the rows were divided by their sums: these are shares, not counts.

    Shares are good for a picture. But 1 of 2 and 500 of 1000 look the same, so keep the counts.
    """
    table = _table(truth, predicted, classes)
    return table / np.maximum(table.sum(axis=1, keepdims=True), 1)


@mistake("confusion_matrix")
def shares_of_all(truth, predicted, classes):
    """the matrix was divided by the number of examples: these are shares, not counts."""
    return _table(truth, predicted, classes) / len(truth)


@mistake("confusion_matrix")
def counts_are_floats(truth, predicted, classes):
    """the counts are floats: np.zeros makes floats unless it is given a dtype.

    What is counted is whole: np.zeros((classes, classes), int).
    """
    return _table(truth, predicted, classes).astype(np.float64)


@mistake("confusion_matrix")
def classes_that_occur(truth, predicted, classes):
    """there are rows and columns only for the classes that occur; there must be `classes` of each.

    Otherwise the matrices of two test sets have different shapes, and class 3 is in row 2.
    """
    names = np.unique(np.concatenate([truth, predicted]))
    _checked(truth, predicted, classes)
    places = np.searchsorted(names, truth), np.searchsorted(names, predicted)
    return _counted(*places, len(names))


@mistake("confusion_matrix")
def last_pair_missing(truth, predicted, classes):
    """the last example was not counted: a loop that stops one too early.

    range(len(truth)) goes to the end by itself; so does zip(truth, predicted).
    """
    _checked(truth, predicted, classes)
    return _counted(truth[:-1], predicted[:-1], classes)


@mistake("confusion_matrix")
def diagonal_only(truth, predicted, classes):
    """only the diagonal is filled, what was right; the mistakes are missing.

    What the matrix is read for is off the diagonal: which class is taken for which.
    """
    return np.diag(np.diag(_table(truth, predicted, classes)))


@mistake("confusion_matrix")
def nothing_refused(truth, predicted, classes):
    """nothing is refused: not the class -1, which NumPy takes for the last one.

    -1 often means "no label", and it would be counted as class K - 1 in silence. Raise OptionError
    for classes outside 0 ... classes - 1, and for lengths that differ.
    """
    return _counted(truth, predicted, classes)


@mistake("confusion_matrix")
def negative_not_refused(truth, predicted, classes):
    """a negative class was not refused: NumPy counts -1 as the last class.

    Ask for both ends: 0 <= class < classes, for labels and for predictions.
    """
    if truth.shape != predicted.shape or max(truth.max(), predicted.max()) >= classes:
        raise OptionError("no")
    return _counted(truth, predicted, classes)


@mistake("confusion_matrix")
def lengths_not_compared(truth, predicted, classes):
    """labels and predictions of different length were not refused.

    zip stops at the shorter one, and the rest is not counted, in silence. Compare the lengths
    first, and raise OptionError.
    """
    shorter = min(len(truth), len(predicted))
    return _table(truth[:shorter], predicted[:shorter], classes)


@mistake("confusion_matrix")
def only_the_labels_checked(truth, predicted, classes):
    """the predictions were not checked: a class outside 0 ... classes - 1 must be refused.

    Look at both, labels and predictions.
    """
    if truth.shape != predicted.shape or truth.min() < 0 or truth.max() >= classes:
        raise OptionError("no")
    return _counted(truth, predicted, classes)


# --------------------------------------------------------------------------- macro_f1


def _parts(truth, predicted, classes):
    table = _table(truth, predicted, classes)
    return table.diagonal(), table.sum(axis=0), table.sum(axis=1)


def _share(part, whole):
    return part / np.maximum(whole, 1)


@mistake("macro_f1")
def accuracy(truth, predicted, classes):
    """this is the accuracy, the share that is right.

    It hardly notices a rare class. Macro-F1 takes one score for each class and then their mean.
    """
    _checked(truth, predicted, classes)
    return float(np.mean(truth == predicted))


@mistake("macro_f1")
def precision_only(truth, predicted, classes):
    """this is the mean precision: the sums of columns only.

    F1 looks at both: what was predicted as the class (a column) and what is of the class (a row).
    """
    right, taken, _ = _parts(truth, predicted, classes)
    return float(_share(right, taken).mean())


@mistake("macro_f1")
def recall_only(truth, predicted, classes):
    """this is the mean recall: the sums of rows only (also called balanced accuracy).

    F1 looks at both: what was predicted as the class (a column) and what is of the class (a row).
    """
    right, _, there = _parts(truth, predicted, classes)
    return float(_share(right, there).mean())


@mistake("macro_f1")
def f1_of_the_means(truth, predicted, classes):
    """precision and recall were averaged first, and F1 taken of the two means.

    The order matters: first one F1 for each class, then the mean. Otherwise a class with high
    precision and one with high recall make up for each other.
    """
    right, taken, there = _parts(truth, predicted, classes)
    p, r = _share(right, taken).mean(), _share(right, there).mean()
    return float(2 * p * r / (p + r)) if p + r else 0.0


@mistake("macro_f1")
def weighted(truth, predicted, classes):
    """the mean is weighted by how often each class occurs; in macro-F1 all classes weigh the same.

    Weighted, a rare class hardly counts, and then you could as well report the accuracy.
    """
    right, taken, there = _parts(truth, predicted, classes)
    return float(np.average(_share(2 * right, taken + there), weights=there))


@mistake("macro_f1")
def zero_over_zero(truth, predicted, classes):
    """0 / 0: a class that occurs nowhere made the whole mean NaN.

    Its F1 is 0 by agreement. Divide only where something is above 0.
    """
    right, taken, there = _parts(truth, predicted, classes)
    return float(np.mean(2 * right / (taken + there)))


@mistake("macro_f1")
def zero_over_zero_in_parts(truth, predicted, classes):
    """0 / 0: a class that is never predicted, or never right, made the whole mean NaN.

    Precision, recall and F1 each have a division. 2 TP / (2 TP + FP + FN) is the same F1 with only
    one, and that is 0 / 0 only for a class that occurs nowhere.
    """
    right, taken, there = _parts(truth, predicted, classes)
    p, r = right / taken, right / there
    return float(np.mean(2 * p * r / (p + r)))


@mistake("macro_f1")
def absent_left_out(truth, predicted, classes):
    """a class that occurs nowhere was left out of the mean; it counts as 0.

    The mean is over `classes` classes, so that scores of different test sets are means of as many.
    """
    right, taken, there = _parts(truth, predicted, classes)
    kept = taken + there > 0
    return float(np.mean(2 * right[kept] / (taken + there)[kept]))


@mistake("macro_f1")
def nan_left_out(truth, predicted, classes):
    """classes whose F1 is 0 / 0 were left out of the mean (np.nanmean); each counts as 0.

    A class that is never predicted would raise your score: the worse it does, the better it looks.
    """
    right, taken, there = _parts(truth, predicted, classes)
    p, r = right / taken, right / there
    return float(np.nanmean(2 * p * r / (p + r)))


@mistake("macro_f1")
def without_the_two(truth, predicted, classes):
    """the factor 2 is missing: F1 is 2 TP / (2 TP + FP + FN), and yours is half of it.

    A perfect classifier must get 1.
    """
    right, taken, there = _parts(truth, predicted, classes)
    return float(_share(right, taken + there).mean())


@mistake("macro_f1")
def intersection_over_union(truth, predicted, classes):
    """TP was not counted twice: TP / (TP + FP + FN) is the Jaccard index, not F1.

    F1 is 2 TP / (2 TP + FP + FN): the harmonic mean of precision and recall.
    """
    right, taken, there = _parts(truth, predicted, classes)
    return float(_share(right, taken + there - right).mean())


@mistake("macro_f1")
def arithmetic_mean(truth, predicted, classes):
    """precision and recall were averaged; F1 is their harmonic mean, 2pr / (p + r).

    By the plain mean, saying "billing" to everything scores above a half for that class. The
    harmonic mean is near the smaller of the two.
    """
    right, taken, there = _parts(truth, predicted, classes)
    return float(np.mean((_share(right, taken) + _share(right, there)) / 2))


@mistake("macro_f1")
def one_for_each_class(truth, predicted, classes):
    """this is an array with one F1 for each class; the mean over them is missing."""
    right, taken, there = _parts(truth, predicted, classes)
    return _share(2 * right, taken + there)


@mistake("macro_f1")
def geometric_mean(truth, predicted, classes):
    """you took the geometric mean of precision and recall, sqrt(p r); F1 is the harmonic one.

    That is 2pr / (p + r), or 2 TP / (2 TP + FP + FN).
    """
    right, taken, there = _parts(truth, predicted, classes)
    return float(np.mean(np.sqrt(_share(right, taken) * _share(right, there))))


@mistake("macro_f1")
def summed_over_classes(truth, predicted, classes):
    """the F1 of the classes were summed; macro-F1 is their mean.

    A perfect classifier must get 1, however many classes there are.
    """
    right, taken, there = _parts(truth, predicted, classes)
    return float(_share(2 * right, taken + there).sum())


@mistake("confusion_matrix")
def no_minlength(truth, predicted, classes):
    """np.bincount stops at the largest cell that occurs: without minlength there are too few cells.

    np.bincount(..., minlength=classes * classes) has one for each pair, also for those never seen.
    """
    _checked(truth, predicted, classes)
    return np.bincount(truth * classes + predicted).reshape(classes, classes)


@mistake("confusion_matrix")
def rows_in_a_list(truth, predicted, classes):
    """this is a list of lists; return an array: np.array(...).

    Lists have no .sum(axis=0) and no .diagonal(), and those are what a matrix is read by.
    """
    return _table(truth, predicted, classes).tolist()
