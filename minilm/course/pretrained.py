"""A model that others trained, run by the learner's functions: `minilm kata plug --real`.

The weights are SmolLM2's, from the package that `store.packaged` knows. They are read with the
library's functions; then the learner's take their place, and the model answers.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from minilm.course import targets
from minilm.models import chat, language_model
from minilm.models.generate import Sampling
from minilm.models.language_model import LanguageModel
from minilm.random import generator

MODEL = "smollm2"
PROMPT = "Explain in two sentences what a neural network is."
_SAMPLING = Sampling(temperature=0.7, top_p=0.9)
_SEED = 0


@dataclass
class Answer:
    """What came of a reply.

    Attributes
    ----------
    text : str
        The reply.
    tokens : int
        Of the reply.
    seconds : float
        For the prompt and the reply.
    calls : dict of str to int
        How often each of the learner's functions was called meanwhile, by dotted path.
    places : int
        The positions of prompt and reply.
    same : int
        At how many of them the likeliest next token is the one that the library's functions give.
    parameters, layers : int
        Of the model.
    """

    text: str
    tokens: int
    seconds: float
    calls: dict[str, int]
    places: int
    same: int
    parameters: int
    layers: int


def load() -> LanguageModel:
    """Return SmolLM2.

    Raises
    ------
    ModelError
        When its package is not installed; the message says how to get it.
    """
    return language_model.load(MODEL)


def answer(functions: Mapping[str, Any], prompt: str, most: int) -> dict[str, Any]:
    """Let the model answer with the learner's functions; print the reply as it comes.

    Parameters
    ----------
    functions : mapping
        By dotted path.
    prompt : str
    most : int
        Tokens of the reply at most.

    Returns
    -------
    dict
        The fields of `Answer`.
    """
    model = load()
    talk = chat.Chat(model, _SAMPLING, max_new_tokens=most, rng=generator(_SEED, "text"))
    with plugged(functions) as calls:
        start = time.perf_counter()
        for piece in talk.reply(prompt):
            print(piece, end="", flush=True)
        print(flush=True)
        spent = time.perf_counter() - start
        counted = {path: calls[path] for path in functions}
        text = talk.messages[-1].content
        assert model.tokenizer is not None  # noqa: S101  (the chat has refused a model without)
        ids, _ = chat.encode(model.tokenizer, talk.template.segments(talk.messages))
        yours = model.logits(ids).argmax(axis=-1)
    library = model.logits(ids).argmax(axis=-1)
    found = Answer(
        text,
        len(model.tokenizer.encode(text)),
        spent,
        counted,
        len(ids),
        int(np.count_nonzero(yours == library)),
        model.gpt.parameters.flat.size,
        model.config.n_layer,
    )
    return asdict(found)


@contextlib.contextmanager
def plugged(functions: Mapping[str, Any]) -> Iterator[Counter[str]]:
    """Put functions in the library's place while the block runs, and count their calls.

    Calls among functions of one file are counted too.

    Parameters
    ----------
    functions : mapping
        By dotted path.

    Yields
    ------
    Counter
        Of calls, by dotted path; of a class, of its methods.
    """
    with targets.counted(functions) as (counted, calls), targets.replaced(counted):
        yield calls
