"""The ONNX graph: onnxruntime's answers are ours, for any batch and length, padded or not."""

import builtins
import json
from dataclasses import replace

import numpy as np
import pytest

from minilm.errors import MissingExtraError, OutputError
from minilm.nn.heads import SequenceClassifier, with_score
from minilm.store import folder
from minilm.store import onnx as export_onnx
from minilm.store.classification import Head


@pytest.fixture
def saved(kept):
    return folder.load(kept / "ours")


def session(peer, path):
    runtime = peer("onnxruntime")
    return runtime.InferenceSession(path / "model.onnx", providers=["CPUExecutionProvider"])


@pytest.mark.peers
@pytest.mark.parametrize("outside", [False, True])
def test_logits_are_ours_for_any_batch_and_length(
    peer, saved, model, tmp_path, monkeypatch, outside
):
    onnx = peer("onnx")
    if outside:  # as for weights of more than 2 GiB
        monkeypatch.setattr(export_onnx, "_LARGEST_FILE", 1000)
    export_onnx.export(saved, tmp_path)
    assert (tmp_path / "model.onnx_data").exists() == outside
    onnx.checker.check_model(str(tmp_path / "model.onnx"), full_check=True)
    running = session(peer, tmp_path)
    axes = ["batch_size", "sequence_length"]
    assert [(i.name, i.type, i.shape) for i in running.get_inputs()] == [
        ("input_ids", "tensor(int64)", axes),
        ("attention_mask", "tensor(int64)", axes),
    ]
    (output,) = running.get_outputs()
    assert (output.name, output.shape) == ("logits", [*axes, 300])
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (1, 16), (5, 7)):
        ids = rng.integers(0, 300, shape)
        (logits,) = running.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        np.testing.assert_allclose(logits, model.logits(ids), atol=1e-4, rtol=0)


@pytest.mark.peers
def test_padding_on_either_side_changes_nothing(peer, saved, model, tmp_path):
    peer("onnx")
    export_onnx.export(saved, tmp_path)
    running = session(peer, tmp_path)
    ids = np.random.default_rng(1).integers(0, 300, (2, 9))
    mask = np.ones_like(ids)
    mask[0, :4] = 0
    mask[1, 6:] = 0
    (logits,) = running.run(None, {"input_ids": ids, "attention_mask": mask})
    assert np.isfinite(logits).all()
    np.testing.assert_allclose(logits[0, 4:], model.logits(ids[:1, 4:])[0], atol=1e-4, rtol=0)
    np.testing.assert_allclose(logits[1, :6], model.logits(ids[1:, :6])[0], atol=1e-4, rtol=0)


@pytest.mark.peers
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_a_classifier_is_exported_with_its_head(peer, saved, model, tmp_path, pooling):
    onnx, transformers = peer("onnx"), peer("transformers")
    rng = np.random.default_rng(2)
    parameters = with_score(model.parameters, model.config, 3, rng=rng)
    parameters["score.weight"][...] *= 30
    head = Head(("bad", "good", "so so"), pooling)
    export_onnx.export(replace(saved, parameters=parameters), tmp_path, head)
    onnx.checker.check_model(str(tmp_path / "model.onnx"), full_check=True)
    running = session(peer, tmp_path)
    (output,) = running.get_outputs()
    assert (output.name, output.shape) == ("logits", ["batch_size", 3])

    ids = rng.integers(0, 300, (4, 9))
    right, left = np.ones((2, 4, 9), np.int64)
    right[0, 5:] = right[1, 1:] = left[0, :6] = left[2, :8] = 0
    ours = SequenceClassifier(model.config, parameters=parameters, pooling=pooling)
    for mask in (right, left):
        (logits,) = running.run(None, {"input_ids": ids, "attention_mask": mask})
        alone = [ours.logits(i[m == 1][None], [m.sum()])[0] for i, m in zip(ids, mask, strict=True)]
        np.testing.assert_allclose(logits, alone, atol=1e-4, rtol=1e-4)
        assert np.ptp(logits, axis=0).max() > 0.1
    nothing = np.zeros_like(ids)  # a batch of padding alone is no text; it must not be NaN
    assert np.isfinite(running.run(None, {"input_ids": ids, "attention_mask": nothing})[0]).all()

    config = transformers.AutoConfig.from_pretrained(tmp_path)
    assert config.model_type == "gpt2"
    assert config.id2label == {0: "bad", 1: "good", 2: "so so"}


@pytest.mark.peers
def test_a_tokenizers_answer_can_be_fed_as_it_is(peer, saved, model, tmp_path):
    peer("onnx")
    transformers = peer("transformers")
    export_onnx.export(saved, tmp_path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    fed = dict(tokenizer("Went to the sea", return_tensors="np"))
    fed = {name: value.astype(np.int64) for name, value in fed.items()}
    (logits,) = session(peer, tmp_path).run(None, fed)
    ids = np.array([saved.tokenizer.encode("Went to the sea")])
    np.testing.assert_allclose(logits, model.logits(ids), atol=1e-4, rtol=0)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert config["model_type"] == "gpt2"


@pytest.mark.peers
def test_an_export_replaces_the_last_one(peer, saved, words, tmp_path, monkeypatch):
    peer("onnx")
    with monkeypatch.context() as patch:
        patch.setattr(export_onnx, "_LARGEST_FILE", 1000)
        export_onnx.export(saved, tmp_path)
    first = (tmp_path / "model.onnx").read_bytes()
    other = folder.SavedModel(saved.config, saved.parameters, words, 0, ())
    export_onnx.export(other, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        ".lock", "config.json", "model.onnx", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    second = (tmp_path / "model.onnx").read_bytes()
    assert first != second
    export_onnx.export(other, tmp_path)
    assert (tmp_path / "model.onnx").read_bytes() == second


def test_without_the_package_the_extra_is_named(saved, tmp_path, monkeypatch):
    original = builtins.__import__

    def no_onnx(name, *arguments, **options):
        if name == "onnx":
            raise ImportError(name)
        return original(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", no_onnx)
    with pytest.raises(MissingExtraError, match=r"pip install 'minilm\[onnx\]'"):
        export_onnx.export(saved, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["ours", "single", "sharded"])
def test_a_models_folder_is_not_written_over(saved, copy, name):
    path = copy(name)
    before = sorted(p.name for p in path.rglob("*"))
    with pytest.raises(OutputError, match="holds a model"):
        export_onnx.export(saved, path)
    assert sorted(p.name for p in path.rglob("*")) == before
