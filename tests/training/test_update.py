"""Updates of a model: verdicts, resuming, what is kept, and that nothing is lost on the way."""

import shutil

import numpy as np
import pytest

from minilm.errors import MinilmError, OptionError, OutputError, TrainingError
from minilm.files import FolderLock
from minilm.models import scores
from minilm.nn.gpt import GPT
from minilm.nn.parallel import Shards
from minilm.store import folder, versions
from minilm.training import checkpoint, loop, replay, update

NEW = "".join(
    f"Red boat {i} sails over the cold lake at noon.\nTwo men row, and man {i} sings.\n"
    for i in range(40)
)


def silent(line):
    """Take a line and say nothing."""


@pytest.fixture
def model(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "model")


@pytest.fixture
def boats(tmp_path):
    path = tmp_path / "boats.txt"
    path.write_text(NEW, encoding="utf-8")
    return path


def updated(*arguments, **options):
    """Update a model and return the result."""
    return update.update(*arguments, **options).result


@pytest.fixture
def trains(tmp_path):
    """Return a second new text."""
    path = tmp_path / "trains.txt"
    path.write_text(NEW.replace("boat", "train"), encoding="utf-8")
    return path


def weights(path):
    return folder.load(path).parameters.flat


def interrupt(step, monkeypatch, text, model, given):
    """Begin an update, and let the loop save and stop after this step, as on Ctrl-C."""
    taken = loop._step

    def counted(task, plan, state, shards):
        if state.step == step:
            raise KeyboardInterrupt
        return taken(task, plan, state, shards)

    with monkeypatch.context() as patch:
        patch.setattr(loop._Saver, "is_due", lambda self: True)
        patch.setattr(loop, "_step", counted)
        with pytest.raises(KeyboardInterrupt):
            updated([text], model, given, say=silent)


def test_an_update_is_a_version_and_the_old_model_stays(model, boats, trained):
    result = updated([boats], model, {"epochs": 3, "limit": 9.0}, say=silent)
    assert (result.version, result.made_from, result.verdict) == (2, 1, "kept")
    np.testing.assert_array_equal(weights(model / "versions" / "1"), weights(trained))
    np.testing.assert_array_equal(weights(model / "versions" / "2"), weights(model))
    assert not np.array_equal(weights(model), weights(trained))
    first, second = folder.load(model).lineage
    assert (first.kind, second.kind) == ("pretrain", "update")
    assert second.data == (folder.source(boats),)
    assert second.settings["learning_rate"] == 2e-3 / 5
    noted = {key: second.settings[key] for key in ("version", "from", "verdict", "epochs")}
    assert noted == {"version": 2, "from": 1, "verdict": "kept", "epochs": 3}
    assert checkpoint.read_state(model).finished
    assert not (model / "versions" / "2" / "training" / "train.tokens").exists()


def test_an_update_that_breaks_down_says_how_to_begin_again(model, boats, trained):
    given = {"steps": 9, "learning_rate": 1e30}
    says = r"after step \d+: the loss is not finite .* with --discard and --learning-rate 3\.3e\+29"
    with pytest.raises(TrainingError, match=says):
        updated([boats], model, given, say=silent)
    np.testing.assert_array_equal(weights(model), weights(trained))
    updated([boats], model, {"steps": 1}, discard=True, say=silent)


def test_both_texts_are_measured_before_and_after(model, boats, text, trained):
    result = updated([boats], model, {"epochs": 3, "limit": 9.0}, say=silent)
    (old,) = result.old
    assert (old.name, result.new.name) == (text.name, boats.name)
    (part,) = replay.read(trained, 280)
    for path, measured in ((trained, old.before), (model, old.after)):
        saved = folder.load(path)
        gpt = GPT(saved.config, parameters=saved.parameters)
        with Shards(1) as shards:
            score = scores.evaluate(gpt, replay.batches(part.held_out, 3), shards, None)
        assert score.loss == pytest.approx(measured.loss, rel=1e-6)
    assert result.new.rise < -0.05
    assert old.rise == pytest.approx(old.after.perplexity / old.before.perplexity - 1)
    figures = folder.load(model).lineage[-1].settings["perplexity"]
    assert figures[boats.name]["after"] == pytest.approx(result.new.after.perplexity, abs=1e-3)


def test_an_update_that_forgets_too_much_is_held_back(model, boats, trained):
    given = {"epochs": 12, "learning_rate": 0.01, "limit": 0.02}
    result = updated([boats], model, given, say=silent)
    assert result.old[0].rise > 0.02
    assert result.verdict == "held back"
    np.testing.assert_array_equal(weights(model), weights(trained))
    assert folder.load(model).lineage == folder.load(trained).lineage
    assert folder.load(result.path).lineage[-1].settings["verdict"] == "held back"
    listed = versions.listed(model)
    assert [(v.number, v.current, v.verdict) for v in listed] == [
        (1, True, "kept"),
        (2, False, "held back"),
    ]
    # The next one is made from the model, not from what was held back.
    again = updated([boats], model, {"steps": 1}, say=silent)
    assert (again.version, again.made_from, again.verdict) == (3, 1, "kept")


def test_sample_and_ledger_grow_with_the_model(model, boats, text, tmp_path):
    updated([boats], model, {"steps": 2}, say=silent)
    assert [part.name for part in replay.read(model, 280)] == [text.name, boats.name]
    seen = folder.load(model).seen
    assert len(seen) == 2 + 80
    versions.rollback(model)
    assert [part.name for part in replay.read(model, 280)] == [text.name]
    assert len(folder.load(model).seen) == 2


@pytest.mark.parametrize(
    "care", [{}, {"replay": 0.5}, {"ewc": 100.0}, {"lora": 2}, {"average": 0.5}], ids=str
)
def test_a_killed_update_resumes_to_the_same_bits(model, boats, care, monkeypatch, tmp_path):
    twin = shutil.copytree(model, tmp_path / "twin")
    given = {"steps": 8, "limit": 9.0, **care}
    before = weights(model).copy()
    interrupt(5, monkeypatch, boats, model, given)
    np.testing.assert_array_equal(weights(model), before)  # the model is whole meanwhile
    assert versions.unfinished(model).number == 2
    said = []
    result = updated([boats], model, given, resume=True, say=said.append)
    assert "continuing after step 5 of 8" in " ".join(said)
    assert result.version == 2
    updated([boats], twin, given, say=silent)
    np.testing.assert_array_equal(weights(model), weights(twin))
    assert folder.load(model).lineage == folder.load(twin).lineage


def test_an_update_is_not_a_resumed_run(model, boats, trains, monkeypatch, trained):
    with pytest.raises(OutputError, match=r"no update was interrupted.*leave out --resume"):
        updated([boats], model, {"steps": 4}, resume=True, say=silent)
    interrupt(2, monkeypatch, boats, model, {"steps": 4})
    with pytest.raises(OutputError, match="interrupted; continue it with --resume"):
        updated([boats], model, {"steps": 4}, say=silent)
    with pytest.raises(OptionError, match=r"steps is 9, but the run .* began with 4"):
        updated([boats], model, {"steps": 9}, resume=True, say=silent)
    result = updated([boats], model, {"steps": 4}, discard=True, say=silent)
    assert result.version == 2
    # The next update starts again: another schedule, and a fresh optimizer.
    assert updated([trains], model, {"steps": 4}, say=silent).version == 3
    assert [stage.steps for stage in folder.load(model).lineage] == [30, 4, 4]


def test_killed_between_the_model_and_its_copy(model, boats, trains, monkeypatch):
    def killed(self, contents, lineage, verdict):
        self._writer.save(contents, self._noted(lineage, verdict))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(versions.Update, "finish", killed)
        with pytest.raises(KeyboardInterrupt):
            updated([boats], model, {"steps": 2, "limit": 9.0}, say=silent)
    assert len(folder.load(model).lineage) == 2  # it is the model already
    result = updated([trains], model, {"steps": 2, "limit": 9.0}, say=silent)
    assert (result.version, result.made_from) == (3, 2)
    np.testing.assert_array_equal(
        weights(versions.rollback(model).path), weights(model / "versions" / "2")
    )


def test_one_update_at_a_time(model, boats):
    with FolderLock(model), pytest.raises(OutputError, match="in use by process"):
        updated([boats], model, {"steps": 1}, say=silent)


def test_care_without_old_text_says_what_to_do(model, boats, text):
    (model / "minilm.json").unlink()  # a foreign folder, as it were: nothing is known
    shutil.rmtree(model / "training")
    with pytest.raises(OptionError, match="name the old text with --old-data"):
        updated([boats], model, {"replay": 0.5, "steps": 1}, say=silent)
    result = updated([boats], model, {"replay": 0.5, "steps": 1}, old_data=[text], say=silent)
    assert result.old[0].name == text.name
    # The foreign folder was copied once, although the update before failed.
    assert [version.number for version in versions.listed(model)] == [1, 2]


def test_without_a_sample_nothing_can_be_said_of_the_old(model, boats):
    (model / "minilm.json").unlink()
    shutil.rmtree(model / "training")
    result = updated([boats], model, {"steps": 1}, say=silent)
    assert (result.old, result.verdict) == ((), "kept")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n_layer": 5}, "the key 'n_layer' is not known"),
        ({"n_positions": 17}, "n_positions is 17, but the model's context is 16"),
        ({"replay": -1.0}, "replay is -1.0"),
        ({"average": 1.0}, "average is 1.0"),
        ({"ewc": 1.0, "lora": 2}, "EWC holds the old matrices and LoRA freezes them"),
        ({"limit": -0.1}, "limit is -0.1"),
        ({"lerning_rate": 1.0}, "did you mean learning_rate"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_for(model, boats, given, said):
    with pytest.raises(MinilmError, match=said):
        updated([boats], model, given, say=silent)


def test_another_base(model, boats, trains, trained, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(trained, other)
    updated([boats], other, {"steps": 3, "limit": 9.0}, say=silent)
    result = updated([trains], model, {"steps": 1}, base=other, say=silent)
    assert (result.version, result.made_from) == (3, 2)
    assert [stage.steps for stage in folder.load(model).lineage] == [30, 3, 1]
    np.testing.assert_array_equal(weights(model / "versions" / "1"), weights(trained))


def test_numbers_from_elsewhere_mean_nothing_here(model, boats, trains, monkeypatch, tmp_path):
    """A model that is version 2 of another folder is the first of this one."""
    updated([boats], model, {"steps": 2, "limit": 9.0}, say=silent)
    elsewhere = tmp_path / "elsewhere"
    with folder.Writer(elsewhere) as writer:
        versions.copy(model, writer)
    interrupt(3, monkeypatch, trains, elsewhere, {"steps": 5, "limit": 9.0})
    assert versions.unfinished(elsewhere).number == 2
    said = []
    updated([trains], elsewhere, {"steps": 5}, resume=True, say=said.append)
    assert "continuing after step 3" in " ".join(said)
    first, second = versions.listed(elsewhere)
    assert (first.made_from, first.verdict) == (None, "kept")
    assert (second.made_from, second.current) == (1, True)
    assert [stage.steps for stage in folder.load(elsewhere).lineage] == [30, 2, 5]
