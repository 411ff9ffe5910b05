"""The bets of a class: who had how many pairs of conditions right.

A pair counts when the comparison can tell its conditions apart, and it counts for everybody: all
conditions that anybody bet on are compared with each other once. A pair that a bet leaves out is
not right; who has fewer wrong is ahead of others with as many right.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from minilm import files
from minilm.compare import store
from minilm.compare.report import bets
from minilm.compare.report.bets import Pair
from minilm.compare.report.results import Results
from minilm.errors import InputError, OptionError

_MOST_BYTES = 1 << 20
_COLUMNS = ("student", "order")


@dataclass(frozen=True)
class ClassBets:
    """The bets of a class, as they are kept.

    Attributes
    ----------
    orders : dict
        By student the conditions, the best first.
    unreadable : list of str
        The rows that are no bets, each with its line and the reason.
    after : bool
        Whether they came in after the runs.
    """

    orders: dict[str, list[str]]
    unreadable: list[str]
    after: bool = False


@dataclass(frozen=True)
class Row:
    """One bet on the scoreboard.

    Attributes
    ----------
    rank : int
        1 is the best; equal bets share a rank, and the next ranks are left out.
    student : str
    order : list of str
    right, wrong, left_out : int
        Of the pairs that count.
    """

    rank: int
    student: str
    order: list[str]
    right: int
    wrong: int
    left_out: int


@dataclass(frozen=True)
class Scoreboard:
    """How the bets of a class fared.

    Attributes
    ----------
    rows : list of Row
        By rank, then by name.
    pairs : list of Pair
        All pairs of the conditions, the better one first where one is better.
    budget : int
        The number of labels it is about.
    """

    rows: list[Row]
    pairs: list[Pair]
    budget: int

    @property
    def decided(self) -> list[Pair]:
        """The pairs that count."""
        return [pair for pair in self.pairs if pair.outcome != "cannot tell"]


def is_table(text: str) -> bool:
    """Return whether what was given to --predict is a table of bets and not a bet."""
    return text.lower().endswith((".csv", ".tsv"))


def from_table(path: Path, names: Sequence[str], *, after: bool = False) -> ClassBets:
    """Read a table with a row for each bet: columns student and order.

    Parameters
    ----------
    path : Path
        Values are separated by commas, semicolons or tabs. An order is like "a > b > c".
    names : sequence of str
        The conditions.
    after : bool
        Whether the runs are done.

    Raises
    ------
    InputError
        When it is no such table, or no row of it is a bet.
    """
    text = files.read_text(path, max_bytes=_MOST_BYTES).removeprefix("\ufeff")
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    orders: dict[str, list[str]] = {}
    unreadable: list[str] = []
    try:
        heads = [name.strip().casefold() for name in next(rows, [])]
        if not set(_COLUMNS) <= set(heads):
            raise InputError('needs a first line with the columns "student" and "order"', path, 1)
        student_at, order_at = map(heads.index, _COLUMNS)
        line = rows.line_num + 1
        for row in rows:
            if any(value.strip() for value in row):
                try:
                    if any(value.strip() for value in row[len(heads) :]):
                        raise OptionError(
                            f"has {len(row)} values, and the first line names {len(heads)}; "
                            'quote the order, as in Ada,"a > b"'
                        )
                    student, order = _bet(row, student_at, order_at, names, orders)
                    orders[student] = order
                except OptionError as error:
                    unreadable.append(f"line {line}: {error}".replace("--predict: ", ""))
            line = rows.line_num + 1
    except csv.Error as error:
        raise InputError(f"not a table of values: {error}", path, rows.line_num) from None
    if not orders:
        why = f" ({unreadable[0]})" if unreadable else ""
        raise InputError(f'no row is a bet{why}; write one like: Ada,"a > b > c"', path)
    return ClassBets(orders, unreadable, after)


def _bet(
    row: Sequence[str],
    student_at: int,
    order_at: int,
    names: Sequence[str],
    before: dict[str, list[str]],
) -> tuple[str, list[str]]:
    """Return the student and the order of a row; OptionError says what is wrong with it."""
    student = " ".join(row[student_at].split()) if student_at < len(row) else ""
    if not student:
        raise OptionError("names no student")
    if student in before:
        raise OptionError(f"{student} has bet already; the first bet counts")
    order = row[order_at] if order_at < len(row) else ""
    if not order.strip():
        raise OptionError(f"{student} gives no order")
    return student, bets.parse(order, names)


def write(folder: Path, found: ClassBets) -> None:
    """Keep the bets of a class in the folder of their comparison."""
    rows = [{"student": student, "order": order} for student, order in found.orders.items()]
    content = {"bets": rows, "unreadable": found.unreadable, "after": found.after}
    files.write_json(folder / store.CLASS_BETS, content)


def read(folder: Path) -> ClassBets | None:
    """Return the bets of a class in a folder; None where none were made.

    Raises
    ------
    InputError
        When the file is damaged.
    """
    path = folder / store.CLASS_BETS
    if not path.exists():
        return None
    found = files.read_json(path)
    try:
        orders = {str(row["student"]): list(map(str, row["order"])) for row in found["bets"]}
        return ClassBets(orders, list(map(str, found["unreadable"])), bool(found["after"]))
    except (KeyError, TypeError):
        raise InputError("not the bets of a class; remove it", path) from None


def score(results: Results, found: ClassBets) -> Scoreboard | None:
    """Score the bets of a class; None where fewer than two of their conditions can be compared."""
    named = {name for order in found.orders.values() for name in order}
    together = bets.score(results, [name for name in results.names if name in named])
    if together is None:
        return None
    pairs = [_better_first(pair) for pair in together.pairs]
    decided = [(p.better, p.worse) for p in pairs if p.outcome != "cannot tell"]
    counted = []
    for student, order in found.orders.items():
        at = {name: i for i, name in enumerate(order)}
        sides = [at[a] < at[b] for a, b in decided if a in at and b in at]
        counted.append((student, order, sum(sides), len(sides) - sum(sides)))
    rows = [
        Row(
            1 + sum((other, -bad) > (right, -wrong) for _, _, other, bad in counted),
            student,
            order,
            right,
            wrong,
            len(decided) - right - wrong,
        )
        for student, order, right, wrong in counted
    ]
    rows.sort(key=lambda row: (row.rank, row.student.casefold(), row.student))
    return Scoreboard(rows, pairs, together.budget)


def _better_first(pair: Pair) -> Pair:
    if pair.outcome != "wrong":
        return pair
    low, high = -pair.high, -pair.low
    return Pair(pair.worse, pair.better, -pair.difference, low, high, "right")


def sentences(found: ClassBets, board: Scoreboard | None) -> list[str]:
    """Return how the bets of a class fared, in words; the most important first."""
    if board is None:
        return ["The bets could not be scored: too few of their conditions have results."]
    many, decided = len(board.pairs), len(board.decided)
    if not decided:
        text = (
            f"None of the {many} pairs of the conditions differ clearly: nobody was right, and "
            "nobody wrong."
        )
    else:
        first = [row for row in board.rows if row.rank == 1]
        names = [row.student for row in first]
        who = f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]
        if len(names) > 4:
            who = f"{len(names)} of {len(board.rows)} bets"
        best = first[0].right
        text = f"{who} {'have' if names[1:] else 'has'} the most pairs right: {best} of {decided}."
        if not best:
            text = f"Nobody has a pair right, of {decided}."
        if decided < many:
            text += f" The other {many - decided} pairs are too close to call and do not count."
    said = [text]
    if found.after:
        said.append("These bets were added after the runs.")
    return said
