"""A small world in which pretraining must help: two kinds of words, each in its own company."""

import csv

import numpy as np
import pytest

from minilm.compare import pretraining, report, texts, transformer
from minilm.compare.conditions import CONDITIONS
from minilm.compare.data import CompareSettings, prepare
from minilm.compare.run import Grid, Shared

GOOD = [f"good{c}" for c in "abcdefghijklmnopqrst"]
BAD = [f"bad{c}" for c in "abcdefghijklmnopqrst"]


def sentence(rng, words, fillers):
    """Three words of one kind among words that say nothing."""
    chosen = [*rng.choice(words, 3, replace=False), *rng.choice(fillers, 4)]
    return " ".join(rng.permutation(chosen))


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Files of the small world: a task with a split, one without, a transfer file, a corpus."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(0)
    fillers = [f"filler{a}{b}" for a in "abcdef" for b in "abcdef"]

    def write(name, splits):
        with open(folder / name, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label", "split"] if splits else ["text", "label"])
            for split, count in (splits or {"": 90}).items():
                for i in range(count):
                    label = ("good", "bad")[i % 2]
                    text = sentence(rng, GOOD if label == "good" else BAD, fillers)
                    writer.writerow([text, label, split] if splits else [text, label])
        return folder / name

    write("task.csv", {"train": 60, "dev": 10, "test": 120})
    write("unsplit.csv", None)
    write("other.csv", {"train": 10, "test": 40})
    with open(folder / "corpus.txt", "w", encoding="utf-8", newline="\n") as file:
        for i in range(800):
            file.write(sentence(rng, (GOOD, BAD)[i % 2], fillers) + "\n")
    return folder


@pytest.fixture(scope="session")
def settings(world):
    return CompareSettings(
        world / "task.csv",
        ((world / "corpus.txt",),),
        transfers=(world / "other.csv",),
        dimensions=10,
        transformer=transformer.TransformerSettings(
            n_embd=16, n_layer=1, n_positions=16, steps=40, batch=8, learning_rate=1e-2
        ),
    )


def with_everything_made(every):
    """Pretrain whatever any condition needs, and return what runs share."""
    for one in every:
        for job in pretraining.wanted([one], pretraining.KINDS, 2):
            made = pretraining.make(one.text, one.settings, job.kind, job.pretraining)
            one.text.made[texts.name_of(job.kind, job.pretraining)] = made
    places = {(m.task, m.text.corpus, m.text.words): m for m in every}
    return Shared(places, CONDITIONS)


@pytest.fixture(scope="session")
def shared(settings, grid):
    """What runs on the small world share, with everything pretrained."""
    return with_everything_made(prepare(settings, grid.budgets))


@pytest.fixture(scope="session")
def grid():
    return Grid(("random", "cooccurrence", "cooccurrence-shuffled"), (8, 16), 3)


@pytest.fixture
def undrawn(monkeypatch):
    """Leave out pictures and page, which take most of the time here."""
    monkeypatch.setattr(report.pictures, "draw_all", lambda folder: [])
    monkeypatch.setattr(report.page, "write", lambda folder: None)
