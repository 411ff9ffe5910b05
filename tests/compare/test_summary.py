"""Summaries against a table made by hand."""

import numpy as np
import pytest

from minilm.classify import metrics
from minilm.compare import statistics, summary
from minilm.compare.conditions import CONDITIONS
from minilm.compare.experiment import Grid, Key, Outcome
from minilm.compare.material import Examples, Material, Settings
from minilm.text.words import Vocabulary

TRUTH = np.array([0] * 60 + [1] * 40)
RIGHT = {"random": 0.5, "tfidf": 0.6, "cooccurrence": 0.75, "cooccurrence-shuffled": 0.52}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Outcomes that are right with a probability of their condition's, and their summary."""
    rng = np.random.default_rng(1)
    empty = Examples([], [], TRUTH, np.arange(100))
    material = Material(
        Settings(tmp_path_factory.mktemp("t") / "task.csv", ()),
        ("a", "b"),
        Vocabulary([], []),
        np.empty(0, np.int32),
        np.empty((0, 2), np.float32),
        np.empty(0, np.float32),
        empty,
        {"task": empty},
        None,
        ("a note",),
    )
    grid = Grid(tuple(RIGHT), (16, 64), 6)
    outcomes = []
    for key in grid.runs():
        right = rng.random(100) < RIGHT[key.condition]
        outcomes.append(Outcome(key, {"task": np.where(right, TRUTH, 1 - TRUTH)}, 0.1, 3))
    extra = Outcome(Key("random", 999, 0), outcomes[0].predicted, 0.1, 3)
    return outcomes, grid, summary.summarize(material, grid, [extra, *outcomes[::-1]])


def test_chance_is_the_commonest_class_and_sizes_are_stated(made):
    _, grid, found = made
    assert found["chance"] == {"task": 0.6}
    assert found["test_items"] == {"task": 100}
    assert found["resolvable"]["task"] == statistics.resolvable_difference(100, grid.seeds)
    assert found["notes"] == ["a note"]


def test_each_cell_is_about_its_own_runs(made):
    outcomes, _, found = made
    for cell in found["conditions"]:
        mine = [o for o in outcomes if o.key[:2] == (cell["condition"], cell["budget"])]
        accuracies = [np.mean(o.predicted["task"] == TRUTH) for o in mine]
        scores = [metrics.macro_f1(TRUTH, o.predicted["task"], 2) for o in mine]
        assert cell["mean"] == pytest.approx(np.mean(accuracies))
        assert cell["macro_f1"] == pytest.approx(np.mean(scores))


def test_differences_are_from_the_baseline_and_corrected_in_two_families(made):
    _, _, found = made
    means = {(c["condition"], c["budget"]): c["mean"] for c in found["conditions"]}
    rows = found["differences"]
    assert len(rows) == 6
    for row in rows:
        assert row["baseline"] == CONDITIONS[row["condition"]].baseline
        expected = means[row["condition"], row["budget"]] - means[row["baseline"], row["budget"]]
        assert row["difference"] == pytest.approx(expected)
    for control in (False, True):
        family = [row for row in rows if CONDITIONS[row["condition"]].control is control]
        adjusted = statistics.holm([row["p"] for row in family])
        assert [row["p_adjusted"] for row in family] == adjusted
        assert any(row["p_adjusted"] > row["p"] for row in family)
    verdicts = {(row["condition"], row["budget"]): row["verdict"] for row in rows}
    assert verdicts["cooccurrence", 16] == verdicts["cooccurrence", 64] == "better"
    assert verdicts["cooccurrence-shuffled", 16] == "cannot tell"
