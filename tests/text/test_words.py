"""Words and vocabularies, against the definition spelled out character by character."""

import json
import re
import sys
import unicodedata
from collections import Counter

import numpy as np
import pytest

from minilm import resources
from minilm.errors import InputError, OptionError
from minilm.text import words
from minilm.text.words import STOP_WORDS, Vocabulary, WordTokenizer


def tokenize_slowly(text):
    """Maximal runs of letters and the marks after them, one character at a time."""
    words, current = [], ""
    for character in unicodedata.normalize("NFC", text).lower():
        is_mark = unicodedata.category(character).startswith("M")
        if character.isalpha() or (current and is_mark):
            current += character
        elif current:
            words.append(current)
            current = ""
    return [*words, current] if current else words


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "The Cat's 9 lives_and x2y x²y Ⅷa",
        "Ärger über Öl, naïve café",
        "Привет, мир! 你好世界 こんにちは 안녕하세요 مرحبا",
        "İstanbul straße ﬁne",
        "a\u0301b (combining)",
        "one\x1ctwo\u2028three\x00four",
        "emoji 👩‍🔬 in between",
        "हिन्दी भाषा, தமிழ்; ไทย",
        "1\u0301a \u0301b c\u0327\u0301d",
    ],
)
def test_words_are_maximal_runs_of_letters(text):
    assert WordTokenizer().tokenize(text) == tokenize_slowly(text)


def test_every_character_is_a_letter_or_separates():
    """All code points at once, each between two letters."""
    for start in range(0, sys.maxunicode, 1 << 16):
        points = [p for p in range(start, start + (1 << 16)) if not 0xD800 <= p < 0xE000]
        text = " ".join(f"a{chr(p)}b" for p in points)
        assert WordTokenizer().tokenize(text) == tokenize_slowly(text)


def test_random_strings_agree_with_the_definition():
    rng = np.random.default_rng(0)
    alphabet = list("abcXYZ019 _-'.²½ⅧéßИ你ⅰªº\n\t")
    for _ in range(500):
        text = "".join(rng.choice(alphabet, size=rng.integers(0, 30)))
        assert WordTokenizer().tokenize(text) == tokenize_slowly(text)


def test_a_mark_belongs_to_the_letter_before_it():
    tokenize = WordTokenizer().tokenize
    assert tokenize("the cafe\u0301 is warm") == ["the", "caf\u00e9", "is", "warm"]
    assert tokenize("हिन्दी भाषा बहुत") == ["हिन्दी", "भाषा", "बहुत"]
    assert tokenize("q\u0301y") == ["q\u0301y"]  # no composed form
    assert tokenize("\u0301 a") == ["a"]
    assert len(tokenize("İstanbul")) == 1
    assert tokenize("İstanbul") == tokenize("I\u0307stanbul") == ["i\u0307stanbul"]


def test_what_has_no_marks_takes_the_fast_way():
    marks = [chr(i) for i in range(sys.maxunicode) if unicodedata.category(chr(i))[0] == "M"]
    assert all(map(words._BLOCKS_WITH_MARKS.search, marks))


def test_the_shipped_texts_have_the_words_they_always_had():
    """Marks and composed forms change nothing where there are none."""
    for path in sorted(resources.corpora_dir().glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        plain = re.findall(r"[^\W\d_]+", text.lower())
        assert WordTokenizer().tokenize(text) == plain, path.name


def test_sizes_are_in_the_repr():
    assert repr(Vocabulary(["a", "b"], [2, 1])) == "Vocabulary(2 words)"
    assert repr(Vocabulary(["a", "b"], [2, 1], "a")) == "Vocabulary(2 words, unknown='a')"


def test_stop_words_are_the_28_of_the_lesson():
    assert len(STOP_WORDS) == 28
    assert WordTokenizer(STOP_WORDS).tokenize("It is not in the box that we have") == ["box"]


def test_vocabulary_orders_by_count_then_alphabet():
    vocabulary = Vocabulary.from_counts(Counter("bbaaccd"))
    assert vocabulary.words == ("a", "b", "c", "d")
    assert vocabulary.counts == (2, 2, 2, 1)


def test_limits_and_the_unknown_token():
    counts = Counter({"a": 5, "b": 3, "c": 2, "d": 1})
    assert Vocabulary.from_counts(counts, min_count=2).words == ("a", "b", "c")
    limited = Vocabulary.from_counts(counts, max_size=3, unknown="<unk>")
    assert limited.words == ("<unk>", "a", "b")
    assert limited.counts == (3, 5, 3)  # c and d fell out: 2 + 1
    assert limited.encode(["b", "zebra", "a"]) == [2, 0, 1]
    assert limited.decode([2, 0]) == ["b", "<unk>"]


def test_without_an_unknown_token_other_words_are_left_out():
    vocabulary = Vocabulary.from_documents([["to", "be"], ["to"]])
    assert vocabulary.encode(["to", "see", "be"]) == [0, 1]


@pytest.mark.parametrize("bad", [-1, 2])
def test_an_id_outside_the_vocabulary_is_named(bad):
    with pytest.raises(OptionError, match=f"id {bad} is outside the vocabulary of 2"):
        Vocabulary(["a", "b"], [1, 1]).decode([0, bad])


def test_save_and_load_are_inverse(tmp_path):
    vocabulary = Vocabulary.from_counts(Counter("größe größe x".split()), unknown="<unk>")
    vocabulary.save(tmp_path / "vocabulary.json")
    loaded = Vocabulary.load(tmp_path / "vocabulary.json")
    assert (loaded.words, loaded.counts, loaded.unknown) == (
        vocabulary.words,
        vocabulary.counts,
        vocabulary.unknown,
    )


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"words": ["a"], "counts": ["1"], "unknown": None},
        {"words": ["a", "a"], "counts": [1, 1], "unknown": None},
        {"words": ["a"], "counts": [1, 2], "unknown": None},
        {"words": ["a"], "counts": [1], "unknown": "b"},
        {"words": ["a"], "counts": [True], "unknown": None},
    ],
)
def test_a_file_that_is_no_vocabulary_is_refused(tmp_path, content):
    path = tmp_path / "vocabulary.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match="not a vocabulary"):
        Vocabulary.load(path)
