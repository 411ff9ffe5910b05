"""Nearest centroids as people write them at first."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.classify import base
from minilm.course.mistakes import mistake
from minilm.embeddings import similarity


class _Centroids:
    """All as it should be; each mistake below changes one thing."""

    def fit(self, features, labels):
        x, y = self.checked(features, labels)
        self.classes_ = np.unique(y)
        self.centroids_ = self.of_classes(x, y)
        return self

    def predict(self, features):
        x = base.check_features(features, self.centroids_.shape[1])
        return self.classes_[self.winners(x)]

    def checked(self, features: Any, labels: Any) -> Any:
        x = base.check_features(features)
        return x, base.check_labels(labels, len(x))

    def of_classes(self, x, y):
        return np.stack([x[y == label].mean(axis=0) for label in self.classes_])

    def cosines(self, x):
        return similarity.cosine(x, self.centroids_).round(12)

    def winners(self, x):
        return self.cosines(x).argmax(axis=1)


@mistake("NearestCentroid")
class SumNotMean(_Centroids):
    """the centroids are sums of rows, not means.

    By the cosine nothing changes, since a sum points where the mean does; but a centroid is the
    middle of its rows, and who uses it with a distance is lost. mean(axis=0).
    """

    def of_classes(self, x, y):
        return np.stack([x[y == label].sum(axis=0) for label in self.classes_])


@mistake("NearestCentroid")
class DividedByAllRows(_Centroids):
    """the sums were divided by the number of all rows, not by that of the class.

    (x * mask).mean(axis=0) counts the rows of other classes as zeros. Choose the rows first,
    x[y == label], then take their mean.
    """

    def of_classes(self, x, y):
        return np.stack([(x * (y == label)[:, None]).mean(axis=0) for label in self.classes_])


@mistake("NearestCentroid")
class MedianNotMean(_Centroids):
    """the centroids are medians, column by column.

    In sparse counts most columns are zero in most rows, and the median forgets all that is rare.
    The centroid is the mean.
    """

    def of_classes(self, x, y):
        return np.stack([np.median(x[y == label], axis=0) for label in self.classes_])


@mistake("NearestCentroid")
class OneMeanForAll(_Centroids):
    """all classes have the same centroid: the mean of all rows.

    The labels were not used. The rows of one class are x[y == label].
    """

    def of_classes(self, x, y):
        return np.stack([x.mean(axis=0) for _ in self.classes_])


@mistake("NearestCentroid")
class OverallMeanTakenOff(_Centroids):
    """the mean of all rows was taken off first: these are differences from it.

    That is a good idea of its own (linear discriminants begin so), but then it must be taken off
    new rows too. Here a centroid is the mean of its rows as they are.
    """

    def of_classes(self, x, y):
        return super().of_classes(x - x.mean(axis=0), y)


@mistake("NearestCentroid")
class RowsAtUnitLength(_Centroids):
    """the rows were brought to length 1 before the mean was taken.

    Then each row has one vote, whatever its length; here a long row weighs more. The cosine brings
    to length 1 what it compares, and nothing else does.
    """

    def of_classes(self, x, y):
        return super().of_classes(similarity.unit_rows(x), y)


@mistake("NearestCentroid")
class CentroidsAtUnitLength(_Centroids):
    """the centroids were brought to length 1.

    The cosine does so by itself. `centroids_` are the means, with their lengths.
    """

    def of_classes(self, x, y):
        return similarity.unit_rows(super().of_classes(x, y))


@mistake("NearestCentroid")
class MeanOverTheColumns(_Centroids):
    """the mean was taken over the columns (axis 1): one number for each row.

    A centroid is a row of D numbers, the mean over the *rows* of its class: mean(axis=0). Yours are
    as long as the class has rows, and do not stack.
    """

    def of_classes(self, x, y):
        return np.stack([x[y == label].mean(axis=1) for label in self.classes_])


@mistake("NearestCentroid")
class ByDistance(_Centroids):
    """the nearest centroid was found by Euclidean distance, so that lengths count.

    A short text of one class is nearer to whatever class has short rows. Compare directions: the
    largest cosine.
    """

    def winners(self, x):
        distances = np.linalg.norm(x[:, None, :] - self.centroids_[None, :, :], axis=2)
        return distances.argmin(axis=1)


@mistake("NearestCentroid")
class ByDotProduct(_Centroids):
    """rows were compared with centroids by the dot product: the longest centroid wins.

    Divide by the lengths, or let similarity.cosine do it.
    """

    def winners(self, x):
        return (x @ self.centroids_.T).round(12).argmax(axis=1)


@mistake("NearestCentroid")
class Farthest(_Centroids):
    """each row went to the class that it is least like.

    The cosine is largest where the directions agree: argmax. argmin is for distances.
    """

    def winners(self, x):
        return self.cosines(x).argmin(axis=1)


@mistake("NearestCentroid")
class NearestRow(_Centroids):
    """new rows were compared with single training rows, not with the centroids.

    That is the nearest *neighbor* (k = 1), which keeps all rows and trusts each of them. Compare
    with the K means.
    """

    def fit(self, features, labels):
        self.rows, self.labels = self.checked(features, labels)
        return super().fit(features, labels)

    def predict(self, features):
        x = base.check_features(features, self.centroids_.shape[1])
        return self.labels[similarity.cosine(x, self.rows).round(12).argmax(axis=1)]


@mistake("NearestCentroid")
class PositionsNotClasses(_Centroids):
    """the position of the centroid was returned, not the class that it belongs to.

    argmax gives 0, 1, 2; the classes here are 2, 5, 7. Look them up: self.classes_[positions].
    """

    def predict(self, features):
        return self.winners(base.check_features(features, self.centroids_.shape[1]))


@mistake("NearestCentroid")
class OneForEachNumber(_Centroids):
    """there is a centroid for every number up to the highest label, also for those nobody has.

    The mean of no rows is not a number. Which classes there are says np.unique(y).
    """

    def fit(self, features, labels):
        x, y = self.checked(features, labels)
        self.classes_ = np.arange(y.max() + 1)
        means = [x[y == label].sum(axis=0) / np.sum(y == label) for label in self.classes_]
        self.centroids_ = np.stack(means)
        return self


@mistake("NearestCentroid")
class InOrderOfAppearance(_Centroids):
    """the classes are in the order in which they came, not in ascending order.

    Then ties are decided by who was first in the file. np.unique sorts.
    """

    def fit(self, features, labels):
        x, y = self.checked(features, labels)
        self.classes_ = np.array(list(dict.fromkeys(y.tolist())))
        self.centroids_ = self.of_classes(x, y)
        return self


@mistake("NearestCentroid")
class LastOfEquals(_Centroids):
    """equal cosines went to the highest class; they go to the lowest.

    `>=` while searching takes the last one of equals. argmax takes the first.
    """

    def winners(self, x):
        return len(self.classes_) - 1 - self.cosines(x)[:, ::-1].argmax(axis=1)


@mistake("NearestCentroid")
class NotRounded(_Centroids):
    """the cosines were not rounded, so the last digit decided between equals.

    It differs from one machine to the next with the order in which numbers are added. Round to
    twelve decimals before argmax.
    """

    def cosines(self, x):
        return similarity.cosine(x, self.centroids_)


@mistake("NearestCentroid")
class ZeroIsNotANumber(_Centroids):
    """a cosine with a centroid of zeros came out as 0 / 0, and argmax takes NaN for the largest.

    A class whose rows cancel then wins every time. The cosine with a zero vector is 0;
    similarity.cosine sees to it.
    """

    def cosines(self, x):
        lengths = np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(self.centroids_, axis=1)
        return (x @ self.centroids_.T / lengths).round(12)


@mistake("NearestCentroid")
class OwnCosine(_Centroids):
    """the cosine was written out, without care for zero vectors and for ties.

    A centroid of zeros gives 0 / 0, and argmax takes NaN for the largest; and between equal cosines
    the last digit decides. similarity.cosine knows of zeros; round what it gives to twelve
    decimals.
    """

    def cosines(self, x):
        lengths = np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(self.centroids_, axis=1)
        return x @ self.centroids_.T / lengths


@mistake("NearestCentroid")
class FitReturnsNothing(_Centroids):
    """fit returns nothing; it should return the model itself.

    So that NearestCentroid().fit(x, y).predict(z) can be one line. `return self`.
    """

    def fit(self, features, labels):
        super().fit(features, labels)


@mistake("NearestCentroid")
class DividedInPlace(_Centroids):
    """the rows to be classified were brought to length 1 in place: the caller's array has changed.

    check_features returns the same array if it is float64 already. Write x / lengths, not
    x /= lengths.
    """

    def predict(self, features):
        x = base.check_features(features, self.centroids_.shape[1])
        lengths = np.linalg.norm(x, axis=1, keepdims=True)
        x /= np.where(lengths > 0, lengths, 1.0)
        return self.classes_[self.winners(x)]


@mistake("NearestCentroid")
class NothingChecked(_Centroids):
    """nothing is refused: not a NaN, not labels of one class only.

    A NaN makes a centroid of NaN, and argmax then chooses that class for everything. Begin fit with
    base.check_features and base.check_labels, and predict with check_features.
    """

    def checked(self, features, labels):
        return np.asarray(features, np.float64), np.asarray(labels)

    def predict(self, features):
        return self.classes_[self.winners(np.asarray(features, np.float64))]


@mistake("NearestCentroid")
class FeaturesNotChecked(_Centroids):
    """a NaN among the rows to learn from was not refused.

    It makes a centroid of NaN, and argmax then chooses that class for everything. Pass the rows
    through base.check_features.
    """

    def checked(self, features, labels):
        x = np.asarray(features, np.float64)
        return x, base.check_labels(labels, len(x))


@mistake("NearestCentroid")
class NewRowsNotChecked(_Centroids):
    """a NaN among the rows to classify was not refused.

    It gets the first class, and nobody hears of it. Pass them through base.check_features, with
    the number of columns that the model knows.
    """

    def predict(self, features):
        return self.classes_[self.winners(np.asarray(features, np.float64))]


@mistake("NearestCentroid")
class WidthNotChecked(_Centroids):
    """new rows with another number of columns were not refused in words.

    NumPy stops too, with a message about shapes that does not say whose fault it is. Pass the
    number of columns as well: check_features(features, self.centroids_.shape[1]).
    """

    def predict(self, features):
        return self.classes_[self.winners(base.check_features(features))]


@mistake("NearestCentroid")
class LabelsNotChecked(_Centroids):
    """labels of one class only were not refused.

    Then every prediction is that class, and the accuracy may even look good. Pass the labels
    through base.check_labels.
    """

    def checked(self, features, labels):
        return base.check_features(features), np.asarray(labels)


@mistake("NearestCentroid")
class FirstExample(_Centroids):
    """each class is represented by its first row, not by the mean of its rows.

    One example may be odd, or have the wrong label. In a mean the odd ones average out.
    """

    def of_classes(self, x, y):
        return np.stack([x[y == label][0] for label in self.classes_])
