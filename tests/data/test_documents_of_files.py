"""Documents put together are the file."""

import json

import pytest

from minilm.data import documents, records
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
    found = list(documents.read([write(tmp_path / "t.txt", text)]))
    assert found == expected
    assert "".join(found) == text


def test_the_kind_can_be_said(tmp_path):
    path = write(tmp_path / "t.txt", "a\n\nb\nc\n")
    assert list(documents.read([path], unit="lines")) == ["a\n\n", "b\n", "c\n"]
    assert list(documents.read([path], unit="paragraphs")) == ["a\n\n", "b\nc\n"]
    with pytest.raises(OptionError, match="lines or paragraphs, not 'pages'"):
        list(documents.read([path], unit="pages"))


def test_each_file_of_a_folder_has_its_own_kind(tmp_path):
    write(tmp_path / "a.txt", "a\nb\n")
    write(tmp_path / "b.md", "c\nd\n\ne\n")
    (tmp_path / "c.jsonl").write_text(json.dumps({"text": "f\n\ng"}), encoding="utf-8")
    assert list(documents.read([tmp_path])) == ["a\n", "b\n", "c\nd\n\n", "e\n", "f\n\ng"]


def test_a_document_without_end_is_cut(monkeypatch):
    monkeypatch.setattr(records.tables, "MAX_LINE", 10)
    lines = ["12345\n"] * 5
    found = list(records.group_lines(lines, "paragraphs"))
    assert found == ["12345\n12345\n", "12345\n12345\n", "12345\n"]


def test_only_blank_lines_are_no_text(tmp_path):
    with pytest.raises(InputError, match=r"t\.txt: no text in it"):
        list(documents.read([write(tmp_path / "t.txt", "\n \n")]))
