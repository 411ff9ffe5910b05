"""Kata 7.4  A model is a file

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 7.4    or on every save: minilm kata watch
    minilm kata read 7.4     the page
    minilm kata hint 7.4     a hint
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
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
    """Return all that comes before the arrays in a safetensors file.

    Three parts: 8 bytes with the length of what follows them, an unsigned little-endian integer;
    the header, a JSON object in UTF-8; and as many spaces as make the total a multiple of 8.

    The object has one entry for each tensor, by its name, with these keys in this order: `dtype`
    (the format's name), `shape` (a list), `data_offsets` (where its bytes start and where they
    stop, counted from the end of the header; each tensor starts where the one before it stops).
    There are no blanks between the parts of the JSON, and characters outside ASCII stay as they
    are.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        In the order in which their bytes will follow.
    metadata : mapping of str to str, optional
        Goes first, under the name `__metadata__`, its keys in alphabetical order; left out if
        there is none or it is empty.

    Raises
    ------
    OptionError
        When a tensor is named `__metadata__`, or has a dtype that the format does not have.

    References
    ----------
    https://github.com/huggingface/safetensors#format
    """
    raise NotImplementedError("not written yet")


def tensor_bytes(tensor: NDArray[Any]) -> bytes | memoryview:
    """Return an array's bytes as the file has them, whatever its layout in memory.

    C order: the last axis runs fastest. Each value is little-endian: its lowest byte comes first.
    The array may be a transposed view, big-endian, of no axis or of no item.

    Parameters
    ----------
    tensor : ndarray of any shape
        Booleans, integers or floats.
    """
    raise NotImplementedError("not written yet")
