"""LoRA: gradients, the base as the starting point to the bit, merging, switching, bad adapters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from closeness import assert_close

from minilm.errors import OptionError
from minilm.nn import functional as F
from minilm.nn import gradcheck, lora
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT, KeyValueCache
from minilm.nn.parameters import Parameters

CONFIG = GPTConfig(vocab_size=23, n_positions=7, n_embd=12, n_layer=2, n_head=3)
IDS = np.random.default_rng(2).integers(0, 23, (4, 5))
TARGETS = np.random.default_rng(3).integers(0, 23, (4, 5))


def trained_adapter(seed: int = 1, **options: Any) -> lora.Adapter:
    """Return an adapter whose B is no longer zero."""
    rng = np.random.default_rng(seed)
    adapter = lora.new_adapter(CONFIG, **{"rank": 3, "rng": rng, "dtype": np.float64, **options})
    for factor in adapter.weights.values():
        factor += 0.2 * rng.standard_normal(factor.shape)
    return adapter


def random_base(dtype: Any = np.float64) -> GPT:
    model = GPT(CONFIG, rng=np.random.default_rng(0), dtype=dtype)
    model.parameters.flat[:] += 0.2 * np.random.default_rng(5).standard_normal(
        model.parameters.count()
    )
    return model


def test_the_pair_is_checked_by_differences() -> None:
    rng = np.random.default_rng(0)
    point = {
        "x": rng.standard_normal((2, 3, 5)),
        "a": rng.standard_normal((2, 5)),
        "b": rng.standard_normal((4, 2)),
    }

    def forward(x: Any, a: Any, b: Any) -> Any:
        return lora.low_rank(x, a, b, 1.7)

    y, cache = forward(**point)
    assert_close(y, 1.7 * point["x"] @ (point["b"] @ point["a"]).T, rtol=1e-12)
    dy = rng.standard_normal(y.shape)
    gradients = dict(zip("xab", lora.low_rank_backward(dy, cache), strict=True))
    assert gradcheck.element_errors(gradcheck.against(forward, dy), point, gradients) == []


@pytest.mark.parametrize("frozen", [(), ("wte.*", "wpe.*", "h.*", "ln_f.*")])
def test_the_gradient_of_an_adapted_model(frozen: tuple[str, ...]) -> None:
    base, adapter = random_base(), trained_adapter()
    store = base.parameters.extended(lora.adapter_shapes(CONFIG, 3))
    for name, value in adapter.weights.items():
        store[name][...] = value

    def model(parameters: Parameters) -> GPT:
        adapted = GPT(CONFIG, parameters=parameters)
        adapted.use(lora.Adapter(3, 6.0, CONFIG.targets, parameters))
        return adapted

    if frozen:
        store.freeze(*frozen)
        store.unfreeze("*.lora_*")
    _, gradient = model(store).loss_and_grad(IDS, TARGETS)
    assert set(gradient) == store.trainable

    def function(**arguments: np.ndarray) -> float:
        moved = Parameters(store.shapes, np.float64)
        for name, value in arguments.items():
            moved[name][...] = value
        return model(moved).loss(IDS, TARGETS)

    for seed in range(3):
        error = gradcheck.directional_error(
            function, dict(store), dict(gradient), rng=np.random.default_rng(seed)
        )
        assert error < 1e-8


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_with_b_zero_the_logits_are_the_base_s_to_the_bit(dtype: Any) -> None:
    model = random_base(dtype)
    before = model.logits(IDS)
    model.use(lora.new_adapter(CONFIG, rank=4, rng=np.random.default_rng(1), dtype=dtype))
    np.testing.assert_array_equal(model.logits(IDS), before)


def test_merging_gives_the_same_logits_and_the_base_stays() -> None:
    model = random_base(np.float32)
    flat = model.parameters.flat.copy()
    model.use(trained_adapter(dtype=np.float32, rank=2, targets=("attn.c_attn", "mlp.c_proj")))
    adapted = model.logits(IDS)
    merged = GPT(CONFIG, parameters=lora.merge(model.parameters, model.adapter))
    assert set(merged.parameters) == set(model.parameters)
    np.testing.assert_allclose(merged.logits(IDS), adapted, atol=1e-5)
    np.testing.assert_array_equal(model.parameters.flat, flat)
    assert np.abs(adapted - random_base(np.float32).logits(IDS)).max() > 0.1


def test_factors_inside_the_store_are_merged_and_left_out() -> None:
    base, adapter = random_base(), trained_adapter()
    store = base.parameters.extended(lora.adapter_shapes(CONFIG, 3))
    for name, value in adapter.weights.items():
        store[name][...] = value
    inside = lora.Adapter(3, adapter.alpha, CONFIG.targets, store)
    merged = lora.merge(store, inside)
    np.testing.assert_array_equal(merged.flat, lora.merge(base.parameters, adapter).flat)


def test_adapters_are_switched_without_touching_the_base() -> None:
    model = random_base()
    plain = model.logits(IDS)
    adapters = [trained_adapter(seed) for seed in (1, 2)]
    seen = []
    for adapter in (*adapters, adapters[0]):
        model.use(adapter)
        seen.append(model.logits(IDS))
    np.testing.assert_array_equal(seen[0], seen[2])
    assert not np.allclose(seen[0], seen[1])
    model.use(None)
    np.testing.assert_array_equal(model.logits(IDS), plain)


def test_generation_uses_the_adapter() -> None:
    model = random_base()
    model.use(trained_adapter())
    step = model.next_logits(IDS, KeyValueCache(model, len(IDS)))
    assert_close(step, model.logits(IDS)[:, -1], rtol=1e-9)


def test_frozen_matrices_compute_no_gradient_and_nothing_below_is_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = random_base()
    store = model.parameters.extended(lora.adapter_shapes(CONFIG, 3, ("mlp.c_fc",)))
    adapter = lora.Adapter(3, 6.0, ("mlp.c_fc",), store)
    lora.initialize(adapter, CONFIG, rng=np.random.default_rng(0))
    model = GPT(CONFIG, parameters=store)
    model.use(adapter)
    store.freeze("*")
    store.unfreeze("h.1.mlp.c_fc.lora_*")

    def never(*arguments: Any) -> None:
        raise RuntimeError("computed for nothing")

    for name in ("linear_backward", "embedding_backward", "unembed_backward"):
        monkeypatch.setattr(F, name, never)
    tables = []
    unembed = F.unembed
    monkeypatch.setattr(F, "unembed", lambda x, w: tables.append(w.shape) or unembed(x, w))
    frozen = []
    head = F.linear_cross_entropy_backward
    monkeypatch.setattr(
        F,
        "linear_cross_entropy_backward",
        lambda *arguments, **keywords: frozen.append(keywords) or head(*arguments, **keywords),
    )
    _, gradient = model.loss_and_grad(IDS, TARGETS)
    assert set(gradient) == set(lora.factors("h.1.mlp.c_fc"))
    assert frozen == [{"frozen": True}]
    # Block 1 alone hands the gradient down, through its four matrices.
    assert tables == [(48, 12), (12, 48), (12, 12), (12, 36)]


def test_what_cannot_be() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(OptionError, match=r"rank of 13 does not fit h\.0\.attn\.c_attn, a matrix"):
        lora.new_adapter(CONFIG, rank=13, rng=rng)
    with pytest.raises(OptionError, match="rank of 0"):
        lora.new_adapter(CONFIG, rank=0, rng=rng)
    with pytest.raises(
        OptionError, match=r"cannot adapt 'wte'; the targets in this model are attn\.c_attn"
    ):
        lora.new_adapter(CONFIG, rank=2, rng=rng, targets=("wte",))
    with pytest.raises(OptionError, match="needs at least one target"):
        lora.new_adapter(CONFIG, rank=2, rng=rng, targets=())
    other = lora.new_adapter(GPTConfig(23, 7, 24, 2, 3), rank=2, rng=rng)
    with pytest.raises(OptionError, match="belongs to another base"):
        random_base().use(other)
