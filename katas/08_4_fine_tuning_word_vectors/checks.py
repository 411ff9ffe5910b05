"""Cases of word vectors that learn: words that come twice, in one text and in several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.classify.tuned_vectors import TunedVectorsClassifier, flatten
from minilm.course.cases import Call, Case
from minilm.nn import gradcheck

_RETURNS = ("loss", "d_weights", "d_bias", "d_departures")
_TEXTS = [[4, 2], [0, 1, 2, 2, 6], [3], [2, 5, 0], [6, 6, 1, 4]]


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases: U = 7 words, D = 3, K = 4 by default."""
    plain = _inputs(rng, _TEXTS, 7, 3, 4)
    examples = {
        "five texts, seven words": plain,
        "no penalties": {**plain, "l2": 0.0, "vector_l2": 0.0},
        "a penalty on the departures alone": {**plain, "l2": 0.0},
        "vectors that have not moved": {**plain, "departures": np.zeros((7, 3))},
        "a text without a word": _inputs(rng, [[1, 0], [], [3, 3, 2]], 4, 2, 3),
        "one text of one word": _inputs(rng, [[0]], 1, 4, 2),
        "as many words as numbers and classes": _inputs(rng, [[0, 1], [2, 2], [1]], 3, 3, 3),
        "a word of no text": _inputs(rng, [[0, 4], [1, 1, 0]], 6, 3, 2),
    }
    for name, inputs in examples.items():
        yield Call("loss_and_gradient", inputs, returns=_RETURNS, name=name)


def _inputs(
    rng: np.random.Generator, texts: list[list[int]], words: int, width: int, classes: int
) -> dict[str, Any]:
    return {
        "weights": rng.standard_normal((width, classes)),
        "bias": rng.standard_normal(classes),
        "departures": 0.5 * rng.standard_normal((words, width)),
        "start": rng.standard_normal((words, width)) + 0.5,
        "tokens": flatten([np.array(ids, int) for ids in texts], words),
        "labels": rng.permutation(np.arange(len(texts)) % classes),
        "l2": 0.7,
        "vector_l2": 1.6,
    }


def slopes_of_the_loss(f: Any, rng: np.random.Generator) -> str | None:
    """Compare the gradients with central differences of the learner's own loss."""
    inputs = _inputs(rng, _TEXTS, 7, 3, 4)

    def loss(**moved: Any) -> float:
        return float(f.loss_and_gradient(**{**inputs, **moved})[0])

    names = ("weights", "bias", "departures")
    gradients = dict(zip(names, f.loss_and_gradient(**inputs)[1:], strict=True))
    found = gradcheck.element_errors(loss, {name: inputs[name] for name in names}, gradients)
    return None if not found else f"your gradient is not the slope of your loss: {found[0]}"


def unseen_words_stay(f: Any, rng: np.random.Generator) -> str | None:
    """Look at the gradient of a word that is in no text, before it has moved."""
    inputs = _inputs(rng, [[0, 4], [1, 1, 0]], 6, 3, 2) | {"departures": np.zeros((6, 3))}
    if f.loss_and_gradient(**inputs)[3][5].any():
        return "word 5 is in no text, so nothing depends on it, but it has a gradient"
    return None


PROPERTIES = {
    "the gradient is the slope of the loss": slopes_of_the_loss,
    "a word of no text has no gradient": unseen_words_stay,
}


def whole_model() -> dict[str, Any]:
    """Fit a classifier for some steps."""
    rng = np.random.default_rng(6)
    vectors = rng.standard_normal((7, 3))
    texts = [np.array(ids) for ids in _TEXTS]
    model = TunedVectorsClassifier(vectors, l2=0.1, vector_l2=0.2, max_iterations=6)
    model.fit(texts, np.array([0, 1, 0, 1, 0]))
    return {"the loss after six steps": model.loss_, "the vectors after six steps": model.vectors_}


def _steps(**inputs: Any) -> dict[str, Any]:
    tokens, vectors = inputs["tokens"], inputs["start"] + inputs["departures"]
    x = np.zeros((len(inputs["labels"]), vectors.shape[1]))
    np.add.at(x, tokens.documents, tokens.shares[:, None] * vectors[tokens.words])
    return {
        "vectors": vectors,
        "x": x,
        "means": x,
        "logits": x @ inputs["weights"] + inputs["bias"],
    }


STEPS = {"loss_and_gradient": _steps}
