"""`minilm tokenize TEXT...`: the pieces of a text, and the tokens and bytes that make up each.

A model of whole words has neither pieces nor bytes: its words are shown with their ids.
"""

from __future__ import annotations

import argparse
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

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
    parser.add_argument("--encoding", default="utf-8", help="of --train (default: utf-8)")


def run(options: argparse.Namespace) -> int:
    """Load or train a tokenizer and show what it makes of each text."""
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
    from minilm.data import corpus
    from minilm.text.bpe import BytePairTokenizer

    if options.model is not None:
        if options.vocab_size is not None:
            raise OptionError("--vocab-size is for --train; the vocabulary of --model is as it is")
        return _read(options.model), str(options.model)
    path = options.train or resources.corpora_dir() / "general.txt"
    texts = corpus.read_documents([path], encoding=options.encoding)
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
            shown = ""  # a piece stands before the first of its tokens only
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
    """Return how many columns a terminal gives to a text; those of East Asia take two."""
    return sum(
        0
        if unicodedata.combining(character)
        else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
