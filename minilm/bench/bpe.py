"""The race of byte-level BPE: next to `tokenizers` and `tiktoken`, one thread each, one process.

The contestants get the same documents and, for encoding, the same vocabulary (learned here); they
take turns, and what is compared are medians. `tokenizers` runs by its quickest call, the one that
leaves out offsets.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import itertools
import os
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minilm.errors import OptionError

if TYPE_CHECKING:
    import numpy as np

VOCAB_SIZE = 4096
SIZE = 3_500_000  # bytes
DOCUMENT = 10_000  # characters

# GPT-2's pattern, as tiktoken wants it.
PATTERN = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""

SCRIPTS = (
    "aeinrstüéèçøñ",
    "αβγδεικλμνοπρστάέ",
    "абвгдеиклмнопрст",
    "的一是不了人我在有他这中大来",
    "अकनमरसलहतपािी",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--data-file",
        type=Path,
        metavar="PATH",
        help="English text in UTF-8 (default: the corpus that ships with minilm)",
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="(default: 5)")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Run the four races and measure the memory of a stream."""
    import numpy as np

    if options.rounds < 1:
        raise OptionError(f"--rounds: {options.rounds}; it must be 1 or more")
    # Both are read when tokenizers is imported or first used.
    os.environ["RAYON_NUM_THREADS"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    source, text = _english(options.data_file)
    documents = _cut(text)
    foreign = _cut(zipfian(SCRIPTS, SIZE, rng=np.random.default_rng(1)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        training = _training(documents, folder, options.rounds)
        cold = _cold(documents, folder, options.rounds)
        warm = _warm(documents, folder, options.rounds)
        outside_ascii = _warm(foreign, folder, options.rounds)
        memory = _memory(documents, folder)
    return {
        "text": source,
        "bytes": sum(len(document.encode()) for document in documents),
        "vocabulary": VOCAB_SIZE,
        "threads": 1,
        "rounds": options.rounds,
        "versions": _versions(),
        "seconds": {
            "training": training,
            "encoding from a cold start": cold,
            "encoding warm, ASCII": warm,
            "encoding warm, other scripts": outside_ascii,
        },
        "peak memory of encode_iterable, bytes": memory,
    }


def render(result: dict[str, Any]) -> str:
    """Return the table for a person."""
    contestants = ["minilm", *result["versions"]]
    lines = [
        f"Byte-level BPE, {result['vocabulary']:,} entries, {result['bytes'] / 1e6:.1f} MB: "
        f"{result['text']}",
        f"seconds, median of {result['rounds']}, one thread each; "
        "in brackets the share of the other's time that minilm takes",
        "",
        f"{'':30}" + "".join(f"{name:>20}" for name in contestants),
    ]
    for race, seconds in result["seconds"].items():
        row = f"{race:30}"
        for name in contestants:
            if name not in seconds:
                row += f"{'-':>20}"
            elif name == "minilm":
                row += f"{seconds[name]:>20.3f}"
            else:
                row += f"{seconds[name]:>12.3f} ({seconds['minilm'] / seconds[name]:4.2f}x)"
        lines.append(row)
    memory = result["peak memory of encode_iterable, bytes"]
    lines += ["", "peak memory of encode_iterable: "]
    lines[-1] += ", ".join(f"{peak / 1e6:.1f} MB for {size}" for size, peak in memory.items())
    missing = [name for name, version in result["versions"].items() if version is None]
    if missing:
        lines.append(f"not installed: {', '.join(missing)}; pip install 'minilm[peers]'")
    return "\n".join(lines)


def zipfian(alphabets: tuple[str, ...], size: int, *, rng: np.random.Generator) -> str:
    """Return made-up text: words of each alphabet, the nth as frequent as 1 / n, in sentences.

    Parameters
    ----------
    alphabets : tuple of str
        The letters of each script; a word keeps to one.
    size : int
        How many bytes of UTF-8, at least.
    rng : numpy.random.Generator
        Where the words and their order come from.
    """
    import numpy as np

    words = []
    for _ in range(30_000):
        letters = alphabets[rng.integers(len(alphabets))]
        length = 1 + min(rng.integers(12, size=2))
        words.append("".join(letters[i] for i in rng.integers(len(letters), size=length)))
    cumulative = np.cumsum(1 / np.arange(1, len(words) + 1))
    sentences, total = [], 0
    while total < size:
        draws = rng.random(rng.integers(4, 20)) * cumulative[-1]
        sentence = " ".join(words[rank] for rank in np.searchsorted(cumulative, draws))
        sentences.append(
            sentence.capitalize() + (".", "?", ",", " (2019).")[rng.integers(4)] + "\n"
        )
        total += len(sentences[-1].encode())
    return "".join(sentences)


def _english(path: Path | None) -> tuple[str, str]:
    """Return a name and 3.5 MB of ASCII, or what there is."""
    from minilm import resources
    from minilm.data import lines

    name = str(path) if path is not None else "the corpus general.txt"
    path = path or resources.corpora_dir() / "general.txt"
    text = "".join(lines.read_lines(path))
    return name, text.encode("ascii", "ignore")[:SIZE].decode()


def _cut(text: str) -> list[str]:
    return [text[start : start + DOCUMENT] for start in range(0, len(text), DOCUMENT)]


def _alternate(contestants: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return the median seconds of each; in every round each runs once, and who begins changes."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        names = list(contestants)
        first = number % len(names)
        for name in names[first:] + names[:first]:
            gc.collect()
            start = time.perf_counter()
            contestants[name]()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def _training(documents: list[str], folder: Path, rounds: int) -> dict[str, float]:
    from minilm.text.bpe import BytePairTokenizer

    contestants: dict[str, Callable[[], Any]] = {
        "minilm": lambda: BytePairTokenizer.train(documents, VOCAB_SIZE)
    }
    if _installed("tokenizers"):
        import tokenizers

        def train_theirs() -> None:
            theirs = tokenizers.Tokenizer(tokenizers.models.BPE())
            byte_level = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
            theirs.pre_tokenizer = byte_level
            trainer = tokenizers.trainers.BpeTrainer(
                vocab_size=VOCAB_SIZE,
                initial_alphabet=byte_level.alphabet(),
                show_progress=False,
            )
            theirs.train_from_iterator(documents, trainer)

        contestants["tokenizers"] = train_theirs
    BytePairTokenizer.train(documents, VOCAB_SIZE).save(folder)
    return _alternate(contestants, rounds)


def _cold(documents: list[str], folder: Path, rounds: int) -> dict[str, float]:
    """Time reading the tokenizer's file and encoding everything with it."""
    from minilm.text.bpe import BytePairTokenizer

    path = folder / "tokenizer.json"
    contestants: dict[str, Callable[[], Any]] = {
        "minilm": lambda: BytePairTokenizer.from_tokenizer_json(path).encode_batch(documents)
    }
    if _installed("tokenizers"):
        import tokenizers

        contestants["tokenizers"] = lambda: tokenizers.Tokenizer.from_file(
            str(path)
        ).encode_batch_fast(documents)
    return _alternate(contestants, rounds)


def _warm(documents: list[str], folder: Path, rounds: int) -> dict[str, float]:
    """Time encoding everything for the second time and after; check that all give the same ids."""
    from minilm.text import byte_symbols
    from minilm.text.bpe import BytePairTokenizer

    ours = BytePairTokenizer.from_folder(folder)
    contestants: dict[str, Callable[[], list[list[int]]]] = {
        "minilm": lambda: ours.encode_batch(documents)
    }
    if _installed("tokenizers"):
        import tokenizers

        theirs = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        contestants["tokenizers"] = lambda: [e.ids for e in theirs.encode_batch_fast(documents)]
    if _installed("tiktoken"):
        import tiktoken

        ranks = {byte_symbols.unspell(token): number for token, number in ours.vocab.items()}
        encoding = tiktoken.Encoding(
            "minilm", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={}
        )
        contestants["tiktoken"] = lambda: [encoding.encode(document) for document in documents]
    expected = ours.encode_batch(documents)
    for name, encode in contestants.items():
        if encode() != expected:
            raise RuntimeError(f"{name} gives other ids than minilm: the race would be of no use")
    return _alternate(contestants, rounds)


def _memory(documents: list[str], folder: Path) -> dict[str, int]:
    """Return the peak of what Python allocates while a stream of two lengths is encoded."""
    from minilm.text.bpe import BytePairTokenizer

    peaks = {}
    for times in (1, 4):
        tokenizer = BytePairTokenizer.from_folder(folder)
        stream = itertools.chain.from_iterable(itertools.repeat(documents, times))
        tracemalloc.start()
        for _ in tokenizer.encode_iterable(stream):
            pass
        peaks[f"{times} x the text"] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peaks


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _versions() -> dict[str, str | None]:
    from importlib.metadata import version

    return {
        name: version(name) if _installed(name) else None for name in ("tokenizers", "tiktoken")
    }
