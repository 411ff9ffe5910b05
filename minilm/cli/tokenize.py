"""`minilm tokenize TEXT...`: the pieces of a text, and the tokens and bytes of each.

A model of whole words has neither pieces nor bytes: its words are shown with their ids.
"""

from __future__ import annotations

import argparse
import sys
import unicodedata
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from minilm.cli import console
from minilm.cli.options import add_table, report_data, table_options
from minilm.errors import ModelError, OptionError

if TYPE_CHECKING:
    from minilm.store.huggingface import Tokenizer
    from minilm.text.bpe import BytePairTokenizer

_VOCAB_SIZE = 2048


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("texts", nargs="+", metavar="TEXT", help="what to tokenize")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--model", type=Path, metavar="DIR", help="folder with tokenizer.json, or GPT-2's two files"
    )
    source.add_argument(
        "--train",
        type=Path,
        metavar="FILE",
        help="learn the merges from this text first (default: the corpus that ships with minilm)",
    )
    parser.add_argument(
        "--vocab-size",
        type=int,
        metavar="N",
        help=f"entries to learn, 256 of them single bytes (default: {_VOCAB_SIZE})",
    )
    add_table(parser)


def run(options: argparse.Namespace) -> int:
    """Load or train a tokenizer, and show how it cuts each text."""
    from minilm.text.bpe import BytePairTokenizer
    from minilm.text.sentencepiece import SentencePieceTokenizer

    tokenizer, name = _tokenizer(options)
    size = len(tokenizer.vocab)
    if isinstance(tokenizer, BytePairTokenizer):
        print(f"{name}: {size:,} entries, {len(tokenizer.merges):,} merges")
    elif isinstance(tokenizer, SentencePieceTokenizer):
        print(f"{name}: {size:,} entries, {len(tokenizer.merges):,} merges of characters")
    else:
        print(f"{name}: {size:,} entries, whole words")
    for text in options.texts:
        ids = tokenizer.encode(text)
        print(f"\n{text!r}")
        size = len(text.encode("utf-8", "surrogatepass"))
        print(f"characters: {len(text)}, bytes: {size}, tokens: {len(ids)}")
        if not ids:
            continue
        if isinstance(tokenizer, BytePairTokenizer):
            _print_table(_piece_rows(text, tokenizer))
        else:
            _print_table(_word_rows(ids, tokenizer))
    return 0


def _tokenizer(options: argparse.Namespace) -> tuple[Tokenizer, str]:
    from minilm import resources
    from minilm.data.documents import read_documents
    from minilm.text.bpe import BytePairTokenizer

    if options.model is not None:
        if options.vocab_size is not None:
            raise OptionError("--vocab-size is for --train; --model has its own vocabulary")
        return _read(options.model), str(options.model)
    path = options.train or resources.corpora_dir() / "general.txt"
    if options.train is not None:
        report_data([path], table_options(options), partial(console.note, "tokenize"))
    texts = read_documents([path], unit="lines", **table_options(options))
    size = _VOCAB_SIZE if options.vocab_size is None else options.vocab_size
    tokenizer = BytePairTokenizer.train(texts, size)
    return tokenizer, f"trained on {path}"


def _read(folder: Path) -> Tokenizer:
    from minilm.store import huggingface, transaction
    from minilm.text import bpe_files

    def locate(name: str) -> Path | None:
        path = transaction.locate(folder, name)
        return path if path.is_file() else None

    tokenizer = huggingface.read_tokenizer(locate, sys.maxsize)
    if tokenizer is None:
        raise ModelError(f"no tokenizer here: none of {', '.join(bpe_files.NAMES)}", folder)
    return tokenizer


def _piece_rows(text: str, tokenizer: BytePairTokenizer) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("piece", "id", "token", "bytes")]
    for piece in tokenizer.pieces(text):
        shown = repr(piece)
        for number in tokenizer.encode(piece):
            data = tokenizer.token_bytes(number)
            rows.append((shown, str(number), _as_text(data), data.hex(" ")))
            shown = ""  # the piece is shown beside the first of its tokens
    return rows


def _word_rows(ids: list[int], tokenizer: Tokenizer) -> list[tuple[str, ...]]:
    return [("id", "token"), *((str(number), repr(tokenizer.decode([number]))) for number in ids)]


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        print("  " + "  ".join(cells).rstrip())


def _as_text(data: bytes) -> str:
    try:
        return repr(data.decode("utf-8"))
    except UnicodeDecodeError:
        return "part of a character"


def _width(text: str) -> int:
    """Return how many columns a text takes on a terminal; East Asian characters take two."""
    return sum(
        0
        if unicodedata.combining(character)
        else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
