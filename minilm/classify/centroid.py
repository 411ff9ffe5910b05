"""Nearest centroid: the classifier with nothing to tune.

Each class is the mean of its training rows; a new row goes to the class whose mean points most
nearly the same way (Rocchio 1971, here without weights for negative examples).
"""

from __future__ import annotations

import numpy as np

from minilm.classify import logistic
from minilm.embeddings import similarity

# Cosines are rounded so far that equal ones are equal in whatever order BLAS adds.
_DECIMALS = 12


class NearestCentroid:
    """Assign each row to the class whose mean has the largest cosine with it.

    The cosine with a zero vector is 0. Cosines are compared to twelve decimals; equal ones go to
    the lowest class, so a zero row does too: nothing is known about it.

    Attributes
    ----------
    classes_ : ndarray of shape (K,), int
        The classes seen in training, in ascending order.
    centroids_ : ndarray of shape (K, D)
        Their means.

    Examples
    --------
    >>> features = np.array([[1.0, 0.0], [3.0, 1.0], [0.0, 2.0]])
    >>> model = NearestCentroid().fit(features, np.array([0, 0, 1]))
    >>> model.centroids_
    array([[2. , 0.5],
           [0. , 2. ]])
    >>> model.predict(np.array([[0.1, 9.0], [5.0, 1.0], [0.0, 0.0]]))
    array([1, 0, 0])
    """

    def fit(self, features: np.ndarray, labels: np.ndarray) -> NearestCentroid:
        """Take the mean of each class: (N, D), (N,) int -> self.

        Raises
        ------
        OptionError
            When shapes do not fit, a value is not finite, or there are fewer than two classes.
        """
        x = logistic.check_features(features)
        y, _ = logistic.check_labels(labels, len(x))
        self.classes_ = np.unique(y)
        self.centroids_ = np.stack([x[y == label].mean(axis=0) for label in self.classes_])
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the nearest class of each row: (N, D) -> (N,) int."""
        x = logistic.check_features(features, self.centroids_.shape[1])
        cosines = similarity.cosine(x, self.centroids_).round(_DECIMALS)
        return self.classes_[cosines.argmax(axis=1)]
