"""BLAS threads are set before NumPy is loaded and after, in processes of their own."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from minilm.threads import BLAS_VARIABLES

ROOT = Path(__file__).resolve().parent.parent

# Asks the OpenBLAS that is loaded; prints "none" where NumPy has another BLAS.
ASK = """
import ctypes, numpy
from minilm import threads
names = [s.replace("set", "get") for s in threads._SETTERS if "openblas" in s]
found = [getattr(lib, n) for lib in threads._numpy_libraries() for n in names if hasattr(lib, n)]
print(found[0]() if found else "none")
"""


def ask(code: str, environment: dict[str, str] | None = None) -> str:
    clean = {k: v for k, v in os.environ.items() if k not in BLAS_VARIABLES}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**clean, **(environment or {})},
    )
    return done.stdout.strip()


@pytest.mark.parametrize("count", [1, 2])
def test_before_and_after_numpy_is_loaded(count: int) -> None:
    if ask(ASK) == "none":
        pytest.skip("this NumPy has no OpenBLAS")
    call = f"from minilm.threads import set_blas_threads\nassert set_blas_threads({count})\n"
    assert ask(call + ASK) == str(count)
    assert ask("import numpy\n" + call + ASK) == str(count)


BLIND = """
import warnings
{before}
import numpy
from minilm import threads
threads._numpy_libraries = lambda: []
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    print([threads.set_blas_threads(1) for _ in range(3)])
print([str(warning.message).partition("Set ")[2] for warning in seen])
"""


def test_one_warning_where_nothing_can_be_set() -> None:
    variable = "VECLIB_MAXIMUM_THREADS" if sys.platform == "darwin" else "OPENBLAS_NUM_THREADS"
    said = f"['{variable}=1 before Python starts.']"
    assert ask(BLIND.format(before="")).splitlines() == ["[False, False, False]", said]


@pytest.mark.parametrize(
    ("before", "environment"),
    [
        ("from minilm import threads; threads.set_blas_threads(1)", {}),
        ("", {"OPENBLAS_NUM_THREADS": "1"}),
    ],
)
def test_no_warning_where_it_was_set_in_time(before: str, environment: dict[str, str]) -> None:
    said = ask(BLIND.format(before=before), environment)
    assert said.splitlines() == ["[True, True, True]", "[]"]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a matter of glibc")
@pytest.mark.parametrize(("keep", "low", "high"), [("", 5000, 10**9), ("keep()", 0, 500)])
def test_freed_memory_is_kept(keep: str, low: int, high: int) -> None:
    """Arrays of a megabyte, made and dropped, cost no new pages once the first are there."""
    code = f"""
import resource
from minilm.threads import keep_freed_memory as keep
{keep}
import numpy as np
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        arrays = [np.ones(1 << 20, np.uint8) for _ in range(30)]
        del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""
    assert low <= int(ask(code)) < high
