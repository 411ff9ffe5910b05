"""What a tokenizer makes of sentences, and what a corpus looks like once it is words."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import Any

from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.text import words

CHARACTERS = 1_000_000  # of the corpus
SENTENCES = (
    "It's 3 o'clock: the Émigré sleeps.",
    "The soup is good, all of it.",
    "The soup is not good at all.",
)


def run(course: Any) -> None:
    """Print sentences as words, two ways to type one word, and counts of a corpus."""
    plain, stopping = words.WordTokenizer(), words.WordTokenizer(words.STOP_WORDS)
    for sentence in SENTENCES:
        print(sentence)
        print(f"  words               {' '.join(plain.tokenize(sentence))}")
        print(f"  without stop words  {' '.join(stopping.tokenize(sentence))}")
    print()
    print("two strings that look the same on the screen")
    for form in ("NFC", "NFD"):
        text = unicodedata.normalize(form, "résumé")
        print(f"  {len(text)} characters: {plain.tokenize(text)}")
    print()
    course.picture(draw(on_the_corpus(plain)), "ranks")


def on_the_corpus(tokenizer: words.WordTokenizer) -> dict[str, list[int]]:
    """Count pieces and words, and turn a sentence into ids."""
    text = (resources.corpora_dir() / "general.txt").read_text(encoding="utf-8")[:CHARACTERS]
    counts = {
        "split at spaces": Counter(text.split()),
        "words": Counter(tokenizer.tokenize(text)),
    }
    print(f"{len(text)} characters        split at spaces     words")
    rows = {
        "in all": lambda c: c.total(),
        "different ones": len,
        "of these only once": lambda c: sum(n == 1 for n in c.values()),
        "the ten most frequent": lambda c: sum(n for _, n in c.most_common(10)),
    }
    for name, of in rows.items():
        numbers = [of(counter) for counter in counts.values()]
        print(f"  {name:22} {numbers[0]:18} {numbers[1]:9}")
    found = [
        piece for piece in counts["split at spaces"] if tokenizer.tokenize(piece) == ["coffee"]
    ]
    print(f"  coffee, as pieces: {' '.join(sorted(found)[:6])} ...")
    vocabulary = words.Vocabulary.from_counts(counts["words"])
    print(f"  the first ids: {' '.join(vocabulary.words[:8])}")
    sentence = tokenizer.tokenize("Milk, warm milk!")
    print(f"  {sentence} -> {vocabulary.encode(sentence)}")
    return {name: sorted(counter.values(), reverse=True) for name, counter in counts.items()}


def draw(counts: dict[str, list[int]]) -> Figure:
    """Draw how often the word of each rank occurs."""
    figure = Figure(figsize=(10, 5.6), layout="constrained")
    axes = figure.subplots()
    for (name, numbers), color in zip(counts.items(), drawing.COLORS, strict=False):
        ranks = range(1, len(numbers) + 1)
        axes.loglog(ranks, numbers, color=color, linewidth=3, label=name)
    axes.set(title="frequent and rare", xlabel="rank", ylabel="times in the text")
    axes.grid(True, color="#dddddd")
    axes.legend()
    return figure
