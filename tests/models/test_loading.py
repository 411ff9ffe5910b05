"""`minilm.load`: each kind of folder gives its own kind of object."""

import shutil

import numpy as np
import pytest

import minilm
from minilm.cli import main
from minilm.errors import ModelError, OptionError
from minilm.models import adapted
from minilm.nn import lora
from minilm.store import adapters
from minilm.store.adapters import SavedAdapter
from minilm.store.classification import Head


@pytest.fixture
def folders(trained, tmp_path):
    """Return a folder with base, classifier, labels (an adapter with a head) and speech."""
    shutil.copytree(trained, tmp_path / "base")
    base = adapted.load(trained)
    rng = np.random.default_rng(0)
    for name, head in (("labels", Head(("bad", "good"), "mean")), ("speech", None)):
        made = lora.new_adapter(base.saved.config, rank=2, rng=rng)
        score = None if head is None else rng.normal(0, 1, (2, 16)).astype(np.float32)
        saved = SavedAdapter(made, str(tmp_path / "base"), base.sha256, score, head)
        adapters.save(tmp_path / name, saved)
    minilm.load(tmp_path / "labels").save(tmp_path / "classifier")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("base", "LanguageModel", "LanguageModel(2 layers, width 16, context 16, vocabulary 280"),
        ("classifier", "TextClassifier", "TextClassifier(2 labels: 'bad', 'good'; 2 layers"),
        ("labels", "TextClassifier", "LoRA rank 2)"),
        ("speech", "LanguageModel", "LoRA rank 2)"),
    ],
)
def test_what_a_folder_holds(folders, name, kind, shown):
    found = minilm.load(folders / name, dtype=np.float64)
    assert type(found).__name__ == kind
    assert shown in repr(found)
    if kind == "TextClassifier":
        assert found.predict(["the cat"])[0] in ("bad", "good")
        assert found.predict_proba(["the cat"]).shape == (1, 2)
    else:
        assert found.logits([1, 2]).dtype == np.float64


def test_an_adapter_whose_base_is_elsewhere(folders):
    (folders / "base").rename(folders / "moved")
    with pytest.raises(ModelError, match=r"its base, .*base, is not here; name the folder of"):
        minilm.load(folders / "speech")
    assert minilm.load(folders / "speech", base=folders / "moved").gpt.adapter.rank == 2


def test_a_classifier_does_not_generate(folders, capsys):
    assert main.main(["generate", str(folders / "classifier"), "the"]) == 2
    error = capsys.readouterr().err
    assert "a classifier, which predicts labels and not text; use minilm predict" in error
    assert error.count("\n") == 1


def test_a_base_tells_its_size(folders):
    assert repr(adapted.load(folders / "base")).startswith("Base(2 layers, width 16")


@pytest.mark.parametrize("path", [None, 3, "", b"model", ["model"]])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(OptionError, match=r"a model's folder is .*; give its path"):
        minilm.load(path)


@pytest.mark.parametrize("dtype", ["int8", int, "float99", bool])
def test_parameters_are_floats(folders, dtype):
    with pytest.raises(OptionError, match="expected a float type, such as 'float32'"):
        minilm.load(folders / "base", dtype=dtype)
