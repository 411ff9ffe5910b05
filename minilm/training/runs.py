"""What runs over the user's files of text share: pretraining, and continuing with more text.

The tokens of the files, the plan that follows from settings and amount of text, and the check that
a resumed run is still the one that was interrupted.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from minilm.arrays import Ids
from minilm.data.documents import read_documents
from minilm.data.sources import TEXT_SUFFIXES, nearest_folder
from minilm.errors import InputError, OptionError
from minilm.models import batches
from minilm.store import folder
from minilm.store.folder import END_OF_TEXT, Source, Tokenizer
from minilm.training import tokens
from minilm.training.loop import Plan
from minilm.training.settings import PretrainSettings

BETAS = (0.9, 0.99)  # a shorter memory than AdamW's default, as runs of some thousand steps want
LOOK_TOKENS = 1 << 14  # tokens of the held-out part in each look, at most

# What does not change the result is not part of a model's lineage.
_NOT_RECORDED = ("save_seconds",)


def read(paths: Sequence[str | os.PathLike[str]], chosen: PretrainSettings) -> Iterator[str]:
    """Yield the documents of the files, as the settings say."""
    return read_documents(
        paths,
        unit=chosen.documents,
        encoding=chosen.encoding,
        text_column=chosen.text_column,
        no_header=chosen.no_header,
    )


def token_files(
    paths: Sequence[str | os.PathLike[str]],
    sources: tuple[Source, ...],
    chosen: PretrainSettings,
    tokenizer: Tokenizer,
    place: Path,
) -> tokens.TokenFiles:
    """Return the token files that are in a folder, or make them.

    Raises
    ------
    InputError
        When the text is too little to train on; no token files are then left.
    """
    made_of = {
        "sources": [asdict(source) for source in sources],
        "documents": [chosen.documents, chosen.encoding, chosen.text_column, chosen.no_header],
        "tokenizer": hashlib.sha256(json.dumps(tokenizer.vocab).encode()).hexdigest(),
    }
    end = tokenizer.vocab[END_OF_TEXT]
    found = tokens.find(place, made_of) or tokens.write(
        place, read(paths, chosen), tokenizer, end, made_of
    )
    if lack := _lack(found, chosen):  # found before the files are mapped: Windows removes no such
        tokens.remove(place)
        raise InputError(lack, sources[0].name)
    return found


def _lack(found: tokens.TokenFiles, chosen: PretrainSettings) -> str | None:
    """Return what makes a text too little, and what to do; None where it is enough."""
    count, context = found.spans["train"].count, chosen.n_positions
    if count <= context:
        return (
            f"{count} tokens of text are too few for a context of {context}; use more text or a "
            "shorter context"
        )
    if found.spans["held_out"].count < 2:
        return "so little text leaves nothing to hold out; use more"
    return None


def windows(found: tokens.TokenFiles, chosen: PretrainSettings) -> batches.ShuffledWindows:
    """Return the batches of the part to train on."""
    return batches.ShuffledWindows(
        found.open("train"), chosen.n_positions, chosen.batch, chosen.seed
    )


def held_out(found: tokens.TokenFiles) -> Ids:
    """Return the held-out tokens."""
    return found.open("held_out")


def _contents(source: Source) -> tuple[str, str]:
    suffix = Path(source.name).suffix.lower()
    return ".txt" if suffix in TEXT_SUFFIXES else suffix, source.sha256


def steps(chosen: PretrainSettings, train: batches.ShuffledWindows) -> int:
    """Return how many steps the settings ask for, over this text."""
    if chosen.steps is not None:
        return chosen.steps
    return max(1, round((chosen.epochs or 0) * train.count / train.batch))


def plan(
    chosen: PretrainSettings, total: int, train: batches.ShuffledWindows, *, looks: int
) -> Plan:
    """Return the plan of a run of `total` steps, with so many looks at the held-out part."""
    return Plan(
        steps=total,
        learning_rate=chosen.learning_rate,
        warmup=min(200, total // 20) if chosen.warmup is None else chosen.warmup,
        seed=chosen.seed,
        threads=chosen.threads,
        evaluate_every=max(1, total // looks),
        patience=chosen.patience,
        save_seconds=chosen.save_seconds,
        epoch=max(1, round(train.count / train.batch)),
    )


def recorded(chosen: PretrainSettings) -> dict[str, Any]:
    """Return what of the settings is part of a model's lineage."""
    return {key: value for key, value in asdict(chosen).items() if key not in _NOT_RECORDED}


def check_begun(path: str | os.PathLike[str]) -> None:
    """Raise OptionError where a folder holds nothing that could be resumed.

    A run that was killed before its first save has left its folder of state: it begins again.
    """

    def is_begun(place: Path) -> bool:
        return folder.exists(place) or (place / folder.STATE).is_dir()

    place = Path(path)
    if is_begun(place):
        return
    near = nearest_folder(place, is_begun)
    hint = f"did you mean {near}? To begin a run" if near else "to begin a run"
    raise OptionError(f"--resume: nothing was begun in {place}; {hint}, leave out --resume")


def check_same(
    given: Mapping[str, Any],
    began_with: Mapping[str, Any],
    sources: tuple[Source, ...],
    data: tuple[Source, ...],
    path: Path,
) -> None:
    """Raise OptionError where a resumed run is asked for something else than it began with.

    Parameters
    ----------
    given, sources
        What is asked for now: settings by name, and the files of text.
    began_with, data
        What the run's stage in the lineage says.
    path : Path
        The run's folder, for the message.
    """
    for key, value in given.items():
        if key not in _NOT_RECORDED and began_with[key] != value:
            raise OptionError(
                f"--resume: {key} is {value!r}, but the run in {path} began with "
                f"{began_with[key]!r}; leave it out, or begin another run in another --output-dir"
            )
    # A file that was renamed is the same text, unless its new name makes it another kind of file.
    if list(map(_contents, sources)) != list(map(_contents, data)):
        raise OptionError(
            f"--resume: the text is not that which the run in {path} began with "
            f"({', '.join(source.name for source in data)}); give the same --data-file, or begin "
            "another run in another --output-dir"
        )
