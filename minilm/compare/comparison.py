"""One comparison from files to folder: read, pretrain, run what is missing, summarize, draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from minilm import files, progress
from minilm.compare import (
    bets,
    cache,
    conclusions,
    data,
    estimates,
    executors,
    experiment,
    manifest,
    model_folders,
    pretraining,
    probes,
    store,
    taken,
)
from minilm.compare.conclusions import Result
from minilm.compare.conditions import CONDITIONS, Condition
from minilm.compare.data import CompareData, CompareSettings
from minilm.compare.executors import Lost, Place
from minilm.compare.experiment import Grid, Key, Shared
from minilm.errors import MinilmError, OptionError

Say = Callable[[str], None]


def compare(
    tasks: CompareSettings | Sequence[CompareSettings],
    grid: Grid,
    folder: Path,
    *,
    own: Mapping[str, Condition] | None = None,
    place: Place | None = None,
    resume: bool = False,
    overwrite: bool = False,
    price_per_hour: float | None = None,
    preset: str | None = None,
    bet: Sequence[str] = (),
    say: Say = lambda text: None,
) -> Result:
    """Run a comparison and write its folder.

    Every input is read and checked before the folder is made. Stopped at any moment, by Ctrl-C or
    worse, the folder keeps the runs that were finished; `resume` does the others.

    Parameters
    ----------
    tasks : CompareSettings or sequence of CompareSettings
        The data, a task each, and how it is pretrained on.
    grid : Grid
        Which runs.
    folder : Path
        Where to write; made when it does not exist.
    own : mapping of str to Condition, optional
        Conditions of one's own that the grid names, beside those of `conditions.CONDITIONS`. A
        name of the grid that is neither is a model's folder.
    place : Place, optional
        Where runs are done: `executors.ProcessRunner(2)`, `executors.Borrowed(executor)`, ...; by
        default here. The numbers do not depend on it. It is closed at the end.
    resume, overwrite : bool
        What to do with a comparison that is there: go on with it, or replace it.
    price_per_hour : float, optional
        Of a machine, in any currency.
    preset : str, optional
        What the grid is called, for the report.
    bet : sequence of str
        Conditions in the order that somebody expects, the best first; scored in the report.
    say : callable
        Told in a line what was found, what is planned and how long it may take.

    Raises
    ------
    MinilmError
        When an input, an option or the folder cannot be used, or every run failed.
    """
    place = place or executors.Here()
    try:
        chosen = _conditions(grid, own or {})
        store.check_folder(folder, resume=resume, overwrite=overwrite)
        progress.announce("reading the texts")
        tasks = [tasks] if isinstance(tasks, CompareSettings) else list(tasks)
        shared = Shared(_materials(tasks, grid), chosen)
        possible = grid.within(max(len(m.train.labels) for m in shared.materials.values()))
        about = manifest.describe(
            shared,
            possible,
            price_per_hour=price_per_hour,
            preset=preset,
            notes=_notes(grid, possible),
        )
        folder.mkdir(parents=True, exist_ok=True)
        with files.FolderLock(folder) as lock:
            if lock.stale_pid is not None:
                say(f"took over the folder from process {lock.stale_pid}, which is gone")
            # Again, now that nobody else can write: another process may have finished meanwhile.
            store.check_folder(folder, resume=resume, overwrite=overwrite)
            if overwrite:
                store.clear(folder)
            for line in taken.lines(tasks):
                say(line)
            say(estimates.axes(tasks, possible, preset))
            kept = store.Store(folder, shared, price_per_hour)
            missing = _missing(kept, list(shared.runs(possible)), about, say)
            if bet:
                bets.write(folder, bet)
            store.write_items(shared, folder)
            files.write_json(folder / store.MANIFEST, about)
            about["pretraining"] = _pretrain(shared, missing, place, say)
            files.write_json(folder / store.MANIFEST, about)
            _run(shared, missing, kept, place)
            place.close()  # drawing can use the memory of processes that have nothing to do
            return _conclude(folder, shared, possible.budgets)
    finally:
        place.close()


def _conditions(grid: Grid, own: Mapping[str, Condition]) -> dict[str, Condition]:
    """Return the conditions that the grid names."""
    grid.check()
    found = {}
    for name in grid.conditions:
        if condition := own.get(name) or CONDITIONS.get(name):
            found[name] = condition
        elif Path(model_folders.folder_of(name)[1]).is_dir():
            found[name] = model_folders.of_folder(name)
        else:
            known = ", ".join((*CONDITIONS, *own))
            raise OptionError(f"--conditions: {name!r} is no model's folder and not one of {known}")
    return found


def _notes(wanted: Grid, possible: Grid) -> list[str]:
    """Return what a reader should know about budgets that are not there."""
    left_out = [str(budget) for budget in wanted.budgets if budget not in possible.budgets]
    if not left_out:
        return []
    return [f"too few examples to train on: left out were the budgets {', '.join(left_out)}"]


def _missing(kept: store.Store, runs: list[Key], about: dict[str, Any], say: Say) -> list[Key]:
    """Take up what the folder holds, and return the runs that it does not."""
    if store.holds_comparison(kept.folder):
        manifest.check_resumable(kept.folder, about)
        kept.load()
    if kept.outcomes:
        say(f"took up {len(kept.outcomes)} finished runs")
    missing = [key for key in runs if key not in kept.outcomes]
    if missing:
        store.clear_conclusions(kept.folder)
    return missing


def _materials(tasks: list[CompareSettings], grid: Grid) -> dict[tuple[str, str, int], CompareData]:
    """Read every task with every text."""
    found: dict[tuple[str, str, int], CompareData] = {}
    for settings in tasks:
        if settings.task.stem in {task for task, _, _ in found}:
            raise OptionError(
                f"--task: two files are named {settings.task.stem}; rename one, for the table"
            )
        for one in data.prepare(settings, grid.budgets):
            found[one.task, one.text.corpus, one.text.words] = one
    return found


def _pretrain(shared: Shared, missing: list[Key], place: Place, say: Say) -> list[dict[str, Any]]:
    """Take from the cache, or make, what the missing runs and the probes need; return the record.

    What is made is found in `text.made` of every material of that text.
    """
    needs = {kind for c in shared.conditions.values() for kind in c.needs}
    jobs = pretraining.wanted(shared.materials.values(), needs)
    keys = {
        job: pretraining.cache_key(one.text, one.settings, job.kind) for job, one in jobs.items()
    }
    made = {job: found for job, key in keys.items() if (found := cache.load(key))}
    left = [job for job in jobs if job not in made]
    seconds = estimates.seconds(shared, missing, left)
    say(estimates.sentence(len(missing), len(left), seconds / place.width))
    for job, found in made.items():
        say(
            f"{pretraining.KINDS[job.kind]} on {job.corpus} ({job.words:,} words): from the cache, "
            f"made in {progress.duration(found.details['seconds'])}"
        )
    # The longest first, so that no worker is left with it alone in the end.
    left.sort(key=lambda job: (job.kind == "vectors", -job.words))
    told = {job: (jobs[job].text, jobs[job].settings) for job in left}
    with progress.Progress("pretraining", len(left)) as line:
        for job, result in place.map(_make, told, [[job] for job in left]):
            if isinstance(result, Lost):
                raise MinilmError(f"pretraining: {result.reason}; use fewer --workers")
            made[job] = result
            cache.save(keys[job], result)
            line.advance(note=pretraining.KINDS[job.kind])
    for one in shared.materials.values():
        for job, found in made.items():
            if (job.corpus, job.words) == (one.text.corpus, one.text.words):
                one.text.made[job.kind] = found
    return [
        {
            "name": pretraining.KINDS[job.kind],
            "corpus": job.corpus,
            "words": job.words,
            "from_cache": made[job].from_cache,
            **made[job].details,
        }
        for job in jobs
    ]


def _make(told: dict[pretraining.Job, tuple[Any, Any]], job: pretraining.Job) -> cache.Made:
    return pretraining.make(*told[job], job.kind)


def _run(shared: Shared, missing: list[Key], kept: store.Store, place: Place) -> None:
    """Do the missing runs and keep what they find."""
    groups: dict[Any, list[Key]] = {}
    for key in missing:
        # What the budgets of one seed share is made once where one process has them all.
        groups.setdefault((*key[:4], key.seed), []).append(key)
    # The longest first, so that all workers end at about the same time.
    order = sorted(groups.values(), key=lambda g: -estimates.seconds(shared, g, []))
    try:
        with progress.Progress("comparing", len(missing)) as line:
            for key, result in place.map(experiment.run, shared, order):
                if isinstance(result, Lost):
                    result = experiment.failed(key, result.reason)
                kept.add(result)
                line.advance(note=key.condition)
    finally:
        kept.save()
    if all(outcome.error for outcome in kept.outcomes.values()):
        first = next(iter(kept.outcomes.values()))
        raise MinilmError(f"every run failed; the first because of {first.error}")


def _conclude(folder: Path, shared: Shared, budgets: Sequence[int]) -> Result:
    """Write what follows from the runs."""
    progress.announce("summarizing and drawing")
    measured = probes.measure(next(iter(shared.materials.values())), shared.conditions, budgets)
    files.write_json(folder / "probes.json", measured)
    return conclusions.write(folder)
