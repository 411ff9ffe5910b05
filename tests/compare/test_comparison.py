"""A comparison as a folder: what is written, what survives a stop, what is resumed."""

import csv
import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from minilm import files
from minilm.compare import classifiers, comparison, conditions, data, pretraining, store
from minilm.compare.conditions import Condition
from minilm.compare.data import CompareSettings
from minilm.compare.executors import Here, ProcessRunner
from minilm.compare.run import Grid
from minilm.errors import InputError, MinilmError, OptionError, OutputError

TIMES = ("seconds", "pretrain_seconds", "money")


def table(folder):
    """Return results.csv without what time costs."""
    with open(folder / "results.csv", encoding="utf-8", newline="") as file:
        return [{k: v for k, v in row.items() if k not in TIMES} for row in csv.DictReader(file)]


def timeless(summary):
    """Return a summary without what time costs."""
    cells = [{k: v for k, v in cell.items() if k not in TIMES} for cell in summary["conditions"]]
    made = [{"name": one["name"], "loss": one["loss"]} for one in summary["pretraining"]]
    return {**summary, "conditions": cells, "pretraining": made}


class Stopped(Here):
    """A place that is interrupted after so many runs."""

    def __init__(self, runs):
        self.left = runs

    def map(self, function, shared, groups):
        for job, result in super().map(function, shared, groups):
            if isinstance(result, pretraining.Made):
                yield job, result
                continue
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            yield job, result


@pytest.fixture(scope="module")
def finished(settings, grid, tmp_path_factory):
    return comparison.compare(settings, grid, tmp_path_factory.mktemp("runs") / "whole")


def broken_at(data, seed, chosen, *, bad):
    """A condition that goes wrong at one seed."""
    if seed == bad:
        raise MemoryError("no memory")
    return conditions.train_tfidf(data, seed, chosen)


@pytest.mark.usefixtures("undrawn")
def test_a_run_that_fails_is_a_row_with_its_error_and_is_tried_again(settings, tmp_path):
    grid = Grid(("mine", "random"), (8,), 3)
    run = partial(comparison.compare, settings, grid, tmp_path)
    mine = Condition("now and then", ("random",), "mine", partial(broken_at, bad=1))
    found = run(own={"mine": mine}).summary
    (row,) = [row for row in table(tmp_path) if row["error"] and row["domain"] == "task"]
    assert (row["seed"], row["accuracy"], row["error"]) == ("1", "", "MemoryError: no memory")
    (failed, *_) = found["failed"]
    assert (failed["condition"], failed["seed"]) == ("mine", 1)
    cell = next(c for c in found["conditions"] if c["condition"] == "mine")
    assert (cell["runs"], cell["failed"]) == (2, 1)
    said = []
    mended = Condition("now and then", ("random",), "mine", partial(broken_at, bad=None))
    assert run(own={"mine": mended}, resume=True, say=said.append).summary["failed"] == []
    assert "continuing: 5 runs are finished" in said


@pytest.mark.usefixtures("undrawn")
def test_when_every_run_fails_that_is_an_error(settings, tmp_path):
    mine = Condition("never", (), "mine", partial(broken_at, bad=0))
    with pytest.raises(MinilmError, match="every run failed; the first because of MemoryError"):
        comparison.compare(settings, Grid(("mine",), (8,), 1), tmp_path, own={"mine": mine})


def test_unknown_conditions_are_refused(settings, tmp_path):
    with pytest.raises(OptionError, match="'randm' is not a model's folder and not one of tfidf, "):
        comparison.compare(settings, Grid(("randm",), (8,), 1), tmp_path)


@pytest.mark.usefixtures("undrawn")
def test_a_model_folder_joins_the_table(settings, shared, tmp_path):
    from minilm.store import folder
    from minilm.text.wordlevel import WordLevelTokenizer

    main = next(iter(shared.data.values()))
    body = classifiers.pretrained_body(main)
    words = ["<|endoftext|>", "<unk>", *main.text.vocabulary.words]
    tokenizer = WordLevelTokenizer({word: i for i, word in enumerate(words)})
    path = tmp_path / "model"
    folder.save(path, folder.model_files(body.config, body.parameters, tokenizer))
    names = ("tfidf", "transformer-probe", str(path), f"lora:{path}")
    found = comparison.compare(settings, Grid(names, (8,), 2), tmp_path / "run").summary
    means = {c["condition"]: c["mean"] for c in found["conditions"] if c["domain"] == "task"}
    # The folder holds the model of transformer-probe and reads the same words, but what it
    # regresses on is chosen by eight labels.
    assert means[str(path)] > 0.8
    assert set(means) == set(names)
    rows = [(d["condition"], d["baseline"]) for d in found["differences"]]
    assert (str(path), "tfidf") in rows


@pytest.mark.usefixtures("undrawn")
def test_tasks_texts_and_amounts_are_axes(settings, world, tmp_path):
    two = [
        replace(
            settings, pretrain_words=(700, None), transfers=(), others=(world / "unsplit.csv",)
        ),
        replace(
            settings,
            task=world / "unsplit.csv",
            pretrain_words=(700, None),
            transfers=(),
            others=(world / "task.csv",),
        ),
    ]
    grid = Grid(("random", "cooccurrence"), (8,), 2)
    found = comparison.compare(two, grid, tmp_path).summary
    assert found["tasks"] == ["task", "unsplit"]
    assert found["domains"] == {"task": ["task", "unsplit"], "unsplit": ["unsplit", "task"]}
    less, whole = found["words"]["corpus"]
    assert 690 < less <= 700 < whole
    amounts = {(c["condition"], c["words"], c["main"]) for c in found["conditions"]}
    assert amounts == {
        ("random", 0, True),
        ("cooccurrence", whole, True),
        ("cooccurrence", less, False),
    }
    mean = {(c["task"], c["domain"], c["words"]): c["mean"] for c in found["conditions"]}
    for task in found["tasks"]:
        for domain in found["tasks"]:
            assert mean[task, domain, whole] > 0.9
            assert mean[task, domain, whole] >= mean[task, domain, less]


@pytest.mark.usefixtures("undrawn")
def test_resume_may_add_amounts_of_text_but_not_lose_them(settings, tmp_path):
    grid = Grid(("random", "cooccurrence"), (8,), 2)
    comparison.compare(settings, grid, tmp_path)
    more = replace(settings, pretrain_words=(700, None))
    said = []
    comparison.compare(more, grid, tmp_path, resume=True, say=said.append)
    assert "continuing: 4 runs are finished" in said
    assert len({row["words"] for row in table(tmp_path)}) == 3
    with pytest.raises(
        InputError, match=r"holds runs with 700 words of corpus; resume with the same"
    ):
        comparison.compare(settings, grid, tmp_path, resume=True)
    fewer = replace(settings, pretrain_words=(700,))
    with pytest.raises(InputError, match="the main text was"):
        comparison.compare(fewer, grid, tmp_path, resume=True)


@pytest.mark.usefixtures("undrawn")
def test_budgets_beyond_the_examples_are_noted(settings, tmp_path):
    found = comparison.compare(settings, Grid(("random",), (8, 999), 2), tmp_path).summary
    assert found["budgets"] == [8]
    assert found["notes"][0].endswith("so these budgets are left out: 999")


@pytest.mark.usefixtures("undrawn")
def test_pretraining_comes_from_the_cache_the_second_time(settings, grid, tmp_path, monkeypatch):
    monkeypatch.setenv("MINILM_CACHE", str(tmp_path / "cache"))
    small = Grid(("cooccurrence", "transformer-probe"), (8,), 2)
    first = comparison.compare(settings, small, tmp_path / "a").summary
    said = []
    second = comparison.compare(settings, small, tmp_path / "b", say=said.append).summary
    assert [one["from_cache"] for one in first["pretraining"]] == [False, False]
    assert [one["from_cache"] for one in second["pretraining"]] == [True, True]
    times = [one["seconds"] for one in first["pretraining"]]
    assert [one["seconds"] for one in second["pretraining"]] == times
    assert sum("from the cache, made in" in line for line in said) == 2
    assert table(tmp_path / "a") == table(tmp_path / "b")
    for entry in (tmp_path / "cache").iterdir():
        entry.write_bytes(entry.read_bytes()[:-4] + b"\0\0\0\0")  # damage is found, and mended
    third = comparison.compare(settings, small, tmp_path / "c").summary
    assert [one["from_cache"] for one in third["pretraining"]] == [False, False]
    other = replace(settings, transformer=replace(settings.transformer, steps=41))
    fourth = comparison.compare(other, small, tmp_path / "d").summary
    assert [one["from_cache"] for one in fourth["pretraining"]] == [True, False]


@pytest.mark.usefixtures("undrawn")
def test_what_runs_cost_is_in_the_tables(settings, tmp_path):
    grid = Grid(("random", "transformer-finetuned"), (8,), 2)
    found = comparison.compare(settings, grid, tmp_path, price_per_hour=3600.0).summary
    cells = {c["condition"]: c for c in found["conditions"] if c["domain"] == "task"}
    tuned = cells["transformer-finetuned"]
    assert tuned["money"] == pytest.approx(tuned["seconds"])
    assert tuned["flops"] > 100 * cells["random"]["flops"] > 0
    assert tuned["pretrain_flops"] > 0
    assert cells["random"]["pretrain_seconds"] == 0


def test_the_folder_holds_what_is_promised(finished, grid):
    rows = table(finished.folder)
    assert tuple(rows[0]) == tuple(c for c in store.COLUMNS if c not in TIMES)
    assert len(rows) == 2 * 3 * len(grid.budgets) * grid.seeds
    assert {row["domain"] for row in rows} == {"task", "other"}
    with np.load(finished.folder / "predictions.npz", allow_pickle=False) as arrays:
        truth, predicted = arrays["task/task/truth"], arrays["task/task/predicted"]
        runs = arrays["task/runs"].tolist()
    mine = [row for row in rows if row["domain"] == "task"]
    names = ("condition", "corpus", "words", "budget", "seed", "pretraining")
    assert runs == [[row[name] for name in names] for row in mine]
    accuracies = [float(row["accuracy"]) for row in mine]
    assert accuracies == np.mean(predicted == truth, axis=1).tolist()
    manifest = json.loads((finished.folder / "manifest.json").read_text(encoding="utf-8"))
    task = manifest["settings"]["task"]["task"]
    assert manifest["inputs"][task] == files.sha256(task)
    with open(finished.folder / "test_items.csv", encoding="utf-8", newline="") as file:
        items = [row for row in csv.DictReader(file) if row["domain"] == "task"]
    assert [manifest["data"]["task"]["classes"].index(row["label"]) for row in items] == list(truth)
    for name in finished.pictures:
        png = (finished.folder / name).read_bytes()
        assert png.startswith(b"\x89PNG")
        assert (finished.folder / name).with_suffix(".svg").read_text("utf-8").startswith("<?xml")


def test_the_summary_follows_from_the_table(finished, grid):
    summary = json.loads((finished.folder / "summary.json").read_text(encoding="utf-8"))
    rows = table(finished.folder)
    for cell in summary["conditions"]:
        mine = [
            float(row["accuracy"])
            for row in rows
            if (row["condition"], int(row["budget"]), row["domain"])
            == (cell["condition"], cell["budget"], cell["domain"])
        ]
        assert cell["mean"] == pytest.approx(np.mean(mine), abs=1e-12)
        assert cell["low"] <= cell["mean"] <= cell["high"]
        assert cell["runs"] == grid.seeds
    verdicts = {
        (row["condition"], row["budget"]): row["verdict"]
        for row in summary["differences"]
        if row["domain"] == "task"
    }
    assert verdicts["cooccurrence", 8] == "better"
    assert {"condition", "baseline", "budget", "difference", "low", "high", "p", "verdict"} <= set(
        summary["differences"][0]
    )


@pytest.mark.usefixtures("undrawn")
def test_a_stopped_comparison_resumes_to_the_same_table(finished, settings, grid, tmp_path):
    folder = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        comparison.compare(settings, grid, folder, place=Stopped(5))
    assert len(table(folder)) == 10
    assert not (folder / "summary.json").exists()
    said = []
    resumed = comparison.compare(settings, grid, folder, resume=True, say=said.append)
    assert "continuing: 5 runs are finished" in said
    assert table(folder) == table(finished.folder)
    assert timeless(resumed.summary) == timeless(finished.summary)


@pytest.mark.usefixtures("undrawn")
def test_resume_may_add_runs_but_not_change_settings(finished, settings, grid, tmp_path):
    folder = tmp_path / "grown"
    first = Grid(grid.conditions, grid.budgets[:1], grid.seeds)
    comparison.compare(settings, first, folder)
    said = []
    comparison.compare(settings, grid, folder, resume=True, say=said.append)
    assert "continuing: 9 runs are finished" in said
    assert table(folder) == table(finished.folder)
    other = CompareSettings(**{**vars(settings), "window": 5})
    with pytest.raises(InputError, match="window was 15 and is now 5"):
        comparison.compare(other, grid, folder, resume=True)
    longer = replace(settings, transformer=replace(settings.transformer, steps=41))
    with pytest.raises(InputError, match="transformer, steps was 40 and is now 41"):
        comparison.compare(longer, grid, folder, resume=True)


@pytest.mark.usefixtures("undrawn")
def test_resume_needs_the_same_contents_and_versions_but_not_the_same_place(settings, tmp_path):
    small, folder = Grid(("random",), (8,), 2), tmp_path / "run"
    comparison.compare(settings, small, folder)
    (tmp_path / "elsewhere").mkdir()
    moved = tmp_path / "elsewhere" / "task.csv"
    moved.write_bytes(settings.task.read_bytes())
    said = []
    comparison.compare(replace(settings, task=moved), small, folder, resume=True, say=said.append)
    assert "continuing: 2 runs are finished" in said
    moved.write_text(settings.task.read_text("utf-8") + "gooda,good,train\n", "utf-8")
    with pytest.raises(InputError, match="files or their contents have changed"):
        comparison.compare(replace(settings, task=moved), small, folder, resume=True)
    manifest = files.read_json(folder / "manifest.json")
    manifest["versions"]["numpy"] = "1.0"
    files.write_json(folder / "manifest.json", manifest)
    with pytest.raises(InputError, match=r"numpy was '1\.0' and is now"):
        comparison.compare(settings, small, folder, resume=True)


@pytest.mark.usefixtures("undrawn")
def test_resume_without_a_manifest_destroys_nothing(settings, tmp_path):
    small = Grid(("random",), (8,), 2)
    comparison.compare(settings, small, tmp_path)
    (tmp_path / "manifest.json").unlink()
    before = (tmp_path / "results.csv").read_bytes()
    with pytest.raises(InputError, match=r"manifest\.json: no such file"):
        comparison.compare(settings, small, tmp_path, resume=True)
    assert (tmp_path / "results.csv").read_bytes() == before


@pytest.mark.usefixtures("undrawn")
def test_what_another_process_finished_meanwhile_is_not_lost(settings, tmp_path, monkeypatch):
    small, prepare = Grid(("random",), (8,), 2), data.prepare

    def slowly(*arguments):
        monkeypatch.setattr(data, "prepare", prepare)
        comparison.compare(settings, small, tmp_path)  # the other one
        return prepare(*arguments)

    monkeypatch.setattr(data, "prepare", slowly)
    with pytest.raises(OutputError, match="holds a comparison already"):
        comparison.compare(settings, Grid(("random",), (8,), 1), tmp_path)
    assert len(table(tmp_path)) == 4


def test_conclusions_go_when_runs_are_missing(settings, grid, tmp_path):
    comparison.compare(settings, Grid(grid.conditions, (8,), 1), tmp_path)
    assert (tmp_path / "transfer.png").exists()
    with pytest.raises(KeyboardInterrupt):
        comparison.compare(settings, grid, tmp_path, resume=True, place=Stopped(0))
    assert not list(tmp_path.glob("*.png"))
    assert not (tmp_path / "summary.json").exists()
    assert len(table(tmp_path)) == 6


@pytest.mark.usefixtures("undrawn")
def test_summaries_do_not_depend_on_workers(finished, settings, grid, tmp_path):
    pooled = comparison.compare(settings, grid, tmp_path, place=ProcessRunner(2))
    assert timeless(pooled.summary) == timeless(finished.summary)
    assert table(tmp_path) == table(finished.folder)


@pytest.mark.usefixtures("undrawn")
def test_a_folder_that_holds_a_comparison_is_not_written_into(finished, settings, grid):
    before = (finished.folder / "results.csv").read_bytes()
    with pytest.raises(OutputError, match="holds a comparison already"):
        comparison.compare(settings, grid, finished.folder)
    assert (finished.folder / "results.csv").read_bytes() == before


@pytest.mark.usefixtures("undrawn")
def test_overwrite_replaces_and_touches_nothing_else(settings, grid, tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    small = Grid(("random",), (8,), 2)
    comparison.compare(settings, grid, tmp_path)
    comparison.compare(settings, small, tmp_path, overwrite=True)
    assert len(table(tmp_path)) == 4
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["predictions.npz", "results.csv", "manifest.json"])
@pytest.mark.usefixtures("undrawn")
def test_damaged_files_are_refused_on_resume(settings, grid, tmp_path, name):
    small = Grid(("random",), (8,), 2)
    comparison.compare(settings, small, tmp_path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=name):
        comparison.compare(settings, small, tmp_path, resume=True)


@pytest.mark.usefixtures("undrawn")
def test_a_task_without_a_split_gets_one_that_is_recorded(world, tmp_path):
    settings = CompareSettings(world / "unsplit.csv", ((world / "corpus.txt",),), dimensions=10)
    comparison.compare(settings, Grid(("random",), (8,), 2), tmp_path)
    with open(tmp_path / "split.csv", encoding="utf-8", newline="") as file:
        parts = [row["split"] for row in csv.DictReader(file)]
    assert [parts.count(part) for part in ("train", "dev", "test")] == [54, 8, 28]


@pytest.mark.usefixtures("undrawn")
def test_on_real_reviews_pretraining_helps_and_shuffled_text_does_not(real_data, tmp_path):
    """Settings were chosen on a development part; this is the test part (numbers in the README)."""
    rng = np.random.default_rng(0)
    rows, unlabelled = [], []
    for label in ("pos", "neg"):
        path = real_data(f"rt-polarity.{label}")
        lines = [line for line in path.read_text(encoding="latin-1").split("\n") if line.strip()]
        for place, i in enumerate(rng.permutation(len(lines))):
            rows.append([lines[i], label, "test" if place < 1000 else "train"])
            if place >= 1000:
                unlabelled.append(lines[i])
    with open(tmp_path / "rt.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text", "label", "split"], *rows])
    (tmp_path / "corpus.txt").write_text("\n".join(unlabelled), encoding="utf-8")
    found = comparison.compare(
        CompareSettings(tmp_path / "rt.csv", ((tmp_path / "corpus.txt",),)),
        Grid(("random", "cooccurrence", "cooccurrence-shuffled"), (100, 200), 4),
        tmp_path / "run",
        place=ProcessRunner(2),
    )
    mean = {(c["condition"], c["budget"]): c["mean"] for c in found.summary["conditions"]}
    verdict = {(d["condition"], d["budget"]): d["verdict"] for d in found.summary["differences"]}
    assert mean["cooccurrence", 100] >= 0.60
    assert mean["cooccurrence", 200] >= 0.63
    assert mean["random", 100] <= 0.56
    for budget in (100, 200):
        assert verdict["cooccurrence", budget] == "better"
        assert verdict["cooccurrence-shuffled", budget] == "cannot tell"
