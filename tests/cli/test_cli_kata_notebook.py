"""`minilm kata notebook`, as a learner meets it."""

import json

import pytest

from minilm.cli import main as cli
from minilm.course import catalog

KATA = catalog.find("4.6")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = cli.main(["kata", "notebook", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_one_notebook_goes_to_the_learner_s_folder(run, tmp_path):
    code, out, _ = run("4.6")
    path = tmp_path / "mykatas" / "notebooks" / f"{KATA.name}.ipynb"
    assert code == 0
    assert json.loads(path.read_text(encoding="utf-8"))["metadata"]["minilm"]["kata"] == "4.6"
    assert out == (
        f"mykatas/notebooks/{KATA.name}.ipynb is ready.\n  Open it in Jupyter, VS Code or Colab.\n"
    )


def test_all_go_to_a_folder_and_a_changed_one_stays(run, tmp_path):
    count = len(catalog.all_katas())
    code, out, _ = run("--all", "--out", "there")
    assert (code, out) == (0, f"{count} notebooks are in there.\n")
    assert len(list((tmp_path / "there").glob("*.ipynb"))) == count
    path = tmp_path / "there" / f"{KATA.name}.ipynb"
    mine = path.read_text(encoding="utf-8").replace("not written yet", "I begin")
    path.write_text(mine, encoding="utf-8")
    code, out, _ = run("--all", "--out", "there")
    assert code == 1
    assert f"there/{KATA.name}.ipynb has your changes, so it stays as it is.\n  --overwrite" in out
    assert f"{count - 1} notebooks" in out
    assert path.read_text(encoding="utf-8") == mine
    code, out, _ = run("4.6", "--out", "there", "--overwrite")
    assert code == 0
    assert f"Yours is in there/{KATA.name}.1.ipynb" in out
    assert path.with_name(f"{KATA.name}.1.ipynb").read_text(encoding="utf-8") == mine


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], 'give the number of a kata, such as "4.6", or --all'),
        (["4.6", "--all"], "4.6 and --all; choose one of the two"),
    ],
    ids=["neither", "both"],
)
def test_a_number_or_all(run, arguments, said):
    code, _, err = run(*arguments)
    assert code == 2
    assert said in err


def test_a_file_in_the_place_of_the_folder_is_told_in_one_line(run, tmp_path):
    (tmp_path / "there").write_text("", encoding="utf-8")
    code, _, err = run("4.6", "--out", "there")
    assert code == 2
    assert err.count("\n") == 1
    assert "there" in err
