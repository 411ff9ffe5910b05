"""Writing safetensors as people do it at first."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from minilm.course.mistakes import mistake
from minilm.errors import OptionError

NAMES = {
    "b1": "BOOL", "u1": "U8", "i1": "I8", "i2": "I16", "u2": "U16", "f2": "F16",
    "i4": "I32", "u4": "U32", "f4": "F32", "f8": "F64", "i8": "I64", "u8": "U64",
}  # fmt: skip


def _kind(name: str, tensor: Any) -> str:
    code = tensor.dtype.str[1:]
    if name == "__metadata__" or code not in NAMES:
        raise OptionError(f"{name}: not in the format")
    return NAMES[code]


def _entries(tensors: Any, size: Any = None, begin: int = 0, kind: Any = _kind) -> dict[str, Any]:
    found, stop = {}, begin
    for name, tensor in tensors.items():
        start, stop = stop, stop + (tensor.nbytes if size is None else size(tensor))
        shape = list(tensor.shape)
        found[name] = {"dtype": kind(name, tensor), "shape": shape, "data_offsets": [start, stop]}
    return found


def _with(metadata: Any, entries: Any) -> dict[str, Any]:
    return {"__metadata__": dict(sorted(metadata.items()))} | entries if metadata else entries


def _text(metadata: Any, entries: Any) -> bytes:
    header = _with(metadata, entries)
    return json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()


def _padded(text: bytes) -> bytes:
    return text + b" " * (-len(text) % 8)


def _file(text: bytes) -> bytes:
    text = _padded(text)
    return len(text).to_bytes(8, "little") + text


@mistake("header_bytes")
def offsets_from_the_start_of_the_file(tensors, metadata=None):
    """data_offsets count from the start of the file, or begin at 8; they count from the end of the
    header.

    The first tensor starts at 0. So the header need not know its own length, which would change
    with the numbers in it.
    """
    return _file(_text(metadata, _entries(tensors, begin=8)))


@mistake("header_bytes")
def items_not_bytes(tensors, metadata=None):
    """data_offsets count items, not bytes.

    A float64 takes 8 bytes, a float32 takes 4. tensor.nbytes is the size of all of them together.
    """
    return _file(_text(metadata, _entries(tensors, size=lambda tensor: tensor.size)))


@mistake("header_bytes")
def four_bytes_each(tensors, metadata=None):
    """every item was counted as 4 bytes, whatever its dtype.

    That is right for float32 only. tensor.nbytes is right for all.
    """
    return _file(_text(metadata, _entries(tensors, size=lambda tensor: 4 * tensor.size)))


@mistake("header_bytes")
def start_and_size(tensors, metadata=None):
    """data_offsets has a start and a size; it should have a start and a stop.

    The second number is where the next tensor starts. For the first tensor there is no difference.
    """
    entries = _entries(tensors)
    for entry in entries.values():
        start, stop = entry["data_offsets"]
        entry["data_offsets"] = [start, stop - start]
    return _file(_text(metadata, entries))


@mistake("header_bytes")
def last_byte_for_stop(tensors, metadata=None):
    """the second offset is that of the last byte; it is where the tensor stops, one further on.

    As in Python's slices: data[start:stop]. The next tensor starts at `stop`.
    """
    entries = _entries(tensors)
    for entry in entries.values():
        entry["data_offsets"][1] -= 1
    return _file(_text(metadata, entries))


@mistake("header_bytes")
def each_tensor_aligned(tensors, metadata=None):
    """each tensor starts at a multiple of 8; they must be back to back.

    Only the header is filled up. Each tensor starts where the one before it stops.
    """
    return _file(_text(metadata, _entries(tensors, size=lambda t: -(-t.nbytes // 8) * 8)))


@mistake("header_bytes")
def all_start_at_zero(tensors, metadata=None):
    """every tensor starts at 0: the place was not moved on.

    Each tensor starts where the one before it stops. Keep a running stop outside the loop.
    """
    entries = _entries(tensors)
    for entry in entries.values():
        start, stop = entry["data_offsets"]
        entry["data_offsets"] = [0, stop - start]
    return _file(_text(metadata, entries))


@mistake("header_bytes")
def sorted_by_name(tensors, metadata=None):
    """the tensors were sorted by name.

    Their bytes follow in the order of the mapping, so their offsets must follow it, too. (The
    library sorts before it calls this function.)
    """
    return _file(_text(metadata, _entries(dict(sorted(tensors.items())))))


@mistake("header_bytes")
def all_keys_sorted(tensors, metadata=None):
    """all keys were sorted (sort_keys=True), also those inside of an entry, and the tensors.

    An entry has dtype, shape, data_offsets in this order, and the tensors are in the order in which
    their bytes follow. Only the metadata are in alphabetical order.
    """
    header = _with(metadata, _entries(tensors))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    return _file(text.encode())


@mistake("header_bytes")
def keys_in_another_order(tensors, metadata=None):
    """the keys of an entry are in another order; it is dtype, shape, data_offsets.

    A reader does not mind, but this kata compares byte by byte.
    """
    entries = {
        name: {"shape": entry.pop("shape"), **entry} for name, entry in _entries(tensors).items()
    }
    return _file(_text(metadata, entries))


@mistake("header_bytes")
def length_big_endian(tensors, metadata=None):
    """the length is big-endian; it must be little-endian, the lowest byte first.

    struct.pack("<Q", ...), or .to_bytes(8, "little"). A reader sees a header of 10**18 bytes.
    """
    text = _padded(_text(metadata, _entries(tensors)))
    return len(text).to_bytes(8, "big") + text


@mistake("header_bytes")
def length_in_four_bytes(tensors, metadata=None):
    """the length has 4 bytes; it must have 8.

    struct's "<Q" is an unsigned integer of 8 bytes; "<I" has 4.
    """
    text = _padded(_text(metadata, _entries(tensors)))
    return len(text).to_bytes(4, "little") + text


@mistake("header_bytes")
def length_as_digits(tensors, metadata=None):
    """the length is written as digits, or is missing.

    It is a number in 8 bytes, not text: struct.pack("<Q", len(text)).
    """
    text = _padded(_text(metadata, _entries(tensors)))
    return str(len(text)).encode() + text


@mistake("header_bytes")
def no_length(tensors, metadata=None):
    """the length is missing: the file begins with the JSON.

    A reader has to know where the header ends. The first 8 bytes say so.
    """
    return _padded(_text(metadata, _entries(tensors)))


@mistake("header_bytes")
def length_without_padding(tensors, metadata=None):
    """the length was taken before the padding: it does not count the spaces.

    The data begin after the spaces, and the length says where. Pad first, then take the length.
    """
    text = _text(metadata, _entries(tensors))
    return len(text).to_bytes(8, "little") + _padded(text)


@mistake("header_bytes")
def length_with_itself(tensors, metadata=None):
    """the length counts its own 8 bytes.

    It is the length of what follows them.
    """
    text = _padded(_text(metadata, _entries(tensors)))
    return (len(text) + 8).to_bytes(8, "little") + text


@mistake("header_bytes")
def length_in_characters(tensors, metadata=None):
    """the length counts characters, not bytes.

    They are the same until a name has a letter outside ASCII: "ö" is one character and two bytes.
    Encode first; pad and measure the bytes.
    """
    text = _text(metadata, _entries(tensors)).decode()
    text += " " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text.encode()


@mistake("header_bytes")
def not_padded(tensors, metadata=None):
    """the spaces are missing.

    Without them a float64 may begin at an odd place, and cannot be used in place where the file is
    mapped into memory. Add b" " * (-len(text) % 8).
    """
    text = _text(metadata, _entries(tensors))
    return len(text).to_bytes(8, "little") + text


@mistake("header_bytes")
def eight_spaces_too_many(tensors, metadata=None):
    """where the length is a multiple of 8 already, 8 spaces were added.

    8 - n % 8 is 8 for n = 16. -n % 8 is 0.
    """
    text = _text(metadata, _entries(tensors))
    text += b" " * (8 - len(text) % 8)
    return len(text).to_bytes(8, "little") + text


@mistake("header_bytes")
def padded_to_64(tensors, metadata=None):
    """the header was filled up to a multiple of 64, as in .npy files; here it is 8."""
    text = _text(metadata, _entries(tensors))
    text += b" " * (-len(text) % 64)
    return len(text).to_bytes(8, "little") + text


@mistake("header_bytes")
def padded_with_zero_bytes(tensors, metadata=None):
    r"""the padding is zero bytes; it must be spaces.

    Blanks may follow JSON, b"\0" may not: a parser stops there with an error.
    """
    text = _text(metadata, _entries(tensors))
    text += b"\0" * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


@mistake("header_bytes")
def blanks_in_the_json(tensors, metadata=None):
    """there are blanks after the commas and colons of the JSON.

    A reader accepts it, but the same model should give the same file from every writer.
    json.dumps(..., separators=(",", ":")).
    """
    header = _with(metadata, _entries(tensors))
    return _file(json.dumps(header, ensure_ascii=False).encode())


@mistake("header_bytes")
def letters_escaped(tensors, metadata=None):
    r"""letters outside ASCII were escaped: "\u00f6" instead of "ö".

    A reader accepts it, but the same model should give the same file from every writer.
    json.dumps(..., ensure_ascii=False), and then .encode().
    """
    return _file(json.dumps(_with(metadata, _entries(tensors)), separators=(",", ":")).encode())


@mistake("header_bytes")
def numpys_names(tensors, metadata=None):
    """the dtypes have NumPy's names, such as "float32".

    The format has its own: "F32". NAMES in the file has them.
    """
    return _file(_text(metadata, _entries(tensors, kind=lambda name, tensor: tensor.dtype.name)))


@mistake("header_bytes")
def always_f32(tensors, metadata=None):
    """every dtype is given as F32.

    Then the shape and the offsets of any other array contradict each other. Look the dtype up in
    NAMES.
    """
    return _file(_text(metadata, _entries(tensors, kind=lambda name, tensor: "F32")))


@mistake("header_bytes")
def metadata_left_out(tensors, metadata=None):
    """the metadata are missing.

    They go first in the header, as an object of strings under the name __metadata__.
    """
    return _file(_text(None, _entries(tensors)))


@mistake("header_bytes")
def metadata_as_given(tensors, metadata=None):
    """the keys of the metadata are in the order in which they were given.

    Sort them: the same model should give the same file.
    """
    header = {"__metadata__": dict(metadata or {})} if metadata else {}
    header |= _entries(tensors)
    return _file(json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode())


@mistake("header_bytes")
def metadata_last(tensors, metadata=None):
    """the metadata come after the tensors; they go first.

    Start the dict with them.
    """
    header = _entries(tensors) | _with(metadata, {})
    return _file(json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode())


@mistake("header_bytes")
def metadata_among_the_names(tensors, metadata=None):
    """the metadata were written among the tensors; they go under the one name `__metadata__`.

    A reader takes every other name for a tensor: {"__metadata__":{...},"weight":{...}}.
    """
    return _file(_text(None, dict(sorted((metadata or {}).items())) | _entries(tensors)))


@mistake("header_bytes")
def empty_metadata_written(tensors, metadata=None):
    """empty metadata were written as "__metadata__":{}.

    `if metadata:` is false for None and for an empty dict; `is not None` is not enough.
    """
    header = _entries(tensors)
    if metadata is not None:
        header = {"__metadata__": dict(sorted(metadata.items()))} | header
    return _file(json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode())


@mistake("header_bytes")
def a_string(tensors, metadata=None):
    """text was returned; return bytes instead.

    .encode() makes bytes of the JSON; struct.pack makes bytes of the length.
    """
    return str(_file(_text(metadata, _entries(tensors))))


@mistake("header_bytes")
def reserved_name_accepted(tensors, metadata=None):
    """a tensor named __metadata__ was accepted.

    A reader takes it for the metadata, and the tensor is lost. Raise OptionError.
    """

    def kind(name: str, tensor: Any) -> str:
        return _kind("", tensor)

    return _file(_text(metadata, _entries(tensors, kind=kind)))


@mistake("header_bytes")
def other_dtypes_raise_key_errors(tensors, metadata=None):
    """a dtype that the format does not have raises KeyError; it must be OptionError.

    Check `code in NAMES` first, and raise OptionError with a sentence that names the tensor.
    """

    def kind(name: str, tensor: Any) -> str:
        if name == "__metadata__":
            raise OptionError("reserved")
        return NAMES[tensor.dtype.str[1:]]

    return _file(_text(metadata, _entries(tensors, kind=kind)))


def _little(tensor: Any) -> Any:
    return tensor.astype(tensor.dtype.newbyteorder("<"))


@mistake("tensor_bytes")
def as_in_memory(tensor):
    """the bytes are in the order of the memory; they must be in C order.

    A transposed view has the memory of the original: its rows lie one item apart. The header says
    the view's shape, so the reader gets a scrambled matrix. tobytes() without options is C order.
    """
    return _little(tensor).tobytes(order="A")


@mistake("tensor_bytes")
def first_axis_fastest(tensor):
    """the first axis runs fastest (Fortran order); in C order the last one does.

    Row after row: tobytes() without options.
    """
    return _little(tensor).tobytes(order="F")


@mistake("tensor_bytes")
def big_endian_stays(tensor):
    """a big-endian array was written as it is; the file must be little-endian.

    Its values come back as other numbers. Convert first, by astype(tensor.dtype.newbyteorder("<")).
    """
    return tensor.tobytes()


@mistake("tensor_bytes")
def all_bytes_reversed(tensor):
    """all bytes were put in reverse, so the items are in reverse order as well.

    Only the bytes within each item change places: astype(tensor.dtype.newbyteorder("<")).
    """
    raw = tensor.tobytes()
    return raw[::-1] if tensor.dtype.str[0] == ">" else raw


@mistake("tensor_bytes")
def made_big_endian(tensor):
    """the bytes are big-endian; they must be little-endian.

    "<" is little-endian, ">" is big-endian.
    """
    return tensor.astype(tensor.dtype.newbyteorder(">")).tobytes()


@mistake("tensor_bytes")
def always_swapped(tensor):
    """the bytes of every array were swapped, even if they were little-endian already.

    byteswap() swaps whatever it gets. astype(tensor.dtype.newbyteorder("<")) swaps only what it
    must.
    """
    return tensor.byteswap().tobytes()


@mistake("tensor_bytes")
def cast_to_float32(tensor):
    """the values were cast to float32; the dtype must stay.

    The header says the array's own dtype, and how many bytes that takes.
    """
    return tensor.astype("<f4").tobytes()


@mistake("tensor_bytes")
def cast_to_float64(tensor):
    """the values were cast to float64; the dtype must stay.

    The header says the array's own dtype, and how many bytes that takes.
    """
    return tensor.astype("<f8").tobytes()


@mistake("tensor_bytes")
def digits(tensor):
    """the values were written as text; write their bytes.

    tobytes() gives them: 8 for each float64.
    """
    return str(tensor.tolist()).encode()


@mistake("tensor_bytes")
def an_array(tensor):
    """an array was returned; return its bytes instead.

    tobytes() gives them.
    """
    return np.frombuffer(_little(tensor).tobytes(), np.uint8)


@mistake("tensor_bytes")
def swapped_in_place(tensor):
    """the caller's array was swapped in place.

    After saving, the model would go on with other numbers. Without inplace=True, byteswap returns a
    new array.
    """
    if tensor.dtype.byteorder == ">":
        tensor.byteswap(inplace=True)
    return tensor.tobytes()
