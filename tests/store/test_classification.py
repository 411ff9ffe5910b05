"""Classifier folders: written and read, read as a language model, foreign ones, damage, peers."""

import json

import numpy as np
import pytest

from minilm.errors import ModelError, TrainingError
from minilm.models import language_model
from minilm.nn.gpt import GPT
from minilm.nn.heads import SequenceClassifier, with_score
from minilm.store import classification, describe, folder, safetensors
from minilm.store.classification import Head

HEAD = Head(("bad", "good", "so so"), "mean")
LAST = Head(HEAD.labels, "last")
IDS = np.array([[5, 17, 200, 9], [3, 3, 8, 0]])


@pytest.fixture
def parameters(model):
    store = with_score(model.parameters, model.config, 3, rng=np.random.default_rng(1))
    store["score.weight"][...] *= 30
    return store


@pytest.fixture
def write(tmp_path, model, parameters, bpe, lineage):
    """Return what saves the classifier with a head and returns its folder."""

    def save(head):
        contents = classification.model_files(model.config, parameters, bpe, head, end_of_text=0)
        folder.save(tmp_path / head.pooling, contents, lineage)
        return tmp_path / head.pooling

    return save


@pytest.fixture
def saved(write):
    return write(HEAD)


@pytest.fixture
def last(write):
    return write(LAST)


def test_what_is_saved_is_what_is_loaded(saved, model, parameters, lineage):
    found, head = classification.load(saved)
    assert head == HEAD
    assert found.config == model.config
    assert found.lineage == lineage
    for name in parameters:
        np.testing.assert_array_equal(found.parameters[name], parameters[name])
    config = json.loads((saved / "config.json").read_text(encoding="utf-8"))
    assert config["id2label"] == {"0": "bad", "1": "good", "2": "so so"}
    assert config["label2id"] == {"bad": 0, "good": 1, "so so": 2}
    assert config["pad_token_id"] == 0
    assert classification.is_classifier(saved)


def test_it_is_a_language_model_too(saved, model):
    loaded = language_model.load(saved)
    np.testing.assert_array_equal(loaded.logits(IDS), model.logits(IDS))
    assert "score.weight" not in loaded.gpt.parameters
    found = describe.describe(saved)
    assert found["parameters"] == model.parameters.count() + 36
    assert found["tensors"][-1]["name"] == "score.weight"
    assert (found["labels"], found["pooling"]) == (list(HEAD.labels), HEAD.pooling)


def test_a_language_model_has_no_head(kept):
    with pytest.raises(ModelError, match=r"without a classifier's head \(score\.weight\)"):
        classification.load(kept / "ours")
    assert not classification.is_classifier(kept / "ours")


@pytest.mark.parametrize("head", [HEAD, LAST])
def test_what_is_not_written_is_filled_in(write, head):
    path = write(head)
    (path / "minilm.json").unlink()
    change(path, lambda config: [config.pop(key) for key in ("id2label", "minilm_pooling")])
    expected = Head(("LABEL_0", "LABEL_1", "LABEL_2"), head.pooling)
    assert classification.load(path)[1] == expected


@pytest.mark.parametrize(
    ("head", "model_type", "architecture"),
    [
        (HEAD, "minilm_mean_pool", "MinilmMeanPoolClassifier"),
        (LAST, "gpt2", "GPT2ForSequenceClassification"),
    ],
)
def test_a_mean_is_not_written_as_a_last_position(write, head, model_type, architecture):
    config = json.loads((write(head) / "config.json").read_text(encoding="utf-8"))
    assert config["model_type"] == model_type
    assert config["architectures"] == [architecture]
    assert config["minilm_pooling"] == head.pooling


@pytest.mark.parametrize(
    ("values", "outputs", "says"),
    [
        ({"problem_type": "multi_label_classification"}, 3, "'multi_label_classification' with 3"),
        ({"problem_type": "regression"}, 3, "'regression' with 3 outputs"),
        ({"problem_type": ["x"]}, 3, "with 3 outputs; minilm reads heads for single_label_class"),
        ({"problem_type": None}, 1, "'regression' with 1 output; minilm reads"),
        ({"problem_type": "single_label_classification"}, 1, "with 1 output; minilm reads"),
        ({}, 0, "with 0 outputs; minilm reads"),
    ],
)
def test_heads_for_something_else_are_refused_by_name(last, values, outputs, says):
    (last / "minilm.json").unlink()
    names = {str(i): f"LABEL_{i}" for i in range(outputs)}
    change(last, lambda config: config.update({"id2label": names, **values}))
    tensors = safetensors.load(last / "model.safetensors")
    tensors["score.weight"] = tensors["score.weight"][:outputs]
    safetensors.save(tensors, last / "model.safetensors")
    with pytest.raises(ModelError, match=says) as caught:
        classification.load(last)
    assert "\n" not in str(caught.value)
    assert str(last / "config.json") in str(caught.value)
    assert classification.is_classifier(last)
    assert describe.describe(last)["problem_type"] in str(caught.value)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"id2label": {"0": "bad", "1": "good"}}, "does not name the 3 labels"),
        ({"id2label": ["bad", "good", "so so"]}, "does not name the 3 labels"),
        ({"id2label": {"0": "bad", "1": "good", "2": "bad"}}, "a different text for each"),
        ({"id2label": {"0": "bad", "1": "good", "2": 2}}, "a different text for each"),
        ({"minilm_pooling": "max"}, "minilm_pooling is 'max'; expected last or mean"),
        ({"minilm_pooling": "last"}, "'last', but model_type minilm_mean_pool"),
    ],
)
def test_a_head_that_makes_no_sense(saved, values, says):
    (saved / "minilm.json").unlink()
    change(saved, lambda config: config.update(values))
    with pytest.raises(ModelError, match=says):
        classification.load(saved)


def test_a_head_of_another_width(saved):
    (saved / "minilm.json").unlink()
    tensors = safetensors.load(saved / "model.safetensors")
    tensors["score.weight"] = np.zeros((3, 11), np.float32)
    with open(saved / "model.safetensors", "wb") as file:
        safetensors.dump(tensors, file)
    with pytest.raises(ModelError, match=r"score\.weight has the shape \(3, 11\)"):
        language_model.load(saved)


def test_a_head_that_is_not_finite_is_not_saved(model, parameters, bpe):
    parameters["score.weight"][1, 2] = np.nan
    with pytest.raises(TrainingError, match=r"score\.weight\[1, 2\] is nan"):
        classification.model_files(model.config, parameters, bpe, HEAD, end_of_text=0)


def change(path, how):
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    how(config)
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_transformers_refuses_a_mean(peer, saved, bpe):
    transformers = peer("transformers")
    for kind in ("AutoModelForSequenceClassification", "AutoModelForCausalLM", "AutoModel"):
        with pytest.raises(ValueError, match="minilm_mean_pool"):
            getattr(transformers, kind).from_pretrained(saved)
    tokenizer = transformers.AutoTokenizer.from_pretrained(saved)  # which is like any other
    text = "Lower and lower went the sea!"
    assert tokenizer(text)["input_ids"] == bpe.encode(text)


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_transformers_gives_the_same_logits(peer, last, model, parameters, bpe):
    saved = last
    torch, transformers = peer("torch"), peer("transformers")
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(saved).eval()
    assert type(theirs).__name__ == "GPT2ForSequenceClassification"
    assert theirs.config.id2label == dict(enumerate(HEAD.labels))
    tokenizer = transformers.AutoTokenizer.from_pretrained(saved)
    texts = ["Lower and lower went the sea!", "The sea"]
    batch = tokenizer(texts, padding=True, padding_side="right", return_tensors="pt")
    with torch.no_grad():
        expected = theirs(**batch).logits.numpy()
    ours = SequenceClassifier(model.config, parameters=parameters, pooling="last")
    ids = [bpe.encode(text) for text in texts]
    for row, text in zip(expected, ids, strict=True):
        logits = ours.logits(np.array([text]), np.array([len(text)]))[0]
        np.testing.assert_allclose(logits, row, atol=1e-4, rtol=1e-4)


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_folder_of_transformers_is_read(peer, tmp_path):
    torch, transformers = peer("torch"), peer("transformers")
    config = transformers.GPT2Config(
        vocab_size=60, n_positions=12, n_embd=12, n_layer=2, n_head=3, num_labels=2, pad_token_id=0
    )
    torch.manual_seed(0)
    theirs = transformers.GPT2ForSequenceClassification(config).eval()
    theirs.save_pretrained(tmp_path)
    for problem in ("multi_label_classification", "regression"):
        other = transformers.GPT2ForSequenceClassification(config)
        other.config.problem_type = problem
        other.save_pretrained(tmp_path / problem)
        other.config.problem_type = None
        with pytest.raises(ModelError, match=problem):
            classification.load(tmp_path / problem)
    saved, head = classification.load(tmp_path)
    assert head == Head(("LABEL_0", "LABEL_1"), "last")
    ours = SequenceClassifier(saved.config, parameters=saved.parameters, pooling="last")
    ids = np.array([[5, 17, 20, 9], [3, 3, 8, 0]])
    with torch.no_grad():
        expected = theirs(torch.from_numpy(ids)).logits.numpy()
    np.testing.assert_allclose(ours.logits(ids, np.array([4, 3])), expected, atol=1e-5)
    assert GPT(saved.config, parameters=folder.load(tmp_path).parameters).logits(ids).shape == (
        2,
        4,
        60,
    )
