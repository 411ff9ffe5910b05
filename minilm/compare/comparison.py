"""One comparison from files to folder: prepare, run what is missing, summarize, draw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minilm import files
from minilm.compare import executors, material, plots, probes, store, summary
from minilm.compare.experiment import Grid
from minilm.compare.material import Settings
from minilm.errors import OptionError
from minilm.progress import Progress


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
    resumed : int
        How many runs were there already.
    stale_pid : int or None
        The dead process whose lock on the folder was taken over.
    """

    folder: Path
    summary: dict[str, Any]
    pictures: list[str]
    resumed: int
    stale_pid: int | None


def compare(
    settings: Settings,
    grid: Grid,
    folder: Path,
    *,
    workers: int = 1,
    resume: bool = False,
    overwrite: bool = False,
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

    Raises
    ------
    MinilmError
        When an input, an option or the folder cannot be used.
    """
    if workers < 1:
        raise OptionError(f"--workers: {workers}; use 1 or more")
    grid.check()
    store.check_folder(folder, resume=resume, overwrite=overwrite)
    shared = material.prepare(settings, grid.budgets)
    wanted, grid = grid, grid.within(len(shared.train.labels))
    manifest = store.manifest(shared, grid)
    folder.mkdir(parents=True, exist_ok=True)
    with files.FolderLock(folder) as lock:
        if resume and (folder / store.MANIFEST).exists():
            store.check_resumable(folder, manifest)
        else:
            store.clear(folder)
        kept = store.Store(folder, shared)
        kept.load()
        store.write_split(shared, folder)
        files.write_json(folder / store.MANIFEST, manifest)
        missing = [key for key in grid.runs() if key not in kept.outcomes]
        resumed = len(kept.outcomes)
        try:
            with Progress("comparing", len(missing)) as progress:
                for outcome in executors.run_all(shared, missing, workers):
                    kept.add(outcome)
                    progress.advance(note=outcome.key.condition)
        finally:
            kept.save()
        found = summary.summarize(shared, grid, kept.outcomes.values())
        if left_out := [str(budget) for budget in wanted.budgets if budget not in grid.budgets]:
            found["notes"].append(
                f"the train part has {len(shared.train.labels)} examples, so the budgets "
                f"{', '.join(left_out)} were left out"
            )
        measured = probes.measure(shared)
        files.write_json(folder / "probes.json", measured)
        pictures = plots.draw_all(folder, found, measured)
        # Last, so that a folder with a summary is a finished one.
        files.write_json(folder / "summary.json", found)
    return Result(folder, found, pictures, resumed, lock.stale_pid)
