"""What the README shows works as it is shown."""

import re
from pathlib import Path

import minilm
from minilm.cli.main import COMMANDS

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_first_training_step():
    (code,) = re.findall(r"```python\n(import numpy.*?)```", README, re.S)
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    ids, targets = [[1, 2, 3, 4]], [[2, 3, 4, 5]]
    assert names["model"].loss(ids, targets) < names["loss"]


def test_every_command_and_name_exists():
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.S))
    commands = set(re.findall(r"^(?:\.venv/bin/)?minilm ([a-z]+)", blocks, re.M))
    assert commands
    assert commands <= set(COMMANDS)
    names = set(re.findall(r"`minilm\.([a-zA-Z]+)", README))
    assert names
    assert names <= set(dir(minilm))


def test_it_is_short():
    assert len(README.splitlines()) <= 250
