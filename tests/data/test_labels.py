"""Variants of a label, and labels that look missing: named, never merged."""

import pytest

from minilm.data import labels
from minilm.data.labelled import read_labelled


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pos", "Pos"),
        ("pos", " pos"),
        ("very good", "verygood"),
        ("'pos'", "pos"),
        ("1", "1.0"),
        ("caf\u00e9", "cafe\u0301"),
        ("pos", "pos\u200b"),
        ("\u2764", "\u2764\ufe0f"),
    ],
)
def test_variants_are_named(one, other):
    (line,) = labels.findings({one: 5, other: 2, "neg": 4})
    assert line == (f"labels that differ only in how they are written: {one!r} (5), {other!r} (2)")


@pytest.mark.parametrize("label", ["NA", "n/a", "None", "null", "nan", "?", "---", ":--:"])
def test_values_that_look_missing_are_named(label):
    assert labels.findings({label: 3, "pos": 1}) == [
        f"a label that looks like a missing value: {label!r} (3)"
    ]


def test_good_labels_give_no_findings():
    assert labels.findings({"1": 3, "2": 1, "10": 4, "pos": 3, "neg": 2, "C": 1, "C++": 1}) == []


def test_nothing_is_merged(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\na,pos\nb,Pos\nc,pos \nd,1\ne,1.0\nf,NA\n", encoding="utf-8")
    data = read_labelled(path)
    assert data.classes == ("1", "1.0", "NA", "Pos", "pos", "pos ")
    assert len(data.report()) == 4
    path.write_text("text, label\na, pos\nb, neg\n", encoding="utf-8")
    assert read_labelled(path).classes == ("neg", "pos")  # a blank after each comma


def test_numbers_to_predict_are_named():
    found = labels.findings({f"{i / 7:.2f}": 1 for i in range(30)})
    assert found == [
        "30 labels are decimal numbers, and each is a class of its own; minilm does not predict "
        "numbers, so group them into a few classes: '0.00' (1), '0.14' (1), '0.29' (1), "
        "'0.43' (1), '0.57' (1) and 25 more"
    ]
    assert labels.findings({"0.5": 3, "1.0": 2, "1.5": 4}) == []


def test_a_label_for_nearly_every_text_is_reported():
    counts = {f"The film {i}": 1 for i in range(40)} | {"good": 9}
    (line,) = labels.findings(counts)
    assert line.startswith("41 labels for 49 texts; if this is not the column of the labels, name")
    assert labels.findings({f"intent {i}": 5 for i in range(40)}) == []


def test_a_part_without_a_class_is_named(tmp_path):
    path = tmp_path / "t.csv"
    rows = "a,x,train\nb,y,train\nc,y,test\nd,y,dev\ne,x,dev\n"
    path.write_text("text,label,split\n" + rows, encoding="utf-8")
    assert read_labelled(path).report()[1:] == ["t.csv: no text of the test part has the label 'x'"]
