"""Kata 7.2  Sampling: temperature, top-k, top-p

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 7.2    or on every save: minilm kata watch
    minilm kata read 7.2     the page
    minilm kata hint 7.2     a hint
"""

from __future__ import annotations

import numpy as np

from minilm.arrays import Array


def token_probabilities(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Array:
    """Return the probability of each token to be chosen.

    The temperature comes first, then top-k, then top-p of what is left.

    Parameters
    ----------
    logits : ndarray of shape (V,)
        float32 or float64; stays as it is.
    temperature : float
        0 or more: higher is more random. At 0 the likeliest token has all of the probability; of
        several, the one with the lowest id.
    top_k : int, optional
        At least 1, and perhaps more than there are tokens. The k likeliest tokens stay, and with
        them those that are exactly as likely as the last of the k.
    top_p : float, optional
        Above 0 and at most 1. The likeliest tokens stay, as few as have this probability together;
        of equally likely ones, those with lower ids come first.

    Returns
    -------
    ndarray of shape (V,), float64
        They sum to one; tokens that cannot be chosen have zero.

    References
    ----------
    A. Fan, M. Lewis and Y. Dauphin (2018), "Hierarchical Neural Story Generation", section 5.4
    (top-k); A. Holtzman et al. (2020), "The Curious Case of Neural Text Degeneration", section 3.1
    (top-p).

    Examples
    --------
    >>> logits = np.log([0.5, 0.3, 0.2])
    >>> token_probabilities(logits, top_k=2)
    array([0.625, 0.375, 0.   ])
    >>> token_probabilities(logits, top_p=0.5)
    array([1., 0., 0.])
    """
    raise NotImplementedError("not written yet")
