"""Documents with their lines, and files written again."""

import csv
import json

import pytest

from minilm.data import documents, rewrite
from minilm.data.quality import fingerprints
from minilm.errors import InputError, OptionError


def write(path, text):
    path.write_bytes(text.encode("utf-8"))
    return path


def found(path, **options):
    return [(r.number, r.text) for r in documents.read_records([path], **options)]


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("a\nb\n", None, [(1, "a\n"), (2, "b\n")]),
        ("\n\na\n\nb", None, [(3, "\n\na\n\n"), (5, "b")]),
        ("a\nb\n\n\nc\n", None, [(1, "a\nb\n\n\n"), (5, "c\n")]),
        ("a\nb\n\n\nc\n", "lines", [(1, "a\n"), (2, "b\n\n\n"), (5, "c\n")]),
        ("a\r\n\r\nb\r\n", None, [(1, "a\n\n"), (3, "b\n")]),
        (" \n\n", None, []),
    ],
)
def test_lines_of_plain_text(tmp_path, text, unit, expected):
    path = write(tmp_path / "t.txt", text)
    assert found(path, unit=unit) == expected
    if expected:
        assert list(documents.read_documents([path], unit=unit)) == [text for _, text in expected]


def test_lines_of_tables(tmp_path):
    table = write(tmp_path / "t.csv", 'id,text,label\n1,"two\nlines",a\n\n2, ,\n3,x,b\n')
    assert found(table) == [(2, "two\nlines"), (5, " "), (6, "x")]
    assert [r.label for r in documents.read_records([table])] == ["a", "", "b"]
    lines = write(tmp_path / "t.jsonl", '{"text": "a"}\n\n{"text": null}\n{"text": 5}\n')
    assert found(lines) == [(1, "a"), (3, ""), (4, "5")]
    items = write(tmp_path / "t.json", '["a",\n"b"]')
    assert [r.place for r in documents.read_records([items])] == [
        "t.json: item 1",
        "t.json: item 2",
    ]
    assert [r.place for r in documents.read_records([lines])][-1] == "t.jsonl:4"


def test_parts(tmp_path):
    table = write(tmp_path / "t.csv", "text,split\na,train\nb,Validation\nc,test\nd,other\ne,\n")
    assert [r.part for r in documents.read_records([table])] == ["train", "dev", "test", None, None]
    named = write(tmp_path / "test.csv", "text\na\n")
    plain = write(tmp_path / "valid.txt", "a\n")
    other = write(tmp_path / "more.txt", "a\n")
    assert [r.part for r in documents.read_records([named, plain, other])] == ["test", "dev", None]


def test_the_label_is_optional_unless_it_is_asked_for(tmp_path):
    table = write(tmp_path / "t.csv", "text,url\na,b\n")
    assert next(documents.read_records([table])).label is None
    assert next(documents.read_records([table], label_column="url")).label == "b"
    with pytest.raises(InputError, match=r"no column 'stars'; name it with --label-column"):
        next(documents.read_records([table], label_column="stars"))
    with pytest.raises(InputError, match=r"no column 'body'; name it with --text-column"):
        next(documents.read_records([table], text_column="body"))


def even(number, text):
    return text if number % 2 == 0 else None


def test_plain_text_written_again(tmp_path):
    path = write(tmp_path / "t.txt", "\nfirst\nlines\n\n\nsecond\n\nthird")
    out = tmp_path / "out.txt"
    rewrite.rewrite(path, out, lambda number, text: text)
    assert out.read_bytes() == path.read_bytes()
    rewrite.rewrite(path, out, even)
    assert out.read_text(encoding="utf-8") == "\nfirst\nlines\n\n\nthird"


def test_tables_written_again(tmp_path):
    rows = [["n", "text", "label"], ["1", 'a "quoted"\ntext', "x"], ["2", "b", ""], ["3", "ü", "y"]]
    path = tmp_path / "t.csv"
    with open(path, "w", encoding="latin-1", newline="") as file:
        csv.writer(file).writerows(rows)
    out = tmp_path / "out.csv"
    rewrite.rewrite(path, out, even, encoding="latin-1")
    with open(out, encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [rows[0], rows[1], rows[3]]
    tabs = write(tmp_path / "t.tsv", "text\tlabel\na, b\tx\nc\ty\n")
    rewrite.rewrite(tabs, tmp_path / "out.tsv", lambda number, text: text.upper())
    assert (tmp_path / "out.tsv").read_text(encoding="utf-8") == "text\tlabel\nA, B\tx\nC\ty\n"


ITEMS = [{"text": "a", "n": {"deep": [1, None]}}, {"text": "b"}, {"text": "ü", "label": 5}]


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_json_written_again_with_all_it_holds(tmp_path, suffix):
    path, out = tmp_path / f"t.{suffix}", tmp_path / f"out.{suffix}"
    if suffix == "json":
        write(path, json.dumps(ITEMS))
    else:
        write(path, "\n\n".join(map(json.dumps, ITEMS)))
    rewrite.rewrite(path, out, lambda number, text: None if number == 1 else text + "!")
    content = out.read_text(encoding="utf-8")
    made = json.loads(content) if suffix == "json" else [*map(json.loads, content.splitlines())]
    assert made == [{"text": "a!", "n": {"deep": [1, None]}}, {"text": "ü!", "label": 5}]
    assert "ü" in content


def test_halves_of_characters_are_written_as_they_came(tmp_path):
    for suffix, content in (("jsonl", '{"text": "a", "n": "\\ud800"}\n'), ("json", '["\\ud800"]')):
        path, out = write(tmp_path / f"t.{suffix}", content), tmp_path / f"out.{suffix}"
        rewrite.rewrite(path, out, lambda number, text: text)
        assert json.loads(out.read_text(encoding="utf-8")) == json.loads(content)


def test_strings_written_again(tmp_path):
    path = write(tmp_path / "t.jsonl", '"a"\n"b"\n')
    rewrite.rewrite(path, tmp_path / "out.jsonl", lambda number, text: text * 2)
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == '"aa"\n"bb"\n'


def test_a_file_is_not_written_over_itself_or_as_another_kind(tmp_path):
    path = write(tmp_path / "t.jsonl", '"a"\n')
    for out in (path, tmp_path / "." / "t.jsonl"):
        with pytest.raises(OptionError, match="this is the file itself"):
            rewrite.rewrite(path, out, even)
    with pytest.raises(OptionError, match=r"should be named out\.jsonl"):
        rewrite.rewrite(path, tmp_path / "out.csv", even)
    assert path.read_text(encoding="utf-8") == '"a"\n'


def test_a_failure_in_the_middle_leaves_the_last_copy(tmp_path):
    path = write(tmp_path / "t.csv", "text\na\nb\n")
    out = write(tmp_path / "out.csv", "before")

    def fail(number, text):
        if number == 1:
            raise OSError(28, "No space left on device")
        return text

    with pytest.raises(OSError, match="No space left"):
        rewrite.rewrite(path, out, fail)
    assert out.read_text(encoding="utf-8") == "before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.csv", "t.csv"]


def test_the_same_text_has_one_fingerprint_in_every_kind_of_file(tmp_path):
    text = "Two lines,\n and a café"
    made = [
        write(tmp_path / "a.txt", f"{text}\n\nmore\n"),
        write(tmp_path / "a.csv", f'text\n"{text}"\n'),
        write(tmp_path / "a.json", json.dumps([text])),
    ]
    marks = {fingerprints.fingerprint(next(documents.read_records([path])).text) for path in made}
    assert len(marks) == 1
