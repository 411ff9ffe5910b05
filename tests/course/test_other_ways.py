"""Learners write otherwise than the library: other right ways pass, wrong ones are named."""

import math

import numpy as np
import pytest

from minilm.course import catalog, checking
from minilm.embeddings import similarity
from minilm.embeddings.sparse import SparseMatrix
from minilm.errors import OptionError
from minilm.nn import functional as F

KATAS = {kata.number: kata for kata in catalog.all_katas()}


def rows(x):
    return x.reshape(-1, x.shape[-1])


def attention_by_einsum(scale, keep_on_the_way=True):
    def attention_backward(dy, cache):
        q, k, v, weights, keep = cache
        kept = weights if keep is None else weights * keep
        dweights = np.einsum("bhsd,bhtd->bhst", dy, v)
        if keep is not None and keep_on_the_way:
            dweights = dweights * keep
        dscores = F.softmax_backward(dweights, (weights,)) * scale(q.shape[-1])
        return (
            np.einsum("bhst,bhtd->bhsd", dscores, k),
            np.einsum("bhst,bhsd->bhtd", dscores, q),
            np.einsum("bhst,bhsd->bhtd", kept, dy),
        )

    return attention_backward


def attention_by_loops(dy, cache):
    q, k, v, weights, keep = cache
    dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    for b, h, s in np.ndindex(q.shape[:3]):
        w = weights[b, h, s]
        dropped = np.ones_like(w) if keep is None else keep[b, h, s]
        dv[b, h] += np.outer(w * dropped, dy[b, h, s])
        jacobian = np.diag(w) - np.outer(w, w)
        dscores = jacobian @ (v[b, h] @ dy[b, h, s] * dropped) / math.sqrt(q.shape[-1])
        dq[b, h, s] = dscores @ k[b, h]
        dk[b, h] += np.outer(dscores, q[b, h, s])
    return dq, dk, dv


def linear_by_einsum(x, weight, bias):
    return np.einsum("...i,io->...o", x, weight) + bias, (x, weight)


def linear_backward_by_loops(dy, cache):
    x, weight = cache
    dweight, dbias = np.zeros_like(weight), np.zeros_like(weight[0])
    for one, d in zip(rows(x), rows(dy), strict=True):
        dweight += np.outer(one, d)
        dbias += d
    return dy @ weight.T, dweight, dbias


def linear_as_in_pytorch(x, weight, bias):
    return np.dot(x, weight.T) + bias, (x, weight)


def linear_means(dy, cache):
    x, weight = cache
    count = len(rows(x))
    dweight = sum(np.outer(a, d) for a, d in zip(rows(x), rows(dy), strict=True)) / count
    return dy @ weight.T, dweight, rows(dy).mean(axis=0)


def softmax_unshifted(x):
    y = np.exp(x)
    y = y / np.sum(y, axis=-1)[..., None]
    return y, (y,)


def softmax_backward_by_jacobian(dy, cache):
    (y,) = cache
    jacobian = y[..., :, None] * (np.eye(y.shape[-1], dtype=y.dtype) - y[..., None, :])
    return (jacobian @ dy[..., None])[..., 0]


def masked_cross_entropy(divide_by_all=False):
    def cross_entropy(logits, targets, ignore_index=-100):
        shifted = logits - logits.max(axis=-1, keepdims=True)
        logarithms = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        counted = targets != ignore_index
        if counted.sum() == 0:
            raise OptionError("nothing counts")
        picked = np.take_along_axis(logarithms, np.where(counted, targets, 0)[..., None], -1)[
            ..., 0
        ]
        divisor = counted.size if divide_by_all else counted.sum()
        loss = -(picked * counted).sum() / divisor
        return loss, (np.exp(logarithms), targets, ignore_index)

    return cross_entropy


def adamw_in_other_order(corrected=True):
    def adamw(p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), **others):
        mean = mean + (1 - betas[0]) * (g - mean)
        square = square + (1 - betas[1]) * (g * g - square)
        shares = [1 - beta**step for beta in betas] if corrected else (1.0, 1.0)
        p = p - learning_rate * others.get("weight_decay", 0.0) * p
        size = (square / shares[1]) ** 0.5 + others.get("epsilon", 1e-8)
        p -= learning_rate * (mean / shares[0]) / size
        return p, mean, square

    return adamw


def cosine_by_lengths(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    lengths = [np.linalg.norm(x, axis=1) for x in (a, b)]
    for length in lengths:
        length[length == 0] = 1
    return a @ b.T / np.outer(*lengths)


def nearest_by_sorted(query, vectors, top, exclude=()):
    scores = similarity.cosine(query[None], vectors)[0].round(6)
    hits = [(i, float(score)) for i, score in enumerate(scores) if i not in exclude]
    return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:top]


def nearest_reversed(query, vectors, top, exclude=()):
    hits = nearest_by_sorted(query, vectors, len(vectors), exclude)
    return sorted(hits, key=lambda hit: (hit[1], hit[0]))[::-1][:top]


def dense_ppmi(smooth_words=False):
    def ppmi(counts, smoothing=0.75):
        if smoothing <= 0 or smoothing > 1:
            raise OptionError("smoothing")
        dense = counts.dense(np.float64)
        words, contexts = dense.sum(axis=1), dense.sum(axis=0)
        if smooth_words:
            words = words**smoothing
        else:
            contexts = contexts**smoothing
        with np.errstate(all="ignore"):
            expected = np.outer(words / words.sum(), contexts / contexts.sum())
            values = np.log(dense / dense.sum() / expected)
        values = np.where(np.isfinite(values) & (values > 0), values, 0.0)
        keys = np.flatnonzero(values)
        return SparseMatrix(keys, values.reshape(-1)[keys], counts.size)

    return ppmi


def low_rank_backward_by_axes(dy, cache):
    x, narrow, a, b, scaling = cache
    dnarrow = scaling * (dy @ b)
    axes = tuple(range(dy.ndim - 1))
    return dnarrow @ a, np.tensordot(dnarrow, x, (axes, axes)), rows(dy).T @ narrow


@pytest.mark.parametrize(
    ("number", "target", "function"),
    [
        ("2.2", "cosine", lambda a, b: np.clip(cosine_by_lengths(a, b), -1, 1)),
        ("2.2", "nearest", nearest_by_sorted),
        ("2.3", "ppmi", dense_ppmi()),
        ("4.2", "linear", linear_by_einsum),
        ("4.2", "linear_backward", linear_backward_by_loops),
        ("4.4", "softmax_backward", softmax_backward_by_jacobian),
        ("4.4", "cross_entropy", masked_cross_entropy()),
        ("5.3", "attention_backward", attention_by_einsum(lambda size: 1 / math.sqrt(size))),
        ("5.3", "attention_backward", attention_by_loops),
        ("6.2", "adamw", adamw_in_other_order()),
        ("8.3", "low_rank_backward", low_rank_backward_by_axes),
    ],
)
def test_another_right_way_passes(number, target, function):
    report = checking.check_functions(KATAS[number], {target: function})
    assert report.passed, report.failure


@pytest.mark.parametrize(
    ("number", "target", "function", "mistake"),
    [
        ("2.2", "cosine", cosine_by_lengths, "not_clipped"),
        ("2.2", "nearest", nearest_reversed, "ties_in_reverse_order"),
        ("2.3", "ppmi", dense_ppmi(smooth_words=True), "smoothed_words"),
        ("4.2", "linear", linear_as_in_pytorch, "weight_stored_output_first"),
        ("4.2", "linear_backward", linear_means, "mean_over_the_rows"),
        ("4.4", "softmax", softmax_unshifted, "exp_overflows"),
        ("4.4", "cross_entropy", masked_cross_entropy(divide_by_all=True), "divided_by_all_rows"),
        ("5.3", "attention_backward", attention_by_einsum(lambda size: 1), "scale_forgotten"),
        ("5.3", "attention_backward", attention_by_einsum(lambda size: 1 / size), "scale_twice"),
        (
            "5.3",
            "attention_backward",
            attention_by_einsum(lambda size: 1 / math.sqrt(size), keep_on_the_way=False),
            "dropout_forgotten_on_the_way_to_the_scores",
        ),
        (
            "5.3",
            "attention_backward",
            attention_by_einsum(lambda size: 1 / np.sqrt(size)),
            "float64_from_a_numpy_scalar",
        ),
        ("6.2", "adamw", adamw_in_other_order(corrected=False), "no_bias_correction"),
    ],
)
def test_a_mistake_written_in_another_way_is_named(number, target, function, mistake):
    report = checking.check_functions(KATAS[number], {target: function})
    assert report.failure.mistake == mistake, report.failure
