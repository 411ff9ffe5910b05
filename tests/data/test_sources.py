"""Which files are meant: a folder as people have it, and files of another kind than they say."""

import gzip
import zipfile

import pytest

from minilm.data import documents, lines, sources
from minilm.errors import InputError, MinilmError


def write(path, content="Some text.\n", encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode(encoding))
    return path


@pytest.fixture
def texts(tmp_path):
    """Return a folder with one text, and much that a person did not put there."""
    folder = tmp_path / "texts"
    write(folder / "a.txt")
    write(folder / ".ipynb_checkpoints" / "a-checkpoint.txt")
    write(folder / ".git" / "notes.md")
    write(folder / ".hidden.txt")
    write(folder / "__MACOSX" / "._a.txt")
    write(folder / "out" / "log.csv")
    write(folder / "old" / "minilm.json", "{}")
    write(folder / "gpt2" / "config.json", "{}")
    write(folder / "gpt2" / "vocab.json", "{}")
    write(folder / "runs" / "x" / "manifest.json", "{}")
    write(folder / "runs" / "x" / "results.csv", "a,b\n")
    return folder


def test_a_folder_gives_what_a_person_put_there(texts):
    said = []
    found = sources.find_files([texts], output=texts / "out", say=said.append)
    assert found == [texts / "a.txt"]
    (line,) = said
    assert line.startswith(f"{texts}: left out ")
    assert ".git/ (hidden), .hidden.txt (hidden)" in line
    assert "and 5 more; a file given by name is always read" in line
    assert texts / "out" / "log.csv" in sources.find_files([texts])  # nobody's output now


def test_each_kind_that_is_left_out_has_its_reason(texts):
    left_out = []
    list(sources._walk(texts, texts, texts / "out", left_out))
    assert left_out == [
        ".git/ (hidden)",
        ".hidden.txt (hidden)",
        ".ipynb_checkpoints/ (hidden)",
        "__MACOSX/ (made by macOS)",
        "gpt2/ (a model)",
        "old/ (a model)",
        "out/ (the output)",
        "runs/x/ (a comparison)",
    ]


def test_a_file_or_folder_given_by_name_is_always_read(texts):
    named = [texts / ".hidden.txt", texts / "__MACOSX" / "._a.txt", texts / "old" / "minilm.json"]
    assert sources.find_files(named) == named
    assert sources.find_files([texts / ".git"]) == [texts / ".git" / "notes.md"]


def test_a_model_is_no_folder_of_texts(texts):
    with pytest.raises(InputError, match="this folder holds a model, not texts"):
        sources.find_files([texts / "old"])
    with pytest.raises(InputError, match="choose another output folder"):
        sources.find_files([texts], output=texts)
    (texts / "a.txt").unlink()
    only_hidden = write(texts.parent / "more" / ".a.txt").parent
    with pytest.raises(InputError, match=r"a folder without text .*; left out: \.a\.txt \(hidden"):
        sources.find_files([only_hidden])


def test_the_nearest_folder_is_found(tmp_path):
    for name in ("model-a", "model-b", "other"):
        write(tmp_path / name / "x.json", "{}")
    (tmp_path / "model-c").mkdir()
    found = sources.nearest_folder(tmp_path / "modl-b", lambda place: (place / "x.json").exists())
    assert found == tmp_path / "model-b"
    assert sources.nearest_folder(tmp_path / "a", lambda place: False) is None
    assert sources.nearest_folder(tmp_path / "none" / "a", lambda place: True) is None


def workbook(path, entry):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, "<x/>")
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(b"text", mtime=0), "this is gzip, not text; unpack it first"),
        (b"\xd0\xcf\x11\xe0" + bytes(99), "an old Excel or Word file, not text; save it as CSV"),
        (b"%PDF-1.7\n", "this is a PDF"),
        (b"PAR1" + bytes(9), "this is a Parquet file, not text; convert it to .csv or .jsonl"),
        (b"PK\x03\x04 and no archive", "this is a zip archive, not text; unpack it first"),
        (
            "text,label\n".encode("utf-16"),
            r"UTF-16 \(it has a byte order mark\); .*--encoding utf-16",
        ),
        (
            "text,label\n".encode("utf-32"),
            r"UTF-32 \(it has a byte order mark\); .*--encoding utf-32",
        ),
        ("text,label\n".encode("utf-32-be"), "looks like UTF-32; .*--encoding utf-32-be"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "this is a binary file, not text"),
        (b"\x93NUMPY\x01\0v\0{'descr'", "this is a binary file, not text"),
        (bytes(50), "this is a binary file, not text"),
        (rb"{\rtf1\ansi Hello\par}", "this is an RTF file, not text; save it as plain text"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n",
            "a pointer of Git LFS, not text; fetch the file with: git lfs pull",
        ),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
def test_files_under_another_ending_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        list(documents.read_documents([tmp_path / name]))
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("xl/workbook.xml", "an Excel workbook, not text; save it as CSV"),
        ("word/document.xml", "a Word document"),
        ("content.xml", "an OpenDocument file"),
        ("a.txt", "a zip archive, not text; unpack it first"),
    ],
)
def test_spreadsheets_under_another_ending_are_named(tmp_path, entry, message):
    for name in ("a.csv", "a.xlsx"):
        with pytest.raises(InputError, match=message):
            list(documents.read_documents([workbook(tmp_path / name, entry)]))


def test_utf_16_is_read_when_it_is_named(tmp_path):
    path = write(tmp_path / "a.txt", "caf\u00e9\n", "utf-16")
    assert list(lines.read_lines(path, "utf-16")) == ["café\n"]
    with pytest.raises(InputError, match="UTF-16"):
        list(lines.read_lines(path, "latin-1"))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_named(tmp_path, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes("A plain text\n".encode(encoding))
    with pytest.raises(InputError, match=f"looks like UTF-16; read it with --encoding {encoding}"):
        list(lines.read_lines(path))
    assert list(lines.read_lines(path, encoding)) == ["A plain text\n"]


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        ("\ufeffcafé\n".encode(), "latin-1", r"UTF-8 \(it has .*\); leave --encoding out"),
        ("café\n".encode(), "cp1252", "this is UTF-8, not cp1252; leave --encoding out"),
        (b"a plain text\n", "utf-16", "no byte order mark, which UTF-16 needs; .* utf-16-le or"),
        (b"a plain text\n", "utf-16-le", "not UTF-16-LE, but looks like plain text"),
        ("a text\n".encode("utf-16"), "utf-16-be", "UTF-16 .*; read it with --encoding utf-16$"),
        (b"a plain text\n", "idna", "unknown encoding 'idna'"),
    ],
)
def test_an_encoding_that_is_not_the_files_is_refused(tmp_path, content, encoding, message):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(MinilmError, match=message):
        list(lines.read_lines(tmp_path / "a.txt", encoding))


def test_byte_order_marks_are_no_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffone\n\ufefftwo\n".encode())
    assert list(lines.read_lines(path)) == ["one\n", "two\n"]
    path.write_bytes("\ufeffone\n".encode("utf-16-le"))
    assert list(lines.read_lines(path, "utf-16-le")) == ["one\n"]
    path.write_bytes("\ufeff".encode())
    assert list(lines.read_lines(path)) == []


def test_a_folder_in_place_of_a_file_is_named(tmp_path):
    with pytest.raises(InputError, match="this is a folder; name a file in it"):
        list(lines.read_lines(tmp_path))


def test_a_single_path_is_not_taken_for_a_list_of_letters(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("One.\nTwo.\n", encoding="utf-8")
    assert list(documents.read_documents(str(path))) == ["One.\n", "Two.\n"]
    assert sources.find_files(path) == [path]
