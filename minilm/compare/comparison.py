"""One comparison from files to folder: prepare, run what is missing, summarize, draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minilm import files, progress
from minilm.compare import executors, material, plots, probes, store, summary
from minilm.compare.experiment import Grid
from minilm.compare.material import Settings
from minilm.errors import OptionError


@dataclass(frozen=True)
class Result:
    """What a finished comparison hands to its caller.

    Parameters
    ----------
    folder : Path
        Where everything was written.
    summary : dict
        The content of summary.json.
    pictures : list of str
        The names of the PNG files in the folder.
    """

    folder: Path
    summary: dict[str, Any]
    pictures: list[str]


def compare(
    settings: Settings,
    grid: Grid,
    folder: Path,
    *,
    workers: int = 1,
    resume: bool = False,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> Result:
    """Run a comparison and write its folder.

    Every input is read and checked before the folder is made. Stopped at any moment, by Ctrl-C or
    worse, the folder keeps the runs that were finished; `resume` does the others.

    Parameters
    ----------
    settings : Settings
        The data and how word vectors are counted.
    grid : Grid
        Which runs.
    folder : Path
        Where to write; made when it does not exist.
    workers : int
        Processes. The numbers do not depend on it.
    resume, overwrite : bool
        What to do with a comparison that is there: go on with it, or replace it.
    say : callable
        Told in a line what was found in the folder.

    Raises
    ------
    MinilmError
        When an input, an option or the folder cannot be used.
    """
    if workers < 1:
        raise OptionError(f"--workers: {workers}; use 1 or more")
    grid.check()
    store.check_folder(folder, resume=resume, overwrite=overwrite)
    progress.announce("reading and counting the unlabelled text")
    shared = material.prepare(settings, grid.budgets)
    wanted, grid = grid, grid.within(len(shared.train.labels))
    manifest = store.manifest(shared, grid)
    folder.mkdir(parents=True, exist_ok=True)
    with files.FolderLock(folder) as lock:
        if lock.stale_pid is not None:
            say(f"took over the folder from process {lock.stale_pid}, which is gone")
        # Again, now that nobody else can write: another process may have finished meanwhile.
        store.check_folder(folder, resume=resume, overwrite=overwrite)
        kept = store.Store(folder, shared)
        if overwrite:
            store.clear(folder)
        elif store.holds_comparison(folder):
            store.check_resumable(folder, manifest)
            kept.load()
        missing = [key for key in grid.runs() if key not in kept.outcomes]
        if kept.outcomes:
            say(f"took up {len(kept.outcomes)} finished runs")
        if missing:
            store.clear_conclusions(folder)
        store.write_split(shared, folder)
        files.write_json(folder / store.MANIFEST, manifest)
        try:
            with progress.Progress("comparing", len(missing)) as line:
                for outcome in executors.run_all(shared, missing, workers):
                    kept.add(outcome)
                    line.advance(note=outcome.key.condition)
        finally:
            kept.save()
        progress.announce("summarizing and drawing")
        found = summary.summarize(shared, grid, kept.outcomes.values())
        if left_out := [str(budget) for budget in wanted.budgets if budget not in grid.budgets]:
            found["notes"].append(
                f"the train part has {len(shared.train.labels)} examples, so the budgets "
                f"{', '.join(left_out)} were left out"
            )
        measured = probes.measure(shared, grid.conditions)
        files.write_json(folder / "probes.json", measured)
        pictures = plots.draw_all(folder, found, measured)
        # Last, so that a folder with a summary is a finished one.
        files.write_json(folder / "summary.json", found)
    return Result(folder, found, pictures)
