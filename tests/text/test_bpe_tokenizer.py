"""The tokenizer: round trips, special tokens, streams, and what it says to mistakes."""

import random
import time
import tracemalloc

import pytest

from minilm.errors import InputError, ModelError, OptionError
from minilm.text import byte_symbols, pretokenize
from minilm.text.bpe import BytePairTokenizer

TEXT = "the cat sat on the mat, and the other cat's hat was 12 or 123 days old: naïve, très naïve! "


@pytest.fixture(scope="module")
def tokenizer():
    return BytePairTokenizer.train([TEXT] * 3, 300, ["<|end|>", "<|end|><|end|>", "<a b>"])


def test_byte_symbols_are_gpt2s():
    assert len(set(byte_symbols.SYMBOLS)) == 256
    assert byte_symbols.spell(b" \n\tA~\x7f\xa0\xad\xff") == "ĠĊĉA~ġłŃÿ"
    every = bytes(range(256))
    assert byte_symbols.unspell(byte_symbols.spell(every)) == every


def test_training_gives_special_tokens_then_bytes_then_merges(tokenizer):
    assert tokenizer.vocab["<a b>"] == 2
    assert tokenizer.vocab["!"] == 3
    assert tokenizer.vocab[byte_symbols.SYMBOLS[0xAD]] == 258
    left, right = tokenizer.merges[0]
    assert tokenizer.vocab[left + right] == 259
    assert len(tokenizer.vocab) == 300
    assert sorted(tokenizer.vocab.values()) == list(range(300))


def test_frequent_words_are_one_token_and_rare_ones_several(tokenizer):
    assert len(tokenizer.encode(" the")) == 1
    assert len(tokenizer.encode(" zebra")) > 3


def test_pieces_are_never_joined_across(tokenizer):
    ids = tokenizer.encode("the cat")
    assert ids == tokenizer.encode("the") + tokenizer.encode(" cat")


def test_any_text_comes_back(tokenizer):
    rng = random.Random(0)
    planes = [chr(plane << 16 | 0x41) for plane in range(17)]
    for text in [
        "",
        *planes,
        "👩‍👩‍👧",
        "e\u0301\u0323",
        "\x00\x7f",
        " \u2028\u3000",
        TEXT,
        "9" * 500,
    ]:
        assert tokenizer.decode(tokenizer.encode(text)) == text
    for _ in range(1000):
        codes = (rng.choice([rng.randrange(128), rng.randrange(0x110000)]) for _ in range(20))
        text = "".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000)
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_bytes_that_are_no_utf8_are_replaced(tokenizer):
    ids = tokenizer.encode("é👋")
    assert tokenizer.decode(ids[1:]) == "\ufffd👋"
    assert tokenizer.decode(ids[:-1]) == "é\ufffd"


def test_special_tokens_come_first_and_the_longest_wins(tokenizer):
    assert tokenizer.encode("<|end|>") == [0]
    assert tokenizer.encode("<|end|><|end|><|end|>") == [1, 0]
    assert tokenizer.encode("cat<a b>") == [*tokenizer.encode("cat"), 2]
    assert 0 not in tokenizer.encode("<|end |>")
    assert tokenizer.pieces("the<|end|> cat<a b>") == ["the", "<|end|>", " cat", "<a b>"]
    assert tokenizer.decode([0, 2, 1]) == "<|end|><a b><|end|><|end|>"


@pytest.mark.parametrize("bad", ["\ud800", "ab \udfff cd"])
def test_a_lone_surrogate_is_named(tokenizer, bad):
    with pytest.raises(InputError, match=r"lone surrogate, U\+D(800|FFF)"):
        tokenizer.encode(bad)
    with pytest.raises(InputError, match="lone surrogate"):
        BytePairTokenizer.train([bad], 300)


@pytest.mark.parametrize("bad", [300, -1, 10**20])
def test_an_unknown_id_is_named(tokenizer, bad):
    with pytest.raises(OptionError, match=f"no token has the id {bad}; the ids are 0 to 299"):
        tokenizer.decode([1, bad])


def test_a_million_characters_without_a_place_to_cut():
    tokenizer = BytePairTokenizer.train(["a" * 64], 290)

    def seconds(size):
        text = "a" * size
        start = time.perf_counter()
        ids = tokenizer.encode(text)
        taken = time.perf_counter() - start
        assert tokenizer.decode(ids) == text
        assert len(ids) < len(text) / 10
        return taken

    # n log n is 12 times as much, the square 100 times.
    assert seconds(1_000_000) < 40 * seconds(100_000)


def test_a_batch_is_each_text_by_itself(tokenizer):
    assert tokenizer.encode_batch(["the", " cat"]) == [
        tokenizer.encode("the"),
        tokenizer.encode(" cat"),
    ]


def test_a_stream_gives_the_ids_of_the_whole_wherever_it_is_cut(tokenizer, monkeypatch):
    monkeypatch.setattr(pretokenize, "BLOCK", 16)
    rng = random.Random(2)
    parts = [
        "the cat",
        "<|end|>",
        "<a b>",
        "\n",
        "\n\n",
        " ",
        "  ",
        "'s",
        "'",
        "naïve",
        "123",
        "<a",
    ]
    for _ in range(300):
        text = "".join(rng.choice(parts) for _ in range(25))
        cuts = sorted(rng.randrange(len(text) + 1) for _ in range(rng.randrange(12)))
        chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        whole = tokenizer._encode_block(text)
        assert list(tokenizer.encode_iterable(chunks)) == whole
        assert tokenizer.encode(text) == whole


def test_a_stream_is_read_as_it_is_needed(tokenizer):
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield TEXT

    ids = tokenizer.encode_iterable(endless())
    assert taken == 0
    first = [next(ids) for _ in range(1000)]
    assert first == tokenizer.encode(TEXT * 100)[:1000]
    assert taken * len(TEXT) < 2 * pretokenize.BLOCK


def test_memory_of_a_stream_does_not_grow_with_it(tokenizer):
    def peak(lines):
        rng = random.Random(7)
        words = TEXT.split()
        stream = (" ".join(rng.choices(words, k=200)) + "\n" for _ in range(lines))
        tracemalloc.start()
        try:
            total = sum(1 for _ in tokenizer.encode_iterable(stream))
            return total, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    (short, flat), (long, same) = peak(300), peak(1200)
    assert long > 3.9 * short
    assert same < 1.2 * flat
    assert flat < 4e6


def test_the_memory_of_pieces_is_bounded(monkeypatch):
    tokenizer = BytePairTokenizer.train([TEXT], 300)
    memory = tokenizer._tokens_of
    monkeypatch.setattr(type(memory), "ENTRIES", 50)
    for number in range(500):
        assert tokenizer.decode(tokenizer.encode(f"word{number}")) == f"word{number}"
    tokenizer.encode("x" * 10_000)
    assert len(memory) <= 50
    assert max(map(len, memory)) < 1000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((["a"], 255), "a vocabulary of 255 entries; it takes 256"),
        ((["a"], 256, ["<a>"]), "it takes 257"),
        ((["a"], 2_000_000), "1,114,112 at most"),
        (("a text", 300), "pass a list of texts"),
        ((["a"], 300, "<a>"), "pass a list: .token."),
        ((["a"], 300, ["<a>", "<a>"]), "'<a>': empty, a single byte, or given twice"),
        ((["a"], 300, [""]), "'': empty"),
        ((["a"], 300, ["Ġ"]), "'Ġ': empty, a single byte"),
    ],
)
def test_training_says_what_it_cannot_do(options, message):
    with pytest.raises(OptionError, match=message):
        BytePairTokenizer.train(*options)


def test_training_on_nothing_gives_the_bytes():
    tokenizer = BytePairTokenizer.train([], 5000)
    assert len(tokenizer.vocab) == 256
    assert tokenizer.encode("é") == [tokenizer.vocab["Ã"], tokenizer.vocab["©"]]


def test_special_tokens_inside_the_texts_are_text():
    assert BytePairTokenizer.train(["a||b"], 300, ["||"]).merges == [("|", "|")]


def test_vocabulary_and_merges_that_do_not_fit_are_refused(tokenizer):
    vocab, merges = tokenizer.vocab, tokenizer.merges
    special = tokenizer.special_tokens
    last = "".join(merges[-1])

    def without(token):
        return {t: i for t, i in vocab.items() if t != token}

    for bad_vocab, bad_merges, bad_special, message in [
        ({**vocab, "zz": 7}, merges, special, "both have the id 7"),
        ({**vocab, "zz": 301}, merges, special, "no token has the id 300, but 'zz' has 301"),
        ({**vocab, "zz": 5 * 10**9}, merges, special, "no token has the id 300"),
        ({**vocab, "zz": -1}, merges, special, "ids begin at 0"),
        ({**without(last), "Aé": vocab[last]}, merges, special, "merge 41, .* is not in the vocab"),
        ({**without(last), "A é": vocab[last]}, merges[:-1], special, "neither spelled in by"),
        ({**without("!"), "?!": vocab["!"]}, merges, special, "no token for the byte 0x21"),
        (vocab, [*merges, ("a", "zz")], special, "merge 42, 'a' 'zz': 'zz' is not in the"),
        (vocab, [*merges, merges[3]], special, "merge 42, .* is merge 4 again"),
        (vocab, merges, [*special, "<x>"], "special token '<x>' is not in the vocabulary"),
        (vocab, merges, [*special, "Ġ"], "special token 'Ġ' also spells the bytes b' '"),
        ({**vocab, "": 300}, merges, special, "a token without characters"),
        ({}, [], [], "no token for the byte 0x00"),
    ]:
        with pytest.raises(ModelError, match=message):
            BytePairTokenizer(bad_vocab, bad_merges, bad_special)


def test_a_special_token_spelled_like_a_merge_of_other_bytes_is_refused():
    with pytest.raises(ModelError, match="special token 'Ġa' also spells the bytes b' a'"):
        BytePairTokenizer.train(["a a a"], 300, ["Ġa"])


def test_a_special_token_spelled_like_a_word_shares_its_id():
    tokenizer = BytePairTokenizer.train(["cats cats"], 300, ["cat"])
    assert tokenizer.encode("cats")[0] == 0
    assert tokenizer.decode(tokenizer.encode("scatter cats")) == "scatter cats"
