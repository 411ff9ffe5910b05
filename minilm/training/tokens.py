"""A corpus as files of token ids, which training maps into memory instead of reading them.

Two files lie in the `training` folder of the model: `train.tokens` and `held_out.tokens`, raw
little-endian integers of 2 bytes (4 where the vocabulary is larger), and beside them
`tokens.json`, which is written last and says how long they are, their checksums, and what they
were made of. Each stands for

    <|endoftext|> document <|endoftext|> document <|endoftext|> ...

so that every token of the text, the first one too, is to be predicted from something. They can be
made again at any time from the text; a resumed run uses them if all is as `tokens.json` says. They
are removed when a run is finished.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from minilm import files
from minilm.arrays import Ids
from minilm.errors import InputError
from minilm.store.folder import Tokenizer

FILES = ("train.tokens", "held_out.tokens")
INDEX = "tokens.json"

# Every twentieth document is held out. The choice does not depend on the seed, so that runs with
# different seeds are evaluated on the same text.
HELD_OUT_EVERY = 20

_FLUSH = 1 << 20  # tokens kept in memory before they are written


def is_held_out(number: int) -> bool:
    """Return whether the document of this number, from 0, belongs to the held-out part."""
    return number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1


def token_dtype(vocab_size: int) -> np.dtype[Any]:
    """Return the integers that ids are stored as.

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
        """Map one part into memory: a read-only array of shape (n,)."""
        span = self.spans[part]
        offset = span.start * self.dtype.itemsize
        return np.memmap(self.folder / span.file, self.dtype, "r", offset, (span.count,))


def write(
    folder: Path, documents: Iterable[str], tokenizer: Tokenizer, end: int, made_of: Any
) -> TokenFiles:
    """Encode documents into token files.

    Of a text of fewer than 20 documents the last twentieth of the tokens is held out instead.

    Parameters
    ----------
    folder : Path
        Is made if need be.
    documents : iterable of str
    tokenizer : BytePairTokenizer or WordLevelTokenizer
    end : int
        The id between documents.
    made_of : JSON value
        What tells this corpus and tokenizer from others; `find` compares it.
    """
    folder.mkdir(exist_ok=True)
    remove(folder)
    dtype = token_dtype(len(tokenizer.vocab))
    with contextlib.ExitStack() as stack:
        train, held_out = (
            _Sink(stack.enter_context(files.atomic_write(folder / name, "wb")), dtype, end)
            for name in FILES
        )
        count = 0
        for number, document in enumerate(documents):
            sink = held_out if is_held_out(number) else train
            sink.add([*tokenizer.encode(document), end])
            count += 1
        train.flush()
        held_out.flush()
    spans = {"train": Span(FILES[0], 0, train.count), "held_out": Span(FILES[1], 0, held_out.count)}
    if count < HELD_OUT_EVERY:
        tail = train.count // HELD_OUT_EVERY
        start = train.count - tail
        # The token before the tail is what its first one is predicted from.
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
    """Return the token files of a folder if they are whole and made of just this, else None."""
    try:
        index = files.read_json(folder / INDEX)
        if index["made_of"] != made_of or index["sha256"] != _checksums(folder):
            return None
        spans = {part: Span(**span) for part, span in index["spans"].items()}
        return TokenFiles(folder, np.dtype(index["dtype"]), spans, index["documents"])
    except (InputError, OSError, KeyError, TypeError):  # missing or damaged: to be made again
        return None


def remove(folder: Path) -> None:
    """Remove the token files of a folder, if there are any."""
    for name in (INDEX, *FILES):
        (folder / name).unlink(missing_ok=True)
        for unfinished in folder.glob(f".{name}.*.tmp"):  # of a process that was killed
            unfinished.unlink(missing_ok=True)


def _checksums(folder: Path) -> dict[str, str]:
    return {name: files.sha256(folder / name) for name in FILES}


class _Sink:
    """Collects ids and writes them in large pieces; `end` stands before the first document."""

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
