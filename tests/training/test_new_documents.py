"""Update or train again: the numbers that decide, and what a lineage tells."""

import pytest

from minilm.errors import OptionError
from minilm.nn.config import SIZES
from minilm.store.folder import Stage
from minilm.training import new_documents as advice


@pytest.mark.parametrize(
    ("kept", "action", "reason"),
    [
        (0, "wait", "nothing is new"),
        (1, "update", "1 new documents are fewer than 500"),
        (499, "update", "fewer than 500"),
        (500, "update", "no more than 1,000, but watch old text"),
        (1000, "update", "no more than 1,000"),
        (1001, "retrain", "1,001 new documents are more than 1,000"),
    ],
)
def test_by_the_number_of_new_documents(kept, action, reason):
    found = advice.advise(kept, limit=0.1)
    assert found.action == action
    assert reason in str(found)


def test_other_reasons_to_retrain_and_all_of_them_are_said():
    assert advice.advise(5, risen=0.1, limit=0.1).action == "update"
    found = advice.advise(2000, changed=["n_layer 2 to 4"], risen=0.5, limit=0.1)
    assert str(found) == (
        "advice: retrain, because 2,000 new documents are more than 1,000; the architecture is to "
        "change (n_layer 2 to 4); old text got 50% worse"
    )


@pytest.mark.parametrize(
    ("asked", "changes"),
    [
        ({}, []),
        ({"learning_rate": 0.1, "vocab_size": 300}, []),  # what a tokenizer reaches is no shape
        ({"size": "kata"}, []),
        ({"size": "kata", "n_layer": 3}, ["n_layer 2 to 3"]),
        ({"n_embd": 64}, []),
        ({"n_embd": 128}, ["n_embd 64 to 128"]),
        (
            {"size": "class"},
            ["n_positions 32 to 64", "n_embd 64 to 128", "n_layer 2 to 4", "n_head 2 to 4"],
        ),
    ],
)
def test_changes_of_the_architecture(asked, changes):
    assert advice.shape_changes(SIZES["kata"].config, asked) == changes


def test_a_shape_that_cannot_be():
    with pytest.raises(OptionError, match="n_embd"):
        advice.shape_changes(SIZES["kata"].config, {"n_embd": 0})


def stage(**figures):
    measured = {
        name: {"before": before, "after": after} for name, (before, after) in figures.items()
    }
    return Stage("update", (), 1, 1, {"perplexity": measured})


def test_how_much_old_text_got_worse():
    assert advice.risen([]) == 0.0
    assert advice.risen([Stage("pretrain", (), 1, 1, {"seed": 1})]) == 0.0
    assert advice.risen([stage(new=(20.0, 30.0))]) == 0.0  # it was no old text then
    once = stage(a=(10.0, 12.0), b=(50.0, 20.0))
    assert advice.risen([once]) == pytest.approx(0.2)
    again = stage(a=(12.0, 11.0), b=(20.0, 26.0), c=(9.0, 3.0))
    assert advice.risen([once, again]) == pytest.approx(0.3)  # b, since it was learned
    assert advice.risen([stage(a=(10.0, 9.0), b=(5.0, 4.0))]) == pytest.approx(-0.1)
