"""What is forgotten: one text after another is learned, by each way of continuing, and measured.

    base text -> domain 1 -> domain 2 -> domain 3        the model after each stage on every domain

The runs themselves are in `forgetting_runs.py`. The tokenizer is trained on the base text alone (on
the first domain where there is no base), because that is all the text there is when a model begins.
It is byte-level BPE, so that what comes later can be written in its tokens, and one tokenizer
serves every way, so that perplexities can be compared.

The settings of the ways are in `WAYS`. They were chosen on the development parts (see there);
test parts are only measured.

References
----------
D. Lopez-Paz and M. Ranzato (2017), "Gradient Episodic Memory for Continual Learning", section 2.
A. Chaudhry et al. (2018), "Riemannian Walk for Incremental Learning", section 3.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from minilm.arrays import Ids
from minilm.data.documents import read_documents
from minilm.errors import OptionError
from minilm.nn.config import SIZES, GPTConfig
from minilm.store.folder import END_OF_TEXT
from minilm.text.bpe import BytePairTokenizer
from minilm.training.forgetting import Care

RATE = 2e-3  # of pretraining, by default
WEIGHT_DECAY = 0.1
_PARTS = ("train", "train", "train", "dev", "test")  # document by document, in turn
_MOST_DOCUMENTS = 200  # of a dev or test part
_BASE_SHARE = 6  # every sixth document of the base text is used


@dataclass(frozen=True)
class Way:
    """A way to continue.

    Attributes
    ----------
    summary : str
    care : Care
    rate : float
        Times the rate of the first domain.
    epochs : float
        Times the epochs of the first domain.
    apart : bool
        Whether each domain has an adapter of its own on the model of the first one, and is
        predicted with it: the domain has to be known.
    together : bool
        Whether all texts so far are learned at once, from the beginning: the reference.
    """

    summary: str
    care: Care = field(default_factory=Care)
    rate: float = 1.0
    epochs: float = 1.0
    apart: bool = False
    together: bool = False


NAIVE = "naive"
REFERENCE = "everything"

# Chosen by the mean loss over the three shipped domains after the last one, on their development
# parts (seeds 100 and 101; a tenth of each old text kept; nats a token):
#
#     naive 3.510    lower rate 0.1: 3.498   0.2: 3.475   0.4: 3.466   (0.2 is the pipeline's)
#     a fifth of the rate and of the epochs 0.1: 3.601   0.3: 3.533   0.6: 3.495
#     replay 0.5: 3.440   1: 3.556   2: 3.795    EWC 1: 3.424   3: 3.424   10: 3.469   30: 3.525
#     average 0.3: 3.399   0.5: 3.392   0.7: 3.453    full retraining 3.257
#     LoRA at the rate times 1, 3: rank 4: 3.593, 3.574   8: 3.563, 3.542   16: 3.539, 3.518
WAYS = {
    NAIVE: Way("as the first domain was learned, on the new text alone"),
    "lower rate": Way("a fifth of the learning rate", rate=0.2),
    "lower, fewer": Way("a fifth of the rate, three fifths of the epochs", rate=0.2, epochs=0.6),
    "replay": Way("an old window for two new ones", Care(replay=0.5)),
    "EWC": Way("elastic weight consolidation", Care(ewc=3.0)),
    "average": Way("the mean of the model before and after", Care(average=0.5)),
    "LoRA": Way(
        "an adapter for each domain; the model is told the domain",
        Care(lora=16),
        rate=3.0,
        apart=True,
    ),
    REFERENCE: Way("full retraining on all texts so far", together=True),
}


@dataclass(frozen=True)
class ForgettingSettings:
    """What is compared, and how long is trained.

    Attributes
    ----------
    domains : tuple of Path
        Files or folders, two or more, in the order in which they are learned.
    base : tuple of Path
        Text that the model knows before; it begins from nothing if there is none.
    size : str
        A named size.
    base_steps : int
        Updates on the base text, or on the first domain where there is none.
    epochs : float
        Through each domain.
    steps : int
        Updates in each domain at most.
    sample : float
        The share of an old text that is kept, for replay and for the Fisher information.
    unit, encoding, text_column, no_header
        As for `documents.read_documents`.
    """

    domains: tuple[Path, ...]
    base: tuple[Path, ...]
    size: str = "kata"
    base_steps: int = 1000
    epochs: float = 10.0
    steps: int = 600
    sample: float = 0.1
    unit: str | None = None
    encoding: str = "utf-8"
    text_column: str | None = None
    no_header: bool = False

    def check(self) -> None:
        """Raise OptionError when a value cannot work."""
        if len(self.domains) < 2:
            raise OptionError("--domains needs two texts or more: one is learned after another")
        if not 0 < self.sample <= 1:
            raise OptionError(f"--sample is {self.sample}; expected a share above 0, at most 1")
        for name in ("base_steps", "epochs", "steps"):
            if not 0 < getattr(self, name) < math.inf:
                raise OptionError(f"--{name.replace('_', '-')} must be above 0")


@dataclass(frozen=True)
class Domain:
    """One text, in tokens.

    Attributes
    ----------
    name : str
    train : Ids of shape (n,)
    test : tuple of Ids
        Each document with the separator token at both ends.
    """

    name: str
    train: Ids
    test: tuple[Ids, ...]


@dataclass(frozen=True)
class ForgettingData:
    """All that the runs have in common.

    Attributes
    ----------
    settings : ForgettingSettings
    config : GPTConfig
    base : Domain or None
    domains : tuple of Domain
    """

    settings: ForgettingSettings
    config: GPTConfig
    base: Domain | None
    domains: tuple[Domain, ...]

    @property
    def measured(self) -> tuple[Domain, ...]:
        """The domains in the order of the outcomes: the base text first, where there is one."""
        return ((self.base,) if self.base else ()) + self.domains


def prepare(settings: ForgettingSettings, *, part: str = "test") -> ForgettingData:
    """Read the texts, train the tokenizer and encode.

    Parameters
    ----------
    settings : ForgettingSettings
    part : {"test", "dev"}
        What is measured; settings are chosen on "dev".
    """
    settings.check()
    size = SIZES[settings.size]
    texts = [_documents(settings, [path]) for path in settings.domains]
    base = _documents(settings, settings.base)[::_BASE_SHARE] if settings.base else []
    first = base or texts[0]
    training = (text for i, text in enumerate(first) if _part(i) == "train")
    tokenizer = BytePairTokenizer.train(training, size.config.vocab_size, [END_OF_TEXT])

    def domain(paths: Sequence[Path], found: Sequence[str]) -> Domain:
        name = ", ".join(path.stem for path in paths)
        return _domain(name, found, tokenizer, part, size.config.n_positions)

    shape = size.config.to_dict() | {"vocab_size": len(tokenizer.vocab)}
    return ForgettingData(
        settings,
        GPTConfig.from_dict(shape),
        domain(settings.base, base) if settings.base else None,
        tuple(domain([p], found) for p, found in zip(settings.domains, texts, strict=True)),
    )


def _documents(settings: ForgettingSettings, paths: Iterable[Path]) -> list[str]:
    return list(
        read_documents(
            paths,
            unit=settings.unit,
            encoding=settings.encoding,
            text_column=settings.text_column,
            no_header=settings.no_header,
        )
    )


def _part(number: int) -> str:
    return _PARTS[number % len(_PARTS)]


def _domain(
    name: str, texts: Sequence[str], tokenizer: BytePairTokenizer, part: str, time: int
) -> Domain:
    end = tokenizer.vocab[END_OF_TEXT]
    train = [end]
    held_out = []
    for number, text in enumerate(texts):
        if _part(number) == "train":
            train += [*tokenizer.encode(text), end]
        elif _part(number) == part:
            held_out.append(text)
    chosen = held_out[:: max(1, -(-len(held_out) // _MOST_DOCUMENTS))]
    if not chosen or len(train) <= time + 1:
        raise OptionError(
            f"{name}: {len(texts)} documents are too few to learn from and to be measured on; "
            "name a longer text, or say what a document is with --documents"
        )
    test = tuple(np.array([end, *tokenizer.encode(text), end]) for text in chosen)
    return Domain(name, np.array(train), test)
