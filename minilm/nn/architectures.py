"""Which class computes which configuration: the one place that knows both GPT-2 and Llama."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minilm.errors import OptionError, brief
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT, Body
from minilm.nn.llama import Llama, LlamaBody
from minilm.nn.llama_config import LlamaConfig
from minilm.nn.parameters import Config, Parameters


def config_from_dict(values: Mapping[str, Any]) -> Config:
    """Take the keys of a Hugging Face `config.json`; without a `model_type` it is a GPT-2.

    Raises
    ------
    OptionError
        When the model is of another architecture, or a value cannot work.

    Examples
    --------
    >>> config_from_dict({"model_type": "bert"})
    Traceback (most recent call last):
        ...
    minilm.errors.OptionError: model configuration: model_type is 'bert'; only 'gpt2' and 'llama' \
are built
    """
    kinds: dict[Any, Any] = {"gpt2": GPTConfig, "llama": LlamaConfig}
    kind = values.get("model_type", "gpt2")
    if not isinstance(kind, str) or kind not in kinds:
        raise OptionError(
            f"model configuration: model_type is {brief(kind)}; only 'gpt2' and 'llama' are built"
        )
    config: Config = kinds[kind].from_dict(values)
    return config


def body(config: Config, parameters: Parameters) -> Body:
    """Return the body of a model; see `gpt.Body`."""
    kind = LlamaBody if isinstance(config, LlamaConfig) else Body
    return kind(config, parameters)


def language_model(
    config: Config,
    *,
    rng: np.random.Generator | None = None,
    dtype: DTypeLike = np.float32,
    parameters: Parameters | None = None,
) -> GPT:
    """Return a language model, new or with existing parameters; see `gpt.GPT`."""
    kind = Llama if isinstance(config, LlamaConfig) else GPT
    return kind(config, rng=rng, dtype=dtype, parameters=parameters)
