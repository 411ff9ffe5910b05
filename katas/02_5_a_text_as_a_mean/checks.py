"""Cases of means: texts of all lengths, none at all, repeated words; counts that may be zero."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case
from minilm.embeddings import documents, similarity
from minilm.text.words import Vocabulary, WordTokenizer


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases of the means, then those of the weights."""
    vectors = rng.standard_normal((7, 3)) + 0.5
    texts = [[0, 2, 5], [6, 1], [3, 4, 2, 1]]
    groups: dict[str, Any] = {
        "texts of 3, 2 and 4 words": texts,
        "repeated words": [[1, 1, 4], [5, 0, 5, 5, 2], [6]],
        "a text without words": [[2, 3], [], [0, 0, 6], []],
        "ids as arrays": [np.array([4, 0, 3, 3]), np.array([], np.int64), np.array([6, 5])],
        "ids as tuples": [(2, 6), (0, 4, 1)],
        "no texts": [],
    }
    for name, group in groups.items():
        inputs = {"documents": group, "vectors": vectors}
        yield Call("mean_vectors", inputs, returns="means", name=name)
    square = {"documents": [[0, 1], [1, 2, 3], [3, 0, 0, 2]], "vectors": vectors[:4, :3]}
    yield Call("mean_vectors", square, returns="means", name="another table")
    single = {"documents": texts, "vectors": vectors.astype(np.float32)}
    yield Call("mean_vectors", single, returns="means", name="float32", tolerance=1e-5)

    counts = [int(n) for n in rng.integers(1, 400, 6)]
    yield Call("frequency_weights", {"counts": counts}, returns="weights", name="six words")
    yield Call("frequency_weights", {"counts": counts, "a": 0.2}, returns="weights", name="a = 0.2")
    others = {
        "a word that never occurs": [12, 0, 3],
        "nothing was counted": [0, 0, 0, 0],
        "no words": [],
        "a tuple of counts": (5, 1, 1, 9, 2),
        "one word": [8],
        "one occurrence": [0, 1, 0],
    }
    for name, numbers in others.items():
        inputs = {"counts": numbers, "a": 0.05}
        yield Call("frequency_weights", inputs, returns="weights", name=name)


def order_does_not_count(f: Any, rng: np.random.Generator) -> str | None:
    """Turn a text around."""
    vectors, ids = rng.standard_normal((9, 4)), [int(i) for i in rng.integers(0, 9, 6)]
    one, other = f.mean_vectors([ids, ids[::-1]], vectors)
    if not np.allclose(one, other):
        return "the same words in another order should have the same mean"
    return None


PROPERTIES = {"the order of the words does not count": order_does_not_count}

_TEXTS = (
    "The warm soup pleased the hungry guests.",
    "A cold stew annoyed the sailor; he left.",
    "3 + 4",
    "The sailor eats the soup, and the guests eat the stew.",
)


def whole_model() -> dict[str, Any]:
    """Go from texts to weighted means and their likeness."""
    tokens = [WordTokenizer().tokenize(text) for text in _TEXTS]
    vocabulary = Vocabulary.from_documents(tokens)
    vectors = np.random.default_rng(5).standard_normal((len(vocabulary), 6))
    weights = documents.frequency_weights(vocabulary.counts, 0.01)
    means = documents.mean_vectors(
        [vocabulary.encode(text) for text in tokens], vectors * weights[:, None]
    )
    return {"the vectors of texts": means, "their cosines": similarity.cosine(means, means)}
