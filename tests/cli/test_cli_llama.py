"""Every command on a Llama: pretrain, update, fine-tune by each method, adapters, inspect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import minilm
from minilm.cli.main import main
from minilm.nn.llama import Llama
from minilm.store import folder

SETTINGS = """
size = "kata"
architecture = "llama"
n_embd = 16
n_layer = 2
n_head = 2
n_positions = 16
vocab_size = 280
batch = 4
steps = 20
threads = 1
"""
LABELLED = "text,label\n" + "".join(
    f"the {word} sat {n} times,{label}\n"
    for n in range(12)
    for word, label in (("cat", "animal"), ("mat", "thing"))
)


@pytest.fixture(scope="module")
def llama(text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small pretrained Llama; not to be changed."""
    root = tmp_path_factory.mktemp("llama")
    (root / "s.toml").write_text(SETTINGS, encoding="utf-8")
    arguments = ["pretrain", "--data-file", str(text), "--config", str(root / "s.toml")]
    assert main([*arguments, "--output-dir", str(root / "m")]) == 0
    return root / "m"


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(LABELLED, encoding="utf-8")
    return path


def test_pretraining_makes_a_llama_that_says_so(
    llama: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = minilm.load(llama)
    assert isinstance(model.gpt, Llama)
    assert model.config.inner == 48
    assert main(["inspect", str(llama)]) == 0
    out = capsys.readouterr().out
    assert "Llama of 2 layers, 2 heads, width 16, context 16" in out
    assert "model.layers.*.self_attn.q_proj.weight" in out
    assert main(["generate", str(llama), "The cat", "--stream", "--max-new-tokens", "5"]) == 0
    assert capsys.readouterr().out.startswith("The cat")


@pytest.mark.parametrize("method", ["full", "probe", "lora", "last-n", "gradual"])
def test_every_method_of_fine_tuning(
    llama: Path, labelled: Path, tmp_path: Path, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "c"
    arguments: list[Any] = ["finetune", llama, "--task", labelled, "--method", method]
    arguments += ["--epochs", "1", "--threads", "1", "--output-dir", out]
    assert main([str(a) for a in arguments]) == 0, capsys.readouterr().err
    assert main(["predict", str(out), "the cat sat"]) == 0
    if method == "lora":
        config = json.loads((out / "adapter_config.json").read_text(encoding="utf-8"))
        assert len(config["target_modules"]) == 7
        assert config["fan_in_fan_out"] is False
        assert main(["adapter", "list", str(out)]) == 0
        merged = tmp_path / "merged"
        assert main(["adapter", "merge", str(out), "--output-dir", str(merged)]) == 0
        settings = json.loads((merged / "config.json").read_text(encoding="utf-8"))
        assert settings["model_type"] == "minilm_mean_pool_llama"


@pytest.mark.parametrize("extra", [[], ["--method", "lora"]], ids=["full", "lora"])
def test_an_update_learns_new_text(
    llama: Path, tmp_path: Path, extra: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new.txt"
    new.write_text("A bird flew over the sea and sang.\n" * 60, encoding="utf-8")
    before = minilm.load(llama).evaluate([new.read_text(encoding="utf-8")]).loss
    out = tmp_path / "u"
    arguments: list[Any] = ["update", llama, "--data-file", new, "--output-dir", out, "--steps", 30]
    assert main([*map(str, arguments), *extra]) == 0, capsys.readouterr().err
    after = minilm.load(out)
    assert after.evaluate([new.read_text(encoding="utf-8")]).loss < before
    assert isinstance(after.gpt, Llama)


def test_an_interrupted_run_goes_on(llama: Path) -> None:
    saved = folder.load(llama)
    assert saved.lineage[0].settings["architecture"] == "llama"
    assert saved.config.to_dict()["tie_word_embeddings"] is True


def test_the_graph_is_refused_by_name(
    llama: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(llama), "--onnx-output", str(tmp_path / "o")]) == 2
    assert "a Llama; minilm writes the graph of a GPT-2 only" in capsys.readouterr().err
