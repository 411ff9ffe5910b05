"""Equal to tokenizers, tiktoken and transformers: training, encoding, decoding, files."""

import json
import random

import pytest

from minilm.text import byte_symbols
from minilm.text.bpe import BytePairTokenizer

pytestmark = pytest.mark.peers

PATTERN = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""  # GPT-2's
END = "<|endoftext|>"

WHITE_SPACE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2003\u200a\u2028\u2029\u202f\u205f\u3000"
HAND_PICKED = [
    "",
    *(chr(plane << 16 | code) for plane in range(17) for code in (0x00, 0x41, 0x300, 0xFFFD)),
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽👍🏿 🇧🇷🇯🇵 1️⃣",
    "e\u0301 n\u0303o a\u0323\u0302 ก็ क्षि \u200d\u200c",
    *(
        f"a{space}b{space}{space}c {space}d{space}"
        for space in WHITE_SPACE + "\x1c\x1d\x1e\x1f\u200b"
    ),
    "English, русский текст, ελληνικά, עברית, العربية, हिन्दी, 日本語, 한국어, ไทย",
    "0" * 1000,
    "3141592653589793 1,234,567.89 ٣٤٥ ½²Ⅷ",
    "I'll've 'S 'RE don''t ''ll '' 's",
    f"one{END}two {END}{END}\n{END} <|endoftext |>",
]


def random_strings(count):
    """Return strings of all planes, with runs of white space, digits, marks and contractions."""
    rng = random.Random(20)
    pools = [
        range(0x20, 0x7F),
        range(0x110000),
        range(0x300, 0x370),
        range(0x1F300, 0x1F700),
        range(0x4E00, 0x9FFF),
        range(0x370, 0x600),
        [ord(c) for c in WHITE_SPACE + "\x1c\x1f\u200b\ufeff"],
        [ord(c) for c in "'stlvermd "],
        range(0x30, 0x3A),
    ]
    for _ in range(count):
        codes = []
        while len(codes) < rng.randrange(60):
            pool = rng.choice(pools)
            codes += [pool[rng.randrange(len(pool))] for _ in range(rng.randrange(1, 6))]
        text = "".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000)
        yield text + END + text[:2] if rng.random() < 0.1 else text


@pytest.fixture
def gpt2(real_data):
    """Return GPT-2's published tokenizer, ours."""
    return BytePairTokenizer.from_files(real_data("gpt2-vocab.json"), real_data("gpt2-merges.txt"))


@pytest.fixture
def in_tokenizers(peer, real_data):
    tokenizers = peer("tokenizers")
    model = tokenizers.models.BPE.from_file(
        str(real_data("gpt2-vocab.json")), str(real_data("gpt2-merges.txt"))
    )
    theirs = tokenizers.Tokenizer(model)
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.decoder = tokenizers.decoders.ByteLevel()
    theirs.add_special_tokens([END])
    return theirs


@pytest.fixture
def in_tiktoken(peer, gpt2):
    ranks = {
        byte_symbols.unspell(token): number for token, number in gpt2.vocab.items() if token != END
    }
    return peer("tiktoken").Encoding(
        "gpt2", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={END: gpt2.vocab[END]}
    )


def train_theirs(tokenizers, texts, vocab_size, special_tokens=()):
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE())
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(special_tokens),
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    theirs.train_from_iterator(texts, trainer)
    model = json.loads(theirs.to_str())["model"]
    return model["vocab"], [tuple(merge) for merge in model["merges"]]


def test_gpt2s_files_have_one_special_token(gpt2):
    assert gpt2.special_tokens == (END,)
    assert len(gpt2.vocab) == 50257


def test_encoding_and_decoding_equal_both_libraries(gpt2, in_tokenizers, in_tiktoken):
    for text in [*HAND_PICKED, *random_strings(10_000)]:
        ids = gpt2.encode(text)
        assert ids == in_tokenizers.encode(text).ids, repr(text)
        assert ids == in_tiktoken.encode(text, allowed_special="all"), repr(text)
        assert gpt2.decode(ids) == text


def test_decoding_any_ids_equals_both_libraries(gpt2, in_tokenizers, in_tiktoken):
    rng = random.Random(21)
    for _ in range(2000):
        ids = [rng.randrange(len(gpt2.vocab)) for _ in range(rng.randrange(12))]
        text = gpt2.decode(ids)
        assert text == in_tokenizers.decode(ids, skip_special_tokens=False)
        assert text == in_tiktoken.decode(ids)


def test_real_text_equals_both_libraries(gpt2, in_tokenizers, in_tiktoken, real_data):
    text = real_data("tinyshakespeare.txt").read_text(encoding="utf-8")
    ids = gpt2.encode(text)
    assert ids == in_tokenizers.encode(text).ids
    assert ids == in_tiktoken.encode(text)
    assert ids == list(gpt2.encode_iterable(text.splitlines(keepends=True)))
    assert gpt2.decode(ids) == text


@pytest.mark.parametrize(
    ("name", "encoding", "vocab_size"),
    [("tinyshakespeare.txt", "utf-8", 2048), ("rt-polarity.pos", "latin-1", 4096)],
)
def test_training_equals_tokenizers_entry_for_entry(peer, real_data, name, encoding, vocab_size):
    lines = real_data(name).read_text(encoding=encoding).splitlines(keepends=True)
    special_tokens = (END, "<pad>")
    ours = BytePairTokenizer.train(lines, vocab_size, special_tokens)
    vocab, merges = train_theirs(peer("tokenizers"), lines, vocab_size, special_tokens)
    assert ours.merges == merges
    assert ours.vocab == vocab


def test_training_on_strings_full_of_ties_equals_tokenizers(peer):
    tokenizers = peer("tokenizers")
    rng = random.Random(22)
    for _ in range(100):
        alphabet = rng.choice(["a", "ab", "abc ", "-=", "aé日 ", "01 a"])
        texts = [
            "".join(rng.choice(alphabet) * rng.choice([1, 1, 2, 5]) for _ in range(length))
            for length in rng.choices(range(80), k=rng.choice([1, 5, 20]))
        ]
        vocab_size = 258 + rng.choice([0, 5, 60, 300])
        special_tokens = rng.choice([(), ("<s>",), ("ab", "</s>")])
        ours = BytePairTokenizer.train(texts, vocab_size, special_tokens)
        assert (ours.vocab, ours.merges) == train_theirs(
            tokenizers, texts, vocab_size, special_tokens
        )


@pytest.mark.parametrize("config", [None, {"model_type": "gpt2", "vocab_size": 500}])
def test_what_is_saved_opens_in_tokenizers_and_transformers(peer, tmp_path, config):
    tokenizers, transformers = peer("tokenizers"), peer("transformers")
    text = "the thing's there: naïve 👋  12 and the rest\n"
    ours = BytePairTokenizer.train([text * 3], 320, [END, "<pad>"])
    ours.save(tmp_path)
    if config is not None:
        (tmp_path / "config.json").write_text(
            json.dumps(config | {"eos_token_id": 0, "bos_token_id": 0})
        )
    fast = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    auto = transformers.AutoTokenizer.from_pretrained(str(tmp_path))
    assert len(auto) == fast.get_vocab_size() == len(ours.vocab)
    for string in [text, text + END + text, " " + text[::-1], "<pad>x", "日本"]:
        ids = ours.encode(string)
        assert fast.encode(string).ids == ids
        assert auto(string)["input_ids"] == ids
        assert fast.decode(ids, skip_special_tokens=False) == string
        assert auto.decode(ids, clean_up_tokenization_spaces=False) == string
    # And back again, from what transformers writes.
    auto.save_pretrained(str(tmp_path / "theirs"))
    again = BytePairTokenizer.from_folder(tmp_path / "theirs")
    assert (again.vocab, again.merges, again.special_tokens) == (
        ours.vocab,
        ours.merges,
        ours.special_tokens,
    )
