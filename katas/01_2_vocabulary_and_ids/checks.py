"""Cases of the vocabulary: ties, minimum counts, a limit, an unknown token that is in the text."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minilm.course.cases import Case, Use
from minilm.errors import OptionError

_UNKNOWN = "<unk>"
_WORDS = "the tea was hot and the cup was hot but the tea was not the cup nor tea the end".split()
_SENTENCE = ["the", "soup", "was", "hot", "hot", "the", "unk"]


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases: what is kept first, then words to ids, ids to words, and refusals."""
    few = {"a": 2, "d": 5, "c": 3, "b": 7}
    tied = Counter(_WORDS)
    with_unknown = {**tied, _UNKNOWN: 2}
    drawn = {f"w{i}": int(n) for i, n in enumerate(rng.integers(1, 6, 40))}
    yield _kept(few, name="four words, all counts different")
    yield _kept(tied, name="equal counts")
    yield _kept(tied, min_count=2, name="minimum count 2")
    yield _kept(tied, max_size=4, name="at most 4")
    yield _kept(few, unknown=_UNKNOWN, name="an unknown token, nothing left out")
    yield _kept(tied, unknown=_UNKNOWN, min_count=3, name="an unknown token, minimum count 3")
    yield _kept(tied, unknown=_UNKNOWN, max_size=3, name="an unknown token, at most 3")
    yield _kept(
        drawn, unknown=_UNKNOWN, min_count=2, max_size=25, name="40 words, minimum 2, at most 25"
    )
    yield _kept(
        with_unknown, unknown=_UNKNOWN, min_count=2, name="a text that has the unknown token"
    )
    yield _kept(tied, unknown=_UNKNOWN, max_size=1, name="room for the unknown token only")
    yield _kept({}, name="no words")
    documents = [_WORDS[:8], [], _WORDS[8:]]
    yield _counted(documents, min_count=3, name="three documents, minimum count 3")
    yield _counted(documents, max_size=4, name="three documents, at most 4")

    made = {
        "no unknown token": (["the", "tea", "hot", "was"], None),
        "an unknown token with id 0": ([_UNKNOWN, "the", "hot", "was"], _UNKNOWN),
        "an unknown token with id 2": (["the", "was", _UNKNOWN, "hot"], _UNKNOWN),
    }
    for name, (words, unknown) in made.items():
        yield _encoded(words, unknown, _SENTENCE, name=f"{name}: {' '.join(_SENTENCE)}")
        yield _encoded(words, unknown, [], name=f"{name}: no words to encode")
    for name, (words, unknown) in made.items():
        yield _decoded(words, unknown, [1, 0, 3, 3, 2], name=name)

    for least in (0, -1):
        yield _kept(few, min_count=least, raises=OptionError, name=f"minimum count {least}")
    for most in (0, -3):
        yield _kept(few, max_size=most, raises=OptionError, name=f"at most {most}")
    for ids in ([0, 4], [9], [2, -1]):
        yield _decoded(*made["no unknown token"], ids, raises=OptionError, name=f"ids {ids} of 4")
    given = {
        "a word twice": (["a", "b", "a"], [1, 1, 1], None),
        "fewer counts than words": (["a", "b"], [1], None),
        "an unknown token that is no word": (["a", "b"], [1, 1], _UNKNOWN),
    }
    for name, (words, counts, unknown) in given.items():
        inputs = {"words": words, "counts": counts, "unknown": unknown}
        yield Use("Vocabulary", _made, inputs, raises=OptionError, name=name)


def _kept(counts: dict[str, int], *, name: str, raises: Any = None, **options: Any) -> Case:
    inputs = {"counts": dict(counts), "options": options}
    returns = ("words", "counts", "the unknown token")
    return Use("Vocabulary", _from_counts, inputs, returns=returns, name=name, raises=raises)


def _from_counts(vocabulary: Any, counts: dict[str, int], options: dict[str, Any]) -> Any:
    made = vocabulary.from_counts(Counter(counts), **options)
    return None if made is None else (made.words, made.counts, made.unknown)


def _counted(documents: list[list[str]], *, name: str, **options: Any) -> Case:
    inputs = {"documents": documents, "options": options}
    returns = ("words", "counts", "the unknown token")
    return Use("Vocabulary", _from_documents, inputs, returns=returns, name=name)


def _from_documents(
    vocabulary: Any, documents: Sequence[Sequence[str]], options: dict[str, Any]
) -> Any:
    made = vocabulary.from_documents(documents, unknown=_UNKNOWN, **options)
    return None if made is None else (made.words, made.counts, made.unknown)


def _encoded(words: list[str], unknown: str | None, text: list[str], *, name: str) -> Case:
    inputs = {"words": words, "unknown": unknown, "text": text}
    return Use("Vocabulary", _encode, inputs, returns="ids", name=name)


def _encode(vocabulary: Any, words: list[str], unknown: str | None, text: list[str]) -> Any:
    return vocabulary(words, [1] * len(words), unknown).encode(text)


def _decoded(words: list[str], unknown: str | None, ids: list[int], **about: Any) -> Case:
    inputs = {"words": words, "unknown": unknown, "ids": ids}
    return Use("Vocabulary", _decode, inputs, returns="decoded words", **about)


def _decode(vocabulary: Any, words: list[str], unknown: str | None, ids: list[int]) -> Any:
    return vocabulary(words, [1] * len(words), unknown).decode(ids)


def _made(vocabulary: Any, **inputs: Any) -> Any:
    return vocabulary(**inputs).words


def words_come_back(f: Any, rng: np.random.Generator) -> str | None:
    """Encode known words, and decode the ids."""
    vocabulary = f.Vocabulary.from_counts(Counter(_WORDS))
    back = vocabulary.decode(vocabulary.encode(_WORDS))
    if back != _WORDS:
        return f"known words should come back as they were: {_WORDS[:4]} became {back[:4]}"
    return None


def words_are_looked_at_once(f: Any, rng: np.random.Generator) -> str | None:
    """Encode words that come one by one, as from a file."""
    vocabulary = f.Vocabulary(["tea", "cup"], [3, 2])
    found = vocabulary.encode(iter(["cup", "of", "tea"])), vocabulary.decode(iter([1, 0]))
    if found != ([1, 0], ["cup", "tea"]):
        return f"words and ids may come from an iterator, one by one; yours gives {found}"
    return None


def a_file_gives_the_same(f: Any, rng: np.random.Generator) -> str | None:
    """Save, load, and ask for what is given."""
    before = f.Vocabulary(["tea", "cup"], [3, 2], "cup")
    with tempfile.TemporaryDirectory() as folder:
        before.save(Path(folder) / "vocabulary.json")
        after = f.Vocabulary.load(Path(folder) / "vocabulary.json")
    same = (after.words, after.counts, after.unknown) == (("tea", "cup"), (3, 2), "cup")
    asked = (len(after), "cup" in after, "soup" in after) == (2, True, False)
    return None if same and asked else "a vocabulary that was saved and loaded is another one"


PROPERTIES = {
    "known words come back": words_come_back,
    "an iterator will do": words_are_looked_at_once,
    "a file gives the same": a_file_gives_the_same,
}
