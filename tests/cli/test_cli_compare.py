"""`minilm compare` as a person uses it: the whole run, and every mistake in one line."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from minilm.cli.main import main
from minilm.errors import OptionError
from minilm.files import FolderLock

GOOD, BAD = ["fine", "warm", "kind"], ["grim", "cold", "mean"]


@pytest.fixture
def folder(tmp_path):
    """A task of 40 + 40 examples and a corpus, in a folder of their own."""
    with open(tmp_path / "task.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "split"])
        for i in range(80):
            words = (GOOD, BAD)[i % 2]
            text = f"the {words[i % 3]} day was {words[(i + 1) % 3]} item{i % 5}"
            writer.writerow([text, ("up", "down")[i % 2], "train" if i < 40 else "test"])
    lines = [f"a {' '.join(words)} day item{i}\n" for i in range(30) for words in (GOOD, BAD)]
    (tmp_path / "corpus.txt").write_text("".join(lines), encoding="utf-8")
    return tmp_path


def arguments(folder, *more, **replaced):
    options = {
        "--task": folder / "task.csv",
        "--corpus": folder / "corpus.txt",
        "--out": folder / "run",
        "--budgets": "8",
        "--seeds": "2",
        "--workers": "1",
        "--dimensions": "5",
    } | {f"--{k.replace('_', '-')}": v for k, v in replaced.items()}
    flat = [str(part) for pair in options.items() if pair[1] is not None for part in pair]
    return ["compare", *flat, *more]


def test_the_tables_and_the_folder(folder, capsys):
    assert main(arguments(folder, conditions="random,cooccurrence", budgets="8,16")) == 0
    out = capsys.readouterr().out
    *lines, where, page = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "cooccurrence" in out
    assert where == str(folder / "run")
    assert page == f"All of it to read: {folder / 'run' / 'report.html'}"
    written = set(os.listdir(folder / "run"))
    assert {"results.csv", "summary.json", "manifest.json", "predictions.npz"} <= written
    assert {"accuracy.png", "accuracy.svg", "learning_curves.png"} <= written


def test_json_is_all_that_is_printed(folder, capsys):
    assert main(arguments(folder, "--json", conditions="random")) == 0
    assert json.loads(capsys.readouterr().out)["names"] == ["random"]


def test_a_second_run_needs_resume_or_overwrite(folder, capsys):
    assert main(arguments(folder, conditions="random")) == 0
    assert main(arguments(folder, conditions="random")) == 2
    assert "--resume" in capsys.readouterr().err
    assert main(arguments(folder, "--resume", conditions="random")) == 0
    assert main(arguments(folder, "--overwrite", conditions="random")) == 0


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


TASK = "text,label\n" + "fine day,up\ngrim day,down\n" * 30

# name, the options it changes, what the line must say
MISTAKES = {
    "empty file": (lambda f: {"task": write(f, "e.csv", "")}, "e.csv: the file is empty"),
    "no such file": (lambda f: {"task": f / "gone.csv"}, "gone.csv: no such file"),
    "no such corpus": (lambda f: {"corpus": f / "gone.txt"}, "gone.txt: no such file"),
    "folder without text": (
        lambda f: {"corpus": (f / "empty").mkdir() or f / "empty"},
        "empty: a folder without text",
    ),
    "wrong encoding": (
        lambda f: {"corpus": write(f, "l.txt", "fine\ncaf\xe9\n".encode("latin-1"))},
        "l.txt:2: not utf-8",
    ),
    "unknown encoding": (lambda f: {"encoding": "klingon"}, "encoding 'klingon'"),
    "missing column": (lambda f: {"label_column": "stars"}, "task.csv:1: no column 'stars'"),
    "ambiguous column": (
        lambda f: {"task": write(f, "a.csv", "text,review,label\nx,y,z\n")},
        "a.csv:1: more than one column may hold the text",
    ),
    "one class": (
        lambda f: {"task": write(f, "o.csv", "text,label\n" + "day,up\n" * 40)},
        "o.csv: every label is 'up'",
    ),
    "too few examples": (lambda f: {"budgets": "41"}, "task.csv: 40 examples to train on"),
    "budget below classes": (lambda f: {"budgets": "1"}, "cannot show 2 classes"),
    "labels that differ": (
        lambda f: {"transfer": write(f, "t.csv", TASK.replace("up", "north"))},
        "t.csv:2: its label 'north' is not one of task.csv ('down', 'up')",
    ),
    "NaN": (
        lambda f: {"task": write(f, "n.csv", TASK + "fine,NaN\n")},
        "n.csv:62: NaN in the label column",
    ),
    "NaN in JSON": (
        lambda f: {"task": write(f, "n.json", '[{"text": "a", "label": NaN}]')},
        "n.json: NaN is not JSON",
    ),
    "line of 50 MB": (
        lambda f: {"corpus": write(f, "long.txt", b"ok\n" + b"word " * 10_000_000)},
        "long.txt:2: a line of more than",
    ),
    "no word in common": (
        lambda f: {"corpus": write(f, "other.txt", "lorem ipsum dolor\n")},
        "other.txt: shares no word with the labelled texts",
    ),
    "corpus without words": (
        lambda f: {"corpus": write(f, "digits.txt", "1 2 3\n")},
        "digits.txt: no word occurs 1 times or more",
    ),
    "unknown condition": (
        lambda f: {"conditions": "randm"},
        "'randm' is not a model's folder and not one of",
    ),
    "bad budgets": (lambda f: {"budgets": "ten"}, "'ten' is not a list like 16,64,256"),
    "bad window": (lambda f: {"window": "0"}, "--window: 0; use 1 to 1000 words"),
    "bad amounts": (lambda f: {"pretrain_words": "10,none"}, "'10,none' is not a list like 10000"),
    "no pretrainings": (lambda f: {"pretrainings": "0"}, "--pretrainings: 0; use 1 to 100"),
    "more pretrainings than draws": (
        lambda f: {"pretrainings": "3"},
        "--pretrainings: 3 with 2 draws, of which each has one pretraining",
    ),
    "bad price": (lambda f: {"price_per_hour": "-1"}, "--price-per-hour: -1.0"),
    "no workers": (lambda f: {"workers": "0"}, "--workers: 0"),
    "file in the way": (
        lambda f: {"out": write(f, "file", "x")},
        "file: a file of this name is in the way",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_with_exit_code_2_and_nothing_written(name, folder, capsys):
    make, message = MISTAKES[name]
    changed = make(folder)
    before = sorted(os.listdir(folder))
    assert main(arguments(folder, **changed)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("minilm compare: error: ")
    assert error.count("\n") == 1
    assert sorted(os.listdir(folder)) == before


def test_a_wrong_number_of_dimensions_is_one_line(folder, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments(folder, dimensions="0"))
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert "neither a positive number nor all" in error
    assert error.count("\n") == 1


def test_lists_may_have_blanks_and_repeat_themselves(folder, capsys):
    assert main(arguments(folder, "--json", conditions="random, random", budgets="8, 8")) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["names"], found["budgets"]) == (["random"], [8])


def test_presets_and_companions_of_shipped_tasks(monkeypatch, tmp_path):
    from minilm.compare import comparison

    asked = []

    def note(settings, grid, folder, **rest):
        asked.append((settings, grid))
        raise OptionError("enough")

    monkeypatch.setattr(comparison, "compare", note)
    for more in (
        [],
        ["--preset", "kata"],
        ["--preset", "study", "--seeds", "3"],
        ["--task", "corpora/support_tickets.csv"],
        ["--task", "topics.csv"],
        ["--preset", "lesson"],
        ["--preset", "methods", "--pretrainings", "4"],
    ):
        assert main(["compare", "--out", str(tmp_path / "x"), *more]) == 2
    (films, usual), (_, kata), (_, study), (tickets, _), (topics, _), (lesson, few), (_, ways) = (
        asked
    )
    names = [[path.name for path in paths] for paths in films[0].corpora]
    assert names == [["reviews_unlabelled.txt"]]
    assert films[0].task.name == "movie_reviews.csv"
    assert [path.name for path in films[0].transfers] == ["product_reviews.csv"]
    assert (usual.budgets, usual.seeds, usual.pretrainings) == ((16, 64, 256), 9, 9)
    assert len(usual.conditions) == 12
    assert not usual.crossed
    assert (kata.budgets, kata.seeds, kata.pretrainings) == ((16, 64), 3, 1)
    assert study.crossed
    assert [path.name for path in topics[0].corpora[0]] == ["general.txt"]
    assert lesson[0].task.name == "support_tickets.csv"
    assert few.budgets == (40, 160)
    assert few.conditions[-2:] == ("transformer-scratch", "transformer-finetuned")
    assert {"transformer-lora-8", "transformer-gradual"} <= set(ways.conditions)
    assert ways.pretrainings == 4
    assert (study.budgets, study.seeds) == ((16, 32, 64, 128, 256), 3)
    assert [path.name for path in tickets[0].corpora[0]] == ["support_conversations.txt"]
    assert tickets[0].transfers == ()


def test_repeated_options_are_axes(monkeypatch, tmp_path):
    from minilm.compare import comparison

    asked = []

    def note(tasks, grid, folder, **rest):
        asked.extend(tasks)
        raise OptionError("enough")

    monkeypatch.setattr(comparison, "compare", note)
    more = ["--task", "movie_reviews.csv", "--task", "product_reviews.csv"]
    more += ["--corpus", "general.txt", "advice_letters.txt", "--corpus", "general.txt"]
    more += ["--pretrain-words", "10000,all"]
    assert main(["compare", "--out", str(tmp_path / "x"), *more]) == 2
    assert [one.task.name for one in asked] == ["movie_reviews.csv", "product_reviews.csv"]
    for one, other in zip(asked, reversed(asked), strict=True):
        assert [[path.name for path in paths] for paths in one.corpora] == [
            ["general.txt", "advice_letters.txt"],
            ["general.txt"],
        ]
        assert (one.transfers, one.others) == ((), (other.task,))
        assert one.pretrain_words == (10_000, None)
        assert not one.equal_words
    asked.clear()
    assert main(["compare", "--out", str(tmp_path / "x"), *more[:-2]]) == 2
    assert all(one.equal_words for one in asked)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--resume"], "--resume needs --out"),
        (["--out", "x", "--resume", "--overwrite"], "use one"),
    ],
)
def test_resume_needs_a_folder_and_excludes_overwrite(more, message, capsys):
    assert main(["compare", *more]) == 2
    assert message in capsys.readouterr().err


def test_a_folder_in_use_is_said(folder, capsys):
    (folder / "run").mkdir()
    with FolderLock(folder / "run"):
        assert main(arguments(folder)) == 2
    error = capsys.readouterr().err
    assert f"in use by process {os.getpid()}" in error
    assert error.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="a console's Ctrl-C cannot be sent to one process")
def test_ctrl_c_keeps_the_finished_rows_and_resume_goes_on(folder, capsys):
    more = {"seeds": "3000", "conditions": "random", "workers": "2"}
    running = subprocess.Popen(
        [sys.executable, "-m", "minilm", *arguments(folder, **more)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    results = folder / "run" / "results.csv"
    deadline = time.monotonic() + 60
    while not results.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in error
    assert f"--out {folder / 'run'} --resume" in " ".join(error.split())
    kept = len(results.read_text(encoding="utf-8").splitlines()) - 1
    assert 0 < kept < 3000
    seeds = kept + 3
    assert main(arguments(folder, "--resume", **(more | {"seeds": seeds, "workers": "1"}))) == 0
    rows = results.read_text(encoding="utf-8").splitlines()[1:]
    assert len({row.split(",")[5] for row in rows}) >= seeds
