"""Cases of applying merges: ranks against positions, runs, bytes of all scripts, broken bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case
from minilm.errors import InputError, OptionError
from minilm.text import merges
from minilm.text.bpe import BytePairTokenizer

_PIECES = {
    "ASCII": " the tea",
    "an accent, two bytes": "caf\u00e9s",
    "three bytes a character": "\u8336\u8336\u306b",
    "four bytes a character": "ok \U0001f44d\U0001f44d",
    "nothing": "",
}
# Other ids than the bytes' own, as in GPT-2, where "!" comes first.
_BYTE_IDS = [(7 * byte + 3) % 256 for byte in range(256)]


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases of the three functions."""
    yield from _applied(rng)
    ranks, joined = _byte_merges(_BYTE_IDS)
    for name, piece in _PIECES.items():
        inputs = {"piece": piece, "byte_ids": _BYTE_IDS, "ranks": ranks, "joined": joined}
        yield Call("encode", inputs, returns="ids", name=f"{name}: {piece!a}")
    lone = {"piece": "tea \ud800", "byte_ids": _BYTE_IDS, "ranks": ranks, "joined": joined}
    yield Call("encode", lone, returns="ids", raises=InputError, name="a lone surrogate")

    tokens = {i: bytes([byte]) for byte, i in enumerate(_BYTE_IDS)}
    tokens |= {256: b" the", 257: b" t", 258: "\u8336".encode()[:2], 259: b"\xa9s"}
    of = dict(zip(range(256), _BYTE_IDS, strict=True))
    texts = {
        "tokens of whole characters": [256, 257, of[0x65], of[0x61]],
        "a character cut in two tokens": [of[0x63], of[0xC3], 259, 258, of[0xB6], of[0x21]],
        "half a character at the end": [256, 258],
        "bytes that are never UTF-8": [of[0x61], of[0xFF], of[0x62], 259],
        "no tokens": [],
    }
    for name, ids in texts.items():
        inputs = {"ids": ids, "token_bytes": tokens}
        yield Call("decode", inputs, returns="text", name=name)
    for missing in (260, -1):
        inputs = {"ids": [256, missing], "token_bytes": tokens}
        yield Call("decode", inputs, raises=OptionError, name=f"the id {missing}")


def _applied(rng: np.random.Generator) -> Iterator[Case]:
    examples: dict[str, tuple[list[int], dict[tuple[int, int], int], list[int]]] = {
        "two merges": ([0, 1, 2, 0, 1], {(1, 2): 0, (0, 1): 1}, [3, 4]),
        "a later pair comes first in the word": (
            [5, 6, 7, 5, 6],
            {(6, 7): 0, (5, 6): 1, (9, 5): 2},
            [9, 8, 10],
        ),
        "a chain of merges": ([2, 0, 1, 3], {(0, 1): 0, (2, 4): 1, (5, 3): 2}, [4, 5, 6]),
        "runs of one symbol": ([1, 1, 1, 0, 1, 1, 1, 1, 1], {(1, 1): 0, (2, 1): 1}, [2, 3]),
        "the same pair four times": ([3, 4, 3, 4, 5, 3, 4, 3, 4], {(3, 4): 0, (6, 6): 1}, [6, 7]),
        "nothing to join": ([2, 1, 0, 2], {(0, 1): 0}, [3]),
        "one symbol": ([2], {(0, 1): 0}, [3]),
        "no symbols": ([], {(0, 1): 0}, [3]),
    }
    for name, (ids, ranks, joined) in examples.items():
        inputs = {"ids": ids, "ranks": ranks, "joined": joined}
        yield Call("apply", inputs, returns="tokens", name=name)
    letters = list("abcd")
    for number in range(3):
        words = {"".join(rng.choice(letters, 9)): int(rng.integers(1, 9)) for _ in range(9)}
        tokens, pairs = merges.learn(words, letters, 18)
        ids = {token: i for i, token in enumerate(tokens)}
        inputs = {
            "ids": [int(i) for i in rng.integers(0, 4, 30)],
            "ranks": {(ids[a], ids[b]): rank for rank, (a, b) in enumerate(pairs)},
            "joined": [ids[a + b] for a, b in pairs],
        }
        yield Call("apply", inputs, returns="tokens", name=f"learned merges ({number + 1})")


def _byte_merges(byte_ids: Sequence[int]) -> tuple[dict[tuple[int, int], int], list[int]]:
    """Return merges over bytes: of English, and of the halves of other characters."""
    steps = [b" t", b"he", b" the", b"\xc3\xa9", b"\xe8\x8c", b"\xf0\x9f", b"ea"]
    ids = {bytes([byte]): i for byte, i in enumerate(byte_ids)}
    ranks, joined = {}, []
    for rank, step in enumerate(steps):
        cut = next(i for i in range(len(step) - 1, 0, -1) if {step[:i], step[i:]} <= ids.keys())
        ranks[ids[step[:cut]], ids[step[cut:]]] = rank
        ids[step] = 256 + rank
        joined.append(256 + rank)
    return ranks, joined


def every_text_comes_back(f: Any, rng: np.random.Generator) -> str | None:
    """Encode characters of all kinds, and decode the ids."""
    ranks, joined = _byte_merges(_BYTE_IDS)
    token_bytes = {i: bytes([byte]) for byte, i in enumerate(_BYTE_IDS)}
    for (left, right), rank in ranks.items():
        token_bytes[joined[rank]] = token_bytes[left] + token_bytes[right]
    characters = [*"the \x00\n\u00e9\u8336", "\U0001f44d", "\u0301", "\ufffd"]
    for _ in range(20):
        text = "".join(rng.choice(characters, 12))
        back = f.decode(f.encode(text, _BYTE_IDS, ranks, joined), token_bytes)
        if back != text:
            return f"decode(encode(text)) must be the text, but {text!a} became {back!a}"
    return None


def ids_are_looked_at_once(f: Any, rng: np.random.Generator) -> str | None:
    """Decode ids that come one by one, as from a model."""
    back = f.decode(iter([1, 0]), {0: b"a", 1: b"te"})
    return None if back == "tea" else f"ids may come from an iterator, one by one; yours: {back!r}"


PROPERTIES = {
    "every text comes back": every_text_comes_back,
    "an iterator will do": ids_are_looked_at_once,
}


def whole_model() -> dict[str, Any]:
    """Train a tokenizer, and go from texts to ids and back."""
    texts = [
        "The warm soup pleased the hungry guests, and the soup was warm.",
        "The caf\u00e9's tables are warm: the sailors eat their soup there.",
    ]
    tokenizer = BytePairTokenizer.train(texts, 300, ["<|end|>"])
    ids = tokenizer.encode(f"{texts[0]}<|end|>\u8336 \U0001f44d")
    return {"the ids of a text": ids, "the text that comes back": tokenizer.decode(ids)}
