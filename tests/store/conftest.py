"""A small model with its tokenizers, and folders that hold it: ours, and other programs'."""

import functools
import json
import shutil

import numpy as np
import pytest

from minilm.nn.gpt import GPT, GPTConfig
from minilm.store import folder, safetensors
from minilm.store.ledger import Ledger
from minilm.text.bpe import BytePairTokenizer
from minilm.text.wordlevel import WordLevelTokenizer

TEXTS = ["The émigré went to the sea, and the sea was low.", "Lower and lower went the sea!"] * 2


@pytest.fixture(scope="session")
def model():
    config = GPTConfig(300, 16, 12, 2, 3, embd_pdrop=0.1)
    rng = np.random.default_rng(7)
    gpt = GPT(config, rng=rng)
    gpt.parameters.flat[...] = rng.normal(0.0, 0.3, gpt.parameters.flat.shape)
    return gpt


@pytest.fixture(scope="session")
def bpe():
    return BytePairTokenizer.train(TEXTS, 280, [folder.END_OF_TEXT])


@pytest.fixture(scope="session")
def words():
    return WordLevelTokenizer.train(TEXTS)


@pytest.fixture(scope="session")
def lineage():
    return (
        folder.Stage("pretrain", (folder.Source("a.txt", 3, "0" * 64),), 10, 640, {"seed": 1}),
        folder.Stage("continue", (folder.Source("b.txt", 4, "1" * 64),), 5, 320, {"rate": 0.5}),
    )


@pytest.fixture(scope="session")
def contents():
    """Return all files of a save: the model and what resuming needs."""

    def collect(gpt, tokenizer, state=b'{"step": 15}'):
        moments = {"m": gpt.parameters.flat * 0.5, "v": gpt.parameters.flat**2}
        return {
            **folder.model_files(gpt.config, gpt.parameters, tokenizer, Ledger.of([str(state)])),
            "training/optimizer.safetensors": functools.partial(safetensors.dump, moments),
            "training/state.json": state,
        }

    return collect


@pytest.fixture(scope="session")
def foreign():
    """Return a function that writes a folder as transformers does."""
    return write_foreign


@pytest.fixture(scope="session")
def kept(tmp_path_factory, model, bpe, contents, lineage, foreign):
    """One folder of ours, two of other programs; never changed, tests take copies."""
    root = tmp_path_factory.mktemp("models")
    folder.save(root / "ours", contents(model, bpe), lineage)
    foreign(root / "single", model, bpe)
    foreign(root / "sharded", model, bpe, shards=2)
    return root


@pytest.fixture
def copy(kept, tmp_path):
    """Return a copy of one of the kept folders, to be damaged."""

    def make(name, to="copy"):
        return shutil.copytree(kept / name, tmp_path / to)

    return make


def write_foreign(path, gpt, tokenizer, *, shards=1, prefix="transformer.", tensors=None):
    path.mkdir()
    config = gpt.config.to_dict() | {"architectures": ["GPT2LMHeadModel"], "eos_token_id": 0}
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    if tokenizer is not None:
        tokenizer.save(path)
    tensors = {prefix + n: v for n, v in gpt.parameters.items()} if tensors is None else tensors
    if shards == 1:
        safetensors.save(tensors, path / "model.safetensors", {"format": "pt"})
        return path
    names = sorted(tensors)
    weight_map = {}
    for i in range(shards):
        shard = f"model-{i + 1:05}-of-{shards:05}.safetensors"
        part = {name: tensors[name] for name in names[i::shards]}
        safetensors.save(part, path / shard, {"format": "pt"})
        weight_map |= dict.fromkeys(part, shard)
    index = {"metadata": {"total_size": gpt.parameters.flat.nbytes}, "weight_map": weight_map}
    (path / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return path
