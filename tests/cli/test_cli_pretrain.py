"""`minilm pretrain`: its options, what it prints, and its exit codes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import minilm
from minilm.cli import main

KATA = ["--size", "kata", "--threads", "1"]


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "cats.txt"
    path.write_text("The cat sat on the mat, and a dog ran to the hill.\n" * 80, encoding="utf-8")
    return str(path)


def run(*arguments):
    return main.main(["pretrain", *map(str, arguments)])


def test_a_model_comes_out(text, tmp_path, capsys):
    out = tmp_path / "m"
    arguments = ["--data-file", text, "--output-dir", out, *KATA, "--steps", 4]
    assert run(*arguments, "--vocab-size", 270, "--seed", 5, "--learning-rate", 0.01) == 0
    said = capsys.readouterr().out
    assert "80 documents, tokenizer of 270 entries" in said
    assert "step 4  held out: perplexity" in said
    (stage,) = minilm.load(out).lineage
    asked = {
        "seed": 5,
        "learning_rate": 0.01,
        "steps": 4,
        "vocab_size": 270,
        "init": "cooccurrence",
    }
    assert {key: stage.settings[key] for key in asked} == asked
    assert run(*arguments) == 2
    assert "holds a model already; continue with --resume" in capsys.readouterr().err
    assert run("--data-file", text, "--output-dir", out, "--resume") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.endswith("finished at step 4; nothing to do")


def test_a_file_of_settings_gives_way_to_options(text, tmp_path):
    config = tmp_path / "own.toml"
    content = 'size = "kata"\nn_layer = 1\nepochs = 9\nthreads = 1\ntokenizer = "bpe"\n'
    config.write_text(content, encoding="utf-8")
    out = tmp_path / "m"
    arguments = ["--config", config, "--steps", 2, "--tokenizer", "word", "--init", "random"]
    assert run("--data-file", text, "--output-dir", out, *arguments) == 0
    model = minilm.load(out)
    assert (model.config.n_layer, model.lineage[0].steps) == (1, 2)
    assert len(model.tokenizer.vocab) == 13
    assert model.lineage[0].settings["init"] == "random"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", 0], "steps is 0; expected a whole number of 1 or more"),
        (["--epochs", -1], "epochs is -1.0; expected a number above 0"),
        (["--threads", 0], "threads is 0; expected a whole number of 1 or more"),
        (["--config", "none.toml"], "none.toml: cannot be read"),
        (["--vocab-size", 100], "a vocabulary of 100 entries; it takes 257"),
    ],
)
def test_mistakes_are_one_line(text, tmp_path, arguments, message, capsys):
    assert run("--data-file", text, "--output-dir", tmp_path / "m", *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("minilm pretrain: error: ")
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--steps", 1, "--epochs", 1],
        ["--size", "kata", "--config", "x"],
        ["--size", "gpt2"],
        ["--tokenizer", "none"],
    ],
)
def test_options_that_exclude_each_other(text, arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        run("--data-file", text, *arguments)
    assert capsys.readouterr().err.startswith("minilm pretrain: error: ")


def test_the_output_cannot_be_made(text, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert run("--data-file", text, "--output-dir", tmp_path / "file" / "m") == 2
    assert "cannot be written to" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process there")
def test_ctrl_c_saves_and_resume_goes_on(text, tmp_path):
    out = tmp_path / "m"
    command = [sys.executable, "-m", "minilm", "pretrain", "--data-file", text, "--output-dir"]
    environment = {**os.environ, "PYTHONPATH": str(Path(minilm.__file__).parent.parent)}
    process = subprocess.Popen(
        [*command, str(out), *KATA, "--steps", "1000000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    deadline = time.monotonic() + 60
    while not (out / "log.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    said, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped and saved at step " in said
    assert error.endswith("minilm pretrain: stopped by Ctrl-C\n")
    steps = minilm.load(out).lineage[0].steps
    assert f"stopped and saved at step {steps:,} of 1,000,000" in said
