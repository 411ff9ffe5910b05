"""`minilm evaluate`: what it prints, and what it says to mistakes."""

import json

import numpy as np
import pytest

import minilm
from minilm.cli import evaluate, main
from minilm.models import predictions, text_classifier
from minilm.store import folder


def run(path, *arguments):
    return main.main(["evaluate", str(path), *map(str, arguments)])


def test_evaluate(path, tmp_path, capsys):
    file = tmp_path / "t.txt"
    file.write_text("the cat é\nthe cat\n", encoding="utf-8")
    assert run(path, "--data-file", file, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    score = minilm.load(path).evaluate(["the cat é\n", "the cat\n"])
    assert result == {
        "tokens": score.tokens,
        "bytes": 19,
        "loss": score.loss,
        "perplexity": score.perplexity,
        "bits_per_byte": score.bits_per_byte,
    }
    assert run(path, "--data-file", file) == 0
    assert capsys.readouterr().out == (
        f"{score.tokens} tokens, {score.loss:.4f} nats a token: "
        f"perplexity {score.perplexity:,.2f}, {score.bits_per_byte:.4f} bits per byte\n"
    )


def test_the_time_left_is_on_a_terminal(path, tmp_path, capsys, monkeypatch):
    file = tmp_path / "lines.txt"
    file.write_text("the old dog\nthe cat\n", encoding="utf-8")
    run(path, "--data-file", file)
    silent = capsys.readouterr()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert run(path, "--data-file", file) == 0
    shown = capsys.readouterr()
    assert shown.out == silent.out
    assert silent.err == ""
    assert "reading documents: 2 of 2, 0 s left" in shown.err


def test_evaluate_with_words_has_no_bits(tmp_path, capsys):
    file = tmp_path / "t.txt"
    file.write_text("The cat sat on the mat.\n" * 60, encoding="utf-8")
    arguments = ["--output-dir", tmp_path / "m", "--size", "kata", "--steps", 1]
    arguments += ["--tokenizer", "word", "--threads", 1]
    assert main.main(["pretrain", "--data-file", str(file), *map(str, arguments)]) == 0
    capsys.readouterr()
    assert run(tmp_path / "m", "--data-file", file) == 0
    assert "no bits per byte" in capsys.readouterr().out


def test_evaluate_without_text(path, tmp_path, capsys):
    assert run(path, "--data-file", tmp_path / "none.txt") == 2
    assert "no such file" in capsys.readouterr().err


def test_adapters_predict_text_too(judges, tmp_path, capsys):
    file = tmp_path / "t.txt"
    file.write_text("the cat sat on a mat\n", encoding="utf-8")
    assert run(judges / "base", "--data-file", file, "--json") == 0
    alone = json.loads(capsys.readouterr().out)
    assert run(judges / "speech", "--data-file", file, "--json") == 0
    adapted = json.loads(capsys.readouterr().out)
    assert adapted["tokens"] == alone["tokens"]
    assert adapted["loss"] != pytest.approx(alone["loss"], abs=1e-3)


ROWS = [("fine cat", "good"), ("dull dog", "bad"), ("a mat", "good"), ("the film sat", "bad")]


@pytest.fixture
def task(tmp_path):
    file = tmp_path / "task.csv"
    lines = [f"{text},{label},{split}\n" for split in ("train", "test") for text, label in ROWS]
    file.write_text("text,label,split\n" + "".join(lines), encoding="utf-8")
    return file


def test_a_classifier_on_a_task(judges, task, tmp_path, capsys):
    picture = tmp_path / "confusion.png"
    assert run(judges / "classifier", "--task", task, "--json", "--picture", picture) == 0
    content = json.loads(capsys.readouterr().out)
    model = text_classifier.load(judges / "classifier")
    probabilities = model.predict_proba([text for text, _ in ROWS])
    predicted = [model.labels[i] for i in probabilities.argmax(axis=1)]
    right = [label == said for (_, label), said in zip(ROWS, predicted, strict=True)]
    assert content["texts"] == 4
    assert content["labels"] == ["bad", "good"]
    assert content["accuracy"] == np.mean(right)
    confusion = np.zeros((2, 2), int)
    for (_, label), said in zip(ROWS, predicted, strict=True):
        confusion[model.labels.index(label), model.labels.index(said)] += 1
    assert content["confusion"] == confusion.tolist()
    assert content["classes"]["bad"]["texts"] == 2
    assert content["macro_f1"] == np.mean([c["f1"] for c in content["classes"].values()])
    assert sum(content["calibration"]["texts"]) == 4
    assert len(content["mistakes"]) == 4 - sum(right)
    for mistake in content["mistakes"]:
        assert mistake["line"] >= 6  # the test part
    assert picture.read_bytes().startswith(b"\x89PNG")

    assert run(judges / "classifier", "--task", task) == 0
    said = capsys.readouterr().out
    assert f"the test part of {task.name}:\n4 texts, accuracy {np.mean(right):.3f}" in said
    assert "expected calibration error" in said
    assert max(map(len, said.splitlines())) < 80


def test_an_adapter_on_a_task_and_a_wide_matrix(judges, tmp_path, capsys):
    file = tmp_path / "task.csv"
    labels = [f"{letter}" for letter in "abcde"]
    rows = "".join(f"cat {label} dog,{label}\n" for label in labels)
    file.write_text("text,label\n" + rows, encoding="utf-8")
    assert run(judges / "animals", "--task", file) == 0
    said = capsys.readouterr().out
    assert said.startswith("animals on task.csv:\n5 texts")
    found = evaluation(np.arange(400).reshape(20, 20), [f"class number {i}" for i in range(20)])
    lines = list(evaluate._confusion_lines(found))
    assert lines[:2] == [
        "most common confusions",
        "  class numbe... predicted as class numbe...: 398",
    ]
    assert len(lines) == 11


def evaluation(confusion, labels):
    return predictions.Evaluation(tuple(labels), confusion, None, None, [], None)


def test_a_file_that_was_trained_on_is_said(judges, task, tmp_path, capsys):
    lines = task.read_text(encoding="utf-8").splitlines()
    plain = tmp_path / "plain.csv"
    plain.write_text("\n".join(line.rsplit(",", 1)[0] for line in lines), encoding="utf-8")
    stage = folder.Stage("finetune", (folder.source(plain),), 1, 1, {})
    model = text_classifier.load(judges / "classifier")
    model.lineage = (stage,)
    model.save(tmp_path / "learned")
    assert run(tmp_path / "learned", "--task", plain) == 0
    remark = "plain.csv was in the training data; expect lower scores on new text"
    assert remark in " ".join(capsys.readouterr().err.split())
    assert run(judges / "classifier", "--task", plain) == 0
    assert " ".join(capsys.readouterr().err.split()) == (
        "minilm evaluate: plain.csv: 8 rows, text from column 'text', label from column 'label', "
        "no split"
    )


def test_what_an_absent_class_does_to_macro_f1_is_reported(judges, tmp_path, capsys):
    file = tmp_path / "task.csv"
    file.write_text("text,label\na cat,a\na dog,b\na film,a\n", encoding="utf-8")
    assert run(judges / "animals", "--task", file) == 0
    said = capsys.readouterr().out
    assert "no text here has the label c, d, e: its F1 counts as 0, which lowers macro-F1\n" in said
    assert run(judges / "animals", "--task", file, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["absent"] == ["c", "d", "e"]
    scores = [scores["f1"] for scores in record["classes"].values()]
    confusion = np.array(record["confusion"])
    present = confusion.sum(axis=0) + confusion.sum(axis=1) > 0
    assert record["macro_f1"] == pytest.approx(np.mean(scores), rel=1e-12, abs=1e-15)
    expected = np.array(scores)[present].mean()
    assert record["macro_f1_of_present"] == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert f"(scikit-learn's): {expected:.3f}\n" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--task", "t.csv"], "t.csv:3: the label 'odd' is not one of the model's labels ('bad'"),
        (["--data-file", "t.csv", "--picture", "x.png"], "confusion matrix of one model"),
        (["--task", "t.csv", "--picture", "x.txt"], "ends in .png or .svg"),
    ],
)
def test_mistakes_with_tasks_are_one_line(
    judges, arguments, message, tmp_path, monkeypatch, capsys
):
    (tmp_path / "t.csv").write_text("text,label\na cat,good\na dog,odd\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run(judges / "classifier", *arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
