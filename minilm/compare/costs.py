"""Floating-point operations by formula, so that costs can be compared between machines.

A multiplication and an addition are two operations. Counted are the products of matrices, which
are nearly all of the work; what is done element by element (normalizing, activating, adding up) is
left out, as in Kaplan et al. 2020, "Scaling Laws for Neural Language Models", table 1. Going
backward through a product takes two products of the same size; where what lies below is frozen, it
takes the one for the weights, and where the weights are frozen, the one for what lies below.
"""

from __future__ import annotations

import math

from minilm.nn.parameters import Config, param_shapes


def forward(config: Config, tokens: int, length: float, *, head: int) -> float:
    """Return the operations of a transformer's forward pass.

    A layer has matrices of W entries, each used once a token (in GPT-2 W = 4 C^2 + 2 C I: attention
    and MLP), and attention compares each token with all T of its sequence twice (scores, then the
    mix of values), in H heads of D channels.

        tokens * (2 * L * W + 4 * L * T * H * D + 2 * C * head)

    Parameters
    ----------
    config : GPTConfig or LlamaConfig
    tokens : int
        All positions that are computed, padding included.
    length : float
        T, the length of a sequence.
    head : int
        Columns of the head: the vocabulary of a language model; 0 where one is not used.

    Examples
    --------
    >>> from minilm.nn.config import GPTConfig
    >>> forward(GPTConfig(512, 32, 64, 2, 2), tokens=1, length=32, head=512)
    278528.0
    """
    matrices = (s for n, s in param_shapes(config).items() if n.startswith(config.layers))
    weights = sum(math.prod(shape) for shape in matrices if len(shape) == 2)
    pairs = config.n_layer * length * config.n_head * config.head_size
    return float(tokens * (2 * weights + 4 * pairs + 2 * config.n_embd * head))


def regression(rows: int, width: int, classes: int, iterations: int) -> float:
    """Return the operations of fitting a softmax regression: forward and backward each iteration.

    >>> regression(rows=100, width=10, classes=2, iterations=5)
    40000.0
    """
    return float(4 * rows * width * classes * iterations)


def averaging(tokens: int, width: int) -> float:
    """Return the operations of weighted means of word vectors: a product and a sum a component."""
    return float(2 * tokens * width)


def word_vectors(pairs: int, vocabulary: int, dimensions: int | None, passes: int) -> float:
    """Return the operations of factorizing co-occurrence counts; counting itself is of integers.

    A pass of the randomized SVD multiplies the sparse matrix, which stores this many pairs, with R
    columns and makes V x R columns orthonormal (Halko et al. 2011, section 4.5):

        passes * (2 * pairs * R + 2 * V * R^2)
    """
    if dimensions is None:
        return float(2 * pairs)
    return float(passes * (2 * pairs * dimensions + 2 * vocabulary * dimensions**2))


def money(seconds: float, price_per_hour: float) -> float:
    """Return what this many seconds of one machine cost.

    >>> money(1800, 0.5)
    0.25
    """
    return seconds / 3600 * price_per_hour
