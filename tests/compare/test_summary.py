"""Summaries against a folder's tables made by hand: nothing but the tables is needed."""

import csv
import json

import numpy as np
import pytest

from minilm.classify import metrics
from minilm.compare import statistics, store, summary
from minilm.compare.conditions import CONDITIONS
from minilm.errors import InputError

TRUTH = np.array([0] * 60 + [1] * 40)
RIGHT = {"random": 0.5, "tfidf": 0.6, "cooccurrence": 0.75, "cooccurrence-shuffled": 0.52}
BUDGETS, SEEDS, PRETRAININGS, TEXT = (16, 64), 6, 3, ("general", 1000)


def text_of(name):
    return TEXT if CONDITIONS[name].needs else ("", 0)


def pretraining(name, seed):
    return seed % PRETRAININGS if CONDITIONS[name].drawn else 0


def keys_of(name, seeds=SEEDS):
    return tuple((seed, pretraining(name, seed)) for seed in range(seeds))


def write(folder, runs, truth=TRUTH, seeds=SEEDS, price=None):
    """Write the tables of runs: (condition, budget, seed) -> predictions, or None for a failure."""
    about = {
        name: {
            "baselines": list(CONDITIONS[name].baselines),
            "family": CONDITIONS[name].family,
            "drawn": CONDITIONS[name].drawn,
        }
        for name in RIGHT
    }
    manifest = {
        "settings": {},
        "inputs": {},
        "versions": {},
        "about": about,
        "grid": {
            "conditions": list(RIGHT),
            "budgets": list(BUDGETS),
            "seeds": list(range(seeds)),
            "pretrainings": PRETRAININGS,
            "crossed": False,
        },
        "data": {
            "task": {
                "test": {"task": len(truth)},
                "texts": {TEXT[0]: [TEXT[1]]},
                "main": list(TEXT),
                "notes": ["a note"],
            }
        },
        "notes": ["of all"],
        "pretraining": [],
        "price_per_hour": price,
        "preset": None,
    }
    (folder / store.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    good = {run: predicted for run, predicted in runs.items() if predicted is not None}
    keys = [
        [n, text_of(n)[0], str(text_of(n)[1]), str(b), str(s), str(pretraining(n, s))]
        for n, b, s in good
    ]
    np.savez(
        folder / store.PREDICTIONS,
        **{
            "task/runs": np.array(keys, dtype=str),
            "task/classes": np.array(["a", "b"]),
            "task/task/truth": truth.astype(np.int16),
            "task/task/lines": np.arange(len(truth)),
            "task/task/predicted": np.array(list(good.values()), np.int16),
        },
    )
    with open(folder / store.RESULTS, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(store.COLUMNS)
        for (name, budget, seed), predicted in runs.items():
            scores = ["", ""]
            if predicted is not None:
                scores = [np.mean(predicted == truth), metrics.macro_f1(truth, predicted, 2)]
            error = "" if predicted is not None else "MemoryError: no memory"
            cost = [0.5 + seed, 1e6, 3, 2.0, 1e9, ""]
            where = ["task", *text_of(name), name, budget, seed, pretraining(name, seed), "task"]
            writer.writerow([*where, *scores, *cost, error])


def draw(seeds=SEEDS, truth=TRUTH):
    """Return runs that are right with a probability of their condition's."""
    rng = np.random.default_rng(1)
    return {
        (name, budget, seed): np.where(rng.random(len(truth)) < right, truth, 1 - truth)
        for name, right in RIGHT.items()
        for budget in BUDGETS
        for seed in range(seeds)
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder, runs = tmp_path_factory.mktemp("tables"), draw()
    # In any order, and with runs that this grid does not ask for.
    extra = {("random", 999, 0): TRUTH, ("random", 16, 17): TRUTH}
    write(folder, {**extra, **dict(reversed(runs.items()))}, price=7200.0)
    return runs, summary.summarize(folder)


def test_chance_is_the_commonest_class_and_sizes_are_stated(made):
    _, found = made
    assert found["chance"] == {"task": {"task": 0.6}}
    assert found["test_items"] == {"task": {"task": 100}}
    assert found["resolvable"]["task"]["task"] == statistics.resolvable_difference(100, SEEDS)
    assert found["notes"] == ["of all", "a note"]


def test_each_cell_is_about_its_own_runs(made):
    runs, found = made
    assert len(found["conditions"]) == len(RIGHT) * len(BUDGETS)
    for cell in found["conditions"]:
        mine = [runs[cell["condition"], cell["budget"], seed] for seed in range(SEEDS)]
        right = np.stack(mine) == TRUTH
        expected = statistics.mean_and_interval(
            right, rng=np.random.default_rng(0), keys=keys_of(cell["condition"])
        )
        assert (cell["mean"], cell["low"], cell["high"]) == pytest.approx(
            (expected.mean, expected.low, expected.high), abs=1e-12
        )
        scores = [metrics.macro_f1(TRUTH, predicted, 2) for predicted in mine]
        assert cell["macro_f1"] == pytest.approx(np.mean(scores))
        assert cell["seconds"] == 3.0
        assert cell["money"] == 6.0  # two an second
        assert cell["main"] is True
        assert (cell["runs"], cell["failed"]) == (SEEDS, 0)


def test_differences_are_from_the_baselines_and_corrected_by_family(made):
    runs, found = made
    rows = found["differences"]
    pairs = [(row["condition"], row["baseline"]) for row in rows[:: len(BUDGETS)]]
    assert pairs == [
        ("tfidf", "random"),
        ("cooccurrence", "random"),
        ("cooccurrence", "tfidf"),
        ("cooccurrence-shuffled", "random"),
    ]
    for row in rows:
        ours, theirs = (
            np.stack([runs[name, row["budget"], seed] for seed in range(SEEDS)]) == TRUTH
            for name in (row["condition"], row["baseline"])
        )
        alone = statistics.paired_difference(
            ours, theirs, rng=np.random.default_rng(0), keys=keys_of(row["condition"])
        )
        assert row["difference"] == pytest.approx(alone.difference)
        assert (row["low"], row["high"]) == pytest.approx((alone.low, alone.high), abs=1e-12)
        assert row["p"] == alone.p
    families = {row["family"] for row in rows}
    assert families == {"word vectors", "against tfidf", "control"}
    for family in families:
        members = [row for row in rows if row["family"] == family]
        adjusted = statistics.holm([row["p"] for row in members])
        assert [row["p_adjusted"] for row in members] == adjusted
    verdicts = {(r["condition"], r["baseline"], r["budget"]): r["verdict"] for r in rows}
    assert verdicts["cooccurrence", "random", 16] == "better"
    assert verdicts["cooccurrence-shuffled", "random", 16] == "cannot tell"


def test_gains_are_over_random(made):
    runs, found = made
    assert {row["condition"] for row in found["gains"]} == set(RIGHT) - {"random"}
    for row in found["gains"]:
        ours, theirs = (
            np.mean([runs[n, row["budget"], s] == TRUTH for s in range(SEEDS)])
            for n in (row["condition"], "random")
        )
        assert row["gain"] == pytest.approx(ours - theirs)
        assert row["low"] <= row["gain"] <= row["high"]


def test_failed_runs_are_left_out_of_both_sides_of_a_pair(tmp_path):
    runs = draw()
    runs["cooccurrence", 16, 2] = None
    runs.update({("tfidf", 64, seed): None for seed in range(SEEDS)})
    write(tmp_path, runs)
    found = summary.summarize(tmp_path)
    assert len(found["failed"]) == 1 + SEEDS
    assert found["failed"][0]["error"] == "MemoryError: no memory"
    cells = {(c["condition"], c["budget"]): c for c in found["conditions"]}
    assert (cells["cooccurrence", 16]["runs"], cells["cooccurrence", 16]["failed"]) == (5, 1)
    assert cells["tfidf", 64]["mean"] is None
    rows = {(r["condition"], r["baseline"], r["budget"]): r for r in found["differences"]}
    kept = [0, 1, 3, 4, 5]
    ours, theirs = (
        np.stack([runs[name, 16, seed] for seed in kept]) == TRUTH
        for name in ("cooccurrence", "random")
    )
    assert rows["cooccurrence", "random", 16]["difference"] == pytest.approx(
        ours.mean() - theirs.mean()
    )
    assert ("tfidf", "random", 64) not in rows
    assert ("cooccurrence", "tfidf", 64) not in rows


def test_six_test_items_cannot_tell_and_say_how_many_could(tmp_path):
    """The lesson's experiment: however good the vectors are, six sentences show nothing."""
    truth = np.array([0, 0, 0, 1, 1, 1])
    runs = {}
    for (name, budget, seed), predicted in draw(truth=truth).items():
        # Right always, against right two times in six.
        runs[name, budget, seed] = truth if name == "cooccurrence" else predicted
        if name == "random":
            runs[name, budget, seed] = np.array([0, 1, 1, 0, 0, 1])
    write(tmp_path, runs, truth)
    found = summary.summarize(tmp_path)
    assert {row["verdict"] for row in found["differences"]} == {"cannot tell"}
    row = next(r for r in found["differences"] if r["condition"] == "cooccurrence")
    assert row["difference"] == pytest.approx(4 / 6)
    assert row["low"] > 0  # what resampling six items alone would claim
    for row in found["differences"]:
        if row["difference"]:
            needed = statistics.items_needed(abs(row["difference"]), SEEDS)
            assert row["items_needed"] == needed


def test_one_run_has_the_interval_of_one_test_set(tmp_path):
    write(tmp_path, {("random", 16, 0): TRUTH}, seeds=1)
    (cell,) = summary.summarize(tmp_path)["conditions"]
    assert (cell["low"], cell["high"]) == statistics.wilson_interval(100, 100)


def test_runs_that_are_all_right_have_the_interval_of_their_few_items(tmp_path):
    truth = np.array([0, 1, 0, 1, 0, 1])
    write(tmp_path, {("random", 16, seed): truth for seed in range(SEEDS)}, truth)
    (cell,) = summary.summarize(tmp_path)["conditions"]
    assert (cell["low"], cell["high"]) == statistics.wilson_interval(6, 6)
    assert cell["low"] < 0.62


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"manifest\.json: no such file"):
        summary.summarize(tmp_path)
    (tmp_path / store.MANIFEST).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="not the manifest of a comparison"):
        summary.summarize(tmp_path)
