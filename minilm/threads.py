"""What training on threads needs of the process: single-threaded BLAS, and memory that is kept.

Training splits the batch over its own threads and needs a single-threaded BLAS. Generation is bound
by memory and gains from BLAS threads. The environment variables only work before NumPy loads; after
that, the library inside NumPy is called directly.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import warnings
from pathlib import Path
from typing import Any

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

# The values when Python started: NumPy has read those, so they need no warning.
_at_start = {os.environ.get(variable) for variable in BLAS_VARIABLES}

_warned = False


def set_blas_threads(count: int) -> bool:
    """Make BLAS use `count` threads from now on; return whether that worked.

    Before NumPy is loaded, the environment decides, for this process and those it starts. After
    that, the setter of the loaded library is called. If there is none, one warning says so, unless
    the environment had this count before NumPy was loaded.
    """
    global _warned
    for variable in BLAS_VARIABLES:
        os.environ[variable] = str(count)
    if "numpy" not in sys.modules:
        _at_start.clear()
        _at_start.add(str(count))
        return True
    setter = _setter()
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


# Parameters of glibc's mallopt (malloc.h) and their values for training: one arena for all threads,
# no separate mapping for arrays below 32 MiB (the largest value allowed), freed memory is kept.
_MALLOPT = ((-8, 1), (-3, 1 << 25), (-1, 1 << 30))


def keep_freed_memory() -> None:
    """Reuse the memory of freed arrays without returning it to the operating system.

    A training step makes and drops a few hundred arrays of up to some megabytes. By default glibc
    returns most of them each time and the system zeroes every page again, which takes a tenth to a
    fifth of the step. Only Linux with glibc needs this; elsewhere it does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = _mallopt()
    if mallopt is not None:
        for parameter, value in _MALLOPT:
            mallopt(ctypes.c_int(parameter), ctypes.c_int(value))


# Looked up once: a process that is shut in (`course.isolation`) may not do it later.
@functools.cache
def _mallopt() -> Any:
    return getattr(ctypes.CDLL(None), "mallopt", None)


@functools.cache
def _setter() -> Any:
    """Return the function that sets the number of BLAS threads, or None."""
    found = (getattr(lib, name, None) for lib in _numpy_libraries() for name in _SETTERS)
    return next((setter for setter in found if setter is not None), None)


def _numpy_libraries() -> list[ctypes.CDLL]:
    """Return the shared libraries inside NumPy's wheel, and the process itself."""
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
