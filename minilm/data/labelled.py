"""A few labelled texts out of many, drawn so that every class is there."""

from __future__ import annotations

import numpy as np

from minilm.arrays import Ids
from minilm.random import generator


def draw(labels: Ids, budget: int, seed: int) -> Ids:
    """Return the indices of `budget` labelled examples, classes in proportion and none left out.

    The members of each class are shuffled; the member of rank r among n stands at (r + 1/2) / n on
    a common line, the first of each class before all others, and the beginning of that line is
    taken. So the draws of one seed are nested.

    Parameters
    ----------
    labels : ndarray of shape (N,), int
        Class indices.
    budget : int
        How many; at least the number of classes, at most N.
    seed : int
        Which draw.

    Returns
    -------
    ndarray of shape (budget,), int

    Examples
    --------
    >>> labels = np.array([0] * 30 + [1] * 10)
    >>> np.bincount(labels[draw(labels, 8, seed=0)])
    array([6, 2])
    """
    rng = generator(seed, "draw")
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
        place[members[0]] = -1
    return np.argsort(place, kind="stable")[:budget]
