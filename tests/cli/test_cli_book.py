"""`minilm book` on the command line: a book of one small kata, and what is refused."""

import shutil
from pathlib import Path

import pytest
from strict_html import Page

from minilm import resources
from minilm.cli.main import main
from minilm.course import catalog


@pytest.fixture
def one_kata(tmp_path, monkeypatch):
    """A course of kata 4.6 alone, which may be written into."""
    kata = catalog.find("4.6")
    folder = tmp_path / "course"
    shutil.copytree(kata.folder, folder / kata.name)
    monkeypatch.setattr(resources, "katas_dir", lambda: folder)
    catalog.all_katas.cache_clear()
    monkeypatch.chdir(tmp_path)
    yield folder / kata.name
    monkeypatch.undo()
    catalog.all_katas.cache_clear()


def test_a_book_is_written_and_written_again(one_kata, tmp_path, capsys):
    for _ in range(2):
        assert main(["book", "--workers", "1"]) == 0
        assert capsys.readouterr().out == f"The book: {Path('book', 'index.html')}\n"
    page = (tmp_path / "book" / "katas" / "04_6_layer_norm_backward.html").read_text("utf-8")
    assert "largest entry of dx:     0.000" in page
    assert "data:image/svg+xml;base64," in page


def test_the_same_book_has_the_same_bytes(one_kata, tmp_path):
    assert main(["book", "--workers", "1", "--out", "one"]) == 0
    assert main(["book", "--workers", "2", "--out", "two"]) == 0  # in worker processes
    one, two = (
        {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    )
    assert one == two


def test_a_folder_that_is_not_a_book_is_refused(one_kata, tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine", encoding="utf-8")
    assert main(["book", "--out", "mine"]) == 2
    error = capsys.readouterr().err
    assert error == (
        "minilm book: error: mine: holds files that do not belong to a book (thesis.txt); "
        "move them away, or choose another folder with --out\n"
    )


def test_a_short_demo_is_not_stored_and_a_long_one_is(one_kata, monkeypatch, capsys):
    from minilm.course.book import demo_output

    assert main(["book", "--demos", "4.6"]) == 0
    assert "short enough for every book" in capsys.readouterr().out
    assert not (one_kata / "stored").exists()
    monkeypatch.setattr(demo_output, "LONGEST", -1.0)
    assert main(["book", "--demos"]) == 0
    assert "stored" in capsys.readouterr().out
    assert (one_kata / "stored" / "gradient.svg").exists()
    # A demo that has changed since is reported, and the book is written.
    with open(one_kata / "demo.py", "a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert main(["book", "--workers", "1"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "its demo has changed since its output was stored; run: minilm book --demos 4.6" in said


def test_mistakes_are_one_line(one_kata, capsys):
    assert main(["book", "--workers", "0"]) == 2
    assert "--workers: 0; give 1 or more" in capsys.readouterr().err
    assert main(["book", "--demos", "9.9"]) == 2
    assert "there is no kata '9.9'" in capsys.readouterr().err
    (one_kata / "demo.py").write_text("def run(course):\n    1 / 0\n", encoding="utf-8")
    assert main(["book", "--workers", "1"]) == 2
    assert "demo.py: raises ZeroDivisionError: division by zero; correct it" in (
        capsys.readouterr().err
    )


def test_what_a_kata_says_is_text_and_nothing_else(one_kata, tmp_path):
    hostile = '<script>alert("1")</script> & $x'
    toml = (one_kata / "kata.toml").read_text(encoding="utf-8")
    toml = toml.replace('title = "Layer norm, backward"', f"title = '{hostile}'")
    (one_kata / "kata.toml").write_text(toml, encoding="utf-8")
    lesson = (one_kata / "lesson.md").read_text(encoding="utf-8")
    lesson = lesson.replace("## Exercises\n", f"## Exercises\n\n{hostile} [{hostile}]({hostile})\n")
    (one_kata / "lesson.md").write_text(lesson, encoding="utf-8")
    with open(one_kata / "demo.py", "a", encoding="utf-8") as file:
        file.write(f"\n\ndef run(course):\n    print({hostile!r})\n")
    (one_kata / "teaching.md").write_text(f"## 1. {hostile}?\n\n{hostile}\n", encoding="utf-8")
    assert main(["book", "--workers", "1"]) == 0
    for path in (tmp_path / "book").rglob("*.html"):
        page = Page(path.read_text(encoding="utf-8"))
        assert page.errors == [], path
        assert len(page.all("script")) == 1, path
    assert hostile in Page((tmp_path / "book" / "index.html").read_text("utf-8")).text()


def test_your_own_katas_are_in_the_book_too(one_kata, tmp_path, monkeypatch):
    monkeypatch.setenv("MINILM_KATAS", "")  # so that it is put back
    assert main(["kata", "new", "mine", "12.1", "Rows of length one"]) == 0
    assert main(["book", "--katas", "mine"]) == 0
    index = (tmp_path / "book" / "index.html").read_text(encoding="utf-8")
    assert "Rows of length one" in index
    notes = tmp_path / "book" / "teaching" / "12_1_rows_of_length_one.html"
    assert notes.read_text(encoding="utf-8").count("A sample answer") == 3
