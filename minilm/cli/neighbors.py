"""`minilm neighbors WORD...`: the most similar words in a corpus, by co-occurrence."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from minilm import resources, threads
from minilm.cli import console
from minilm.cli.options import add_table, add_vectors, report_data, table_options
from minilm.data.documents import read_documents
from minilm.errors import InputError, OptionError
from minilm.text.words import STOP_WORDS, Vocabulary, WordTokenizer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("words", nargs="+", metavar="WORD", help="words that are in the corpus")
    parser.add_argument(
        "--corpus",
        type=Path,
        required=True,
        metavar="FILE",
        help="text: .txt or .md (each line is a document), .csv, .tsv, .json, .jsonl, or a folder",
    )
    add_table(parser)
    add_vectors(parser, window=3)
    parser.add_argument(
        "--top", type=int, default=4, metavar="N", help="number of neighbors (default: 4)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, cosines to six decimals")


def run(options: argparse.Namespace) -> int:
    """Count the corpus, compute the vectors and print each word's neighbors."""
    if options.top < 1:
        raise OptionError(f"--top is {options.top}; use 1 or more")
    threads.set_blas_threads(1)  # the order of BLAS's sums must not depend on the number of cores
    import numpy as np

    from minilm.embeddings import cooccurrence, similarity, svd

    options.corpus = resources.find_corpus(options.corpus)
    report_data([options.corpus], table_options(options), partial(console.note, "neighbors"))
    # The corpus is read twice, for its words and for their neighbors, and never held in memory.
    vocabulary = Vocabulary.from_documents(_documents(options), min_count=options.min_count)
    asked = {word: _known(word, vocabulary, options) for word in options.words}
    counts = cooccurrence.count_chunks(
        map(vocabulary.encode, _documents(options)), options.window, len(vocabulary)
    )
    vectors = svd.word_vectors(
        counts,
        weighting=options.weighting,
        dimensions=options.dimensions and min(options.dimensions, len(vocabulary)),
        rng=np.random.default_rng(0),
    )
    found = {
        word: similarity.nearest_words(known, vocabulary, vectors, options.top)
        for word, known in asked.items()
    }
    if options.json:
        json.dump(found, sys.stdout)  # in ASCII, since a console may lack other characters
        print()
        return 0
    for word, hits in found.items():
        print(f"{word}: {', '.join(f'{other} ({cosine:.3f})' for other, cosine in hits)}")
    return 0


def _documents(options: argparse.Namespace) -> Iterator[list[str]]:
    tokenizer = WordTokenizer(STOP_WORDS if options.stop_words else frozenset())
    texts = read_documents([options.corpus], unit="lines", **table_options(options))
    return map(tokenizer.tokenize, texts)


def _known(word: str, vocabulary: Vocabulary, options: argparse.Namespace) -> str:
    """Return the word as it is in the vocabulary, or raise and suggest similar words."""
    lowered = word.lower()
    if lowered in vocabulary:
        return lowered
    if options.stop_words and lowered in STOP_WORDS:
        raise InputError(f"{word!r} is a stop word, which --stop-words leaves out", options.corpus)
    rare = f" (--min-count {options.min_count})" if options.min_count > 1 else ""
    close = difflib.get_close_matches(lowered, vocabulary.words)
    advice = f"did you mean {', '.join(close)}?" if close else "check its spelling"
    raise InputError(
        f"{word!r} is not one of its {len(vocabulary)} words{rare}; {advice}", options.corpus
    )
