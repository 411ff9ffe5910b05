"""Llama's operations: gradients in float64, plain forms, and what they reduce to."""

from __future__ import annotations

import numpy as np
import pytest
from closeness import assert_close

from minilm.nn import functional as F
from minilm.nn import gradcheck


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


ANGLES = F.rotary_angles(np.arange(3.0, 8.0), np.array([1.0, 0.3]))
KEEP = (np.random.default_rng(4).random((2, 4, 5, 5)) > 0.3) / 0.7

PAIRS = {
    "rms_norm": (
        F.rms_norm,
        F.rms_norm_backward,
        {"x": 3 * normal(1, 2, 3, 5) + 1, "gain": normal(2, 5)},
    ),
    "rotary": (lambda x: F.rotary(x, *ANGLES), F.rotary_backward, {"x": normal(1, 2, 3, 5, 4)}),
    "silu": (F.silu, F.silu_backward, {"x": 4 * normal(1, 3, 5)}),
    "swiglu": (F.swiglu, F.swiglu_backward, {"gate": 2 * normal(1, 3, 5), "up": normal(2, 3, 5)}),
    "grouped_query_attention": (
        F.grouped_query_attention,
        F.grouped_query_attention_backward,
        {"q": normal(1, 2, 4, 5, 6), "k": normal(2, 2, 2, 5, 6), "v": normal(3, 2, 2, 5, 6)},
    ),
    "grouped_query_attention, fewer queries": (
        F.grouped_query_attention,
        F.grouped_query_attention_backward,
        {"q": normal(1, 2, 4, 2, 6), "k": normal(2, 2, 1, 5, 6), "v": normal(3, 2, 1, 5, 6)},
    ),
    "grouped_query_attention, dropout": (
        lambda q, k, v: F.grouped_query_attention(q, k, v, KEEP.astype(q.dtype)),
        F.grouped_query_attention_backward,
        {"q": normal(1, 2, 4, 5, 6), "k": normal(2, 2, 2, 5, 6), "v": normal(3, 2, 2, 5, 6)},
    ),
}
every_pair = pytest.mark.parametrize("name", PAIRS)


@every_pair
def test_gradient_is_right_along_directions_and_entry_by_entry(name: str) -> None:
    forward, backward, arguments = PAIRS[name]
    y, cache = forward(**arguments)
    upstream = normal(77, *y.shape)
    found = backward(upstream, cache)
    found = found if isinstance(found, tuple) else (found,)
    gradients = dict(zip(arguments, found, strict=True))
    function = gradcheck.against(forward, upstream)
    rng = np.random.default_rng(5)
    assert gradcheck.directional_error(function, arguments, gradients, rng=rng) < 1e-9
    assert gradcheck.element_errors(function, arguments, gradients, tolerance=1e-7) == []


@every_pair
def test_dtype_is_kept_and_nothing_is_written_to(name: str) -> None:
    forward, backward, arguments = PAIRS[name]
    single = {key: value.astype(np.float32) for key, value in arguments.items()}
    if name == "rotary":
        cos, sin = (part.astype(np.float32) for part in ANGLES)
        y, cache = F.rotary(single["x"], cos, sin)
    else:
        y, cache = forward(**single)
    before = {key: value.copy() for key, value in single.items()}
    upstream = normal(77, *y.shape).astype(np.float32)
    first = backward(upstream, cache)
    second = backward(upstream, cache)
    first, second = (g if isinstance(g, tuple) else (g,) for g in (first, second))
    assert y.dtype == np.float32
    assert {g.dtype for g in first} == {np.dtype(np.float32)}
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    for key, value in before.items():
        np.testing.assert_array_equal(single[key], value)


def test_rms_norm_of_plain_form() -> None:
    x, gain = normal(1, 4, 6), normal(2, 6)
    expected = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-5) * gain
    assert_close(F.rms_norm(x, gain)[0], expected, 1e-12)


def test_large_inputs_of_silu_do_not_overflow() -> None:
    x = np.array([-1e4, -90.0, 90.0, 1e4], np.float32)
    np.testing.assert_allclose(F.silu(x)[0], [0, 0, 90, 1e4])
    assert np.isfinite(F.silu_backward(np.ones_like(x), F.silu(x)[1])).all()


def test_products_of_turned_queries_and_keys_depend_on_the_distance_only() -> None:
    q, k = normal(1, 1, 8), normal(2, 1, 8)
    frequencies = 100.0 ** (-np.arange(0, 8, 2) / 8)

    def product(at: float, and_at: float) -> float:
        turned = [
            F.rotary(x, *F.rotary_angles(np.array([p]), frequencies))[0]
            for x, p in ((q, at), (k, and_at))
        ]
        return float(np.vdot(*turned))

    assert product(5, 3) == pytest.approx(product(105, 103), rel=1e-10)
    assert product(5, 3) != pytest.approx(product(5, 4), rel=1e-3)
    assert product(0, 0) == pytest.approx(float(np.vdot(q, k)), rel=1e-12)


def test_grouped_attention_is_attention_with_repeated_keys() -> None:
    q, k, v = normal(1, 2, 6, 5, 4), normal(2, 2, 2, 5, 4), normal(3, 2, 2, 5, 4)
    repeated = (np.repeat(x, 3, axis=1) for x in (k, v))
    expected, cache = F.attention(q, *repeated)
    y, grouped = F.grouped_query_attention(q, k, v)
    assert_close(y, expected, 1e-12)
    dy = normal(4, *y.shape)
    dq, dk, dv = F.attention_backward(dy, cache)
    found = F.grouped_query_attention_backward(dy, grouped)
    summed = (x.reshape(2, 2, 3, 5, 4).sum(axis=2) for x in (dk, dv))
    for one, other in zip(found, (dq, *summed), strict=True):
        assert_close(one, other, 1e-12)


def test_a_replaced_operation_is_seen_inside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    q, k, v = normal(1, 1, 2, 3, 4), normal(2, 1, 1, 3, 4), normal(3, 1, 1, 3, 4)
    before = F.grouped_query_attention(q, k, v)[0]
    monkeypatch.setattr(F, "softmax", lambda x: (np.zeros_like(x), (x,)))
    assert (F.grouped_query_attention(q, k, v)[0] == 0).all()
    assert (before != 0).any()
