"""Cases of TF-IDF: words in all, some and none of the documents; empty documents; repetitions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.classify import centroid, tfidf
from minilm.course.cases import Call, Case

_DOCUMENTS = (
    "the screen is dark the screen stays dark",
    "the screen froze and the battery died",
    "the parcel is late",
    "the parcel went to the wrong door",
    "a refund for the parcel",
)
_LABELS = np.array([0, 0, 1, 1, 1])
_NEW = ("the dark battery the the", "wrong wrong door", "nothing known", "refund screen refund")


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases of the two functions."""
    frequencies = {
        "five words, nine documents": (np.array([9, 1, 4, 7, 2]), 9),
        "a word that no document has": (np.array([3, 0, 8, 5]), 12),
        "one document": (np.array([1, 1, 0]), 1),
        "many documents": (rng.integers(1, 5000, 7), 5000),
    }
    for name, (frequency, documents) in frequencies.items():
        inputs = {"document_frequency": frequency, "documents": documents}
        yield Call("inverse_frequency", inputs, returns="idf", name=name)

    idf = rng.uniform(1.0, 5.0, 6)
    counts = rng.integers(0, 3, (4, 6)) * rng.integers(1, 6, (4, 6))
    counts[:, 0] = (3, 1, 7, 2)
    empty = counts.copy()
    empty[2] = 0
    examples: dict[str, dict[str, Any]] = {
        "four documents, six words": {"counts": counts, "idf": idf},
        "as many documents as words": {"counts": rng.integers(0, 5, (6, 6)) + 1, "idf": idf},
        "a document without words": {"counts": empty, "idf": idf},
        "each word once or not at all": {"counts": (counts > 0).astype(int), "idf": idf},
        "one long document": {"counts": rng.integers(1, 300, (1, 6)), "idf": idf},
        "counts that are floats": {"counts": empty.astype(np.float64), "idf": idf},
    }
    for name, inputs in examples.items():
        yield Call("weigh", inputs, returns="weights", name=name)


def rows_have_length_one(f: Any, rng: np.random.Generator) -> str | None:
    """Measure the rows of documents that have words."""
    counts = rng.integers(0, 4, (5, 7)) + np.eye(5, 7, dtype=int)
    lengths = np.linalg.norm(f.weigh(counts, rng.uniform(1, 3, 7)), axis=1)
    worst = lengths[np.abs(lengths - 1).argmax()]
    return None if abs(worst - 1) < 1e-9 else f"a row has length {worst:.6g}, not 1"


def rarer_words_weigh_more(f: Any, rng: np.random.Generator) -> str | None:
    """Look along the frequencies 0 ... N."""
    idf = f.inverse_frequency(np.arange(9), 8)
    if not (np.diff(idf) < 0).all():
        return "a word in fewer documents must have a larger idf, but yours does not rise"
    return None


PROPERTIES = {
    "rows have length 1": rows_have_length_one,
    "rarer words weigh more": rarer_words_weigh_more,
}


def whole_model() -> dict[str, Any]:
    """Learn two subjects from five documents, and sort new ones."""
    vectorizer = tfidf.TfidfVectorizer().fit(text.split() for text in _DOCUMENTS)
    rows = vectorizer.transform(text.split() for text in _DOCUMENTS)
    model = centroid.NearestCentroid().fit(rows, _LABELS)
    new = vectorizer.transform(text.split() for text in _NEW)
    return {"the idf": vectorizer.idf_, "the rows": new, "the classes": model.predict(new)}


def _steps(counts: Any, idf: Any) -> dict[str, Any]:
    damped = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0.0)
    weights = damped * idf
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    return {"damped": damped, "tf": damped, "lengths": lengths, "norms": lengths}


STEPS = {"weigh": _steps}
