"""The whole Llama: gradient, cache, frozen parts, adapters, a classifier, configurations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from closeness import assert_close

from minilm.errors import OptionError
from minilm.nn import architectures, gradcheck, lora
from minilm.nn.gpt import GPT, KeyValueCache
from minilm.nn.heads import SequenceClassifier, with_score
from minilm.nn.llama import Llama, rotary_frequencies
from minilm.nn.llama_config import LlamaConfig, RopeScaling
from minilm.nn.parallel import Shards
from minilm.nn.parameters import Parameters

UNTIED = LlamaConfig(23, 12, 20, 2, 6, 2, head_dim=4, max_position_embeddings=7)
TIED = replace(UNTIED, tie_word_embeddings=True, num_key_value_heads=None)
DROPOUT = replace(UNTIED, attention_dropout=0.3, rope_scaling=RopeScaling(8.0, 1.0, 4.0, 6))
RNG = np.random.default_rng(11)
IDS = RNG.integers(0, 23, (3, 5))
TARGETS = RNG.integers(0, 23, (3, 5))
TARGETS[0, 3:] = -100


def random_model(config: LlamaConfig = UNTIED, dtype: Any = np.float64) -> Llama:
    """Return a model whose gains are random too, so that none can hide an error."""
    model = Llama(config, rng=np.random.default_rng(0), dtype=dtype)
    flat = model.parameters.flat
    flat += np.random.default_rng(1).standard_normal(flat.shape).astype(dtype) * dtype(0.2)
    return model


@pytest.mark.parametrize("config", [UNTIED, TIED, DROPOUT], ids=["untied", "tied", "dropout"])
def test_gradient_of_the_whole_model(config: LlamaConfig) -> None:
    model = random_model(config)

    def loss(**arguments: np.ndarray) -> float:
        other = Llama(config, parameters=Parameters(model.parameters.shapes, np.float64))
        for name, value in arguments.items():
            other.parameters[name][...] = value
        return other.loss_and_grad(IDS, TARGETS, rng=np.random.default_rng(5))[0]

    _, gradient = model.loss_and_grad(IDS, TARGETS, rng=np.random.default_rng(5))
    arguments = dict(model.parameters)
    assert set(gradient) == set(arguments)
    for draw in range(3):
        rng = np.random.default_rng(draw)
        assert gradcheck.directional_error(loss, arguments, dict(gradient), rng=rng) < 1e-8
    rng = np.random.default_rng(3)
    wrong = gradcheck.element_errors(
        loss, arguments, dict(gradient), tolerance=1e-6, samples=4, rng=rng
    )
    assert wrong == []


def test_float32_agrees_with_float64_and_keeps_its_dtype() -> None:
    double, single = random_model(), random_model(dtype=np.float32)
    single.parameters.flat[:] = double.parameters.flat
    assert single.logits(IDS).dtype == np.float32
    assert_close(single.logits(IDS), double.logits(IDS), 2e-5)
    _, raw = single.gradients(IDS, TARGETS)
    assert {g.dtype for g in raw.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("config", [UNTIED, TIED])
def test_the_cache_gives_the_logits_of_the_whole_text(config: LlamaConfig) -> None:
    model = random_model(config)
    whole = model.logits(IDS)
    past = KeyValueCache(model, batch=3)
    assert past.keys.shape == (2, 3, config.kv_heads, 7, 4)
    first = model.next_logits(IDS[:, :3], past)
    second = model.next_logits(IDS[:, 3:4], past)
    third = model.next_logits(IDS[:, 4:], past)
    for found, place in ((first, 2), (second, 3), (third, 4)):
        assert_close(found, whole[:, place], 1e-10)


@pytest.mark.parametrize(
    "patterns", [("lm_head.weight",), ("model.norm.*",), ("model.layers.1.*", "lm_head.weight")]
)
def test_frozen_parameters_have_no_gradient_and_the_others_the_same(patterns: Any) -> None:
    model = random_model()
    _, whole = model.loss_and_grad(IDS, TARGETS)
    model.parameters.freeze("*")
    model.parameters.unfreeze(*patterns)
    _, part = model.loss_and_grad(IDS, TARGETS)
    assert set(part) == model.parameters.matching(*patterns)
    for name in part:
        assert_close(part[name], whole[name], 1e-12)


def test_lora_starts_as_the_base_learns_and_merges() -> None:
    config = UNTIED
    model = random_model()
    before = model.logits(IDS)
    store = model.parameters.extended(lora.adapter_shapes(config, 2))
    store.freeze(*model.parameters)
    adapter = lora.Adapter(2, 4.0, config.targets, store)
    lora.initialize(adapter, config, rng=np.random.default_rng(0))
    adapted = Llama(config, parameters=store)
    adapted.use(adapter)
    np.testing.assert_array_equal(adapted.logits(IDS), before)
    rng = np.random.default_rng(8)
    for name in store.trainable:
        store[name][...] = rng.normal(0, 0.3, store[name].shape)

    def loss(**arguments: np.ndarray) -> float:
        for name, value in arguments.items():
            store[name][...] = value
        return adapted.loss(IDS, TARGETS)

    _, gradient = adapted.loss_and_grad(IDS, TARGETS)
    assert len(gradient) == 2 * 2 * 7
    arguments = {name: store[name].copy() for name in gradient}
    error = gradcheck.directional_error(loss, arguments, dict(gradient), rng=rng)
    assert error < 1e-8
    loss(**arguments)
    merged = Llama(config, parameters=lora.merge(store, adapter))
    assert_close(merged.logits(IDS), adapted.logits(IDS), 1e-10)


@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("config", [UNTIED, TIED])
def test_a_classifier_on_it(config: LlamaConfig, pooling: str) -> None:
    parameters = with_score(random_model(config).parameters, config, 3, rng=RNG)
    model = SequenceClassifier(config, parameters=parameters, pooling=pooling, lm_weight=0.5)
    batch = (IDS, np.array([5, 2, 1]), np.array([0, 2, 1]))
    value, gradient = model.loss_and_grad(*batch)

    def loss(**arguments: np.ndarray) -> float:
        store = Parameters(parameters.shapes, np.float64)
        for name, array in arguments.items():
            store[name][...] = array
        other = SequenceClassifier(config, parameters=store, pooling=pooling, lm_weight=0.5)
        return other.gradients(*batch)[0]

    arguments = dict(parameters)
    assert loss(**arguments) == value
    rng = np.random.default_rng(0)
    assert gradcheck.directional_error(loss, arguments, dict(gradient), rng=rng) < 1e-8


def test_shards_add_up() -> None:
    model = random_model()
    loss, gradient = model.loss_and_grad(IDS, TARGETS)
    with Shards(2) as shards:
        other_loss, other = shards.loss_and_grad(model, IDS, TARGETS)
    assert loss == pytest.approx(other_loss, rel=1e-12)
    assert_close(other.flat, gradient.flat, 1e-10)


def test_states_and_maps_have_one_shape_for_each_layer() -> None:
    model = random_model()
    states = model.hidden_states(IDS)
    assert [s.shape for s in states] == [(3, 5, 12)] * 3
    assert_close(states[-1] @ model.parameters["lm_head.weight"].T, model.logits(IDS), 1e-12)
    maps = model.attention_maps(IDS)
    assert [m.shape for m in maps] == [(3, 6, 5, 5)] * 2
    assert_close(maps[0].sum(axis=-1), np.ones((3, 6, 5)), 1e-12)


def test_the_configuration_comes_back_from_its_keys() -> None:
    for config in (UNTIED, TIED, DROPOUT, replace(TIED, eos_token_id=(1, 2), bos_token_id=3)):
        again = LlamaConfig.from_dict(config.to_dict())
        assert again.to_dict() == config.to_dict()
        assert isinstance(architectures.language_model(again, rng=RNG), Llama)


def test_keys_of_transformers_5_are_read() -> None:
    values = {**UNTIED.to_dict(), "rope_scaling": None}
    del values["rope_theta"]
    values["rope_parameters"] = {"rope_type": "default", "rope_theta": 500000.0}
    assert LlamaConfig.from_dict(values).rope_theta == 500000.0
    values["rope_parameters"] = {
        "rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 8192,
    }  # fmt: skip
    assert LlamaConfig.from_dict(values).rope_scaling == RopeScaling(32.0, 1.0, 4.0, 8192)


def test_llama3_leaves_fast_pairs_and_slows_slow_ones() -> None:
    plain = LlamaConfig(9, 128, 4, 1, 1, rope_theta=500000.0)
    scaled = replace(plain, rope_scaling=RopeScaling(8.0, 1.0, 4.0, 8192))
    ratio = rotary_frequencies(plain) / rotary_frequencies(scaled)
    assert ratio[0] == 1
    assert ratio[-1] == pytest.approx(8)
    assert (np.diff(ratio) >= -1e-12).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "mistral"}, "model_type is 'mistral'; only 'gpt2' and 'llama' are built"),
        ({"hidden_act": "gelu"}, "hidden_act is 'gelu'; only 'silu' or 'swish' is built"),
        ({"attention_bias": True}, "attention_bias is True"),
        ({"mlp_bias": True}, "mlp_bias is True"),
        ({"rope_scaling": {"rope_type": "yarn"}}, "rope_scaling of the kind 'yarn'"),
        ({"rope_scaling": {"type": "linear", "factor": 2}}, "of the kind 'linear'"),
        ({"rope_scaling": {"rope_type": "llama3"}}, "rope_scaling has no factor"),
        ({"rope_scaling": 3}, "rope_scaling is 3; expected an object"),
        ({"head_dim": 3}, "heads of 3 channels"),
        ({"num_key_value_heads": 4}, "not divisible by num_key_value_heads 4"),
        ({"hidden_size": 0}, "hidden_size is 0; expected a whole number"),
        ({"head_dim": None, "hidden_size": 13}, "13 is not divisible by num_attention_heads"),
        ({"rms_norm_eps": 0}, "rms_norm_eps is 0; expected more than 0"),
        ({"attention_dropout": 1}, "attention_dropout is 1"),
        ({"tie_word_embeddings": "yes"}, "tie_word_embeddings is 'yes'"),
        ({"rope_theta": "x"}, "rope_theta is 'x'"),
    ],
)
def test_what_is_not_built_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        architectures.config_from_dict({**UNTIED.to_dict(), **change})


def test_a_missing_size_is_named() -> None:
    values = UNTIED.to_dict()
    del values["intermediate_size"]
    with pytest.raises(OptionError, match="the key intermediate_size is missing"):
        LlamaConfig.from_dict(values)


def test_a_gpt_is_still_built() -> None:
    values = {"vocab_size": 9, "n_positions": 4, "n_embd": 4, "n_layer": 1, "n_head": 1}
    model = architectures.language_model(architectures.config_from_dict(values), rng=RNG)
    assert type(model) is GPT
