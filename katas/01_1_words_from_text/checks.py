"""Cases of the word tokenizer: punctuation, digits, scripts, numerals that are no letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Case, Use

_TEXTS = {
    "capitals": "The Sea, the sea; THE SEA!",
    "apostrophes": "It's 3 o'clock, and the sailors\u2019 soup isn't warm.",
    "hyphens, dashes and slashes": "A well-known tea—milk, and/or sugar—shop.",
    "digits and underscores": "In 2024 the 3rd file_name was covid19_b2.",
    "letters of other scripts": "The émigré naïve Åsa said: Чай, τσάι, 茶, Straße.",
    "numerals that are no letters": "x²y costs Ⅷ or ½; H₂O ٣",
    "lines and tabs": "\n  one\ttwo\r\n\r\nthree  \n",
    "an address": "write to anna.b@post.example (or call)",
    "no text": "",
    "no words": " ... 42 ?!",
    "single letters": "I am a b, c.",
}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases."""
    for name, text in _TEXTS.items():
        yield _case(text, name=name)
    stopped = "The theory: not THE notes, but the tea. Tea is not for them."
    yield _case(stopped, stop_words=frozenset({"the", "not", "tea"}), name="stop words")
    yield _case(
        "Le théâtre, où est LE thé? Le thé est ici.",
        stop_words=frozenset({"le", "thé"}),
        name="stop words of another language",
    )
    characters = np.array(list("aAbZéß 's-_3².\n"))
    for number in range(3):
        text = "".join(rng.choice(characters, 80))
        yield _case(text, name=f"80 random characters ({number + 1})")


def _case(text: str, stop_words: frozenset[str] | None = None, *, name: str) -> Case:
    inputs = {"text": text, "stop_words": stop_words}
    return Use("WordTokenizer", tokenized, inputs, returns="words", name=f"{name}: {text[:40]!r}")


def tokenized(tokenizer: Any, text: str, stop_words: frozenset[str] | None) -> Any:
    """Make a tokenizer, and tokenize with it."""
    made = tokenizer() if stop_words is None else tokenizer(stop_words)
    return made.tokenize(text)


def words_are_letters(f: Any, rng: np.random.Generator) -> str | None:
    """Tokenize every character of the first 10,000, one by one."""
    tokenizer = f.WordTokenizer()
    for number in range(10_000):
        character = chr(number)
        # A capital that becomes two characters (as the dotted I of Turkish) is its own story.
        if len(character.lower()) > 1:
            continue
        words = tokenizer.tokenize(f"a {character} b")
        expected = ["a", character.lower(), "b"] if character.isalpha() else ["a", "b"]
        if words != expected:
            kind = "a letter" if character.isalpha() else "no letter"
            return f"{character!r} (U+{number:04X}) is {kind}, but 'a {character} b' gives {words}"
    return None


def words_stay_words(f: Any, rng: np.random.Generator) -> str | None:
    """Tokenize the words again, with spaces between them."""
    tokenizer = f.WordTokenizer()
    words = tokenizer.tokenize("We've seen 12 well-known films; the Café on 5th Street too.")
    again = tokenizer.tokenize(" ".join(words))
    if again != words:
        return f"words that are tokenized again should stay as they are: {words} became {again}"
    return None


PROPERTIES = {
    "letters and nothing else": words_are_letters,
    "words stay words": words_stay_words,
}
