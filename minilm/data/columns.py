"""Which columns of a table hold the text, the label and the split.

A column is used if the user names it (by name or by number), otherwise if it is the only one with a
usual name (text, review, ...; label, class, ...), otherwise if it is the only one left. When in
doubt, nothing is guessed. Conversations and nested values are refused, and the message says so.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from minilm.data import json_rows, quoting
from minilm.data.tables import PARTS, RESERVED, SPLIT, USUAL, Table, normalized
from minilm.errors import InputError, listed

_LISTED = 5  # columns that a message names

# Sets of columns in which conversations are kept, and what they are called.
_CONVERSATIONS = (
    (("messages",), "conversations (messages)"),
    (("conversations",), "conversations (conversations)"),
    (("conversation",), "conversations (conversation)"),
    (("prompt", "completion"), "conversations (prompt and completion)"),
    (("prompt", "response"), "conversations (prompt and response)"),
    (("prompt", "chosen", "rejected"), "preferences between answers (prompt, chosen, rejected)"),
    (("instruction", "output"), "instructions with answers (instruction, input, output)"),
    (("instruction", "response"), "instructions with answers (instruction and response)"),
    (("question", "answer"), "questions with answers (question and answer)"),
    (("question", "answers"), "questions with answers (question and answers)"),
)
_NESTED = ("messages", "conversations", "conversation")
# Those that `conversations.read_conversations` reads.
_LEARNED = (
    ("messages",),
    ("prompt", "completion"),
    ("instruction", "output"),
    ("question", "answer"),
)


@dataclass(frozen=True)
class Columns:
    """The columns that are read.

    Attributes
    ----------
    text : tuple of str
        Several are joined with spaces.
    label, split : str or None
    set_aside : tuple of str
        What else a person should know: columns without a name, or with nested values.
    """

    text: tuple[str, ...]
    label: str | None
    split: str | None
    set_aside: tuple[str, ...] = ()

    def text_of(self, row: dict[str, Any], table: Table, number: int) -> str:
        """Return the text of a row; empty where it has none.

        Raises
        ------
        InputError
            When a value is nested.
        """
        if len(self.text) == 1:
            return _string(row.get(self.text[0], ""), self.text[0], table, number)
        parts = (_string(row.get(name, ""), name, table, number) for name in self.text)
        return " ".join(part for part in parts if part.strip())

    def label_of(self, row: dict[str, Any], table: Table, number: int) -> str:
        """Return the label of a row; empty where it has none."""
        if self.label is None:
            return ""
        return _string(row.get(self.label, ""), self.label, table, number)

    def part_of(self, row: dict[str, Any], table: Table, number: int) -> str:
        """Return what a row's split column says, in lower case."""
        if self.split is None:
            return ""
        return normalized(_string(row.get(self.split, ""), self.split, table, number))

    def line(self, table: Table) -> str:
        """Return which columns are used, for one line of a report."""
        shown = [f"text from {_shown(self.text, table)}"]
        shown.append(f"label from {_shown((self.label,), table)}" if self.label else "no label")
        shown.append(f"split from {_shown((self.split,), table)}" if self.split else "no split")
        if not table.has_header:
            shown.insert(0, "no header (the first row is data)")
        if table.delimiter not in ",\t":
            shown.insert(0, f"separated by {table.delimiter!r}")
        return ", ".join([*shown, *self.set_aside])


def _string(value: Any, name: str, table: Table, number: int) -> str:
    if isinstance(value, str):
        return value
    kind = "a list" if isinstance(value, list) else "an object"
    raise json_rows.row_error(
        f"the column {reprlib.repr(name)} holds {kind}; write plain text into it",
        table.path,
        number,
    )


def _shown(names: Sequence[str], table: Table) -> str:
    shown = map(reprlib.repr, names) if table.has_header else names
    return f"column{'s' * (len(names) > 1)} {', '.join(shown)}"


def choose(
    table: Table,
    text: str | None = None,
    label: str | None = None,
    *,
    labels: Literal["needed", "optional"] = "optional",
) -> Columns:
    """Return the columns of a table that hold text, label and split.

    Parameters
    ----------
    table : Table
    text, label : str, optional
        Named by the user: a name, a number from 1, or several texts separated by commas.
    labels : {"needed", "optional"}
        Whether a label must be found. An optional one is used if a column has a usual name.

    Raises
    ------
    InputError
        When there is no such column or no single sensible choice, or when the table holds
        conversations or nested values.
    """
    texts = None if text is None else _named(table, text, "text")
    chosen_label = None
    if label is not None:
        found = _named(table, label, "label")
        if len(found) > 1:
            raise InputError(f"--label-column {label}: a label is in one column", table.path)
        chosen_label = found[0]
    split = _split(table, [*(texts or ()), chosen_label or ""])
    taken = [*(texts or ()), *([chosen_label] if chosen_label else []), *([split] if split else [])]
    free = [
        name for name in table.columns if name not in taken and normalized(name) not in RESERVED
    ]
    usual = {
        kind: [name for name in free if normalized(name) in names] for kind, names in USUAL.items()
    }
    if texts is None and len(_plain(table, usual["text"])) != 1:
        _refuse_conversations(table)
    if not table.has_header:
        free, usual = _by_values(table, free)
    if chosen_label is None:
        chosen_label = _label(table, free, usual, texts, needed=labels == "needed")
    if texts is None:
        rest = [name for name in free if name != chosen_label]
        texts = (_text(table, rest, usual),)
    aside = _set_aside(table, (*texts, chosen_label, split))
    return Columns(tuple(texts), chosen_label, split, aside)


def _named(table: Table, asked: str, kind: str) -> tuple[str, ...]:
    """Return the columns that the user means: a name, a number, or several with commas."""
    asked = str(asked)  # from Python, a number may be one
    if found := _one(table, asked):
        return (found,)
    parts = asked.split(",")
    names = [_one(table, part) for part in parts]
    for part, name in zip(parts, names, strict=True):
        if name is None:
            raise _complaint(table, kind, f"no column {reprlib.repr(part.strip())}")
    if len(set(names)) < len(names):
        raise InputError(f"--{kind}-column {asked}: a column is named twice", table.path)
    return tuple(name for name in names if name is not None)


def _one(table: Table, asked: str) -> str | None:
    """Return the column of this name, of this name in another case, or of this number."""
    if asked in table.columns:
        return asked
    alike = [name for name in table.columns if normalized(name) == normalized(asked)]
    if len(alike) == 1:
        return alike[0]
    number = asked.strip()
    if number.isdecimal() and 1 <= int(number) <= len(table.columns):
        return table.columns[int(number) - 1]
    return None


def _split(table: Table, taken: Sequence[str]) -> str | None:
    """Return the column named "split", or another one whose values can be nothing else."""
    found = [name for name in table.columns if normalized(name) == SPLIT]
    if not found:
        usual = (*taken, *USUAL["text"], *USUAL["label"])
        rest = [
            name for name in table.columns if name not in taken and normalized(name) not in usual
        ]
        found = [name for name in rest if _holds_parts(table, name)][:1]
    if len(found) > 1:
        both = " and ".join(map(reprlib.repr, found))
        raise InputError(f"the columns {both} both hold the split; remove one", table.path)
    return found[0] if found else None


def _holds_parts(table: Table, name: str) -> bool:
    """Return whether a column holds names of parts alone, and two of them at least."""
    values = {normalized(str(row.get(name, ""))) for _, row in table.sample}
    return all(value in PARTS for value in values) and len({PARTS[v] for v in values}) > 1


def _plain(table: Table, names: Sequence[str]) -> list[str]:
    return [name for name in names if name not in table.nested]


def _refuse_conversations(table: Table) -> None:
    present = {normalized(name): name for name in table.columns}
    for names, what in _CONVERSATIONS:
        if all(name in present for name in names):
            advice = (
                "write the text of each into a column 'text'"
                if names[0] in _NESTED
                else f"to learn from the words alone, use --text-column {','.join(names)}"
            )
            if names in _LEARNED and (names[0] not in _NESTED or not table.header):
                advice = f"minilm finetune --conversations FILE learns the replies; or {advice}"
            raise InputError(f"these are {what}, not texts or labels; {advice}", table.path)


def _label(
    table: Table,
    free: Sequence[str],
    usual: dict[str, list[str]],
    texts: Sequence[str] | None,
    *,
    needed: bool,
) -> str | None:
    if len(usual["label"]) == 1 and (needed or usual["label"][0] not in table.nested):
        return usual["label"][0]
    if not needed:
        return None
    if usual["label"]:
        raise _complaint(table, "label", "more than one column may hold the label")
    rest = [name for name in free if name not in usual["text"]]
    if texts is None and not usual["text"] and len(rest) > 1:
        # Neither has a usual name, so there is no way to know which is which.
        raise _complaint(table, "text", "more than one column may hold the text")
    if len(rest) == 1 and (texts is not None or usual["text"]):
        return rest[0]
    count = "more than one column" if len(rest) > 1 else "no column"
    raise _complaint(table, "label", f"{count} may hold the label")


def _text(table: Table, rest: Sequence[str], usual: dict[str, list[str]]) -> str:
    found = usual["text"] or [name for name in rest if name not in usual["label"]]
    plain = _plain(table, found)
    nested = [name for name in rest if name in table.nested]
    if len(plain) == 1 and (usual["text"] or not nested):
        return plain[0]
    if nested and len(plain) <= 1:
        name = nested[0]
        raise InputError(
            f"the column {reprlib.repr(name)} holds {table.nested[name]}, which are not read; "
            "write plain text into it, or name another column with --text-column",
            table.path,
        )
    count = "more than one column" if plain else "no column"
    raise _complaint(table, "text", f"{count} may hold the text")


def _by_values(table: Table, free: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the columns of a table without a header that may be used, and what they look like.

    A column of numbers, or of a few values that repeat, is a label. An index that counts up is
    neither a label nor a text. The others are texts.
    """
    kept: list[str] = []
    usual: dict[str, list[str]] = {"text": [], "label": []}
    for name in free:
        values = [row.get(name, "").strip() for _, row in table.sample]
        if _counts_up(values):
            continue
        kept.append(name)
        short = all(len(value) <= 40 for value in values)
        again = len(set(values)) <= max(1, len(values) // 2)
        is_label = all(map(quoting.is_number, values)) or (short and again)
        usual["label" if is_label else "text"].append(name)
    return kept, usual


def _counts_up(values: Sequence[str]) -> bool:
    """Return whether values are whole numbers, each one more than the last."""
    if len(values) < 3 or not all(value.isdecimal() for value in values):
        return False
    numbers = list(map(int, values))
    return all(b == a + 1 for a, b in pairwise(numbers))


def _set_aside(table: Table, taken: Sequence[str | None]) -> tuple[str, ...]:
    aside = []
    if table.unnamed:
        plural = "s" * (table.unnamed > 1)
        aside.append(f"{table.unnamed} column{plural} without a name set aside")
    nested = [name for name in table.nested if name not in taken]
    if nested:
        aside.append(f"nested values set aside ({listed(nested, _LISTED)})")
    return tuple(aside)


def _complaint(table: Table, kind: str, what: str) -> InputError:
    """Return the error that names the columns and the option; and what to do without a header."""
    columns = table.columns
    there = f"(there are: {listed(columns, _LISTED)})"
    option = "--label-column" if kind == "label" else "--text-column"
    if not table.has_header:
        several = ", several as in 2,3" if kind == "text" and len(columns) > 2 else ""
        return InputError(
            f"no header, and {what}; number it with {option}{several} {there}",
            table.path,
            1,
        )
    is_csv = table.path.suffix.lower() in (".csv", ".tsv")
    usual = any(normalized(name) in names for names in USUAL.values() for name in columns)
    header = "" if usual or not is_csv else "; if the first line is data, add --no-header"
    several = ", or several with commas" if kind == "text" and len(columns) > 2 else ""
    return InputError(
        f"{what}; name it with {option}{several} {there}{header}",
        table.path,
        1 if is_csv else None,
    )
