"""Llama folders: transformers reads ours, we read theirs, and logits and gradients agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilm
from minilm.errors import ModelError
from minilm.nn import lora
from minilm.nn.llama_config import LlamaConfig
from minilm.store import adapters, folder, safetensors

IDS = np.random.default_rng(3).integers(0, 97, (2, 13))

LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 16,
}  # fmt: skip
SHAPES: dict[str, dict[str, Any]] = {
    "untied": {"hidden_size": 32, "intermediate_size": 44, "num_attention_heads": 4},
    "grouped, tied": {
        "hidden_size": 24, "intermediate_size": 40, "num_attention_heads": 6,
        "num_key_value_heads": 2, "tie_word_embeddings": True,
        "rope_parameters": {"rope_type": "default", "rope_theta": 100000.0},
    },
    "wide heads, llama3": {
        "hidden_size": 20, "intermediate_size": 24, "num_attention_heads": 2,
        "num_key_value_heads": 1, "head_dim": 16, "rope_parameters": LLAMA3, "eos_token_id": [2, 7],
    },
}  # fmt: skip
every_shape = pytest.mark.parametrize("shape", SHAPES)
pytestmark = pytest.mark.peers


@pytest.fixture
def theirs(peer: Any) -> Any:
    """Return a function that makes transformers' model of a shape, with random weights."""
    torch, transformers = peer("torch"), peer("transformers")

    def make(shape: str, kind: str = "LlamaForCausalLM", **changes: Any) -> Any:
        torch.manual_seed(0)
        settings = {"vocab_size": 97, "num_hidden_layers": 3, "max_position_embeddings": 64}
        config = transformers.LlamaConfig(**(settings | SHAPES[shape] | changes))
        model = getattr(transformers, kind)(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0.0, 0.15)
        return model

    return make


def close(ours: Any, other: Any, tolerance: float = 1e-4) -> None:
    other = other.detach().numpy()
    assert np.abs(ours - other).max() <= tolerance * np.abs(other).max()


@every_shape
def test_logits_and_gradients_are_those_of_transformers(
    theirs: Any, peer: Any, shape: str, tmp_path: Path
) -> None:
    torch, model = peer("torch"), theirs(shape)
    model.save_pretrained(tmp_path)
    ours = minilm.load(tmp_path)
    tensor = torch.from_numpy(IDS)
    output = model(tensor, labels=tensor)
    close(ours.logits(IDS), output.logits)
    output.loss.backward()
    targets = np.concatenate([IDS[:, 1:], np.full((2, 1), -100)], axis=1)
    loss, gradient = ours.gpt.loss_and_grad(IDS, targets)
    assert loss == pytest.approx(float(output.loss.detach()), rel=1e-5)
    for name, parameter in model.named_parameters():
        close(gradient[name], parameter.grad, 1e-3)


@every_shape
def test_what_is_saved_opens_in_transformers(
    theirs: Any, peer: Any, shape: str, tmp_path: Path
) -> None:
    torch, transformers = peer("torch"), peer("transformers")
    model = theirs(shape)
    model.save_pretrained(tmp_path / "a")
    minilm.load(tmp_path / "a").save(tmp_path / "b")
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "b")
    tensor = torch.from_numpy(IDS)
    with torch.no_grad():
        close(model(tensor).logits.numpy(), again(tensor).logits, 1e-6)
    assert again.config.eos_token_id == model.config.eos_token_id
    assert again.config.rope_parameters == model.config.rope_parameters


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_every_dtype_in_shards(theirs: Any, peer: Any, dtype: str, tmp_path: Path) -> None:
    torch, model = peer("torch"), theirs("untied")
    model = model.to(getattr(torch, dtype))
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    assert (tmp_path / "model.safetensors.index.json").exists()
    ours = minilm.load(tmp_path)
    with torch.no_grad():
        expected = model.float()(torch.from_numpy(IDS)).logits
    close(ours.logits(IDS), expected)


def test_a_classifier_both_ways(theirs: Any, peer: Any, tmp_path: Path) -> None:
    torch, transformers = peer("torch"), peer("transformers")
    model = theirs("grouped, tied", "LlamaForSequenceClassification", num_labels=3, pad_token_id=0)
    model.save_pretrained(tmp_path)
    from minilm.nn.heads import SequenceClassifier
    from minilm.store import classification

    saved, head = classification.load(tmp_path)
    ours = SequenceClassifier(saved.config, parameters=saved.parameters)
    expected = model(torch.from_numpy(IDS)).logits
    close(ours.logits(IDS, np.array([13, 13])), expected)
    contents = classification.model_files(saved.config, saved.parameters, None, head, end_of_text=0)
    folder.save(tmp_path / "b", contents)
    again = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "b")
    close(again(torch.from_numpy(IDS)).logits.detach().numpy(), expected, 1e-6)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
def test_an_adapter_is_pefts(theirs: Any, peer: Any, tmp_path: Path) -> None:
    torch, peft = peer("torch"), peer("peft")
    model = theirs("wide heads, llama3")
    model.save_pretrained(tmp_path / "base")
    ours = minilm.load(tmp_path / "base")
    rng = np.random.default_rng(5)
    targets = ("self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj")
    adapter = lora.new_adapter(ours.config, rank=2, rng=rng, targets=targets)
    for value in adapter.weights.values():
        value[...] = rng.normal(0, 0.3, value.shape)
    ours.gpt.use(adapter)
    sha256 = adapters.fingerprint(ours.config, ours.gpt.parameters)
    saved = adapters.SavedAdapter(adapter, str(tmp_path / "base"), sha256)
    adapters.save(tmp_path / "ours", saved)
    adapted = peft.PeftModel.from_pretrained(model, tmp_path / "ours")
    expected = adapted(torch.from_numpy(IDS)).logits
    close(ours.logits(IDS), expected)
    adapted.save_pretrained(tmp_path / "theirs")
    found = adapters.load(tmp_path / "theirs")
    assert found.adapter.targets == targets
    adapters.check_base(found, tmp_path, ours.config, sha256)
    ours.gpt.use(found.adapter)
    close(ours.logits(IDS), expected)


def test_an_untied_head_is_not_thrown_away(theirs: Any, tmp_path: Path) -> None:
    theirs("untied").save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, "tie_word_embeddings": True}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"lm_head\.weight differs from model\.embed_tokens"):
        minilm.load(tmp_path)


def test_a_body_alone_needs_its_head_only_where_it_is_untied(theirs: Any, tmp_path: Path) -> None:
    theirs("grouped, tied", "LlamaModel").save_pretrained(tmp_path / "tied")
    assert minilm.load(tmp_path / "tied").logits(IDS).shape == (2, 13, 97)
    theirs("untied", "LlamaModel").save_pretrained(tmp_path / "untied")
    with pytest.raises(ModelError, match=r"'lm_head\.weight' missing"):
        minilm.load(tmp_path / "untied")


def test_old_files_carry_frequencies(tmp_path: Path) -> None:
    config = LlamaConfig(9, 4, 4, 1, 1, 1, 4, tie_word_embeddings=True)
    from minilm.nn.llama import Llama

    model = Llama(config, rng=np.random.default_rng(0))
    tensors = dict(model.parameters)
    tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = np.ones(2, np.float32)
    safetensors.save(tensors, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()), encoding="utf-8")
    assert minilm.load(tmp_path).config == config
