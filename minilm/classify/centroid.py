"""Nearest centroid: the classifier with nothing to tune.

Each class is the mean of its training rows; a new row goes to the class whose mean points most
nearly in the same direction (Rocchio 1971, without its weights for negative examples).
"""

from __future__ import annotations

import numpy as np

from minilm.classify import base
from minilm.embeddings import similarity

# Cosines are rounded so that equal ones tie in whatever order BLAS adds.
_DECIMALS = 12


class NearestCentroid(base.Classifier):
    """Assign each row to the class whose mean has the largest cosine with it.

    The cosine with a zero vector is 0. Cosines are compared to twelve decimals, and ties go to the
    lowest class; so does a zero row, about which nothing is known.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The labels seen in training, in ascending order.
    centroids_ : ndarray of shape (K, D)
        The mean of the rows of each class.

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
        """Take the mean of each class: (N, D), (N,) -> self.

        Raises
        ------
        OptionError
            When shapes do not match, a value is not finite, or there are fewer than two classes.
        """
        x = base.check_features(features)
        y = base.check_labels(labels, len(x))
        self.classes_ = np.unique(y)
        self.centroids_ = np.stack([x[y == label].mean(axis=0) for label in self.classes_])
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the nearest class of each row: (N, D) -> (N,)."""
        x = base.check_features(features, self.centroids_.shape[1])
        cosines = similarity.cosine(x, self.centroids_).round(_DECIMALS)
        return self.classes_[cosines.argmax(axis=1)]
