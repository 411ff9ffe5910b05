"""The frame of the command line: help, exit codes, one line for each mistake."""

import subprocess
import sys

import pytest

import minilm
from minilm.cli import main as entry
from minilm.cli.main import COMMANDS, main


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


@pytest.mark.parametrize("arguments", [["nonsense"], ["compare", "--nonsense"], ["bench", "run"]])
def test_a_wrong_option_is_one_line_and_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "error:" in error


def test_a_full_disk_is_one_line(monkeypatch, capsys):
    def fail(options):
        raise OSError(28, "No space left on device", "results.csv")

    monkeypatch.setattr("minilm.cli.compare.run", fail)
    assert main(["compare"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("minilm compare: error: results.csv: No space left on device; ")
    assert error.count("\n") == 1


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
