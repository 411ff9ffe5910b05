"""A comparison as a folder: what is written, what survives a stop, what is resumed."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from minilm import files
from minilm.compare import comparison, executors, material, report, store
from minilm.compare.experiment import Grid, Key
from minilm.compare.material import Settings
from minilm.errors import InputError, OutputError


def table(folder):
    """Return results.csv without the column of seconds."""
    with open(folder / "results.csv", encoding="utf-8", newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def finished(settings, grid, tmp_path_factory):
    return comparison.compare(settings, grid, tmp_path_factory.mktemp("runs") / "whole")


def test_the_folder_holds_what_is_promised(finished, grid):
    rows = table(finished.folder)
    assert tuple(rows[0]) == tuple(c for c in store.COLUMNS if c != "seconds")
    assert len(rows) == 2 * len(list(grid.runs()))
    assert {row["domain"] for row in rows} == {"task", "other"}
    with np.load(finished.folder / "predictions.npz", allow_pickle=False) as arrays:
        truth, predicted = arrays["task.truth"], arrays["task.predicted"]
        runs = [Key(c, int(b), int(s)) for c, b, s in arrays["runs"]]
    assert runs == list(grid.runs())
    accuracies = [float(row["accuracy"]) for row in rows if row["domain"] == "task"]
    assert accuracies == np.mean(predicted == truth, axis=1).tolist()
    manifest = json.loads((finished.folder / "manifest.json").read_text(encoding="utf-8"))
    task = manifest["settings"]["task"]
    assert manifest["inputs"][task] == files.sha256(task)
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


def test_a_stopped_comparison_resumes_to_the_same_table(
    finished, settings, grid, tmp_path, monkeypatch
):
    whole, folder = executors.run_all, tmp_path / "stopped"

    def stop_after_five(*arguments):
        for done, outcome in enumerate(whole(*arguments)):
            if done == 5:
                raise KeyboardInterrupt
            yield outcome

    monkeypatch.setattr(executors, "run_all", stop_after_five)
    with pytest.raises(KeyboardInterrupt):
        comparison.compare(settings, grid, folder)
    assert len(table(folder)) == 10
    assert not (folder / "summary.json").exists()
    monkeypatch.setattr(executors, "run_all", whole)
    said = []
    resumed = comparison.compare(settings, grid, folder, resume=True, say=said.append)
    assert "took up 5 finished runs" in said
    assert table(folder) == table(finished.folder)
    assert resumed.summary == finished.summary


def test_resume_may_add_runs_but_not_change_settings(finished, settings, grid, tmp_path):
    folder = tmp_path / "grown"
    first = Grid(grid.conditions, grid.budgets[:1], grid.seeds)
    comparison.compare(settings, first, folder)
    said = []
    comparison.compare(settings, grid, folder, resume=True, say=said.append)
    assert "took up 9 finished runs" in said
    assert table(folder) == table(finished.folder)
    other = Settings(**{**vars(settings), "window": 5})
    with pytest.raises(InputError, match="window was 15 and is now 5"):
        comparison.compare(other, grid, folder, resume=True)


def test_resume_needs_the_same_contents_and_versions_but_not_the_same_place(settings, tmp_path):
    small, folder = Grid(("random",), (8,), 2), tmp_path / "run"
    comparison.compare(settings, small, folder)
    (tmp_path / "elsewhere").mkdir()
    moved = tmp_path / "elsewhere" / "task.csv"
    moved.write_bytes(settings.task.read_bytes())
    said = []
    comparison.compare(replace(settings, task=moved), small, folder, resume=True, say=said.append)
    assert "took up 2 finished runs" in said
    moved.write_text(settings.task.read_text("utf-8") + "gooda,good,train\n", "utf-8")
    with pytest.raises(InputError, match="other files or other contents"):
        comparison.compare(replace(settings, task=moved), small, folder, resume=True)
    manifest = files.read_json(folder / "manifest.json")
    manifest["versions"]["numpy"] = "1.0"
    files.write_json(folder / "manifest.json", manifest)
    with pytest.raises(InputError, match=r"numpy was '1\.0' and is now"):
        comparison.compare(settings, small, folder, resume=True)


def test_resume_without_a_manifest_destroys_nothing(settings, tmp_path):
    small = Grid(("random",), (8,), 2)
    comparison.compare(settings, small, tmp_path)
    (tmp_path / "manifest.json").unlink()
    before = (tmp_path / "results.csv").read_bytes()
    with pytest.raises(InputError, match=r"manifest\.json: no such file"):
        comparison.compare(settings, small, tmp_path, resume=True)
    assert (tmp_path / "results.csv").read_bytes() == before


def test_what_another_process_finished_meanwhile_is_not_lost(settings, tmp_path, monkeypatch):
    small, prepare = Grid(("random",), (8,), 2), material.prepare

    def slowly(*arguments):
        monkeypatch.setattr(material, "prepare", prepare)
        comparison.compare(settings, small, tmp_path)  # the other one
        return prepare(*arguments)

    monkeypatch.setattr(material, "prepare", slowly)
    with pytest.raises(OutputError, match="holds a comparison already"):
        comparison.compare(settings, Grid(("random",), (8,), 1), tmp_path)
    assert len(table(tmp_path)) == 4


def test_conclusions_go_when_runs_are_missing(settings, grid, tmp_path, monkeypatch):
    comparison.compare(settings, Grid(grid.conditions, (8,), 1), tmp_path)
    assert (tmp_path / "transfer.png").exists()

    def stop(*arguments):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(executors, "run_all", stop)
    with pytest.raises(KeyboardInterrupt):
        comparison.compare(settings, grid, tmp_path, resume=True)
    assert not list(tmp_path.glob("*.png"))
    assert not (tmp_path / "summary.json").exists()
    assert len(table(tmp_path)) == 6


def test_summaries_do_not_depend_on_workers(finished, settings, grid, tmp_path):
    pooled = comparison.compare(settings, grid, tmp_path, workers=2)
    assert pooled.summary == finished.summary


def test_a_folder_that_holds_a_comparison_is_not_written_into(finished, settings, grid):
    before = (finished.folder / "results.csv").read_bytes()
    with pytest.raises(OutputError, match="holds a comparison already"):
        comparison.compare(settings, grid, finished.folder)
    assert (finished.folder / "results.csv").read_bytes() == before


def test_overwrite_replaces_and_touches_nothing_else(settings, grid, tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    small = Grid(("random",), (8,), 2)
    comparison.compare(settings, grid, tmp_path)
    comparison.compare(settings, small, tmp_path, overwrite=True)
    assert len(table(tmp_path)) == 4
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["predictions.npz", "results.csv", "manifest.json"])
def test_damaged_files_are_refused_on_resume(settings, grid, tmp_path, name):
    small = Grid(("random",), (8,), 2)
    comparison.compare(settings, small, tmp_path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=name):
        comparison.compare(settings, small, tmp_path, resume=True)


def test_a_task_without_a_split_gets_one_that_is_recorded(world, tmp_path):
    settings = Settings(world / "unsplit.csv", (world / "corpus.txt",), dimensions=10)
    comparison.compare(settings, Grid(("random",), (8,), 2), tmp_path)
    with open(tmp_path / "split.csv", encoding="utf-8", newline="") as file:
        parts = [row["split"] for row in csv.DictReader(file)]
    assert [parts.count(part) for part in ("train", "dev", "test")] == [54, 8, 28]


def test_the_report_fits_80_columns_and_says_what_the_verdicts_say(finished):
    text = report.render(finished.summary)
    assert max(map(len, text.splitlines())) <= 80
    assert "better at every budget" in " ".join(text.split())
    rows = [
        {
            "condition": "cooccurrence",
            "baseline": "random",
            "budget": budget,
            "difference": difference,
            "low": difference - 0.03,
            "high": difference + 0.03,
            "verdict": verdict,
        }
        for budget, difference, verdict in (
            (16, 0.01, "cannot tell"),
            (64, -0.05, "worse"),
            (256, 0.09, "better"),
        )
    ]
    assert report.reading(rows) == [
        "Word vectors learned from unlabelled text, against random ones: better at 256 labels (by "
        "0.090), worse at 64 labels (by 0.050), cannot tell at 16 labels."
    ]


def test_a_control_that_gains_is_not_hidden():
    row = {
        "condition": "cooccurrence-shuffled",
        "baseline": "random",
        "budget": 16,
        "difference": 0.05,
        "verdict": "better",
    }
    assert "cooccurrence-shuffled is better than random at 16 labels" in report.reading([row])[0]
    assert "as it should be" in report.reading([row | {"verdict": "cannot tell"}])[0]


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
        Settings(tmp_path / "rt.csv", (tmp_path / "corpus.txt",)),
        Grid(("random", "cooccurrence", "cooccurrence-shuffled"), (100, 200), 4),
        tmp_path / "run",
        workers=2,
    )
    mean = {(c["condition"], c["budget"]): c["mean"] for c in found.summary["conditions"]}
    verdict = {(d["condition"], d["budget"]): d["verdict"] for d in found.summary["differences"]}
    assert mean["cooccurrence", 100] >= 0.60
    assert mean["cooccurrence", 200] >= 0.63
    assert mean["random", 100] <= 0.56
    for budget in (100, 200):
        assert verdict["cooccurrence", budget] == "better"
        assert verdict["cooccurrence-shuffled", budget] == "cannot tell"
