"""Models with random weights, a classifier and adapters, in folders; nothing is trained."""

import dataclasses

import numpy as np
import pytest

from minilm.models.text_classifier import TextClassifier
from minilm.nn import lora
from minilm.nn.gpt import GPT, GPTConfig, initial_parameters
from minilm.store import adapters, folder
from minilm.store.adapters import SavedAdapter
from minilm.store.classification import Head
from minilm.store.folder import SavedModel
from minilm.text.bpe import BytePairTokenizer
from minilm.text.wordlevel import WordLevelTokenizer

WORDS = "the cat sat on a mat and dog ran fine dull film"


@pytest.fixture(scope="session")
def judges(tmp_path_factory):
    """Return a folder with base, other, classifier, moods, animals (adapters) and speech (of it).

    Tests do not change what is in it.
    """
    root = tmp_path_factory.mktemp("judges")
    tokenizer = WordLevelTokenizer.train([WORDS], min_count=1)
    config = GPTConfig(len(tokenizer.vocab), 8, 12, 2, 2, initializer_range=0.4)
    for seed, name in enumerate(("base", "other")):
        parameters = initial_parameters(config, rng=np.random.default_rng(seed))
        folder.save(root / name, folder.model_files(config, parameters, tokenizer))
    base = SavedModel(config, folder.load(root / "base").parameters, tokenizer, 0, ())
    rng = np.random.default_rng(7)
    score = rng.normal(0, 1, (2, 12)).astype(np.float32)
    parameters = base.parameters.beside({"score.weight": score})
    head = Head(("bad", "good"), "mean")
    TextClassifier(dataclasses.replace(base, parameters=parameters), head).save(root / "classifier")
    sha256 = adapters.fingerprint(config, base.parameters)
    for name, labels in (("moods", ("bad", "good")), ("animals", tuple("abcde")), ("speech", ())):
        made = lora.new_adapter(config, rank=2, rng=rng)
        made.weights.flat[...] = rng.normal(0, 0.2, made.weights.flat.shape)
        saved = SavedAdapter(made, str(root / "base"), sha256)
        if labels:
            score = rng.normal(0, 1, (len(labels), 12)).astype(np.float32)
            saved = dataclasses.replace(saved, score=score, head=Head(labels, "mean"))
        adapters.save(root / name, saved)
    return root


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Return a model with random weights, a byte-level tokenizer and a context of 12."""
    path = tmp_path_factory.mktemp("models") / "m"
    tokenizer = BytePairTokenizer.train(["the cat the cat"], 263, [folder.END_OF_TEXT])
    config = GPTConfig(263, 12, 12, 1, 2, initializer_range=0.3)
    gpt = GPT(config, rng=np.random.default_rng(0))
    folder.save(path, folder.model_files(config, gpt.parameters, tokenizer))
    return path
