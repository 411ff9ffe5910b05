"""Kata 10.3  Many comparisons

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 10.3    or on every save: minilm kata watch
    minilm kata read 10.3     the page
    minilm kata hint 10.3     a hint
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from minilm.compare.statistics import Difference, Verdict
from minilm.errors import OptionError

LEVEL = 0.05
Z = NormalDist().inv_cdf(1 - LEVEL / 2)  # 1.96 to three digits; use this one


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust the p-values of a family of m tests so that any false claim in it stays at its level.

    Parameters
    ----------
    p_values : sequence of float
        In any order; there may be none.

    Returns
    -------
    list of float
        The adjusted values, in the order of `p_values`. A smaller p-value never gets a larger
        adjusted one, and none is above 1.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6(2).
    """
    raise NotImplementedError("not written yet")


def verdict(difference: Difference, adjusted_p: float) -> Verdict:
    """Say in words what a difference shows at the 5 % level.

    A claim needs both: an interval that leaves out zero, and an adjusted p of LEVEL or less.

    Parameters
    ----------
    difference : Difference
        Condition minus baseline: `difference.difference`, and its interval, `difference.low` to
        `difference.high`. Its own p, `difference.p`, is not adjusted.
    adjusted_p : float
        Its p-value after `holm`.

    Returns
    -------
    "better", "worse" or "cannot tell"
    """
    raise NotImplementedError("not written yet")


def resolvable_difference(
    items: int, seeds: int = 1, *, disagreement: float = 0.5, correlation: float = 0.2
) -> float:
    """Return the difference in accuracy that a test set of this size can tell from zero at 95 %.

    Parameters
    ----------
    items : int
        N, the size of the test set.
    seeds : int, default 1
        S, the runs of each condition on it.
    disagreement : float, default 0.5
        q, how often exactly one of the two conditions is right: the variance of a paired outcome,
        which is -1, 0 or 1, near a difference of zero.
    correlation : float, default 0.2
        r, between the S outcomes of one item; 1 means that more seeds tell nothing new.

    Raises
    ------
    OptionError
        When there are no items or no seeds.

    References
    ----------
    McNemar (1947), Note on the sampling error of the difference between correlated proportions,
    Psychometrika 12(2). Kish (1965), Survey Sampling, section 5.4, for the design effect.
    """
    raise NotImplementedError("not written yet")
