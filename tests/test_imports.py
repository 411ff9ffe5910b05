"""Imports go one way, and starting costs nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import minilm

PACKAGE = Path(minilm.__file__).parent
# A module may import those to its left, and its own room.
ORDER = [
    "lazy",
    "arrays",
    "errors",
    "files",
    "drawing",
    "progress",
    "resources",
    "threads",
    "random",
    "text",
    "data",
    "embeddings",
    "nn",
    "classify",
    "store",
    "models",
    "training",
    "compare",
    "course",
    "bench",
    "cli",
]
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE or p.stem in ORDER)


def imported_rooms(path):
    """Yield the rooms of minilm that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "minilm" and len(parts) > 1 and parts[1] in ORDER:
                yield parts[1]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_go_one_way(path):
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert own in ORDER, f"{path} is in a room that the order does not name"
    for room in imported_rooms(path):
        assert ORDER.index(room) <= ORDER.index(own), f"{own} imports {room}"


@pytest.mark.parametrize("arguments", [["-c", "import minilm"], ["-m", "minilm", "--help"]])
def test_starting_loads_neither_numpy_nor_matplotlib(arguments):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, check=True
    )
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "minilm" in loaded
    assert not loaded & {"numpy", "matplotlib"}


def test_public_names_resolve():
    for name in minilm.__all__:
        assert getattr(minilm, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = minilm.nothing
