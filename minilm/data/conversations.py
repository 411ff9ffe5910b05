"""Conversations from files: who says what, in turn.

One is an object of a .json or .jsonl file, or a row of a .csv or .tsv file with columns of these
names (apart from `messages`), in one of the shapes that are in use:

    {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}
    {"prompt": "...", "completion": "..."}
    {"instruction": "...", "input": "...", "output": "..."}          input may be missing or empty
    {"question": "...", "answer": "..."}

The last three may have a `system` message too. In a .txt file it is a paragraph of lines that begin
with "Question:" and "Answer:" in turn.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minilm.data.lines import read_lines
from minilm.data.tables import Table, normalized
from minilm.errors import InputError, brief

ROLES = ("system", "user", "assistant")
_PAIRS = (("prompt", "completion"), ("question", "answer"), ("instruction", "output"))
_MARKS = (("Question:", "user"), ("Answer:", "assistant"))


@dataclass(frozen=True)
class Message:
    """One turn of a conversation.

    Attributes
    ----------
    role : {"system", "user", "assistant"}
    content : str
    """

    role: str
    content: str


Conversation = tuple[Message, ...]


def read_conversations(
    path: str | os.PathLike[str], *, encoding: str = "utf-8"
) -> list[tuple[int, Conversation]]:
    """Return the conversations of a file, each with its line (in .json: its number in the list).

    Raises
    ------
    InputError
        At the first one that cannot be learned from; the message names file and line.
    """
    path = Path(path)
    readers = {
        ".jsonl": _json_lines,
        ".json": _json_list,
        ".csv": _table,
        ".tsv": _table,
        ".txt": _paragraphs,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"conversations are read from {', '.join(readers)} files", path)
    found = []
    for line, messages in reader(path, encoding):
        if fault := _fault(messages):
            raise InputError(fault, path, line)
        found.append((line, messages))
    if not found:
        raise InputError("no conversation in it", path)
    return found


def _json_lines(path: Path, encoding: str) -> Iterator[tuple[int, Conversation]]:
    for number, line in enumerate(read_lines(path, encoding), 1):
        if line.strip():
            yield number, _messages(_parsed(line, path, number), path, number)


def _json_list(path: Path, encoding: str) -> Iterator[tuple[int, Conversation]]:
    content = _parsed("".join(read_lines(path, encoding)), path, None)
    if not isinstance(content, list):
        raise InputError("a list of conversations was expected", path)
    for number, item in enumerate(content, 1):
        yield number, _messages(item, path, number)


def _table(path: Path, encoding: str) -> Iterator[tuple[int, Conversation]]:
    for number, row in Table(path, encoding):
        columns = {normalized(name): value for name, value in row.items() if name.strip()}
        yield number, _messages(columns, path, number)


def _parsed(text: str, path: Path, line: int | None) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"damaged JSON, {error.msg}", path, line or error.lineno) from None
    except (ValueError, RecursionError):
        raise InputError("JSON with absurd numbers or nesting", path, line) from None


def _messages(item: Any, path: Path, line: int) -> Conversation:
    """Return the messages of one object, whichever of the shapes it has."""
    if not isinstance(item, dict):
        raise InputError(f"{brief(item)} is not a conversation; expected an object", path, line)
    shapes = [pair for pair in (("messages",), *_PAIRS) if item.keys() >= set(pair)]
    if len(shapes) > 1:
        both = " and ".join(map(" and ".join, shapes[:2]))
        raise InputError(f"it has {both}, which are two conversations; keep one", path, line)
    if "messages" in item:
        listed = item["messages"]
        if not isinstance(listed, list) or not all(isinstance(m, dict) for m in listed):
            raise InputError("messages is not a list of objects", path, line)
        return tuple(
            Message(
                _text(m.get("role"), "role", path, line),
                _text(m.get("content"), "content", path, line),
            )
            for m in listed
        )
    for asked, answered in _PAIRS:
        if asked in item and answered in item:
            question = _text(item[asked], asked, path, line)
            if asked == "instruction" and item.get("input"):
                question += "\n\n" + _text(item["input"], "input", path, line)
            answer = _text(item[answered], answered, path, line)
            turns = Message("user", question), Message("assistant", answer)
            if not item.get("system"):
                return turns
            return Message("system", _text(item["system"], "system", path, line)), *turns
    raise InputError(
        f"the names {brief(list(item))} are not those of a conversation; use messages, prompt and "
        "completion, instruction and output, or question and answer",
        path,
        line,
    )


def _text(value: Any, key: str, path: Path, line: int) -> str:
    if not isinstance(value, str):
        raise InputError(f"{key} is {brief(value)}; expected a text", path, line)
    return value


def _paragraphs(path: Path, encoding: str) -> Iterator[tuple[int, Conversation]]:
    messages: list[Message] = []
    start = 1
    for number, line in enumerate(read_lines(path, encoding), 1):
        text = line.strip()
        if not text:
            if messages:
                yield start, tuple(messages)
            messages, start = [], number + 1
            continue
        for mark, role in _MARKS:
            if text.startswith(mark):
                messages.append(Message(role, text.removeprefix(mark).strip()))
                break
        else:
            if not messages:
                raise InputError('a line that begins with "Question:" was expected', path, number)
            last = messages[-1]
            messages[-1] = Message(last.role, f"{last.content}\n{text}")
    if messages:
        yield start, tuple(messages)


def _fault(messages: Conversation) -> str | None:
    """Return what makes a conversation unfit to learn from, None if nothing does."""
    for message in messages:
        if message.role not in ROLES:
            return f"the role {brief(message.role)}; expected {', '.join(ROLES)}"
        if not message.content.strip():
            return f"an empty message of the {message.role}"
        try:
            message.content.encode()
        except UnicodeEncodeError:
            return f"a lone surrogate in a message of the {message.role}; UTF-8 has no bytes for it"
    turns = [message.role for message in messages if message.role != "system"]
    if any(message.role == "system" for message in messages[1:]):
        return "a system message after the first place"
    if turns != ["user", "assistant"] * (len(turns) // 2) or not turns:
        return (
            f"its turns are {', '.join(turns) or 'none'}; user and assistant must alternate, "
            "from a user's message to an assistant's"
        )
    return None
