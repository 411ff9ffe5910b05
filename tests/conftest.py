"""Shared by all tests: where optional packages and optional real data are found, or skipped."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what tests pretrain out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINILM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def peer() -> Callable[[str], ModuleType]:
    """Import a peer library, or skip with its name; a failure where peers are promised to be there.

    `.ci/run` sets MINILM_REQUIRE_PEERS in its second stage, so that a comparison which silently
    stopped running is noticed.
    """

    def load(name: str) -> ModuleType:
        try:
            return importlib.import_module(name)
        except ImportError as error:
            if os.environ.get("MINILM_REQUIRE_PEERS"):
                pytest.fail(f"the peers stage needs the package {name}: {error}")
            pytest.skip(f"needs the package {name}")

    return load


@pytest.fixture
def real_data() -> Callable[[str], Path]:
    """Return the path of a file of real text, or skip: such data is not part of the project.

    Looked for in the folder MINILM_REAL_DATA, else in `shared/data` beside the checkout.
    """
    folder = Path(os.environ.get("MINILM_REAL_DATA") or ROOT.parent / "shared" / "data")

    def find(name: str) -> Path:
        path = folder / name
        if not path.exists():
            pytest.skip(f"needs the real data file {name}")
        return path

    return find


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Run a real browser on a file with some arguments, or skip: it is no part of the project."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("needs a browser: chromium or google-chrome")
    profile = tmp_path_factory.mktemp("profile")

    def run(path, *arguments):
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
        command += [f"--user-data-dir={profile}", "--enable-logging=stderr", *arguments]
        done = subprocess.run(
            [*command, path.as_uri()], capture_output=True, timeout=300, check=True
        )
        errors = done.stderr.decode("utf-8", "replace")
        console = [line for line in errors.splitlines() if "CONSOLE" in line]
        return done.stdout.decode("utf-8", "replace"), console

    return run


# A small corpus and a small trained model, made once.
TEXT = "The cat sat on the mat.\nA dog ran to the hill, and the cat ran too.\n" * 60
TINY = {
    "size": "kata",
    "n_embd": 16,
    "n_layer": 2,
    "n_head": 2,
    "n_positions": 16,
    "vocab_size": 280,
    "batch": 4,
    "steps": 30,
    "threads": 1,
}


@pytest.fixture(scope="session")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "cats.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def trained(text, tmp_path_factory):
    """Return the folder of a model that has seen 30 steps; not to be changed."""
    from minilm.training import pretrain

    folder = tmp_path_factory.mktemp("trained") / "model"
    pretrain.pretrain([text], folder, TINY, say=lambda line: None)
    return folder


@pytest.fixture
def tiny():
    return dict(TINY)
