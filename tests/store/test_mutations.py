"""Damage of every kind, drawn by seed: always an error that names the file, or a load."""

import json
import shutil
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest

from minilm.errors import MinilmError
from minilm.store import folder

NASTY = [
    -1, 0, 1, 3, 2**31, 2**63, 10**30, -0.5, 1e308, True, None, "", "x", "../x", "\ud800", [], [[]],
    [-1, 5], {}, {"a": 1}, "F16", "BF16", "I64", [1 << 40, 1 << 40], [0, 1 << 62],
]  # fmt: skip
MEMORY = 20_000_000  # bytes; the small model and its tokenizer need far less


def flip(data, rng):
    place = rng.integers(len(data))
    return data[:place] + bytes([data[place] ^ int(rng.integers(1, 256))]) + data[place + 1 :]


def truncate(data, rng):
    return data[: rng.integers(len(data))]


def extend(data, rng):
    return data + rng.bytes(int(rng.integers(1, 50)))


def overwrite(data, rng):
    place = rng.integers(len(data))
    return data[:place] + rng.bytes(int(rng.integers(1, 30))) + data[place:]


def claim(data, rng):
    """Change what the first eight bytes, a header's length, or any others, say."""
    lengths = [0, 1, len(data), max(len(data) - 8, 0), 10**11, 2**63, 2**64 - 1]
    length = lengths[rng.integers(len(lengths))]
    place = 0 if rng.random() < 0.7 else int(rng.integers(len(data)))
    return data[:place] + struct.pack("<Q", length) + data[place + 8 :]


def edit(data, rng):
    """Change the JSON of a file, or of a safetensors header, keeping it JSON."""
    header = 0
    if data[8:9] == b"{":
        (header,) = struct.unpack("<Q", data[:8])
        text, rest = data[8 : 8 + header], data[8 + header :]
    else:
        text, rest = data, b""
    try:
        content = json.loads(text)
    except ValueError:
        return flip(data, rng)
    parent, key = content, None
    while isinstance(parent[key] if key is not None else parent, (dict, list)):
        inner = parent[key] if key is not None else parent
        if not inner or (key is not None and rng.random() < 0.2):
            break
        parent = inner
        keys = list(parent) if isinstance(parent, dict) else range(len(parent))
        key = keys[int(rng.integers(len(keys)))]
    if key is None:
        return b"[]"
    kind = rng.integers(4)
    if kind == 0:
        del parent[key]
    elif kind == 1 and isinstance(parent, dict):
        parent["h.0.attn.bias" if rng.random() < 0.5 else "new"] = parent.pop(key)
    else:
        parent[key] = NASTY[int(rng.integers(len(NASTY)))]
    text = json.dumps(content).encode()
    if kind == 3 and text.startswith(b"{") and len(text) > 2:  # the first key twice
        text = b"{" + text[1:-1] + b", " + text[1:-1] + b"}"
    return struct.pack("<Q", len(text)) + text + rest if header else text


MUTATIONS = [flip, truncate, extend, overwrite, claim, edit, edit, edit]


def mutate(path, rng):
    """Damage one file of a folder; return its name and whether its bytes are others now."""
    names = sorted(p for p in path.rglob("*") if p.is_file() and p.name != ".lock")
    file = names[int(rng.integers(len(names)))]
    data = file.read_bytes()
    if rng.random() < 0.03:
        file.unlink()
        if rng.random() < 0.5:
            file.mkdir()
        return file, True
    new = MUTATIONS[int(rng.integers(len(MUTATIONS)))](data, rng)
    file.write_bytes(new)
    return file, new != data


@pytest.mark.parametrize("chunk", range(5))
@pytest.mark.parametrize("name", ["ours", "single", "sharded"])
def test_damage_ends_in_an_error_that_names_the_file_or_in_a_load(kept, tmp_path, name, chunk):
    rng = np.random.default_rng([zlib.crc32(name.encode()), chunk])
    outcomes = {"error": 0, "load": 0}
    for number in range(80):
        path = tmp_path / "copy"
        shutil.copytree(kept / name, path)
        file, changed = mutate(path, rng)
        case = f"{name} {chunk} {number}: {file.name}"
        start = time.perf_counter()
        tracemalloc.start()
        message = None
        try:
            model = folder.load(path)
        except MinilmError as error:
            message = str(error)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        if message is None:
            outcomes["load"] += 1
            assert np.isfinite(model.parameters.flat).all(), case
            # Without its manifest our folder is like a foreign one.
            foreign = name != "ours" or (file.name == "minilm.json" and not file.exists())
            assert foreign or not changed, case
        else:
            outcomes["error"] += 1
            assert str(file if name == "ours" else path) in message, case
        assert peak < MEMORY, f"{case} took {peak:,} bytes"
        assert time.perf_counter() - start < 10.0, case
        shutil.rmtree(path)
    assert outcomes["error"] > 30
