"""Settings as people give them: names and values, from options or a TOML file, checked.

The settings themselves, with their defaults, are in `settings.py`.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from minilm.data import documents
from minilm.errors import InputError, OptionError
from minilm.nn.config import POOLINGS
from minilm.nn.llama_config import ALL_TARGETS

TOKENIZERS = ("bpe", "word")
STARTS = ("cooccurrence", "random")
TRAINED_SIZES = ("kata", "class", "large")
ARCHITECTURES = ("gpt2", "llama")
METHODS = ("full", "probe", "lora", "last-n", "gradual")

# The values of each field: a whole number with a minimum, a number, a choice; otherwise a text.
SHAPE = ("n_positions", "n_embd", "n_layer", "n_head")
_WHOLE = {
    **dict.fromkeys(("vocab_size", *SHAPE, "batch", "window", "steps", "patience"), 1),
    **dict.fromkeys(("threads", "rank", "layers", "updates"), 1),
    **dict.fromkeys(("warmup", "seed", "lora"), 0),
}
_POSITIVE = ("epochs", "learning_rate", "alpha", "layer_decay", "embedding_length")
_NOT_NEGATIVE = (
    *("dropout", "weight_decay", "save_seconds", "lm_weight", "embedding_rate"),
    *("limit", "replay", "ewc", "average"),
)
_CHOICES = {
    "size": TRAINED_SIZES,
    "architecture": ARCHITECTURES,
    "tokenizer": TOKENIZERS,
    "init": STARTS,
    "documents": documents.UNITS,
    "method": METHODS,
    "pooling": POOLINGS,
}


def check(given: Mapping[str, Any], kind: type) -> None:
    """Raise OptionError at the first key that `kind` does not have, or value that cannot work."""
    known = [field.name for field in fields(kind)]
    for key, value in given.items():
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            advice = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            raise OptionError(f"the key {key!r} is not known; {advice}")
        fits, expected = _fits(key, value)
        if not fits:
            raise OptionError(f"{key} is {value!r}; expected {expected}")
    if "steps" in given and "epochs" in given and None not in (given["steps"], given["epochs"]):
        raise OptionError("both steps and epochs are given; give one of them")


def _fits(key: str, value: Any) -> tuple[bool, str]:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if key in _CHOICES:
        return value in _CHOICES[key], f"one of {', '.join(_CHOICES[key])}"
    if key in _WHOLE:
        whole = number and isinstance(value, int)
        return whole and value >= _WHOLE[key], f"a whole number of {_WHOLE[key]} or more"
    if key in _POSITIVE:
        return number and 0 < value < math.inf, "a number above 0"
    if key in _NOT_NEGATIVE:
        return number and 0 <= value < math.inf, "a number of 0 or more"
    if key == "no_header":
        return isinstance(value, bool), "true or false"
    if key == "targets":
        listed = isinstance(value, (list, tuple)) and all(name in ALL_TARGETS for name in value)
        return listed and len(value) > 0, f"some of {', '.join(ALL_TARGETS)}"
    return isinstance(value, str), "a text in quotation marks"


def load_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file, or raise InputError if it is not one."""
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}; check the path", path) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not valid TOML: {error}", path) from None
