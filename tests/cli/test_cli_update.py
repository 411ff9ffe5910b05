"""`minilm update`: options, exit codes, JSON, folders of its own."""

import json
import shutil

import pytest

import minilm
from minilm.cli import main
from minilm.files import FolderLock
from minilm.store import adapters
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
    return main.main(["update", str(model), "--data-file", str(text), *map(str, arguments)])


def test_an_update_and_nothing_new_after_it(model, text, capsys):
    arguments = ("--threads", 1, "--epochs", 1, "--limit", 5)
    assert run(model, text, *arguments) == 0
    said = capsys.readouterr().out
    assert (
        "\ncollect: 30 documents\n"
        "skip: 0 duplicates (0 seen by the model, 0 repeated here)\n"
        "preprocess: 30 kept (0 repaired), 0 unfit\n"
    ) in said
    assert "\nupdate: 1 epoch at a learning rate of 0.002, 2 windows of 16 tokens a step\n" in said
    place = f"version 2, made from version 1, is now the model in {model}"
    assert place in " ".join(said.split())
    assert run(model, text, *arguments) == 0
    words = capsys.readouterr().out.split()
    assert " ".join(words).endswith(f"nothing is new: the model in {model} is unchanged")


def test_options_go_before_the_file(model, text, tmp_path):
    config = tmp_path / "c.toml"
    content = "[update]\nepochs = 2\nlearning_rate = 0.0005\nthreads = 1\nlimit = 5.0\n"
    config.write_text(content, encoding="utf-8")
    arguments = ("--epochs", 1, "--batch", 4, "--method", "lora", "--rank", 2)
    assert run(model, text, "--config", config, *arguments) == 0
    given = minilm.load(model).lineage[-1].settings
    asked = {"epochs": 1.0, "learning_rate": 0.0005, "batch": 4, "lora": 2, "threads": 1}
    assert {key: given[key] for key in asked} == asked


def test_held_back_is_exit_code_1(model, text, capsys):
    before = minilm.load(model).gpt.parameters.flat.copy()
    arguments = ("--learning-rate", 0.1, "--limit", 0, "--epochs", 4, "--threads", 1)
    assert run(model, text, *arguments) == 1
    assert "is held back" in capsys.readouterr().out
    assert (minilm.load(model).gpt.parameters.flat == before).all()


def test_another_architecture_is_exit_code_1(model, text, tmp_path, capsys):
    config = tmp_path / "c.toml"
    config.write_text('size = "kata"\nn_embd = 64\n', encoding="utf-8")
    assert run(model, text, "--config", config) == 1
    said = capsys.readouterr().out
    assert "advice: retrain, because the architecture is to change" in said
    assert run(model, text, "--config", config, "--dry-run") == 0


def test_json_and_a_folder_of_its_own(model, text, tmp_path, capsys):
    before = minilm.load(model).gpt.parameters.flat.copy()
    out = tmp_path / "out"
    arguments = ("--steps", 2, "--threads", 1, "--json", "--output-dir", out, "--general", text)
    assert run(model, text, *arguments) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["collected"]["kept"] == 30
    assert found["advice"]["action"] == "update"
    assert (found["update"]["version"], found["update"]["path"]) == (None, str(out))
    assert [old["name"] for old in found["update"]["old"]] == ["t.txt", "boats.txt"]
    assert f"the model in {model} is unchanged; the result is in {out}" in " ".join(
        printed.err.split()
    )
    assert (minilm.load(model).gpt.parameters.flat == before).all()
    assert len(minilm.load(out).lineage) == 2
    assert {p.name for p in out.iterdir()} >= {"log.csv", "loss.png", "model.safetensors"}
    again = tmp_path / "again"
    assert run(out, text, "--output-dir", again) == 0  # nothing is new
    assert not again.exists()
    assert run(model, text, "--output-dir", out) == 2
    assert "holds a model already; choose another --output-dir" in capsys.readouterr().err


def test_an_adapter(model, text, tmp_path, capsys):
    out = tmp_path / "adapter"
    lora = ("--method", "lora", "--rank", 2, "--alpha", 3, "--lora-targets", "mlp.c_fc")
    assert run(model, text, *lora, "--steps", 2, "--threads", 1, "--output-dir", out) == 0
    found = adapters.load(out)
    assert (found.adapter.rank, found.adapter.alpha) == (2, 3.0)
    assert found.adapter.targets == ("mlp.c_fc",)
    assert [stage.kind for stage in found.lineage] == ["pretrain", "update"]
    adapted = minilm.load(out)
    assert repr(adapted).endswith("LoRA rank 2)")
    assert adapted.lineage == found.lineage


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output-dir", "o", "--wait"], "--wait is for an update of DIR itself; leave it out"),
        (["--output-dir", "o", "--resume"], "--resume is for an update of DIR itself"),
        (["--output-dir", "o", "--limit", "1"], "--limit is for an update of DIR itself"),
        (["--rank", "2"], "--rank goes with --method lora"),
        (["--lora-targets", "mlp.c_fc"], "--lora-targets goes with --method lora"),
        (["--epochs", "0"], "epochs is 0.0; expected a number above 0"),
        (["--batch", "0"], "batch is 0"),
        (["--config", "none.toml"], "none.toml: cannot be read"),
        (["--resume"], "no update was interrupted"),
        (["--text-column", "x", "--encoding", "klingon"], "unknown encoding"),
        (["--method", "lora", "--ewc", "1"], "use one of them"),
        (
            ["--method", "lora", "--average", "0.5", "--output-dir", "o"],
            "an adapter cannot be averaged",
        ),
    ],
)
def test_mistakes_are_one_line(model, text, arguments, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(model, text, *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("minilm update: error: ")
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "o").exists()


def test_a_folder_in_use_is_reported(model, text, capsys):
    with FolderLock(model):
        assert run(model, text) == 2
    assert "in use by process" in capsys.readouterr().err
