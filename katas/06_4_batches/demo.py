"""Live code of kata 6.4: what is the target of what, and what a wrong shift teaches a model."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minilm import resources
from minilm.arrays import Ids
from minilm.course.demos import Course
from minilm.models import batches

TEXT = "the cat sat on the mat."
TIME = 64


def run(course: Course) -> None:
    """Print the windows of a sentence, train tables of pairs, and draw both."""
    tokens = np.frombuffer(TEXT.encode(), np.uint8)
    ids, targets = batches.windows_at(tokens, np.array([0, 7]), 6)
    print(f"{TEXT!r}, windows of 6 at 0 and 7")
    for x, y in zip(ids, targets, strict=True):
        print(f"  ids {spelled(x)}   targets {spelled(y)}")
    print("the first window is six examples")
    for t in range(6):
        print(f"  {spelled(ids[0, : t + 1]):10} -> {spelled(targets[0, t : t + 1])}")
    x, y = batches.cut(tokens, 5)
    print(f"all {len(tokens)} tokens cut into windows of 5: {len(x)} rows,")
    print(
        f"  {np.count_nonzero(y != -100)} targets, {np.count_nonzero(y == -100)} places left over"
    )
    course.picture(draw(x, y, tables()), "windows")


def spelled(ids: Ids) -> str:
    return "[" + "".join(chr(i) for i in ids).replace(" ", "_") + "]"


def tables() -> Ids:
    """Count which target follows which input, with four kinds of targets; return the right one."""
    raw = (resources.corpora_dir() / "general.txt").read_bytes()[:400_000]
    text = np.frombuffer(raw, np.uint8)
    train, test = text[:300_000], text[300_000:]
    starts = np.arange(3, len(train) - TIME - 3, TIME)
    ids, targets = batches.windows_at(train, starts, TIME)
    kinds = {
        "the next token": (0, targets),
        "the token itself": (1, ids),
        "the token before": (2, batches.windows_at(train, starts - 1, TIME)[0]),
        "two further on": (-1, batches.windows_at(train, starts + 1, TIME)[1]),
    }
    x, y = batches.cut(test, TIME)
    counted = y != -100
    x, y = x[counted], y[counted]
    # For each kind: the pairs of the test text that it would be measured on.
    pairs = {0: (x, y), 1: (x, x), 2: (y, x), -1: (x[:-1], y[1:])}
    print(f"tables of pairs from {ids.size:,} characters")
    print("  target is           loss   it writes")
    right = np.zeros((256, 256), np.int64)
    for name, (kind, wanted) in kinds.items():
        table = np.zeros((256, 256), np.int64)
        np.add.at(table, (ids.reshape(-1), wanted.reshape(-1)), 1)
        right = table if kind == 0 else right
        share = (table + 0.01) / (table + 0.01).sum(axis=1, keepdims=True)
        loss = -np.log(share[pairs[kind]]).mean()
        print(f"  {name:18}{loss:6.2f}   {written(table)}")
    return right


def written(table: Ids) -> str:
    """Write with a table, beginning with a t."""
    rng = np.random.default_rng(5)
    letters = [ord("t")]
    for _ in range(27):
        sums = np.cumsum(table[letters[-1]])
        letters.append(int(np.searchsorted(sums, rng.integers(sums[-1]), side="right")))
    return "".join(chr(i) if 32 <= i < 127 else "/" for i in letters)


def draw(ids: Ids, targets: Ids, table: Ids) -> Figure:
    """Draw the windows with their letters, and the table of pairs."""
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(2, 2, 3))
    places = 1 + np.arange(ids.size).reshape(ids.shape)
    for axes, title, values, shift in ((left, "ids", ids, 0), (middle, "targets", targets, 1)):
        where = np.where(targets == -100, 0, places + shift)
        axes.imshow(where, cmap="viridis", vmin=0, vmax=ids.size + 1)
        for (row, column), value in np.ndenumerate(values):
            counts = targets[row, column] != -100
            letter = chr(value).replace(" ", "_") if counts else str(value)
            axes.text(column, row, letter, ha="center", va="center", color="white", fontsize=13)
        axes.set(title=title, xlabel="time", ylabel="window", xticks=range(ids.shape[1]))
    letters = [ord(letter) for letter in " etaoinshrdlu"]
    part = table[np.ix_(letters, letters)]
    right.imshow(part / table[letters].sum(axis=1, keepdims=True), cmap="Blues")
    names = [chr(i).replace(" ", "_") for i in letters]
    right.set_xticks(range(len(names)), names)
    right.set_yticks(range(len(names)), names)
    right.set(title="share of the next letter", xlabel="target", ylabel="input")
    return figure
