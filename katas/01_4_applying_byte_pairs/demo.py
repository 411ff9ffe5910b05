"""A word on its way through merges, half a character, and what a text costs in other scripts."""

from __future__ import annotations

from itertools import pairwise

from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.course.demos import Course
from minilm.text import merges
from minilm.text.bpe import BytePairTokenizer

CHARACTERS = 50_000  # of the corpus
SIZE = 456
TEXTS = {
    "English": "The sailor drinks a cup of hot tea.",
    "German": "Der Seemann trinkt eine Tasse heißen Tee.",
    "Greek": "Ο ναύτης πίνει ένα φλιτζάνι ζεστό τσάι.",
    "Japanese": "船乗りは熱いお茶を一杯飲む。",
}


def run(course: Course) -> None:
    """Print a word by hand, a character cut in two, and the cost of scripts; draw it."""
    by_hand()
    text = (resources.corpora_dir() / "general.txt").read_text(encoding="utf-8")[:CHARACTERS]
    tokenizer = BytePairTokenizer.train([text], SIZE)
    for word in (" the", " teapot", " Budapest", "the"):
        shown = "|".join(tokenizer.decode([i]) for i in tokenizer.encode(word))
        print(f"  {word!r:12} {shown}")
    halves(tokenizer)
    course.picture(draw(costs(tokenizer)), "scripts")


def by_hand() -> None:
    """Two merges whose order decides."""
    pairs = [("o", "t"), ("p", "o"), ("ot", "s")]
    tokens = [*"post", *("".join(pair) for pair in pairs)]
    ids = {token: i for i, token in enumerate(tokens)}
    ranks = {(ids[a], ids[b]): rank for rank, (a, b) in enumerate(pairs)}
    joined = [ids[a + b] for a, b in pairs]
    print(f"merges: {', '.join(' '.join(pair) for pair in pairs)}")
    for word in ("pots", "post", "stop"):
        found = merges.apply([ids[letter] for letter in word], ranks, joined)
        left_to_right = greedy(list(word), pairs)
        print(f"  {word}   by rank {'|'.join(tokens[i] for i in found):8}", end="")
        print(f"   left to right {'|'.join(left_to_right)}")


def greedy(parts: list[str], pairs: list[tuple[str, str]]) -> list[str]:
    """Join whatever comes first in the word: not what merges mean."""
    for i, pair in enumerate(pairwise(parts)):
        if pair in pairs:
            return greedy([*parts[:i], "".join(pair), *parts[i + 2 :]], pairs)
    return parts


def halves(tokenizer: BytePairTokenizer) -> None:
    """Decode the tokens of one character together, and one by one."""
    ids = tokenizer.encode("茶")
    print(f"one character, {len(ids)} tokens")
    print(f"  together    {tokenizer.decode(ids)!r}")
    print(f"  one by one  {[tokenizer.decode([i]) for i in ids]}")


def costs(tokenizer: BytePairTokenizer) -> dict[str, tuple[int, int, int]]:
    """Return characters, bytes and tokens of one sentence in several languages."""
    found = {}
    print("            characters   bytes   tokens   comes back")
    for name, text in TEXTS.items():
        ids = tokenizer.encode(text)
        same = "yes" if tokenizer.decode(ids) == text else "no"
        found[name] = (len(text), len(text.encode()), len(ids))
        print(f"  {name:10}{len(text):10}{found[name][1]:8}{len(ids):9}   {same:>10}")
    return found


def draw(found: dict[str, tuple[int, int, int]]) -> Figure:
    """Draw the tokens of a character."""
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    axes = figure.subplots()
    rates = [tokens / characters for characters, _, tokens in found.values()]
    bars = axes.bar(list(found), rates, color=drawing.COLORS[0])
    axes.bar_label(bars, [f"{rate:.2f}" for rate in rates], padding=3)
    axes.set(
        title="the same sentence, with merges learned from English",
        ylabel="tokens for each character",
        ylim=(0, 1.15 * max(rates)),
    )
    return figure
