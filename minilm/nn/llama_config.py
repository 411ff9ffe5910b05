"""The shape of a Llama under Hugging Face's key names.

As for GPT-2 (`config.py`), what would change the arithmetic and is not built here is refused by
name, and what does not touch it is ignored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from minilm.errors import OptionError, brief
from minilm.nn.config import TARGETS

# key of Hugging Face's LlamaConfig -> the values under which it computes what is computed here
_FIXED: dict[str, tuple[Any, ...]] = {
    "model_type": ("llama",),
    "hidden_act": ("silu", "swish"),  # two names of one formula
    "attention_bias": (False,),
    "mlp_bias": (False,),
    "pretraining_tp": (1,),
}
_SIZES = {
    "vocab_size": 10**7,
    "hidden_size": 10**6,
    "intermediate_size": 10**7,
    "num_hidden_layers": 10**4,
    "num_attention_heads": 10**5,
    "num_key_value_heads": 10**5,
    "head_dim": 10**5,
    "max_position_embeddings": 10**8,
}
_NEEDED = (
    "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
)  # fmt: skip


@dataclass(frozen=True)
class RopeScaling:
    """How Llama 3.1 and later stretch the rotary positions, kind "llama3".

    Parameters
    ----------
    factor : float
        Slow pairs of channels turn this many times more slowly.
    low_freq_factor, high_freq_factor : float
        Which pairs are slow: those that turn fewer than `low_freq_factor` times over the original
        context. Those that turn more than `high_freq_factor` times stay; between, it is blended.
    original_max_position_embeddings : int
        The context before it was stretched.

    References
    ----------
    A. Dubey et al. (2024), "The Llama 3 Herd of Models", section 3.4.2; the formula is that of the
    published code.
    """

    factor: float
    low_freq_factor: float
    high_freq_factor: float
    original_max_position_embeddings: int

    def __post_init__(self) -> None:
        """Check every value."""
        for field in fields(self):
            _check_positive(f"rope_scaling {field.name}", getattr(self, field.name))
        if self.high_freq_factor <= self.low_freq_factor:
            raise OptionError(
                f"model configuration: rope_scaling high_freq_factor {self.high_freq_factor} is "
                f"not above low_freq_factor {self.low_freq_factor}"
            )


@dataclass(frozen=True)
class LlamaConfig:
    """The shape of a Llama and the constants of its arithmetic.

    Parameters
    ----------
    vocab_size, hidden_size, intermediate_size : int
        Vocabulary V, width C, width of the MLP's hidden layer.
    num_hidden_layers, num_attention_heads : int
        Layers, heads H of queries.
    num_key_value_heads : int, optional
        Heads K of keys and values, a divisor of H; by default H.
    head_dim : int, optional
        Width D of a head, even; by default C / H.
    max_position_embeddings : int
        The context.
    rms_norm_eps : float
        Added to the mean square in the norms.
    rope_theta : float
        Base of the rotary positions: pair i of a head turns by `rope_theta ** (-2 i / D)` a
        position.
    rope_scaling : RopeScaling, optional
    tie_word_embeddings : bool
        Whether the head is the word embedding itself.
    initializer_range : float
        Standard deviation of the initial weights.
    attention_dropout : float
        Dropout on the attention weights while training; Llama has no other.
    bos_token_id, eos_token_id : int, optional
        Tokens that begin and end a text; a model may have several that end one.

    Raises
    ------
    OptionError
        When a value cannot work; the message names the key.

    Examples
    --------
    >>> config = LlamaConfig(512, 64, 176, 2, 4, num_key_value_heads=2)
    >>> config.head_size, config.kv_heads
    (16, 2)
    """

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    max_position_embeddings: int = 2048
    rms_norm_eps: float = 1e-6
    rope_theta: float = 10000.0
    rope_scaling: RopeScaling | None = None
    tie_word_embeddings: bool = False
    initializer_range: float = 0.02
    attention_dropout: float = 0.0
    bos_token_id: int | None = None
    eos_token_id: int | tuple[int, ...] | None = None

    # What GPTConfig says of its architecture, said of this one.
    layers: ClassVar[str] = "model.layers."
    table: ClassVar[str] = "model.embed_tokens.weight"
    final_norm: ClassVar[str] = "model.norm"
    writers: ClassVar[tuple[str, ...]] = ("o_proj.weight", "down_proj.weight")
    input_first: ClassVar[bool] = False
    targets: ClassVar[tuple[str, ...]] = (
        "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
        "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Check every value."""
        for key, largest in _SIZES.items():
            value = getattr(self, key)
            if value is None and key in ("num_key_value_heads", "head_dim"):
                continue
            if type(value) is not int or not 1 <= value <= largest:
                raise OptionError(
                    f"model configuration: {key} is {brief(value)}; "
                    f"expected a whole number from 1 to {largest:,}"
                )
        if self.head_dim is None and self.hidden_size % self.num_attention_heads:
            raise OptionError(
                f"model configuration: hidden_size {self.hidden_size} is not divisible by "
                f"num_attention_heads {self.num_attention_heads}, and there is no head_dim"
            )
        if self.head_size % 2:
            raise OptionError(
                f"model configuration: heads of {self.head_size} channels; rotary positions turn "
                "pairs of them, so the number must be even"
            )
        if self.num_attention_heads % self.kv_heads:
            raise OptionError(
                f"model configuration: num_attention_heads {self.num_attention_heads} is not "
                f"divisible by num_key_value_heads {self.kv_heads}"
            )
        for key in ("rms_norm_eps", "rope_theta", "initializer_range"):
            _check_positive(key, getattr(self, key))
        rate = self.attention_dropout
        if not _is_number(rate) or not 0 <= rate < 1:
            raise OptionError(
                f"model configuration: attention_dropout is {brief(rate)}; "
                "expected a rate from 0 to below 1"
            )
        if type(self.tie_word_embeddings) is not bool:
            raise OptionError(
                f"model configuration: tie_word_embeddings is {brief(self.tie_word_embeddings)}; "
                "expected true or false"
            )

    # The sizes under the names that the rest of minilm uses, which are GPT-2's.

    @property
    def n_positions(self) -> int:
        """The context."""
        return self.max_position_embeddings

    @property
    def n_embd(self) -> int:
        """The width C."""
        return self.hidden_size

    @property
    def n_layer(self) -> int:
        """The number of layers."""
        return self.num_hidden_layers

    @property
    def n_head(self) -> int:
        """The number H of heads of queries."""
        return self.num_attention_heads

    @property
    def inner(self) -> int:
        """The width of the MLP's hidden layer."""
        return self.intermediate_size

    @property
    def kv_heads(self) -> int:
        """The number K of heads of keys and values."""
        return self.num_key_value_heads or self.num_attention_heads

    @property
    def head_size(self) -> int:
        """The width D of a head."""
        return self.head_dim or self.hidden_size // self.num_attention_heads

    @property
    def norm_epsilon(self) -> float:
        """What the norms add before they divide."""
        return self.rms_norm_eps

    @property
    def head(self) -> str:
        """The name of the matrix that scores the next token."""
        return self.table if self.tie_word_embeddings else "lm_head.weight"

    @property
    def dropout(self) -> float:
        """The dropout rate while training."""
        return self.attention_dropout

    def with_dropout(self, rate: float) -> LlamaConfig:
        """Return the configuration with another dropout rate."""
        return replace(self, attention_dropout=rate)

    def with_layers(self, count: int) -> LlamaConfig:
        """Return the configuration with another number of layers."""
        return replace(self, num_hidden_layers=count)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LlamaConfig:
        """Take the keys of a Hugging Face `config.json`, of transformers 4 or 5.

        A key that is left out has the value that Hugging Face's Llama gives it, except the sizes,
        which must be there.

        Raises
        ------
        OptionError
            When a size is missing, a value cannot work, or a setting asks for another model.

        Examples
        --------
        >>> LlamaConfig.from_dict({"model_type": "llama", "mlp_bias": True})
        Traceback (most recent call last):
            ...
        minilm.errors.OptionError: model configuration: mlp_bias is True; only False is built
        """
        for key, allowed in _FIXED.items():
            if key in values and values[key] not in allowed:
                known = " or ".join(map(repr, allowed))
                raise OptionError(
                    f"model configuration: {key} is {brief(values[key])}; only {known} is built"
                )
        for key in _NEEDED:
            if key not in values:
                raise OptionError(f"model configuration: the key {key} is missing")
        known_keys = {field.name for field in fields(cls)} - {"rope_scaling", "rope_theta"}
        chosen = {key: value for key, value in values.items() if key in known_keys}
        for key in ("bos_token_id", "eos_token_id"):
            chosen[key] = _token_ids(values.get(key))
        theta, scaling = _rope(values)
        return cls(**chosen, rope_theta=theta, rope_scaling=scaling)

    def to_dict(self) -> dict[str, Any]:
        """Return the keys of a Hugging Face `config.json`; `from_dict` takes them back.

        The rotary positions are written as transformers 4 names them; transformers 5 reads that.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["num_key_value_heads"], values["head_dim"] = self.kv_heads, self.head_size
        if self.rope_scaling is not None:
            values["rope_scaling"] = {"rope_type": "llama3", **vars(self.rope_scaling)}
        if isinstance(self.eos_token_id, tuple):
            values["eos_token_id"] = list(self.eos_token_id)
        return {**{key: allowed[0] for key, allowed in _FIXED.items()}, **values}


def _rope(values: Mapping[str, Any]) -> tuple[Any, RopeScaling | None]:
    """Return base and scaling of the rotary positions, by the keys of transformers 4 or 5."""
    theta = values.get("rope_theta", 10000.0)
    found = values.get("rope_parameters") or values.get("rope_scaling") or {}
    if not isinstance(found, dict):
        raise OptionError(
            f"model configuration: rope_scaling is {brief(found)}; expected an object"
        )
    theta = found.get("rope_theta", theta)
    kind = found.get("rope_type", found.get("type", "default"))
    if kind == "default":
        return theta, None
    if kind != "llama3":
        raise OptionError(
            f"model configuration: rope_scaling of the kind {brief(kind)}; only 'default' and "
            "'llama3' are built"
        )
    names = [field.name for field in fields(RopeScaling)]
    if missing := [name for name in names if name not in found]:
        raise OptionError(f"model configuration: rope_scaling has no {missing[0]}")
    return theta, RopeScaling(**{name: found[name] for name in names})


def _token_ids(value: Any) -> int | tuple[int, ...] | None:
    """Return token ids as they may be in a `config.json`; None for what cannot be one."""
    if isinstance(value, list) and value and all(type(n) is int and n >= 0 for n in value):
        return tuple(value)
    return value if type(value) is int and value >= 0 else None


def _check_positive(key: str, value: Any) -> None:
    if not _is_number(value) or not 0 < value < math.inf:
        raise OptionError(f"model configuration: {key} is {brief(value)}; expected more than 0")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


#: Every matrix that LoRA can adapt, in one architecture or the other.
ALL_TARGETS = (*TARGETS, *LlamaConfig.targets)
