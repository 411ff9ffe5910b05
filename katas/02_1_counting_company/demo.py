"""Who stands near whom: a table by hand, then a corpus, through windows of all widths."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import resources
from minilm.embeddings import cooccurrence, similarity
from minilm.text.words import Vocabulary, WordTokenizer

SENTENCES = ("we drink warm tea", "they drink warm milk")
CHARACTERS = 600_000  # of the corpus
WINDOWS = (1, 2, 4, 8)


def run(course: Any) -> None:
    """Print counts by hand and of a corpus; draw the two tables."""
    course.picture(draw(by_hand()), "tables")
    print()
    on_the_corpus()


def by_hand() -> dict[int, tuple[tuple[str, ...], np.ndarray]]:
    """Count two sentences at two windows."""
    lines = [sentence.split() for sentence in SENTENCES]
    vocabulary = Vocabulary.from_documents(lines)
    ids = np.array([i for line in lines for i in (*vocabulary.encode(line), -1)])
    print(f"ids: {ids}")
    tables = {}
    for window in (1, 2):
        table = cooccurrence.count(ids, window, len(vocabulary)).dense()
        tables[window] = vocabulary.words, table
        print(f"window {window}    " + "".join(f"{word:>6}" for word in vocabulary.words))
        for word, row in zip(vocabulary.words, table, strict=True):
            print(f"  {word:10}" + "".join(f"{number:6}" for number in row))
        print(f"  all counts together: {table.sum()}")
    return tables


def on_the_corpus() -> None:
    """Count a corpus at four windows, and ask who keeps the company of a word."""
    text = (resources.corpora_dir() / "general.txt").read_text(encoding="utf-8")
    tokenizer = WordTokenizer()
    lines = [tokenizer.tokenize(line) for line in text[:CHARACTERS].splitlines()]
    vocabulary = Vocabulary.from_documents(lines, min_count=10)
    size = len(vocabulary)
    ids = np.array([i for line in lines for i in (*vocabulary.encode(line), -1)])
    print(f"{np.count_nonzero(ids >= 0)} places, {size} words, a table of {size * size} cells")
    print("window   all counts   cells in use   share that is 'the'")
    counts = {}
    for window in WINDOWS:
        counts[window] = matrix = cooccurrence.count(ids, window, size)
        the = matrix.values[matrix.columns == vocabulary.index["the"]].sum()
        total = matrix.values.sum()
        used = matrix.keys.size / size**2
        print(f"  {window:2}     {total:9}        {used:6.1%}           {the / total:6.1%}")
    for word in ("monday", "three"):
        i = vocabulary.index[word]
        print(f"{word}, {vocabulary.counts[i]} times in the text")
        for window in (1, 8):
            company = counts[window].dense(np.float64)
            most = np.argsort(-company[i], kind="stable")[:5]
            found = similarity.nearest(company[i], company, 4, exclude=[i])
            print(f"  window {window}  company  {_listed(vocabulary, most)}")
            print(f"            alike    {_listed(vocabulary, [j for j, _ in found])}")


def _listed(vocabulary: Vocabulary, ids: Any) -> str:
    return " ".join(vocabulary.words[i] for i in ids)


def draw(tables: dict[int, tuple[tuple[str, ...], np.ndarray]]) -> Figure:
    """Draw the tables by hand, each cell with its count."""
    figure = Figure(figsize=(12, 5.4), layout="constrained")
    for axes, (window, (words, table)) in zip(figure.subplots(1, 2), tables.items(), strict=True):
        axes.imshow(table, cmap="Blues", vmax=3)
        for (row, column), number in np.ndenumerate(table):
            if number:
                color = "white" if number > 1 else "black"
                axes.text(column, row, number, color=color, fontsize=16, ha="center", va="center")
        places = range(len(words))
        axes.set(title=f"window {window}", xticks=places, yticks=places)
        axes.set_xticklabels(words)
        axes.set_yticklabels(words)
        axes.grid(False)
    figure.suptitle(f"how often each word met each:  {' / '.join(SENTENCES)}")
    return figure
