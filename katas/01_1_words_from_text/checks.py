"""Cases of the word tokenizer: punctuation, digits, scripts, numerals that are not letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Case, Use

# Named separately, so that of two mistakes in one answer the first is reported by itself.
_TEXTS = {
    "words": {
        "capitals": "The Sea, the sea; THE SEA!",
        "apostrophes": "It's just one o'clock, and the sailors\u2019 soup isn't warm.",
        "hyphens, dashes and slashes": "A well-known tea—milk, and/or sugar—shop.",
        "single letters": "I am a b, c.",
        "no text": "",
    },
    "words beside other characters": {
        "digits and underscores": "In 2024 the 3rd file_name was covid19_b2.",
        "lines and tabs": "\n  one\ttwo\r\n\r\nthree  \n",
        "an address": "write to anna.b@post.example (or call)",
        "no words": " ... 42 ?!",
    },
    "words of any script": {
        "letters of other scripts": "The émigré naïve Åsa said: Чай, τσάι, 茶, Straße.",
        "numerals that are not letters": "x²y costs Ⅷ or ½; H₂O ٣",
    },
}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases."""
    for returns, texts in _TEXTS.items():
        for name, text in texts.items():
            yield _case(text, returns, name=name)
    characters = np.array(list("aAbZéß 's-_3².\n"))
    for number in range(3):
        text = "".join(rng.choice(characters, 80))
        yield _case(text, "words of any script", name=f"random characters ({number + 1})")
    stopped = {
        "stop words": (
            "The theory: not THE notes, but the tea. Tea is not for them.",
            {"the", "not", "tea"},
        ),
        "stop words of another language": (
            "Le théâtre, où est LE thé? Le thé est ici.",
            {"le", "thé"},
        ),
    }
    for name, (text, stop_words) in stopped.items():
        yield _case(text, "words without stop words", frozenset(stop_words), name=name)


def _case(text: str, returns: str, stop_words: frozenset[str] | None = None, *, name: str) -> Case:
    inputs = {"text": text, "stop_words": stop_words}
    return Use("WordTokenizer", tokenized, inputs, returns=returns, name=f"{name}: {text[:40]!r}")


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
