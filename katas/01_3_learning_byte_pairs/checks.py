"""Cases of learning merges: ties, runs of one letter, special tokens, nothing left to join."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case
from minilm.text.bpe import BytePairTokenizer


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases."""
    hugs = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
    yield _case(hugs, "bghnpsu", 10, name="five words, three merges")
    yield _case({"low": 7, "slow": 4, "lowest": 9}, "elostw", 10, name="three words, four merges")
    yield _case({"tea": 3, "eat": 3, "ate": 3}, "aet", 6, name="equal counts")
    yield _case({"tea": 3, "eat": 3, "ate": 3}, "tea", 6, name="equal counts, other ids")
    yield _case({"abxcb": 2, "xcbab": 2, "cab": 3}, "xbca", 7, name="a pair beside a longer token")
    yield _case({"aaaaa": 3, "aaab": 4, "baa": 2}, "ba", 6, name="runs of one letter")
    yield _case({"banana": 2, "ananas": 3, "nab": 9}, "nsba", 9, name="a pair twice in a word")
    yield _case({"ab": 5, "bc": 4, "cd": 1}, "abcd", 99, name="until no pair is left")
    yield _case({"the": 2, "then": 3}, ["he", "n", "e", "h", "t"], 7, name="a special token 'he'")
    yield _case(hugs, "bghnpsu", 7, name="no room for a merge")
    yield _case({"a": 3, "": 2, "b": 1}, "ab", 9, name="words without pairs")
    yield _case({}, "ab", 9, name="no words")
    for number in range(4):
        letters = [str(letter) for letter in rng.permutation(list("abcde"))]
        drawn = {
            "".join(rng.choice(list("aabcde"), rng.integers(2, 9))): int(rng.integers(1, 6))
            for _ in range(12)
        }
        yield _case(drawn, letters, 16, name=f"random words ({number + 1})")


def _case(words: Mapping[str, int], symbols: Sequence[str], vocab_size: int, *, name: str) -> Case:
    inputs = {"words": dict(words), "symbols": list(symbols), "vocab_size": vocab_size}
    return Call("learn", inputs, returns=("tokens", "merges"), name=name)


def every_merge_makes_its_token(f: Any, rng: np.random.Generator) -> str | None:
    """Look for each merge's halves among the tokens before it."""
    words = {"banana": 3, "bandana": 2, "and": 5}
    tokens, merges = f.learn(words, ["d", "n", "b", "a"], 12)
    for number, (left, right) in enumerate(merges):
        before = tokens[: 4 + number]
        if left not in before or right not in before:
            return f"merge {number + 1} joins {left!r} and {right!r}, which are not both tokens yet"
        if left + right not in tokens:
            return f"merge {number + 1} makes {left + right!r}, which is not among the tokens"
    return None


PROPERTIES = {"a merge joins tokens that exist": every_merge_makes_its_token}

_TEXTS = (
    "The warm soup pleased the hungry guests, and the soup was warm.",
    "It's 3 o'clock: the sailors eat their soup. Nobody ate the stew!",
    "The caf\u00e9's tables are warm.",
)


def whole_model() -> dict[str, Any]:
    """Train a tokenizer on a few texts, and use it."""
    tokenizer = BytePairTokenizer.train(_TEXTS, 290, ["<|end|>"])
    ids = tokenizer.encode(_TEXTS[0])
    return {
        "the merges": tokenizer.merges,
        "the vocabulary": tokenizer.vocab,
        "the ids of a text": ids,
        "the text that comes back": tokenizer.decode(ids),
    }
