"""From folders and files to folders: a task's classifier or adapter, a domain's language model."""

import csv
import shutil
from dataclasses import replace

import numpy as np
import pytest

from minilm.errors import InputError, ModelError, OptionError, OutputError
from minilm.models import text_classifier
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT
from minilm.store import adapters, classification, folder
from minilm.store.transaction import FolderWriter
from minilm.text.wordlevel import WordLevelTokenizer
from minilm.training import labelled_task, log
from minilm.training.given import METHODS
from minilm.training.labelled_task import Task
from minilm.training.settings import FinetuneSettings

GOOD = ["the cat sat on the mat", "a dog ran to the hill", "the cat ran too", "a cat, a mat"]
BAD = ["no hill and no dog", "the mat ran on", "to the dog on", "and the hill sat"]
QUICK = FinetuneSettings(updates=3, batch=4)


def silent(line):
    """Take a line and say nothing."""


@pytest.fixture
def table(tmp_path):
    """Return a table of 16 train, 4 dev and 4 test texts."""
    path = tmp_path / "task.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "split"])
        for number in range(24):
            kind = GOOD if number % 2 else BAD
            split = "train" if number < 16 else "dev" if number < 20 else "test"
            text = f"{kind[number // 2 % 4]} {'the ' * (number // 8)}"
            writer.writerow([text, "good" if number % 2 else "bad", split])
    return path


@pytest.mark.parametrize("method", METHODS)
def test_every_method_makes_a_folder(trained, table, tmp_path, method):
    said = []
    settings = replace(QUICK, method=method, rank=2)
    before = folder.load(trained).parameters.flat
    labelled_task.run(trained, Task(table), tmp_path / "out", settings, said.append)
    np.testing.assert_array_equal(folder.load(trained).parameters.flat, before)
    assert said[1:3] == [
        "task.csv: 16 texts to train on, a development part of 4",
        "labels: bad 8, good 8",
    ]
    assert said[-1].endswith("log.csv and loss.png")
    rows = log.read(tmp_path / "out" / "log.csv")
    assert [row.step for row in rows] == [1, 2, 3]
    assert rows[-1].held_out_accuracy is not None
    assert (tmp_path / "out" / "loss.png").read_bytes().startswith(b"\x89PNG")
    if method == "lora":
        found = adapters.load(tmp_path / "out")
        base = folder.load(trained)
        adapters.check_base(
            found, tmp_path, base.config, adapters.fingerprint(base.config, base.parameters)
        )
        assert found.head == classification.Head(("bad", "good"), "mean")
        assert found.adapter.rank == 2
        lineage = found.lineage
    else:
        loaded = text_classifier.load(tmp_path / "out")
        assert loaded.labels == ("bad", "good")
        assert loaded.predict_proba(GOOD).shape == (4, 2)
        lineage = loaded.lineage
    assert [stage.kind for stage in lineage] == ["pretrain", "finetune"]
    assert lineage[-1].data == (folder.source(table),)
    assert lineage[-1].steps == 3
    assert lineage[-1].settings["method"] == method


def test_the_same_command_gives_the_same_bytes(trained, table, tmp_path):
    for name in "ab":
        labelled_task.run(trained, Task(table, count=6), tmp_path / name, QUICK, silent)
    for file in ("model.safetensors", "config.json", "minilm.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_some_labels_are_drawn_in_proportion(trained, table, tmp_path):
    said = []
    labelled_task.run(trained, Task(table, count=6), tmp_path / "o", QUICK, said.append)
    assert said[1].startswith("task.csv: 6 texts to train on")
    assert said[2] == "labels: bad 3, good 3"
    for count in (1, 17):
        with pytest.raises(OptionError, match=f"--labels: {count} texts of task.csv, with 16"):
            labelled_task.run(trained, Task(table, count=count), tmp_path / "p", QUICK, silent)


def test_a_classifier_is_trained_further_or_refuses_other_labels(trained, table, tmp_path):
    labelled_task.run(trained, Task(table), tmp_path / "first", QUICK, silent)
    again = replace(QUICK, learning_rate=1e-9, method="probe")
    labelled_task.run(tmp_path / "first", Task(table), tmp_path / "second", again, silent)
    heads = [
        classification.load(tmp_path / name)[0].parameters["score.weight"]
        for name in ("first", "second")
    ]
    np.testing.assert_allclose(*heads, atol=1e-7)
    other = tmp_path / "other.csv"
    other.write_text("text,label\na cat,good\na dog,odd\n", encoding="utf-8")
    with pytest.raises(
        InputError, match=r"other\.csv:3: the label 'odd' is not one of the model's labels"
    ):
        labelled_task.run(tmp_path / "first", Task(other), tmp_path / "third", QUICK, silent)
    assert not (tmp_path / "third").exists()


def test_long_and_empty_texts_are_counted_and_said(trained, tmp_path):
    path = tmp_path / "t.csv"
    rows = ["text,label", f"{'cat ' * 40},a", "the dog,b", "the mat,a"]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    said = []
    labelled_task.run(trained, Task(path), tmp_path / "o", QUICK, said.append)
    assert said[1:4] == [
        "t.csv: 3 texts to train on, no development part",
        "labels: a 2, b 1",
        "texts cut to 16 tokens: 1 of 3",
    ]


def word_model(path, texts, end=True):
    """Save a random model with a word tokenizer."""
    words = WordLevelTokenizer.train(texts, min_count=1)
    gpt = GPT(GPTConfig(len(words.vocab), 8, 12, 1, 2), rng=np.random.default_rng(0))
    folder.save(path, folder.model_files(gpt.config, gpt.parameters, words))
    return path


def test_words_that_the_base_has_never_seen(tmp_path):
    base = word_model(tmp_path / "m", ["el gato duerme en la casa"])
    path = tmp_path / "t.csv"
    path.write_text("text,label\nthe cat,a\na dog?,b\n", encoding="utf-8")
    with pytest.raises(InputError, match="has seen none of its words"):
        labelled_task.run(base, Task(path), tmp_path / "o", QUICK, silent)
    path.write_text("text,label\nthe gato eats fish,a\n!!,b\n", encoding="utf-8")
    said = []
    labelled_task.run(base, Task(path), tmp_path / "o", QUICK, said.append)
    assert "texts without a word, read as an end of text: 1 of 2" in said
    assert any(line.startswith("the base knows only 20% of the words") for line in said)


def test_a_folder_in_use_is_said_before_the_training(trained, table, tmp_path):
    with (
        FolderWriter(tmp_path / "o"),
        pytest.raises(OutputError, match="in use by process"),
    ):
        labelled_task.run(trained, Task(table), tmp_path / "o", QUICK, silent)


def test_a_run_that_is_stopped_leaves_nothing(trained, table, tmp_path):
    def stop(line):
        if line.startswith("full fine-tuning"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        labelled_task.run(trained, Task(table), tmp_path / "o", QUICK, stop)
    assert not (tmp_path / "o").exists()
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "mine.txt").touch()
    with pytest.raises(KeyboardInterrupt):
        labelled_task.run(trained, Task(table), tmp_path / "p", QUICK, stop)
    assert (tmp_path / "p" / "mine.txt").exists()


def test_folders_that_cannot_be_used(trained, table, tmp_path):
    with pytest.raises(OutputError, match="holds a model already"):
        labelled_task.run(trained, Task(table), trained, QUICK, silent)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a file with that name"):
        labelled_task.run(trained, Task(table), tmp_path / "file", QUICK, silent)
    labelled_task.run(
        trained, Task(table), tmp_path / "lora", replace(QUICK, method="lora"), silent
    )
    with pytest.raises(ModelError, match="an adapter, not a complete model"):
        labelled_task.run(tmp_path / "lora", Task(table), tmp_path / "o", QUICK, silent)
    with pytest.raises(OutputError, match="holds a model already"):
        labelled_task.run(trained, Task(table), tmp_path / "lora", QUICK, silent)
    shutil.copytree(trained, tmp_path / "mute")
    for name in ("minilm.json", "tokenizer.json", "vocab.json", "merges.txt"):
        (tmp_path / "mute" / name).unlink(missing_ok=True)
    with pytest.raises(ModelError, match="no tokenizer here"):
        labelled_task.run(tmp_path / "mute", Task(table), tmp_path / "o", QUICK, silent)


def test_a_foreign_folder_is_fine_tuned_by_each_method(tmp_path, table):
    """Without our minilm.json it is as another program's."""
    base = word_model(tmp_path / "m", GOOD + BAD)
    (base / "minilm.json").unlink()
    for method in METHODS:
        settings = replace(QUICK, method=method, rank=2)
        labelled_task.run(base, Task(table), tmp_path / method, settings, silent)
        stages = (
            adapters.load(tmp_path / method).lineage
            if method == "lora"
            else classification.load(tmp_path / method)[0].lineage
        )
        assert [stage.kind for stage in stages] == ["finetune"]
