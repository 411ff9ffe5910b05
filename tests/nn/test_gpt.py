"""The whole model: gradient, frozen parts, edge shapes, what is said of what cannot work."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from closeness import assert_close

from minilm.errors import OptionError, TrainingError
from minilm.nn import checks, gradcheck, lora, optim
from minilm.nn import functional as F
from minilm.nn.gpt import (
    GPT,
    GPTConfig,
    KeyValueCache,
    embed,
    embed_backward,
    initial_parameters,
)
from minilm.nn.parameters import Parameters

CONFIG = GPTConfig(vocab_size=23, n_positions=7, n_embd=12, n_layer=2, n_head=3)
DROPOUT = GPTConfig(23, 7, 12, 2, 3, embd_pdrop=0.2, attn_pdrop=0.3, resid_pdrop=0.1)
RNG = np.random.default_rng(11)
IDS = RNG.integers(0, 23, (3, 5))
TARGETS = RNG.integers(0, 23, (3, 5))
TARGETS[0, 3:] = -100


def random_model(config: GPTConfig = CONFIG, dtype: Any = np.float64) -> GPT:
    """Return a model whose gains and biases are random too, so that none can hide an error."""
    model = GPT(config, rng=np.random.default_rng(0), dtype=dtype)
    flat = model.parameters.flat
    flat += np.random.default_rng(1).standard_normal(flat.shape).astype(dtype) * dtype(0.2)
    return model


def loss_of(model: GPT, seed: int | None = None) -> Any:
    def function(**arguments: np.ndarray) -> float:
        other = GPT(model.config, parameters=Parameters(model.parameters.shapes, np.float64))
        for name, value in arguments.items():
            other.parameters[name][...] = value
        rng = None if seed is None else np.random.default_rng(seed)
        return other.loss_and_grad(IDS, TARGETS, rng=rng)[0]

    return function


@pytest.mark.parametrize("config", [CONFIG, DROPOUT], ids=["plain", "dropout"])
def test_gradient_of_the_whole_model(config: GPTConfig) -> None:
    model = random_model(config)
    seed = 5 if config is DROPOUT else None
    rng = None if seed is None else np.random.default_rng(seed)
    _, gradient = model.loss_and_grad(IDS, TARGETS, rng=rng)
    arguments = dict(model.parameters)
    function = loss_of(model, seed)
    for draw in range(3):
        error = gradcheck.directional_error(
            function, arguments, dict(gradient), rng=np.random.default_rng(draw)
        )
        assert error < 1e-8
    assert (
        gradcheck.element_errors(
            function,
            arguments,
            dict(gradient),
            tolerance=1e-6,
            samples=4,
            rng=np.random.default_rng(3),
        )
        == []
    )


def test_initialization_is_gpt2s() -> None:
    config = GPTConfig(500, 300, 64, 8, 4)
    parameters = initial_parameters(config, rng=np.random.default_rng(0))
    assert parameters["wte.weight"].std() == pytest.approx(0.02, rel=0.02)
    assert parameters["wpe.weight"].std() == pytest.approx(0.02, rel=0.02)
    assert parameters["h.3.attn.c_attn.weight"].std() == pytest.approx(0.02, rel=0.03)
    for name in ("h.3.attn.c_proj.weight", "h.7.mlp.c_proj.weight"):
        assert parameters[name].std() == pytest.approx(0.02 / math.sqrt(16), rel=0.03)
    assert (parameters["h.1.ln_2.weight"] == 1).all()
    assert all((v == 0).all() for n, v in parameters.items() if n.endswith("bias"))
    double = initial_parameters(config, rng=np.random.default_rng(0), dtype=np.float64)
    np.testing.assert_array_equal(double.flat.astype(np.float32), parameters.flat)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_everywhere(dtype: type) -> None:
    model = random_model(dtype=dtype)
    assert model.logits(IDS).dtype == dtype
    _, gradient = model.loss_and_grad(IDS, TARGETS)
    assert gradient.flat.dtype == dtype
    _, raw = model.gradients(IDS, TARGETS)
    assert {g.dtype for g in raw.values()} == {np.dtype(dtype)}
    assert {x.dtype for x in model.hidden_states(IDS)} == {np.dtype(dtype)}


def test_float32_agrees_with_float64() -> None:
    double, single = random_model(), random_model(dtype=np.float32)
    single.parameters.flat[:] = double.parameters.flat
    np.testing.assert_allclose(single.logits(IDS), double.logits(IDS), atol=2e-5)
    exact, rounded = (m.loss_and_grad(IDS, TARGETS)[1].flat for m in (double, single))
    assert np.linalg.norm(rounded - exact) < 1e-5 * np.linalg.norm(exact)


def test_loss_without_and_with_gradient_is_one_number() -> None:
    model = random_model()
    assert model.loss(IDS, TARGETS) == model.loss_and_grad(IDS, TARGETS)[0]
    rows, _ = F.cross_entropy(model.logits(IDS), TARGETS)
    assert model.loss(IDS, TARGETS) == float(rows)


def test_nothing_passed_in_is_changed() -> None:
    model = random_model()
    ids, targets, flat = IDS.copy(), TARGETS.copy(), model.parameters.flat.copy()
    model.loss_and_grad(IDS, TARGETS)
    np.testing.assert_array_equal(IDS, ids)
    np.testing.assert_array_equal(TARGETS, targets)
    np.testing.assert_array_equal(model.parameters.flat, flat)


@pytest.mark.parametrize(
    "patterns",
    [("h.0.attn.c_attn.weight",), ("wpe.weight",), ("h.1.*",), ("ln_f.*",), ("*.bias",)],
)
def test_frozen_parts_pass_gradients_through(patterns: tuple[str, ...]) -> None:
    model = random_model()
    _, whole = model.loss_and_grad(IDS, TARGETS)
    model.parameters.freeze("*")
    model.parameters.unfreeze(*patterns)
    _, part = model.loss_and_grad(IDS, TARGETS)
    assert set(part) == model.parameters.trainable
    for name in part:
        np.testing.assert_array_equal(part[name], whole[name])


def test_frozen_embedding_still_gets_no_gradient_from_the_head() -> None:
    model = random_model()
    model.parameters.freeze("wte.weight")
    _, gradients = model.gradients(IDS, TARGETS)
    assert "wte.weight" not in gradients


def calls_of(monkeypatch: pytest.MonkeyPatch, name: str) -> list[int]:
    calls: list[int] = []
    original = getattr(F, name)

    def counted(*arguments: Any) -> Any:
        calls.append(1)
        return original(*arguments)

    monkeypatch.setattr(F, name, counted)
    return calls


@pytest.mark.parametrize(
    ("pattern", "attentions", "gelus", "embeddings"),
    [
        ("wte.weight", 2, 2, 1),
        ("h.0.ln_1.bias", 2, 2, 0),
        ("h.0.mlp.c_proj.bias", 2, 2, 0),
        ("h.1.attn.c_attn.bias", 1, 1, 0),
        ("h.1.mlp.c_fc.weight", 1, 1, 0),
        ("ln_f.weight", 0, 0, 0),
    ],
)
def test_nothing_is_computed_below_the_lowest_trained_block(
    monkeypatch: pytest.MonkeyPatch, pattern: str, attentions: int, gelus: int, embeddings: int
) -> None:
    model = random_model()
    model.parameters.freeze("*")
    model.parameters.unfreeze(pattern)
    names = ("multi_head_attention_backward", "gelu_backward", "embedding_backward")
    counts = [calls_of(monkeypatch, name) for name in names]
    model.loss_and_grad(IDS, TARGETS)
    assert [len(c) for c in counts] == [attentions, gelus, embeddings]


def test_blocks_that_need_no_gradient_keep_no_cache() -> None:
    model = random_model()
    model.parameters.freeze("*")
    model.parameters.unfreeze("h.1.mlp.*")
    _, caches = model.hidden(checks.check_ids(IDS, model.config))
    assert [bool(cache) for cache in caches] == [False, False, True, True]


def test_hidden_states_and_attention_maps() -> None:
    model = random_model()
    states = model.hidden_states(IDS)
    assert [x.shape for x in states] == [(3, 5, 12)] * 3
    expected = model.parameters["wte.weight"][IDS] + model.parameters["wpe.weight"][:5]
    np.testing.assert_array_equal(states[0], expected)
    logits = states[-1] @ model.parameters["wte.weight"].T
    assert_close(logits, model.logits(IDS), rtol=1e-12)
    maps = model.attention_maps(IDS)
    assert [m.shape for m in maps] == [(3, 3, 5, 5)] * 2
    for weights in maps:
        assert_close(weights.sum(axis=-1), 1.0)
        assert (np.triu(weights, k=1) == 0).all()


def test_batch_of_one_and_sequence_of_one() -> None:
    model = random_model()
    assert_close(model.logits(IDS[:1]), model.logits(IDS)[:1], rtol=1e-12)
    assert_close(model.logits(IDS[:, :1]), model.logits(IDS)[:, :1], rtol=1e-12)
    loss, gradient = model.loss_and_grad([[3]], [[4]])
    assert math.isfinite(loss)
    assert np.isfinite(gradient.flat).all()
    full = np.tile(IDS, 2)[:, :7]
    assert model.logits(full).shape == (3, 7, 23)


def test_padding_on_the_right_changes_nothing() -> None:
    model = random_model()
    padded_ids, padded_targets = IDS.copy(), TARGETS.copy()
    padded_ids[1, 3:], padded_targets[1, 3:] = 0, -100
    other_ids = padded_ids.copy()
    other_ids[1, 3:] = 17
    one = model.loss_and_grad(padded_ids, padded_targets)
    other = model.loss_and_grad(other_ids, padded_targets)
    assert one[0] == other[0]
    name = "h.0.attn.c_attn.weight"
    np.testing.assert_allclose(one[1][name], other[1][name], rtol=1e-12, atol=1e-18)
    assert_close(model.logits(padded_ids)[1, :3], model.logits(IDS[1:2, :3])[0], rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_ids_of_any_integer_dtype(dtype: type) -> None:
    model = random_model()
    targets = np.abs(TARGETS) % 23
    loss, gradient = model.loss_and_grad(IDS, targets)
    other_loss, other = model.loss_and_grad(IDS.astype(dtype), targets.astype(dtype))
    assert other_loss == loss
    np.testing.assert_array_equal(other.flat, gradient.flat)


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        ([[1, 2, 23]], r"the id 23 at \[0, 2\] is outside the vocabulary of 23"),
        ([[1], [-1]], r"the id -1 at \[1, 0\] is outside"),
        ([[0] * 8], "a sequence of 8 tokens is longer than the model's context of 7; cut it"),
        ([1, 2, 3], r"ids have shape \(3,\)"),
        ([[1.0]], "dtype float64"),
        ([[]], r"at least \(1, 1\)"),
    ],
)
def test_ids_that_cannot_be(ids: Any, says: str) -> None:
    model = random_model()
    with pytest.raises(OptionError, match=says):
        model.logits(ids)


def test_targets_that_cannot_be() -> None:
    model = random_model()
    with pytest.raises(OptionError, match=r"the target 23 at \[0, 1\]"):
        model.loss([[1, 2]], [[3, 23]])
    with pytest.raises(OptionError, match=r"the target -1 at \[0, 0\]"):
        model.loss_and_grad([[1, 2]], [[-1, 3]])
    with pytest.raises(OptionError, match=r"the ids' shape \(1, 2\)"):
        model.loss([[1, 2]], [[3]])
    with pytest.raises(OptionError, match="all 2 targets are ignored"):
        model.loss_and_grad([[1, 2]], [[-100, -100]])


def test_nan_in_a_weight_is_named() -> None:
    model = random_model()
    model.parameters["h.1.mlp.c_fc.weight"][2, 30] = np.nan
    for call in (model.loss, model.loss_and_grad):
        with pytest.raises(TrainingError, match=r"h\.1\.mlp\.c_fc\.weight\[2, 30\] is nan"):
            call(IDS, TARGETS)
    with pytest.raises(TrainingError, match=r"h\.1\.mlp\.c_fc\.weight\[2, 30\] is nan"):
        model.logits(IDS)


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_overflow_with_finite_weights_says_so() -> None:
    model = random_model(dtype=np.float32)
    model.parameters["ln_f.weight"][...] = 3e38
    with pytest.raises(TrainingError, match="though every parameter is"):
        model.loss(IDS, TARGETS)


def test_an_existing_store_is_used_not_copied() -> None:
    parameters = initial_parameters(CONFIG, rng=np.random.default_rng(0), dtype=np.float64)
    model = GPT(CONFIG, parameters=parameters)
    assert model.parameters is parameters
    wrong = GPTConfig(23, 7, 12, 3, 3)
    with pytest.raises(OptionError, match=r"h\.2\.ln_1\.weight has shape none"):
        GPT(wrong, parameters=parameters)
    with pytest.raises(OptionError, match=r"wpe\.weight has shape \(7, 12\)"):
        GPT(GPTConfig(23, 8, 12, 2, 3), parameters=parameters)
    with pytest.raises(OptionError, match="needs rng"):
        GPT(CONFIG)


def test_it_learns_a_short_text_by_heart() -> None:
    from minilm.nn.optim import AdamW

    model = GPT(CONFIG, rng=np.random.default_rng(0))
    ids = np.array([[1, 5, 2, 9, 4, 7], [3, 8, 1, 1, 6, 0]])
    optimizer = AdamW(model.parameters, weight_decay=0.0)
    for _ in range(150):
        _, gradient = model.loss_and_grad(ids[:, :-1], ids[:, 1:])
        optimizer.update(gradient, learning_rate=1e-2)
    assert model.loss(ids[:, :-1], ids[:, 1:]) < 0.02
    np.testing.assert_array_equal(model.logits(ids[:, :-1]).argmax(axis=-1), ids[:, 1:])


def test_reprs_tell_the_sizes():
    config = GPTConfig(50, 8, 12, 2, 3)
    model = GPT(config, rng=np.random.default_rng(0))
    past = KeyValueCache(model, batch=2)
    assert repr(past) == (
        "KeyValueCache(0 of 8 positions, batch 2: 2 layers, 3 heads of 4, float32)"
    )
    assert repr(model.parameters) == (
        "Parameters(4,488 values in 28 arrays, float32, 4,488 trainable)"
    )
    assert repr(model.parameters.new_gradient()) == "FlatStore(4,488 values in 28 arrays, float32)"
    optimizer = optim.AdamW(model.parameters)
    assert repr(optimizer) == "AdamW(4,488 parameters, 0 steps)"
    adapter = lora.new_adapter(config, rank=2, targets=("mlp.c_fc",), rng=np.random.default_rng(0))
    assert repr(adapter) == "Adapter(240 parameters in 4 arrays: rank 2, alpha 4, mlp.c_fc)"


def test_embed_adds_the_rows_of_words_and_positions() -> None:
    words, positions = RNG.standard_normal((23, 4)), RNG.standard_normal((7, 4))
    x, cache = embed(IDS, words, positions, 2)
    assert_close(x[1, 3], words[IDS[1, 3]] + positions[5])
    dx, dhead = RNG.standard_normal(x.shape), RNG.standard_normal(words.shape)
    alone, dpositions = embed_backward(dx, cache)
    both, _ = embed_backward(dx, cache, dhead)
    assert_close(both, alone + dhead)
    assert_close(dpositions[5], dx[:, 3].sum(axis=0))
    assert not dpositions[:2].any()
