"""Our folder: what is saved is what is loaded, and one changed byte anywhere is found."""

import json
import shutil

import numpy as np
import pytest

from minilm.errors import MinilmError, ModelError, OptionError, TrainingError
from minilm.nn.parameters import Parameters
from minilm.store import describe, folder, manifest


def test_what_is_saved_is_loaded(kept, model, bpe, lineage):
    loaded = folder.load(kept / "ours")
    assert loaded.config == model.config
    assert loaded.lineage == lineage
    assert loaded.end_of_text == 0
    assert loaded.tokenizer.vocab == bpe.vocab
    assert loaded.tokenizer.merges == bpe.merges
    np.testing.assert_array_equal(loaded.parameters.flat, model.parameters.flat)
    loaded.parameters.flat[0] = 1.0  # a copy, not a view of the file


def test_float64_is_kept_where_it_is_asked_for(tmp_path, model):
    wide = Parameters(model.parameters.shapes, np.float64)
    wide.flat[...] = np.random.default_rng(0).normal(size=wide.flat.shape)
    folder.save(tmp_path, folder.model_files(model.config, wide, None))
    loaded = folder.load(tmp_path, dtype=np.float64)
    np.testing.assert_array_equal(loaded.parameters.flat, wide.flat)
    assert loaded.tokenizer is None
    narrow = folder.load(tmp_path).parameters.flat
    np.testing.assert_array_equal(narrow, wide.flat.astype(np.float32))


def test_one_changed_byte_in_each_file_is_found(kept, tmp_path):
    rng = np.random.default_rng(0)
    files = [p.relative_to(kept / "ours") for p in (kept / "ours").rglob("*") if p.is_file()]
    assert len(files) == 11  # ten with a checksum, and the lock
    path = shutil.copytree(kept / "ours", tmp_path / "m")
    for file in files:
        data = (path / file).read_bytes()
        if file.name == ".lock":
            assert data == b""
            continue
        for place in {0, len(data) - 1, *rng.integers(0, len(data), 12).tolist()}:
            damaged = bytearray(data)
            damaged[place] ^= int(rng.integers(1, 256))
            (path / file).write_bytes(damaged)
            with pytest.raises(ModelError) as caught:
                folder.load(path)
            assert str(caught.value).startswith(str(path / file))
            if file.name != manifest.NAME:
                assert "its checksum differs where minilm.json says" in str(caught.value)
            with pytest.raises(ModelError):
                describe.describe(path)
        (path / file).write_bytes(data)
    folder.load(path)


def test_every_byte_of_the_manifest_matters(copy):
    path = copy("ours")
    file = path / "minilm.json"
    data = file.read_bytes()
    for place in range(0, len(data), 3):
        file.write_bytes(data[:place] + bytes([data[place] ^ 0x01]) + data[place + 1 :])
        with pytest.raises(ModelError, match=r"minilm\.json"):
            manifest.read(file)
    for text in (data.decode() + " ", data.decode().replace("  ", "\t", 1)):
        file.write_text(text, encoding="utf-8", newline="")
        with pytest.raises(ModelError, match="its own checksum differs"):
            manifest.read(file)


def test_a_missing_file_is_named_and_a_folder_without_its_state_is_whole(copy):
    path = copy("ours")
    (path / "training" / "state.json").unlink()
    with pytest.raises(ModelError, match=r"state\.json: missing, though minilm\.json lists it"):
        folder.load(path)
    shutil.rmtree(path / "training")
    assert folder.load(path).end_of_text == 0
    assert describe.describe(path)["training_state"] == []
    (path / "vocab.json").unlink()
    with pytest.raises(ModelError, match=r"vocab\.json: missing"):
        folder.load(path)


def test_without_its_manifest_it_is_a_foreign_folder(copy, model):
    path = copy("ours")
    (path / "minilm.json").unlink()
    loaded = folder.load(path)
    assert loaded.lineage == ()
    np.testing.assert_array_equal(loaded.parameters.flat, model.parameters.flat)


def test_files_that_the_manifest_does_not_list_are_not_read(copy, model, words):
    path = copy("ours")
    folder.save(path, folder.model_files(model.config, model.parameters, None))
    words.save(path)
    assert folder.load(path).tokenizer is None


def test_nothing_in_the_folder_is_a_time(kept):
    content = json.loads((kept / "ours" / "minilm.json").read_text(encoding="utf-8"))
    assert sorted(content) == ["checksum", "files", "format", "lineage"]
    assert {tuple(entry) for entry in content["files"].values()} == {("bytes", "sha256")}


def test_a_model_that_broke_down_is_never_saved(tmp_path, model):
    broken = Parameters(model.parameters.shapes, np.float32)
    broken["ln_f.bias"][3] = np.nan
    with pytest.raises(TrainingError, match=r"ln_f.bias\[3\] is nan; this model is not saved"):
        folder.model_files(model.config, broken, None)


def test_settings_must_be_json(tmp_path, model):
    files = folder.model_files(model.config, model.parameters, None)
    for value in (object(), float("nan")):
        stage = folder.Stage("pretrain", (), 1, 1, {"x": value})
        with pytest.raises(OptionError, match="cannot be saved as JSON"):
            folder.save(tmp_path, files, [stage])
    assert not folder.exists(tmp_path)


def test_a_manifest_of_a_later_format_or_with_unsafe_names(copy):
    path = copy("ours") / "minilm.json"
    text = path.read_text(encoding="utf-8")
    blank = text.replace(json.loads(text)["checksum"], "0" * 64)

    def write(changed):
        path.write_text(changed.replace("0" * 64, manifest._checksum(changed), 1), encoding="utf-8")

    write(blank)
    manifest.read(path)
    for old, new, message in (
        ('"format": 1', '"format": 2', "format 2 is from a later minilm"),
        ('"config.json"', '"../config.json"', r"'\.\./config\.json' cannot be a file"),
        ('"lineage"', '"ancestors"', "not a manifest as minilm writes it"),
        ('"bytes"', '"size"', "not a manifest as minilm writes it"),
    ):
        assert old in blank
        write(blank.replace(old, new))
        with pytest.raises(ModelError, match=message):
            manifest.read(path)


def test_describe(kept, model, bpe):
    found = describe.describe(kept / "ours")
    assert found["made_by"] == "minilm"
    assert found["config"] == model.config.to_dict()
    assert found["parameters"] == model.parameters.count()
    assert found["bytes"] == model.parameters.flat.nbytes
    assert {t["name"]: tuple(t["shape"]) for t in found["tensors"]} == model.parameters.shapes
    assert found["tokenizer"] == {
        "kind": "byte-level BPE",
        "merges": len(bpe.merges),
        "entries": 280,
        "special_tokens": ["<|endoftext|>"],
    }
    assert [stage["kind"] for stage in found["lineage"]] == ["pretrain", "continue"]
    assert found["training_state"] == ["training/optimizer.safetensors", "training/state.json"]
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(found, sort_keys=True))
    found = describe.describe(kept / "sharded")
    assert found["made_by"] == "another program"
    assert found["parameters"] == model.parameters.count()
    assert found["lineage"] == []


def test_source(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"abc")
    assert folder.source(path) == folder.Source(
        "a.txt", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_large_claims_in_every_text_file_are_refused_quickly(copy):
    for name in ("ours", "single", "sharded"):
        path = copy(name, name)
        for file in [p for p in path.rglob("*.json") if p.parent == path]:
            data = file.read_bytes()
            with open(file, "r+b") as stream:
                stream.truncate(10**11)  # sparse: takes no room
            used = file.name != "vocab.json" or name == "ours"
            if used and file.name != "tokenizer_config.json":
                with pytest.raises(MinilmError, match="bytes"):
                    folder.load(path)
            file.write_bytes(data)
