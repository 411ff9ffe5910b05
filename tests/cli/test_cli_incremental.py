"""`minilm finetune --incremental`: options, exit codes, what stays refused without it."""

import shutil

import pytest

import minilm
from minilm.cli import main
from minilm.files import FolderLock
from minilm.training import pretrain

OLD = "The cat sat on the mat, and a dog ran by.\nNobody saw the bird in the tree.\n" * 20
NEW = "".join(f"Boat number {i} sails over the lake and {i} men row.\n" for i in range(30))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Return a small trained model."""
    place = tmp_path_factory.mktemp("models")
    text = place / "t.txt"
    text.write_text(OLD, encoding="utf-8")
    tiny = {"size": "kata", "n_embd": 12, "n_layer": 1, "n_head": 2, "steps": 2, "batch": 2}
    given = {**tiny, "n_positions": 16, "vocab_size": 270, "threads": 1, "learning_rate": 0.01}
    pretrain.pretrain([text], place / "m", given, say=lambda line: None)
    return place / "m"


@pytest.fixture
def model(base, tmp_path):
    return shutil.copytree(base, tmp_path / "m")


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "boats.txt"
    path.write_text(NEW, encoding="utf-8")
    return path


def run(model, text, *arguments):
    return main.main(["finetune", str(model), "--data-file", str(text), *map(str, arguments)])


def test_an_update_and_nothing_new_after_it(model, text, capsys):
    arguments = ("--incremental", "--threads", 1, "--epochs", 1, "--limit", 5)
    assert run(model, text, *arguments) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1:4] == [
        "collect: 30 documents",
        "skip: 0 duplicates (0 seen by the model, 0 repeated here)",
        "preprocess: 30 kept (0 repaired), 0 unfit",
    ]
    assert (
        said[5] == "fine-tune: 1 epoch at a learning rate of 0.001, 8 windows of 16 tokens a step"
    )
    assert f"version 2, made from version 1, is now the model in {model}" in said
    assert run(model, text, *arguments) == 0
    words = capsys.readouterr().out.split()
    assert " ".join(words).endswith(f"nothing is new: the model in {model} is as it was")


def test_options_go_before_the_file(model, text, tmp_path):
    config = tmp_path / "c.toml"
    content = "[fine_tuning]\nepochs = 2\nlearning_rate = 0.0005\nthreads = 1\nlimit = 5.0\n"
    config.write_text(content, encoding="utf-8")
    arguments = ("--epochs", 1, "--batch", 4, "--method", "lora", "--rank", 2)
    assert run(model, text, "--incremental", "--config", config, *arguments) == 0
    given = minilm.load(model).lineage[-1].settings
    asked = {"epochs": 1.0, "learning_rate": 0.0005, "batch": 4, "lora": 2, "threads": 1}
    assert {key: given[key] for key in asked} == asked


def test_held_back_is_exit_code_1(model, text, capsys):
    before = minilm.load(model).gpt.parameters.flat.copy()
    arguments = ("--learning-rate", 0.1, "--limit", 0, "--epochs", 4, "--threads", 1)
    assert run(model, text, "--incremental", *arguments) == 1
    assert "is held back" in capsys.readouterr().out
    assert (minilm.load(model).gpt.parameters.flat == before).all()


def test_another_architecture_is_exit_code_1(model, text, tmp_path, capsys):
    config = tmp_path / "c.toml"
    config.write_text('size = "kata"\nn_embd = 64\n', encoding="utf-8")
    assert run(model, text, "--incremental", "--config", config) == 1
    said = capsys.readouterr().out
    assert "advice: retrain, because the architecture is to change" in said
    assert run(model, text, "--incremental", "--config", config, "--dry-run") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--output-dir is needed: the folder of the result"),
        (["--output-dir", "o", "--wait"], "--wait goes with --incremental; leave it out"),
        (["--output-dir", "o", "--config", "c"], "--config goes with --incremental"),
        (["--output-dir", "o", "--dry-run"], "--dry-run goes with --incremental"),
        (["--incremental", "--output-dir", "o"], "--incremental updates DIR itself"),
        (["--incremental", "--method", "probe"], "--method probe is for a task"),
        (["--incremental", "--rank", "2"], "--rank goes with --method lora"),
        (["--incremental", "--pooling", "mean"], "--pooling goes with --task"),
        (["--incremental", "--general", "x.txt"], "--general goes with an adaptation"),
        (["--incremental", "--epochs", "0"], "epochs is 0.0; expected a number above 0"),
        (["--incremental", "--batch", "0"], "batch_size is 0"),
        (["--incremental", "--config", "none.toml"], "none.toml: cannot be read"),
        (["--incremental", "--resume"], "no update was interrupted"),
        (["--incremental", "--text-column", "x", "--encoding", "klingon"], "unknown encoding"),
    ],
)
def test_mistakes_are_one_line(model, text, arguments, message, capsys):
    assert run(model, text, *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("minilm finetune: error: ")
    assert message in error
    assert error.count("\n") == 1


def test_labels_are_no_texts(model, tmp_path, capsys):
    (tmp_path / "t.csv").write_text("text,label\na,b\n", encoding="utf-8")
    assert (
        main.main(["finetune", str(model), "--task", str(tmp_path / "t.csv"), "--incremental"]) == 2
    )
    assert "--incremental learns texts; give them with --data-file" in capsys.readouterr().err


def test_a_folder_in_use_is_said(model, text, capsys):
    with FolderLock(model):
        assert run(model, text, "--incremental") == 2
    assert "in use by process" in capsys.readouterr().err
