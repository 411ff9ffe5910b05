"""Kata 6.5  The loop: overfit one batch

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 6.5    or on every save: minilm kata watch
    minilm kata read 6.5     the page
    minilm kata hint 6.5     a hint
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from minilm.errors import TrainingError
from minilm.nn import optim
from minilm.nn.optim import Optimizer
from minilm.nn.parallel import Model, Shards


def train_step(
    model: Model,
    batch: Sequence[ArrayLike],
    optimizer: Optimizer,
    *,
    learning_rate: float,
    shards: Shards,
    clip: float | None = 1.0,
    rng: np.random.Generator | None = None,
) -> tuple[float, float]:
    """Take one training step; return the loss before it and the norm of the gradient.

    What it is made of:

    - `shards.loss_and_grad(model, *batch, rng=rng)` returns the loss and its gradient, computed on
      several threads.
    - `optim.global_norm(gradient)` is the length of the whole gradient.
    - `optim.clip_factor(norm, largest)` is from kata 6.3.
    - `optimizer.update(gradient, learning_rate=..., scale=..., each=shards.each)` changes the
      parameters in place. It multiplies the gradient by `scale` first; `each` spreads the work
      over the threads.

    Parameters
    ----------
    model : GPT, SequenceClassifier or similar
    batch : sequence of arrays
        What the model takes, targets last: (ids, targets) of shape (B, T) for a GPT.
    optimizer : Optimizer
        Over the model's parameters.
    learning_rate : float
    shards : Shards
        The threads that compute the gradient.
    clip : float, optional
        The largest norm the gradient may have; None for no limit.
    rng : numpy.random.Generator, optional
        Draws the dropout; without it there is none.

    Returns
    -------
    loss : float
        Before the step.
    norm : float
        Of the gradient as it came, before clipping.

    Raises
    ------
    TrainingError
        When the norm is not finite. The parameters are then unchanged.
    """
    raise NotImplementedError("not written yet")
