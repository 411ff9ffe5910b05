"""Versions of a model: listed, gone back to, never lost, and one writer at a time."""

import json
import shutil
import threading

import numpy as np
import pytest

from minilm.errors import ModelError, OutputError
from minilm.files import FolderLock
from minilm.store import folder, manifest, versions
from minilm.store.folder import Stage
from minilm.store.ledger import Ledger
from minilm.training import replay


@pytest.fixture
def model(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "model")


def contents(path, change):
    """Return the files of a model like that in a folder, with one text more and one change."""
    saved = folder.load(path)
    saved.parameters["ln_f.bias"][...] += change
    seen = saved.seen.extended(Ledger.of([f"text {change}"]))
    ids = np.arange(100)
    part = replay.drawn(f"text {change}", ids, ids, saved.config.n_positions, seed=0)
    kept = replay.joined(replay.read(path, saved.config.vocab_size), part)
    return {
        **folder.model_files(saved.config, saved.parameters, saved.tokenizer, seen),
        **replay.files(kept),
    }


def update(path, change, verdict="kept"):
    with versions.Update(path) as place:
        stage = Stage("continue", (), 1, 1, {"by": change})
        lineage = [*place.base.lineage, stage]
        place.save(contents(place.base.path, change / 2), lineage)
        place.finish(contents(place.base.path, change), lineage, verdict)
        return place.number


def bias(path):
    return float(folder.load(path).parameters["ln_f.bias"][0])


def test_forward_and_back_and_forward_again(model):
    start = bias(model)
    assert [(v.number, v.current, v.path) for v in versions.listed(model)] == [(1, True, model)]
    assert (update(model, 1.0), update(model, 10.0)) == (2, 3)
    assert bias(model) == pytest.approx(start + 11)
    assert versions.rollback(model).number == 2
    assert bias(model) == pytest.approx(start + 1)
    assert versions.rollback(model).number == 1
    assert bias(model) == pytest.approx(start)
    assert versions.rollback(model, 3).number == 3
    assert bias(model) == pytest.approx(start + 11)
    versions.rollback(model, 2)
    assert update(model, 100.0) == 4
    found = versions.listed(model)
    assert [(v.number, v.made_from, v.current) for v in found] == [
        (1, None, False),
        (2, 1, False),
        (3, 2, False),
        (4, 2, True),
    ]
    assert [stage.settings.get("by") for stage in folder.load(model).lineage] == [None, 1.0, 100.0]


def test_a_rollback_leaves_the_folder_as_it_was_to_the_byte(model):
    def of():
        return {p.name: p.read_bytes() for p in model.iterdir() if p.is_file()}

    before = of()
    update(model, 1.0)
    assert of() != before
    versions.rollback(model)
    assert of() == before


def test_held_back_it_stays_beside_and_can_be_taken(model):
    start = bias(model)
    assert update(model, 1.0, "held back") == 2
    assert bias(model) == start
    assert versions.listed(model)[1].verdict == "held back"
    assert versions.unfinished(model) is None
    versions.rollback(model, 2)
    assert bias(model) == pytest.approx(start + 1)


def test_there_is_nothing_before_the_first(model):
    with pytest.raises(OutputError, match="there is no earlier version to go back to"):
        versions.rollback(model)
    with pytest.raises(OutputError, match="no version 7; versions here: none"):
        versions.rollback(model, 7)
    update(model, 1.0)
    with pytest.raises(OutputError, match="no version 7; versions here: 1, 2"):
        versions.rollback(model, 7)


def test_an_unfinished_update_is_no_version_to_go_to(model):
    with versions.Update(model) as place:
        place.save(contents(model, 1.0), [*place.base.lineage, Stage("continue", (), 0, 0, {})])
    assert versions.unfinished(model).number == 2
    with pytest.raises(OutputError, match="the update to version 2 is not finished"):
        versions.rollback(model, 2)
    with versions.Update(model) as place:
        assert (place.is_begun, place.number, place.base.number) == (True, 2, 1)
        place.discard()
    assert versions.unfinished(model) is None
    assert not (model / "versions" / "2").exists()


def test_the_old_model_is_whole_on_disk_at_every_moment(model, monkeypatch):
    """Kill the update before each of its renames: what is loaded is the old model or the new."""
    start = bias(model)
    real = versions.transaction._replace
    count, seen = 2, set()
    while True:
        count += 4
        left = count

        def killed(source, target):
            nonlocal left
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
            real(source, target)

        twin = model.with_name(f"twin{count}")
        shutil.copytree(model, twin)
        with monkeypatch.context() as patch:
            patch.setattr(versions.transaction, "_replace", killed)
            try:
                update(twin, 1.0)
                ended = True
            except KeyboardInterrupt:
                ended = False
        change = round(bias(twin) - start, 3)
        seen.add(change)
        # Ledger and sample are those of the model, whichever it is.
        assert len(folder.load(twin).seen) == 2 + change
        assert len(replay.read(twin, 280)) == 1 + change
        holding = [v.path for v in versions.listed(twin)]
        assert any(bias(path) == start for path in holding)
        if len(holding) > 1:
            versions.rollback(twin, 1)
        assert bias(twin) == start
        if ended:
            break
    assert seen == {0.0, 1.0}
    assert count > 30


def test_a_damaged_model_is_brought_back(model):
    start = bias(model)
    update(model, 1.0)
    path = model / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="its checksum differs"):
        folder.load(model)
    assert update(model, 10.0, "held back") == 3  # from the copy, which is whole
    assert bias(model / "versions" / "3") == pytest.approx(start + 11)
    (model / "minilm.json").write_text("{}", encoding="utf-8")
    versions.rollback(model, 1)
    assert bias(model) == start


def test_a_damaged_model_that_was_never_copied_is_not_updated(model):
    path = model / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="its checksum differs"), versions.Update(model):
        pass


def test_a_damaged_version_replaces_nothing(model):
    update(model, 1.0)
    now = bias(model)
    path = model / "versions" / "1" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="its checksum differs"):
        versions.rollback(model)
    assert bias(model) == now


def test_two_at_once_refuse_or_wait(model):
    with FolderLock(model) as lock:
        with pytest.raises(OutputError, match="in use by process"):
            versions.rollback(model, 1)
        done = []

        def waiting():
            with versions.Update(model, wait=True) as place:
                done.append(place.number)

        thread = threading.Thread(target=waiting)
        thread.start()
        thread.join(0.2)
        assert (done, lock.folder) == ([], model)
    thread.join(30)
    assert done == [2]


def test_moving_aside_takes_the_first_free_name(tmp_path):
    for expected in ("a-old-1", "a-old-2"):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "file").write_text(expected, encoding="utf-8")
        assert versions.move_aside(tmp_path / "a") == tmp_path / expected
        assert (tmp_path / expected / "file").read_text(encoding="utf-8") == expected
    (tmp_path / "a").mkdir()
    with FolderLock(tmp_path / "a"), pytest.raises(OutputError, match="in use"):
        versions.move_aside(tmp_path / "a")


def test_versions_are_models_that_anybody_reads(model):
    update(model, 1.0)
    for number in (1, 2):
        place = model / "versions" / str(number)
        assert json.loads((place / "config.json").read_text(encoding="utf-8"))["n_layer"] == 2
        assert set(manifest.read(place / manifest.NAME).files) >= {"model.safetensors"}
        assert np.isfinite(bias(place))
