"""The shape of a GPT under Hugging Face's key names, and the sizes that the project uses.

Settings that would change the arithmetic and are not supported (another activation, an untied head,
scores scaled by the layer's number) are refused by name; all others are accepted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar

from minilm.errors import OptionError

# key of Hugging Face's GPT2Config -> the values with which it computes the same as this model
_FIXED: dict[str, tuple[Any, ...]] = {
    "model_type": ("gpt2",),
    "activation_function": ("gelu_new", "gelu_pytorch_tanh"),  # two names for one formula
    "scale_attn_weights": (True,),
    "scale_attn_by_inverse_layer_idx": (False,),
    "add_cross_attention": (False,),
    "tie_word_embeddings": (True,),
}

#: What represents a text in a classifier: its last position, or the mean of all positions.
POOLINGS = ("last", "mean")
#: The matrices of a block that LoRA can adapt.
TARGETS = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")

# Far above any model of this kind: a damaged file must not lead to a table of a billion names.
_LARGEST = {"vocab_size": 10**7, "n_positions": 10**7, "n_embd": 10**6, "n_layer": 10**4}


@dataclass(frozen=True)
class GPTConfig:
    """The shape of a GPT and the constants of its arithmetic.

    Parameters
    ----------
    vocab_size, n_positions, n_embd, n_layer, n_head : int
        Vocabulary V, context, width C, layers, heads H; H divides C.
    n_inner : int, optional
        Width of the MLP's hidden layer; 4 C by default.
    layer_norm_epsilon : float
        Added to the variance in layer norm.
    initializer_range : float
        Standard deviation of the initial weights.
    embd_pdrop, attn_pdrop, resid_pdrop : float
        Dropout rates while training: after the embeddings, on the attention weights, before each
        residual sum.

    Raises
    ------
    OptionError
        When a value is invalid; the message names the key.

    Examples
    --------
    >>> GPTConfig(vocab_size=512, n_positions=32, n_embd=64, n_layer=2, n_head=2).inner
    256
    """

    vocab_size: int
    n_positions: int
    n_embd: int
    n_layer: int
    n_head: int
    n_inner: int | None = None
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    embd_pdrop: float = 0.0
    attn_pdrop: float = 0.0
    resid_pdrop: float = 0.0

    # How this architecture names and stores its parameters; LlamaConfig says the same of its own.
    layers: ClassVar[str] = "h."  # before the number of a layer
    table: ClassVar[str] = "wte.weight"  # the word embedding
    final_norm: ClassVar[str] = "ln_f"
    writers: ClassVar[tuple[str, ...]] = ("c_proj.weight",)  # write into the residual stream
    input_first: ClassVar[bool] = True  # matrices are stored (in, out)
    targets: ClassVar[tuple[str, ...]] = TARGETS

    def __post_init__(self) -> None:
        """Check every value."""
        for key in ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner"):
            value, largest = getattr(self, key), _LARGEST.get(key, 10**7)
            if key == "n_inner" and value is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= largest:
                raise OptionError(
                    f"model configuration: {key} is {value!r}; "
                    f"expected a whole number from 1 to {largest:,}"
                )
        if self.n_embd % self.n_head:
            raise OptionError(
                f"model configuration: n_embd {self.n_embd} is not divisible by n_head "
                f"{self.n_head}; every head gets an equal share of the width"
            )
        for key in ("layer_norm_epsilon", "initializer_range"):
            value = getattr(self, key)
            if not _is_number(value) or not 0 < value < math.inf:
                raise OptionError(f"model configuration: {key} is {value!r}; expected more than 0")
        for key in ("embd_pdrop", "attn_pdrop", "resid_pdrop"):
            value = getattr(self, key)
            if not _is_number(value) or not 0 <= value < 1:
                raise OptionError(
                    f"model configuration: {key} is {value!r}; expected a rate from 0 to below 1"
                )

    @property
    def inner(self) -> int:
        """The width of the MLP's hidden layer."""
        return self.n_inner if self.n_inner is not None else 4 * self.n_embd

    @property
    def kv_heads(self) -> int:
        """The number of heads of keys and values."""
        return self.n_head

    @property
    def head_size(self) -> int:
        """The width D of a head."""
        return self.n_embd // self.n_head

    @property
    def norm_epsilon(self) -> float:
        """What the norms add before they divide."""
        return self.layer_norm_epsilon

    @property
    def head(self) -> str:
        """The name of the matrix that scores the next token: the word embedding itself."""
        return self.table

    @property
    def dropout(self) -> float:
        """The dropout rate before each sum with the residual stream."""
        return self.resid_pdrop

    def with_dropout(self, rate: float) -> GPTConfig:
        """Return the configuration with one dropout rate in all three places."""
        return replace(self, embd_pdrop=rate, attn_pdrop=rate, resid_pdrop=rate)

    def with_layers(self, count: int) -> GPTConfig:
        """Return the configuration with another number of layers."""
        return replace(self, n_layer=count)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> GPTConfig:
        """Make a configuration from the keys of a Hugging Face `config.json`.

        Keys that do not affect the arithmetic (token ids, dtypes, generation settings) are ignored.
        The five sizes are required; other missing keys get the defaults of Hugging Face's GPT-2.

        Raises
        ------
        OptionError
            When a size is missing, a value is invalid, or a setting belongs to another model.

        Examples
        --------
        >>> GPTConfig.from_dict({"model_type": "llama"})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        minilm.errors.OptionError: model configuration: model_type is 'llama'; only 'gpt2' is ...
        """
        for key, allowed in _FIXED.items():
            if key in values and values[key] not in allowed:
                known = " or ".join(map(repr, allowed))
                raise OptionError(
                    f"model configuration: {key} is {values[key]!r}; only {known} is supported"
                )
        for key in ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head"):
            if key not in values:
                raise OptionError(f"model configuration: the key {key} is missing")
        dropout = {"embd_pdrop": 0.1, "attn_pdrop": 0.1, "resid_pdrop": 0.1}
        known_keys = {field.name for field in fields(cls)}
        return cls(**{**dropout, **{k: v for k, v in values.items() if k in known_keys}})

    def to_dict(self) -> dict[str, Any]:
        """Return the keys of a Hugging Face `config.json`; `from_dict` takes them back."""
        return {**{key: allowed[0] for key, allowed in _FIXED.items()}, **asdict(self)}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass(frozen=True)
class Size:
    """A named shape and the batch that goes with it."""

    config: GPTConfig
    batch: int


# name -> vocabulary, context, width, layers, heads; batch
SIZES = {
    "kata": Size(GPTConfig(512, 32, 64, 2, 2), 16),
    "class": Size(GPTConfig(2048, 64, 128, 4, 4), 16),
    "large": Size(GPTConfig(4096, 128, 256, 6, 8), 8),
    "gpt2": Size(GPTConfig(50257, 1024, 768, 12, 12), 1),
}
