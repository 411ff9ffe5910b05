"""Bets on the order of the conditions, made before the runs and scored after them.

A prediction made beforehand is worth more than an explanation found afterwards. Only pairs of
conditions that the comparison can tell apart count: a pair within chance has no right order.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from minilm import files
from minilm.compare import paired, statistics, store
from minilm.compare.report.results import Results
from minilm.errors import InputError, OptionError


@dataclass(frozen=True)
class Pair:
    """A pair of conditions in the order of the bet.

    Parameters
    ----------
    better, worse : str
        As it was bet.
    difference, low, high : float
        Accuracy of the first minus that of the second, and its 95 % interval.
    outcome : {"right", "wrong", "cannot tell"}
        What the comparison says of it.
    """

    better: str
    worse: str
    difference: float
    low: float
    high: float
    outcome: str


@dataclass(frozen=True)
class Score:
    """How a bet fared.

    Parameters
    ----------
    order : list of str
        The bet, the best first.
    actual : list of str
        The same conditions by their accuracy.
    budget : int
        The number of labels it is about.
    pairs : list of Pair
        All pairs of the conditions.
    """

    order: list[str]
    actual: list[str]
    budget: int
    pairs: list[Pair]

    @property
    def right(self) -> int:
        """How many pairs were bet rightly."""
        return sum(pair.outcome == "right" for pair in self.pairs)

    @property
    def decided(self) -> int:
        """How many pairs the comparison can tell apart."""
        return sum(pair.outcome != "cannot tell" for pair in self.pairs)

    @property
    def tau(self) -> float | None:
        """Kendall's tau over the decided pairs: 1 all right, -1 all wrong; None without any.

        References
        ----------
        Kendall (1938), A new measure of rank correlation, Biometrika 30.
        """
        return (2 * self.right - self.decided) / self.decided if self.decided else None


def parse(text: str, names: Sequence[str]) -> list[str]:
    """Return the order that a text such as "a > b > c" names, the best first.

    Parameters
    ----------
    text : str
        Names, or their numbers from 1, with > between them.
    names : sequence of str
        The conditions.

    Raises
    ------
    OptionError
        When one is unknown or appears twice, or there are fewer than two.

    Examples
    --------
    >>> parse("cooccurrence > 1", ["random", "cooccurrence"])
    ['cooccurrence', 'random']
    """
    order = []
    # As people and their spreadsheets write them: "Random" is random.
    folded = {name.casefold(): name for name in names}
    for part in (part.strip() for part in text.split(">")):
        part = part if part in names else folded.get(part.casefold(), part)
        if part.isdecimal() and 1 <= int(part) <= len(names):
            part = names[int(part) - 1]
        if part.lower().endswith((".xlsx", ".xls", ".ods", ".txt", ".json")):
            raise OptionError(f"--predict: {part!r}: save the bets of a class as a file .csv")
        if part not in names:
            raise OptionError(f"--predict: {part!r} is not one of {', '.join(names)}")
        if part in order:
            raise OptionError(f"--predict: {part} appears twice; name each condition once")
        order.append(part)
    if len(order) < 2:
        raise OptionError('--predict: a bet needs two conditions or more, such as "a > b"')
    return order


def ask(names: Sequence[str], *, terminal: TextIO | None = None) -> list[str]:
    """Ask the class for its bet until it is one.

    Parameters
    ----------
    names : sequence of str
        The conditions.
    terminal : text file, optional
        Where the answer is typed; by default standard input. Questions go to standard error.

    Raises
    ------
    OptionError
        When nobody can answer, or the answers end.
    """
    terminal = terminal if terminal is not None else sys.stdin
    if not terminal.isatty():
        raise OptionError(
            '--predict asks on a terminal, and there is none; bet with --predict "a > b > c"'
        )

    def say(text: str, end: str = "\n") -> None:
        print(text, end=end, file=sys.stderr, flush=True)

    say("Which condition will be the most accurate with the most labels?")
    for number, name in enumerate(names, start=1):
        say(f"  {number:>2}  {name}")
    while True:
        say("Your order, the best first (such as 3 > 1 > 2): ", end="")
        line = terminal.readline()
        if not line:
            raise OptionError('--predict: no bet was given; bet with --predict "a > b > c"')
        try:
            return parse(line, names)
        except OptionError as error:
            say(str(error).removeprefix("--predict: "))


def check(folder: Path) -> None:
    """Raise OptionError when the folder holds results: bets are made before them."""
    made = any((folder / name).exists() for name in (store.BET, store.CLASS_BETS))
    if made or store.holds_comparison(folder):
        raise OptionError(
            f"--predict: {folder} holds a comparison already, and bets are made before the first "
            "run; leave it out, or start again with --overwrite"
        )


def write(folder: Path, order: Sequence[str]) -> None:
    """Keep a bet in the folder of its comparison."""
    files.write_json(folder / store.BET, {"order": list(order)})


def read(folder: Path) -> list[str] | None:
    """Return the bet of a folder; None where none was made."""
    path = folder / store.BET
    if not path.exists():
        return None
    found = files.read_json(path)
    order = found.get("order") if isinstance(found, dict) else None
    if not isinstance(order, list) or not all(isinstance(name, str) for name in order):
        raise InputError('is not a bet such as {"order": ["a", "b"]}; remove it', path)
    return order


def score(results: Results, order: Sequence[str]) -> Score | None:
    """Score a bet on the task's own test part at the largest budget.

    Every pair is compared by the paired bootstrap of `statistics`, corrected after Holm for the
    number of pairs.

    Parameters
    ----------
    results : Results
        With predictions.
    order : sequence of str
        Conditions, the best first; those without results are left out.

    Returns
    -------
    Score or None
        None where fewer than two of the conditions can be compared.
    """
    budget = results.budgets[-1]
    runs = results.main_runs(budget)
    # Where runs failed, draws are missing, and what remains cannot be paired.
    draws = max((len({seed for seed, _ in one.keys}) for one in runs.values()), default=0)
    order = [
        name for name in order if name in runs and len({s for s, _ in runs[name].keys}) == draws
    ]
    if len(order) < 2:
        return None
    pairs = list(itertools.combinations(order, 2))
    compared = paired.differences([(runs[a], runs[b]) for a, b in pairs])
    found = [(pair, one) for pair, one in zip(pairs, compared, strict=True) if one is not None]
    adjusted = statistics.holm([difference.p for _, difference in found])
    words = {"better": "right", "worse": "wrong", "cannot tell": "cannot tell"}
    scored = [
        Pair(a, b, d.difference, d.low, d.high, words[statistics.verdict(d, p)])
        for ((a, b), d), p in zip(found, adjusted, strict=True)
    ]
    actual = sorted(order, key=lambda name: -float(runs[name].right.mean()))
    return Score(list(order), actual, budget, scored)


def sentence(found: Score) -> str:
    """Return how a bet fared, in words."""
    if found.tau is None:
        return (
            f"None of the {len(found.pairs)} pairs of the bet differ clearly: nobody was right, "
            "and nobody wrong."
        )
    untold = len(found.pairs) - found.decided
    pairs = "pair" if found.decided == 1 else "pairs"
    rest = f"; the other {untold} are too close to call and do not count" if untold else ""
    return (
        f"Of {found.decided} {pairs} with a clear difference, the bet had {found.right} right "
        f"(Kendall's tau {found.tau:+.2f}){rest}."
    )
