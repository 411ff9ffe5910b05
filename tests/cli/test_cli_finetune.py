"""`minilm finetune`: what it prints, and what it says to options that do not go together."""

import pytest

from minilm.cli import main
from minilm.models.text_classifier import load
from minilm.training import labelled_task, pretrain


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Return a small trained model."""
    place = tmp_path_factory.mktemp("models")
    text = place / "t.txt"
    text.write_text("The cat sat on the mat, and a dog ran by.\n" * 40, encoding="utf-8")
    tiny = {"size": "kata", "n_embd": 12, "n_layer": 1, "n_head": 2, "steps": 2, "batch": 2}
    given = {**tiny, "n_positions": 16, "vocab_size": 270, "threads": 1}
    pretrain.pretrain([text], place / "m", given, say=lambda line: None)
    return place / "m"


@pytest.fixture
def task(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text,label\n" + "a cat sat,x\na dog ran,y\n" * 4, encoding="utf-8")
    return path


def run(base, *arguments):
    return main.main(["finetune", str(base), *map(str, arguments)])


def test_a_task(base, task, tmp_path, capsys):
    quick = ("--epochs", 2, "--batch", 4, "--threads", 1)
    assert run(base, "--task", task, "--output-dir", tmp_path / "o", "--labels", 6, *quick) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[:3] == [
        "t.csv: 8 rows, text from column 'text', label from column 'label', no split",
        "t.csv: 6 texts to train on, no development part",
        "labels: x 3, y 3",
    ]
    assert lines[3].startswith("full fine-tuning: 100 % of ")
    assert lines[4].startswith("pooling mean: transformers refuses this folder; --pooling last ")
    made = f"{tmp_path / 'o'}: classifier, log.csv and loss.png"
    assert " ".join(printed.out.split()).endswith(made)
    assert set(load(tmp_path / "o").predict(["a cat", "a dog"])) <= {"x", "y"}


def test_every_option_of_a_task_reaches_the_settings(base, task, tmp_path):
    arguments = (
        "--method lora --rank 2 --alpha 3 --lora-targets attn.c_attn mlp.c_fc --epochs 1 --batch 3 "
        "--learning-rate 0.01 --layer-decay 0.9 --lm-weight 0.2 --pooling last --seed 4 --threads 1"
    ).split()
    out = tmp_path / "o"
    assert run(base, "--task", task, "--output-dir", out, *arguments) == 0
    from minilm.store import adapters

    saved = adapters.load(out)
    recorded = {**saved.lineage[-1].settings}
    recorded.pop("machine")
    assert recorded == {
        "method": "lora",
        "rank": 2,
        "alpha": 3.0,
        "targets": ["attn.c_attn", "mlp.c_fc"],
        "layers": 1,
        "epochs": 1.0,
        "updates": None,
        "batch": 3,
        "learning_rate": 0.01,
        "layer_decay": 0.9,
        "lm_weight": 0.2,
        "pooling": "last",
        "weight_decay": recorded["weight_decay"],
        "dropout": recorded["dropout"],
        "seed": 4,
        "threads": 1,
        "labels": None,
        "encoding": "utf-8",
        "text_column": None,
        "label_column": None,
    }
    assert saved.adapter.targets == ("attn.c_attn", "mlp.c_fc")
    assert saved.adapter.alpha == 3


def test_text_without_labels_is_for_another_command(base, tmp_path, capsys):
    text = tmp_path / "d.txt"
    text.write_text("a dog ran\n", encoding="utf-8")
    assert run(base, "--data-file", text, "--output-dir", tmp_path / "o") == 2
    error = capsys.readouterr().err
    assert "--data-file is text without labels" in error
    assert "with minilm update" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--task", "T", "--rank", "2"], "--rank goes with --method lora; leave it out"),
        (
            ["--task", "T", "--lora-targets", "mlp.c_fc", "--method", "full"],
            "--lora-targets goes with --method lora",
        ),
        (["--task", "T", "--layers", "1"], "--layers goes with --method last-n"),
        (
            ["--task", "T", "--method", "probe", "--layer-decay", "0.5"],
            "--layer-decay goes with a method that trains the body",
        ),
        ([], "one of --task"),
        (["--task", "T", "--method", "lora", "--rank", "99"], "a LoRA rank of 99 does not fit"),
        (["--task", "T", "--labels", "99"], "--labels: 99 texts of t.csv, with 8 to train on"),
        (["--task", "T", "--text-column", "nothing"], "no column 'nothing'"),
        (["--task", "nowhere.csv"], "nowhere.csv: no such file"),
    ],
)
def test_mistakes_end_with_one_line_and_nothing_written(
    base, task, tmp_path, capsys, arguments, says
):
    given = [str(task) if argument == "T" else argument for argument in arguments]
    assert run(base, "--output-dir", tmp_path / "o", *given) == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert printed.err.count("\n") == 1
    assert not (tmp_path / "o").exists()


def test_labels_to_look_at_are_named(base, tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("Text,LABEL\n" + "a cat,x\na dog,X\na mat,NA\n" * 3, encoding="utf-8")
    quick = ("--epochs", 1, "--batch", 4, "--threads", 1)
    assert run(base, "--task", path, "--output-dir", tmp_path / "o", *quick) == 0
    said = capsys.readouterr().out
    assert "differ only in how they are written: 'x' (3), 'X' (3)" in said
    assert "a label that looks like a missing value: 'NA' (3)" in said


def test_ctrl_c_says_that_nothing_was_saved(base, task, tmp_path, capsys, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(labelled_task, "run", stop)
    assert run(base, "--task", task, "--output-dir", tmp_path / "o") == 130
    assert " ".join(capsys.readouterr().err.split()) == (
        "minilm finetune: stopped by Ctrl-C; nothing was saved; the same command starts again"
    )
