"""What words did to a decision: effects that are known, as lines and as pictures."""

import re

import numpy as np
import pytest

from minilm.classify import explain, pictures
from minilm.classify.explain import Explanation
from minilm.errors import OptionError

WEIGHTS = {"superb": 2.0, "dull": -1.0, "film": 0.0}
CLASSES = ("negative", "positive")


def predict_proba(texts):
    """Add up the weights of words: what leaving one out does is known exactly."""
    words = [text.lower().replace(".", " ").split() for text in texts]
    scores = np.array([sum(WEIGHTS.get(word, 0.0) for word in ws) for ws in words])
    positive = 1 / (1 + np.exp(-scores))
    return np.stack([1 - positive, positive], axis=1)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_effects_are_differences_of_probabilities():
    found = explain.leave_one_out(predict_proba, "Superb. But dull film")
    assert found.words == ("Superb", "But", "dull", "film")
    expected = sigmoid(1.0) - np.array([sigmoid(-1.0), sigmoid(1.0), sigmoid(2.0), sigmoid(1.0)])
    np.testing.assert_allclose(found.effects(1), expected, atol=1e-15)
    np.testing.assert_allclose(found.effects(0), -expected, atol=1e-15)
    assert found.predicted == 1
    assert found.strongest(1, 2) == [0, 2]


def test_each_word_is_left_out_of_the_text_and_nothing_else_is():
    seen = []

    def record(texts):
        seen.extend(texts)
        return predict_proba(texts)

    explain.leave_one_out(record, "Don't be  dull,\nbe 7 superb!")
    assert seen == [
        "Don't be  dull,\nbe 7 superb!",
        "be  dull,\nbe 7 superb!",
        "Don't dull,\nbe 7 superb!",
        "Don't be,\nbe 7 superb!",
        "Don't be  dull,\n7 superb!",
        "Don't be  dull,\nbe superb!",
        "Don't be  dull,\nbe 7!",
    ]


@pytest.mark.parametrize("text", ["", "...", "Superb!"])
def test_a_text_of_one_word_cannot_be_explained(text):
    with pytest.raises(OptionError, match="fewer than two words"):
        explain.leave_one_out(predict_proba, text)


def test_lines_fit_a_terminal_and_the_longest_bar_is_the_largest_effect():
    text = "superb dull " + "antidisestablishmentarianism " * 40
    found = explain.leave_one_out(predict_proba, text)
    shown = explain.lines(found, ("n" * 50, "p" * 50), 1)
    assert max(map(len, shown)) < 80
    assert len(shown) == 1 + explain.SHOWN + 1
    assert shown[-1] == "(12 more words, of smaller effect)"
    assert shown[1].split()[-1] == "|" + "+" * 20
    assert shown[2].split()[-1] == "-" * round(20 * 0.1497 / 0.4621) + "|"


def test_color_only_colors():
    found = explain.leave_one_out(predict_proba, "superb dull film")
    plain = explain.lines(found, CLASSES, 1)
    colored = explain.lines(found, CLASSES, 1, color=True)
    assert "\033" not in "".join(plain)
    assert "\033[34m++++" in colored[1]
    assert "\033[33m----" in colored[2]
    assert [re.sub("\033\\[[0-9]*m", "", line) for line in colored] == plain


def test_pictures_are_written_whatever_the_words_are(tmp_path):
    words = ("$a", "b$", "映画", "x" * 60, "_{")
    found = Explanation(words, np.array([0.2, 0.8]), np.linspace(0, 1, 10).reshape(5, 2))
    path = tmp_path / "why.png"
    pictures.draw_explanation(path, found, ("a_$", "b$"), 1)
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(OptionError, match=r"ends in \.png or \.svg"):
        pictures.draw_explanation(tmp_path / "why.txt", found, CLASSES, 1)


def test_a_confusion_matrix_shows_its_counts(tmp_path):
    path = tmp_path / "confusion.svg"
    with np.errstate(all="raise"):
        pictures.draw_confusion(path, np.array([[40, 2, 0], [3, 1234, 0], [0, 0, 0]]), "abc")
    first = path.read_bytes()
    pictures.draw_confusion(path, np.array([[40, 2, 0], [3, 1234, 0], [0, 0, 0]]), "abc")
    assert path.read_bytes() == first
    assert b"1,234" in first
    pictures.draw_confusion(path, np.eye(14, dtype=int), [f"class {i}" for i in range(14)])
    assert b"class 13" in path.read_bytes()
