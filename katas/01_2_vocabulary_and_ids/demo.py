"""A sentence as ids and back, and how much of a text a vocabulary of each size covers."""

from __future__ import annotations

from collections import Counter

from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.course.demos import Course
from minilm.text.words import Vocabulary, WordTokenizer

CHARACTERS = 1_000_000  # of the corpus
SIZES = (10, 100, 1000, 5000)
UNKNOWN = "<unk>"


def run(course: Course) -> None:
    """Print the example by hand, sizes and what is unknown in new text; draw the coverage."""
    by_hand()
    text = (resources.corpora_dir() / "general.txt").read_text(encoding="utf-8")[:CHARACTERS]
    words = WordTokenizer().tokenize(text)
    first, rest = words[: len(words) * 9 // 10], words[len(words) * 9 // 10 :]
    known, new = coverage(first, rest)
    course.picture(draw(known, new), "coverage")


def by_hand() -> None:
    """One sentence, with and without an unknown token."""
    tea = "the tea was hot and the cup was hot".split()
    question = "the soup was hot".split()
    for unknown in (None, UNKNOWN):
        vocabulary = Vocabulary.from_counts(Counter(tea), min_count=2, unknown=unknown)
        ids = vocabulary.encode(question)
        print(f"words  {' '.join(vocabulary.words)}")
        print(f"  {' '.join(question)}  ->  {ids}")
        print(f"  and back:  {' '.join(vocabulary.decode(ids))}")


def coverage(first: list[str], rest: list[str]) -> tuple[dict[int, float], dict[int, float]]:
    """Return the share of known words by size: in the text that was counted, and in new text."""
    counts = Counter(first)
    print(f"{len(first)} words, {len(counts)} different ones")
    print("   size    known here    known in new text")
    known, new = {}, {}
    for size in (*SIZES, len(counts)):
        vocabulary = Vocabulary.from_counts(counts, max_size=size)
        known[size] = len(vocabulary.encode(first)) / len(first)
        new[size] = len(vocabulary.encode(rest)) / len(rest)
        print(f"  {size:5}   {known[size]:10.1%}   {new[size]:16.1%}")
    missing = Counter(word for word in rest if word not in counts)
    rare = Vocabulary.from_counts(missing, max_size=4)
    print(f"{len(missing)} words of the new text were never seen")
    print(f"  the most frequent: {' '.join(rare.words)}")
    return known, new


def draw(known: dict[int, float], new: dict[int, float]) -> Figure:
    """Draw both shares against the size."""
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    axes = figure.subplots()
    for name, shares, color, marker in (
        ("in the text that was counted", known, drawing.COLORS[0], "o"),
        ("in new text", new, drawing.COLORS[1], "s"),
    ):
        axes.semilogx(
            list(shares), list(shares.values()), color=color, marker=marker, linewidth=3, label=name
        )
    axes.set(
        title="what a vocabulary covers",
        xlabel="number of words, the most frequent first",
        ylabel="share of the text that is known",
        ylim=(0, 1.02),
    )
    axes.grid(True, color="#dddddd")
    axes.legend(loc="lower right")
    return figure
