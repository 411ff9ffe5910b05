"""Updates on what is new: counts, the ledger, settings, one writer, and nothing lost."""

import io
import json
import os
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest

from minilm.data.documents import read_documents
from minilm.errors import InputError, OptionError, OutputError
from minilm.files import FolderLock
from minilm.store import folder, ledger, manifest, transaction, versions
from minilm.store.folder import Stage
from minilm.store.ledger import Ledger
from minilm.training import log, loop, new_documents, outcome, text_run, update
from minilm.training.new_documents import Collected
from minilm.training.settings import UpdateSettings, read_toml

NEW = [f"Boat number {i} sails over the cold lake at noon, and {i} men row." for i in range(40)]
QUICK = {"epochs": 1, "threads": 1, "limit": 9.0, "batch": 8}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Draw nothing and do not wait for the disk: both take longer than these models train."""
    monkeypatch.setattr(log, "draw", lambda folder: None)
    monkeypatch.setattr(os, "fsync", lambda file: None)


@pytest.fixture
def model(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "model")


@pytest.fixture
def boats(tmp_path):
    path = tmp_path / "boats.txt"
    path.write_text("\n".join([*NEW, NEW[0], NEW[1]]) + "\n", encoding="utf-8")
    return path


def run(texts, model, asked=QUICK, **options):
    """Update, and return the outcome and what was said."""
    said = []
    found = update.update([texts], model, asked, say=said.append, **options)
    return found, said


def words_of(said):
    """Return lines as one, however they were wrapped."""
    return " ".join(" ".join(said).split())


def weights(path):
    return folder.load(path).parameters.flat


def test_only_what_is_new_is_learned_and_known_from_then_on(model, boats, text):
    before = folder.load(model)
    found, said = run(boats, model)
    assert found.collected == Collected(found=42, repeated=2)
    assert said[:5] == [
        f"load: {model}: {before.parameters.count():,} parameters; has seen 2 documents",
        "collect: 42 documents",
        "skip: 2 duplicates (0 seen by the model, 2 repeated here)",
        "preprocess: 40 kept (0 repaired), 0 unfit",
        "advice: update, because 40 new documents are fewer than 500",
    ]
    after = folder.load(model)
    assert after.seen.hashes.tolist() == before.seen.extended(Ledger.of(NEW)).hashes.tolist()
    assert not np.array_equal(after.parameters.flat, before.parameters.flat)
    assert (found.result.version, found.result.verdict) == (2, "kept")

    found, said = run(boats, model)
    assert found.collected == Collected(found=42, seen=42)
    assert found.result is None
    assert found.advice.action == "wait"
    assert f"nothing is new: the model in {model} is unchanged" in words_of(said)
    assert np.array_equal(weights(model), after.parameters.flat)
    assert [version.number for version in versions.listed(model)] == [1, 2]

    more = boats.with_name("more.txt")
    more.write_text("\n".join([*NEW[:30], *(line.upper() for line in NEW)]), encoding="utf-8")
    found, _ = run(more, model)
    assert found.collected == Collected(found=70, seen=30)
    assert found.result.version == 3
    assert len(folder.load(model).seen) == 2 + 40 + 40


def test_a_rollback_takes_the_ledger_along(model, boats):
    run(boats, model)
    versions.rollback(model)
    assert len(folder.load(model).seen) == 2
    found, _ = run(boats, model)
    assert found.collected.seen == 0
    assert found.result.version == 3


def test_an_update_that_is_held_back_leaves_its_texts_new(model, boats):
    before = folder.load(model)
    asked = {"epochs": 6, "learning_rate": 0.05, "threads": 1, "limit": 0.0}
    found, said = run(boats, model, asked)
    assert found.result.verdict == "held back"
    assert found.advice.action == "retrain"
    assert said[-1].startswith("if none of that helps: retrain, because old text got ")
    assert np.array_equal(weights(model), before.parameters.flat)
    assert len(folder.load(model).seen) == 2
    found, _ = run(boats, model, dry_run=True)
    assert found.collected.kept == 40


def test_small_losses_add_up_to_advice(model, boats, monkeypatch):
    """Each update is within the limit; together they are not, and that is said."""
    rises = iter([0.05, 0.12])
    monkeypatch.setattr(update.new_documents, "risen", lambda lineage: next(rises))
    monkeypatch.setattr(outcome.Measured, "rise", 0.06)
    found, said = run(boats, model, {"epochs": 1, "threads": 1, "limit": 0.1})
    assert found.result.verdict == "kept"
    assert "advice: update, because 40 new documents are fewer than 500" in said
    assert said[-1] == "advice: retrain, because old text got 12% worse"
    assert found.advice.action == "retrain"


def test_the_settings_of_the_update_are_recorded(model, boats):
    run(boats, model, {"n_positions": 8, "batch": 8, "threads": 1, "seed": 7, "limit": 9.0})
    stage = folder.load(model).lineage[-1]
    assert stage.kind == "update"
    asked = {"epochs": 3.0, "batch": 8, "n_positions": 8, "seed": 7}
    assert {key: stage.settings[key] for key in asked} == asked
    assert stage.settings["learning_rate"] == pytest.approx(2e-3 / 5)
    assert stage.data[0].name == "boats.txt"
    assert stage.tokens == stage.steps * 8 * 8
    assert folder.load(model).config.n_positions == 16


def test_texts_of_the_same_name_are_told_apart(model, boats):
    run(boats, model)
    boats.write_text("\n".join(line.upper() for line in NEW), encoding="utf-8")
    found, _ = run(boats, model)
    assert [measured.name for measured in found.result.old] == ["cats.txt", "boats.txt"]
    assert found.result.new.name == "boats.txt (2)"


def test_preprocessing():
    texts = [
        "The caf\u00c3\u00a9 is closed",
        "The caf\u00e9 is closed",
        "lost \ufffd letters",
        "12 34 56",
        "binary \x00 text",
        "  known   text\n",
        "a new\nText with two lines",
    ]
    out = io.StringIO()
    found = new_documents.collect(texts, Ledger.of(["known text"]), out)
    assert found == Collected(found=7, seen=1, repeated=1, unfit=3, repaired=1)
    assert (found.duplicates, found.kept) == (2, 2)
    kept = [json.loads(line) for line in out.getvalue().splitlines()]
    assert kept == ["The café is closed", "a new\nText with two lines"]
    again = new_documents.collect(texts, Ledger.of(kept), io.StringIO())
    assert again == Collected(found=7, seen=3, unfit=3)


def test_without_a_ledger_everything_counts_as_new(model, boats, text):
    contents = {n: (model / n).read_bytes() for n in manifest.read(model / manifest.NAME).files}
    del contents[ledger.NAME]
    folder.save(model, contents, folder.load(model).lineage)
    both = boats.with_name("both.txt")
    both.write_text(text.read_text(encoding="utf-8") + "\n".join(NEW), encoding="utf-8")
    found, said = run(both, model)
    assert "no ledger, so every document counts as new" in said[0]
    assert found.collected == Collected(found=160, repeated=118)
    assert len(folder.load(model).seen) == 42


def test_a_dry_run_writes_nothing(model, boats):
    before = sorted(p.relative_to(model) for p in model.rglob("*"))
    with FolderLock(model):  # nor does it need the folder for itself
        found, said = run(boats, model, dry_run=True)
    assert found.collected.kept == 40
    assert f"a dry run: the model in {model} is unchanged" in words_of(said)
    assert sorted(p.relative_to(model) for p in model.rglob("*")) == before


def test_another_architecture_is_not_trained(model, boats):
    found, said = run(boats, model, shape={"n_layer": 3})
    assert found.result is None
    assert found.advice.action == "retrain"
    assert "the architecture is to change (n_layer 2 to 3) not trained: " in words_of(said)


def test_two_at_once_the_second_refuses_or_waits(model, boats):
    held = FolderLock(model)
    with held, pytest.raises(OutputError, match="in use by process"):
        run(boats, model)
    held = FolderLock(model)
    held.__enter__()
    release = threading.Timer(0.3, held.__exit__)
    release.start()
    found, _ = run(boats, model, wait=True)
    release.join()
    assert found.result.version == 2


def test_the_one_that_waited_skips_what_the_first_has_learned(model, boats, monkeypatch):
    """The ledger is read when the folder is held, not before."""
    taken = update.Update.__enter__

    def late(place):
        with monkeypatch.context() as patch:  # another process, in between
            patch.setattr(update.Update, "__enter__", taken)
            run(boats, model)
        return taken(place)

    monkeypatch.setattr(update.Update, "__enter__", late)
    found, _ = run(boats, model, wait=True)
    assert found.collected.seen == 42
    assert found.result is None


def test_an_interrupted_update_resumed_ends_as_one_that_was_not(
    model, boats, trained, tmp_path, monkeypatch
):
    whole = shutil.copytree(trained, tmp_path / "whole")
    asked = {"epochs": 2, "threads": 1, "limit": 9.0}
    run(boats, whole, asked)
    step = loop._step

    def stopping(job, plan, state, shards):
        if state.step == 5:
            raise KeyboardInterrupt
        return step(job, plan, state, shards)

    with monkeypatch.context() as patch:
        patch.setattr(loop._Saver, "is_due", lambda self: True)
        patch.setattr(loop, "_step", stopping)
        with pytest.raises(KeyboardInterrupt):
            run(boats, model, asked)
    # The model, its ledger too, is unchanged.
    assert np.array_equal(weights(model), weights(trained))
    assert len(folder.load(model).seen) == 2
    with pytest.raises(OutputError, match="was interrupted; continue it with --resume"):
        run(boats, model, asked)
    found, said = run(boats, model, asked, resume=True)
    assert any("continuing after step 5" in line for line in said)
    assert found.collected == Collected(found=42, repeated=2)
    names = manifest.read(whole / manifest.NAME).files
    assert ledger.NAME in names
    for name in [*names, manifest.NAME]:
        assert (model / name).read_bytes() == (whole / name).read_bytes(), name
    with pytest.raises(OutputError, match="none to resume"):
        run(boats, model, asked, resume=True)


def test_a_write_that_fails_leaves_weights_and_ledger_of_one_moment(
    model, boats, trained, tmp_path, monkeypatch
):
    whole = shutil.copytree(trained, tmp_path / "whole")
    run(boats, whole)
    old, new = weights(trained), weights(whole)
    write = transaction.FolderWriter.write
    seen_then = []
    for at in range(1, 100):
        calls = iter(range(1, 100))

        def failing(writer, *arguments, at=at, calls=calls, **options):
            if next(calls) == at:
                raise OutputError("the disk is full")
            write(writer, *arguments, **options)

        path = shutil.copytree(trained, tmp_path / str(at))
        with monkeypatch.context() as patch:
            patch.setattr(transaction.FolderWriter, "write", failing)
            try:
                run(boats, path)
                break
            except OutputError:
                pass
        saved = folder.load(path)
        seen_then.append(len(saved.seen))
        expected = {2: old, 42: new}[len(saved.seen)]
        assert np.array_equal(saved.parameters.flat, expected)
        begun = len(saved.seen) == 2 and versions.unfinished(path) is not None
        run(boats, path, resume=begun)
        for name in manifest.read(whole / manifest.NAME).files:
            assert (path / name).read_bytes() == (whole / name).read_bytes(), name
    # A copy of the old model, the beginning, the last step, the model itself, its version.
    assert seen_then == [2, 2, 2, 2, 42]


def test_the_ledger_of_a_model_is_that_of_all_its_texts(model, boats, text):
    run(boats, model)
    expected = Ledger.of([*read_documents([text]), *read_documents([boats])])
    assert (folder.load(model).seen.hashes == expected.hashes).all()


# Settings


def test_the_defaults_follow_from_the_model(model):
    saved = folder.load(model)
    lineage = (
        Stage("pretrain", (), 1, 1, {"learning_rate": 0.004, "batch": 5}),
        Stage("update", (), 1, 1, {"learning_rate": 0.1, "batch": 7}),
    )
    known, unknown = replace(saved, lineage=lineage), replace(saved, lineage=())
    found = text_run.complete(UpdateSettings(), known)
    assert found.learning_rate == pytest.approx(0.004 / 5)
    assert (found.epochs, found.batch, found.dropout) == (3.0, 7, 0.0)
    found = text_run.complete(UpdateSettings(), unknown)
    assert (found.learning_rate, found.batch) == (pytest.approx(4e-4), 16)
    assert text_run.complete(UpdateSettings(lora=2), known).learning_rate == 0.004
    assert text_run.complete(UpdateSettings(learning_rate=0.5), known).learning_rate == 0.5


def test_a_short_text_has_shorter_windows(model, tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("A boat sails on the lake.\n", encoding="utf-8")
    found, _ = run(path, model)
    assert found.result.steps == 1
    windows = folder.load(model).lineage[-1].settings["n_positions"]
    assert 2 <= windows <= 16
    path.write_text("Oh\n", encoding="utf-8")
    with pytest.raises(InputError, match="too little text to hold some out"):
        run(path, model)


def test_a_file_of_settings(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(
        'size = "kata"\nn_layer = 3\n[update]\nlearning_rate = 0.0001\nepochs = 3\n'
        "batch = 8\nn_positions = 512\n",
        encoding="utf-8",
    )
    pretraining, table = read_toml(path)
    asked = {"learning_rate": 0.0001, "epochs": 3, "batch": 8, "n_positions": 512}
    assert table == asked
    assert pretraining == {"size": "kata", "n_layer": 3}
    path.write_text("", encoding="utf-8")
    assert read_toml(path) == ({}, {})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[update]\nlearn_rate = 1", r"\[update\]: the key 'learn_rate' is not known"),
        ("[update]\nepochs = 0", r"epochs is 0; expected a number above 0"),
        ("[update]\nbatch = 0", "batch is 0; expected a whole number of 1 or more"),
        ("[update]\nn_positions = 1.5", "n_positions is 1.5"),
        ("[update]\nlearning_rate = -1", "learning_rate is -1"),
        ("[update]\nlearning_rate = nan", "learning_rate is nan"),
        ("[update]\nreplay = -1", "replay is -1"),
        ('[update]\nlimit = "x"', "limit is 'x'"),
        ("[update]\nepochs = true", "epochs is True"),
        ("update = 3", r"update is not a table; write \[update\]"),
        ("n_layers = 3\n[update]", "the key 'n_layers' is not known; did you mean n_layer"),
        ("[fine_tuning", "not valid TOML"),
    ],
)
def test_a_file_of_settings_that_cannot_work(tmp_path, content, message):
    path = tmp_path / "c.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises((InputError, OptionError), match=message) as caught:
        read_toml(path)
    assert str(path) in str(caught.value)


def test_what_is_not_there(model, boats, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        run(tmp_path / "none.txt", model)
    with pytest.raises(InputError, match="no model here"):
        run(boats, tmp_path / "none")
    assert not (tmp_path / "none").exists()
