"""safetensors: named arrays in one file, in a format that fits on one page [1]_.

    8 bytes      N, the length of the header; unsigned, little-endian
    N bytes      the header: JSON, {name: {"dtype", "shape", "data_offsets": [start, stop]}, ...},
                 optionally with "__metadata__": {str: str}; spaces may follow it
    the rest     the arrays' bytes, C order, little-endian; offsets count from here

The arrays are adjacent, without gaps or overlaps, so that nothing is hidden in the file and nothing
is read twice. All of this is checked against the file's length before memory is taken. A file holds
no code, which is why the format replaced pickles.

Left out on purpose: the 8-, 6- and 4-bit floats, which are for inference on GPUs.

References
----------
.. [1] https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import contextlib
import json
import math
import mmap
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from minilm import errors, files
from minilm.errors import ModelError, OptionError

# The format's name -> NumPy's, little-endian. The order is by alignment: a writer puts the last
# first, so that every array begins at a multiple of its item's size.
_DTYPES = {
    "BOOL": np.dtype("?"),
    "U8": np.dtype("u1"),
    "I8": np.dtype("i1"),
    "I16": np.dtype("<i2"),
    "U16": np.dtype("<u2"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),  # NumPy has no bfloat16: its bits, see `_widen`
    "I32": np.dtype("<i4"),
    "U32": np.dtype("<u4"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "I64": np.dtype("<i8"),
    "U64": np.dtype("<u8"),
}
FLOATS = ("F16", "BF16", "F32", "F64")
_RANK = {name: rank for rank, name in enumerate(_DTYPES)}
_NAMES = {dtype: name for name, dtype in _DTYPES.items() if name != "BF16"}

# The format allows 100 MB; a GPT-2 of 10,000 layers has a header of 14 MB.
MAX_HEADER = 1 << 24
_MAX_AXES = 32
_METADATA = "__metadata__"


class Sink(Protocol):
    """What bytes can be written to: an open binary file, or a wrapper around one."""

    def write(self, data: Any, /) -> object:
        """Write all bytes of a buffer."""


@dataclass(frozen=True)
class TensorInfo:
    """What the header says about one array.

    Attributes
    ----------
    dtype : str
        The format's name: "F32", "BF16", ...
    shape : tuple of int
    start, stop : int
        Where its bytes are, counted from the end of the header.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int

    @property
    def size(self) -> int:
        """The number of items."""
        return math.prod(self.shape)


class TensorFile(Mapping[str, NDArray[Any]]):
    """The arrays of a file, mapped into memory: only what is used is read.

    F16 and BF16 are widened to float32; other arrays are read-only views of the file. The mapping
    ends with the `with` block, or with the last view of it.

    Parameters
    ----------
    path : path-like

    Attributes
    ----------
    infos : dict of str to TensorInfo
        In the order of the header.
    metadata : dict of str to str

    Raises
    ------
    ModelError
        When the file is missing, or damaged in any way that its header can show.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            with open(self.path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                header, self._data_start = _read_header(file, size, self.path)
                self.infos, self.metadata = _check_header(
                    header, size - self._data_start, self.path
                )
                self._map = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
            # Views of this array, unlike arrays made on the mapping itself, keep it from closing.
            self._bytes = np.frombuffer(self._map, np.uint8)
        except FileNotFoundError:
            raise ModelError("no such file; check the path", self.path) from None
        except (OSError, ValueError) as error:  # ValueError: it was cut short meanwhile
            reason = getattr(error, "strerror", None) or error
            raise ModelError(f"cannot be read: {reason}", self.path) from None

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return one array."""
        info = self.infos[name]
        start = self._data_start + info.start
        stop = self._data_start + info.stop
        stored: NDArray[Any] = self._bytes[start:stop].view(_DTYPES[info.dtype])
        stored = stored.reshape(info.shape)
        return _widen(stored, info.dtype)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self.infos)

    def __len__(self) -> int:
        """Return how many arrays there are."""
        return len(self.infos)

    def __enter__(self) -> TensorFile:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End the mapping, unless a view of it is still held."""
        del self._bytes
        with contextlib.suppress(BufferError):
            self._map.close()


def load(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Return copies of all arrays of a file; F16 and BF16 are widened to float32.

    Raises
    ------
    ModelError
        As for `TensorFile`.
    """
    with TensorFile(path) as tensors:
        return {name: np.array(tensors[name]) for name in tensors}


def save(
    tensors: Mapping[str, NDArray[Any]],
    path: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write arrays to a file atomically."""
    with files.atomic_write(path, "wb") as file:
        dump(tensors, file, metadata)


def dump(
    tensors: Mapping[str, NDArray[Any]],
    file: Sink,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write arrays into an open binary file, one after the other.

    The bytes depend on names, values and metadata only, and are those of the `safetensors` package:
    larger items first, then by name; the header is padded with spaces to a multiple of 8.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        Booleans, integers or floats, in any memory layout.
    file : binary file
    metadata : mapping of str to str, optional

    Raises
    ------
    OptionError
        When the format does not allow a name or a dtype.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> dump({"bias": np.array([1.0, 2.0], np.float32)}, file)
    >>> file.getvalue()[8:]  # doctest: +ELLIPSIS
    b'{"bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} ...\\x00\\x00\\x80?\\x00\\x00\\x00@'
    """
    kinds = {name: _dtype_name(name, value) for name, value in tensors.items()}
    order = sorted(tensors, key=lambda name: (-_RANK[kinds[name]], name.encode()))
    file.write(header_bytes({name: tensors[name] for name in order}, metadata))
    for name in order:
        file.write(tensor_bytes(tensors[name]))


def header_bytes(
    tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str] | None = None
) -> bytes:
    """Return all that comes before the arrays: the header's length, the header, spaces.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        In the order in which their bytes will follow.
    metadata : mapping of str to str, optional
        Put first, its keys in alphabetical order; left out if empty.

    Returns
    -------
    bytes
        Of a length that is a multiple of 8, so that the arrays begin at one.

    Raises
    ------
    OptionError
        When the format does not allow a name or a dtype.
    """
    header: dict[str, Any] = {_METADATA: dict(sorted(metadata.items()))} if metadata else {}
    stop = 0
    for name, value in tensors.items():
        start, stop = stop, stop + value.nbytes
        header[name] = {
            "dtype": _dtype_name(name, value),
            "shape": list(value.shape),
            "data_offsets": [start, stop],
        }
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def tensor_bytes(tensor: NDArray[Any]) -> bytes | memoryview:
    """Return an array's bytes in C order and little-endian, whatever its layout in memory.

    An array that has that layout is not copied.
    """
    value = np.ascontiguousarray(tensor, tensor.dtype.newbyteorder("<"))
    return value.reshape(-1).view(np.uint8).data


def _dtype_name(name: str, value: NDArray[Any]) -> str:
    if name == _METADATA:
        raise OptionError(f"no tensor can be named {name}, which the format reserves; rename it")
    kind = _NAMES.get(value.dtype.newbyteorder("<"))
    if kind is None:
        raise OptionError(f"{name} has the dtype {value.dtype}, which safetensors does not have")
    return kind


def _widen(stored: NDArray[Any], kind: str) -> NDArray[Any]:
    """Return half-precision floats as float32, which holds every one of them exactly.

    A bfloat16 is the upper half of a float32: sign, the same 8 bits of exponent, 7 of fraction.
    """
    if kind == "BF16":
        return (stored.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return stored.astype(np.float32) if kind == "F16" else stored


def _read_header(file: BinaryIO, size: int, path: Path) -> tuple[dict[str, Any], int]:
    """Return the parsed header and where the data begin."""
    if size < 8:
        raise ModelError(f"{size} bytes, too short for safetensors; copy it again", path)
    (length,) = struct.unpack("<Q", file.read(8))
    if length > size - 8:
        raise ModelError(
            f"claims a header of {length:,} bytes, but has {size:,} in all; it is cut short or not "
            "a safetensors file; copy it again",
            path,
        )
    if length > MAX_HEADER:
        raise ModelError(f"a header of {length:,} bytes; minilm reads at most {MAX_HEADER:,}", path)
    data = file.read(length)
    if not data.startswith(b"{"):
        raise ModelError("its header is not a JSON object; it is damaged or not safetensors", path)
    try:
        header = files.parse_json(data.decode(), path, error=ModelError)
        return files.as_object(header, path), 8 + length
    except UnicodeDecodeError as error:
        raise ModelError(f"its header is not UTF-8 at byte {8 + error.start}", path) from None


def _check_header(
    header: dict[str, Any], available: int, path: Path
) -> tuple[dict[str, TensorInfo], dict[str, str]]:
    """Return tensors and metadata, or raise ModelError where they contradict the file's length."""
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ModelError(f"its {_METADATA} is not an object of strings", path)
    infos = {name: _check_entry(name, entry, path) for name, entry in header.items()}
    end = 0
    for name, info in sorted(infos.items(), key=lambda item: (item[1].start, item[1].stop)):
        if info.start != end:
            fault = "overlaps the tensor before it" if info.start < end else "leaves a gap before"
            raise ModelError(
                f"tensor {errors.brief(name)} {fault}: it starts at {info.start}", path
            )
        end = info.stop
    if end != available:
        raise ModelError(
            f"its tensors take {end:,} bytes, but {available:,} follow the header; "
            "it is cut short or damaged; copy it again",
            path,
        )
    return infos, metadata


def _check_entry(name: str, entry: Any, path: Path) -> TensorInfo:
    def fault(what: str) -> ModelError:
        return ModelError(f"tensor {errors.brief(name)}: {what}", path)

    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise fault("expected dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise fault(f"the dtype {errors.brief(dtype)} is not one of {', '.join(_DTYPES)}")
    if not _are_counts(shape) or len(shape) > _MAX_AXES:
        raise fault(f"the shape {errors.brief(shape)} is not a list of {_MAX_AXES} counts or fewer")
    if not _are_counts(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise fault(f"the data_offsets {errors.brief(offsets)} are not a start and a stop")
    itemsize = _DTYPES[dtype].itemsize
    # Zeros count as 1: an empty array may claim axes that are too long for NumPy.
    if math.prod(n or 1 for n in shape) * itemsize >= 1 << 62:
        raise fault(f"no array can have the shape {errors.brief(shape)}")
    expected = math.prod(shape) * itemsize
    if offsets[1] - offsets[0] != expected:
        raise fault(
            f"{dtype} of shape {errors.brief(shape)} takes {expected:,} bytes, "
            f"but its data_offsets span {offsets[1] - offsets[0]:,}"
        )
    return TensorInfo(dtype, tuple(shape), offsets[0], offsets[1])


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 1 << 62 for n in value)
