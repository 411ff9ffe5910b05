"""What the rooms export: every name resolves, none hides a module, and nothing loads early."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

from minilm import lazy
from minilm.embeddings import similarity

ROOMS = ["minilm.classify", "minilm.embeddings", "minilm.nn"]


@pytest.mark.parametrize("room", ROOMS)
def test_every_exported_name_resolves_and_hides_no_module(room):
    package = importlib.import_module(room)
    assert package.__all__
    for name in package.__all__:
        assert getattr(package, name) is not None
        assert name in dir(package)
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert not modules & set(package.__all__)
    for module in modules:
        namespace = {}
        exec(f"from {room} import {module} as found", namespace)
        assert namespace["found"].__name__ == f"{room}.{module}"
    with pytest.raises(AttributeError, match=f"module '{room}' has no attribute 'nothing'"):
        _ = package.nothing


def test_rooms_load_no_numpy_until_a_name_is_used():
    code = f"import sys, {', '.join(ROOMS)}; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_replaced_function_is_seen_through_the_room(monkeypatch):
    room = importlib.import_module("minilm.embeddings")
    assert room.cosine is similarity.cosine
    mine = object()
    monkeypatch.setattr(similarity, "cosine", mine)
    assert room.cosine is mine


def test_directory_holds_modules_and_names():
    getattribute, directory, names = lazy.exports("minilm", {"errors": ("InputError",)})
    assert names == ["InputError"]
    assert {"InputError", "__version__"} <= set(directory())
    with pytest.raises(AttributeError):
        getattribute("OutputError")
