"""Adapters' folders: whole, tied to their base, damaged ones refused; peft's and ours alike."""

import dataclasses
import json

import numpy as np
import pytest

from minilm.errors import ModelError, OutputError, TrainingError
from minilm.nn import lora
from minilm.nn.gpt import GPT, GPTConfig
from minilm.nn.heads import SequenceClassifier
from minilm.store import adapters, folder, safetensors
from minilm.store.adapters import SavedAdapter
from minilm.store.classification import Head

LABELS = ("bad", "good", "so so")


@pytest.fixture(scope="module")
def saved(model, lineage):
    """Return an adapter with a head whose factors are far from zero."""
    rng = np.random.default_rng(5)
    adapter = lora.new_adapter(
        model.config, rank=2, alpha=3, targets=("attn.c_attn", "mlp.c_proj"), rng=rng
    )
    adapter.weights.flat[...] = rng.normal(0, 0.3, adapter.weights.flat.shape)
    score = rng.normal(0, 1, (3, 12)).astype(np.float32)
    sha256 = adapters.fingerprint(model.config, model.parameters)
    return SavedAdapter(adapter, "runs/base", sha256, score, Head(LABELS, "last"), lineage)


@pytest.fixture
def path(saved, tmp_path):
    adapters.save(tmp_path / "a", saved)
    return tmp_path / "a"


def adapted_classifier(model, saved):
    parameters = model.parameters.beside({"score.weight": saved.score})
    classifier = SequenceClassifier(model.config, parameters=parameters, pooling="last")
    classifier.use(saved.adapter)
    return classifier


def assert_same(found, expected):
    assert found.adapter.rank == expected.adapter.rank
    assert found.adapter.alpha == expected.adapter.alpha
    assert found.adapter.targets == expected.adapter.targets
    assert set(found.adapter.weights) == set(expected.adapter.weights)
    for name, value in found.adapter.weights.items():
        assert np.array_equal(value, expected.adapter.weights[name])


def test_what_is_saved_is_loaded(path, saved, lineage):
    found = adapters.load(path)
    assert_same(found, saved)
    assert np.array_equal(found.score, saved.score)
    assert (found.head.labels, found.head.pooling) == (LABELS, "last")
    assert (found.base_name, found.base_sha256) == ("runs/base", saved.base_sha256)
    assert found.lineage == lineage
    assert sorted(p.name for p in path.iterdir() if p.name != ".lock") == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "minilm.json",
    ]


def test_the_same_adapter_is_the_same_bytes(path, saved, tmp_path):
    adapters.save(tmp_path / "b", saved)
    for name in (adapters.CONFIG, adapters.WEIGHTS, "minilm.json"):
        assert (path / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_an_adapter_of_the_language_model_has_no_head(saved, tmp_path):
    plain = SavedAdapter(saved.adapter, "base", saved.base_sha256)
    adapters.save(tmp_path / "lm", plain)
    found = adapters.load(tmp_path / "lm")
    assert found.head is None
    assert_same(found, plain)
    config = json.loads((tmp_path / "lm" / adapters.CONFIG).read_text(encoding="utf-8"))
    assert config["task_type"] == "CAUSAL_LM"


def test_only_the_factors_of_a_larger_store_are_saved(model, saved, tmp_path):
    store = model.parameters.extended({n: w.shape for n, w in saved.adapter.weights.items()})
    for name, value in saved.adapter.weights.items():
        store[name][...] = value
    within = lora.Adapter(2, 3.0, saved.adapter.targets, store)
    adapters.save(tmp_path / "b", SavedAdapter(within, "base", saved.base_sha256))
    assert_same(adapters.load(tmp_path / "b"), saved)


def test_the_fingerprint_is_of_the_base_alone(model, kept):
    config, parameters = model.config, model.parameters
    sha256 = adapters.fingerprint(config, parameters)
    for name in ("ours", "single", "sharded"):
        loaded = folder.load(kept / name, dtype=np.float64)
        assert adapters.fingerprint(loaded.config, loaded.parameters) == sha256
    larger = parameters.extended({"score.weight": (2, 12)})
    assert adapters.fingerprint(config, larger) == sha256
    changed = {name: value.copy() for name, value in parameters.items()}
    changed["h.1.ln_2.bias"][3] += 1e-6
    assert adapters.fingerprint(config, changed) != sha256
    heads = GPTConfig(300, 16, 12, 2, 2)
    assert adapters.fingerprint(heads, parameters) != sha256


def test_an_adapter_for_another_base_is_refused_by_name(path, saved, model):
    adapters.check_base(saved, path, model.config, saved.base_sha256)
    with pytest.raises(ModelError, match="belongs to another base: runs/base with hash") as caught:
        adapters.check_base(saved, path, model.config, "f" * 64)
    assert saved.base_sha256[:12] in str(caught.value)
    assert str(path) in str(caught.value)
    narrow = GPTConfig(300, 16, 9, 2, 3)
    foreign = dataclasses.replace(saved, base_sha256=None)
    with pytest.raises(ModelError, match="another base"):
        adapters.check_base(foreign, path, narrow, "f" * 64)
    deeper = GPTConfig(300, 16, 12, 3, 3)
    with pytest.raises(ModelError, match="another base"):
        adapters.check_base(foreign, path, deeper, "f" * 64)


def test_an_adapter_is_not_taken_for_a_model(path, saved):
    with pytest.raises(ModelError, match="needs its base model"):
        folder.load(path)
    (path / "minilm.json").unlink()
    with pytest.raises(ModelError, match="needs its base model"):
        folder.load(path)


def test_a_model_is_not_overwritten(copy, saved):
    path = copy("ours")
    with pytest.raises(OutputError, match="holds a model"):
        adapters.save(path, saved)
    assert not adapters.exists(path)
    folder.load(path)


def test_what_is_not_finite_is_not_saved(saved, tmp_path):
    weights = {name: value.copy() for name, value in saved.adapter.weights.items()}
    weights["h.0.mlp.c_proj.lora_B.weight"][0, 0] = np.nan
    broken = lora.Adapter(2, 3.0, saved.adapter.targets, weights)
    with pytest.raises(TrainingError, match=r"lora_B.weight is not finite"):
        adapters.save(tmp_path / "b", SavedAdapter(broken, "base", None))
    assert not adapters.exists(tmp_path / "b")


def test_every_changed_byte_is_noticed(path):
    for name in (adapters.CONFIG, adapters.WEIGHTS, "minilm.json"):
        whole = (path / name).read_bytes()
        for place in np.linspace(0, len(whole) - 1, 12).astype(int):
            damaged = bytearray(whole)
            damaged[place] ^= 0x04
            (path / name).write_bytes(damaged)
            with pytest.raises(ModelError, match=name):
                adapters.load(path)
        (path / name).write_bytes(whole[:-1])
        with pytest.raises(ModelError):
            adapters.load(path)
        (path / name).write_bytes(whole)
    adapters.load(path)
    (path / adapters.WEIGHTS).unlink()
    with pytest.raises(ModelError, match=r"adapter_model\.safetensors: missing"):
        adapters.load(path)


def rewrite(path, change, tensors=None):
    """Make a folder as another program could have written it."""
    (path / "minilm.json").unlink()
    config = json.loads((path / adapters.CONFIG).read_text(encoding="utf-8"))
    (path / adapters.CONFIG).write_text(json.dumps({**config, **change}), encoding="utf-8")
    if tensors is not None:
        own = safetensors.load(path / adapters.WEIGHTS)
        tensors(own)
        safetensors.save(own, path / adapters.WEIGHTS)


A = "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight"
SCORE = "base_model.model.score.weight"


@pytest.mark.parametrize(
    ("change", "tensors", "message"),
    [
        ({"peft_type": "LOHA"}, None, "its peft_type is 'LOHA'"),
        ({"use_dora": True}, None, "'use_dora' is beyond plain LoRA"),
        ({"rank_pattern": {"c_attn": 3}}, None, "rank_pattern"),
        ({"bias": "all"}, None, "'bias' is beyond"),
        ({"init_lora_weights": "pissa"}, None, "init_lora_weights"),
        ({"r": 3}, None, "says rank 3"),
        ({"r": "2"}, None, "the rank r is '2'"),
        ({"lora_alpha": None}, None, "lora_alpha is None"),
        ({}, lambda t: t.pop(A), "lora_A.weight is missing"),
        ({}, lambda t: t.update({"base_model.model.lm_head.weight": t[A]}), "is not a factor of"),
        ({}, lambda t: t.update({A: t[A].astype(int)}), "not a matrix of floats"),
        ({}, lambda t: t.update({A: t[A] * np.nan}), "NaN or infinity"),
        ({}, lambda t: t.update({A: t[A][0]}), "has the shape"),
        ({}, lambda t: t.clear(), "no LoRA factor"),
        ({}, lambda t: t.update({SCORE: t[SCORE][:1]}), "1 output, for regression"),
    ],
)
def test_what_is_no_plain_lora_is_refused(path, change, tensors, message):
    rewrite(path, change, tensors)
    with pytest.raises(ModelError, match=message) as caught:
        adapters.load(path)
    assert "\n" not in str(caught.value)


def test_another_programs_head_has_labels_by_number(path, saved):
    rewrite(path, {"base_model_name_or_path": None, "use_rslora": True})
    found = adapters.load(path)
    assert found.head.labels == ("LABEL_0", "LABEL_1", "LABEL_2")
    assert found.base_sha256 is None
    assert found.adapter.scaling == pytest.approx(3 / np.sqrt(2))


def test_finding_adapters(path, saved, tmp_path):
    adapters.save(tmp_path / "b", saved)
    (tmp_path / "c").mkdir()
    assert adapters.find(tmp_path) == [tmp_path / "a", tmp_path / "b"]
    assert adapters.find(path) == [path]
    with pytest.raises(ModelError, match="no adapter here"):
        adapters.find(tmp_path / "c")
    with pytest.raises(ModelError, match="no such folder"):
        adapters.find(tmp_path / "none")
    with pytest.raises(ModelError, match=r"no adapter_config\.json here"):
        adapters.load(tmp_path / "c")


# ---------------------------------------------------------------------- next to peft


IDS = np.random.default_rng(1).integers(0, 300, (4, 9))


def classifier(transformers, path):
    """Let transformers read a base as a classifier whose head an adapter brings."""
    return transformers.GPT2ForSequenceClassification.from_pretrained(
        path, num_labels=3, pad_token_id=299
    )


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
def test_peft_loads_ours_with_the_same_logits(peer, path, saved, model, kept, tmp_path):
    torch, transformers, peft = peer("torch"), peer("transformers"), peer("peft")
    ids = torch.tensor(IDS)
    theirs = peft.PeftModel.from_pretrained(classifier(transformers, kept / "ours"), path).eval()
    expected = adapted_classifier(model, saved).logits(IDS, np.full(4, 9))
    with torch.no_grad():
        np.testing.assert_allclose(theirs(ids).logits.numpy(), expected, atol=2e-5)
        merged = theirs.merge_and_unload()
        np.testing.assert_allclose(merged(ids).logits.numpy(), expected, atol=2e-5)

    adapters.save(tmp_path / "lm", SavedAdapter(saved.adapter, "base", saved.base_sha256))
    base = transformers.GPT2LMHeadModel.from_pretrained(kept / "ours")
    theirs = peft.PeftModel.from_pretrained(base, tmp_path / "lm").eval()
    gpt = GPT(model.config, parameters=model.parameters)
    unadapted = gpt.logits(IDS)
    gpt.use(saved.adapter)
    assert np.abs(gpt.logits(IDS) - unadapted).max() > 0.1
    with torch.no_grad():
        np.testing.assert_allclose(theirs(ids).logits.numpy(), gpt.logits(IDS), atol=5e-5)


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
def test_peft_refuses_a_mean(peer, saved, kept, tmp_path):
    transformers, peft = peer("transformers"), peer("peft")
    mean = dataclasses.replace(saved, head=Head(saved.head.labels, "mean"))
    adapters.save(tmp_path / "mean", mean)
    assert_same(adapters.load(tmp_path / "mean"), mean)
    with pytest.raises(KeyError, match="MINILM_MEAN_POOL_LORA"):
        peft.PeftModel.from_pretrained(classifier(transformers, kept / "ours"), tmp_path / "mean")


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("targets", [["c_attn"], ["attn.c_attn", "c_proj", "c_fc"]])
def test_ours_loads_pefts_with_the_same_logits(peer, targets, model, kept, tmp_path):
    torch, transformers, peft = peer("torch"), peer("transformers"), peer("peft")
    torch.manual_seed(3)
    settings = peft.LoraConfig(
        task_type="SEQ_CLS", r=3, lora_alpha=5, target_modules=targets, init_lora_weights=False
    )
    theirs = peft.get_peft_model(classifier(transformers, kept / "ours"), settings).eval()
    theirs.save_pretrained(tmp_path / "peft")
    found = adapters.load(tmp_path / "peft")
    adapters.check_base(found, tmp_path / "peft", model.config, "")
    own = adapted_classifier(model, found)
    with torch.no_grad():
        expected = theirs(torch.tensor(IDS)).logits.numpy()
    np.testing.assert_allclose(own.logits(IDS, np.full(4, 9)), expected, atol=2e-5)
