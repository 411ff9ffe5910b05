"""Cases of kata 7.4: small files, names outside ASCII, every layout of an array, refusals."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from minilm.course.cases import Case, Use
from minilm.errors import OptionError
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT
from minilm.store import safetensors

_CONFIG = GPTConfig(vocab_size=11, n_positions=5, n_embd=6, n_layer=1, n_head=2)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases: headers first, then arrays."""
    matrix, row = rng.standard_normal((2, 3)), rng.standard_normal(3)
    single = matrix.astype(np.float32)
    files: dict[str, dict[str, np.ndarray]] = {
        "two arrays": {"weight": matrix, "bias": row},
        "float32, and a name before the first in the alphabet": {"w": single, "b": single[0]},
        "a name outside ASCII": {"größe": single, "z": row},
        "no axis, and no item": {"step": np.array(3), "none": np.zeros((0, 4)), "last": row},
        "other dtypes": {
            "mask": np.array([True, False]),
            "half": row.astype(np.float16),
            "ids": np.arange(5, dtype=np.int32),
            "big": row.astype(">f8"),
        },
        "no array": {},
    }
    files |= {f"a name of {n}": {"n" * n: single} for n in range(1, 9)}
    for name, tensors in files.items():
        yield _header({"tensors": tensors}, name=name)
    about = {"made_by": "a person", "format": "np"}
    yield _header({"tensors": files["two arrays"], "metadata": about}, name="metadata")
    yield _header({"tensors": {"b": row}, "metadata": {}}, name="empty metadata")
    refused = {
        "a tensor named __metadata__": {"__metadata__": row},
        "complex numbers": {"b": row, "z": row.astype(complex)},
    }
    for name, tensors in refused.items():
        yield _header({"tensors": tensors}, name=name, raises=OptionError)

    arrays = {
        "a matrix": matrix,
        "a transposed view": rng.standard_normal((4, 3)).T,
        "float32": single,
        "big-endian": matrix.astype(">f8"),
        "every second column": rng.standard_normal((3, 6))[:, ::2],
        "booleans": np.array([[True, False, True]]),
        "integers": rng.integers(-9, 9, (2, 5)),
        "big-endian integers, transposed": rng.integers(0, 999, (2, 5)).astype(">i4").T,
        "no axis": np.array(2.5),
        "no item": np.zeros((0, 4)),
    }
    for name, tensor in arrays.items():
        yield Use("tensor_bytes", array, {"tensor": tensor}, returns="the bytes", name=name)


def _header(inputs: dict[str, Any], **about: Any) -> Case:
    return Use("header_bytes", header, inputs, returns=("the JSON", "the length", "all"), **about)


def header(header_bytes: Any, **inputs: Any) -> Any:
    """Return what the JSON says, the length, and all bytes."""
    data = header_bytes(**inputs)
    if not isinstance(data, bytes):
        return data
    text: Any = data[8:]
    with contextlib.suppress(ValueError):  # what is not JSON is shown as it is
        text = json.loads(text)
    return text, int.from_bytes(data[:8], "little"), data


def array(tensor_bytes: Any, tensor: Any) -> Any:
    """Return the bytes, also of a view."""
    data = tensor_bytes(tensor)
    return bytes(data) if isinstance(data, memoryview) else data


def whole_model() -> dict[str, Any]:
    """Write a GPT to a file, open it, and ask the GPT that comes back."""
    model = GPT(_CONFIG, rng=np.random.default_rng(4), dtype=np.float64)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        safetensors.save(dict(model.parameters), path, {"made_by": "kata 7.4"})
        back = safetensors.load(path)
    again = GPT(_CONFIG, rng=np.random.default_rng(5), dtype=np.float64)
    for name, tensor in back.items():
        again.parameters[name][...] = tensor
    return {"what the file holds": back, "the logits": again.logits([[3, 1, 4, 1]])}
