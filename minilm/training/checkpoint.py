"""What resuming needs: two files in the model's folder, and a check that the run is the same.

`training/state.json` and the optimizer's arrays are saved in one transaction with the model. A
finished run leaves only `state.json`, which says that it is finished.
"""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minilm import files
from minilm.data.sources import TEXT_SUFFIXES, nearest_folder
from minilm.errors import ModelError, OptionError
from minilm.nn.optim import Optimizer
from minilm.store import folder, safetensors
from minilm.store.folder import STATE, Content, Source
from minilm.training.loop import State
from minilm.training.settings import PretrainSettings, UpdateSettings

STATE_FILE = f"{STATE}/state.json"
ARRAYS_FILE = f"{STATE}/optimizer.safetensors"

_BEST = "best_parameters"

# Settings that do not change the result are not part of a model's lineage.
_NOT_RECORDED = ("save_seconds",)


def state_files(state: State, optimizer: Optimizer) -> dict[str, Content]:
    """Return the files of a state, to be saved with the model's."""
    content = {
        "step": state.step,
        "tokens": state.tokens,
        "best_loss": state.best_loss if math.isfinite(state.best_loss) else None,
        "best_step": state.best_step,
        "waited": state.waited,
        "finished": state.finished,
    }
    contents: dict[str, Content] = {STATE_FILE: (json.dumps(content, indent=2) + "\n").encode()}
    if not state.finished:
        arrays = dict(optimizer.state)
        if state.best_parameters is not None:
            arrays[_BEST] = state.best_parameters
        contents[ARRAYS_FILE] = partial(safetensors.dump, arrays)
    return contents


def read_state(place: Path) -> State:
    """Return the state that was saved in a folder, without its arrays.

    Raises
    ------
    ModelError
        When there is none.
    """
    path = place / STATE_FILE
    if not path.exists():
        raise ModelError(
            "this model has no training state, so its training cannot be resumed; choose another "
            "--output-dir",
            place,
        )
    content: dict[str, Any] = files.read_json(path)
    best = content.pop("best_loss")
    return State(**content, best_loss=math.inf if best is None else best)


def read_arrays(place: Path, state: State, optimizer: Optimizer) -> None:
    """Load the arrays of an unfinished run into `state` and `optimizer`."""
    arrays: dict[str, NDArray[np.floating[Any]]] = safetensors.load(place / ARRAYS_FILE)
    state.best_parameters = arrays.pop(_BEST, None)
    optimizer.load(arrays, state.step)


def machine() -> dict[str, str]:
    """Return what the last bits of a result depend on besides the settings."""
    config: Any = np.show_config(mode="dicts")
    blas = config["Build Dependencies"]["blas"]
    simd = config["SIMD Extensions"].get("found", [])
    return {
        "numpy": np.__version__,
        "blas": f"{blas.get('name')} {blas.get('version')}",
        "cpu": " ".join([platform.machine(), *simd[-1:]]),
    }


def recorded(settings: PretrainSettings | UpdateSettings) -> dict[str, Any]:
    """Return the settings that become part of a model's lineage."""
    return {key: value for key, value in asdict(settings).items() if key not in _NOT_RECORDED}


def check_same(
    given: Mapping[str, Any],
    began_with: Mapping[str, Any],
    sources: tuple[Source, ...],
    data: tuple[Source, ...],
    path: Path,
) -> None:
    """Raise OptionError if a run is resumed with other settings or texts than it began with.

    Parameters
    ----------
    given, sources
        What is asked for now: settings by name, and the files.
    began_with, data
        The settings and files in the run's stage of the lineage.
    path : Path
        The run's folder, for the message.
    """
    for key, value in given.items():
        same = began_with.get(key)
        if key not in _NOT_RECORDED and _plain(same) != _plain(value):
            raise OptionError(
                f"--resume: {key} is {value!r}, but the run in {path} began with "
                f"{same!r}; leave it out, or start another run in another --output-dir"
            )
    # A file that was renamed is the same text, unless its new name makes it another kind of file.
    if list(map(_contents, sources)) != list(map(_contents, data)):
        raise OptionError(
            f"--resume: the text is not the one that the run in {path} began with "
            f"({', '.join(source.name for source in data)}); give the same --data-file, or start "
            "another run in another --output-dir"
        )


def check_begun(path: str | os.PathLike[str]) -> None:
    """Raise OptionError if a folder holds nothing to resume.

    A run that was killed before its first save has left a folder for its state: it starts again.
    """

    def is_begun(place: Path) -> bool:
        return folder.exists(place) or (place / STATE).is_dir()

    place = Path(path)
    if is_begun(place):
        return
    near = nearest_folder(place, is_begun)
    hint = f"did you mean {near}? To begin a run" if near else "to begin a run"
    raise OptionError(f"--resume: nothing was begun in {place}; {hint}, leave out --resume")


def _contents(source: Source) -> tuple[str, str]:
    suffix = Path(source.name).suffix.lower()
    return ".txt" if suffix in TEXT_SUFFIXES else suffix, source.sha256


def _plain(value: Any) -> Any:
    """Return a value as JSON gives it back."""
    return list(value) if isinstance(value, tuple) else value
