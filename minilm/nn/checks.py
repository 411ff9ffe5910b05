"""Checks of what goes into a model and what comes out; errors say what, where and what to do.

They are here so that `gpt.py` and `heads.py` show nothing but the model.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minilm.arrays import Ids
from minilm.errors import OptionError, TrainingError
from minilm.nn.parameters import Config, Parameters, param_shapes

T = TypeVar("T")


def check_shapes(parameters: Parameters, config: Config) -> None:
    """Raise OptionError unless every parameter is there in the shape that `config` asks for."""
    for name, shape in param_shapes(config).items():
        if parameters.shapes.get(name) != shape:
            raise OptionError(
                f"the parameter {name} has shape {parameters.shapes.get(name, 'none')}; "
                f"this configuration needs {shape}"
            )


def check_ids(ids: ArrayLike, config: Config, *, past: int = 0) -> Ids:
    """Return ids as an integer array of shape (B, T), or raise OptionError.

    `past` positions are already in the model's cache; `ids` must fit the rest of the context.
    """
    checked = np.asarray(ids)
    if checked.ndim != 2 or checked.dtype.kind not in "iu" or checked.size == 0:
        raise OptionError(
            f"ids have shape {checked.shape} and dtype {checked.dtype}; "
            "expected integers of shape (batch, time), at least (1, 1)"
        )
    if past + checked.shape[1] > config.n_positions:
        raise OptionError(
            f"a sequence of {past + checked.shape[1]} tokens is longer than the model's context of "
            f"{config.n_positions}; cut it"
        )
    _check_range(checked, checked, "id", config)
    return checked


def check_targets(targets: ArrayLike, ids: Ids, config: Config) -> Ids:
    """Return next-token targets as integers of the shape of ids, or raise OptionError."""
    checked = np.asarray(targets)
    if checked.shape != ids.shape or checked.dtype.kind not in "iu":
        raise OptionError(
            f"targets have shape {checked.shape} and dtype {checked.dtype}; "
            f"expected integers of the ids' shape {ids.shape}"
        )
    _check_range(np.where(checked == -100, 0, checked), checked, "target", config)
    return checked


def check_lengths(lengths: ArrayLike, ids: Ids) -> Ids:
    """Return how many positions of each sequence are real, (B,), or raise OptionError."""
    batch, time = ids.shape
    checked: NDArray[Any] = np.asarray(lengths)
    if checked.shape != (batch,) or checked.dtype.kind not in "iu":
        raise OptionError(
            f"lengths have shape {checked.shape} and dtype {checked.dtype}; "
            f"expected {batch} integers"
        )
    if checked.min() < 1 or checked.max() > time:
        place = int(np.argmax((checked < 1) | (checked > time)))
        raise OptionError(
            f"the length {checked[place]} at [{place}] is not from 1 to {time}, the number of "
            "positions; an empty text cannot be classified"
        )
    return checked


def check_classes(targets: ArrayLike, batch: int, labels: int) -> Ids:
    """Return class indices of shape (B,), each below `labels` or -100, or raise OptionError."""
    checked: NDArray[Any] = np.asarray(targets)
    if checked.shape != (batch,) or checked.dtype.kind not in "iu":
        raise OptionError(
            f"targets have shape {checked.shape} and dtype {checked.dtype}; "
            f"expected {batch} integers"
        )
    known = np.where(checked == -100, 0, checked)
    if known.min() < 0 or known.max() >= labels:
        place = int(np.argmax((known < 0) | (known >= labels)))
        raise OptionError(f"the label {checked[place]} at [{place}] is not from 0 to {labels - 1}")
    return checked


def check_finite(values: T, what: str, parameters: Parameters) -> T:
    """Return `values`, or raise TrainingError naming the parameter that made them NaN or infinite.

    If every parameter is finite, the numbers overflow, and the message says so.
    """
    if np.isfinite(values).all():  # type: ignore[call-overload]
        return values
    culprit = parameters.not_finite()
    if culprit:
        raise TrainingError(f"{what} is not finite: parameter {culprit}; return to an earlier save")
    raise TrainingError(
        f"{what} is not finite though every parameter is: the numbers overflow "
        f"{parameters.dtype}; lower the learning rate"
    )


def _check_range(values: Ids, shown: Ids, noun: str, config: Config) -> None:
    if values.min() < 0 or values.max() >= config.vocab_size:
        place = tuple(np.argwhere((values < 0) | (values >= config.vocab_size))[0])
        raise OptionError(
            f"the {noun} {shown[place]} at [{place[0]}, {place[1]}] is outside the vocabulary "
            f"of {config.vocab_size}; use the tokenizer that belongs to the model"
        )
