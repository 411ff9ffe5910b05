"""Low-rank adaptation: a frozen matrix, and beside it two thin ones that are trained.

    y = x @ weight + bias + scaling * (x @ A.T) @ B.T        scaling = alpha / rank

A is random and B is zero at first, so an adapted model starts out exactly equal to the base
(Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", section 4.1). The base's
parameters keep their names; A and B get additional names, those of Hugging Face's peft:
`h.0.attn.c_attn.lora_A.weight` of shape (rank, I) and `h.0.attn.c_attn.lora_B.weight` of (O, rank).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minilm.arrays import Array
from minilm.errors import OptionError
from minilm.nn.config import TARGETS
from minilm.nn.functional import Cache
from minilm.nn.llama_config import LlamaConfig
from minilm.nn.parameters import Config, Parameters, param_shapes


def low_rank(x: Array, a: Array, b: Array, scaling: float) -> tuple[Array, Cache]:
    """Multiply by a matrix of low rank: `y = scaling * (x @ a.T) @ b.T`.

    Parameters
    ----------
    x : ndarray of shape (..., I)
    a : ndarray of shape (R, I)
    b : ndarray of shape (O, R)
    scaling : float

    Returns
    -------
    y : ndarray of shape (..., O)
    cache : (x, narrow, a, b, scaling)
        `narrow = scaling * x @ a.T`, of shape (N, R) with the leading axes flattened.

    Examples
    --------
    >>> x, a, b = np.array([[1.0, 2.0]]), np.array([[1.0, 1.0]]), np.array([[1.0], [0.0], [2.0]])
    >>> low_rank(x, a, b, 2.0)[0]
    array([[ 6.,  0., 12.]])
    """
    narrow = x.reshape(-1, x.shape[-1]) @ a.T
    narrow *= scaling
    return (narrow @ b.T).reshape(*x.shape[:-1], len(b)), (x, narrow, a, b, scaling)


def low_rank_backward(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Return dx, da and db of `low_rank`.

    With the leading axes flattened and `dnarrow = scaling * dy @ b`:
    `dx = dnarrow @ a`, `da = dnarrow.T @ x`, `db = dy.T @ narrow`.

    Parameters
    ----------
    dy : ndarray of shape (..., O)
    cache : (x, narrow, a, b, scaling)

    Returns
    -------
    dx : ndarray of shape (..., I)
    da : ndarray of shape (R, I)
    db : ndarray of shape (O, R)
    """
    x, narrow, a, b, scaling = cache
    rows = dy.reshape(-1, dy.shape[-1])
    dnarrow = rows @ b
    dnarrow *= scaling
    dx = (dnarrow @ a).reshape(x.shape)
    return dx, dnarrow.T @ x.reshape(-1, x.shape[-1]), rows.T @ narrow


def merged_weight(weight: Array, a: Array, b: Array, scaling: float) -> Array:
    """Return the one matrix that replaces all three: `weight + scaling * (b @ a).T`.

    So `x @ merged_weight(...)` is `x @ weight` plus `low_rank(x, a, b, scaling)`, up to rounding.

    Parameters
    ----------
    weight : ndarray of shape (I, O)
    a : ndarray of shape (R, I)
    b : ndarray of shape (O, R)
    scaling : float

    Returns
    -------
    ndarray of shape (I, O)

    Examples
    --------
    >>> a, b = np.array([[1.0, 1.0]]), np.array([[1.0], [0.0], [2.0]])
    >>> merged_weight(np.zeros((2, 3)), a, b, 2.0)
    array([[2., 0., 4.],
           [2., 0., 4.]])
    """
    return weight + scaling * (b @ a).T


def factors(matrix: str) -> tuple[str, str]:
    """Return the names of A and B of a matrix.

    >>> factors("h.0.attn.c_attn")
    ('h.0.attn.c_attn.lora_A.weight', 'h.0.attn.c_attn.lora_B.weight')
    """
    return f"{matrix}.lora_A.weight", f"{matrix}.lora_B.weight"


@dataclass(frozen=True)
class Adapter:
    """Which matrices are adapted, how, and where the factors are.

    `GPT.use` turns an adapter on and off; the base is never changed.

    Parameters
    ----------
    rank : int
    alpha : float
        The factors' product is multiplied by `alpha / rank`.
    targets : tuple of str
        Some of the configuration's `targets`; they are adapted in every layer.
    weights : mapping of str to ndarray
        A and B of every target in every layer, by the names of `factors`. Other names may be
        there too, so this can be the store of a model in training.

    Examples
    --------
    >>> from minilm.nn.config import GPTConfig
    >>> config = GPTConfig(50, 8, 12, 2, 3)
    >>> adapter = new_adapter(config, rank=2, targets=("mlp.c_fc",), rng=np.random.default_rng(0))
    >>> adapter.weights["h.1.mlp.c_fc.lora_B.weight"].shape
    (48, 2)
    """

    rank: int
    alpha: float
    targets: tuple[str, ...]
    weights: Mapping[str, Array]

    def __repr__(self) -> str:
        """Return the class with its size."""
        own = [w.size for n, w in self.weights.items() if ".lora_" in n]
        return (
            f"Adapter({sum(own):,} parameters in {len(own)} arrays: rank {self.rank}, "
            f"alpha {self.alpha:g}, {', '.join(self.targets)})"
        )

    @property
    def scaling(self) -> float:
        """The number that the product of the factors is multiplied by."""
        return self.alpha / self.rank

    def alone(self) -> Adapter:
        """Return the adapter with no other names in `weights` than its own."""
        return replace(self, weights={n: w for n, w in self.weights.items() if ".lora_" in n})


def targets_for(config: Config, targets: Sequence[str]) -> tuple[str, ...]:
    """Return the targets that settings mean in a model of this architecture.

    The settings' default is all of GPT-2's; in a Llama that means all of Llama's.

    >>> from minilm.nn.config import GPTConfig
    >>> targets_for(LlamaConfig(9, 4, 4, 1, 1), GPTConfig.targets)[-1]
    'mlp.down_proj'
    """
    return config.targets if set(targets) == set(TARGETS) else tuple(targets)


def adapter_shapes(
    config: Config, rank: int, targets: Sequence[str] | None = None
) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every factor; `targets` are by default all of the architecture.

    Raises
    ------
    OptionError
        When a target is unknown, or the rank is above min(I, O), the largest rank that a matrix
        of I x O can have.

    Examples
    --------
    >>> from minilm.nn.config import GPTConfig
    >>> adapter_shapes(GPTConfig(50, 8, 12, 1, 3), 4, ("attn.c_attn",))
    {'h.0.attn.c_attn.lora_A.weight': (4, 12), 'h.0.attn.c_attn.lora_B.weight': (36, 4)}
    """
    known = config.targets
    targets = known if targets is None else targets
    if not targets:
        raise OptionError(f"LoRA needs at least one target; choose from {', '.join(known)}")
    base = param_shapes(config)
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(config.n_layer):
        for target in targets:
            if target not in known:
                raise OptionError(
                    f"LoRA cannot adapt {target!r}; the targets in this model are "
                    f"{', '.join(known)}"
                )
            matrix = f"{config.layers}{layer}.{target}"
            shape = base[f"{matrix}.weight"]
            inputs, outputs = shape if config.input_first else shape[::-1]
            if not 1 <= rank <= min(inputs, outputs):
                raise OptionError(
                    f"a LoRA rank of {rank} does not fit {matrix}, a matrix of {inputs} x "
                    f"{outputs}; use 1 to {min(inputs, outputs)}"
                )
            name_a, name_b = factors(matrix)
            shapes[name_a], shapes[name_b] = (rank, inputs), (outputs, rank)
    return shapes


def initialize(adapter: Adapter, config: Config, *, rng: np.random.Generator) -> None:
    """Draw every A again and set every B to zero.

    The entries of A are normal with variance 1 / I, so that `x @ A.T` is of the size of x.
    """
    for name, shape in adapter_shapes(config, adapter.rank, adapter.targets).items():
        if name.endswith("lora_A.weight"):
            adapter.weights[name][...] = rng.normal(0.0, 1 / math.sqrt(shape[1]), shape)
        else:
            adapter.weights[name][...] = 0.0


def new_adapter(
    config: Config,
    *,
    rank: int,
    rng: np.random.Generator,
    alpha: float | None = None,
    targets: Sequence[str] | None = None,
    dtype: Any = np.float32,
) -> Adapter:
    """Return an adapter in its own store; it changes nothing until it is trained.

    `alpha` is twice the rank by default.

    Raises
    ------
    OptionError
        As for `adapter_shapes`.
    """
    targets = config.targets if targets is None else targets
    weights = Parameters(adapter_shapes(config, rank, targets), dtype)
    adapter = Adapter(rank, 2.0 * rank if alpha is None else alpha, tuple(targets), weights)
    initialize(adapter, config, rng=rng)
    return adapter


def check(adapter: Adapter, config: Config) -> None:
    """Raise OptionError unless the adapter's factors fit a model of this shape."""
    for name, shape in adapter_shapes(config, adapter.rank, adapter.targets).items():
        found = adapter.weights[name].shape if name in adapter.weights else "none"
        if found != shape:
            raise OptionError(
                f"the adapter's {name} has shape {found}; this model needs {shape}; it "
                "belongs to another base: load it with the one it was trained on"
            )


def merge(parameters: Parameters, adapter: Adapter) -> Parameters:
    """Return a copy of a base in which every target's weight is `weight + scaling * (B @ A).T`.

    The result is a model like the base, without an adapter; its logits equal the adapted model's up
    to rounding. Factors in `parameters` itself are left out.
    """
    base = {name: shape for name, shape in parameters.shapes.items() if ".lora_" not in name}
    merged = Parameters(base, parameters.dtype)
    merged.trainable = parameters.trainable & frozenset(merged)
    for name, value in merged.items():
        value[...] = parameters[name]
    for name in adapter.weights:
        if name.endswith(".lora_A.weight"):
            matrix = name.removesuffix(".lora_A.weight")
            a, b = (adapter.weights[factor] for factor in factors(matrix))
            weight = merged[f"{matrix}.weight"]
            # Llama stores output first; its transposed view is as `merged_weight` wants it.
            whole = weight.T if matrix.startswith(LlamaConfig.layers) else weight
            whole[...] = merged_weight(whole, a, b, adapter.scaling)
    return merged
