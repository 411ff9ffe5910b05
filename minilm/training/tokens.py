"""From the user's files of text to batches: token files, which training maps into memory.

The model's `training` folder holds two files, `train.tokens` and `held_out.tokens`, of raw
little-endian integers of 2 bytes (4 for a large vocabulary). `tokens.json` is written last, with
their lengths, their checksums, and what they were made from. The content of each is

    <|endoftext|> document <|endoftext|> document <|endoftext|> ...

so that even the first token of the text is predicted from something. The files can be made from the
text again at any time. A resumed run uses them if they match `tokens.json`; a finished run removes
them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from minilm import files
from minilm.arrays import Ids
from minilm.data.documents import read_documents
from minilm.errors import InputError
from minilm.models.batches import ShuffledWindows
from minilm.store.folder import END_OF_TEXT, Source, Tokenizer
from minilm.training.loop import Plan
from minilm.training.settings import PretrainSettings, UpdateSettings

FILES = ("train.tokens", "held_out.tokens")
INDEX = "tokens.json"

# Every twentieth document is held out. This does not depend on the seed, so runs with different
# seeds are evaluated on the same text.
HELD_OUT_EVERY = 20

# The most tokens of the held-out part in an evaluation.
LOOK_TOKENS = 1 << 14

_FLUSH = 1 << 20  # tokens kept in memory before they are written


def is_held_out(number: int) -> bool:
    """Return whether the document with this number, from 0, is held out."""
    return number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1


def token_dtype(vocab_size: int) -> np.dtype[Any]:
    """Return the dtype in which ids are stored.

    >>> token_dtype(50257).name, token_dtype(100_000).name
    ('uint16', 'uint32')
    """
    return np.dtype("<u2" if vocab_size <= 1 << 16 else "<u4")


@dataclass(frozen=True)
class Span:
    """A run of tokens in one of the files."""

    file: str
    start: int
    count: int


@dataclass(frozen=True)
class TokenFiles:
    """The token files of a folder.

    Attributes
    ----------
    folder : Path
    dtype : dtype
    spans : mapping of str to Span
        Where the tokens of "train" and "held_out" are.
    documents : int
    """

    folder: Path
    dtype: np.dtype[Any]
    spans: Mapping[str, Span]
    documents: int

    def open(self, part: str) -> Ids:
        """Map "train" or "held_out" into memory: a read-only array of shape (n,)."""
        span = self.spans[part]
        offset = span.start * self.dtype.itemsize
        return np.memmap(self.folder / span.file, self.dtype, "r", offset, (span.count,))

    def copied(self) -> tuple[Ids, Ids]:
        """Return both parts, "train" and "held_out", in memory; the files can then be removed."""
        return np.array(self.open("train")), np.array(self.open("held_out"))


def write(
    folder: Path, texts: Iterable[str], tokenizer: Tokenizer, end: int, made_of: Any
) -> TokenFiles:
    """Encode documents into token files.

    With fewer than 20 documents, the last twentieth of the tokens is held out instead of documents.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    texts : iterable of str
        Documents.
    tokenizer : BytePairTokenizer or WordLevelTokenizer
    end : int
        The id between documents.
    made_of : JSON value
        Identifies the corpus and the tokenizer; `find` compares it.
    """
    remove(folder)
    folder.mkdir(exist_ok=True)
    dtype = token_dtype(len(tokenizer.vocab))
    with contextlib.ExitStack() as stack:
        train, held_out = (
            _Sink(stack.enter_context(files.atomic_write(folder / name, "wb")), dtype, end)
            for name in FILES
        )
        count = 0
        for number, document in enumerate(texts):
            sink = held_out if is_held_out(number) else train
            sink.add([*tokenizer.encode(document), end])
            count += 1
        train.flush()
        held_out.flush()
    spans = {"train": Span(FILES[0], 0, train.count), "held_out": Span(FILES[1], 0, held_out.count)}
    if count < HELD_OUT_EVERY:
        tail = train.count // HELD_OUT_EVERY
        start = train.count - tail
        # It starts one token early, from which the tail's first token is predicted.
        spans = {"train": Span(FILES[0], 0, start), "held_out": Span(FILES[0], start - 1, tail + 1)}
    found = TokenFiles(folder, dtype, spans, count)
    index = {
        "made_of": made_of,
        "dtype": dtype.str,
        "documents": count,
        "spans": {part: asdict(span) for part, span in spans.items()},
        "sha256": _checksums(folder),
    }
    files.write_json(folder / INDEX, index)
    return found


def find(folder: Path, made_of: Any) -> TokenFiles | None:
    """Return the token files of a folder if they are intact and made from this; otherwise None."""
    try:
        index = files.read_json(folder / INDEX)
        if index["made_of"] != made_of or index["sha256"] != _checksums(folder):
            return None
        spans = {part: Span(**span) for part, span in index["spans"].items()}
        return TokenFiles(folder, np.dtype(index["dtype"]), spans, index["documents"])
    except (InputError, OSError, KeyError, TypeError):  # missing or damaged: they are made again
        return None


def remove(folder: Path) -> None:
    """Remove the token files of a folder, if there are any."""
    for name in (INDEX, *FILES):
        (folder / name).unlink(missing_ok=True)
        for unfinished in folder.glob(f".{name}.*.tmp"):  # left by a killed process
            unfinished.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # it is not there, or holds the state of a run
        folder.rmdir()


def _checksums(folder: Path) -> dict[str, str]:
    return {name: files.sha256(folder / name) for name in FILES}


class _Sink:
    """Collects ids and writes them in large pieces, beginning with `end`."""

    def __init__(self, file: IO[bytes], dtype: np.dtype[Any], end: int) -> None:
        self.count = 0
        self._file = file
        self._dtype = dtype
        self._held: list[int] = []
        self.add([end])

    def add(self, ids: list[int]) -> None:
        self._held += ids
        self.count += len(ids)
        if len(self._held) >= _FLUSH:
            self.flush()

    def flush(self) -> None:
        self._file.write(np.array(self._held, self._dtype).tobytes())
        self._held = []


def read(
    paths: Sequence[str | os.PathLike[str]], settings: PretrainSettings | UpdateSettings
) -> Iterator[str]:
    """Yield the documents of files, read as the settings say."""
    return read_documents(
        paths,
        unit=settings.documents,
        encoding=settings.encoding,
        text_column=settings.text_column,
        no_header=settings.no_header,
    )


def names(sources: Sequence[Source]) -> str:
    """Return the names of files as one text, for people."""
    return ", ".join(source.name for source in sources)


def of_sources(
    texts: Callable[[], Iterable[str]],
    sources: tuple[Source, ...],
    settings: PretrainSettings | UpdateSettings,
    tokenizer: Tokenizer,
    place: Path,
    *,
    note: str = "",
) -> TokenFiles:
    """Return a folder's token files of these sources; make them if there are none.

    Parameters
    ----------
    texts : callable
        Returns the documents.
    sources : tuple of Source
        The files that they come from.
    settings : PretrainSettings or UpdateSettings
    tokenizer : BytePairTokenizer or WordLevelTokenizer
    place : Path
    note : str
        What else the choice of documents depends on.

    Raises
    ------
    InputError
        When there is too little text to train on; no token files are then left.
    """
    made_of = {
        "sources": [asdict(source) for source in sources],
        "documents": [
            settings.documents,
            settings.encoding,
            settings.text_column,
            settings.no_header,
            note,
        ],
        "tokenizer": hashlib.sha256(json.dumps(tokenizer.vocab).encode()).hexdigest(),
    }
    end = tokenizer.vocab[END_OF_TEXT]
    found = find(place, made_of) or write(place, texts(), tokenizer, end, made_of)
    # Checked before the files are mapped: Windows cannot remove a mapped file.
    if lack := _lack(found, settings.n_positions or 1):
        remove(place)
        raise InputError(lack, sources[0].name)
    return found


def _lack(found: TokenFiles, context: int) -> str | None:
    """Return why a text is too short and what to do; None if it is long enough."""
    count = found.spans["train"].count
    if count <= context:
        return (
            f"{count} tokens of text are too few for a context of {context}; use more text or a "
            "shorter context"
        )
    if found.spans["held_out"].count < 2:
        return "there is too little text to hold some out; use more"
    return None


def plan(
    settings: PretrainSettings | UpdateSettings, windows: ShuffledWindows, *, looks: int
) -> Plan:
    """Return the plan that settings ask for over a text, with `looks` evaluations.

    The warm-up takes a twentieth of the steps by default, and at most 200.
    """
    epoch = windows.count / windows.batch
    total = settings.steps or max(1, round((settings.epochs or 0) * epoch))
    return Plan(
        steps=total,
        learning_rate=settings.learning_rate or PretrainSettings.learning_rate,
        warmup=min(200, total // 20) if settings.warmup is None else settings.warmup,
        seed=settings.seed,
        threads=settings.threads,
        evaluate_every=max(1, total // looks),
        patience=settings.patience,
        save_seconds=settings.save_seconds,
        epoch=max(1, round(epoch)),
    )
