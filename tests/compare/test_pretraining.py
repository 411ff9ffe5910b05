"""The cache of pretraining: by content, whole or not at all, no loss where it cannot be."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minilm import resources
from minilm.compare import pretraining
from minilm.compare.pretraining import Made


@pytest.fixture
def own(monkeypatch, tmp_path):
    folder = tmp_path / "cache"
    monkeypatch.setenv("MINILM_CACHE", str(folder))
    return folder


MADE = Made({"a": np.arange(6, dtype=np.float32).reshape(2, 3)}, {"seconds": 1.5, "loss": [[1, 2]]})


def test_what_is_saved_comes_back_marked(own):
    pretraining.save_cached("x", MADE)
    found = pretraining.load_cached("x")
    assert np.array_equal(found.arrays["a"], MADE.arrays["a"])
    assert found.details == MADE.details
    assert found.from_cache
    assert [path.name for path in own.iterdir()] == ["x.safetensors"]
    assert pretraining.load_cached("y") is None


@pytest.mark.parametrize("where", [0, 40, -1])
def test_a_damaged_entry_is_none(own, where):
    pretraining.save_cached("x", MADE)
    data = bytearray((own / "x.safetensors").read_bytes())
    data[where] ^= 0xFF
    (own / "x.safetensors").write_bytes(data)
    assert pretraining.load_cached("x") is None
    (own / "x.safetensors").write_bytes(data[:10])
    assert pretraining.load_cached("x") is None


def test_keys_go_by_content_code_and_numpy(own, monkeypatch):
    keys = {pretraining.cache_name({"text": "a"}), pretraining.cache_name({"text": "b"})}
    monkeypatch.setattr(pretraining, "_code_version", lambda: "other")
    keys.add(pretraining.cache_name({"text": "a"}))
    monkeypatch.setattr(np, "__version__", "9.9")
    keys.add(pretraining.cache_name({"text": "a"}))
    assert len(keys) == 4


def test_a_cache_that_cannot_be_written_costs_only_time(own):
    own.write_text("a file is in the way", encoding="utf-8")
    pretraining.save_cached("x", MADE)
    assert pretraining.load_cached("x") is None


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", "XDG_CACHE_HOME", "minilm"),
        ("win32", "LOCALAPPDATA", "minilm"),
        ("darwin", "HOME", "Library/Caches/minilm"),
    ],
)
def test_the_systems_own_place(monkeypatch, tmp_path, platform, variable, expected):
    monkeypatch.delenv("MINILM_CACHE")
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, str(tmp_path))
    if variable == "HOME":
        monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert resources.cache_dir() == tmp_path / expected
