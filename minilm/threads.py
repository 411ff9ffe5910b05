"""What training on threads asks of the process: one thread for BLAS, and memory that stays.

Training shards the batch over threads of its own and wants a single-threaded BLAS; generation is
bound by memory and likes BLAS threads. The environment variables act only before NumPy loads; after
that the library that NumPy carries is asked directly.
"""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from pathlib import Path

BLAS_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

# The names under which builds of OpenBLAS and MKL export the setter.
_SETTERS = (
    "scipy_openblas_set_num_threads64_",
    "scipy_openblas_set_num_threads",
    "openblas_set_num_threads64_",
    "openblas_set_num_threads",
    "MKL_Set_Num_Threads",
)

# What was in force when Python started: then NumPy has read it, and there is nothing to warn of.
_at_start = {os.environ.get(variable) for variable in BLAS_VARIABLES}

_warned = False


def set_blas_threads(count: int) -> bool:
    """Make BLAS use `count` threads from now on; return whether that could be done.

    Before NumPy is loaded the environment decides, for this process and those it starts. Afterwards
    the setter of the loaded library is called; where none is found, one warning says so, unless the
    environment had that count before NumPy was loaded.
    """
    global _warned
    for variable in BLAS_VARIABLES:
        os.environ[variable] = str(count)
    if "numpy" not in sys.modules:
        _at_start.clear()
        _at_start.add(str(count))
        return True
    for library in _numpy_libraries():
        for name in _SETTERS:
            setter = getattr(library, name, None)
            if setter is not None:
                setter(ctypes.c_int(count))
                return True
    if str(count) in _at_start:
        return True
    if not _warned:
        _warned = True
        variable = BLAS_VARIABLES[-1 if sys.platform == "darwin" else 0]
        warnings.warn(
            "minilm cannot set the threads of this NumPy's BLAS after NumPy has loaded; "
            f"training may be slower. Set {variable}={count} before Python starts.",
            RuntimeWarning,
            stacklevel=2,
        )
    return False


# Numbers of glibc's mallopt (malloc.h) and the values for training: one arena for all threads, no
# array below 32 MiB (the most that is allowed) in a mapping of its own, freed memory kept.
_MALLOPT = ((-8, 1), (-3, 1 << 25), (-1, 1 << 30))


def keep_freed_memory() -> None:
    """Let freed arrays be used again without going back to the operating system in between.

    A training step makes and drops a few hundred arrays of up to some megabytes. By default glibc
    gives most of them back each time and the system zeroes every page anew: a tenth to a fifth of
    the step. Only Linux with glibc has this switch, and this need; elsewhere nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in _MALLOPT:
            mallopt(ctypes.c_int(parameter), ctypes.c_int(value))


def _numpy_libraries() -> list[ctypes.CDLL]:
    """Return the shared libraries that NumPy's wheel carries, and the process itself."""
    import numpy

    package = Path(numpy.__file__).parent
    folders = (package.parent / "numpy.libs", package / ".libs", package / ".dylibs")
    paths = [p for folder in folders if folder.is_dir() for p in sorted(folder.iterdir())]
    libraries = []
    for path in paths:
        if "blas" in path.name or "mkl" in path.name:
            try:
                libraries.append(ctypes.CDLL(str(path)))
            except OSError:
                continue
    if os.name != "nt":
        libraries.append(ctypes.CDLL(None))
    return libraries
