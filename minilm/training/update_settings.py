"""The settings of an update: those of the model that it continues, and gentler ones of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from minilm.errors import OptionError
from minilm.nn.config import SIZES
from minilm.store.folder import SavedModel, Stage
from minilm.text.bpe import BytePairTokenizer
from minilm.training import settings
from minilm.training.continual import Care
from minilm.training.settings import PretrainSettings

LEARNING_RATE = PretrainSettings.learning_rate / 5
EPOCHS = 2.0
LIMIT = 0.1  # the share by which an old text's perplexity may rise

CARE = tuple(field.name for field in fields(Care))

# What an update may have otherwise than the run before it.
_FREE = (
    *("steps", "learning_rate", "warmup", "weight_decay", "dropout", "patience"),
    *("seed", "threads", "documents", "encoding", "text_column", "save_seconds"),
)


def check(given: Mapping[str, Any]) -> None:
    """Raise OptionError at the first key that is not known or value that cannot work."""
    settings.check({k: v for k, v in given.items() if k not in (*CARE, "limit")})
    Care(**{k: v for k, v in given.items() if k in CARE})
    limit = given.get("limit", LIMIT)
    if not isinstance(limit, (int, float)) or not 0 <= limit < float("inf"):
        raise OptionError(f"limit is {limit!r}; expected a share of 0 or more, such as 0.1")


def complete(
    saved: SavedModel, lineage: Sequence[Stage], given: Mapping[str, Any]
) -> PretrainSettings:
    """Return the settings of an update of a model: its own shape, and what was given.

    A shorter context than the model's may be given; then it is trained on windows of that length.

    Raises
    ------
    OptionError
        When another shape or tokenizer is asked for than the model has.
    """
    config = saved.config
    shape = {key: getattr(config, key) for key in ("n_positions", "n_embd", "n_layer", "n_head")}
    asked = {key: given[key] for key in shape if key in given}
    if "size" in given:
        size = SIZES[given["size"]].config
        asked = {**{key: getattr(size, key) for key in shape}, **asked}
    kind = "bpe" if isinstance(saved.tokenizer, BytePairTokenizer) else "word"
    has = {**shape, "tokenizer": kind}
    for key, value in {"tokenizer": given.get("tokenizer", kind), **asked}.items():
        shorter = key == "n_positions" and value < config.n_positions
        if value != has[key] and not shorter:
            raise OptionError(
                f"{key} {value} is asked for, but the model here has {has[key]}; leave that out, "
                "or train another with --from-scratch"
            )
    before = dict(lineage[-1].settings) if lineage else {}
    return PretrainSettings(
        size=str(before.get("size", "class")),
        vocab_size=config.vocab_size,
        **{**shape, **asked},
        batch=given.get("batch", before.get("batch", 16)),
        tokenizer=kind,
        epochs=None if "steps" in given else given.get("epochs", EPOCHS),
        **{
            "learning_rate": LEARNING_RATE,
            "dropout": config.dropout,
            **{k: v for k, v in given.items() if k in _FREE},
        },
    )
