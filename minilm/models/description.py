"""A model's size in words, for the `repr` of objects that hold a model."""

from __future__ import annotations

from minilm.nn.lora import Adapter
from minilm.nn.parameters import Config, Parameters, param_shapes


def described(config: Config, parameters: Parameters, adapter: Adapter | None = None) -> str:
    """Return shape and number of parameters, and the adapter if there is one.

    >>> import numpy as np
    >>> from minilm.nn.config import GPTConfig
    >>> config = GPTConfig(512, 32, 64, 2, 2)
    >>> described(config, Parameters(param_shapes(config), np.float32))
    '2 layers, width 64, context 32, vocabulary 512, 134,912 parameters'
    """
    layers = f"{config.n_layer} layer{'' if config.n_layer == 1 else 's'}"
    count = sum(parameters[name].size for name in param_shapes(config))
    words = (
        f"{layers}, width {config.n_embd}, context {config.n_positions}, "
        f"vocabulary {config.vocab_size:,}, {count:,} parameters"
    )
    return words if adapter is None else f"{words}, LoRA rank {adapter.rank}"
