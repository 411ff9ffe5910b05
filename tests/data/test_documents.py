"""Every kind of file that is read, and every way in which one can be wrong."""

import json

import pytest

from minilm.data import columns, documents, labelled, tables
from minilm.errors import InputError, OptionError


def read(*paths, **options):
    return [text.rstrip("\n") for text in documents.read_documents(paths, **options)]


def write(path, content, encoding="utf-8"):
    path.write_bytes(content.encode(encoding))
    return path


def test_lines_and_paragraphs(tmp_path):
    path = write(tmp_path / "a.txt", "one\ntwo\n\n \nthree\r\nfour")
    assert read(path, unit="lines") == ["one", "two\n\n ", "three", "four"]
    assert read(path, unit="paragraphs") == ["one\ntwo\n\n ", "three\nfour"]
    assert read(path) == read(path, unit="paragraphs")  # a blank line between others


def test_a_byte_order_mark_is_skipped(tmp_path):
    assert read(write(tmp_path / "a.md", "one\n", "utf-8-sig")) == ["one"]
    table = write(tmp_path / "a.csv", "text,label\nx,1\n", "utf-8-sig")
    assert read(table) == ["x"]


def test_another_encoding_is_named_never_guessed(tmp_path):
    path = write(tmp_path / "a.txt", "first\nsecond\ncafé\n", "latin-1")
    assert read(path, encoding="latin-1") == ["first", "second", "café"]
    with pytest.raises(InputError, match=r"a\.txt:3: not utf-8; .*--encoding latin-1"):
        read(path)


@pytest.mark.parametrize(
    "encoding", ["klingon", "hex", "rot13", "base64", "undefined", "a\0b", "a\nb", ""]
)
def test_what_is_no_encoding_of_text_is_refused(tmp_path, encoding):
    for path in (write(tmp_path / "a.txt", "x\n"), write(tmp_path / "a.csv", "text,label\nx,a\n")):
        with pytest.raises(OptionError, match="unknown encoding") as caught:
            read(path, encoding=encoding)
        assert "\n" not in str(caught.value)


def test_the_line_of_a_bad_byte_is_right_far_into_a_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"fine\n" * 70_000 + b"bad \xff\n" + b"fine\n" * 70_000)
    with pytest.raises(InputError, match=r"a\.txt:70001: "):
        read(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'review,stars\n"one, two",5\nthree,1\n'),
        ("a.tsv", "review\tstars\none, two\t5\nthree\t1\n"),
        ("a.json", json.dumps(["one, two", "three"])),
        ("a.json", json.dumps([{"review": "one, two", "stars": 5}, {"review": "three"}])),
        ("a.jsonl", '{"text": "one, two"}\n\n{"text": "three"}\n'),
        ("a.jsonl", '"one, two"\n"three"\n'),
    ],
)
def test_tables_give_their_column_of_text(tmp_path, name, content):
    assert read(write(tmp_path / name, content)) == ["one, two", "three"]


def test_a_folder_is_read_in_the_order_of_names(tmp_path):
    (tmp_path / "sub").mkdir()
    write(tmp_path / "b.txt", "second\n")
    write(tmp_path / "a.txt", "first\n")
    write(tmp_path / "sub" / "c.md", "third\n")
    write(tmp_path / "ignored.py", "print()\n")
    assert read(tmp_path) == ["first", "second", "third"]


def test_fields_may_hold_line_ends(tmp_path):
    path = write(tmp_path / "a.csv", 'text,label\n"one\ntwo",a\nthree,b\n')
    data = labelled.read_labelled(path)
    assert data.texts == ("one\ntwo", "three")
    assert data.lines == (2, 4)


def test_labelled_data_and_its_parts(tmp_path):
    path = write(
        tmp_path / "a.csv", "text,label,split,hard\nx,a,train,\ny,b,test,negation\nz,b,train,\n"
    )
    data = labelled.read_labelled(path)
    assert data.classes == ("a", "b")
    assert data.part("train").texts == ("x", "z")
    assert data.part("test").lines == (3,)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("text,label", ("text", "label")),
        ("Review,Sentiment", ("Review", "Sentiment")),
        ("id,words,category", ("words", "category")),
        ("sentence,stars,split", ("sentence", "stars")),
    ],
)
def test_columns_are_guessed_when_there_is_one_choice(tmp_path, names, expected):
    path = write(tmp_path / "a.csv", f"{names}\n{names.replace(',', '!,')}!\n")
    chosen = columns.choose(tables.Table(path), labels="needed")
    assert (*chosen.text, chosen.label) == expected


@pytest.mark.parametrize(
    ("names", "asked", "message"),
    [
        ("text,review,label", {}, "more than one column may hold the text"),
        ("a,b", {}, "more than one column may hold the text"),
        ("text", {}, "no column may hold the label"),
        ("text,label", {"text": "txt"}, r"no column 'txt'; name it with --text-column \(there are"),
        ("text,label", {"label": "y"}, "no column 'y'; name it with --label-column"),
    ],
)
def test_missing_and_ambiguous_columns_are_named(tmp_path, names, asked, message):
    path = write(tmp_path / "a.csv", f"{names}\n{names.replace(',', '!,')}!\n")
    with pytest.raises(InputError, match=message):
        columns.choose(tables.Table(path), **asked, labels="needed")


def test_a_named_column_settles_the_choice(tmp_path):
    path = write(tmp_path / "a.csv", "title,body,class\nt,b,x\nu,c,y\n")
    assert labelled.read_labelled(path, text_column="title").texts == ("t", "u")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "the file is empty"),
        ("a.csv", "text,label\n", "no rows"),
        ("a.csv", "text,label\nx,a\ny\n", r"a\.csv:3: 1 field where the header has 2"),
        ("a.csv", "text,text\nx,a\n", "the header has the name 'text' twice"),
        ("a.csv", "text,label\nx,a\n,b\n", r"a\.csv:3: no value in the text column"),
        ("a.csv", "text,label\nx,a\ny,NaN\n", r"a\.csv:3: NaN in the label column"),
        ("a.csv", "text,label\nx,a\ny,a\n", "every label is 'a'"),
        ("a.csv", "text,label,split\nx,a,train\ny,b,Tests\n", r"a\.csv:3: split 'tests'"),
        ("a.csv", "text,label,split\nx,a,train\ny,b,train\n", "no row has the split 'test'"),
        ("a.csv", 'text,label\nx,a\n"y,b\nz,a\n', r"a\.csv:3: not valid CSV .*starts here"),
        ("a.csv", '"text,label\nx,a\n', r"a\.csv:1: not valid CSV"),
        ("a.csv", 'text,label\n"x\ny",a\nu,b\n"v"w,a\n', r"a\.csv:5: not valid CSV"),
        ("a.csv", "text;label\nx;a\ny;z;b\n", r"a\.csv:3: 3 fields .* has 2; .*separator \(;\) in"),
        ("a.tsv", "text;label\nx;a\n", r"a\.tsv:1: the separator seems to be ';'; rename .*\.csv"),
        ("a.csv", f"text,label\nx,{'z' * 999}\n", r"every label is 'z{12}\.\.\.z{13}'; a task"),
        ("a.csv", f"text,label,split\nx,a,{'z' * 999}\n", r"a\.csv:2: split 'z{12}\.\.\.z"),
        ("a.csv", '"text\nof it",label,"x\ny"\nx,a,\n', r"are: 'text\\nof it', 'label', 'x\\ny'\)"),
        ("a.json", '[{"text": "x", "label": NaN}]', "NaN is not JSON"),
        ("a.json", '[{"text": "x", "text": "y"}]', "'text' appears twice"),
        ("a.json", '{"text": "x"}', "should be a list"),
        ("a.json", "[1, 2]", r"a\.json: item 1: neither a string nor an object"),
        ("a.json", '[{"text": "x", "label": "a"}, {"text": "y"}]', r"a\.json: item 2: no value in"),
        ("a.json", '[{"text": "x", "label": null}]', "no column may hold the label"),
        ("a.json", '[{"a": "x", "b": "y"}]', r"a\.json: more than one column"),
        (
            "a.json",
            '[{"text": "x", "label": "a", "split": "train"}, {"text": "y", "label": "b"}]',
            r"a\.json: item 2: split ''; it must be",
        ),
        (
            "a.json",
            '[{"KEY": 1, "KEY": 2}]'.replace("KEY", "k" * 999),
            r"key 'k{56}\.\.\. appears",
        ),
        ("a.jsonl", '{"text": "x"}\n{"text": }\n', r"a\.jsonl:2: not valid JSON"),
        ("a.jsonl", '"x"\n' + "[" * 100_000, r"a\.jsonl:2: "),
    ],
)
def test_bad_tables_are_refused_with_file_and_line(tmp_path, name, content, message):
    with pytest.raises(InputError, match=message) as caught:
        labelled.read_labelled(write(tmp_path / name, content))
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_rows_of_a_json_list_are_counted_not_called_lines(tmp_path):
    rows = [{"text": "x", "label": "a"}, {"text": "y", "label": "b"}]
    path = write(tmp_path / "a.json", json.dumps(rows, indent=4))
    assert labelled.read_labelled(path).lines == (1, 2)


def test_values_that_hold_nothing_are_absent_and_nested_ones_are_noted(tmp_path):
    record = {"text": "x", "label": 1.5, "hard": None, "tags": ["a", "b"], "split": "test"}
    path = write(tmp_path / "a.json", json.dumps([record]))
    table = tables.Table(path)
    expected = {"text": "x", "label": "1.5", "tags": ["a", "b"], "split": "test"}
    assert list(table) == [(1, expected)]
    assert table.nested == {"tags": "lists"}


def test_many_columns_are_not_all_listed(tmp_path):
    names = ",".join(f"c{i}" for i in range(900))
    path = write(tmp_path / "a.csv", f"{names}\n{names.replace(',', '!,')}!\n")
    with pytest.raises(InputError) as caught:
        columns.choose(tables.Table(path))
    assert "are: 'c0', 'c1', 'c2', 'c3', 'c4' and 895 more)" in str(caught.value)


def test_data_to_evaluate_on_needs_neither_train_examples_nor_two_classes(tmp_path):
    path = write(tmp_path / "a.csv", "text,label,split\nx,a,test\ny,a,test\n")
    with pytest.raises(InputError, match="no row has the split 'train'"):
        labelled.read_labelled(path)
    data = labelled.read_labelled(path, evaluation_only=True)
    assert data.part("test").texts == ("x", "y")
    assert data.classes == ("a",)
    path = write(tmp_path / "b.csv", "text,label\nx,a\n")
    assert labelled.read_labelled(path, evaluation_only=True).labels == ("a",)
    path = write(tmp_path / "c.csv", "text,label,split\nx,a,train\n")
    with pytest.raises(InputError, match="no row has the split 'test'"):
        labelled.read_labelled(path, evaluation_only=True)


def test_missing_files_and_folders_without_text(tmp_path):
    with pytest.raises(InputError, match=r"gone\.txt: no such file"):
        read(tmp_path / "gone.txt")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="folder: a folder without text"):
        read(tmp_path / "folder")
    with pytest.raises(InputError, match=r"a\.txt: no text in it"):
        read(write(tmp_path / "a.txt", " \n\n"))
    with pytest.raises(InputError, match=r"a\.doc: unknown kind of file"):
        read(write(tmp_path / "a.doc", "text"))
    with pytest.raises(OptionError, match="lines or paragraphs"):
        read(write(tmp_path / "b.txt", "text"), unit="words")


def test_a_line_of_50_mb_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    with open(path, "wb") as file:
        file.write(b"short\n")
        for _ in range(50):
            file.write(b"word " * 200_000)
    with pytest.raises(InputError, match=r"a\.txt:2: a line of more than 16,777,216 characters"):
        read(path)


def test_a_split_is_stratified_seeded_and_complete():
    labels = ["a"] * 100 + ["b"] * 50
    splits = labelled.stratified_split(labels, seed=3)
    assert splits == labelled.stratified_split(labels, seed=3)
    assert splits != labelled.stratified_split(labels, seed=4)
    for label, size in (("a", 100), ("b", 50)):
        mine = [s for s, which in zip(splits, labels, strict=True) if which == label]
        assert [mine.count(part) for part in labelled.SPLITS] == [
            int(0.6 * size),
            int(0.1 * size),
            int(0.3 * size),
        ]


def test_texts_to_be_judged_go_missing_nowhere(tmp_path):
    lines = write(tmp_path / "a.txt", " one\r\n\ntwo")
    assert documents.read_texts(lines) == [" one", "two"]
    table = write(tmp_path / "a.csv", "id,review\n1,good\n2,bad\n")
    assert documents.read_texts(table) == ["good", "bad"]
    assert documents.read_texts(table, text_column="id") == ["1", "2"]
    items = write(tmp_path / "a.json", '["good", {"text": "bad"}]')
    assert documents.read_texts(items) == ["good", "bad"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "id,review\n1,good\n2, \n", r"a\.csv:3: no text in the column 'review'"),
        ("a.json", '["good", ""]', "item 2: no text"),
        ("a.csv", "id,review\n", "no rows"),
        ("a.csv", "", "the file is empty"),
        ("a.pdf", "x", "not a table"),
    ],
)
def test_a_text_that_is_not_there_is_said(name, content, message, tmp_path):
    with pytest.raises(InputError, match=message):
        documents.read_texts(write(tmp_path / name, content))


def test_a_test_part_in_a_folder_is_reported(tmp_path):
    for name in ("train/a.txt", "Test/pos/b.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        write(tmp_path / name, "Some text.\n")
    line = f"{tmp_path}: Test is read too; to test on it, name the other files alone"
    assert documents.describe(tmp_path) == [line]
    assert documents.describe(tmp_path / "Test") == []
