"""The functions that a person calls from Python."""

import shutil

import numpy as np
import pytest

import minilm
from minilm.errors import InputError, OptionError, OutputError
from minilm.training import front

TINY = {"size": "kata", "n_embd": 12, "n_layer": 1, "n_head": 2, "n_positions": 16}
TINY |= {"vocab_size": 270, "batch": 2, "threads": 1, "steps": 2}
NEW = [f"Boat number {i} sails over the lake and {i} men row." for i in range(30)]


def test_from_text_to_a_classifier(text, tmp_path, capsys):
    model = minilm.pretrain(text, tmp_path / "m", say=None, **TINY)
    assert isinstance(model, minilm.LanguageModel)
    assert capsys.readouterr().out == ""
    task = tmp_path / "t.csv"
    task.write_text("text,label\n" + "a cat sat,x\na dog ran,y\n" * 4, encoding="utf-8")
    for method in ("full", "lora"):
        out = tmp_path / method
        found = minilm.finetune(tmp_path / "m", task, out, method=method, updates=2, say=None)
        assert isinstance(found, minilm.TextClassifier)
        assert found.labels == ("x", "y")
        np.testing.assert_array_equal(
            found.predict_proba(["a cat"]), minilm.load(out).predict_proba(["a cat"])
        )
    with pytest.raises(OptionError, match="the key 'epoch' is not known; did you mean epochs"):
        minilm.finetune(tmp_path / "m", task, tmp_path / "o", epoch=3)


def test_documents_are_texts_too(tmp_path):
    model = minilm.pretrain(NEW * 3, tmp_path / "m", say=None, **TINY)
    assert model.lineage[0].data[0].name == "texts.jsonl"
    assert len(model.seen) == 30


def test_a_folder_is_updated_as_a_version(trained, tmp_path):
    path = shutil.copytree(trained, tmp_path / "m")
    said = []
    model = minilm.update(path, NEW, steps=2, limit=9.0, threads=1, say=said.append)
    assert [stage.kind for stage in model.lineage] == ["pretrain", "update"]
    assert f"version 2, made from version 1, is now the model in {path}" in said
    with pytest.warns(UserWarning, match="is held back"):
        same = minilm.update(
            path, [line.upper() for line in NEW], steps=9, learning_rate=0.1, limit=0.0, say=None
        )
    np.testing.assert_array_equal(same.gpt.parameters.flat, model.gpt.parameters.flat)
    out = minilm.update(path, [f"Train {i} is late." for i in range(9)], tmp_path / "o", steps=1)
    assert len(out.lineage) == 3


def test_an_updated_model_is_no_pretraining_to_resume(trained, text, tmp_path):
    path = shutil.copytree(trained, tmp_path / "m")
    minilm.update(path, NEW, steps=1, limit=9.0, threads=1, say=None)
    with pytest.raises(OutputError, match=r"not minilm pretrain's \(it is: update\); choose"):
        minilm.pretrain(text, path, resume=True, say=None)


def test_a_model_in_memory_is_updated_in_place(trained, text, tmp_path):
    model = minilm.load(trained)
    before = model.evaluate(NEW).loss
    assert model.update(NEW, epochs=3, learning_rate=2e-3, threads=1, say=None) is model
    assert model.evaluate(NEW).loss < before
    assert model.lineage[-1].kind == "update"
    assert len(model.seen) == 2 + 30
    model.save(tmp_path / "m")
    again = minilm.load(tmp_path / "m")
    np.testing.assert_array_equal(again.gpt.parameters.flat, model.gpt.parameters.flat)
    flat = model.gpt.parameters.flat.copy()
    model.update(NEW, say=None)  # nothing is new
    np.testing.assert_array_equal(model.gpt.parameters.flat, flat)
    care = {"replay": 1.0, "steps": 1, "say": None}
    with pytest.raises(OptionError, match="need a sample of the old text"):
        model.update(["A train is late today, and so is the bus."], **care)
    model.update(["A train is late today, and so is the bus."], old_data=text, **care)
    with pytest.raises(OptionError, match="updated in place; keep it with its save"):
        minilm.update(model, NEW, tmp_path / "o")


def test_the_same_update_in_memory_and_in_a_folder(trained, tmp_path):
    given = {"steps": 5, "threads": 1, "say": None}
    apart = minilm.update(trained, NEW, tmp_path / "o", **given)
    here = minilm.load(trained).update(NEW, **given)
    np.testing.assert_array_equal(apart.gpt.parameters.flat, here.gpt.parameters.flat)


def test_what_is_a_path_and_what_is_a_document(tmp_path):
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    path = str(tmp_path / "a.txt")
    with front.as_files(path) as found:
        assert list(map(str, found)) == [path]
    with front.as_files([path, path]) as found:
        assert list(map(str, found)) == [path, path]
    with front.as_files(["One document.", "Two\nlines"]) as (made,):
        assert made.read_text(encoding="utf-8") == '"One document."\n"Two\\nlines"\n'
    assert not made.exists()
    for wrong in ([path, "One document."], ["missing.txt", "b.txt"]):
        with pytest.raises(InputError, match="no such file"), front.as_files(wrong):
            pass


def test_what_is_not_a_file_is_named(trained, tmp_path):
    model, out = minilm.load(trained), tmp_path / "o"
    with pytest.raises(OptionError, match="model is the path of a folder"):
        minilm.finetune(model, tmp_path / "t.csv", out)
    with pytest.raises(OptionError, match=r"lists .* TransformerClassifier\(model\).fit\(texts"):
        minilm.finetune(trained, ["a", "b"], out)
    with pytest.raises(OptionError, match=r"texts\[1\] is of type NoneType, not a string"):
        model.update(["a text", None])


def test_a_table_without_a_header_can_be_finetuned_on(trained, tmp_path):
    task = tmp_path / "t.csv"
    task.write_text("a cat sat,x one\na dog ran,y one\n", encoding="utf-8")
    options = {"text_column": "1", "label_column": "2", "no_header": True}
    found = minilm.finetune(trained, task, tmp_path / "o", updates=1, say=None, **options)
    assert found.labels == ("x one", "y one")
