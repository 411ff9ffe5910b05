"""`minilm inspect` and `minilm export`, as a person runs them."""

import json
import shutil

import numpy as np
import pytest

from minilm.cli.main import main
from minilm.models import text_classifier
from minilm.nn.gpt import GPT, GPTConfig
from minilm.store import folder
from minilm.text.bpe import BytePairTokenizer


@pytest.fixture
def path(tmp_path):
    model = GPT(GPTConfig(300, 16, 12, 3, 3), rng=np.random.default_rng(0))
    tokenizer = BytePairTokenizer.train(["low lower lowest"], 260, ["<|endoftext|>"])
    contents = folder.model_files(model.config, model.parameters, tokenizer)
    contents["training/state.json"] = b"{}"
    data = (folder.Source("novel ü.txt", 12345, "ab" * 32),)
    stage = folder.Stage("pretrain", data, 2000, 512000, {"learning_rate": 0.001, "seed": 0})
    folder.save(tmp_path / "model", contents, [stage])
    return tmp_path / "model"


def test_inspect_prints_what_is_there(path, capsys):
    assert main(["inspect", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"{path}: made by minilm; all checksums match",
        "GPT-2 of 3 layers, 3 heads, width 12, context 16, vocabulary 300",
        "9,468 parameters, 37,872 bytes of F32",
        "  wte.weight              300 x 12",
        "  wpe.weight              16 x 12",
        "  h.*.ln_1.weight         12 x 3 layers",
        "  h.*.ln_1.bias           12 x 3 layers",
        "  h.*.attn.c_attn.weight  12 x 36 x 3 layers",
        "  h.*.attn.c_attn.bias    36 x 3 layers",
        "  h.*.attn.c_proj.weight  12 x 12 x 3 layers",
        "  h.*.attn.c_proj.bias    12 x 3 layers",
        "  h.*.ln_2.weight         12 x 3 layers",
        "  h.*.ln_2.bias           12 x 3 layers",
        "  h.*.mlp.c_fc.weight     12 x 48 x 3 layers",
        "  h.*.mlp.c_fc.bias       48 x 3 layers",
        "  h.*.mlp.c_proj.weight   48 x 12 x 3 layers",
        "  h.*.mlp.c_proj.bias     12 x 3 layers",
        "  ln_f.weight             12",
        "  ln_f.bias               12",
        "tokenizer: byte-level BPE, 260 entries, 3 merges; special tokens: <|endoftext|>",
        "training state: training/state.json",
        "documents seen: not recorded",
        "lineage:",
        "  1. pretrain: 2,000 steps, 512,000 tokens",
        "     novel ü.txt (12,345 bytes, sha256 abababababab...)",
        "     learning_rate: 0.001",
        "     seed: 0",
    ]


def test_inspect_json(path, capsys):
    assert main(["inspect", str(path), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["parameters"] == 9468
    assert content["lineage"][0]["data"][0]["bytes"] == 12345


def test_inspect_a_foreign_folder(path, capsys):
    (path / "minilm.json").unlink()
    for name in ("tokenizer.json", "vocab.json", "merges.txt"):
        (path / name).unlink()
    assert main(["inspect", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("made by another program; no checksums; its files fit together")
    assert lines[-1] == "tokenizer: none"


def test_damage_is_one_line_and_code_2(path, capsys):
    weights = path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x07")
    for command in ("inspect", "export"):
        assert main([command, str(path)]) == 2
        output = capsys.readouterr()
        assert output.out == ""
        assert output.err.startswith(f"minilm {command}: error: {weights}: its checksum differs")
        assert output.err.count("\n") == 1


@pytest.mark.peers
def test_export_writes_the_graph_and_the_tokenizer(peer, path, tmp_path, capsys, monkeypatch):
    runtime = peer("onnxruntime")
    peer("onnx")
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(path)]) == 0
    assert capsys.readouterr().out.startswith("onnx_model")
    found = {p.name for p in (tmp_path / "onnx_model").iterdir()}
    assert {"model.onnx", "tokenizer.json", "vocab.json", "merges.txt", "config.json"} <= found
    assert main(["export", str(path), "--onnx-output", "other"]) == 0
    running = runtime.InferenceSession("other/model.onnx", providers=["CPUExecutionProvider"])
    ids = np.array([[1, 2, 3]])
    (logits,) = running.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
    loaded = folder.load(path)
    expected = GPT(loaded.config, parameters=loaded.parameters).logits(ids)
    np.testing.assert_allclose(logits, expected, atol=1e-4, rtol=0)
    assert main(["export", str(path), "--onnx-output", str(path)]) == 2
    assert "holds a model" in capsys.readouterr().err


@pytest.mark.peers
def test_export_of_a_classifier_writes_its_head(peer, judges, tmp_path, capsys):
    runtime = peer("onnxruntime")
    peer("onnx")
    path, out = judges / "classifier", tmp_path / "out"
    assert main(["export", str(path), "--onnx-output", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "output: logits (batch_size, 2), of 'bad', 'good'" in printed
    running = runtime.InferenceSession(out / "model.onnx", providers=["CPUExecutionProvider"])
    classifier = text_classifier.load(path)
    texts = ["the cat sat on a mat", "a dull film"]
    encoded = classifier.encode(texts)
    ids = np.zeros((2, 6), np.int64)
    mask = np.zeros_like(ids)
    for row, found in enumerate(encoded.ids):
        ids[row, : len(found)], mask[row, : len(found)] = found, 1
    (logits,) = running.run(None, {"input_ids": ids, "attention_mask": mask})
    np.testing.assert_allclose(logits, classifier.logits(encoded), atol=1e-4, rtol=1e-4)


def test_export_of_a_head_for_something_else_is_refused(judges, tmp_path, capsys):
    path = tmp_path / "regression"
    shutil.copytree(judges / "classifier", path)
    (path / "minilm.json").unlink()
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    config["problem_type"] = "regression"
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert main(["export", str(path), "--onnx-output", str(tmp_path / "out")]) == 2
    assert "its head is for 'regression' with 2 outputs" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main(["inspect", str(path)]) == 0
    assert "a head for regression, pooling mean" in capsys.readouterr().out
