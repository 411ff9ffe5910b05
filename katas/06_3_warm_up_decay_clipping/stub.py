"""Kata 6.3  Warm-up, decay, clipping

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 6.3    or on every save: minilm kata watch
    minilm kata read 6.3     the page
    minilm kata hint 6.3     a hint
"""

from __future__ import annotations

import math

from minilm.errors import OptionError


def warmup_decay(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """Return the learning rate of a step: a linear rise, then a fall.

    The rise takes `warmup` steps, in equal parts. Step 0 has the first of them, which is not zero,
    and step `warmup - 1` has `peak`. Step `warmup` has `peak` too: there the fall starts. It would
    reach `floor` at step `total`, the first one after the run.

    Parameters
    ----------
    step : int
        From 0 to total - 1; later steps have `floor`.
    peak, floor : float
    warmup, total : int
        Numbers of steps. `warmup` may be 0 (no rise), and may be as large as `total` (no fall).
    shape : {"cosine", "linear", "constant"}
        How it falls: half a cosine, a straight line, or not at all.

    Raises
    ------
    OptionError
        When a step after the rise is asked for and the shape is another one.

    References
    ----------
    I. Loshchilov and F. Hutter (2017), "SGDR: Stochastic Gradient Descent with Warm Restarts",
    equation 5.

    Examples
    --------
    >>> [warmup_decay(s, peak=1.0, warmup=2, total=6, shape="linear") for s in range(7)]
    [0.5, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    raise NotImplementedError("not written yet")


def clip_factor(norm: float, largest: float) -> float:
    """Return the factor that brings a gradient's norm down to at most `largest`.

    A gradient that is short enough stays as it is. Where something is divided by the norm, 1e-6 is
    added to it first, as in PyTorch's `clip_grad_norm_`.

    Parameters
    ----------
    norm : float
        The Euclidean length of the whole gradient, of all parameters together; 0 or more.
    largest : float
        The largest length that it may have; above 0.

    References
    ----------
    R. Pascanu, T. Mikolov and Y. Bengio (2013), "On the difficulty of training recurrent neural
    networks", algorithm 1.

    Examples
    --------
    >>> clip_factor(0.5, 1.0)
    1.0
    >>> round(clip_factor(4.0, 1.0), 6)
    0.25
    """
    raise NotImplementedError("not written yet")
