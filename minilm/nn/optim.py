"""Optimizers over the flat store: SGD with momentum, AdamW, clipping, learning-rate schedules.

The update rules are small pure functions of a few arrays, `sgd` and `adamw`. The classes hold the
state of a run and apply a rule chunk by chunk: a chunk of parameters, with its gradient and state,
stays in the CPU's cache while the rule passes over it a dozen times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from minilm.arrays import Array
from minilm.errors import OptionError
from minilm.nn.parameters import FlatStore, Parameters

# Elements per chunk. Smaller chunks cost more calls, larger ones more memory traffic.
CHUNK = 1 << 16


def sgd(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> tuple[Array, Array]:
    """Take one step of stochastic gradient descent with momentum.

    `velocity' = momentum * velocity + g`, `p' = p - learning_rate * velocity'`.

    Parameters
    ----------
    p, g, velocity : ndarray of one shape
        Parameters, their gradient, and the velocity: zero before the first step.
    learning_rate, momentum : float

    Returns
    -------
    p', velocity' : ndarray of that shape

    References
    ----------
    I. Sutskever, J. Martens, G. Dahl and G. Hinton (2013), "On the importance of initialization
    and momentum in deep learning", section 2; the learning rate outside the velocity, as in
    PyTorch.

    Examples
    --------
    >>> one = np.ones(1)
    >>> sgd(one, one, one, learning_rate=0.1, momentum=0.9)
    (array([0.81]), array([1.9]))
    """
    velocity = velocity * momentum
    velocity += g
    return p - velocity * learning_rate, velocity


def adamw(
    p: Array,
    g: Array,
    mean: Array,
    square: Array,
    *,
    step: int,
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
    weight_decay: float = 0.0,
) -> tuple[Array, Array, Array]:
    """Take one step of Adam with decoupled weight decay.

    `mean' = beta1 * mean + (1 - beta1) * g`, `square' = beta2 * square + (1 - beta2) * g**2`; both
    start at zero, and this bias is corrected: `m = mean' / (1 - beta1**step)`,
    `s = square' / (1 - beta2**step)`. Then
    `p' = p - learning_rate * (weight_decay * p + m / (sqrt(s) + epsilon))`.

    Parameters
    ----------
    p, g, mean, square : ndarray of one shape
        Parameters, their gradient, and the running means of the gradient and of its square.
    step : int
        The number of this step, from 1.
    learning_rate, epsilon, weight_decay : float
    betas : tuple of float
        beta1 and beta2.

    Returns
    -------
    p', mean', square' : ndarray of that shape

    References
    ----------
    I. Loshchilov and F. Hutter (2019), "Decoupled Weight Decay Regularization", algorithm 2, with
    the decay scaled by the learning rate as in PyTorch.

    Examples
    --------
    Each entry moves by the learning rate in the first step, whatever the size of its gradient:

    >>> zero = np.zeros(2)
    >>> adamw(zero, np.array([5.0, -0.1]), zero, zero, step=1, learning_rate=0.1)[0].round(6)
    array([-0.1,  0.1])
    """
    mean, square = mean.copy(), square.copy()
    change = _adam_change(g, mean, square, step, learning_rate, betas, epsilon)
    p = p * (1 - learning_rate * weight_decay)
    p -= change
    return p, mean, square


def adamw_in_place(
    p: Array,
    g: Array,
    mean: Array,
    square: Array,
    *,
    step: int,
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
    weight_decay: float = 0.0,
) -> None:
    """Do what `adamw` does, but write the new values into `p`, `mean` and `square`.

    It makes one array in place of four, and takes three quarters of the time.
    """
    change = _adam_change(g, mean, square, step, learning_rate, betas, epsilon)
    p *= 1 - learning_rate * weight_decay
    p -= change


def _adam_change(
    g: Array,
    mean: Array,
    square: Array,
    step: int,
    learning_rate: float,
    betas: tuple[float, float],
    epsilon: float,
) -> Array:
    """Update both running means in place; return what the parameters lose, apart from decay."""
    beta1, beta2 = betas
    change = g * (1 - beta1)
    mean *= beta1
    mean += change
    np.multiply(g, g, out=change)
    change *= 1 - beta2
    square *= beta2
    square += change
    # Both corrections as plain numbers: root(s) + epsilon = (root(square) + epsilon * root) / root.
    root = math.sqrt(1 - beta2**step)
    np.sqrt(square, out=change)
    change += epsilon * root
    np.divide(mean, change, out=change)
    change *= learning_rate * root / (1 - beta1**step)
    return change


def global_norm(gradient: FlatStore) -> float:
    """Return the Euclidean length of the whole gradient, in the precision of its dtype."""
    return math.sqrt(float(np.vdot(gradient.flat, gradient.flat)))


def clip_factor(norm: float, largest: float) -> float:
    """Return the factor that brings a gradient's norm down to at most `largest`.

    `min(1, largest / (norm + 1e-6))`, as in PyTorch's `clip_grad_norm_` (R. Pascanu, T. Mikolov
    and Y. Bengio 2013, "On the difficulty of training recurrent neural networks", algorithm 1).

    >>> clip_factor(0.5, 1.0)
    1.0
    >>> round(clip_factor(4.0, 1.0), 6)
    0.25
    """
    return min(1.0, largest / (norm + 1e-6))


def warmup_decay(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """Return the learning rate of a step: a linear rise, then a fall.

    The rise takes `warmup` steps and ends at `peak`. The fall would reach `floor` at step `total`,
    the first one after the run, so that no step of the run is wasted on a rate of zero.

    Parameters
    ----------
    step : int
        From 0 to total - 1; later steps have `floor`.
    peak, floor : float
    warmup, total : int
        Numbers of steps.
    shape : {"cosine", "linear", "constant"}
        How it falls: half a cosine (Loshchilov and Hutter 2017, "SGDR", equation 5), a straight
        line, or not at all.

    Examples
    --------
    >>> [warmup_decay(s, peak=1.0, warmup=2, total=6, shape="linear") for s in range(7)]
    [0.5, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, total - warmup))
    if shape == "cosine":
        return floor + (peak - floor) * 0.5 * (1 + math.cos(math.pi * progress))
    if shape == "linear":
        return floor + (peak - floor) * (1 - progress)
    if shape == "constant":
        return peak
    raise OptionError(f"the schedule is {shape!r}; choose cosine, linear or constant")


# How a function is applied to every item of a list; see `Shards.each` for the one on threads.
Each = Callable[[Callable[[Any], None], Sequence[Any]], None]


def one_by_one(function: Callable[[Any], None], items: Sequence[Any]) -> None:
    """Apply a function to every item, in order."""
    for item in items:
        function(item)


class Optimizer:
    """What SGD and AdamW share: state arrays of the gradient's length, and the loop over chunks.

    Parameters
    ----------
    parameters : Parameters
        Updated in place. This optimizer trains those that are trainable now.
    weight_decay : float
        For entries of matrices; vectors (biases, gains) do not decay.
    factors : mapping of str to float, optional
        Factors on the learning rate by name, 1 by default: for learning rates that differ by
        layer (Howard and Ruder 2018, section 3.2).

    Attributes
    ----------
    steps : int
        The number of updates so far.
    state : dict of str to ndarray
        What must be saved, with `steps`, to resume a run.
    """

    state_names: tuple[str, ...] = ()

    def __init__(
        self,
        parameters: Parameters,
        *,
        weight_decay: float = 0.0,
        factors: Mapping[str, float] | None = None,
    ) -> None:
        self.parameters = parameters
        self.weight_decay = weight_decay
        self.factors = factors
        self.steps = 0
        self._trainable = parameters.trainable
        size = parameters.count_trainable()
        self.state: dict[str, Array] = {
            name: np.zeros(size, parameters.dtype) for name in self.state_names
        }
        self._chunks = list(self._cut())

    def __repr__(self) -> str:
        """Return the class with its size."""
        count = self.parameters.count_trainable()
        return f"{type(self).__name__}({count:,} parameters, {self.steps:,} steps)"

    def update(
        self,
        gradient: FlatStore,
        *,
        learning_rate: float,
        scale: float = 1.0,
        each: Each = one_by_one,
    ) -> None:
        """Take one step.

        Parameters
        ----------
        gradient : FlatStore
            Of the trainable parameters, as `loss_and_grad` returns it.
        learning_rate : float
        scale : float
            Multiplies the gradient first: the clip factor, without a separate pass.
        each : callable
            Applies a function to the chunks; their order does not change the result.

        Raises
        ------
        OptionError
            When the trainable parameters have changed since the optimizer was made.
        """
        if self.parameters.trainable != self._trainable:
            raise OptionError(
                "the trainable parameters have changed since the optimizer was made; make a new "
                "optimizer after freezing or unfreezing"
            )
        self.steps += 1

        def step(chunk: tuple[slice, slice, float, float]) -> None:
            place, where, decay, factor = chunk
            p, g = self.parameters.flat[place], gradient.flat[where]
            state = [array[where] for array in self.state.values()]
            g = g if scale == 1.0 else g * scale
            self.rule(p, g, *state, learning_rate=learning_rate * factor, decay=decay)

        each(step, self._chunks)

    def rule(self, p: Array, g: Array, *state: Array, learning_rate: float, decay: float) -> None:
        """Update the parameters and the state of one chunk, in place."""
        raise NotImplementedError

    def load(self, state: Mapping[str, Array], steps: int) -> None:
        """Resume a run from the `state` and `steps` of an optimizer that was saved.

        Raises
        ------
        OptionError
            When the state is not of this kind of optimizer, or of another number of parameters.
        """
        for name, array in self.state.items():
            if name not in state or state[name].shape != array.shape:
                raise OptionError(
                    f"the optimizer's state {name} is missing or does not have {array.size} "
                    "entries; it belongs to another run"
                )
            array[...] = state[name]
        self.steps = steps

    def _cut(self) -> Iterator[tuple[slice, slice, float, float]]:
        """Yield slices of parameters and gradient, with weight decay and factor of the rate."""
        for segment in self.parameters.segments(self.factors):
            decay = self.weight_decay if segment.matrices else 0.0
            offset = segment.gradient.start - segment.parameters.start
            for start in range(segment.parameters.start, segment.parameters.stop, CHUNK):
                stop = min(start + CHUNK, segment.parameters.stop)
                place, where = slice(start, stop), slice(start + offset, stop + offset)
                yield place, where, decay, segment.factor


class SGD(Optimizer):
    """Stochastic gradient descent with momentum; decoupled weight decay on matrices.

    Parameters
    ----------
    parameters, weight_decay
        As for `Optimizer`.
    momentum : float
    """

    state_names = ("velocity",)

    def __init__(
        self, parameters: Parameters, *, momentum: float = 0.9, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, weight_decay=weight_decay)
        self.momentum = momentum

    def rule(self, p: Array, g: Array, *state: Array, learning_rate: float, decay: float) -> None:
        """Apply `sgd` to a chunk, after weight decay."""
        (velocity,) = state
        p *= 1 - learning_rate * decay
        p[...], velocity[...] = sgd(
            p, g, velocity, learning_rate=learning_rate, momentum=self.momentum
        )


class AdamW(Optimizer):
    """Adam with decoupled weight decay on matrices.

    Parameters
    ----------
    parameters, weight_decay, factors
        As for `Optimizer`.
    betas, epsilon
        As for `adamw`.
    """

    state_names = ("mean", "square")

    def __init__(
        self,
        parameters: Parameters,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        factors: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(parameters, weight_decay=weight_decay, factors=factors)
        self.betas = betas
        self.epsilon = epsilon

    def rule(self, p: Array, g: Array, *state: Array, learning_rate: float, decay: float) -> None:
        """Apply `adamw` to a chunk."""
        adamw_in_place(
            p,
            g,
            *state,
            step=self.steps,
            learning_rate=learning_rate,
            betas=self.betas,
            epsilon=self.epsilon,
            weight_decay=decay,
        )
