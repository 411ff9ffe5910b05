"""`minilm tokenize TEXT...`: the pieces of a text, and the tokens and bytes that make up each."""

from __future__ import annotations

import argparse
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from minilm.errors import OptionError

if TYPE_CHECKING:
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
    parser.add_argument("--encoding", default="utf-8", help="of --train (default: utf-8)")


def run(options: argparse.Namespace) -> int:
    """Load or train a tokenizer and show what it makes of each text."""
    tokenizer, name = _tokenizer(options)
    _print(f"{name}: {len(tokenizer.vocab):,} entries, {len(tokenizer.merges):,} merges")
    for text in options.texts:
        _show(text, tokenizer)
    return 0


def _tokenizer(options: argparse.Namespace) -> tuple[BytePairTokenizer, str]:
    from minilm import resources
    from minilm.text import corpus
    from minilm.text.bpe import BytePairTokenizer

    if options.model is not None:
        if options.vocab_size is not None:
            raise OptionError("--vocab-size is for --train; the vocabulary of --model is as it is")
        return BytePairTokenizer.from_folder(options.model), str(options.model)
    path = options.train or resources.corpora_dir() / "general.txt"
    texts = corpus.read_documents([path], encoding=options.encoding)
    size = _VOCAB_SIZE if options.vocab_size is None else options.vocab_size
    tokenizer = BytePairTokenizer.train(texts, size)
    return tokenizer, f"trained on {path}"


def _show(text: str, tokenizer: BytePairTokenizer) -> None:
    ids = tokenizer.encode(text)
    size = len(text.encode())
    _print(f"\n{text!r}")
    _print(f"characters: {len(text)}, bytes: {size}, tokens: {len(ids)}")
    if not ids:
        return
    rows = [("piece", "id", "token", "bytes")]
    for piece in tokenizer.pieces(text):
        shown = repr(piece)
        for number in tokenizer.encode(piece):
            data = tokenizer.token_bytes(number)
            rows.append((shown, str(number), _as_text(data), data.hex(" ")))
            shown = ""  # a piece stands before the first of its tokens only
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        _print("  " + "  ".join(cells).rstrip())


def _as_text(data: bytes) -> str:
    try:
        return repr(data.decode("utf-8"))
    except UnicodeDecodeError:
        return "part of a character"


def _width(text: str) -> int:
    """Return how many columns a terminal gives to a text; those of East Asia take two."""
    return sum(
        0
        if unicodedata.combining(character)
        else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def _print(line: str) -> None:
    """Print a line; what the terminal's encoding has not is shown by its code."""
    encoding = sys.stdout.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding))
