"""The settings of pretraining: the named sizes, a TOML file, the command line's options."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from minilm.data import documents
from minilm.errors import InputError, OptionError
from minilm.nn.config import SIZES, GPTConfig

TOKENIZERS = ("bpe", "word")
STARTS = ("cooccurrence", "random")
TRAINED_SIZES = ("kata", "class", "large")
FINE_TUNING = "fine_tuning"  # a table of the same file

_WORDS = 10_000  # entries of a word tokenizer at most
_STEPS = 3_000


@dataclass(frozen=True)
class PretrainSettings:
    """What pretraining is asked for; `complete` makes it. Every field may stand in a TOML file.

    Attributes
    ----------
    size : {"kata", "class", "large"}
        Gives whatever is not said of the next six.
    vocab_size : int
        Entries of the tokenizer at most: 10,000 for "word".
    n_positions, n_embd, n_layer, n_head : int
        Context, width, layers, heads.
    batch : int
        Sequences in a batch.
    dropout : float
        The rate of all three dropouts.
    tokenizer : {"bpe", "word"}
    init : {"cooccurrence", "random"}
        What the word embeddings start from.
    window : int
        Tokens to each side when co-occurrences are counted.
    steps, epochs : int and float, optional
        How long; 3,000 steps unless one of them is said.
    learning_rate : float
    warmup : int, optional
        Steps; a twentieth of all, unless said, 200 at most.
    weight_decay : float
    patience : int, optional
        Stop when the held-out loss has not fallen in so many looks; the best model is kept.
    seed : int
    threads : int
        Shards of a batch, one on each thread. The result depends on their number in the last bits.
    documents : {"lines", "paragraphs"}, optional
        What a document of a .txt or .md file is; unless said, paragraphs where there are blank
        lines.
    encoding : str
    text_column : str, optional
    no_header : bool
        Whether the first row of .csv and .tsv files is data.
    save_seconds : float
        Time between two saves. It does not change the result.
    """

    size: str
    vocab_size: int
    n_positions: int
    n_embd: int
    n_layer: int
    n_head: int
    batch: int
    dropout: float = 0.0
    tokenizer: str = "bpe"
    init: str = "cooccurrence"
    # Held-out bits per byte of corpora/general.txt after 800 steps at size class: 1.717 at window
    # 1, 1.719 at 2, 1.738 at 5, 1.754 at 10; and 1.836 with random embeddings (an older build).
    window: int = 2
    steps: int | None = None
    epochs: float | None = None
    learning_rate: float = 2e-3
    warmup: int | None = None
    weight_decay: float = 0.1
    patience: int | None = None
    seed: int = 0
    threads: int = 2
    documents: str | None = None
    encoding: str = "utf-8"
    text_column: str | None = None
    no_header: bool = False
    save_seconds: float = 60.0


# The kind of value that each field takes, and the least it may be.
_WHOLE = {
    **dict.fromkeys(("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "batch"), 1),
    **dict.fromkeys(("window", "steps", "patience", "threads"), 1),
    **dict.fromkeys(("warmup", "seed"), 0),
}
_POSITIVE = ("epochs", "learning_rate")
_NOT_NEGATIVE = ("dropout", "weight_decay", "save_seconds")
_CHOICES = {
    "size": TRAINED_SIZES,
    "tokenizer": TOKENIZERS,
    "init": STARTS,
    "documents": documents.UNITS,
}


def read_toml(path: Path) -> dict[str, Any]:
    """Return the settings of pretraining that a TOML file gives.

    Its table `[fine_tuning]` is not among them: `incremental.read_toml` reads that.

    Raises
    ------
    InputError
        When it is not TOML, has a key that is not known, or a value that cannot work.
    """
    given = load_toml(path)
    given.pop(FINE_TUNING, None)
    try:
        check(given)
    except OptionError as error:
        raise InputError(str(error), path) from None
    return given


def load_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file, or raise InputError when it is none."""
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}; check the path", path) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not valid TOML: {error}", path) from None


def check(given: Mapping[str, Any]) -> None:
    """Raise OptionError at the first key that is not known or value that cannot work."""
    known = [field.name for field in fields(PretrainSettings)]
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            advice = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            raise OptionError(f"the key {key!r} is not known; {advice}")
    for key, value in given.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        whole = number and isinstance(value, int)
        if key in _CHOICES:
            fits, expected = value in _CHOICES[key], f"one of {', '.join(_CHOICES[key])}"
        elif key == "no_header":
            fits, expected = isinstance(value, bool), "true or false"
        elif key in _WHOLE:
            least = _WHOLE[key]
            fits, expected = whole and value >= least, f"a whole number of {least} or more"
        elif key in _POSITIVE:
            fits, expected = number and 0 < value < math.inf, "a number above 0"
        elif key in _NOT_NEGATIVE:
            fits, expected = number and 0 <= value < math.inf, "a number of 0 or more"
        else:
            fits, expected = isinstance(value, str), "a text in quotation marks"
        if not fits:
            raise OptionError(f"{key} is {value!r}; expected {expected}")
    if "steps" in given and "epochs" in given:
        raise OptionError("both steps and epochs are given; one of them says how long to train")


def complete(given: Mapping[str, Any]) -> PretrainSettings:
    """Return settings in which what was given, and what the size says, is filled in.

    Examples
    --------
    >>> settings = complete({"size": "kata", "n_layer": 3})
    >>> settings.n_layer, settings.n_embd, settings.vocab_size, settings.steps
    (3, 64, 512, 3000)
    """
    check(given)
    name = given.get("size", "class")
    size = SIZES[name]
    words = given.get("tokenizer", PretrainSettings.tokenizer) == "word"
    settings = PretrainSettings(
        **{
            "size": name,
            "vocab_size": _WORDS if words else size.config.vocab_size,
            "n_positions": size.config.n_positions,
            "n_embd": size.config.n_embd,
            "n_layer": size.config.n_layer,
            "n_head": size.config.n_head,
            "batch": size.batch,
            "steps": None if "epochs" in given else _STEPS,
            **given,
        }
    )
    model_config(settings, settings.vocab_size)  # says early what does not go together
    return settings


def model_config(settings: PretrainSettings, vocab_size: int) -> GPTConfig:
    """Return the shape of the model, with the vocabulary that the tokenizer turned out to have."""
    return GPTConfig(
        vocab_size=vocab_size,
        n_positions=settings.n_positions,
        n_embd=settings.n_embd,
        n_layer=settings.n_layer,
        n_head=settings.n_head,
        embd_pdrop=settings.dropout,
        attn_pdrop=settings.dropout,
        resid_pdrop=settings.dropout,
    )
