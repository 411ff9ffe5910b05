"""What could be taken for texts by mistake: a string, a table, a dictionary, bytes."""

import numpy as np
import pytest

from minilm.errors import OptionError
from minilm.text import BytePairTokenizer, Vocabulary, WordLevelTokenizer, several


class Frame:
    """A table with one column, as pandas gives it: going through it gives the columns' names."""

    ndim = 2

    def __iter__(self):
        return iter(["text"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("a text", r"texts is one string; pass a list of texts: \[text\]"),
        (Frame(), "texts have 2 dimensions; pass one column"),
        (np.array([["a text"]]), "texts have 2 dimensions"),
        (np.array("a text"), "of type ndarray; pass a list"),
        ({"text": ["a text"]}, "of type dict; pass a list"),
        ({"a text", "another"}, "of type set; pass a list"),
        (b"a text", "of type bytes; pass a list"),
        (None, "of type NoneType; pass a list"),
        (3, "of type int; pass a list"),
        (["a text", float("nan")], r"texts\[1\] is of type float, not a string"),
        ([["a", "text"]], r"texts\[0\] is of type list, not a string"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(values, message):
    tokenizer = BytePairTokenizer.train([], 256)
    for use in (
        lambda: list(several.strings(values)),
        lambda: BytePairTokenizer.train(values, 260),
        lambda: WordLevelTokenizer.train(values),
        lambda: tokenizer.encode_batch(values),
    ):
        with pytest.raises(OptionError, match=message):
            use()


def test_what_is_gone_through_gives_texts():
    texts = ["a text", "another"]
    for values in (texts, tuple(texts), np.array(texts), iter(texts)):
        assert list(several.strings(values)) == texts


def test_texts_are_not_taken_for_lists_of_words():
    with pytest.raises(OptionError, match="a document is the string 'good film'; cut it into"):
        Vocabulary.from_documents(["good film"])
