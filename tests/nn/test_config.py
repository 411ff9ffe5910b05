"""GPTConfig: Hugging Face's keys in and out, and a line for each thing that cannot work."""

from __future__ import annotations

from typing import Any

import pytest

from minilm.errors import OptionError
from minilm.nn.config import SIZES, GPTConfig

SMALL = {"vocab_size": 50, "n_positions": 8, "n_embd": 12, "n_layer": 2, "n_head": 3}


def test_the_sizes_are_those_of_the_course() -> None:
    shapes = {
        name: (c.vocab_size, c.n_positions, c.n_embd, c.n_layer, c.n_head, size.batch)
        for name, size in SIZES.items()
        for c in [size.config]
    }
    assert shapes == {
        "kata": (512, 32, 64, 2, 2, 16),
        "class": (2048, 64, 128, 4, 4, 16),
        "large": (4096, 128, 256, 6, 8, 8),
        "gpt2": (50257, 1024, 768, 12, 12, 1),
    }


def test_to_dict_and_back() -> None:
    config = GPTConfig(**SMALL, n_inner=20, resid_pdrop=0.2)
    assert GPTConfig.from_dict(config.to_dict()) == config
    assert config.to_dict()["model_type"] == "gpt2"
    assert config.inner == 20


def test_keys_that_do_not_touch_the_arithmetic_pass() -> None:
    extra = {"bos_token_id": 0, "torch_dtype": "float16", "task_specific_params": {"a": 1}}
    config = GPTConfig.from_dict({**SMALL, **extra, "activation_function": "gelu_pytorch_tanh"})
    assert config == GPTConfig(**SMALL, embd_pdrop=0.1, attn_pdrop=0.1, resid_pdrop=0.1)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("n_embd", 13, "n_embd 13 is not divisible by n_head 3"),
        ("n_layer", 0, "n_layer is 0; expected a whole number from 1"),
        ("n_layer", 10**9, "n_layer is 1000000000"),
        ("vocab_size", True, "vocab_size is True"),
        ("vocab_size", "50", "vocab_size is '50'"),
        ("n_positions", 8.0, "n_positions is 8.0"),
        ("n_inner", -1, "n_inner is -1"),
        ("layer_norm_epsilon", 0.0, "layer_norm_epsilon is 0.0; expected more than 0"),
        ("initializer_range", float("inf"), "initializer_range is inf"),
        ("attn_pdrop", 1.0, "attn_pdrop is 1.0; expected a rate from 0 to below 1"),
        ("resid_pdrop", float("nan"), "resid_pdrop is nan"),
        ("embd_pdrop", None, "embd_pdrop is None"),
        ("model_type", "llama", "model_type is 'llama'; only 'gpt2' is supported"),
        ("activation_function", "relu", "activation_function is 'relu'"),
        ("activation_function", ["gelu_new"], "activation_function is"),
        ("tie_word_embeddings", False, "tie_word_embeddings is False; only True is supported"),
        ("scale_attn_by_inverse_layer_idx", True, "scale_attn_by_inverse_layer_idx is True"),
        ("add_cross_attention", True, "add_cross_attention is True"),
    ],
)
def test_what_cannot_work_is_named(key: str, value: Any, says: str) -> None:
    with pytest.raises(OptionError) as caught:
        GPTConfig.from_dict({**SMALL, key: value})
    assert says in str(caught.value)


@pytest.mark.parametrize("key", SMALL)
def test_a_missing_size_is_named(key: str) -> None:
    with pytest.raises(OptionError, match=f"the key {key} is missing"):
        GPTConfig.from_dict({k: v for k, v in SMALL.items() if k != key})
