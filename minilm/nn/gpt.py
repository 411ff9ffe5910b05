"""GPT-2 as a language model: the body of `transformer.py` and a head tied to the word embedding.

logits = hidden @ wte.T
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minilm.errors import OptionError
from minilm.nn import functional as F
from minilm.nn.config import SIZES, GPTConfig
from minilm.nn.parameters import FlatStore, Parameters
from minilm.nn.transformer import Array, Gradients, Ids, Transformer, initial_parameters

__all__ = ["GPT", "SIZES", "GPTConfig"]


class GPT(Transformer):
    """A GPT-2 language model.

    Parameters
    ----------
    config : GPTConfig
    rng : numpy.random.Generator, optional
        Draws new parameters; needed unless `parameters` are given.
    dtype : float dtype
        Of new parameters.
    parameters : Parameters, optional
        An existing store to be used as it is, not copied; it may hold more names than the model.

    Examples
    --------
    >>> model = GPT(GPTConfig(50, 8, 12, 2, 3), rng=np.random.default_rng(0))
    >>> ids = np.array([[1, 2, 3, 4]])
    >>> model.logits(ids).shape
    (1, 4, 50)
    >>> loss, gradient = model.loss_and_grad(ids, np.array([[2, 3, 4, -100]]))
    >>> gradient["wte.weight"].shape
    (50, 12)
    """

    def __init__(
        self,
        config: GPTConfig,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
        parameters: Parameters | None = None,
    ) -> None:
        if parameters is None:
            if rng is None:
                raise OptionError("a new model needs rng, which draws its parameters")
            parameters = initial_parameters(config, rng=rng, dtype=dtype)
        super().__init__(config, parameters)

    def logits(self, ids: ArrayLike) -> Array:
        """Return the scores of each next token: (B, T) -> (B, T, V).

        Raises
        ------
        OptionError
            When ids are not a batch of sequences within the context and the vocabulary.
        TrainingError
            When a parameter is not finite; the line names it.
        """
        hidden, _ = self.hidden(self.checked_ids(ids), backward=False)
        logits, _ = F.project(hidden, self.parameters["wte.weight"])
        if not np.isfinite(logits).all():
            raise self.blame("a logit")
        return logits

    def loss(self, ids: ArrayLike, targets: ArrayLike) -> float:
        """Return the mean cross-entropy in nats over the targets that are not -100.

        Parameters
        ----------
        ids, targets : integer array of shape (B, T)
            `targets[b, t]` is the token that should follow `ids[b, :t + 1]`; -100 where none is
            asked for, as on padding.

        Raises
        ------
        OptionError, TrainingError
            As for `logits`; also when all targets are -100.
        """
        ids = self.checked_ids(ids)
        targets = self._checked_targets(targets, ids)
        hidden, _ = self.hidden(ids, backward=False)
        logits, _ = F.project(hidden, self.parameters["wte.weight"])
        loss, _ = F.cross_entropy(logits, targets)
        return self.finite(loss)

    def loss_and_grad(
        self, ids: ArrayLike, targets: ArrayLike, *, rng: np.random.Generator | None = None
    ) -> tuple[float, FlatStore]:
        """Return the loss and its gradient with respect to every trainable parameter.

        Parameters
        ----------
        ids, targets
            As for `loss`.
        rng : numpy.random.Generator, optional
            Draws the dropout; without it there is none.
        """
        loss, gradients = self.gradients(ids, targets, rng=rng)
        return loss, self.parameters.gathered(gradients)

    def gradients(
        self,
        ids: ArrayLike,
        targets: ArrayLike,
        *,
        share: float = 1.0,
        rng: np.random.Generator | None = None,
    ) -> tuple[float, Gradients]:
        """Return the loss, and by name the gradient of `share * loss`.

        `share` is the part of the whole batch's targets that are in this shard: the shards'
        gradients then add up to that of the whole mean.
        """
        ids = self.checked_ids(ids)
        targets = self._checked_targets(targets, ids)
        table = self.parameters["wte.weight"]
        hidden, caches = self.hidden(ids, rng=rng)
        logits, head = F.project(hidden, table)
        loss, cache = F.cross_entropy(logits, targets)
        value = self.finite(loss)
        del logits  # as large as all else together; the backward lives from the probabilities
        dlogits = F.cross_entropy_backward(share, cache)
        del cache
        dhidden, gradients = self.tied_head_backward(dlogits, head)
        del dlogits
        return value, self.hidden_backward(dhidden, caches, gradients)

    def _checked_targets(self, targets: ArrayLike, ids: Ids) -> Ids:
        """Return targets as integers of the shape of ids, or say what is wrong."""
        checked = np.asarray(targets)
        if checked.shape != ids.shape or checked.dtype.kind not in "iu":
            raise OptionError(
                f"targets have shape {checked.shape} and dtype {checked.dtype}; "
                f"expected integers of the ids' shape {ids.shape}"
            )
        self._check_range(np.where(checked == -100, 0, checked), checked, "target")
        return checked
