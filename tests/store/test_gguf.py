"""GGUF files: tensors as the `gguf` package has them, the model as transformers has it, damage."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilm
from minilm.errors import ModelError, OutputError
from minilm.nn.llama import Llama
from minilm.nn.llama_config import LlamaConfig
from minilm.store import folder, gguf, llamacpp, packaged
from minilm.text import byte_symbols
from minilm.text.bpe import BytePairTokenizer
from minilm.text.sentencepiece import SentencePieceTokenizer

CONFIG = LlamaConfig(
    320, 64, 96, 2, 4, 2, 16, 128, 1e-5, 20000.0, tie_word_embeddings=True,
    bos_token_id=1, eos_token_id=2,
)  # fmt: skip
NAMES = {"F32": 0, "F16": 1, "BF16": 30, "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8}


def _string(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def _value(value: Any) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<IB", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _string(value)
    items = [_value(item) for item in value]
    return (
        struct.pack("<I", 9)
        + items[0][:4]
        + struct.pack("<Q", len(items))
        + b"".join(item[4:] for item in items)
    )


def write(
    path: Path,
    metadata: dict[str, Any],
    tensors: dict[str, tuple[int, tuple[int, ...], bytes]],
    version: int = 3,
) -> Path:
    """Write a GGUF file by hand: metadata, and for each tensor its type, shape and bytes."""
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    head += b"".join(_string(key) + _value(value) for key, value in metadata.items())
    data = b""
    for name, (kind, shape, content) in tensors.items():
        axes = struct.pack(f"<I{len(shape)}Q", len(shape), *shape[::-1])
        head += _string(name) + axes + struct.pack("<IQ", kind, len(data))
        data += content + b"\0" * (-len(content) % 32)
    head += b"\0" * (-len(head) % 32)
    path.write_bytes(head + data)
    return path


def metadata(**changes: Any) -> dict[str, Any]:
    symbols = list(byte_symbols.SYMBOLS)
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *symbols, "Ġt", "he", "Ġthe"]
    tokens += [f"<unused{i}>" for i in range(320 - len(tokens))]
    types = [3 if token.startswith("<") and len(token) > 1 else 1 for token in tokens]
    found = {
        "general.architecture": "llama",
        "general.name": "Tiny",
        "general.license": "apache-2.0",
        "llama.block_count": 2,
        "llama.context_length": 128,
        "llama.embedding_length": 64,
        "llama.feed_forward_length": 96,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.freq_base": 20000.0,
        "llama.rope.dimension_count": 16,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.merges": ["Ġ t", "h e", "Ġt he"],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.chat_template": "{{ messages }}",
    }
    return {key: value for key, value in {**found, **changes}.items() if value is not ...}


def tensors(model: Llama) -> dict[str, tuple[int, tuple[int, ...], bytes]]:
    """Return a model's tensors in float32, queries and keys in llama.cpp's order."""
    found = {}
    for name, array in model.parameters.items():
        heads = {"q": CONFIG.n_head, "k": CONFIG.kv_heads}.get(name[-len("q_proj.weight")])
        if heads and "_proj" in name and "self_attn" in name:
            halves = array.reshape(heads, 2, CONFIG.head_size // 2, -1)
            array = halves.swapaxes(1, 2).reshape(array.shape)
        content = np.ascontiguousarray(array, "<f4").tobytes()
        found[llamacpp._gguf_name(name)] = (0, array.shape, content)
    return found


@pytest.fixture(scope="module")
def model() -> Llama:
    made = Llama(CONFIG, rng=np.random.default_rng(0))
    made.parameters.flat[...] = np.random.default_rng(1).normal(0, 0.2, made.parameters.flat.shape)
    return made


@pytest.fixture
def path(model: Llama, tmp_path: Path) -> Path:
    return write(tmp_path / "tiny.gguf", metadata(), tensors(model))


@pytest.mark.parametrize("version", [2, 3])
def test_a_file_is_the_model_that_it_was_made_from(
    model: Llama, tmp_path: Path, version: int
) -> None:
    path = write(tmp_path / "a.gguf", metadata(), tensors(model), version)
    saved = folder.load(path)
    assert saved.config == CONFIG
    np.testing.assert_array_equal(saved.parameters.flat, model.parameters.flat)
    assert isinstance(saved.tokenizer, BytePairTokenizer)
    ids = saved.tokenizer.encode("the  the12<|im_end|>")
    expected = ["t", "he", "Ġ", "Ġthe", "1", "2", "<|im_end|>"]
    assert ids == [saved.tokenizer.vocab[token] for token in expected]
    assert saved.tokenizer.chat_template == "{{ messages }}"
    assert saved.end_of_text == 0


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({}, None),
        ({"tokenizer.ggml.pre": "llama-bpe"}, "<|im_start|>"),  # as llama.cpp does by default
        ({"tokenizer.ggml.pre": "llama-bpe", "tokenizer.ggml.add_bos_token": False}, None),
        ({"tokenizer.ggml.add_bos_token": True}, "<|im_start|>"),
    ],
)
def test_the_token_before_a_text(
    model: Llama, tmp_path: Path, changes: dict[str, Any], first: str | None
) -> None:
    saved = folder.load(write(tmp_path / "a.gguf", metadata(**changes), tensors(model)))
    assert saved.tokenizer is not None
    assert saved.tokenizer.begins_with == first


def test_converted_it_says_what_it_was(path: Path, model: Llama, tmp_path: Path) -> None:
    folder.convert(path, tmp_path / "m")
    loaded = minilm.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.gpt.parameters.flat, model.parameters.flat)
    (stage,) = loaded.lineage
    assert (stage.kind, stage.settings["license"]) == ("convert", "apache-2.0")
    assert stage.settings["tensors"] == {"F32": 20}
    assert stage.data[0].name == "tiny.gguf"
    assert len(stage.data[0].sha256) == 64
    assert loaded.tokenizer is not None
    assert loaded.tokenizer.chat_template == "{{ messages }}"
    assert loaded.config == CONFIG
    with pytest.raises(OutputError, match="holds a model; choose another --output-dir"):
        folder.convert(path, tmp_path / "m")


def test_a_sentencepiece_table_is_read(model: Llama, tmp_path: Path) -> None:
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokens += ["▁t", "he", "▁the", "▁", *"abcehot"]
    tokens += [f"unused{i}" for i in range(320 - len(tokens))]
    types = [2, 3, 3, *[6] * 256, *[1] * (320 - 259)]
    scores = [0.0] * 259 + [-float(i) for i in range(320 - 259)]
    changes = {
        "tokenizer.ggml.model": "llama", "tokenizer.ggml.pre": ..., "tokenizer.ggml.merges": ...,
        "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.scores": scores,
    }  # fmt: skip
    found = folder.load(write(tmp_path / "a.gguf", metadata(**changes), tensors(model)))
    tokenizer = found.tokenizer
    assert isinstance(tokenizer, SentencePieceTokenizer)
    assert tokenizer.begins_with == "<s>"
    assert tokenizer.special_tokens == ("<unk>", "<s>", "</s>")
    ids = [tokenizer.vocab[token] for token in ("▁the", "▁t", "<0xC3>", "<0xA9>")]
    assert tokenizer.encode("the té") == ids
    assert tokenizer.decode(ids) == "the té"


@pytest.mark.peers
@pytest.mark.parametrize("name", NAMES)
def test_tensors_are_those_of_the_gguf_package(
    name: str, peer: Callable[[str], Any], tmp_path: Path
) -> None:
    package = peer("gguf")
    rng = np.random.default_rng(7)
    kind = package.GGMLQuantizationType[name]
    values = rng.normal(0, 3, (6, 96)).astype(np.float32)
    data = package.quants.quantize(values, kind)
    if name not in ("F32", "F16", "BF16"):  # any bits at all, the scales' too, but finite ones
        data = rng.integers(0, 256, data.shape, dtype=np.uint8)
        blocks = data.reshape(-1, gguf.KINDS[NAMES[name]].bytes)
        blocks[:, 1] &= 0x3B
        if name.endswith("_1"):
            blocks[:, 3] &= 0x3B
    path = write(tmp_path / "a.gguf", {}, {"x": (NAMES[name], values.shape, data.tobytes())})
    expected = package.quants.dequantize(data, kind).reshape(values.shape)
    found = gguf.GGUFFile(path)["x"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.view(np.uint32), expected.view(np.uint32))


@pytest.mark.peers
def test_the_package_reads_what_is_written_here(path: Path, peer: Callable[[str], Any]) -> None:
    reader = peer("gguf").GGUFReader(path)
    found = gguf.GGUFFile(path)
    assert [t.name for t in reader.tensors] == list(found)
    for tensor in reader.tensors:
        np.testing.assert_array_equal(tensor.data, found[tensor.name])
    assert (
        reader.fields["tokenizer.ggml.tokens"].contents() == found.metadata["tokenizer.ggml.tokens"]
    )


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"general.architecture": "qwen2"}, "architecture 'qwen2'; only llama is read"),
        ({"llama.block_count": ...}, "no llama.block_count"),
        ({"llama.block_count": 3}, "missing, which its metadata asks for"),
        ({"llama.block_count": 1}, "unexpected 'blk.1"),
        ({"llama.feed_forward_length": 64}, "but the metadata asks for"),
        ({"llama.rope.dimension_count": 8}, "llama.rope.dimension_count is 8"),
        ({"llama.rope.scaling.type": "yarn"}, "scaled by the kind 'yarn'"),
        ({"llama.rope.scale_linear": 4.0}, "the kind 'linear' and the factor 4.0"),
        ({"llama.rope.scaling.factor": 2.0}, "the kind 'linear' and the factor 2.0"),
        ({"llama.attention.head_count": "x"}, "head_count is 'x' and embedding_length 64"),
        ({"tokenizer.ggml.pre": "qwen2"}, "a tokenizer of the kind 'gpt2', 'qwen2'"),
        ({"tokenizer.ggml.model": "t5"}, "a tokenizer of the kind 't5'"),
        ({"tokenizer.ggml.merges": ["ab"]}, "'ab' is not a merge"),
        ({"tokenizer.ggml.merges": ["q x"]}, "merge 1, 'q' 'x': 'qx' is not in the vocabulary"),
        ({"tokenizer.ggml.tokens": ["a"]}, "1 tokens and 320 types"),
        ({"tokenizer.ggml.tokens": ["a"] * 320}, "the token 'a' is there twice"),
        ({"tokenizer.ggml.eos_token_id": 320}, "eos_token_id is 320, outside the vocabulary"),
        ({"general.alignment": 0}, "general.alignment is 0"),
    ],
)
def test_what_is_not_read_is_named(
    model: Llama, tmp_path: Path, changes: dict[str, Any], fault: str
) -> None:
    path = write(tmp_path / "a.gguf", metadata(**changes), tensors(model))
    with pytest.raises(ModelError, match=fault) as raised:
        folder.load(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("code", "name"), [(12, "Q4_K"), (14, "Q6_K"), (20, "IQ4_NL"), (77, "number 77")]
)
def test_k_quants_are_refused_by_name(tmp_path: Path, code: int, name: str) -> None:
    path = write(tmp_path / "a.gguf", {}, {"x": (code, (1, 256), bytes(144))})
    with pytest.raises(ModelError, match=f"'x' has the type {name}; minilm reads F32"):
        gguf.GGUFFile(path)


def test_sizes_are_checked_before_memory_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    large = 1 << 60
    for content, fault in (
        (b"GGUF", "too short for GGUF"),
        (b"GGML" + bytes(40), "does not begin with GGUF"),
        (b"GGUF" + struct.pack(">I", 3) + bytes(40), "big-endian"),
        (b"GGUF" + struct.pack("<I", 1) + bytes(40), "GGUF version 1"),
        (b"GGUF" + struct.pack("<IQQ", 3, large, 0), "tensors, which cannot be"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, large), "metadata entries, which cannot be"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, large), "bytes of a string, which cannot be"),
        (
            b"GGUF"
            + struct.pack("<IQQ", 3, 0, 1)
            + _string("k")
            + struct.pack("<IIQ", 9, 12, large),
            "entries of an array, which cannot be",
        ),
    ):
        path.write_bytes(content)
        with pytest.raises(ModelError, match=fault):
            gguf.GGUFFile(path)
    write(path, {}, {"x": (0, (1 << 30, 1 << 30), b"")})
    with pytest.raises(ModelError, match="no array can have the shape"):
        gguf.GGUFFile(path)
    write(path, {}, {"x": (0, (1 << 20, 1 << 20), b"")})
    with pytest.raises(ModelError, match="ends at byte"):
        gguf.GGUFFile(path)


def test_a_type_of_smaller_blocks_is_noticed(path: Path) -> None:
    large = (32, 32), bytes(32 * 20)
    write(path, {}, {"x": (3, *large), "y": (3, *large)})  # Q4_1
    assert gguf.GGUFFile(path)["y"].shape == (32, 32)
    write(path, {}, {"x": (2, *large), "y": (3, *large)})  # Q4_0, of 18 bytes a block
    with pytest.raises(ModelError, match="'y' starts at byte"):
        gguf.GGUFFile(path)
    write(path, {}, {"x": (3, *large), "y": (2, *large)})
    with pytest.raises(ModelError, match="bytes follow the last tensor"):
        gguf.GGUFFile(path)


def mutate(data: bytes, rng: np.random.Generator, header: int) -> bytes:
    """Change some bytes of the header, or cut the file, or put numbers where sizes are."""
    changed = bytearray(data)
    way = int(rng.integers(3))
    if way == 0:
        return bytes(changed[: int(rng.integers(len(changed)))])
    for _ in range(int(rng.integers(1, 4))):
        place = int(rng.integers(header))
        if way == 1:
            changed[place] = int(rng.integers(256))
        else:
            changed[place : place + 8] = int(rng.integers(1 << 62)).to_bytes(8, "little")
    return bytes(changed)


def check_mutations(path: Path, count: int, seed: int) -> None:
    data = path.read_bytes()
    header = min(info.start for info in gguf.GGUFFile(path).infos.values())
    rng = np.random.default_rng(seed)
    refused = 0
    for _ in range(count):
        path.write_bytes(mutate(data, rng, header))
        message = None
        try:
            saved = folder.load(path)
        except ModelError as error:
            message = str(error)
        if message is None:
            # A changed name, token or base of the positions: nothing tells it from a right one.
            assert saved.parameters.flat.size == sum(v.size for v in saved.parameters.values())
            continue
        refused += 1
        assert str(path) in message
        assert "\n" not in message
    assert refused > count // 3


def test_mutations_give_one_line_or_a_model(path: Path) -> None:
    check_mutations(path, 60, 0)


@pytest.mark.slow
def test_a_thousand_mutations(path: Path) -> None:
    check_mutations(path, 1000, 1)


def test_without_the_package_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(packaged.NAMES, "smollm2", ("no_such_module", "pip install it"))
    with pytest.raises(ModelError, match=r"not installed; get it \(94 MB\) with: pip install it"):
        minilm.load("smollm2")


def test_a_package_is_found_without_importing_it(
    path: Path, model: Llama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "some_model"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')", encoding="utf-8")
    path.rename(package / "tiny.gguf")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setitem(packaged.NAMES, "smollm2", ("some_model", "pip install some-model"))
    loaded = minilm.load("smollm2")
    np.testing.assert_array_equal(loaded.gpt.parameters.flat, model.parameters.flat)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "smollm2").mkdir()
    with pytest.raises(ModelError, match=r"no config\.json here"):  # a folder goes first
        minilm.load("smollm2")
