"""Windows: all of them once an epoch, in another order, whatever the position."""

import numpy as np
import pytest

from minilm.errors import OptionError
from minilm.models import batches
from minilm.models.batches import ShuffledWindows, consecutive, spaced


def starts_of_epoch(windows, epoch):
    """Return where the windows of an epoch start; the tokens are their own positions."""
    first, last = epoch * windows.count, (epoch + 1) * windows.count
    steps = range(first // windows.batch, -(-last // windows.batch))
    rows = np.concatenate([windows[step][0][:, 0] for step in steps])
    skipped = first - (first // windows.batch) * windows.batch
    return rows[skipped : skipped + windows.count]


@pytest.mark.parametrize("length", [6, 11, 12, 1000, 1003])
@pytest.mark.parametrize("region", [1 << 20, 7])
def test_every_window_comes_once_an_epoch(length, region, monkeypatch):
    monkeypatch.setattr(batches, "REGION", region)
    windows = ShuffledWindows(np.arange(length), time=5, batch=3, seed=1)
    orders = []
    for epoch in range(4):
        starts = starts_of_epoch(windows, epoch)
        ordered = np.sort(starts)
        assert 0 <= ordered[0] < max(5, length - 5 * windows.count)
        np.testing.assert_array_equal(np.diff(ordered), 5)
        assert ordered[-1] + 5 <= length - 1  # the last target is there
        assert len(starts) == windows.count >= (length - 5) // 5
        orders.append(tuple(starts - ordered[0]))
    if length == 1000:
        assert len(set(orders)) == 4
        assert len({starts_of_epoch(windows, epoch).min() for epoch in range(8)}) > 1


def test_a_batch_is_a_function_of_seed_and_number():
    tokens = np.random.default_rng(0).integers(100, size=500).astype(np.uint16)
    one, two = (ShuffledWindows(tokens, 8, 4, seed=5) for _ in range(2))
    late = one[37]
    for step in range(40):
        ids, targets = two[step]
        assert ids.dtype == targets.dtype == np.int64
        np.testing.assert_array_equal(ids[:, 1:], targets[:, :-1])
    np.testing.assert_array_equal(late[0], two[37][0])
    other = ShuffledWindows(tokens, 8, 4, seed=6)
    assert not np.array_equal(other[0][0], one[0][0])


def test_too_little_text():
    with pytest.raises(OptionError, match="5 tokens of text are too few for a context of 5"):
        ShuffledWindows(np.arange(5), 5, 1, seed=0)
    ids, targets = ShuffledWindows(np.arange(6), 5, 2, seed=0)[3]
    assert ids.tolist() == [[0, 1, 2, 3, 4]] * 2
    assert targets.tolist() == [[1, 2, 3, 4, 5]] * 2


@pytest.mark.parametrize("length", [2, 12, 13, 14, 100])
def test_consecutive_batches_predict_every_token_once(length):
    tokens = np.random.default_rng(0).integers(50, size=length)
    seen = []
    for ids, targets in consecutive(iter(tokens.tolist()), time=4, batch=3):
        assert ids.shape == targets.shape
        assert ids.shape[1] == 4
        counted = targets != -100
        seen += targets[counted].tolist()
        inside = counted[:, :-1] & counted[:, 1:]
        np.testing.assert_array_equal(ids[:, 1:][inside], targets[:, :-1][inside])
    assert seen == tokens[1:].tolist()


def test_spaced_batches_are_some_of_the_consecutive_ones():
    tokens = np.arange(1000, dtype=np.uint16)
    whole = list(consecutive(tokens.tolist(), 5, 4))
    every = list(spaced(tokens, 5, 4, limit=10_000))
    some = list(spaced(tokens, 5, 4, limit=300))
    assert len(every) == len(whole) == 50
    assert len(some) == 17  # every third
    for part, chosen in ((every, whole), (some, whole[::3])):
        for mine, expected in zip(part, chosen, strict=True):
            np.testing.assert_array_equal(mine, expected)


def test_a_target_is_the_next_token():
    tokens = np.random.default_rng(0).integers(100, size=30).astype(np.uint16)
    ids, targets = batches.windows_at(tokens, np.array([24, 0, 7]), 5)
    assert ids.dtype == targets.dtype == np.int64
    for row, start in enumerate((24, 0, 7)):
        assert ids[row].tolist() == tokens[start : start + 5].tolist()
        assert targets[row].tolist() == tokens[start + 1 : start + 6].tolist()


@pytest.mark.parametrize("length", [2, 5, 6, 7, 11])
def test_cut_uses_every_token_once(length):
    tokens = np.arange(1, length + 1)
    ids, targets = batches.cut(tokens, 5)
    assert ids.shape == targets.shape == (-(-(length - 1) // 5), 5)
    counted = targets != -100
    assert targets[counted].tolist() == tokens[1:].tolist()
    assert ids[counted].tolist() == tokens[:-1].tolist()
    assert not ids[~counted].any()
