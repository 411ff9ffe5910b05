"""Kata 3.4  Reading the scores: confusion matrix and macro-F1

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 3.4    or on every save: minilm kata watch
    minilm kata read 3.4     the page
    minilm kata hint 3.4     a hint
"""

from __future__ import annotations

import numpy as np

from minilm.errors import OptionError


def confusion_matrix(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count how often each class was predicted as each class: (N,), (N,) -> (K, K) int.

    Parameters
    ----------
    truth, predicted : ndarray of shape (N,), int
        Classes in 0 ... classes - 1.
    classes : int
        K, the number of classes, whether they occur or not.

    Returns
    -------
    ndarray of shape (K, K), int
        Row i, column j: the examples of class i that were predicted as class j.

    Raises
    ------
    OptionError
        When the lengths differ, or there is a class outside 0 ... classes - 1.
    """
    raise NotImplementedError("not written yet")


def macro_f1(truth: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    """Return the mean of the classes' F1: every class counts the same, even a rare one.

    The F1 of a class that is never right is 0, and so is that of a class that is neither in
    `truth` nor in `predicted`; it still counts in the mean.

    Parameters
    ----------
    truth, predicted, classes
        As for `confusion_matrix`.

    References
    ----------
    C. van Rijsbergen (1979), "Information Retrieval", chapter 7.
    """
    raise NotImplementedError("not written yet")
