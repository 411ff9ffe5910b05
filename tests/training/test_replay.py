"""The sample of old text: what is kept, how it is read back, and how batches mix."""

import numpy as np
import pytest

from minilm.errors import ModelError
from minilm.models.batches import ShuffledWindows
from minilm.store import safetensors
from minilm.training import replay


def part(name, start, windows, time=4):
    train = np.arange(start, start + windows * time + 1)
    return replay.drawn(name, train, np.arange(start, start + 7), time, seed=0)


def save(parts, folder):
    (folder / "training").mkdir(exist_ok=True)
    for name, content in replay.files(parts).items():
        with open(folder / name, "wb") as file:
            content(file)


def test_a_sample_is_drawn_at_random_and_is_text_that_was_there():
    train, held_out = np.arange(1001), np.arange(20)
    drawn = replay.drawn("a", train, held_out, 10, seed=0, limit=200)
    assert drawn.windows.shape == (20, 11)
    starts = drawn.windows[:, 0]
    assert len(set(starts.tolist())) == 20
    assert (starts % 10 == 0).all()
    assert starts.max() > 500  # not the beginning alone
    np.testing.assert_array_equal(drawn.windows, starts[:, None] + np.arange(11))
    again = replay.drawn("a", train, held_out, 10, seed=1, limit=200)
    assert set(again.windows[:, 0].tolist()) != set(starts.tolist())


def test_every_held_out_token_is_a_target_once_or_evenly_spaced_pieces_are():
    drawn = replay.drawn("a", np.arange(50), np.arange(11), 4, seed=0)
    ids, targets = next(replay.batches(drawn.held_out, 8))
    assert targets[targets >= 0].tolist() == list(range(1, 11))
    assert ids.min() >= 0
    assert (targets[-1] == [9, 10, -100, -100]).all()
    long = replay.drawn("a", np.arange(50), np.zeros(100_000, int), 4, seed=0)
    assert 0.8 * replay.HELD_OUT < long.held_out[:, 1:].size <= replay.HELD_OUT


def test_parts_share_the_room():
    parts = replay.joined((), part("a", 0, 50), limit=160)
    assert [len(p.windows) for p in parts] == [40]
    parts = replay.joined(parts, part("b", 500, 50), limit=160)
    assert [(p.name, len(p.windows)) for p in parts] == [("a", 20), ("b", 20)]
    np.testing.assert_array_equal(parts[0].windows, part("a", 0, 50).windows[:20])
    again = replay.joined(parts, part("a", 900, 50), limit=160)
    assert [(p.name, p.windows.min() >= 900) for p in again] == [("b", False), ("a", True)]


def test_another_text_of_the_same_name_gets_a_number_and_the_same_text_keeps_it():
    parts = ()
    for start in (0, 500, 0, 900, 500):
        parts = replay.joined(parts, replay.named(part("a.txt", start, 50), parts))
    firsts = {p.name: int(p.held_out[0, 0]) for p in parts}
    assert firsts == {"a.txt": 0, "a.txt (2)": 500, "a.txt (3)": 900}


def test_it_is_read_as_it_was_written(tmp_path):
    parts = (part("ä.txt", 0, 3), part("b", 20, 5))
    save(parts, tmp_path)
    found = replay.read(tmp_path, 100)
    assert [p.name for p in found] == ["ä.txt", "b"]
    for before, after in zip(parts, found, strict=True):
        np.testing.assert_array_equal(before.windows, after.windows)
        np.testing.assert_array_equal(before.held_out, after.held_out)
    assert replay.read(tmp_path / "elsewhere", 100) == ()


def test_what_is_not_a_sample_is_refused(tmp_path):
    save((part("a", 0, 3),), tmp_path)
    with pytest.raises(ModelError, match="ids outside the model's vocabulary"):
        replay.read(tmp_path, 5)
    safetensors.save({"x": np.zeros(3)}, tmp_path / replay.NAME, {"0": "a"})
    with pytest.raises(ModelError, match="not a sample written by minilm"):
        replay.read(tmp_path, 5)


def test_batches_are_the_new_ones_with_old_windows_after_them():
    new = ShuffledWindows(np.arange(100), 4, 6, seed=0)
    mixed = replay.Replayed(new, [part("a", 1000, 2), part("b", 2000, 30)], 0.5, seed=0)
    old = []
    for step in range(40):
        ids, targets = mixed[step]
        assert ids.shape == targets.shape == (9, 4)
        np.testing.assert_array_equal(ids[:6], new[step][0])
        np.testing.assert_array_equal(targets[:6], new[step][1])
        assert (targets == ids + 1).all()
        assert (ids[6:] >= 1000).all()
        old += ids[6:, 0].tolist()
    share = np.mean(np.array(old) < 2000)
    assert 0.35 < share < 0.65  # the short text as often as the long one
    np.testing.assert_array_equal(mixed[7][0], mixed[7][0])


def test_old_windows_of_another_length_are_cut_or_padded():
    new = ShuffledWindows(np.arange(100), 4, 2, seed=0)
    long, short = part("long", 1000, 5, time=9), part("short", 2000, 5, time=2)
    ids, targets = replay.Replayed(new, [long], 1.0, seed=0)[0]
    assert ids.shape == (4, 4)
    assert (targets[2:] == ids[2:] + 1).all()
    ids, targets = replay.Replayed(new, [short], 1.0, seed=0)[0]
    assert (targets[2:, :2] == ids[2:, :2] + 1).all()
    assert (targets[2:, 2:] == -100).all()
    parts = replay.joined((long,), short, limit=36)
    assert [len(p.windows) for p in parts] == [2, 5]


def test_each_old_text_is_drawn_as_often_as_any_other():
    texts = [np.full((2, 5), 0), np.full((200, 3), 1)]
    drawn = replay.old_windows(texts, 2000, rng=np.random.default_rng(0))
    assert 900 < sum(window[0] == 0 for window in drawn) < 1100
    rows = [np.arange(12).reshape(4, 3)]
    firsts = {int(w[0]) for w in replay.old_windows(rows, 100, rng=np.random.default_rng(0))}
    assert firsts == {0, 3, 6, 9}


def test_old_windows_come_after_the_new_ones():
    new = np.array([[1, 2, 3]]), np.array([[2, 3, 4]])
    windows = [np.array([7, 8], np.int32), np.array([5, 6, 7, 8, 9], np.int32)]
    ids, targets = replay.mixed(*new, windows)
    assert ids.tolist() == [[1, 2, 3], [7, 0, 0], [5, 6, 7]]
    assert targets.tolist() == [[2, 3, 4], [8, -100, -100], [6, 7, 8]]
    assert ids.dtype == targets.dtype == new[0].dtype
    same, _ = replay.mixed(*new, [])
    np.testing.assert_array_equal(same, new[0])
