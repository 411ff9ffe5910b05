"""The session as a whole: what is found decides what follows."""

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest

from minilm.cli import main
from minilm.errors import MinilmError, ModelError, OutputError
from minilm.files import FolderLock
from minilm.models.text_classifier import TextClassifier
from minilm.nn.heads import with_score
from minilm.store import folder, onnx, versions
from minilm.store.classification import Head
from minilm.training import loop, pipeline

NEW = "".join(
    f"Red boat {i} sails over the cold lake at noon.\nTwo men row, and man {i} sings.\n"
    for i in range(40)
)
TINY = {"steps": 2, "threads": 1}


@pytest.fixture
def boats(tmp_path):
    path = tmp_path / "boats.txt"
    path.write_text(NEW, encoding="utf-8")
    return path


@pytest.fixture
def here(tmp_path):
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def exports(monkeypatch):
    """Note the exports instead of making them: the package onnx may be absent."""
    made = []

    def export(model, path):
        path.mkdir(exist_ok=True)
        (path / onnx.MODEL).write_bytes(b"graph %d" % len(made))
        made.append([stage.kind for stage in model.lineage])

    monkeypatch.setattr(pipeline.onnx, "export", export)
    monkeypatch.setattr(pipeline.importlib.util, "find_spec", lambda name: name)
    return made


def run(text, here, given=TINY, **options):
    said = []
    report = pipeline.run(
        pipeline.Session(
            [text], here / "model", here / "graph", given, anyway=True, say=said.append, **options
        )
    )
    return report, " ".join(" ".join(said).split())


@pytest.fixture
def classifier(trained, tmp_path):
    """Return the folder of a classifier."""
    saved = folder.load(trained)
    rng = np.random.default_rng(0)
    scored = with_score(saved.parameters, saved.config, 2, rng=rng)
    head = Head(("bad", "good"), "mean")
    TextClassifier(replace(saved, parameters=scored), head).save(tmp_path / "classifier")
    return tmp_path / "classifier"


def keep(trained, here):
    return shutil.copytree(trained, here / "model")


def settings_of(path):
    return folder.load(path).lineage[-1].settings


# ------------------------------------------------------------------ the five cases


def test_nothing_there_starts_fresh(text, here, exports, tiny):
    report, said = run(text, here, {**tiny, "steps": 2})
    assert report.found.kind == "nothing"
    assert f"found no model in {here / 'model'}: a new model is trained at the standard" in said
    assert "learning rate (0.002)" in said
    assert settings_of(here / "model")["learning_rate"] == 2e-3
    assert report.perplexity > 1
    assert exports == [["pretrain"]]


def test_a_complete_model_is_updated_at_a_fifth_of_its_rate(trained, boats, here, exports):
    keep(trained, here)
    report, said = run(boats, here)
    assert report.found.kind == "model"
    assert "found a complete model" in said
    assert "it is updated at 0.2 times the learning rate of its pretraining (0.0004)" in said
    assert settings_of(here / "model")["learning_rate"] == pytest.approx(4e-4)
    assert (report.update.version, report.update.verdict) == (2, "kept")
    assert exports == [["pretrain", "update"]]


def test_of_a_model_and_an_export_the_export_is_renewed(trained, boats, here, exports):
    keep(trained, here)
    (here / "graph").mkdir()
    (here / "graph" / "model.onnx").write_bytes(b"old")
    report, said = run(boats, here)
    assert report.found.kind == "model and export"
    assert "and the export is renewed" in said
    assert report.export.read_bytes() == b"graph 0"


def test_an_export_alone_cannot_be_trained(text, here, exports, tiny):
    (here / "graph").mkdir()
    (here / "graph" / "model.onnx").write_bytes(b"old")
    report, said = run(text, here, {**tiny, "steps": 2})
    assert report.found.kind == "export only"
    assert "an export cannot be trained (keep the model's folder): a new model" in said
    assert len(folder.load(here / "model").lineage) == 1


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_an_incomplete_model_is_moved_aside_and_begun_anew(
    trained, text, here, exports, tiny, name
):
    (keep(trained, here) / name).unlink()
    report, said = run(text, here, {**tiny, "steps": 2})
    assert (report.found.kind, report.found.missing) == ("incomplete", (name,))
    assert f"({name} missing): the folder is moved aside, and a new model" in said
    aside = here / "model-old-1"
    assert f"{here / 'model'} is now {aside}" in said
    assert not (aside / name).exists()
    assert (aside / "minilm.json").exists()  # all that there was is there
    assert folder.load(here / "model").lineage[0].steps == 2


@pytest.mark.parametrize("config", [True, False])
def test_a_pickle_alone_is_refused_with_its_reason(trained, text, here, exports, config):
    model = keep(trained, here)
    for path in [model / "minilm.json", model / "model.safetensors"]:
        path.unlink()
    if not config:
        (model / "config.json").unlink()
    (model / "pytorch_model.bin").write_bytes(b"not opened")
    with pytest.raises(MinilmError, match="a pickle, which can run any code"):
        run(text, here)
    assert (model / "pytorch_model.bin").exists()


def test_an_adapter_is_no_model_to_be_continued(text, here, exports):
    (here / "model").mkdir()
    (here / "model" / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="an adapter, which needs its base"):
        run(text, here)
    assert [p.name for p in here.iterdir()] == ["model"]


def test_a_classifier_does_not_lose_its_head(classifier, boats, here, exports):
    shutil.copytree(classifier, here / "model")
    with pytest.raises(ModelError, match="a classifier, which would lose its head"):
        run(boats, here)
    assert not (here / "model" / "versions").exists()
    with pytest.raises(ModelError, match="a classifier, which would lose its head"):
        run(boats, here / "new", base=classifier)
    assert not (here / "new").exists()


# ------------------------------------------------------------------ what else decides


def test_an_incomplete_model_with_a_whole_version_is_not_begun_anew(
    trained, text, boats, here, exports
):
    model = keep(trained, here)
    run(boats, here)
    (model / "model.safetensors").unlink()
    with pytest.raises(OutputError, match=r"version 2 is complete; bring it back .* --to 2"):
        run(text, here)
    versions.rollback(model, 2)
    boats.write_text(NEW.replace("boat", "train"), encoding="utf-8")
    assert run(boats, here)[0].update.made_from == 2


def test_the_rate_and_the_base_that_are_asked_for(trained, boats, here, exports, tmp_path):
    other = shutil.copytree(trained, tmp_path / "other")
    report, said = run(boats, here, {**TINY, "learning_rate": 0.001}, base=other)
    assert "found no model" in said
    assert f"{other} is updated at the learning rate you asked for (0.001)" in said
    assert report.update.made_from == 1
    assert [stage.kind for stage in folder.load(here / "model").lineage] == ["pretrain", "update"]
    report, said = run(boats, here, base=other)
    assert said.count(f"but from {other}") == 1
    assert (report.update.version, report.update.made_from) == (3, 1)


def test_from_scratch_deletes_nothing(trained, text, here, exports, tiny):
    keep(trained, here)
    before = folder.load(here / "model").parameters.flat
    report, said = run(text, here, {**tiny, "steps": 2}, from_scratch=True)
    assert report.found.kind == "nothing"
    assert "is moved aside to" in said
    np.testing.assert_array_equal(folder.load(here / "model-old-1").parameters.flat, before)
    with pytest.raises(MinilmError, match="leave out --model-name and --resume"):
        run(text, here, from_scratch=True, resume=True)


def test_a_new_model_needs_no_care(text, here, exports, tiny):
    report, _ = run(text, here, {**tiny, "steps": 2, "replay": 1.0, "limit": 0.5})
    assert report.update is None


def test_where_the_export_cannot_go_is_said_before_the_training(trained, text, here, exports):
    (here / "graph").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="choose another --onnx-output"):
        run(text, here)
    for folder_of_a_model in (here / "model", keep(trained, here / "other")):
        with pytest.raises(OutputError, match="a model's folder; choose another --onnx-output"):
            pipeline.run(
                pipeline.Session([text], here / "model", folder_of_a_model, TINY, anyway=True)
            )
    assert not (here / "model").exists()


def test_held_back_there_is_no_new_export(trained, boats, here, exports):
    keep(trained, here)
    given = {"epochs": 12, "threads": 1, "learning_rate": 0.01, "limit": 0.01}
    report, said = run(boats, here, given)
    assert (report.update.verdict, report.export, exports) == ("held back", None, [])
    assert "no new export" in said
    assert "is held back: cats.txt got" in said
    assert "try half the --learning-rate, fewer --epochs, or --replay 0.5" in said
    assert f"minilm rollback {here / 'model'} --to 2" in said


def test_without_the_package_onnx_all_but_the_export_is_done(trained, boats, here, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setattr(pipeline.importlib.util, "find_spec", lambda name: None)
    keep(trained, here)
    report, said = run(boats, here)
    assert (report.update.verdict, report.export) == ("kept", None)
    assert "no export will be made: the export to ONNX needs the package onnx" in said
    assert "pip install 'minilm[onnx]'" in said


@pytest.mark.peers
def test_the_export_computes_what_the_updated_model_does(trained, boats, here, peer):
    peer("onnx")
    runtime = peer("onnxruntime")
    keep(trained, here)
    report, _ = run(boats, here)
    session = runtime.InferenceSession(report.export)
    ids = np.array([[1, 2, 3, 4]])
    (logits,) = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
    from minilm.models.language_model import load

    np.testing.assert_allclose(logits, load(here / "model").logits(ids), atol=1e-4)


def test_data_that_has_not_passed_is_not_trained_on(here, exports, tmp_path):
    bad = tmp_path / "bad.txt"
    bad.write_text("the same line again\n" * 300, encoding="utf-8")
    said = []
    session = pipeline.Session([bad], here / "model", here / "graph", TINY, say=said.append)
    report = pipeline.run(session)
    assert report is None
    assert not (here / "model").exists()
    assert "nothing was trained" in said[-1]


def test_an_interrupted_pretraining_is_finished_or_discarded(
    text, boats, here, exports, tiny, monkeypatch
):
    taken = loop._step

    def interrupted(task, plan, state, shards):
        if state.step == 2:
            raise KeyboardInterrupt
        return taken(task, plan, state, shards)

    given = {**tiny, "steps": 4, "save_seconds": 0.0}
    with monkeypatch.context() as patch:
        patch.setattr(loop, "_step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(text, here, given)
    with pytest.raises(OutputError, match="interrupted at step 2; finish it with --resume"):
        run(text, here, given)
    twin = shutil.copytree(here / "model", here / "twin")
    report, said = run(text, here, given, resume=True)
    assert "found an interrupted pretraining" in said
    assert "is updated" not in said
    assert (report.update, folder.load(here / "model").lineage[-1].steps) == (None, 4)
    shutil.rmtree(here / "model")
    twin.rename(here / "model")
    report, _ = run(boats, here, TINY, discard=True)
    assert [stage.steps for stage in folder.load(here / "model").lineage] == [2, 2]


# ------------------------------------------------------------------ the commands


def minilm(*arguments):
    return main.main([str(argument) for argument in arguments])


def test_three_sessions_by_command(text, boats, here, exports, monkeypatch, capsys):
    monkeypatch.chdir(here)
    shape = ["--size", "kata", "--vocab-size", 270, "--threads", 1, "--steps", 3, "--anyway"]
    assert minilm("pipeline", "--data-file", text, *shape) == 0
    assert "found no model in trained_model" in capsys.readouterr().out
    assert minilm("pipeline", "--data-file", boats, *shape, "--replay", 1, "--json") == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert report["found"] == "model and export"
    assert report["update"]["verdict"] == "kept"
    assert [old["name"] for old in report["update"]["old"]] == ["cats.txt"]
    assert "found a complete model" in captured.err
    assert minilm("rollback", "trained_model", "--list") == 0
    table = capsys.readouterr().out
    assert "* " in table
    assert "boats.txt" in table
    assert all(len(line) <= 80 for line in table.splitlines())
    assert minilm("rollback", "trained_model") == 0
    assert "version 1 is the model again" in capsys.readouterr().out
    assert minilm("rollback", "trained_model", "--to", 2, "--json") == 0
    assert [v["current"] for v in json.loads(capsys.readouterr().out)] == [False, True]
    with FolderLock("trained_model"):
        assert minilm("pipeline", "--data-file", text, *shape) == 2
    assert "in use by process" in capsys.readouterr().err


def test_a_session_whose_answer_is_no_is_exit_code_1(trained, boats, here, exports, capsys):
    folders = ["--output-dir", keep(trained, here), "--onnx-output", here / "graph"]
    much = ["--epochs", 12, "--threads", 1, "--learning-rate", 0.01, "--limit", 0.01, "--anyway"]
    assert minilm("pipeline", "--data-file", boats, *folders, *much, "--json") == 1
    assert json.loads(capsys.readouterr().out)["update"]["verdict"] == "held back"
    boats.write_text("the same line again\n" * 300, encoding="utf-8")
    assert minilm("pipeline", "--data-file", boats, *folders, "--json") == 1
    assert json.loads(capsys.readouterr().out) is None
    with pytest.raises(SystemExit):
        minilm("pipeline", "--help")
    assert "Exit code 1 when" in " ".join(capsys.readouterr().out.split())


def test_train_is_pretrain(text, tmp_path, capsys):
    out = tmp_path / "m"
    arguments = ["--data-file", text, "--output-dir", out, "--size", "kata", "--threads", 1]
    assert minilm("train", *arguments, "--steps", 2, "--vocab-size", 270) == 0
    capsys.readouterr()
    assert minilm("train", *arguments) == 2
    assert "train it further on more text with minilm update" in capsys.readouterr().err


def test_the_help_says_what_updating_and_resuming_are(capsys):
    with pytest.raises(SystemExit):
        minilm("pipeline", "--help")
    said = " ".join(capsys.readouterr().out.split())
    assert "An update is not a resumed run" in said
    assert "ends as if nothing had happened" in said
