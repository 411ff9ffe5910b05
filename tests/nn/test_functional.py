"""Every op pair: against the slow obvious version, its gradient, its types, its inputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from closeness import assert_close

from minilm.errors import OptionError
from minilm.nn import functional as F
from minilm.nn import gradcheck

IDS = np.array([[3, 0, 3], [6, 3, 1]])
LENGTHS = np.array([4, 1, 3])


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def keep_factors(*shape: int) -> np.ndarray:
    return F.dropout_factors(shape, 0.3, np.dtype(np.float64), rng=np.random.default_rng(9))


@dataclass(frozen=True)
class Pair:
    """An op pair at a point: float arguments by name, the rest bound, all sizes distinct."""

    forward: Callable[..., tuple[Any, Any]]
    backward: Callable[..., Any]
    arguments: dict[str, np.ndarray]

    def gradients(self, upstream: Any, arguments: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        _, cache = self.forward(**arguments)
        found = self.backward(upstream, cache)
        found = found if isinstance(found, tuple) else (found,)
        return dict(zip(arguments, found, strict=True))


SOME_TARGETS = np.array([[3, -100, 6], [0, 3, -100]])

PAIRS = {
    "embedding": Pair(
        lambda weight: F.embedding(IDS, weight), F.embedding_backward, {"weight": normal(1, 7, 5)}
    ),
    "linear": Pair(
        F.linear,
        F.linear_backward,
        {"x": normal(1, 2, 3, 5), "weight": normal(2, 5, 4), "bias": normal(3, 4)},
    ),
    "project": Pair(
        F.unembed, F.unembed_backward, {"x": normal(1, 2, 3, 5), "weight": normal(2, 7, 5)}
    ),
    "gelu": Pair(F.gelu, F.gelu_backward, {"x": 2 * normal(1, 2, 3, 5)}),
    "layer_norm": Pair(
        F.layer_norm,
        F.layer_norm_backward,
        {"x": 3 * normal(1, 2, 3, 5) + 1, "gain": normal(2, 5), "bias": normal(3, 5)},
    ),
    "softmax": Pair(F.softmax, F.softmax_backward, {"x": normal(1, 2, 3, 5)}),
    "dropout": Pair(
        lambda x: F.dropout(x, 0.3, rng=np.random.default_rng(4)),
        F.dropout_backward,
        {"x": normal(1, 2, 3, 5)},
    ),
    "attention": Pair(
        F.attention,
        F.attention_backward,
        {"q": normal(1, 2, 3, 5, 4), "k": normal(2, 2, 3, 5, 4), "v": normal(3, 2, 3, 5, 4)},
    ),
    "attention, fewer queries": Pair(
        F.attention,
        F.attention_backward,
        {"q": normal(1, 2, 3, 2, 4), "k": normal(2, 2, 3, 5, 4), "v": normal(3, 2, 3, 5, 4)},
    ),
    "attention, dropout": Pair(
        lambda q, k, v: F.attention(q, k, v, keep_factors(2, 3, 5, 5).astype(q.dtype)),
        F.attention_backward,
        {"q": normal(1, 2, 3, 5, 4), "k": normal(2, 2, 3, 5, 4), "v": normal(3, 2, 3, 5, 4)},
    ),
    "multi_head_attention": Pair(
        lambda qkv: F.multi_head_attention(qkv, 3),
        F.multi_head_attention_backward,
        {"qkv": normal(1, 2, 5, 3 * 3 * 4)},
    ),
    "split_heads": Pair(
        lambda x: (F.split_heads(x, 3), None),
        lambda dy, cache: F.merge_heads(dy),
        {"x": normal(1, 2, 5, 12)},
    ),
    "merge_heads": Pair(
        lambda x: (F.merge_heads(x), None),
        lambda dy, cache: F.split_heads(dy, 3),
        {"x": normal(1, 2, 3, 5, 4)},
    ),
    "cross_entropy": Pair(
        lambda logits: F.cross_entropy(logits, SOME_TARGETS),
        F.cross_entropy_backward,
        {"logits": 2 * normal(1, 2, 3, 7)},
    ),
    "linear_cross_entropy": Pair(
        lambda x, weight: F.linear_cross_entropy(x, weight, SOME_TARGETS),
        F.linear_cross_entropy_backward,
        {"x": normal(1, 2, 3, 5), "weight": normal(2, 7, 5)},
    ),
    "mean_pool": Pair(
        lambda x: F.mean_pool(x, LENGTHS), F.mean_pool_backward, {"x": normal(1, 3, 4, 5)}
    ),
    "last_token_pool": Pair(
        lambda x: F.last_token_pool(x, LENGTHS),
        F.last_token_pool_backward,
        {"x": normal(1, 3, 4, 5)},
    ),
}

every_pair = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())


def upstream_for(y: np.ndarray) -> np.ndarray:
    return np.asarray(np.random.default_rng(77).standard_normal(np.shape(y)))


@every_pair
def test_gradient_is_right_along_directions_and_entry_by_entry(pair: Pair) -> None:
    upstream = upstream_for(pair.forward(**pair.arguments)[0])
    gradients = pair.gradients(upstream, pair.arguments)
    function = gradcheck.against(pair.forward, upstream)
    rng = np.random.default_rng(5)
    for _ in range(3):
        error = gradcheck.directional_error(function, pair.arguments, gradients, rng=rng)
        assert error < 1e-9
    assert gradcheck.element_errors(function, pair.arguments, gradients, tolerance=1e-8) == []


@every_pair
def test_inputs_caches_and_upstream_are_left_alone(pair: Pair) -> None:
    before = {name: value.copy() for name, value in pair.arguments.items()}
    y, cache = pair.forward(**pair.arguments)
    upstream = upstream_for(y)
    kept = upstream.copy()
    first = pair.backward(upstream, cache)
    second = pair.backward(upstream, cache)
    first, second = (r if isinstance(r, tuple) else (r,) for r in (first, second))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(upstream, kept)
    for name, value in pair.arguments.items():
        np.testing.assert_array_equal(value, before[name])


@every_pair
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_dtype_is_kept_and_float32_agrees_with_float64(pair: Pair, dtype: type) -> None:
    y, _ = pair.forward(**pair.arguments)
    upstream = upstream_for(y)
    exact = pair.gradients(upstream, pair.arguments)
    cast = {name: value.astype(dtype) for name, value in pair.arguments.items()}
    y_cast, _ = pair.forward(**cast)
    assert np.asarray(y_cast).dtype == dtype
    np.testing.assert_allclose(np.asarray(y_cast, np.float64), y, rtol=2e-5, atol=2e-6)
    for name, gradient in pair.gradients(upstream.astype(dtype), cast).items():
        assert gradient.dtype == dtype
        assert gradient.shape == pair.arguments[name].shape
        bound = 3e-6 * float(np.abs(exact[name]).max())
        np.testing.assert_allclose(np.asarray(gradient, np.float64), exact[name], atol=bound)


@every_pair
def test_half_precision_stays_half_precision(pair: Pair) -> None:
    cast = {name: value.astype(np.float16) for name, value in pair.arguments.items()}
    y, _ = pair.forward(**cast)
    assert np.asarray(y).dtype == np.float16
    for gradient in pair.gradients(np.ones(np.shape(y), np.float16), cast).values():
        assert gradient.dtype == np.float16


def test_gelu_and_layer_norm_follow_their_formulas() -> None:
    x = normal(1, 3, 5)
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    assert_close(F.gelu(x)[0], 0.5 * x * (1 + np.tanh(inner)), rtol=1e-13)
    gain, bias = normal(2, 5), normal(3, 5)
    y, _ = F.layer_norm(x, gain, bias, 1e-3)
    for row, out in zip(x, y, strict=True):
        expected = (row - row.mean()) / math.sqrt(row.var() + 1e-3) * gain + bias
        assert_close(out, expected, rtol=1e-12)


def slow_attention(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """One query at a time, over the keys that it may see."""
    batch, heads, queries, size = q.shape
    y = np.zeros(q.shape)
    for b in range(batch):
        for h in range(heads):
            for s in range(queries):
                seen = k.shape[2] - queries + s + 1
                scores = [float(q[b, h, s] @ k[b, h, t]) / math.sqrt(size) for t in range(seen)]
                weights = np.exp(np.array(scores) - max(scores))
                weights /= weights.sum()
                y[b, h, s] = sum(w * v[b, h, t] for t, w in enumerate(weights))
    return y


@pytest.mark.parametrize("queries", [1, 2, 5])
def test_attention_equals_the_slow_version(queries: int) -> None:
    q, k, v = normal(1, 2, 3, queries, 4), normal(2, 2, 3, 5, 4), normal(3, 2, 3, 5, 4)
    assert_close(F.attention(q, k, v)[0], slow_attention(q, k, v), rtol=1e-12)


def test_multi_head_attention_cuts_and_merges_the_channels_in_order() -> None:
    qkv = normal(1, 2, 5, 3 * 12)
    y, _ = F.multi_head_attention(qkv, 3)
    for head in range(3):
        own = slice(4 * head, 4 * head + 4)
        q, k, v = (part[:, None, :, own] for part in np.split(qkv, 3, axis=-1))
        assert_close(y[..., own], slow_attention(q, k, v)[:, 0], rtol=1e-12)


def test_no_position_sees_the_future() -> None:
    qkv = normal(1, 1, 6, 24)
    changed = qkv.copy()
    changed[0, 4:] = 99.0
    one, other = F.multi_head_attention(qkv, 2)[0], F.multi_head_attention(changed, 2)[0]
    np.testing.assert_array_equal(one[0, :4], other[0, :4])
    assert not np.allclose(one[0, 4:], other[0, 4:])


def test_attention_weights_are_in_the_cache_as_the_docstring_says() -> None:
    q, k, v = normal(1, 2, 3, 5, 4), normal(2, 2, 3, 5, 4), normal(3, 2, 3, 5, 4)
    y, (_, _, _, weights, keep) = F.attention(q, k, v)
    assert_close(weights.sum(axis=-1), 1.0, rtol=1e-12)
    assert (weights[..., np.triu_indices(5, 1)[0], np.triu_indices(5, 1)[1]] == 0).all()
    assert_close(weights @ v, y)
    assert keep is None


def test_softmax_and_cross_entropy_survive_large_scores() -> None:
    scores = np.array([[1000.0, 1001.0], [-np.inf, -5000.0]])
    assert_close(F.softmax(scores)[0], [[1 / (1 + math.e), math.e / (1 + math.e)], [0, 1]])
    loss, _ = F.cross_entropy(np.array([[1000.0, 0.0]]), np.array([1]))
    assert loss == 1000.0


def test_cross_entropy_is_the_mean_over_rows_that_count() -> None:
    logits = normal(1, 4, 7)
    targets = np.array([2, -1, 5, 2])
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    expected = -(log_probabilities[0, 2] + log_probabilities[2, 5] + log_probabilities[3, 2]) / 3
    loss, cache = F.cross_entropy(logits, targets, ignore_index=-1)
    assert loss == pytest.approx(expected, rel=1e-13)
    dlogits = F.cross_entropy_backward(2.0, cache)
    assert (dlogits[1] == 0).all()
    np.testing.assert_allclose(dlogits.sum(axis=-1), 0.0, atol=1e-15)


def test_cross_entropy_of_nothing_says_so() -> None:
    with pytest.raises(OptionError, match="all 2 targets are ignored"):
        F.cross_entropy(normal(1, 2, 3), np.array([-100, -100]))


def test_the_fused_head_is_the_head_and_the_loss_one_after_the_other() -> None:
    x, weight = 3 * normal(1, 2, 3, 5), normal(2, 7, 5)
    logits, head = F.unembed(x, weight)
    loss, cache = F.cross_entropy(logits, SOME_TARGETS)
    dx, dweight = F.unembed_backward(F.cross_entropy_backward(0.3, cache), head)
    fused, cache = F.linear_cross_entropy(x, weight, SOME_TARGETS)
    assert fused == pytest.approx(loss, rel=1e-13)
    for found in (F.linear_cross_entropy_backward(0.3, cache) for _ in range(2)):
        assert_close(found[0], dx, rtol=1e-12)
        assert_close(found[1], dweight, rtol=1e-12)
    found, none = F.linear_cross_entropy_backward(0.3, cache, frozen=True)
    assert none is None
    assert_close(found, dx, rtol=1e-12)


def test_the_fused_head_survives_large_scores_and_nothing_to_predict() -> None:
    x, weight = np.array([[1000.0]]), np.array([[1.0], [-1.0], [0.0]])
    loss, cache = F.linear_cross_entropy(x, weight, np.array([1]))
    assert loss == 2000.0
    dx, dweight = F.linear_cross_entropy_backward(1.0, cache)
    assert dx.tolist() == [[2.0]]
    assert dweight.tolist() == [[1000.0], [-1000.0], [0.0]]
    with pytest.raises(OptionError, match=r"all 1 targets are ignored \(-100\)"):
        F.linear_cross_entropy(x, weight, np.array([-100]))


def test_embedding_backward_adds_up_repeated_ids() -> None:
    dy = normal(1, 2, 3, 5)
    expected = np.zeros((7, 5))
    np.add.at(expected, IDS, dy)
    assert_close(F.embedding_backward(dy, (IDS, 7)), expected, rtol=1e-13)
    empty = F.embedding_backward(np.zeros((0, 5)), (np.zeros(0, int), 7))
    np.testing.assert_array_equal(empty, np.zeros((7, 5)))


def test_dropout_keeps_the_expected_value_and_its_share() -> None:
    x = np.ones((400, 500), np.float32)
    y, (keep,) = F.dropout(x, 0.2, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(np.unique(y), np.array([0, 1.25], np.float32))
    assert abs(float((y == 0).mean()) - 0.2) < 0.005
    again, _ = F.dropout(x, 0.2, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(y, again)
    np.testing.assert_array_equal(F.dropout_backward(x, (keep,)), keep)


def test_pooling_leaves_the_padding_out() -> None:
    x = normal(1, 3, 4, 5)
    mean, _ = F.mean_pool(x, LENGTHS)
    last, _ = F.last_token_pool(x, LENGTHS)
    for b, length in enumerate(LENGTHS):
        assert_close(mean[b], x[b, :length].mean(axis=0), rtol=1e-12)
        np.testing.assert_array_equal(last[b], x[b, length - 1])


def test_arrays_that_are_not_contiguous_work() -> None:
    x = normal(1, 5, 3, 2).T
    weight = normal(2, 4, 5).T
    y, cache = F.linear(x, weight, np.zeros(4))
    assert_close(y, np.einsum("bti,io->bto", x, weight))
    dx, dweight, _ = F.linear_backward(normal(3, 4, 3, 2).T, cache)
    assert dx.shape == x.shape
    assert dweight.shape == weight.shape


def test_a_learners_softmax_is_seen_inside_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = F.softmax

    def mine(x: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray]]:
        calls.append(x.shape)
        return original(x)

    monkeypatch.setattr(F, "softmax", mine)
    F.multi_head_attention(normal(1, 2, 5, 24), 2)
    assert calls == [(2, 2, 5, 5)]
