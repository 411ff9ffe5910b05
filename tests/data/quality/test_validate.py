"""Each check finds what was planted, just that, and tells its place; the verdict follows."""

import csv
import itertools
import json
import random

import numpy as np
import pytest

from minilm.data.quality import cleaning, fingerprints, validate
from minilm.data.quality.verdict import BIT, RULES
from minilm.errors import InputError, MinilmError, OptionError
from minilm.store.ledger import Ledger
from minilm.text.bpe import BytePairTokenizer
from minilm.text.wordlevel import WordLevelTokenizer
from minilm.text.words import WordTokenizer

SUBJECTS = "The captain|My neighbor|A young doctor|The old teacher|Her brother|The new clerk".split(
    "|"
)
VERBS = "sold|painted|forgot|repaired|borrowed|described|measured|carried".split("|")
OBJECTS = "the wooden boat|a heavy ladder|that yellow lamp|the garden gate|an empty box".split("|")
PLACES = "near the harbor|in the library|behind the station|at the market|on the hill".split("|")
TIMES = "before the long winter came|after a quiet supper|when the rain began|last week".split("|")


def sentences(count, seed=0):
    """Return different sentences of ten words or more, no two of them alike."""
    rng = random.Random(seed)

    def name():
        return "".join(rng.choice("abcdefghij") for _ in range(9))

    def sentence():
        subject, verb, thing, place, time = map(
            rng.choice, (SUBJECTS, VERBS, OBJECTS, PLACES, TIMES)
        )
        return f"{subject} {name()} {verb} {thing} {place} of {name()} {time}."

    return [sentence() for _ in range(count)]


@pytest.fixture
def check(tmp_path):
    def run(texts, **options):
        path = tmp_path / "t.jsonl"
        path.write_text("".join(json.dumps(text) + "\n" for text in texts), encoding="utf-8")
        return validate.validate([path], **options)

    return run


@pytest.fixture
def check_table(tmp_path):
    def run(rows, columns=("text", "label", "split")):
        path = tmp_path / "t.csv"
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([columns, *rows])
        return validate.validate([path])

    return run


def places(report, name):
    """Return the numbers, from 0, of the documents that a check found."""
    return np.flatnonzero(report.faults & BIT[name]).tolist()


def test_a_clean_text_passes_every_check(check):
    report = check(sentences(200))
    assert report.passed
    assert report.documents == 200
    assert report.words == sum(len(WordTokenizer().tokenize(text)) for text in sentences(200))
    assert not report.faults.any()
    assert {c.rule.name for c in report.checks if c.count is None} == {
        "seen before", "no label", "contradictory labels", "leaks", "rare labels",
    }  # fmt: skip
    assert report.lines()[-1] == "verdict: fit to learn from"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("empty", ""),
        ("empty", " \t\n"),
        ("too short", "Hardly anything."),
        ("too long", "word " * 5001),
        ("not text", "0x7f 1,2,3,4 -- 99 [%] a b c"),
        ("not text", "The captain sold\x00 the wooden boat"),
        ("mojibake", "The captain\u00e2\u20ac\u2122s boat was sold near the harbor"),
        ("lost letters", "The caf\ufffd behind the station"),
        ("lost letters", "Half of a \ud83d is left behind the station"),
        ("other alphabet", "Капитан продал деревянную лодку у гавани"),
        ("unknown words", "Der Kapitän hat sein altes Boot am Hafen an einen Lehrer verkauft"),
        ("e-mail addresses", "The captain wrote to me@example.org about the boat"),
        ("phone numbers", "The captain can be called at 555-123-4567 after supper"),
    ],
)
def test_a_fault_of_one_document(check, name, text):
    texts = sentences(120)
    texts.insert(70, text)
    report = check(texts)
    assert places(report, name) == [70]
    assert report[name].count == 1
    assert report[name].share == pytest.approx(1 / 121)
    (example,) = report[name].examples
    assert example.place == "t.jsonl:71"
    assert np.flatnonzero(report.faults).tolist() == [70]
    assert report[name].passed == (report[name].rule.limit > 0)


def test_private_things_are_not_printed(check):
    report = check([*sentences(5), "write to me@example.org or call 555-123-4567 today"])
    said = "\n".join(report.lines()) + json.dumps(report.to_json())
    assert "[e-mail] or call [phone]" in said
    assert "example.org" not in said
    assert "4567" not in said


def test_the_main_alphabet_is_that_of_most_letters(check):
    russian = ["Капитан продал деревянную лодку у гавани"] * 9
    assert places(check([*russian, "The captain sold the boat"]), "other alphabet") == [9]
    assert places(check(["123 456", *sentences(3)]), "other alphabet") == []


def test_unknown_words_need_enough_documents_or_a_vocabulary(check):
    texts = sentences(40)
    assert check(texts)["unknown words"].count is None
    known = {word for text in texts for word in WordTokenizer().tokenize(text)}
    assert check(texts, vocabulary=known)["unknown words"].count == 0
    report = check(texts, vocabulary={f"word{i}" for i in range(100)})
    assert report["unknown words"].count == 40
    assert "unknown words" in report.over("FAILED")
    few = {f"word{i}" for i in range(99)}  # the entries of a tokenizer that has hardly a word
    assert check(texts, vocabulary=few)["unknown words"].count is None


def test_of_many_documents_a_part_tells_which_words_are_usual(check, monkeypatch):
    monkeypatch.setattr(validate, "_SURVEYED", 60)
    texts = sentences(300)
    texts[150] = "Der Kapit\u00e4n hat sein altes Boot am Hafen an einen Lehrer verkauft"
    assert places(check(texts), "unknown words") == [150]


def test_the_words_that_a_tokenizer_knows():
    texts = ["The cat sat on the caf\u00e9's mat, number 77"] * 9
    words = {"the", "cat", "sat", "on", "caf\u00e9", "s", "mat", "number"}
    assert validate.known_words(WordLevelTokenizer.train(texts)) == words
    pieces = BytePairTokenizer.train(texts, 400)
    assert validate.known_words(pieces) & words == words - {"s"}  # no word of its own: "'s"


def test_duplicates_differ_in_white_space_at_most(check):
    texts = sentences(50)
    texts[10] = texts[3].replace(" ", "  ") + "\n"
    texts[20] = texts[3]
    texts[30] = texts[4].upper()
    report = check(texts)
    assert places(report, "duplicates") == [10, 20]
    assert [e.note for e in report["duplicates"].examples] == ["as line 4", "as line 4"]
    assert places(report, "near-duplicates") == [30]
    half = check(texts[:25] * 2)
    assert half["duplicates"].result == "FAILED"
    assert not half.passed


def test_empty_documents_are_no_duplicates(check):
    report = check(["", " ", *sentences(5)])
    assert report["empty"].count == 2
    assert report["duplicates"].count == 0


def test_near_duplicates_are_those_of_the_slow_way(check):
    rng = random.Random(4)
    texts = sentences(60)
    for i in range(40, 60):  # changed a little or much
        words = texts[i - 40].split()
        for _ in range(rng.randrange(1, 5)):
            words[rng.randrange(len(words))] = "changed"
        texts[i] = " ".join(words)
    report = check(texts)

    def pairs(text):
        words = WordTokenizer().tokenize(text)
        return set(itertools.pairwise(words))

    def alike(one, other):
        return len(pairs(one) & pairs(other)) / len(pairs(one) | pairs(other)) >= 0.7

    expected = [j for j in range(60) if any(alike(texts[i], texts[j]) for i in range(j))]
    assert 3 < len(expected) < 20
    assert places(report, "near-duplicates") == expected
    assert report["near-duplicates"].examples[0].note == f"as line {expected[0] - 40 + 1}"


def test_what_a_model_has_seen(check):
    texts = sentences(20)
    report = check(texts, seen=Ledger.of([*texts[:3], "another text"]))
    assert places(report, "seen before") == [0, 1, 2]
    assert report["seen before"].result == "FAILED"
    assert check(texts, seen=Ledger.of([]))["seen before"].count == 0


def test_labels(check_table):
    texts = sentences(60)
    rows = [(text, "yes" if i % 2 else "no", "train") for i, text in enumerate(texts)]
    rows[5] = (texts[5], "", "train")
    rows.append((texts[7], "no", "train"))  # it was "yes"
    rows += [(text, "maybe", "train") for text in sentences(2, seed=1)]
    report = check_table(rows)
    assert report.labels == {"no": 31, "yes": 29, "maybe": 2}
    assert places(report, "no label") == [5]
    assert places(report, "contradictory labels") == [7, 60]
    assert [e.note for e in report["contradictory labels"].examples] == [
        "yes; line 62 no",
        "no; line 9 yes",
    ]
    assert places(report, "duplicates") == []
    assert report["rare labels"].result == "warning"
    (rare,) = report["rare labels"].examples
    assert (rare.excerpt, rare.note) == ("maybe", "2, largest 31")


def test_leaks(check_table):
    texts = sentences(40)
    rows = [(text, "a", "train" if i < 30 else "test") for i, text in enumerate(texts)]
    rows[35] = (texts[2], "a", "test")  # word for word
    rows[36] = (texts[3] + " Again.", "a", "test")
    rows[37] = (texts[4] + " Again.", "a", "dev")
    rows[38] = (texts[33], "a", "test")  # twice in test is no leak
    report = check_table(rows)
    assert places(report, "leaks") == [2, 3, 4]
    assert places(report, "duplicates") == [38]
    assert [e.note for e in report["leaks"].examples] == ["as line 37", "as line 38", "as line 39"]


def test_a_leak_between_files(tmp_path):
    for name, texts in (("train", sentences(10)), ("test", sentences(12)[9:])):
        (tmp_path / f"{name}.txt").write_text("\n".join(texts), encoding="utf-8")
    report = validate.validate([tmp_path / "train.txt", tmp_path / "test.txt"])
    assert places(report, "leaks") == [9]
    assert report["leaks"].examples[0].note == "as test.txt:1"


def test_rules_are_told_apart():
    assert len(BIT) == len(RULES) <= 32
    assert len(set(BIT.values())) == len(RULES)


def test_the_table_fits_a_terminal(check, tmp_path):
    texts = [
        "word " * 30 + "x" * 500,
        "é" * 300,
        "",
        *[f"{'long' * 40} {i}" for i in range(10)],
    ] * 2
    path = tmp_path / ("n" * 100 + ".jsonl")
    path.write_text("".join(json.dumps(text) + "\n" for text in texts), encoding="utf-8")
    for report in (check(texts), validate.validate([path])):
        assert all(len(line) <= 80 for line in report.lines())


def test_files_without_a_record(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("\n\n", encoding="utf-8")
    with pytest.raises(InputError, match="no record in it"):
        validate.validate([path])
    with pytest.raises(InputError, match="no such file"):
        validate.validate([tmp_path / "none.txt"])


def test_a_document_is_judged_alike_in_any_batch(check, monkeypatch):
    texts = sentences(80)
    texts[50] = texts[9] + " And so on."
    whole = check(texts)
    monkeypatch.setattr(validate, "_BATCH", 20)
    assert (check(texts).faults == whole.faults).all()


# Cleaning


def test_a_cleaned_copy_passes(check_table, tmp_path):
    texts = sentences(100)
    rows = [(text, "ab"[i % 2], "train" if i < 80 else "test") for i, text in enumerate(texts)]
    rows += [
        (texts[0], "a", "train"),
        (texts[1], "a", "train"),
        (texts[2], "a", "test"),
        ("", "a", "train"),
        ("The caf\u00c3\u00a9 was closed before the long winter came", "a", "train"),
        ("The caf\u00e9 was closed before the long winter came", "a", "train"),
        ("lost \ufffd letters in a row of words", "b", "train"),
        ("the doctor answered at 555-123-4567 last week", "b", "train"),
        ("the doctor answered at 555-123-9999 last week", "b", "train"),
        ("12 34 56 78 9", "b", "train"),
        (texts[5] + " Now.", "", "train"),
    ]
    report = check_table(rows)
    assert not report.passed
    cleaned = cleaning.write(report, tmp_path / "out.csv")
    again = validate.validate([tmp_path / "out.csv"])
    assert again.passed
    assert all(c.result in ("ok", "-") for c in again.checks), again.lines()
    assert again.documents == cleaned.kept == len(rows) - sum(cleaned.removed.values())
    assert cleaned.changed == {"mojibake": 1, "phone numbers": 1}
    # Of a text and its copy one stays, of a leak the one in test, of contradictions neither.
    with open(tmp_path / "out.csv", encoding="utf-8", newline="") as file:
        left = [tuple(row) for row in csv.reader(file)][1:]
    assert left.count((texts[0], "a", "train")) == 1
    assert [row for row in left if row[0] == texts[2]] == [(texts[2], "a", "test")]
    assert not [row for row in left if row[0] == texts[1]]
    assert ("The café was closed before the long winter came", "a", "train") in left


def test_cleaning_says_what_it_did(check, tmp_path):
    texts = [*sentences(30), *sentences(2), "word " * 5001, "me@example.org has sold the boat"]
    cleaned = cleaning.write(check(texts), tmp_path / "out.jsonl")
    assert cleaned.lines() == [
        f"{tmp_path / 'out.jsonl'}: 32 documents kept",
        "removed: duplicates 2",
        "changed: e-mail addresses 1",
        "left for you to judge: too long",
    ]


def test_what_is_odd_stays_unless_there_is_much_of_it(check, tmp_path):
    texts = [*sentences(100), "Too short."]
    assert cleaning.write(check(texts), tmp_path / "a.jsonl").kept == 101
    texts += [f"short {i}" for i in range(20)]
    assert cleaning.write(check(texts), tmp_path / "b.jsonl").kept == 100


def test_cleaning_takes_one_file_and_leaves_something(check, tmp_path):
    report = check(["", " "])
    with pytest.raises(OptionError, match="nothing would be left"):
        cleaning.write(report, tmp_path / "out.jsonl")
    (tmp_path / "b.txt").write_text("one line of words\n", encoding="utf-8")
    for paths in ([tmp_path / "t.jsonl", tmp_path / "b.txt"], [tmp_path]):
        with pytest.raises(OptionError, match="name one file to clean"):
            cleaning.write(validate.validate(paths), tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_the_ledger_knows_repaired_texts_too(check):
    garbled = "The caf\u00c3\u00a9 was closed before the long winter came"
    mended = "The caf\u00e9 was closed before the long winter came"
    assert fingerprints.fingerprint(garbled) != fingerprints.fingerprint(mended)
    for seen in (garbled, mended):
        assert check([garbled], seen=Ledger.of([seen]))["seen before"].count == 1


def test_real_reviews(real_data, tmp_path):
    """Real text passes; read in another encoding once, by someone, that is what is said."""
    path = tmp_path / "reviews.txt"
    path.write_bytes(real_data("rt-polarity.pos").read_bytes())
    report = validate.validate([path])
    assert report.passed
    assert report.documents == 5331
    assert 0 < report["unknown words"].share < 0.03
    assert any("compleja e intelectualmente" in e.excerpt for e in report["unknown words"].examples)
    misread = tmp_path / "misread.txt"
    misread.write_text(path.read_bytes().decode("latin-1"), encoding="utf-8", newline="")
    garbled = validate.validate([misread])
    assert garbled.over("FAILED") == ["mojibake"]
    cleaned = cleaning.write(garbled, tmp_path / "out.txt")
    assert cleaned.changed["mojibake"] == garbled["mojibake"].count
    repaired = (tmp_path / "out.txt").read_text(encoding="utf-8").splitlines()
    lines = path.read_text(encoding="utf-8").splitlines()
    near = places(garbled, "near-duplicates")
    assert repaired == [line for i, line in enumerate(lines) if i not in near]


TINY_FILES = {
    "csv": b'text,label,split\nThe cat,a,train\n"Two\nlines",b,test\ncaf\xc3\x83\xc2\xa9,,dev\n',
    "jsonl": b'{"text": "The cat sat", "label": "a"}\n{"text": "b c d", "n": [1]}\n"x"\n',
    "json": b'[{"text": "The cat sat on the mat"}, "b", {"text": null}]',
    "txt": b"The cat sat on the mat.\n\nA dog ran to \xe2\x80\x99 555-123-4567\n",
}
PIECES = [b'"', b",", b"\n", b"\xc3", b"\xff", b"\x00", b"[", b"}", b"\xef\xbb\xbf", b"\\ud800"]


@pytest.mark.parametrize("suffix", TINY_FILES)
def test_damaged_files_are_judged_or_refused(tmp_path, suffix):
    rng = random.Random(5)
    path, out = tmp_path / f"t.{suffix}", tmp_path / f"out.{suffix}"
    judged, refused = 0, []
    for _ in range(150):
        content = bytearray(TINY_FILES[suffix])
        for _ in range(rng.randrange(1, 4)):
            place = rng.randrange(len(content))
            content[place : place + rng.randrange(3)] = rng.choice(PIECES)
        path.write_bytes(content)
        try:
            report = validate.validate([path])
            json.dumps(report.to_json())
            cleaned = cleaning.write(report, out)
        except MinilmError as error:
            refused.append(str(error))
            continue
        judged += 1
        assert 0 < cleaned.kept <= report.documents
        assert validate.validate([out]).documents >= 1
    assert judged > 5
    assert not [message for message in refused if "\n" in message]
