"""Every option that a message advises exists in the command that prints the message."""

import argparse
import ast
import re
from pathlib import Path

import pytest

import minilm
from minilm.cli import main

PACKAGE = Path(minilm.__file__).parent
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")
# Options of all commands, of a script that a race starts, and of pip.
FOREIGN = {"--help", "--prompt", "--new", "--no-deps"}

TABLES = {
    *(
        "compare",
        "compare forgetting",
        "update",
        "neighbors",
        "tokenize",
        "validate",
        "pretrain",
        "train",
    ),
    *("pipeline", "finetune", "predict", "evaluate"),
}
# Which commands print the messages of a module; the longest path that fits decides. A message that
# names a command itself ("minilm validate --fix") is about that one. In all other modules an option
# has to exist in some command.
PRINTED_BY = {
    "data": TABLES,
    "data/columns.py": TABLES,
    "data/rewrite.py": {"validate"},
    "data/quality": {"validate"},
    **{f"cli/{main._MODULES.get(name, name)}.py": {name} for name in main.COMMANDS},
}
# Messages of columns.py about labels are for the commands that read labels.
LABELS = {"compare", "validate", "finetune", "evaluate"}


def options_of(command):
    """Return the options of a command, and of its subcommands."""
    parser = main.build_parser(command)
    (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    found, pending = set(), [commands.choices[command]]
    while pending:
        for action in pending.pop()._actions:
            found.update(action.option_strings)
            if isinstance(action, argparse._SubParsersAction):
                pending.extend(action.choices.values())
    return found


def messages(path):
    """Yield the strings of a module that are no docstrings; parts of one message together."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    scopes = (ast.Module, ast.ClassDef, ast.FunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, scopes)]
    docstrings = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    inside = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part for part in ast.walk(node) if isinstance(part, ast.Constant)]
            inside.update(map(id, parts))
            yield "".join(str(part.value) for part in node.values if hasattr(part, "value"))
            yield from (p.value for p in parts if isinstance(p.value, str))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings | inside
        ):
            yield node.value


def printed_by(path):
    """Return the commands that print a module's messages; None where any may."""
    name = path.relative_to(PACKAGE).as_posix()
    fitting = [key for key in PRINTED_BY if name == key or name.startswith(f"{key}/")]
    return PRINTED_BY[max(fitting, key=len)] if fitting else None


MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if any(OPTION.search(text) for text in messages(path))
)


@pytest.fixture(scope="module")
def known():
    found = {name: options_of(name) for name in main.COMMANDS}
    return {**found, "": {"--version"}.union(*found.values())}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_options_in_messages_exist(path, known):
    commands = printed_by(path)
    for text in messages(path):
        for option in set(OPTION.findall(text)) - FOREIGN:
            assert option in known[""], f"{option} is no option: {text!r}"
            if commands is None or re.search(r"minilm [a-z]", text):
                continue
            asked = commands & LABELS if option == "--label-column" else commands
            for command in asked:
                assert option in known[command], f"minilm {command} has no {option}: {text!r}"


def test_the_scan_finds_options():
    found = {path.relative_to(PACKAGE).as_posix() for path in MODULES}
    assert {"data/columns.py", "data/lines.py", "cli/compare.py"} <= found
    text = " ".join(messages(PACKAGE / "data" / "columns.py"))
    assert {"--text-column", "--label-column", "--no-header"} <= set(OPTION.findall(text))
    assert {name for name in main.COMMANDS if "--text-column" in options_of(name)} <= TABLES


@pytest.mark.parametrize("command", sorted(TABLES))
def test_every_command_that_reads_a_table_has_its_options(command, known):
    needed = {"--text-column", "--no-header", "--encoding"}
    if command in LABELS:
        needed.add("--label-column")
    assert needed <= known[command]
