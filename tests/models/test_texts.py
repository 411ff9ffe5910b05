"""Texts as a classifier takes them: cutting, empty ones, padding, batches by length."""

import numpy as np
import pytest

from minilm.errors import OptionError
from minilm.models import texts
from minilm.text.bpe import BytePairTokenizer
from minilm.text.wordlevel import WordLevelTokenizer

WORDS = WordLevelTokenizer.train(["to be or not to be"], min_count=1)


def test_long_texts_are_cut_and_empty_ones_stand_for_the_end_of_a_text():
    documents = ["to be or not", "?!", "to see"]
    found = texts.encode(WORDS, documents, context=3, end_of_text=0)
    assert (found.truncated, found.empty) == (1, 1)
    assert found.ids == [WORDS.encode("to be or"), [0], [WORDS.vocab["to"], 1]]
    with pytest.raises(OptionError, match="text 2 has nothing that this tokenizer knows"):
        texts.encode(WORDS, documents, context=3, end_of_text=None)


def test_padding_on_the_right():
    ids, lengths = texts.pad([[7], [5, 6, 4], [9, 9]])
    assert ids.tolist() == [[7, 0, 0], [5, 6, 4], [9, 9, 0]]
    assert lengths.tolist() == [1, 3, 2]


def test_rows_come_back_in_the_order_of_the_texts():
    rng = np.random.default_rng(0)
    many = [rng.integers(1, 9, size=n).tolist() for n in rng.integers(1, 900, size=40)]
    sizes = []

    def total(ids, lengths):
        sizes.append(ids.size)
        assert ((ids != 0).sum(axis=1) == lengths).all()
        return ids.sum(axis=1, keepdims=True)

    found = texts.apply(total, many)
    assert found[:, 0].tolist() == [sum(text) for text in many]
    assert max(sizes) <= 1 << 12
    with pytest.raises(OptionError, match="there are no texts"):
        texts.apply(total, [])


def test_each_epoch_has_every_text_once_in_another_order():
    lengths = np.random.default_rng(0).integers(1, 60, size=101)
    batches = texts.ShuffledTexts(lengths, batch=8, seed=3)
    assert batches.count == 13
    epochs = [np.concatenate([batches[13 * e + i] for i in range(13)]) for e in range(2)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(101))
    assert epochs[0].tolist() != epochs[1].tolist()
    again = texts.ShuffledTexts(lengths, batch=8, seed=3)
    assert [again[i].tolist() for i in range(26)] == [batches[i].tolist() for i in range(26)]
    padded = sum(lengths[batches[i]].max() * len(batches[i]) for i in range(13))
    assert padded < 1.35 * lengths.sum()  # random batches: 1.7


def test_how_much_a_tokenizer_knows():
    ids = [WORDS.encode("to see or hear"), WORDS.encode("mat")]
    assert texts.known_share(WORDS, ids) == pytest.approx(2 / 5)
    pairs = BytePairTokenizer.train(["the cat the cat"] * 9, 262, ["<|endoftext|>"])
    assert texts.known_share(pairs, [pairs.encode("the the")]) > 0.5
    assert texts.known_share(pairs, [pairs.encode("ΟΔΟΣ")]) == 0
    plain = BytePairTokenizer.train([], 257, ["<|endoftext|>"])
    assert texts.known_share(plain, [plain.encode("abc")]) == 1


def test_a_single_string_is_not_taken_for_a_list_of_letters():
    words = WordLevelTokenizer.train(["to be or not to be"], min_count=1)
    with pytest.raises(OptionError, match=r"texts is one string; pass a list of texts: \[text\]"):
        texts.encode(words, "to be", context=3, end_of_text=0)
    with pytest.raises(OptionError, match=r"texts\[1\] is of type NoneType, not a string"):
        texts.encode(words, ["to be", None], context=3, end_of_text=0)
