"""The line of an epoch: what the loss means, and the advice."""

import pytest

from minilm.training.log import Monitor, Row, meaning


def lines(losses, *, epoch, held_out=(), before=0, steps=None):
    """Feed losses step by step; `before` of them as logged by a run that was interrupted."""
    looks = dict(held_out)
    rows = [Row(k, 0.001, loss, 1.0, 9.0, looks.get(k)) for k, loss in enumerate(losses, 1)]
    monitor = Monitor(epoch, steps or len(losses), 0.002, rows[:before])
    return [line for row in rows[before:] if (line := monitor.after(row))]


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([2.1], "learning"),
        ([2.0, 1.9], "learning"),
        ([2.0, 1.92], "refining"),
        ([2.0, 1.985], "converging"),
        ([2.0, 2.015], "converging"),
        ([2.0, 2.03], "rising"),
        ([0.0, 0.0], "converging"),
    ],
)
def test_meaning(losses, expected):
    assert meaning(losses) == expected


def test_a_line_an_epoch_and_what_is_left_over_joins_the_last():
    assert lines([2.0, 2.0, 1.0, 1.0, 0.98, 0.98, 0.98], epoch=2) == [
        "epoch 1 of 4: loss 2.000 (learning)",
        "epoch 2 of 4: loss 1.000 (learning)",
        "epoch 3 of 4: loss 0.980 (refining)",
        "epoch 4 of 4: loss 0.980 (converging)",
    ]
    assert lines([2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 5.0], epoch=4)[-1] == (
        "epoch 2 of 2: loss 1.800 (learning)"
    )
    assert lines([3.0, 2.0], epoch=9) == ["part of epoch 1: loss 2.500 (learning)"]


def test_rising_names_a_rate_also_within_the_first_epoch():
    advice = "(rising: rate too high, try --learning-rate 0.001)"
    assert lines([2.0, 3.0], epoch=1)[-1] == f"epoch 2 of 2: loss 3.000 {advice}"
    assert lines([2.0, 2.0, 4.0, 4.0], epoch=4) == [f"epoch 1 of 1: loss 3.000 {advice}"]


def test_held_out_text_that_gets_worse_is_said():
    said = lines([3.0, 2.0, 1.0], epoch=1, held_out=[(1, 3.0), (2, 2.5), (3, 2.6)])
    assert said[1] == "epoch 2 of 3: loss 2.000 (learning)"
    assert said[2].endswith("(overfitting: held-out loss rises, try fewer --epochs)")
    assert len(said[2]) <= 80


def test_a_resumed_run_says_the_same():
    losses = [3.0, 2.8, 2.0, 1.9, 1.9, 1.88]
    assert lines(losses, epoch=2, before=3) == lines(losses, epoch=2)[1:]
