"""The format by hand: every dtype both ways, every lie about itself found, the package agrees."""

import io
import json
import re
import struct

import numpy as np
import pytest

from minilm.errors import ModelError, OptionError
from minilm.store import safetensors

DTYPES = [
    np.bool_, np.uint8, np.int8, np.int16, np.uint16, np.float16, np.int32, np.uint32, np.float32,
    np.float64, np.int64, np.uint64,
]  # fmt: skip


def one_of_each(rng):
    tensors = {}
    for dtype in DTYPES:
        name = np.dtype(dtype).name
        tensors[f"a.{name}"] = rng.integers(0, 2, (3, 5)).astype(dtype)
        tensors[f"scalar.{name}"] = rng.integers(0, 2, ()).astype(dtype)
        tensors[f"empty.{name}"] = np.zeros((0, 4), dtype)
    tensors["ü.float"] = rng.normal(size=(2, 3, 4))
    return tensors


def encode(tensors, metadata=None):
    file = io.BytesIO()
    safetensors.dump(tensors, file, metadata)
    return file.getvalue()


def assemble(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(start=0, stop=8, dtype="F32", shape=(2,)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}


def test_round_trip_of_every_dtype(tmp_path):
    tensors = one_of_each(np.random.default_rng(1))
    path = tmp_path / "a.safetensors"
    safetensors.save(tensors, path, {"format": "np", "a": "ü"})
    back = safetensors.load(path)
    assert back.keys() == tensors.keys()
    for name, value in tensors.items():
        wanted = np.float32 if value.dtype == np.float16 else value.dtype
        assert back[name].dtype == wanted
        assert back[name].shape == value.shape
        np.testing.assert_array_equal(back[name], value)
    with safetensors.TensorFile(path) as file:
        assert file.metadata == {"a": "ü", "format": "np"}
        assert not file["a.float32"].flags.writeable


def test_layouts_are_made_contiguous_and_little_endian():
    value = np.arange(12, dtype=np.float32).reshape(3, 4)
    expected = encode({"x": value})
    wide = np.zeros((3, 8), np.float32)
    wide[:, ::2] = value
    for other in (np.asfortranarray(value), value.astype(">f4"), wide[:, ::2], value.T.copy().T):
        assert encode({"x": other}) == expected


def test_a_file_is_its_header_and_the_bytes_of_its_arrays():
    tensors = {"a": np.arange(3.0), "b": np.arange(6, dtype=">i4").reshape(2, 3).T}
    header = safetensors.header_bytes(tensors, {"ü": "1"})
    assert header[:8] == struct.pack("<Q", len(header) - 8)
    assert len(header) % 8 == 0
    assert json.loads(header[8:]) == {
        "__metadata__": {"ü": "1"},
        "a": entry(0, 24, "F64", (3,)),
        "b": entry(24, 48, "I32", (3, 2)),
    }
    data = [bytes(safetensors.tensor_bytes(tensor)) for tensor in tensors.values()]
    assert data[1] == struct.pack("<6i", 0, 3, 1, 4, 2, 5)
    assert encode(tensors, {"ü": "1"}) == header + b"".join(data)
    assert np.shares_memory(tensors["a"], safetensors.tensor_bytes(tensors["a"]))


def test_bytes_depend_on_content_only():
    tensors = one_of_each(np.random.default_rng(2))
    metadata = {"b": "1", "a": "2"}
    backwards = dict(reversed(tensors.items()))
    first = encode(tensors, metadata)
    assert first == encode(backwards, dict(reversed(metadata.items())))
    assert struct.unpack("<Q", first[:8])[0] % 8 == 0


def test_bfloat16_is_the_upper_half_of_a_float32(tmp_path):
    bits = np.arange(1 << 16, dtype=np.uint16)
    path = tmp_path / "a"
    path.write_bytes(assemble({"x": entry(0, 1 << 17, "BF16", (1 << 16,))}, bits.tobytes()))
    widened = safetensors.load(path)["x"]
    assert widened.dtype == np.float32
    np.testing.assert_array_equal(widened.view(np.uint32) >> 16, bits)
    np.testing.assert_array_equal(widened.view(np.uint32) & 0xFFFF, 0)
    assert widened[0x3F80] == 1.0
    assert widened[0xC040] == -3.0


def test_what_the_format_has_no_place_for_is_refused():
    with pytest.raises(OptionError, match="x has the dtype complex128"):
        encode({"x": np.zeros(2, complex)})
    with pytest.raises(OptionError, match="no tensor can be named __metadata__"):
        encode({"__metadata__": np.zeros(2)})


DATA = bytes(8)
DAMAGE = {
    "empty": (b"", "0 bytes, too short"),
    "seven bytes": (b"1234567", "7 bytes, too short"),
    "100 GB claimed": (struct.pack("<Q", 10**11) + b"{}", r"claims a header of 100,000,000,000"),
    "largest claim": (struct.pack("<Q", 2**64 - 1) + b"{}", "claims a header"),
    "empty header": (assemble(b""), "header is not a JSON object"),
    "a list": (assemble(b"[]"), "header is not a JSON object"),
    "blank first": (assemble(b" {}"), "header is not a JSON object"),
    "half an object": (assemble(b'{"a": '), "not valid JSON"),
    "not UTF-8": (assemble(b'{"\xff": 1}'), "not UTF-8 at byte 10"),
    "NaN": (assemble(b'{"x": NaN}'), "NaN is not JSON"),
    "deep": (assemble(b'{"x": ' + b"[" * 99_999), "nested too deeply"),
    "name twice": (
        assemble(
            b'{"x": {"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
            b' "x": {"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
            DATA,
        ),
        "'x' appears twice",
    ),
    "key twice": (
        assemble(b'{"x": {"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', DATA),
        "'dtype' appears twice",
    ),
    "no shape": (assemble({"x": {"dtype": "F32", "data_offsets": [0, 8]}}, DATA), "'x': expected"),
    "more keys": (assemble({"x": {**entry(), "more": 1}}, DATA), "'x': expected dtype"),
    "no object": (assemble({"x": 5}, DATA), "'x': expected dtype"),
    "unknown dtype": (assemble({"x": entry(dtype="F4")}, DATA), "dtype 'F4' is not one of"),
    "dtype a list": (assemble({"x": {**entry(), "dtype": []}}, DATA), r"dtype \[\] is not"),
    "negative axis": (assemble({"x": entry(shape=(-2,))}, DATA), r"shape \[-2\] is not"),
    "axis a float": (assemble({"x": entry(shape=(2.0,))}, DATA), r"shape \[2.0\] is not"),
    "axis true": (assemble({"x": entry(0, 4, shape=(True,))}, bytes(4)), r"shape \[True\] is not"),
    "many axes": (assemble({"x": entry(shape=(1,) * 40 + (2,))}, DATA), "list of 32 counts"),
    "100 GB shape": (assemble({"x": entry(shape=(25 * 10**9,))}, DATA), "takes 100,000,000,000"),
    "overflowing shape": (assemble({"x": entry(shape=(1 << 61, 1 << 61))}, DATA), "no array can"),
    "empty and absurd": (assemble({"x": entry(0, 0, shape=(0, 1 << 61, 9))}), "no array can"),
    "one offset": (assemble({"x": {**entry(), "data_offsets": [8]}}, DATA), "not a start and a"),
    "negative offset": (assemble({"x": entry(-8, 0)}, DATA), "not a start and a stop"),
    "backwards": (assemble({"x": entry(8, 0)}, DATA), "not a start and a stop"),
    "span and shape": (assemble({"x": entry(0, 4)}, DATA), "takes 8 bytes, but its data_offsets"),
    "gap": (assemble({"x": entry(4, 12)}, bytes(12)), "'x' leaves a gap before: it starts at 4"),
    "overlap": (
        assemble({"x": entry(0, 8), "y": entry(4, 12)}, bytes(12)),
        "'y' overlaps the tensor before it: it starts at 4",
    ),
    "same place": (assemble({"x": entry(), "y": entry()}, DATA), "overlaps"),
    "cut short": (assemble({"x": entry()}, bytes(7)), "take 8 bytes, but 7 follow"),
    "bytes left": (assemble({"x": entry()}, bytes(9)), "take 8 bytes, but 9 follow"),
    "100 GB offsets": (assemble({"x": entry(0, 10**11, "U8", (10**11,))}, DATA), "but 8 follow"),
    "metadata": (assemble({"__metadata__": {"a": 1}}), "__metadata__ is not an object of strings"),
    "metadata a list": (assemble({"__metadata__": []}), "__metadata__ is not an object"),
}


@pytest.mark.parametrize("fault", DAMAGE)
def test_every_lie_is_found_before_memory_is_taken(tmp_path, fault):
    content, message = DAMAGE[fault]
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        safetensors.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_header_larger_than_any_model_has_is_not_read(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(assemble(b"{" + b" " * safetensors.MAX_HEADER + b"}"))
    with pytest.raises(ModelError, match="minilm reads at most 16,777,216"):
        safetensors.load(path)


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(ModelError, match=re.escape(f"{tmp_path / 'a'}: no such file")):
        safetensors.TensorFile(tmp_path / "a")
    with pytest.raises(ModelError, match=re.escape(str(tmp_path))):
        safetensors.TensorFile(tmp_path)


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    safetensors.save({"x": np.ones(2)}, path)
    before = path.read_bytes()
    with pytest.raises(OptionError, match="complex"):
        safetensors.save({"x": np.ones(2, complex)}, path)
    assert path.read_bytes() == before


@pytest.mark.peers
def test_the_package_writes_the_same_bytes(peer, tmp_path):
    package = peer("safetensors.numpy")
    tensors = one_of_each(np.random.default_rng(3))
    assert encode(tensors) == package.save(tensors)
    assert encode(tensors, {"format": "pt"}) == package.save(tensors, {"format": "pt"})


def test_a_view_outlives_its_block(tmp_path):
    values = np.arange(100_000, dtype=np.float32)
    safetensors.save({"a": values, "none": np.zeros((0, 3))}, tmp_path / "a")
    with safetensors.TensorFile(tmp_path / "a") as file:
        view, empty = file["a"], file["none"]
    assert np.array_equal(view, values)
    assert empty.shape == (0, 3)


@pytest.mark.peers
def test_the_package_reads_ours(peer, tmp_path):
    package = peer("safetensors.numpy")
    tensors = one_of_each(np.random.default_rng(4))
    safetensors.save(tensors, tmp_path / "a", {"k": "v"})
    back = package.load_file(tmp_path / "a")
    assert back.keys() == tensors.keys()
    for name, value in tensors.items():
        assert back[name].dtype == value.dtype
        np.testing.assert_array_equal(back[name], value)


@pytest.mark.peers
def test_half_precision_of_torch_is_widened_as_torch_widens_it(peer, tmp_path):
    torch, package = peer("torch"), peer("safetensors.torch")
    values = torch.randn(4, 7, generator=torch.Generator().manual_seed(0)) * 1e3
    tensors = {
        "bf16": values.to(torch.bfloat16),
        "f16": values.to(torch.float16),
        "f64": values.to(torch.float64),
        "bool": values > 0,
    }
    package.save_file(tensors, tmp_path / "a")
    back = safetensors.load(tmp_path / "a")
    assert {name: value.dtype.name for name, value in back.items()} == {
        "bf16": "float32", "f16": "float32", "f64": "float64", "bool": "bool",
    }  # fmt: skip
    for name in ("bf16", "f16"):
        np.testing.assert_array_equal(back[name], tensors[name].to(torch.float32).numpy())
    np.testing.assert_array_equal(back["f64"], tensors["f64"].numpy())
