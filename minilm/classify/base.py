"""What all estimators share: parameters by name, a short repr, and checks of what they are given.

They follow scikit-learn's rules, so that they work inside its `cross_val_score`, `GridSearchCV` and
pipelines, and minilm does not need it: a constructor stores its arguments and does nothing else,
`fit` returns the estimator, and what is learned from data ends in `_`.
"""

from __future__ import annotations

import inspect
import math
import reprlib
from collections.abc import Iterable, Mapping, Sequence, Set
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minilm.arrays import Array, Ids
from minilm.errors import OptionError, brief
from minilm.text import several

_SHORT = reprlib.Repr()
_SHORT.maxother, _SHORT.maxstring = 120, 60


class NotFittedError(OptionError, AttributeError):
    """An estimator is asked for what it has not learned yet."""


class Estimator:
    """Parameters by name, a repr with sizes, and cloning; a subclass adds `__init__` and `fit`."""

    #: What `fit` takes: rows of features, texts, or lists of word ids or tokens.
    input_kind: ClassVar[str] = "features"

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments of the constructor by name; scikit-learn passes `deep`."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Set arguments of the constructor by name, and return the estimator.

        Raises
        ------
        OptionError
            For a name that the constructor does not have; nothing is set then.
        """
        known = self.get_params()
        for name in params:
            if name not in known:
                raise OptionError(
                    f"{type(self).__name__} has no parameter {name!r}; "
                    f"it has {', '.join(known) or 'none'}"
                )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """Return the parameters that are not the defaults, and the shapes of what was learned."""
        signature = inspect.signature(type(self)).parameters
        changed = ", ".join(
            f"{name}={_brief(value)}"
            for name, value in self.get_params().items()
            if value is not signature[name].default and not _equal(value, signature[name].default)
        )
        learned = ", ".join(
            f"{name} {value.shape}"
            for name, value in vars(self).items()
            if name.endswith("_") and isinstance(value, np.ndarray)
        )
        return f"{type(self).__name__}({changed})" + (f": {learned}" if learned else "")

    def __sklearn_clone__(self) -> Self:
        """Return an unfitted copy that shares its parameters, which fitting never changes.

        A deep copy would duplicate a pretrained model for every fold of a cross-validation.
        """
        return type(self)(**self.get_params())

    def __sklearn_tags__(self) -> Any:
        """Describe the estimator to scikit-learn, which alone calls this."""
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags() if hasattr(self, "transform") else None,
            input_tags=InputTags(
                one_d_array=self.input_kind != "features",
                two_d_array=self.input_kind == "features",
                string=self.input_kind == "texts",
            ),
            no_validation=True,
        )

    if not TYPE_CHECKING:  # type checkers know the attributes from `fit`

        def __getattr__(self, name: str) -> NoReturn:
            """Say that `fit` comes first where a learned attribute is missing."""
            if name[0] != "_" and name[-1] == "_" and not any(n[-1] == "_" for n in vars(self)):
                raise NotFittedError(
                    f"this {type(self).__name__} is not fitted yet; call fit first"
                )
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class Classifier(Estimator):
    """What all classifiers share; a subclass adds `__init__`, `fit` and `predict_proba`.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The labels, sorted; the columns of `predict_proba`.
    """

    classes_: NDArray[Any]

    def predict_proba(self, inputs: Any) -> Array:
        """Return the probability of each class: N inputs -> (N, K)."""
        raise NotImplementedError

    def predict(self, inputs: Any) -> NDArray[Any]:
        """Return the most probable label of each input: N inputs -> (N,)."""
        best = self.predict_proba(inputs).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def score(self, inputs: Any, labels: ArrayLike) -> float:
        """Return the accuracy: the share of inputs whose label is predicted.

        Raises
        ------
        OptionError
            When there is not one label for each input.
        """
        predicted, truth = self.predict(inputs), np.asarray(labels)
        if truth.shape != predicted.shape:
            raise OptionError(
                f"labels have shape {truth.shape}; give one for each of {len(predicted)} inputs"
            )
        return float(np.mean(predicted == truth))

    def __sklearn_tags__(self) -> Any:
        """Describe the classifier to scikit-learn."""
        from sklearn.utils import ClassifierTags

        tags = super().__sklearn_tags__()
        tags.estimator_type = "classifier"
        tags.classifier_tags = ClassifierTags()
        tags.target_tags.required = True
        return tags


def check_settings(*, max_iterations: int, **strengths: float) -> None:
    """Raise OptionError unless every strength is finite and >= 0, and the iterations >= 1."""
    for name, value in strengths.items():
        if not (isinstance(value, Real) and math.isfinite(value) and value >= 0):
            raise OptionError(f"{name} is {value!r}; it must be a finite number, 0 or more")
    if max_iterations < 1:
        raise OptionError(f"max_iterations is {max_iterations}; it must be 1 or more")


def check_whole(**counts: Any) -> None:
    """Raise OptionError unless every value is a whole number."""
    for name, value in counts.items():
        if not isinstance(value, Integral):
            raise OptionError(f"{name} is {brief(value)}; it must be a whole number")


def check_texts(texts: Sequence[str]) -> list[str]:
    """Return texts as a list, or raise OptionError unless each is a string with something in it.

    >>> check_texts(np.array(["a film"]))
    ['a film']
    """
    checked = list(several.strings(texts))
    for i, text in enumerate(checked):
        if not text.strip():
            raise OptionError(f"texts[{i}] is empty; leave it out")
    return [str(text) for text in checked]


def check_features(features: ArrayLike, width: int | None = None) -> NDArray[np.float64]:
    """Return `features` as float64 of shape (N, D), or raise OptionError with the reason.

    Parameters
    ----------
    features : array-like of shape (N, D)
    width : int, optional
        The D that the model was fitted with.
    """
    try:
        x = np.asarray(features, dtype=np.float64)
    except (TypeError, ValueError):
        raise OptionError(
            "features are not an array of numbers; give N rows of equal length, (N, D)"
        ) from None
    if x.ndim != 2:
        raise OptionError(f"features have shape {x.shape}; give one row per document, (N, D)")
    if width is not None and x.shape[1] != width:
        raise OptionError(f"features have {x.shape[1]} columns; the model was fitted with {width}")
    finite = np.isfinite(x).all(axis=1)
    if not finite.all():
        row = int(finite.argmin())
        raise OptionError(
            f"features: row {row} holds a NaN or infinity; check the vectors it comes from"
        )
    return x


def check_labels(labels: ArrayLike, count: int) -> NDArray[Any]:
    """Return labels as an array of shape (N,), or raise OptionError with the reason.

    Labels are strings, whole numbers or booleans, as in scikit-learn; fractions are the targets of
    a regression, and a missing label is a mistake.

    Parameters
    ----------
    labels : array-like of shape (N,)
    count : int
        N, the number of examples.

    Raises
    ------
    OptionError
        When there is not one label for each example, labels are missing, of several kinds or
        fractions, or there are fewer than two classes.

    Examples
    --------
    >>> check_labels(["good", "bad", "good"], 3)
    array(['good', 'bad', 'good'], dtype='<U4')
    """
    unordered = isinstance(labels, (str, Mapping, Set))
    if unordered or not isinstance(labels, Iterable) or np.ma.is_masked(labels):
        raise OptionError(f"labels are {brief(labels)}; give one for each of {count} examples")
    # Only arrays of one kind are left to NumPy, which would make ["a", "nan"] of ["a", nan].
    items = labels if isinstance(labels, np.ndarray) and labels.dtype.kind in "Uiub" else [*labels]
    if isinstance(items, list):
        _check_kinds(items)
        # NumPy would write the name of a member of an enumeration, not its value.
        items = [str.__str__(item) if isinstance(item, str) else item for item in items]
    y: NDArray[Any] = np.asarray(items)
    if y.shape != (count,):
        raise OptionError(f"labels have shape {y.shape}; give one for each of {count} examples")
    if len(np.unique(y)) < 2:
        raise OptionError("labels hold fewer than two classes; a classifier needs two or more")
    return y


def encode_labels(labels: NDArray[Any], classes: int | None) -> tuple[NDArray[Any], Ids]:
    """Return the classes, sorted, and the position of each label among them.

    Parameters
    ----------
    labels : ndarray of shape (N,)
        As `check_labels` returns them.
    classes : int, optional
        K: the classes are then 0 ... K - 1, also those without an example.

    Raises
    ------
    OptionError
        When `classes` is given and a label is not a whole number below it.

    Examples
    --------
    >>> encode_labels(np.array([7, 2, 7]), None)
    (array([2, 7]), array([1, 0, 1]))
    """
    if classes is None:
        found, targets = np.unique(labels, return_inverse=True)
        return found, targets
    if not np.issubdtype(labels.dtype, np.integer):
        raise OptionError(f"labels are of type {labels.dtype}; number the classes 0, 1, 2, ...")
    if labels.min() < 0 or labels.max() >= classes:
        raise OptionError(
            f"labels are in {labels.min()} ... {labels.max()}; they must be in 0 ... {classes - 1}"
        )
    return np.arange(classes), labels


def _check_kinds(labels: list[Any]) -> None:
    """Raise OptionError unless all labels are strings, all booleans or all whole numbers."""
    kinds = [_kind_of_label(label) for label in labels]
    for i, kind in enumerate(kinds):
        if not kind:
            raise OptionError(
                f"labels[{i}] is {brief(labels[i])}; a label is a string or a whole number"
            )
        if kind != kinds[0]:
            raise OptionError(
                f"labels[{i}] is {brief(labels[i])} and labels[0] is {brief(labels[0])}; "
                "use labels of one kind"
            )


def _kind_of_label(label: Any) -> str:
    """Return which kind of label this is, or an empty string for what cannot be one."""
    if isinstance(label, str):
        return "string"
    if isinstance(label, (bool, np.bool_)):
        return "boolean"
    if isinstance(label, Real) and math.isfinite(label) and label == math.floor(label):
        return "number"
    return ""


def _equal(value: Any, default: Any) -> bool:
    return type(value) is type(default) and not isinstance(value, np.ndarray) and value == default


def _brief(value: Any) -> str:
    """Return a parameter in a few words: arrays and long lists as their size.

    >>> _brief(np.zeros((3, 2))), _brief(["a text"] * 9), _brief(0.5)
    ('<array (3, 2)>', '<list of 9>', '0.5')
    """
    if isinstance(value, np.ndarray):
        return f"<array {value.shape}>"
    if isinstance(value, (list, tuple)) and len(value) > 4:
        return f"<{type(value).__name__} of {len(value)}>"
    return _SHORT.repr(value)
