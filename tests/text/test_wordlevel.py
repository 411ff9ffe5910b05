"""The word tokenizer of a model: ids, files, and the same ids in the libraries of others."""

import json
import random
import re
import sys
import unicodedata

import numpy as np
import pytest

from minilm.errors import ModelError, OptionError
from minilm.nn.gpt import GPT, GPTConfig
from minilm.store import folder
from minilm.text.wordlevel import WordLevelTokenizer, split
from minilm.text.words import WordTokenizer

SAMPLES = [
    "To be, or not to be: that is the question.",
    "It's 3 o'clock; the Émigré's naïve café — ÜBER alles, straße STRASSE",
    "Το ΟΔΟΣ και η οδός, ΣΊΣΥΦΟΣ σίσυφος",
    "İstanbul ISTANBUL ıI ǅ ﬁne ªº x²y ⅷ",
    "Война и мир. ВОЙНА! 戦争と平和 전쟁과 평화 الحرب والسلام",
    "end<|endoftext|>begin <unk> <|endoftext|><|ENDOFTEXT|>\n\n\tlast\u00a0word\u2028x\x1fy\u200dz",
    "e\u0301clair 👩\u200d🔬 don't",
    "हिन्दी भाषा 1\u0301a x\u0323\u0307y cafe\u0301 தமிழ் ไทยแท้ שָׁלוֹם",
    "",
    "12 34 !?",
]


@pytest.fixture(scope="module")
def tokenizer():
    return WordLevelTokenizer.train(SAMPLES * 2)


def slow_encode(tokenizer, text):
    """One character after the other, as the definition has it."""
    pieces = re.split("(<[|]endoftext[|]>|<unk>)", text)
    text = "".join(p if i % 2 else unicodedata.normalize("NFC", p) for i, p in enumerate(pieces))
    ids, word, at = [], "", 0

    def finish():
        if word:
            ids.append(tokenizer.vocab.get(word, tokenizer.vocab["<unk>"]))

    while at < len(text):
        token = next((t for t in tokenizer.special_tokens if text.startswith(t, at)), None)
        if token:
            finish()
            ids.append(tokenizer.vocab[token])
            word, at = "", at + len(token)
            continue
        for c in text[at].lower():
            if c.isalpha() or (word and unicodedata.category(c).startswith("M")):
                word += c
            else:
                finish()
                word = ""
        at += 1
    finish()
    return ids


def test_ids_are_those_of_the_definition(tokenizer):
    for text in SAMPLES:
        assert tokenizer.encode(text) == slow_encode(tokenizer, text)


def test_words_are_the_word_tokenizers_except_for_sigma_at_a_words_end():
    for text in SAMPLES:
        assert [w.replace("ς", "σ") for w in split(text)] == [
            w.replace("ς", "σ") for w in WordTokenizer().tokenize(text)
        ]
    assert split("ΣΊΣΥΦΟΣ") == ["σίσυφοσ"]


def test_vocabulary_holds_the_most_frequent():
    trained = WordLevelTokenizer.train(["b b b a a c c d"], max_size=4)
    assert trained.vocab == {"<|endoftext|>": 0, "<unk>": 1, "b": 2, "a": 3}
    assert trained.decode(trained.encode("A b<|endoftext|>c")) == "a b <|endoftext|> <unk>"
    assert list(WordLevelTokenizer.train(2 * ["x<|endoftext|>x"]).vocab)[2:] == ["x"]
    with pytest.raises(OptionError, match="it must be 2 or more"):
        WordLevelTokenizer.train(["a"], max_size=1)
    with pytest.raises(OptionError, match="one string"):
        WordLevelTokenizer.train("a b")
    with pytest.raises(OptionError, match="no token has the id 4"):
        trained.decode([4])
    with pytest.raises(OptionError, match="no token has the id -1"):
        trained.decode([-1])


def test_a_stream_has_the_ids_of_the_whole(tokenizer):
    rng = random.Random(5)
    text = "".join(rng.choice([*SAMPLES, " ", "\n"]) for _ in range(4000))
    assert len(text) > 100_000
    cuts = sorted(rng.sample(range(len(text)), 300))
    chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    whole = tokenizer.encode(text)
    assert list(tokenizer.encode_iterable(chunks)) == whole
    assert tokenizer.encode_batch([text, "the"]) == [whole, tokenizer.encode("the")]
    assert whole == slow_encode(tokenizer, text)


def test_files_round_trip_to_the_byte(tokenizer, tmp_path):
    tokenizer.save(tmp_path)
    first = (tmp_path / "tokenizer.json").read_bytes()
    back = WordLevelTokenizer.from_tokenizer_json(tmp_path / "tokenizer.json")
    assert back.vocab == tokenizer.vocab
    back.save(tmp_path)
    assert (tmp_path / "tokenizer.json").read_bytes() == first


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["model"]["vocab"].pop("be"), "where 3 comes next|comes next; ids are"),
        (lambda c: c["model"]["vocab"].update(be=0), "has the id 0, where 1 comes next"),
        (lambda c: c["model"]["vocab"].update(new=-1), "has the id -1, where 0"),
        (lambda c: c["model"].update(vocab=[]), "no vocabulary"),
        (lambda c: c["model"]["vocab"].update(be="1"), "no vocabulary"),
        (lambda c: c.pop("model"), "no vocabulary"),
        (lambda c: c.update(normalizer=None), "its normalizer differ"),
        (lambda c: c["model"].update(unk_token="be"), "its model differ"),
        (lambda c: c["added_tokens"].pop(), "its added_tokens differ"),
        (lambda c: c["pre_tokenizer"].update(behavior="Isolated"), "its pre_tokenizer differ"),
    ],
)
def test_other_files_are_refused(tokenizer, tmp_path, change, message):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ModelError, match=message) as caught:
        WordLevelTokenizer.from_tokenizer_json(path)
    assert str(path) in str(caught.value)


def test_special_tokens_must_be_there():
    with pytest.raises(ModelError, match=r"<unk> is not in the vocabulary"):
        WordLevelTokenizer({"<|endoftext|>": 0, "a": 1})


@pytest.mark.peers
def test_every_character_is_cut_and_lowered_as_tokenizers_does(peer, tokenizer, tmp_path):
    theirs = peer("tokenizers").Tokenizer
    tokenizer.save(tmp_path)
    library = theirs.from_file(str(tmp_path / "tokenizer.json"))
    different = []
    for code in range(sys.maxunicode + 1):
        if 0xD800 <= code < 0xE000:
            continue
        character = chr(code)
        lowered = library.normalizer.normalize_str(character)
        words = [word for word, _ in library.pre_tokenizer.pre_tokenize_str(lowered)]
        if words != split(character):
            different.append(code)
    # What this Python's Unicode has no name for yet may be a letter to the library.
    assert [c for c in different if unicodedata.category(chr(c)) != "Cn"] == []


@pytest.mark.peers
def test_tokenizers_and_transformers_give_the_same_ids(peer, tokenizer, tmp_path):
    tokenizers, transformers = peer("tokenizers"), peer("transformers")
    vocab_size = len(tokenizer.vocab)
    config = GPTConfig(vocab_size, 16, 12, 1, 2)
    model = GPT(config, rng=np.random.default_rng(0))
    folder.save(tmp_path, folder.model_files(model.config, model.parameters, tokenizer))
    library = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    automatic = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert automatic.eos_token_id == 0
    assert automatic.unk_token_id == 1
    assert automatic.model_max_length == model.config.n_positions
    rng = random.Random(3)
    letters = [c for text in SAMPLES for c in text] + list("ΣσςİßÆ²5 '-\u0301\u0307\u0327")
    texts = SAMPLES + ["".join(rng.choices(letters, k=200)) for _ in range(300)]
    for text in texts:
        ids = tokenizer.encode(text)
        assert library.encode(text).ids == ids
        assert automatic(text, verbose=False)["input_ids"] == ids
        assert library.decode(ids, skip_special_tokens=False) == tokenizer.decode(ids)
