"""`minilm neighbors` against the lesson's arithmetic in plain Python, and its complaints."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict

import pytest

from minilm.cli import main
from minilm.text.words import STOP_WORDS

LINES = [
    "The baker kneads a soft dough before dawn.",
    "The cook kneads a stiff dough, and the baker watches",
    "Before dawn the fisherman mends a torn net;",
    "at dusk the sailor mends a torn sail.",
    "",
    "The fisherman and the sailor watch the cold sea!",
    "A cook salts the cold soup before dusk.",
    "sail",
]
LESSON = ["--window", "3", "--weighting", "count", "--dimensions", "all", "--stop-words"]


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "harbor.txt"
    path.write_text("\n".join(LINES), encoding="utf-8")
    return str(path)


def slow_cosines(window: int) -> dict[str, dict[str, float]]:
    """The oracle: dictionaries of counts, line by line, and cosines of their rows."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for line in LINES:
        letters = "".join(c if c.isalpha() else " " for c in line.lower())
        words = [w for w in letters.split() if w not in STOP_WORDS]
        for i, word in enumerate(words):
            rows[word].update(words[max(0, i - window) : i] + words[i + 1 : i + 1 + window])

    def length(word: str) -> float:
        return math.sqrt(sum(n * n for n in rows[word].values()))

    def cosine(a: str, b: str) -> float:
        dot = sum(n * rows[b][w] for w, n in rows[a].items())
        return dot / (length(a) * length(b)) if dot else 0.0

    return {a: {b: cosine(a, b) for b in list(rows) if b != a} for a in list(rows)}


@pytest.mark.parametrize("window", [1, 3])
def test_every_word_has_the_neighbors_of_the_plain_computation(corpus, capsys, window):
    expected = slow_cosines(window)
    options = ["--corpus", corpus, *LESSON, "--top", "5", "--json"]
    options[options.index("--window") + 1] = str(window)
    assert main.main(["neighbors", *expected, *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == list(expected)
    for word, hits in found.items():
        best = sorted(expected[word].values(), reverse=True)[:5]
        assert [cosine for _, cosine in hits] == pytest.approx(best, abs=1e-6)
        for other, cosine in hits:
            assert cosine == pytest.approx(expected[word][other], abs=1e-6)


def test_a_line_for_each_word(corpus, capsys):
    assert main.main(["neighbors", "Baker", "sail", "--corpus", corpus, *LESSON, "--top", "2"]) == 0
    cosines = slow_cosines(3)["baker"]
    best = sorted(cosines, key=lambda word: -cosines[word])[0]
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"Baker: {best} ({cosines[best]:.3f}), ")
    assert second.startswith("sail: ")


def test_the_defaults_reduce_the_columns_and_repeat_to_the_bit(corpus, capsys):
    outputs = []
    for _ in range(2):
        assert main.main(["neighbors", "dough", "--corpus", corpus, "--json"]) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert len(json.loads(outputs[0])["dough"]) == 4
    assert main.main(["neighbors", "dough", "--corpus", corpus, "--dimensions", "3"]) == 0


def test_a_column_of_a_table(tmp_path, capsys):
    path = tmp_path / "notes.csv"
    path.write_text("id,body,title\n1,red boat sails,x\n2,red kite sails,y\n", encoding="utf-8")
    options = ["--corpus", str(path), "--text-column", "body", *LESSON, "--json"]
    assert main.main(["neighbors", "boat", *options]) == 0
    assert json.loads(capsys.readouterr().out)["boat"][0] == ["kite", 1.0]


def complaint(capsys, *arguments: str) -> str:
    assert main.main(["neighbors", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_an_unknown_word_is_answered_with_close_spellings(corpus, capsys):
    error = complaint(capsys, "baker", "fishermen", "--corpus", corpus)
    assert f"{corpus}: 'fishermen' is not one of its " in error
    assert "did you mean fisherman" in error
    assert "check its spelling" in complaint(capsys, "xyzzy", "--corpus", corpus)


def test_a_word_that_an_option_leaves_out_is_explained(corpus, capsys):
    assert "--stop-words leaves out" in complaint(capsys, "the", "--corpus", corpus, "--stop-words")
    assert "(--min-count 2)" in complaint(capsys, "soup", "--corpus", corpus, "--min-count", "2")


def test_options_that_cannot_work(corpus, capsys):
    assert "--top" in complaint(capsys, "baker", "--corpus", corpus, "--top", "0")
    assert "the window is 0" in complaint(capsys, "baker", "--corpus", corpus, "--window", "0")
    for value in ("0", "-3", "some", "1.5"):
        with pytest.raises(SystemExit) as stopped:
            main.main(["neighbors", "baker", "--corpus", corpus, f"--dimensions={value}"])
        assert stopped.value.code == 2
        assert "neither a positive number nor all" in capsys.readouterr().err


def test_files_that_cannot_be_read(tmp_path, capsys):
    assert "no such file" in complaint(capsys, "baker", "--corpus", str(tmp_path / "none.txt"))
    latin = tmp_path / "latin.txt"
    latin.write_bytes("Der Bäcker knetet\n".encode("latin-1"))
    assert "--encoding latin-1" in complaint(capsys, "Bäcker", "--corpus", str(latin))
    assert main.main(["neighbors", "Bäcker", "--corpus", str(latin), "--encoding", "latin-1"]) == 0
