"""What resuming needs, as files of the model's folder: `training/state.json` and the optimizer's.

They are saved in the same transaction as the model, and only while a run is not finished; of a
finished one only `state.json` is left, which says so.
"""

from __future__ import annotations

import json
import math
import platform
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minilm import files
from minilm.errors import ModelError
from minilm.nn.optim import Optimizer
from minilm.store import safetensors
from minilm.store.folder import STATE, Content
from minilm.training.loop import State

STATE_FILE = f"{STATE}/state.json"
ARRAYS_FILE = f"{STATE}/optimizer.safetensors"

_BEST = "best_parameters"


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


def read_state(folder: Path) -> State:
    """Return the state that a folder was saved in, without its arrays.

    Raises
    ------
    ModelError
        When there is none.
    """
    path = folder / STATE_FILE
    if not path.exists():
        raise ModelError(
            "a model without the state of its training, so that cannot be resumed; choose another "
            "--output-dir",
            folder,
        )
    content: dict[str, Any] = files.read_json(path)
    best = content.pop("best_loss")
    return State(**content, best_loss=math.inf if best is None else best)


def read_arrays(folder: Path, state: State, optimizer: Optimizer) -> None:
    """Put what was saved of an unfinished run into `state` and `optimizer`."""
    arrays: dict[str, NDArray[np.floating[Any]]] = safetensors.load(folder / ARRAYS_FILE)
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
