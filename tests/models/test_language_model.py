"""`minilm.load`: the one object of Python and of the command line."""

import math
import shutil

import numpy as np
import pytest

import minilm
from minilm.errors import ModelError, OptionError
from minilm.models import generate
from minilm.models.language_model import LanguageModel
from minilm.nn.gpt import GPT, GPTConfig
from minilm.store import folder
from minilm.text.bpe import BytePairTokenizer
from minilm.training import pretrain


@pytest.fixture(scope="module")
def model(trained):
    return minilm.load(trained)


@pytest.fixture(scope="module")
def word_model(text, tmp_path_factory):
    path = tmp_path_factory.mktemp("word") / "model"
    given = {"size": "kata", "n_embd": 16, "n_layer": 1, "n_head": 2, "steps": 20, "threads": 1}
    pretrain.pretrain([text], path, {**given, "tokenizer": "word"}, say=lambda line: None)
    return minilm.load(path)


def test_logits_are_those_of_the_gpt(model, trained):
    saved = folder.load(trained)
    gpt = GPT(saved.config, parameters=saved.parameters)
    ids = model.tokenizer.encode("The cat sat")
    np.testing.assert_array_equal(model.logits(ids), gpt.logits(np.array([ids]))[0])
    assert model.logits([ids, ids]).shape == (2, len(ids), model.config.vocab_size)
    assert minilm.load(trained, dtype=np.float64).logits(ids).dtype == np.float64


def test_generate_continues_a_text(model):
    ids = model.tokenizer.encode("The cat")
    tokens = generate.generate(model.gpt, ids, 8, generate.Sampling(0), stop=0)
    text = model.generate("The cat", max_new_tokens=8, temperature=0)
    assert text == model.tokenizer.decode([token.id for token in tokens])
    assert model.generate(ids, max_new_tokens=8, temperature=0) == text
    seeded = [
        model.generate("", rng=np.random.default_rng(seed), top_k=20, slide=True)
        for seed in (1, 1, 2)
    ]
    assert seeded[0] == seeded[1] != seeded[2]
    with pytest.raises(OptionError, match="0 new tokens"):
        model.generate("a", max_new_tokens=0, temperature=0)


def test_a_padded_vocabulary_yields_no_id_without_a_token():
    """Models from elsewhere round V up; here the padding is what the model likes best."""
    tokenizer = BytePairTokenizer.train([], 257, [folder.END_OF_TEXT])
    config = GPTConfig(320, 16, 4, 1, 1)
    parameters = GPT(config, rng=np.random.default_rng(0)).parameters
    parameters["wte.weight"][257:] = parameters["wte.weight"][:63] * 100
    model = LanguageModel(folder.SavedModel(config, parameters, tokenizer, 0, ()))
    assert model.logits(model.encode("a"))[-1].argmax() >= 257
    for temperature in (0.0, 5.0):
        chosen = model.tokens(
            model.encode("a"),
            max_new_tokens=100,
            sampling=generate.Sampling(temperature, top_k=300),
            slide=True,
            rng=np.random.default_rng(1),
        )
        tokens = list(chosen)
        assert all(token.id < 257 == len(token.probabilities) for token in tokens)
        assert tokens


def test_a_character_comes_whole_when_its_bytes_are_split():
    tokenizer = BytePairTokenizer.train([], 257, [folder.END_OF_TEXT])
    config = GPTConfig(257, 8, 4, 1, 1)
    gpt = GPT(config, rng=np.random.default_rng(0))
    model = LanguageModel(folder.SavedModel(config, gpt.parameters, tokenizer, 0, ()))
    ids = tokenizer.encode("é🙂")
    assert list(model.pieces([0], iter(ids))) == ["", "é", "", "", "", "🙂", ""]
    assert "".join(model.pieces([0], ids[:-1])) == tokenizer.decode(ids[:-1]) == "é\ufffd"


def test_words_are_joined_by_blanks(word_model):
    cat, sat = word_model.tokenizer.encode("cat sat")
    assert "".join(word_model.pieces([cat], [sat, cat])) == " sat cat"
    assert "".join(word_model.pieces(word_model.encode(""), [sat, cat])) == "sat cat"
    assert word_model.generate("the cat", max_new_tokens=3, temperature=0).startswith(" ")


def test_evaluate_is_the_mean_over_every_token(model):
    texts = ["The cat sat on the mat.\n", "A dog ran to the hill é.\n"]
    ids = [0]
    for text in texts:
        ids += [*model.tokenizer.encode(text), 0]
    losses = []
    for start in range(0, len(ids) - 1, 16):
        window = ids[start : start + 17]
        logits = model.logits(window[:-1]).astype(np.float64)
        logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        losses += [-logs[i, target] for i, target in enumerate(window[1:])]
    score = model.evaluate(iter(texts))
    assert score.tokens == len(ids) - 1
    assert score.bytes == len("".join(texts).encode())
    assert score.loss == pytest.approx(np.mean(losses), rel=1e-6)
    assert score.perplexity == pytest.approx(math.exp(np.mean(losses)), rel=1e-6)
    assert score.bits_per_byte == pytest.approx(sum(losses) / math.log(2) / score.bytes, rel=1e-6)
    assert model.evaluate(texts, threads=2) == score
    with pytest.raises(OptionError, match="no token to predict"):
        model.evaluate([])


def test_bits_per_byte_only_where_nothing_is_lost(word_model):
    score = word_model.evaluate(["The cat, 7 sat!\n"])
    assert (score.tokens, score.bytes, score.bits_per_byte) == (4, None, None)
    assert str(score) == f"perplexity {score.perplexity:,.2f}"


def test_save_gives_the_same_model(model, tmp_path):
    model.save(tmp_path / "copy")
    again = minilm.load(tmp_path / "copy")
    np.testing.assert_array_equal(again.gpt.parameters.flat, model.gpt.parameters.flat)
    assert again.lineage == model.lineage
    assert again.tokenizer.vocab == model.tokenizer.vocab
    assert not (tmp_path / "copy" / "training").exists()


def test_a_folder_without_a_tokenizer_takes_ids(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "m")
    for name in ("minilm.json", "tokenizer.json", "vocab.json", "merges.txt"):
        (tmp_path / "m" / name).unlink()
    model = minilm.load(tmp_path / "m")
    assert model.logits([1, 2]).shape == (2, model.config.vocab_size)
    made = model.tokens([1], max_new_tokens=3, sampling=generate.Sampling(0))
    assert len(list(made)) <= 3
    with pytest.raises(OptionError, match="has no tokenizer"):
        model.generate("a", temperature=0)


def test_no_model(tmp_path):
    with pytest.raises(ModelError, match="no such folder"):
        minilm.load(tmp_path / "none")


@pytest.mark.parametrize("texts", ["The cat sat.", "corpus.txt", None, {"text": "The cat"}, [b"a"]])
def test_what_is_no_list_of_texts_is_not_scored(model, texts):
    with pytest.raises(OptionError, match=r"texts is|texts.0. is of type bytes"):
        model.evaluate(texts)


@pytest.mark.parametrize("prompt", [None, 3, b"ab", [1.5], ["a"], [True], [[1]], [[1], [1, 2]]])
def test_a_prompt_is_a_text_or_ids(model, prompt):
    with pytest.raises(OptionError, match=r"the prompt is .*; give a text, or a list of its ids"):
        model.generate(prompt, temperature=0)
    assert model.encode(np.array([1, 2])) == model.encode(range(1, 3)) == [1, 2]


@pytest.mark.parametrize(
    "given",
    [
        {"max_new_tokens": 2.5},
        {"max_new_tokens": "3"},
        {"temperature": None},
        {"temperature": "hot"},
        {"top_k": 2.5},
        {"top_k": "5"},
        {"top_p": "a"},
        {"rng": 3},
    ],
)
def test_values_of_another_type_are_refused(model, given):
    with pytest.raises(OptionError, match=r"must be|needs rng"):
        model.generate("a", **{"rng": np.random.default_rng(0), **given})
