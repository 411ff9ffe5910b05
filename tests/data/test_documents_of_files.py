"""Documents put together are the file."""

import json

import pytest

from minilm.data import documents, rewrite
from minilm.errors import InputError, OptionError


def write(path, text):
    path.write_bytes(text.encode("utf-8"))
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\ntwo\n", ["one\n", "two\n"]),
        ("one\ntwo", ["one\n", "two"]),
        ("a\nb\n\n\nc\nd\n", ["a\nb\n\n\n", "c\nd\n"]),
        ("\n \na\nb\n", ["\n \na\n", "b\n"]),  # blank lines at the ends separate nothing
        ("a\nb\n\n", ["a\n", "b\n\n"]),
    ],
)
def test_the_kind_of_document_follows_from_blank_lines(tmp_path, text, expected):
    found = list(documents.read_documents([write(tmp_path / "t.txt", text)]))
    assert found == expected
    assert "".join(found) == text


def test_the_kind_can_be_said(tmp_path):
    path = write(tmp_path / "t.txt", "a\n\nb\nc\n")
    assert list(documents.read_documents([path], unit="lines")) == ["a\n\n", "b\n", "c\n"]
    assert list(documents.read_documents([path], unit="paragraphs")) == ["a\n\n", "b\nc\n"]
    with pytest.raises(OptionError, match="lines or paragraphs, not 'pages'"):
        list(documents.read_documents([path], unit="pages"))


def test_each_file_of_a_folder_has_its_own_kind(tmp_path):
    write(tmp_path / "a.txt", "a\nb\n")
    write(tmp_path / "b.md", "c\nd\n\ne\n")
    (tmp_path / "c.jsonl").write_text(json.dumps({"text": "f\n\ng"}), encoding="utf-8")
    assert list(documents.read_documents([tmp_path])) == ["a\n", "b\n", "c\nd\n\n", "e\n", "f\n\ng"]


def test_a_document_without_end_is_cut(monkeypatch):
    monkeypatch.setattr(documents.lines, "MAX_LINE", 10)
    lines = ["12345\n"] * 5
    found = list(documents.group_lines(lines, "paragraphs"))
    assert found == ["12345\n12345\n", "12345\n12345\n", "12345\n"]


def test_only_blank_lines_are_no_text(tmp_path):
    with pytest.raises(InputError, match=r"t\.txt: no text in it"):
        list(documents.read_documents([write(tmp_path / "t.txt", "\n \n")]))


MARKED = "One line.\nAnother.\n\nStill the first.\n<|endoftext|>\nThe second.<|endoftext|>Third.\n"


def test_a_text_with_marks_is_cut_there_and_only_there(tmp_path):
    path = write(tmp_path / "t.txt", MARKED)
    expected = ["One line.\nAnother.\n\nStill the first.\n\n", "The second.", "Third.\n"]
    for unit in (None, "lines", "paragraphs"):
        assert list(documents.read_documents([path], unit=unit)) == expected
    assert [record.number for record in documents.read_records([path])] == [1, 6, 6]
    assert documents.describe([path]) == ["t.txt: cut only where <|endoftext|> is (2 times)"]


def test_a_text_with_marks_is_written_again_with_them(tmp_path):
    path = write(tmp_path / "t.txt", MARKED)
    rewrite.rewrite(path, tmp_path / "out.txt", lambda number, text: text if number else None)
    found = list(documents.read_documents([tmp_path / "out.txt"]))
    assert [text.strip() for text in found] == ["The second.", "Third."]


def test_a_marked_document_without_end_is_cut(monkeypatch):
    monkeypatch.setattr(documents.lines, "MAX_LINE", 10)
    assert list(documents.cut_at_marks(["12345\n"] * 3)) == ["12345\n12345\n", "12345\n"]
