"""The commands: compare with a bet, report from the tables alone, --open."""

import io
import json
import shutil
import webbrowser

import pytest

from minilm.cli import main


@pytest.fixture(scope="module")
def compared(world, tmp_path_factory):
    """A small comparison with a bet, made by the command, and what it printed."""
    folder = tmp_path_factory.mktemp("compared") / "out"
    arguments = ["compare", "--task", str(world / "task.csv")]
    arguments += ["--corpus", str(world / "corpus.txt"), "--dimensions", "10"]
    arguments += ["--conditions", "random,cooccurrence", "--budgets", "16", "--seeds", "4"]
    arguments += ["--workers", "1", "--predict", "random > cooccurrence", "--out", str(folder)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINILM_CACHE", str(tmp_path_factory.mktemp("cache")))
        code = main.main(arguments)
    assert code == 0
    return folder


CONCLUSIONS = ("summary.json", "report.html", "accuracy.png", "accuracy.svg")


def test_report_makes_everything_again_from_the_tables(compared, capsys):
    before = {name: (compared / name).read_bytes() for name in CONCLUSIONS}
    for name in (*CONCLUSIONS, "confusion.png"):
        (compared / name).unlink()
    assert main.main(["report", str(compared)]) == 0
    printed = capsys.readouterr().out
    assert {name: (compared / name).read_bytes() for name in CONCLUSIONS} == before
    assert (compared / "confusion.png").exists()
    assert str(compared / "report.html") in printed
    assert "Of 1 pair with a clear difference, the bet had 0 right" in printed
    assert max(map(len, printed.split("The table (results.csv)")[0].splitlines())) <= 80
    page = (compared / "report.html").read_text(encoding="utf-8")
    assert "the class bet: random &gt; cooccurrence." in page


def test_the_made_up_comparison_of_these_tests_has_the_parts_of_a_real_one(compared, finished):
    real, made_up = (
        json.loads((folder / "summary.json").read_bytes()) for folder in (compared, finished)
    )
    assert set(made_up) == set(real)
    assert set(made_up["about"]["random"]) == set(real["about"]["random"])
    for part in ("conditions", "differences", "gains", "pretraining"):
        assert set(made_up[part][0]) == set(real[part][0]), part


def test_open_shows_the_report_and_json_is_the_summary(compared, capsys, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or False)
    assert main.main(["report", str(compared), "--open", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == json.loads((compared / "summary.json").read_bytes())
    assert opened == [(compared / "report.html").as_uri()]
    assert "no browser was found" in printed.err


def one_line(capsys):
    error = capsys.readouterr().err.strip()
    assert len(error.splitlines()) == 1
    return error


def test_a_folder_without_a_comparison_is_refused_and_left_alone(tmp_path, capsys):
    for folder in (tmp_path, tmp_path / "none"):
        assert main.main(["report", str(folder)]) == 2
        assert "not the folder of a comparison" in one_line(capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("predict", "problem"),
    [
        (["--predict", "random > magic"], "'magic' is not one of random, tfidf"),
        (["--predict"], "asks on a terminal"),
    ],
)
def test_a_bet_that_cannot_be_made_leaves_nothing(tmp_path, capsys, monkeypatch, predict, problem):
    monkeypatch.setattr("sys.stdin", io.StringIO("1 > 2\n"))  # a pipe is no terminal
    out = tmp_path / "out"
    command = ["compare", "--conditions", "random,tfidf", "--out", str(out), *predict]
    assert main.main(command) == 2
    assert problem in one_line(capsys)
    assert not out.exists()


def test_a_bet_after_the_results_is_refused(compared, capsys):
    command = ["compare", "--out", str(compared), "--resume", "--predict", "random > tfidf"]
    assert main.main(command) == 2
    assert "bets are made before the first run" in one_line(capsys)


def test_the_bets_of_a_class_are_scored_after_the_run_too(compared, tmp_path, capsys):
    folder = tmp_path / "out"
    shutil.copytree(compared, folder)
    table = tmp_path / "bets.csv"
    table.write_text("student,order\nAda,cooccurrence > random\nBob,1 > 2\nCem,x > y\n", "utf-8")
    assert main.main(["report", str(folder), "--predict", str(table)]) == 0
    printed = capsys.readouterr().out
    assert "Ada has the most pairs right: 1 of 1. These bets" in " ".join(printed.split())
    assert "line 4: 'x' is not one of random, cooccurrence" in printed
    assert [line.split()[:5] for line in printed.splitlines() if line.startswith("   ")][:2] == [
        ["1", "Ada", "1", "of", "1"],
        ["2", "Bob", "0", "of", "1"],
    ]
    assert main.main(["report", str(folder)]) == 0  # they are kept
    assert "Ada has the most pairs right" in capsys.readouterr().out
    table.write_text("Ada,cooccurrence > random\n", "utf-8")
    assert main.main(["report", str(folder), "--predict", str(table)]) == 2
    assert 'the columns "student" and "order"' in one_line(capsys)


def test_the_bets_of_a_class_come_before_the_run(world, tmp_path, capsys):
    table = tmp_path / "bets.csv"
    command = ["compare", "--task", str(world / "task.csv")]
    command += ["--corpus", str(world / "corpus.txt"), "--dimensions", "10"]
    command += ["--conditions", "random,cooccurrence", "--budgets", "16", "--seeds", "2"]
    command += ["--workers", "1", "--out", str(tmp_path / "out"), "--predict", str(table)]
    assert main.main(command) == 2
    assert "no such file" in one_line(capsys)
    table.write_text("student,order\nAda,random > magic\n", "utf-8")
    assert main.main(command) == 2
    assert "no row is a bet" in one_line(capsys)
    assert not (tmp_path / "out").exists()
    table.write_text("student,order\nAda,random > magic\nBob,1 > 2\n", "utf-8")
    assert main.main(command) == 0
    said = capsys.readouterr()
    assert "line 2: 'magic'" in " ".join(said.err.split())
    assert "The bets of the class" in said.out
    assert "after the runs" not in said.out
