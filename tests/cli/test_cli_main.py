"""The frame of the command line: help, exit codes, one line for each mistake."""

import io
import os
import subprocess
import sys

import pytest

import minilm
from minilm.cli import main as entry
from minilm.cli.main import COMMANDS, Parser, main


def test_help_names_every_command(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_in_80_columns(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"minilm {minilm.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["compare", "--nonsense"], ["bench", "run"], ["inspect", "a", "b\nc"]],
)
def test_a_wrong_option_is_one_line_and_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "error:" in error


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["compare", "--out", ""], "--out"),
        (["pretrain", "--data-file", "", "--output-dir", "m"], "--data-file"),
        (["finetune", "m", "--task", "t.csv", "--output-dir", " "], "--output-dir"),
        (["kata", "grade", "class", "--out", ""], "--out"),
        (["inspect", ""], "DIR"),
    ],
)
def test_an_empty_path_is_not_the_current_folder(arguments, option, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert f"argument {option}: the path is empty" in error
    assert error.count("\n") == 1


def test_an_unknown_option_names_the_command(capsys):
    with pytest.raises(SystemExit):
        main(["predict", "model", "a text", "--nonsense"])
    error = capsys.readouterr().err
    assert error.startswith("minilm predict: error: unrecognized arguments: --nonsense")


def test_a_full_disk_is_one_line(monkeypatch, capsys):
    def fail(options):
        raise OSError(28, "No space left on device", "results.csv")

    monkeypatch.setattr("minilm.cli.compare.run", fail)
    assert main(["compare"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("minilm compare: error: results.csv: No space left on device; ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("detail", "message"),
    [
        ((), "not enough memory; close"),
        (("Unable to allocate 7 GiB",), "not enough memory (Unable to allocate 7 GiB); close"),
    ],
)
def test_too_little_memory_is_one_line(monkeypatch, capsys, detail, message):
    def fail(options):
        raise MemoryError(*detail)

    monkeypatch.setattr("minilm.cli.inspect.run", fail)
    assert main(["inspect", "a"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"minilm inspect: error: {message} ")
    assert error.count("\n") == 1


def test_proper_names_keep_their_capitals(capsys):
    with pytest.raises(SystemExit):
        main(["bench", "cooccurrence", "--help"])
    assert "Counting and factorizing, next to SciPy and scikit-learn." in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    assert "Export a model or classifier as an ONNX graph" in capsys.readouterr().out


def test_a_console_without_the_letters_shows_their_codes(tmp_path, monkeypatch):
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="cp1252") for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    corpus = tmp_path / "a.txt"
    corpus.write_text("солнце море солнце лес\n", encoding="utf-8")
    assert main(["neighbors", "море", "--corpus", str(corpus)]) == 0
    assert main(["neighbors", "дом", "--corpus", str(corpus)]) == 2
    assert main(["neighbors", "море", "--corpus", str(corpus), "--json"]) == 0
    for stream in (out, err):
        stream.flush()
    shown = ascii("солнце")[1:-1].encode()
    assert out.buffer.getvalue().count(shown) == 2
    assert ascii("дом").encode() in err.buffer.getvalue()


@pytest.mark.skipif(os.name == "nt", reason="Windows has another error for such a pipe")
def test_a_reader_that_is_gone_before_the_command_ends_is_no_error(tmp_path):
    (tmp_path / "a.txt").write_text("one two one\n", encoding="utf-8")
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "minilm", "neighbors", "one", "--corpus", tmp_path / "a.txt"],
            stdout=write_end,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(write_end)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_reader_that_goes_away_is_no_error():
    done = subprocess.run(
        f'"{sys.executable}" -m minilm --help | head -n 1',
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("usage: minilm")
    assert done.stderr == ""


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "minilm", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"minilm {minilm.__version__}\n"
    assert entry.__name__ == "minilm.cli.main"


@pytest.mark.parametrize(
    "arguments",
    [
        ["DIR", "a", "b", "--top-p", "0.5"],
        ["DIR", "--top-p", "0.5", "a", "b"],
        ["--top-p=0.5", *"Dab"],
    ],
)
def test_options_may_stand_between_arguments(arguments):
    parser = Parser(prog="minilm x")
    parser.add_argument("model")
    parser.add_argument("texts", nargs="*")
    parser.add_argument("--top-p", type=float, required=True)
    options = parser.parse_args(arguments)
    assert (options.texts, options.top_p) == (["a", "b"], 0.5)


def test_what_is_missing_is_said_wherever_it_belongs(capsys):
    parser = Parser(prog="minilm x")
    parser.add_argument("model")
    parser.add_argument("--text", required=True)
    for arguments, missing in ((["DIR"], "--text"), (["--text", "a"], "model")):
        with pytest.raises(SystemExit):
            parser.parse_args(arguments)
        said = capsys.readouterr().err
        assert said == (
            f"minilm x: error: the following arguments are required: {missing} "
            "(see minilm x --help)\n"
        )


def test_the_other_comparison_is_named_as_it_is_typed(tmp_path, capsys):
    missing = str(tmp_path / "missing.txt")
    assert main(["compare", "forgetting", "--domains", missing, missing]) == 2
    assert capsys.readouterr().err.startswith("minilm compare forgetting: error: ")


def test_an_error_is_one_line_whatever_a_file_is_called(tmp_path, capsys):
    assert main(["inspect", str(tmp_path / "a\nb")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
