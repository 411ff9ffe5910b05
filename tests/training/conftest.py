"""A small corpus and a small trained model, made once."""

import pytest

from minilm.training import pretrain

TEXT = "The cat sat on the mat.\nA dog ran to the hill, and the cat ran too.\n" * 60
TINY = {
    "size": "kata",
    "n_embd": 16,
    "n_layer": 2,
    "n_head": 2,
    "n_positions": 16,
    "vocab_size": 280,
    "batch": 4,
    "steps": 30,
    "threads": 1,
}


@pytest.fixture(scope="session")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "cats.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def trained(text, tmp_path_factory):
    """Return the folder of a model that has seen 30 steps; not to be changed."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    pretrain.pretrain([text], folder, TINY, say=lambda line: None)
    return folder


@pytest.fixture
def tiny():
    return dict(TINY)
