"""Counting and factorizing next to SciPy's sparse matrices and scikit-learn's randomized SVD.

All take turns in one process with BLAS on one thread; what is compared is the median of each. The
peers get the paths that their users would write well: one sparse matrix for each offset, whose
construction sums the duplicates, and `randomized_svd` with the same rank, oversampling and number
of iterations, on the same weights in double and in single precision.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import statistics
import string
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minilm import resources, threads
from minilm.errors import InputError, OptionError

if TYPE_CHECKING:
    import numpy as np

    from minilm.embeddings.sparse import SparseMatrix

WORDS = 800_000
WINDOW = 5
RANK, OVERSAMPLE, ITERATIONS = 100, 10, 4
ROUNDS = 7

STAND_IN_VOCABULARY = 4_000
LARGE_TEXT_TYPES = 200_000
LARGE_TEXT_VOCABULARY = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--text-gb",
        type=float,
        metavar="N",
        help="first count a generated text of N GB from a file, and report the peak of memory",
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Return what was measured, in seconds and words a second."""
    threads.set_blas_threads(1)
    result: dict[str, Any] = {}
    if options.text_gb is not None:
        # First, before anything else has taken memory: the system reports one peak for a process.
        result["large_text"] = _large_text(options.text_gb)

    from minilm.embeddings import cooccurrence, ppmi

    source, ids, size = _text()
    counts = cooccurrence.count(ids, WINDOW, size)
    weights = ppmi.ppmi(counts)
    result |= {
        "text": source,
        "words": WORDS,
        "vocabulary": size,
        "window": WINDOW,
        "pairs_of_words": counts.keys.size,
        "rounds": ROUNDS,
        "missing": [name for name in ("scipy", "sklearn") if _import(name) is None],
        "counting": _counting_race(ids, size, counts),
        "svd": _svd_race(weights),
    }
    return result


def render(result: dict[str, Any]) -> str:
    """Return the measurements as a table."""
    counting, svd = result["counting"], result["svd"]
    lines = [
        f"{result['words']:,} words ({result['text']}), vocabulary {result['vocabulary']:,}, "
        f"window {result['window']}; medians of {result['rounds']} alternating rounds",
        "",
        f"{'counting':34}{'seconds':>9}{'words/s':>14}",
    ]
    for name, seconds in counting["seconds"].items():
        lines.append(f"  {name:32}{seconds:9.3f}{result['words'] / seconds:14,.0f}")
    if "ratio" in counting:
        lines.append(f"  minilm is {counting['ratio']:.2f} times as fast as SciPy; equal counts")
    lines += ["", f"{'SVD, rank 100 + 10, 4 iterations':34}{'seconds':>9}"]
    for name, seconds in svd["seconds"].items():
        lines.append(f"  {name:32}{seconds:9.3f}")
    for precision, ratio in svd.get("ratio", {}).items():
        lines.append(f"  minilm is {ratio:.2f} times as fast as scikit-learn in {precision}")
    if "largest_relative_difference" in svd:
        errors = svd["largest_error"]
        lines += [
            f"  singular values differ by at most {svd['largest_relative_difference']:.1e};",
            f"  from converged ones minilm's by {errors['minilm']:.1e}, "
            f"scikit-learn's by {errors['sklearn']:.1e}",
        ]
    for name in result["missing"]:
        lines.append(f"\nwithout {name}, which is missing: pip install 'minilm[peers]'")
    if "large_text" in result:
        large = result["large_text"]
        peak = large["peak_gb"]
        lines += [
            "",
            f"a file of {large['bytes'] / 1e9:.2f} GB, {large['words']:,} words, vocabulary "
            f"{large['vocabulary']:,}, window {large['window']}:",
            f"  vocabulary {large['vocabulary_seconds']:.0f} s, counts "
            f"{large['count_seconds']:.0f} s ({large['pairs_of_words']:,} pairs of words)",
            "  peak memory of the process "
            + (f"{peak:.2f} GB" if peak is not None else "unavailable on this system"),
        ]
    return "\n".join(lines)


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _medians(racers: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median seconds of each, after one round that warms up, all taking turns."""
    times: dict[str, list[float]] = {name: [] for name in racers}
    for _ in range(ROUNDS + 1):
        for name, work in racers.items():
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds[1:]) for name, seconds in times.items()}


def _text() -> tuple[str, np.ndarray, int]:
    """Return the name, the ids and the vocabulary size of WORDS words, documents apart by -1."""
    import numpy as np

    from minilm.data.documents import read_documents
    from minilm.text.words import Vocabulary, WordTokenizer

    try:
        path = resources.corpora_dir() / "general.txt"
        documents = list(map(WordTokenizer().tokenize, read_documents([path], unit="lines")))
    except InputError:
        rng = np.random.default_rng(0)
        ids = rng.choice(STAND_IN_VOCABULARY, WORDS + WORDS // 12, p=_zipf(STAND_IN_VOCABULARY))
        ids[12::13] = -1
        return "drawn by Zipf's law", ids, STAND_IN_VOCABULARY
    vocabulary = Vocabulary.from_documents(documents)
    once = np.array([i for words in documents for i in (*vocabulary.encode(words), -1)])
    ids = np.tile(once, WORDS // np.count_nonzero(once >= 0) + 1)
    end = int(np.searchsorted(np.cumsum(ids >= 0), WORDS)) + 1
    return f"{path.name}, repeated or cut", ids[:end], len(vocabulary)


def _zipf(size: int) -> np.ndarray:
    import numpy as np

    shares = 1 / np.arange(1, size + 1)
    return shares / shares.sum()


def _counting_race(ids: np.ndarray, size: int, counts: SparseMatrix) -> dict[str, Any]:
    import numpy as np

    from minilm.embeddings import cooccurrence

    racers: dict[str, Callable[[], object]] = {
        "minilm": lambda: cooccurrence.count(ids, WINDOW, size)
    }
    if _import("scipy") is None:
        return {"seconds": _medians(racers)}
    theirs = _scipy_count(ids, size)
    theirs.sort_indices()
    if not (
        np.array_equal(theirs.indices, counts.columns)
        and np.array_equal(np.diff(theirs.indptr), np.bincount(counts.rows, minlength=size))
        and np.array_equal(theirs.data, counts.values)
    ):
        raise AssertionError("SciPy's counts and minilm's differ")
    racers["scipy, sparse matrices"] = lambda: _scipy_count(ids, size)
    seconds = _medians(racers)
    return {"seconds": seconds, "ratio": seconds["scipy, sparse matrices"] / seconds["minilm"]}


def _scipy_count(ids: np.ndarray, size: int) -> Any:
    """Count with SciPy: a matrix for each offset, one transposition at the end."""
    import numpy as np
    from scipy import sparse

    word = ids >= 0
    together = word
    total = sparse.csr_matrix((size, size), dtype=np.int64)
    for offset in range(1, WINDOW + 1):
        together = together[:-1] & word[offset:]
        places = ids[:-offset][together], ids[offset:][together]
        ones = np.ones(places[0].size, np.int64)
        total = total + sparse.coo_matrix((ones, places), shape=(size, size)).tocsr()
    return (total + total.T).tocsr()


def _svd_race(weights: SparseMatrix) -> dict[str, Any]:
    import numpy as np

    from minilm.embeddings import svd

    def ours(iterations: int = ITERATIONS) -> np.ndarray:
        rng = np.random.default_rng(0)
        return svd.truncated_svd(
            weights, RANK, rng=rng, oversample=OVERSAMPLE, iterations=iterations
        )[1]

    racers: dict[str, Callable[[], object]] = {"minilm": ours}
    if _import("scipy") is None or _import("sklearn") is None:
        return {"seconds": _medians(racers)}
    from scipy import sparse
    from sklearn.utils.extmath import randomized_svd

    double = sparse.csr_matrix(
        (weights.values, (weights.rows, weights.columns)), shape=(weights.size, weights.size)
    )

    def theirs(matrix: Any) -> np.ndarray:
        return randomized_svd(
            matrix, RANK, n_oversamples=OVERSAMPLE, n_iter=ITERATIONS, random_state=0
        )[1]

    single = double.astype(np.float32)
    racers["scikit-learn, double precision"] = lambda: theirs(double)
    racers["scikit-learn, single precision"] = lambda: theirs(single)
    seconds = _medians(racers)
    converged, mine, other = ours(iterations=40), ours(), theirs(double)
    return {
        "seconds": seconds,
        "ratio": {
            f"{kind} precision": seconds[f"scikit-learn, {kind} precision"] / seconds["minilm"]
            for kind in ("double", "single")
        },
        "largest_relative_difference": float(np.abs(mine / other - 1).max()),
        "largest_error": {
            "minilm": float(np.abs(mine / converged - 1).max()),
            "sklearn": float(np.abs(other / converged - 1).max()),
        },
    }


def _large_text(gigabytes: float) -> dict[str, Any]:
    """Count a generated file as a user would: its words, then their company, never held whole."""
    from minilm.data.documents import read_documents
    from minilm.embeddings import cooccurrence
    from minilm.text.words import Vocabulary, WordTokenizer

    if not 0 < gigabytes <= 100:
        raise OptionError(f"--text-gb: {gigabytes}; it must be above 0 and at most 100")
    tokenizer = WordTokenizer()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.txt"
        words = _write_text(path, int(gigabytes * 1e9))
        start = time.perf_counter()
        vocabulary = Vocabulary.from_documents(
            map(tokenizer.tokenize, read_documents([path], unit="lines")),
            max_size=LARGE_TEXT_VOCABULARY,
        )
        middle = time.perf_counter()
        counts = cooccurrence.count_chunks(
            (
                vocabulary.encode(tokenizer.tokenize(text))
                for text in read_documents([path], unit="lines")
            ),
            WINDOW,
            len(vocabulary),
        )
        return {
            "bytes": path.stat().st_size,
            "words": words,
            "vocabulary": len(vocabulary),
            "window": WINDOW,
            "pairs_of_words": counts.keys.size,
            "vocabulary_seconds": middle - start,
            "count_seconds": time.perf_counter() - middle,
            "peak_gb": _peak_gigabytes(),
        }


def _write_text(path: Path, size: int) -> int:
    """Write about `size` bytes, 20 words a line, drawn by Zipf's law; return how many words."""
    import numpy as np

    letters = itertools.chain.from_iterable(
        itertools.product(string.ascii_lowercase, repeat=n) for n in itertools.count(2)
    )
    types = ["".join(word) for word in itertools.islice(letters, LARGE_TEXT_TYPES)]
    rng = np.random.default_rng(0)
    cumulative = np.cumsum(_zipf(LARGE_TEXT_TYPES))
    words = 0
    with open(path, "w", encoding="ascii", newline="\n") as file:
        while file.tell() < size:
            drawn = np.searchsorted(cumulative, rng.random((5_000, 20)), side="right")
            rows = np.minimum(drawn, LARGE_TEXT_TYPES - 1).tolist()
            file.writelines(" ".join([types[i] for i in row]) + "\n" for row in rows)
            words += drawn.size
    return words


def _peak_gigabytes() -> float | None:
    """Return the greatest resident memory of this process so far; None where Python cannot tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e9 if sys.platform == "darwin" else peak * 1024 / 1e9
