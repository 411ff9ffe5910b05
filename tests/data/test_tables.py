"""Tables as people really have them: headers or none, quotes, names of columns, nested values."""

import csv
import io
import json

import pytest

from minilm.data import columns, conversations, documents, labelled, quoting
from minilm.data.tables import Table
from minilm.errors import InputError


def write(path, content, encoding="utf-8"):
    path.write_bytes(content.encode(encoding))
    return path


def taken(path, text=None, label=None, **options):
    """Return the columns of text, label and split."""
    found = columns.choose(Table(path, **options), text, label)
    return ",".join(found.text), found.label, found.split


def texts(path, **options):
    return list(documents.read_documents([path], **options))


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_columns_come_from_many_records(tmp_path, ending):
    rows = [{"title": f"T{i}"} for i in range(900)] + [{"title": "T", "text": "a body"}]
    content = json.dumps(rows) if ending == "json" else "\n".join(map(json.dumps, rows))
    path = write(tmp_path / f"late.{ending}", content)
    assert texts(path) == ["a body"]
    line = "900 rows without a text, text from column 'text', no label, no split"
    assert documents.describe([path]) == [f"late.{ending}: 901 rows, {line}"]


def test_a_column_that_is_null_at_first_is_a_column(tmp_path):
    rows = [{"url": "http://a", "text": None}, {"url": "http://b", "text": "the body"}]
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert texts(path) == ["the body"]
    assert texts(path, text_column="text") == ["the body"]


def test_reserved_names_match_in_any_case_with_blanks_around(tmp_path):
    path = write(
        tmp_path / "a.csv", " TEXT , Label ,SPLIT,Id\nx,a,Train,1\ny,b,Validation,2\nz,b,TEST,3\n"
    )
    data = labelled.read_labelled(path)
    assert data.splits == ("train", "dev", "test")
    assert data.part("test").texts == ("z",)
    path = write(tmp_path / "a.jsonl", '{" Text ": "x", "LABEL": 1, "Split": "train"}\n')
    assert taken(path) == (" Text ", "LABEL", "Split")
    assert texts(path) == ["x"]
    both = write(tmp_path / "b.csv", "text,label,split,Split\nx,a,train,test\n")
    with pytest.raises(InputError, match="'split' and 'Split' both hold the split; remove one"):
        taken(both)


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (",text,label\n0,x,a\n1,y,b\n", 1),  # the index of pandas
        ("Unnamed: 0,text,label\n0,x,a\n1,y,b\n", 1),  # and read and written once more
        ("text,label,,\nx,a,,\ny,b,,\n,,,\n", 2),  # empty columns and rows of a spreadsheet
    ],
)
def test_columns_without_a_name_are_set_aside_and_reported(tmp_path, content, count):
    path = write(tmp_path / "a.csv", content)
    data = labelled.read_labelled(path)
    assert (data.texts, data.labels) == (("x", "y"), ("a", "b"))
    plural = "s" * (count > 1)
    assert data.report()[0].endswith(f"{count} column{plural} without a name set aside")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("sst2.tsv", "a fine film\t1\na dull film\t0\nwarm\t1\n", ("1", "2")),
        ("labels.tsv", "1\ta fine film\n0\ta dull film\n", ("2", "1")),
        ("words.csv", "a fine film,good\na dull film,bad\nwarm,good\nlong,bad\n", ("1", "2")),
        ("index.csv", "0,a fine film,1\n1,a dull film,0\n2,a warm one,1\n", ("2", "3")),
    ],
)
def test_a_table_without_a_header_is_recognized(tmp_path, name, content, expected):
    path = write(tmp_path / name, content)
    table = Table(path)
    assert not table.has_header
    assert len(list(table)) == content.count("\n")
    assert taken(path)[:2] == expected
    data = labelled.read_labelled(path)
    assert len(data.texts) == content.count("\n")
    assert "no header (the first row is data), text from column" in data.report()[0]


NEWS = '"3","A title","The first story."\n"1","Other","The second, told."\n"3","More","Third."\n'


def test_several_columns_of_text_are_joined(tmp_path):
    path = write(tmp_path / "news.csv", NEWS)
    with pytest.raises(InputError, match=r"no header, and more than one .*--text-column.* 2,3 "):
        labelled.read_labelled(path)
    data = labelled.read_labelled(path, text_column="2,3")
    assert data.texts[0] == "A title The first story."
    assert data.labels == ("3", "1", "3")
    assert "text from columns 2, 3, label from column 1, no split" in data.report()[0]
    assert texts(path, text_column="3") == ["The first story.", "The second, told.", "Third."]
    named = write(tmp_path / "named.csv", "class,title,story\n1,A,b\n2,C,\n")
    assert labelled.read_labelled(named, text_column="title,story").texts == ("A b", "C")
    assert labelled.read_labelled(named, text_column="3,2", label_column="1").texts[0] == "b A"


@pytest.mark.parametrize(
    ("text", "label", "message"),
    [
        ("4", None, r"no column '4'; number it with --text-column"),
        ("2,2", None, "--text-column 2,2: a column is named twice"),
        ("3", "1,2", "--label-column 1,2: a label is in one column"),
    ],
)
def test_columns_that_are_not_there(tmp_path, text, label, message):
    with pytest.raises(InputError, match=message):
        taken(write(tmp_path / "news.csv", NEWS), text, label)


@pytest.mark.parametrize(
    "content",
    [
        "text,1,2\na,3,4\nb,5,6\n",  # a usual name
        "opinion,grade\na fine film,good\na dull film,bad\nwarm,good\n",
        ",0,1\n0,a fine film,good\n1,dull,bad\n",  # pandas' names for columns
        "words\na fine film\nwords and more\n",
    ],
)
def test_a_header_is_left_a_header(tmp_path, content):
    assert Table(write(tmp_path / "a.csv", content)).has_header


def test_no_header_is_heeded_and_advised(tmp_path):
    path = write(tmp_path / "a.csv", "a fine film,good one\na dull film,bad one\n")
    with pytest.raises(InputError, match="if the first line is data, add --no-header"):
        taken(path)
    assert taken(path, "1", "2", no_header=True) == ("1", "2", None)
    assert texts(path, text_column="1", no_header=True) == ["a fine film", "a dull film"]


def test_a_stray_quote_that_glues_rows_is_refused(tmp_path):
    rows = '1,fine\n0,ok\n1,"Great film\n0,so so\n0,they call it the end"\n1,bad\n'
    path = write(tmp_path / "a.csv", "label,sentence\n" + rows)
    with pytest.raises(InputError, match=r"a\.csv:4: a quoted field .* runs over 3 lines"):
        texts(path)
    path = write(tmp_path / "b.csv", 'sentence,label\n"Great film,1\nso so,0\na mess ",0\nx,1\n')
    with pytest.raises(InputError, match=r"b\.csv:2: a quoted field .* runs over 3 lines"):
        labelled.read_labelled(path)


def test_texts_of_several_lines_are_no_fault(tmp_path):
    rows = [["First, it is long.\nThen, at last, it ends.\n\nBye, all", "1"], ["short", "0"]]
    rows += [[f"one, two\nand {i}, three", str(i % 2)] for i in range(20)]
    for name, delimiter in (("a.csv", ","), ("a.tsv", "\t")):
        with open(tmp_path / name, "w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows([["text", "label"], *rows])
        data = labelled.read_labelled(tmp_path / name)
        assert list(data.texts) == [text for text, _ in rows]


def test_tsv_is_read_without_quoting_unless_it_was_written_with_it(tmp_path):
    plain = 'sentence\tlabel\n"Great film\t1\nso so\t0\na mess called "\t0\nsaid "no" twice\t1\n'
    data = labelled.read_labelled(write(tmp_path / "a.tsv", plain))
    assert data.texts == ('"Great film', "so so", 'a mess called "', 'said "no" twice')
    assert data.labels == ("1", "0", "0", "1")
    made = io.StringIO()
    rows = [["text", "label"], ['he said "no"\tand left', "a"], ["two\nlines", "b"]]
    csv.writer(made, delimiter="\t", lineterminator="\n").writerows(rows)
    data = labelled.read_labelled(write(tmp_path / "b.tsv", made.getvalue()))
    assert data.texts == ('he said "no"\tand left', "two\nlines")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (['"a"\t"b"\n'], True),
        (['"a\n', 'b"\tc\n'], True),
        (['"a" b\tc\n'], False),
        (['"a\tb\n'], False),
        (['"a\n', "b\n"], False),
        (["a\tb\n"], False),
    ],
)
def test_what_was_written_with_quotes(lines, expected):
    assert quoting.is_quoted(lines, "\t") is expected


CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]
CONVERSATIONS = {
    "messages": [{"messages": CHAT, "source": "s"}],
    "conversations": [{"conversations": [{"from": "human", "value": "Hi"}], "id": "1"}],
    "prompt and completion": [{"prompt": "a question", "completion": "an answer"}],
    "instruction, input, output": [{"instruction": "Add.", "input": "1 1", "output": "2"}],
    "question and answer": [{"question": "Why?", "answer": "So."}],
}


@pytest.mark.parametrize("what", CONVERSATIONS)
def test_conversations_are_refused_by_name(tmp_path, what):
    rows = CONVERSATIONS[what] * 3
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    with pytest.raises(InputError, match=f"these are .*{what}.*, not texts or labels; ") as caught:
        texts(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("what", CONVERSATIONS)
def test_conversations_that_can_be_learned_are_sent_to_finetune(tmp_path, what):
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, CONVERSATIONS[what])))
    with pytest.raises(InputError) as caught:
        texts(path)
    advised = "minilm finetune --conversations FILE" in str(caught.value)
    try:
        conversations.read_conversations(path)
        readable = True
    except InputError:
        readable = False
    assert advised == readable == (what != "conversations")


def test_a_named_column_of_a_conversation_is_read(tmp_path):
    path = write(tmp_path / "a.csv", "prompt,completion\na question,an answer\n")
    with pytest.raises(InputError, match="use --text-column prompt,completion"):
        texts(path)
    assert texts(path, text_column="prompt,completion") == ["a question an answer"]


def test_nested_values_are_refused_by_name_or_set_aside_by_name(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"source": "web", "paragraphs": ["one", "two"]}\n')
    with pytest.raises(InputError, match="the column 'paragraphs' holds lists, which are not read"):
        texts(path)
    path = write(tmp_path / "b.jsonl", '{"text": "one"}\n{"text": ["two"]}\n')
    with pytest.raises(InputError, match=r"b\.jsonl: the column 'text' holds lists, which are"):
        texts(path)
    with pytest.raises(InputError, match=r"b\.jsonl:2: the column 'text' holds a list; write"):
        texts(path, text_column="text")
    path = write(tmp_path / "c.jsonl", '{"text": "one", "meta": {"url": "x"}}\n')
    assert texts(path) == ["one"]
    assert documents.describe([path])[0].endswith("nested values set aside ('meta')")


def test_what_was_taken_is_one_line(tmp_path):
    path = write(tmp_path / "a.csv", "review,stars,split\nx,1,train\ny,2,test\n")
    assert labelled.read_labelled(path).report() == [
        "a.csv: 2 rows, text from column 'review', label from column 'stars', split from column "
        "'split'",
        "a.csv: no text of the train part has the label '2'",
        "a.csv: no text of the test part has the label '1'",
    ]
    assert repr(labelled.read_labelled(path)) == (
        "LabelledData('a.csv', 2 texts, 2 classes, 1 train, 0 dev, 1 test)"
    )
    assert documents.describe([path]) == [
        "a.csv: 2 rows, text from column 'review', no label, split from column 'split'; the rows "
        "of all parts are read"
    ]


@pytest.mark.parametrize(
    ("content", "sign"),
    [
        # Excel where the decimal sign is a comma, with its mark, line ends and empty rows
        ("\ufeffText;Label;Preis\r\nnett;gut;1,50\r\nach, so;schlecht;2,75\r\n;;\r\n", ";"),
        ("sep=;\nText;Label\nnett;gut\nach, so;schlecht\n", ";"),
        ('"Text";"Label"\n"nett";"gut"\n"ach, so";"schlecht"\n', ";"),
        ("Text, kurz;Label\nnett;gut\nach, so;schlecht\n", ";"),
        ("Preis, EUR;Text;Label\n1,5;nett;gut\n2,5;ach so;schlecht\n", ";"),  # a comma in each
        ("nett;1\nach, so;0\n", ";"),  # no header
        ("Text\tLabel\nnett\tgut\nach, so\tschlecht\n", "\t"),
        ("Text|Label\nnett|gut\nach, so|schlecht\n", "|"),
        ("Text,Label\nnett;gut,1\nach; so,0\n", ","),  # a semicolon in each text
        ('Text,Label\n"eins;\nzwei",1\nach;0,0\n', ","),
    ],
)
def test_the_separator_of_csv_is_found(tmp_path, content, sign):
    path = write(tmp_path / "a.csv", content)
    table = Table(path)
    assert table.delimiter == sign
    data = labelled.read_labelled(path, **({} if table.has_header else {"text_column": "1"}))
    assert len(data.texts) == 2
    assert len(data.classes) == 2
    assert data.report()[0].startswith(f"a.csv: 2 rows, separated by {sign!r}") == (sign in ";|")


def test_the_line_after_the_named_separator_is_the_second(tmp_path):
    path = write(tmp_path / "a.csv", "sep=;\ntext;label\nx;a\ny;z;b\n")
    assert labelled.read_labelled(
        write(tmp_path / "b.csv", "sep=,\ntext,label\nx,a\ny,b\n")
    ).lines == (3, 4)
    with pytest.raises(InputError, match=r"a\.csv:4: 3 fields"):
        labelled.read_labelled(path)


def test_a_part_of_a_text_is_no_separator(tmp_path):
    path = write(tmp_path / "a.csv", "words | phrases\nfine\nso so\n")
    assert texts(path) == ["fine", "so so"]


def test_quoted_tsv_may_hold_tabs_after_a_line_end(tmp_path):
    rows = [["text", "label"], ['one\n"two"\tthree', "a"], ["four", "b"]]
    file = io.StringIO()
    csv.writer(file, delimiter="\t", lineterminator="\n").writerows(rows)
    data = labelled.read_labelled(write(tmp_path / "a.tsv", file.getvalue()))
    assert data.texts == ('one\n"two"\tthree', "four")


def test_parts_that_are_not_known_are_counted(tmp_path):
    path = write(tmp_path / "a.csv", "text,split\nx,train\ny,holdout\nz,Test\n")
    line = documents.describe([path])[0]
    assert line.endswith(
        "split from column 'split'; the rows of all parts are read; "
        "1 row with a split that is not train, dev or test"
    )


def test_a_table_in_a_folder_that_cannot_be_read_can_be_left_out(tmp_path):
    """A notebook's folder on Colab holds samples of tables without a text."""
    samples = tmp_path / "sample_data"
    samples.mkdir()
    path = write(samples / "a.json", '[{"Series": "I", "X": 1.0}]')
    with pytest.raises(InputError, match=r"a\.json: more than .*; or leave the file out: name the"):
        documents.describe([tmp_path])
    with pytest.raises(InputError) as caught:
        documents.describe([path])
    assert "leave the file out" not in str(caught.value)


@pytest.mark.parametrize("again", ["text,label", "Text, LABEL", "label,text", "\ufefftext,label"])
def test_the_header_in_the_middle_is_refused(tmp_path, again):
    path = write(tmp_path / "a.csv", f"text,label\nfine,1\n{again}\nbad,0\n")
    with pytest.raises(InputError, match=r"a\.csv:3: the header again, .*; remove this line"):
        labelled.read_labelled(path)


def test_columns_whose_values_are_parts_are_the_split(tmp_path):
    rows = "a,x,Train\nb,y,Test\nc,y,training\nd,x,test\n"
    path = write(tmp_path / "a.csv", "text,label,subset\n" + rows)
    data = labelled.read_labelled(path)
    assert data.splits == ("train", "test", "train", "test")
    assert "split from column 'subset'" in data.taken
    # Values of another kind, one value alone, or a label: no split.
    for names, values in (
        ("text,label,subset", "a,x,train\nb,y,other\n"),
        ("text,label,source", "a,x,train\nb,y,train\n"),
        ("text,note,label", "a,x,train\nb,y,test\n"),
    ):
        assert (
            labelled.read_labelled(write(tmp_path / "a.csv", f"{names}\n{values}")).splits is None
        )


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("text,label\nfine,1,\nbad,0,\n", ("fine", "bad")),
        ("text,label,\nfine,1\nbad,0\n", ("fine", "bad")),
        ("text;label;;\nfine;1\nbad;0;;;\n", ("fine", "bad")),
        ("sep=\t\ntext\tlabel\nfine\t1\nbad\t0\n", ("fine", "bad")),
        ("\u200btext,label\u200e\nfine,1\nbad,0\n", ("fine", "bad")),
        ("Unnamed: 0.1,Unnamed: 0,words,label\n0,0,fine,1\n1,1,bad,0\n", ("fine", "bad")),
    ],
)
def test_what_other_programs_add_is_left_out(tmp_path, content, texts):
    data = labelled.read_labelled(write(tmp_path / "a.csv", content))
    assert (data.texts, data.labels) == (texts, ("1", "0"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "Reviews\ntext,label\nfine,1\n", "2 fields where the header has 1; if the first"),
        ("a.csv", "text,label\nfine,1\n(1 row)\n", "1 field where .* or remove the line if it is"),
        ("a.csv", "text,label\n1,fine,1\n", "3 fields .* if every row has 3, name all of them"),
        ("a.csv", "<!DOCTYPE html>\n<html>404</html>\n", "a page of HTML or XML, not a table"),
        ("a.csv", "\ufeff", "the file is empty"),
        ("a.json", '{"text": "a"}\n{"text": "b"}\n', "one object per line, .* rename it to .jsonl"),
        ("a.jsonl", '[{"text": "a"}]', "a JSON list, .* rename it to .json$"),
        ("a.json", '{"data": [], "version": 1}', "not an object with 'data', 'version'; write"),
    ],
)
def test_what_is_no_table_is_told_with_what_to_do(tmp_path, name, content, message):
    with pytest.raises(InputError, match=message):
        labelled.read_labelled(write(tmp_path / name, content))


def test_nested_labels_do_not_matter_where_none_are_needed(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"text": "fine", "label": ["good"]}\n')
    (record,) = documents.read_records(path)
    assert (record.text, record.label) == ("fine", None)
    assert "nested values set aside ('label')" in documents.describe(path)[0]


def test_half_a_character_is_named_with_its_line(tmp_path):
    path = write(
        tmp_path / "a.jsonl", '{"text": "x", "label": 1}\n{"text": "\\ud83d", "label": 0}\n'
    )
    for read in (
        labelled.read_labelled,
        documents.read_texts,
        lambda p: list(documents.read_documents(p)),
    ):
        with pytest.raises(InputError, match=r"a\.jsonl:2: a lone surrogate, U\+D83D"):
            read(path)
    assert len(list(documents.read_records(path))) == 2  # minilm validate counts it
