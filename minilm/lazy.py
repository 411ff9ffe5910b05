"""Names that a package exports and imports only when they are first used (PEP 562).

So `from minilm.nn import GPT` works, while `import minilm` stays fast and loads no NumPy: the
command line chooses the number of BLAS threads before NumPy loads.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def exports(
    package: str, names: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` for a package.

    A name is looked up in its module at each use and never stored in the package, so that it is
    always the function that the module holds now: a learner's, when one is plugged in.

    Parameters
    ----------
    package : str
        The package's `__name__`.
    names : mapping of str to sequence of str
        The submodules and the names exported from each. No name may be that of a submodule.

    Examples
    --------
    >>> __getattr__, __dir__, __all__ = exports("minilm", {"errors": ("InputError",)})
    >>> __getattr__("InputError").__name__, __all__
    ('InputError', ['InputError'])
    """
    homes = {name: module for module, exported in names.items() for name in exported}

    def getattribute(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)

    def directory() -> list[str]:
        return sorted({*vars(importlib.import_module(package)), *homes})

    return getattribute, directory, sorted(homes)
