"""GGUF: a model in one file, with quantized weights, as llama.cpp and its kin distribute them [1]_.

    4 bytes      "GGUF"
    header       version (2 or 3), number of tensors, number of metadata entries
    metadata     key, type, value: sizes, the tokenizer, the license
    tensors      name, shape (fastest axis first), type, offset; then the data, aligned

All numbers are little-endian. What a file claims about itself is compared with how long it is
before any memory is taken.

A quantized tensor is cut into blocks of 32 entries along its rows. A block holds small integers and
one or two half-precision numbers, which say what the integers stand for:

    Q8_0   d, 32 integers of 8 bits     x = d * q
    Q4_0   d, 32 of 4 bits              x = d * (q - 8)
    Q4_1   d, m, 32 of 4 bits           x = d * q + m
    Q5_0   d, 32 of 5 bits              x = d * (q - 16)
    Q5_1   d, m, 32 of 5 bits           x = d * q + m

Left out on purpose: the K-quants, whose blocks of 256 have scales that are quantized themselves,
and everything newer. They are refused by name.

References
----------
.. [1] https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minilm import errors
from minilm.arrays import Array
from minilm.errors import ModelError

MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_BLOCK = 32
_MAX_ENTRIES = 1 << 16  # metadata entries, tensors; models have some hundred
_MAX_AXES = 4
_AT_ONCE = 1 << 17  # entries widened together: what is made of them on the way fits into the cache

# Numbers in the metadata: code -> struct's format. Then bool, string and array.
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 10: "Q", 11: "q", 12: "d"}
_BOOL, _STRING, _ARRAY = 7, 8, 9

Blocks = NDArray[np.uint8]  # (blocks, bytes of a block)


def _half(blocks: Blocks, start: int) -> Array:
    """Return a half-precision number of each block as float32: (blocks, 1)."""
    return blocks[:, start : start + 2].copy().view("<f2").astype(np.float32)


def _low_bits(blocks: Blocks, start: int) -> NDArray[np.uint8]:
    """Return 32 integers of 4 bits from 16 bytes: the low halves first, then the high ones."""
    data = blocks[:, start : start + 16]
    return np.concatenate([data & 15, data >> 4], axis=1)


def _five_bits(blocks: Blocks, start: int) -> NDArray[np.uint8]:
    """Return 32 integers of 5 bits: the highest bits in 4 bytes, then the others as above."""
    highest = np.unpackbits(blocks[:, start : start + 4], axis=1, bitorder="little")
    return np.bitwise_or(_low_bits(blocks, start + 4), highest << 4, dtype=np.uint8)


def _q8_0(blocks: Blocks) -> Array:
    return _half(blocks, 0) * blocks[:, 2:].view(np.int8).astype(np.float32)


def _q4_0(blocks: Blocks) -> Array:
    return _half(blocks, 0) * (_low_bits(blocks, 2).astype(np.float32) - 8)


def _q4_1(blocks: Blocks) -> Array:
    return _half(blocks, 0) * _low_bits(blocks, 4).astype(np.float32) + _half(blocks, 2)


def _q5_0(blocks: Blocks) -> Array:
    return _half(blocks, 0) * (_five_bits(blocks, 2).astype(np.float32) - 16)


def _q5_1(blocks: Blocks) -> Array:
    return _half(blocks, 0) * _five_bits(blocks, 4).astype(np.float32) + _half(blocks, 2)


def _bf16(blocks: Blocks) -> Array:
    bits = blocks.view("<u2").astype(np.uint32) << np.uint32(16)
    return bits.view(np.float32)


@dataclass(frozen=True)
class Kind:
    """A type of tensor: how many entries a block has, its bytes, and how it becomes float32."""

    name: str
    entries: int
    bytes: int
    widen: Callable[[Blocks], Array]


KINDS = {
    0: Kind("F32", 1, 4, lambda blocks: blocks.view("<f4")),
    1: Kind("F16", 1, 2, lambda blocks: blocks.view("<f2").astype(np.float32)),
    30: Kind("BF16", 1, 2, _bf16),
    2: Kind("Q4_0", _BLOCK, 18, _q4_0),
    3: Kind("Q4_1", _BLOCK, 20, _q4_1),
    6: Kind("Q5_0", _BLOCK, 22, _q5_0),
    7: Kind("Q5_1", _BLOCK, 24, _q5_1),
    8: Kind("Q8_0", _BLOCK, 34, _q8_0),
}
# Known by name only, so that the message can say which one a file has.
_REFUSED = {
    9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K",
    16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S",
    22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M",
    34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}  # fmt: skip


@dataclass(frozen=True)
class TensorInfo:
    """What the file says of one tensor.

    Attributes
    ----------
    kind : Kind
    shape : tuple of int
        As NumPy has it, the slowest axis first.
    start, stop : int
        Where its bytes are in the file.
    """

    kind: Kind
    shape: tuple[int, ...]
    start: int
    stop: int

    @property
    def dtype(self) -> str:
        """The type's name: "F32", "Q8_0", ..."""
        return self.kind.name

    @property
    def size(self) -> int:
        """The number of entries."""
        return math.prod(self.shape)


class GGUFFile(Mapping[str, Array]):
    """The tensors of a file, mapped into memory; each is widened to float32 when it is looked up.

    Parameters
    ----------
    path : path-like

    Attributes
    ----------
    version : int
    metadata : dict of str to value
    infos : dict of str to TensorInfo

    Raises
    ------
    ModelError
        When the file is missing, damaged, or has tensors of a type that is not read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            with open(self.path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size < 24:
                    raise ModelError(f"{size} bytes, too short for GGUF; copy it again", self.path)
                self._map = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise ModelError("no such file; check the path", self.path) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ModelError(f"cannot be read: {reason}", self.path) from None
        try:
            self.version, self.metadata, self.infos = _Reader(self._map, self.path).read()
        except BaseException:
            self._map.close()
            raise
        # Views of this array, unlike arrays made on the mapping itself, keep it from closing.
        self._bytes = np.frombuffer(self._map, np.uint8)

    def __getitem__(self, name: str) -> Array:
        """Return one tensor as float32."""
        info = self.infos[name]
        blocks: Blocks = self._bytes[info.start : info.stop].reshape(-1, info.kind.bytes)
        widened = np.empty((len(blocks), info.kind.entries), np.float32)
        together = _AT_ONCE // info.kind.entries
        with np.errstate(over="ignore", invalid="ignore"):  # checked where the model is made
            for start in range(0, len(blocks), together):
                part = slice(start, start + together)
                widened[part] = info.kind.widen(blocks[part])
        return widened.reshape(info.shape)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self.infos)

    def __len__(self) -> int:
        """Return how many tensors there are."""
        return len(self.infos)

    def __enter__(self) -> GGUFFile:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End the mapping, unless a view of it is still held."""
        del self._bytes
        with contextlib.suppress(BufferError):
            self._map.close()


class _Reader:
    """Reads a file from its beginning; every size is compared with what is left of the file."""

    def __init__(self, data: mmap.mmap, path: Path) -> None:
        self.data, self.path = data, path
        self.size, self.place = len(data), 0

    def read(self) -> tuple[int, dict[str, Any], dict[str, TensorInfo]]:
        if self.take(4) != MAGIC:
            raise self.fault("not a GGUF file: it does not begin with GGUF")
        version = self.number("I")
        if version not in _VERSIONS:
            swapped = version & 0xFFFF == 0
            hint = "big-endian" if swapped else f"GGUF version {version}"
            raise self.fault(f"{hint}; minilm reads the versions 2 and 3, little-endian")
        tensors = self.count("tensors", _MAX_ENTRIES)
        entries = self.count("metadata entries", _MAX_ENTRIES)
        metadata: dict[str, Any] = {}
        for _ in range(entries):
            key = self.string()
            if key in metadata:
                raise self.fault(f"the metadata has {errors.brief(key)} twice")
            metadata[key] = self.value(self.number("I"))
        listed = [self.tensor() for _ in range(tensors)]
        alignment = metadata.get("general.alignment", 32)
        if type(alignment) is not int or not 1 <= alignment <= 1 << 16:
            raise self.fault(f"general.alignment is {errors.brief(alignment)}")
        start = -(-self.place // alignment) * alignment
        return version, metadata, self.placed(listed, start, alignment)

    def tensor(self) -> tuple[str, Kind, tuple[int, ...], int]:
        name = self.string()
        axes = self.number("I")
        if not 1 <= axes <= _MAX_AXES:
            raise self.fault(f"tensor {errors.brief(name)} has {axes} axes; at most 4 are read")
        shape = tuple(self.number("Q") for _ in range(axes))[::-1]
        code, offset = self.number("I"), self.number("Q")
        kind = KINDS.get(code)
        if kind is None:
            called = _REFUSED.get(code, f"number {code}")
            known = ", ".join(kind.name for kind in KINDS.values())
            raise self.fault(
                f"tensor {errors.brief(name)} has the type {called}; minilm reads {known}: take a "
                "file with one of these"
            )
        return name, kind, shape, offset

    def placed(
        self, listed: list[tuple[str, Kind, tuple[int, ...], int]], start: int, alignment: int
    ) -> dict[str, TensorInfo]:
        """Return where each tensor is; raise ModelError where one has no place in the file."""
        infos: dict[str, TensorInfo] = {}
        end = start
        for name, kind, shape, offset in listed:
            shown = errors.brief(name)
            if name in infos:
                raise self.fault(f"tensor {shown} is there twice")
            if not math.prod(n or 1 for n in shape) < 1 << 50 or 0 in shape:
                raise self.fault(f"tensor {shown}: no array can have the shape {shape}")
            if shape[-1] % kind.entries:
                raise self.fault(
                    f"tensor {shown}: rows of {shape[-1]} are not whole blocks of {kind.entries}"
                )
            # Each follows the one before. A gap shows that a type was changed to a smaller one.
            first = -(-end // alignment) * alignment
            if start + offset != first:
                raise self.fault(
                    f"tensor {shown} starts at byte {start + offset:,}, not at {first:,}, where "
                    "the one before it ends; it is damaged"
                )
            end = first + math.prod(shape) // kind.entries * kind.bytes
            if end > self.size:
                raise self.fault(
                    f"tensor {shown} ends at byte {end:,}, but the file has {self.size:,}; it is "
                    "cut short or damaged; copy it again"
                )
            infos[name] = TensorInfo(kind, shape, first, end)
        if self.size - end >= alignment:
            raise self.fault(
                f"{self.size - end:,} bytes follow the last tensor; it is damaged; copy it again"
            )
        return infos

    def value(self, code: int) -> Any:
        if code in _NUMBERS:
            return self.number(_NUMBERS[code])
        if code == _BOOL:
            return self.number("B") != 0
        if code == _STRING:
            return self.string()
        if code == _ARRAY:
            return self.array()
        raise self.fault(f"metadata of the unknown type {code}")

    def array(self) -> list[Any]:
        code = self.number("I")
        if code in _NUMBERS or code == _BOOL:
            form = _NUMBERS.get(code, "B")
            width = struct.calcsize(form)
            count = self.count("entries of an array", self.left() // width)
            return list(struct.unpack(f"<{count}{form}", self.take(count * width)))
        if code == _STRING:  # each takes 8 bytes at least
            count = self.count("strings of an array", self.left() // 8)
            return [self.string() for _ in range(count)]
        raise self.fault(f"an array of the type {code}, which minilm does not read")

    def string(self) -> str:
        length = self.count("bytes of a string", self.left())
        try:
            return self.take(length).decode()
        except UnicodeDecodeError:
            raise self.fault("a string that is not UTF-8") from None

    def count(self, what: str, most: int) -> int:
        value = self.number("Q")
        if value > most:
            raise self.fault(f"claims {value:,} {what}, which cannot be; it is damaged")
        return value

    def number(self, form: str) -> Any:
        width = struct.calcsize(form)
        return struct.unpack(f"<{form}", self.take(width))[0]

    def left(self) -> int:
        return self.size - self.place - 8  # after the count that is read next

    def take(self, length: int) -> bytes:
        if length > self.size - self.place:
            raise self.fault(f"ends at byte {self.size:,}, in the middle of its header")
        self.place += length
        return self.data[self.place - length : self.place]

    def fault(self, message: str) -> ModelError:
        return ModelError(message, self.path)
