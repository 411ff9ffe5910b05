"""All of a book is written or nothing, and nobody else's file is lost."""

import os

import pytest

from minilm.course.book import folder
from minilm.errors import OutputError


def write(out, **pages):
    with folder.replaced(out) as staging:
        for name, content in pages.items():
            folder.write(staging, f"part/{name}.html", content)


def content(out):
    return {
        path.relative_to(out).as_posix(): path.read_text(encoding="utf-8")
        for path in out.rglob("*.html")
    }


def test_a_book_is_written_and_replaced(tmp_path):
    out = tmp_path / "deep" / "book"
    write(out, one="1", two="2")
    assert content(out) == {"part/one.html": "1", "part/two.html": "2"}
    write(out, one="new")
    assert content(out) == {"part/one.html": "new"}
    assert [path.name for path in out.parent.iterdir()] == ["book"]


def test_an_empty_folder_is_taken(tmp_path):
    out = tmp_path / "book"
    out.mkdir()
    write(out, one="1")
    assert content(out) == {"part/one.html": "1"}


def test_a_failure_leaves_what_was_there(tmp_path):
    out = tmp_path / "book"
    write(out, one="1")
    with pytest.raises(TypeError), folder.replaced(out) as staging:
        folder.write(staging, "part/two.html", None)
    assert content(out) == {"part/one.html": "1"}
    assert [path.name for path in tmp_path.iterdir()] == ["book"]


def test_a_folder_that_is_not_a_book_is_refused(tmp_path):
    out = tmp_path / "notes"
    out.mkdir()
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    message = (
        r"notes: holds files that do not belong to a book \(mine.txt\); move them away, or choose"
    )
    with pytest.raises(OutputError, match=message):
        write(out, one="1")
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_a_file_that_somebody_put_into_a_book_is_not_lost(tmp_path):
    out = tmp_path / "book"
    write(out, one="1")
    (out / "part" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"\(part/mine.txt\)"):
        write(out, one="new")
    assert content(out) == {"part/one.html": "1"}
    # Also while the book is being made.
    (out / "part" / "mine.txt").unlink()
    with pytest.raises(OutputError, match=r"\(late.txt\)"), folder.replaced(out):
        (out / "late.txt").write_text("late", encoding="utf-8")
    assert (out / "late.txt").read_text(encoding="utf-8") == "late"


@pytest.mark.parametrize("mark", ["", "[]", '{"files": 7}', '{"files": [1, null]}'])
def test_a_mark_that_is_no_books_protects_the_folder(tmp_path, mark):
    out = tmp_path / "book"
    out.mkdir()
    (out / "book.json").write_text(mark, encoding="utf-8")
    (out / "mine.html").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="not belong to a book"):
        write(out, one="1")


def test_a_file_and_a_link_are_refused(tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match="a file; choose another name with --out"):
        write(tmp_path / "file")
    if os.name != "nt":
        (tmp_path / "link").symlink_to(tmp_path)
        with pytest.raises(OutputError, match="a link; name the folder itself with --out"):
            write(tmp_path / "link")


def test_a_listed_book_of_nothing_else_is_a_book_wherever_it_was_moved(tmp_path):
    write(tmp_path / "book", one="1")
    (tmp_path / "book").rename(tmp_path / "moved")
    write(tmp_path / "moved", one="2")
    assert content(tmp_path / "moved") == {"part/one.html": "2"}
