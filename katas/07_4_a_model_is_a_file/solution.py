"""Kata 7.4  A model is a file: a solution."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from minilm.errors import OptionError

# The format's name of each dtype, by NumPy's code for it: `tensor.dtype.str[1:]`.
NAMES = {
    "b1": "BOOL", "u1": "U8", "i1": "I8", "i2": "I16", "u2": "U16", "f2": "F16",
    "i4": "I32", "u4": "U32", "f4": "F32", "f8": "F64", "i8": "I64", "u8": "U64",
}  # fmt: skip


def header_bytes(
    tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str] | None = None
) -> bytes:
    """Return the length, the header and the spaces."""
    header: dict[str, Any] = {}
    if metadata:
        header["__metadata__"] = dict(sorted(metadata.items()))
    stop = 0
    for name, tensor in tensors.items():
        code = tensor.dtype.str[1:]
        if name == "__metadata__" or code not in NAMES:
            raise OptionError(f"{name}: not a name or a dtype that safetensors has")
        start, stop = stop, stop + tensor.nbytes
        header[name] = {
            "dtype": NAMES[code],
            "shape": list(tensor.shape),
            "data_offsets": [start, stop],
        }
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def tensor_bytes(tensor: NDArray[Any]) -> bytes | memoryview:
    """Return the values in C order, each little-endian."""
    return tensor.astype(tensor.dtype.newbyteorder("<")).tobytes()
