"""Merges by hand, and then two hundred of them from a text, with what they save."""

from __future__ import annotations

from collections import Counter

from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.course.demos import Course
from minilm.text import byte_symbols, merges, pretokenize

CHARACTERS = 50_000  # of the corpus
MERGES = 200


def run(course: Course) -> None:
    """Print merges by hand and from a text; draw how a text gets shorter."""
    by_hand()
    words = counted()
    symbols = sorted(byte_symbols.SYMBOLS)
    tokens, pairs = merges.learn(words, symbols, len(symbols) + MERGES)
    lengths = shortened(words, pairs)
    report(words, tokens[len(symbols) :], lengths)
    course.picture(draw(lengths), "lengths")


def by_hand() -> None:
    """Three words, and what they are after each merge."""
    words = {"low": 5, "lower": 2, "slow": 3}
    symbols = list("elorsw")
    _, pairs = merges.learn(words, symbols, len(symbols) + 4)
    split = {word: list(word) for word in words}
    print(f"                 {'   '.join(' '.join(parts) for parts in split.values())}")
    for number, pair in enumerate(pairs, 1):
        split = {word: joined(parts, pair) for word, parts in split.items()}
        shown = "   ".join(" ".join(parts) for parts in split.values())
        print(f"{number}  {pair[0]:3} + {pair[1]:3}  ->  {shown}")
    for run in ("aaa", "aaaa"):
        _, pairs = merges.learn({run: 1}, ["a"], 2)
        print(f"{run}  ->  {' '.join(joined(list(run), pairs[0]))}")


def counted() -> Counter[str]:
    """Return how often each piece of the corpus occurs, spelled in bytes."""
    text = (resources.corpora_dir() / "general.txt").read_text(encoding="utf-8")[:CHARACTERS]
    return Counter(byte_symbols.spell(p.encode()) for p in pretokenize.split(text))


def joined(parts: list[str], pair: tuple[str, str]) -> list[str]:
    """Join a pair wherever it occurs, from left to right."""
    done: list[str] = []
    rest = list(parts)
    while rest:
        size = 2 if tuple(rest[:2]) == pair else 1
        done.append("".join(rest[:size]))
        del rest[:size]
    return done


def shortened(words: Counter[str], pairs: list[tuple[str, str]]) -> list[int]:
    """Return how many tokens the text has before the first merge and after each one."""
    split = {word: list(word) for word in words}
    length = sum(len(word) * n for word, n in words.items())
    lengths = [length]
    for pair in pairs:
        token = "".join(pair)
        for word in [word for word in split if token in word]:
            parts = joined(split[word], pair)
            length -= (len(split[word]) - len(parts)) * words[word]
            split[word] = parts
        lengths.append(length)
    return lengths


def report(words: Counter[str], made: list[str], lengths: list[int]) -> None:
    """Print the first tokens, the longest, and the bytes in a token."""
    print(f"{lengths[0]} bytes, {len(words)} different words")
    print(f"the first ten tokens:  {' '.join(made[:10])}")
    longest = sorted(made, key=lambda token: (-len(token), token))[:5]
    print(f"the longest of {len(made)}:    {' '.join(longest)}")
    print("merges    tokens in the text    bytes in a token")
    for number in (0, 10, 50, 100, 200):
        print(f"{number:6}    {lengths[number]:18}    {lengths[0] / lengths[number]:16.2f}")
    first = made.index("the") + 1 if "the" in made else None
    print(f"a token 'the' without a blank: {first or 'no'}")
    print(f"a token 'Ġthe' with one: number {made.index('Ġthe') + 1}")


def draw(lengths: list[int]) -> Figure:
    """Draw how the number of tokens falls."""
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([n / 1000 for n in lengths], color=drawing.COLORS[0], linewidth=3)
    axes.set(
        title="every merge makes the text shorter, the first ones most",
        xlabel="merges",
        ylabel="thousand tokens in the text",
        ylim=(0, None),
    )
    axes.grid(True, color="#dddddd")
    return figure
