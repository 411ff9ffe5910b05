"""A result does not depend on the order of lines in a file, whatever is compared."""

import csv
import random
from dataclasses import replace
from pathlib import Path

import pytest

from minilm.compare import comparison, leaks
from minilm.compare.conditions import CONDITIONS
from minilm.compare.data import CompareSettings
from minilm.compare.executors import ProcessRunner
from minilm.compare.run import Grid
from minilm.compare.transformer import TransformerSettings
from minilm.data.labelled import LabelledData
from minilm.text.words import WordTokenizer

TIMES = ("seconds", "pretrain_seconds", "money")


def table(folder):
    """Return results.csv without what time costs."""
    with open(folder / "results.csv", encoding="utf-8", newline="") as file:
        return [{k: v for k, v in row.items() if k not in TIMES} for row in csv.DictReader(file)]


def shuffled_lines(source, path, *, seed, head=0):
    """Copy a file with its lines, after the first `head`, in another order."""
    lines = source.read_text(encoding="utf-8").splitlines()
    rest = lines[head:]
    random.Random(seed).shuffle(rest)
    assert rest != lines[head:]
    path.write_text("\n".join([*lines[:head], *rest]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def small(settings, world, tmp_path_factory):
    """Settings of a world with fewer documents, some of them twice, and quick pretraining."""
    folder = tmp_path_factory.mktemp("small")
    lines = (world / "corpus.txt").read_text(encoding="utf-8").splitlines()[:120]
    (folder / "corpus.txt").write_text("\n".join([*lines, *lines[:9]]) + "\n", encoding="utf-8")
    return replace(
        settings,
        corpora=((folder / "corpus.txt",),),
        pretrain_words=(400, None),
        transformer=replace(settings.transformer, steps=6),
    )


@pytest.fixture(scope="module")
def usual(small, tmp_path_factory):
    return table(run(small, tmp_path_factory.mktemp("usual")))


def run(settings, folder, place=None):
    grid = Grid(tuple(CONDITIONS), (8,), seeds=2, pretrainings=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison.report.pictures, "draw_all", lambda folder: [])
        patch.setattr(comparison.report.page, "write", lambda folder: None)
        comparison.compare(settings, grid, folder, place=place)
    return folder


@pytest.fixture(scope="module", params=["one worker", "two workers"])
def other_order(request, small, tmp_path_factory):
    """Return the same comparison with all files in another order."""
    folder = tmp_path_factory.mktemp("other")
    (source,) = small.corpora[0]
    other = replace(
        small,
        task=shuffled_lines(small.task, folder / small.task.name, seed=1, head=1),
        corpora=((shuffled_lines(source, folder / source.name, seed=2),),),
        transfers=(shuffled_lines(small.transfers[0], folder / "other.csv", seed=3, head=1),),
    )
    place = ProcessRunner(2) if request.param == "two workers" else None
    return table(run(other, folder / "run", place))


@pytest.mark.parametrize("name", CONDITIONS)
def test_files_in_another_order_give_the_same_table_to_the_bit(name, usual, other_order):
    expected = [row for row in usual if row["condition"] == name]
    assert expected == [row for row in other_order if row["condition"] == name]
    amounts = 2 if CONDITIONS[name].needs else 1
    assert len(expected) == amounts * 2 * 2  # draws, domains
    assert not any(row["error"] for row in expected)


def test_a_task_without_a_split_is_split_by_content(world, tmp_path):
    other = shuffled_lines(world / "unsplit.csv", tmp_path / "unsplit.csv", seed=4, head=1)
    tables = []
    for number, task in enumerate((world / "unsplit.csv", other)):
        settings = CompareSettings(task, ((world / "corpus.txt",),), dimensions=10)
        grid = Grid(("tfidf", "cooccurrence"), (8,), seeds=3)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(comparison.report.pictures, "draw_all", lambda folder: [])
            patch.setattr(comparison.report.page, "write", lambda folder: None)
            comparison.compare(settings, grid, tmp_path / str(number))
        tables.append(table(tmp_path / str(number)))
    assert tables[0] == tables[1]


@pytest.mark.slow
def test_real_reviews_sorted_by_label_or_shuffled_give_the_same(real_data, tmp_path):
    reviews = []
    for label in ("pos", "neg"):
        lines = real_data(f"rt-polarity.{label}").read_text(encoding="latin-1").splitlines()
        reviews += [(line, label) for line in lines if line.strip()][:900]
    tables = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        if number:
            random.Random(0).shuffle(reviews)
        with open(folder / "rt.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["text", "label"], *reviews])
        text = "\n".join(text for text, _ in reviews)
        (folder / "corpus.txt").write_text(text + "\n", encoding="utf-8")
        settings = CompareSettings(
            folder / "rt.csv",
            ((folder / "corpus.txt",),),
            transformer=TransformerSettings(steps=60),
        )
        run(settings, folder / "run", ProcessRunner(2))
        tables.append(table(folder / "run"))
        notes = comparison.report.summary.read_manifest(folder / "run")["data"]["rt"]["notes"]
        assert any("are sorted by label" in note for note in notes) == (number == 0)
    assert tables[0] == tables[1]


def labelled(texts, splits):
    labels = tuple("ab"[i % 2] for i in range(len(texts)))
    lines = tuple(range(len(texts)))
    return LabelledData(Path("task.csv"), tuple(texts), labels, lines, tuple(splits))


SENTENCES = [
    f"the {a} river runs past a {b} mill and under the {a} bridge of the {b} town"
    for a in ("slow", "quick", "cold", "warm", "deep")
    for b in ("old", "new", "small", "large")
]


def watched(task, **others):
    return leaks.Watch(task, {"task": task.part("test"), **others}, WordTokenizer())


def seen_in(watch, *documents):
    seen = watch.corpus()
    for text in documents:
        seen.add(WordTokenizer().tokenize(text))
    return seen.notes()


def test_copies_and_near_copies_of_test_texts_are_counted():
    texts = [*SENTENCES[:4], *SENTENCES[10:14]]
    near = SENTENCES[11].replace("runs", "flows")
    task = labelled(
        [*texts, near, SENTENCES[12].upper()], ["train"] * 4 + ["test"] * 4 + ["train"] * 2
    )
    task = replace(task, labels=("a",) * len(task.texts))
    watch = watched(task)
    assert watch.about_task == [
        "2 of the 4 test texts of task are in the train part of task.csv, 1 of them not word for "
        "word; this flatters every condition"
    ]
    notes = seen_in(watch, "nothing of the kind is in here", near + " again", SENTENCES[13])
    assert notes == [
        "2 of the 4 test texts of task are in the corpus, 1 of them not word for word; pretraining "
        "has read them, without their labels"
    ]


REVIEW = "I laughed twice, once at the plot and once when my neighbor's phone rang in the dark."
OTHER = "Seldom has so much money bought so few good lines; the horse alone deserves a medal."


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (f"<p>{REVIEW.upper()}<br>", True),
        (REVIEW.replace("twice", "often").replace("dark", "hall"), True),
        (f"{OTHER} {REVIEW} {OTHER} {OTHER}", True),
        ("nothing to see here. " * 300 + REVIEW + " nothing to see here." * 300, True),
        (REVIEW[:40], False),
        (" ".join(sorted(REVIEW.split())), False),
        (OTHER, False),
    ],
)
def test_a_test_text_is_recognized_in_other_clothes(document, found):
    task = labelled(["a train text", REVIEW], ["train", "test"])
    notes = seen_in(watched(task), document)
    assert [" in the corpus, not word for word;" in note for note in notes] == [True] * found


def test_texts_of_another_domain_are_watched_too():
    task = labelled([OTHER, "a test text"], ["train", "test"])
    (note,) = watched(task, away=labelled([REVIEW, OTHER], ["test"] * 2)).about_task
    assert note.startswith("1 of the 2 test texts of away is in the train part of task.csv;")


def test_a_text_with_two_labels_is_noted():
    task = labelled([OTHER, OTHER.lower(), "a test text"], ["train"] * 2 + ["test"])
    assert watched(task).about_task == [
        "1 text of task.csv with more than one label; minilm validate lists them"
    ]


@pytest.mark.parametrize("text", ["", "ok", "?!"])
def test_texts_with_few_words_are_compared_word_for_word(text):
    task = labelled([text, "a train text"], ["test", "train"])
    assert bool(seen_in(watched(task), text)) == (text == "ok")
    assert seen_in(watched(task), "something else", "") == []


def test_a_corpus_that_holds_the_labelled_texts_sorted_by_label_is_reported():
    task = labelled(SENTENCES, ["train"] * 20)
    watch = watched(task)
    assert watch.about_task == []
    for order, sorted_by_label in ((SENTENCES[::2] + SENTENCES[1::2], True), (SENTENCES, False)):
        notes = seen_in(watch, *order)
        assert any("are sorted by label" in note for note in notes) == sorted_by_label
