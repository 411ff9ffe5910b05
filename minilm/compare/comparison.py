"""A comparison from files to folder: read, pretrain, run what is missing, summarize, draw."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from minilm import files, progress
from minilm.compare import data as datasets
from minilm.compare import (
    estimates,
    executors,
    manifest,
    model_folders,
    pretraining,
    probes,
    report,
    run,
    states,
    store,
    taken,
)
from minilm.compare.conditions import CONDITIONS, Condition
from minilm.compare.data import CompareData, CompareSettings
from minilm.compare.executors import Lost, Place
from minilm.compare.report import Result, bets, scoreboard
from minilm.compare.report.scoreboard import ClassBets
from minilm.compare.run import Grid, Key, Shared
from minilm.compare.states import Reading
from minilm.compare.texts import name_of
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
    class_bets: ClassBets | None = None,
    slides: bool = False,
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
        Your own conditions that the grid names, beside those of `conditions.CONDITIONS`. A name of
        the grid that is neither is a model's folder.
    place : Place, optional
        Where runs happen: `executors.ProcessRunner(2)`, `executors.Borrowed(executor)`, ...; by
        default here. The numbers do not depend on it. It is closed at the end.
    resume, overwrite : bool
        What to do with a comparison that is there: continue it, or replace it.
    price_per_hour : float, optional
        Of a machine, in any currency.
    preset : str, optional
        What the grid is called, for the report.
    bet : sequence of str
        Conditions in the order that somebody bets on, the best first; scored in the report.
    class_bets : ClassBets, optional
        The bets of a class.
    slides : bool
        Whether to write slides.html beside report.html.
    say : callable
        Gets a line about what was found, what is planned and how long it may take.

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
        shared = Shared(_read(tasks, grid), chosen)
        possible = grid.within(max(len(m.train.labels) for m in shared.data.values()))
        about = manifest.describe(
            shared,
            possible,
            price_per_hour=price_per_hour,
            preset=preset,
            notes=[*_notes(grid, possible), *model_folders.notes(shared)],
        )
        folder.mkdir(parents=True, exist_ok=True)
        with files.FolderLock(folder) as lock:
            if lock.stale_pid is not None:
                say(f"took over the folder from process {lock.stale_pid}, which no longer runs")
            # Again, now that nobody else can write: another process may have finished in between.
            store.check_folder(folder, resume=resume, overwrite=overwrite)
            if overwrite:
                store.clear(folder)
            _announce(tasks, shared, possible, about, say)
            kept = store.Store(folder, shared, price_per_hour)
            missing = _missing(kept, list(shared.runs(possible)), about, say)
            if bet:
                bets.write(folder, bet)
            if class_bets is not None:
                scoreboard.write(folder, class_bets)
            store.write_items(shared, folder)
            _work(shared, missing, kept, about, place, say)
            return _conclude(folder, shared, possible.budgets, slides)
    finally:
        place.close()


def _conditions(grid: Grid, own: Mapping[str, Condition]) -> dict[str, Condition]:
    """Return the conditions that the grid names."""
    grid.check()
    found = {}
    for name in grid.conditions:
        if condition := own.get(name) or CONDITIONS.get(name):
            found[name] = condition
        elif model_folders.is_model(name):
            progress.announce(f"loading {name}")
            found[name] = model_folders.of_folder(name)
            _refuse_twins(name, found)
        else:
            known = ", ".join((*CONDITIONS, *own))
            hint = "; put a path with a comma in double quotes" if ":" in name else ""
            raise OptionError(
                f"--conditions: {name!r} is not a model's folder and not one of {known}{hint}"
            )
    return found


def _refuse_twins(name: str, found: Mapping[str, Condition]) -> None:
    """Raise OptionError when a model is used in the same way under another name too."""
    model = found[name].model
    for other, condition in found.items():
        twin = condition.model
        if other == name or model is None or twin is None or twin.how != model.how:
            continue
        if os.path.realpath(twin.path) == os.path.realpath(model.path):
            raise OptionError(
                f"--conditions: {other!r} and {name!r} are the same model, used in the same way; "
                "leave one out"
            )


def _notes(wanted: Grid, possible: Grid) -> list[str]:
    """Return what a reader should know about budgets that are not there."""
    left_out = [str(budget) for budget in wanted.budgets if budget not in possible.budgets]
    if not left_out:
        return []
    return [f"too few examples to train on, so these budgets are left out: {', '.join(left_out)}"]


def _announce(
    tasks: Sequence[CompareSettings],
    shared: Shared,
    grid: Grid,
    about: Mapping[str, Any],
    say: Say,
) -> None:
    """Say what was read, what is varied, and what a careful reader should know about the data."""
    for line in taken.lines(tasks):
        say(line)
    say(estimates.axes(tasks, grid, about["preset"]))
    notes = [note for one in about["data"].values() for note in one["notes"]]
    for note in dict.fromkeys([*notes, *model_folders.notes(shared)]):
        say(f"note: {note}")


def _missing(kept: store.Store, runs: list[Key], about: dict[str, Any], say: Say) -> list[Key]:
    """Take up what the folder holds, and return the runs that it does not."""
    if store.holds_comparison(kept.folder):
        manifest.check_resumable(kept.folder, about)
        kept.load()
    if kept.outcomes:
        say(f"continuing: {len(kept.outcomes)} runs are finished")
    missing = [key for key in runs if key not in kept.outcomes]
    if missing:
        store.clear_conclusions(kept.folder)
    return missing


def _read(tasks: list[CompareSettings], grid: Grid) -> dict[tuple[str, str, int], CompareData]:
    """Read every task with every text."""
    found: dict[tuple[str, str, int], CompareData] = {}
    for settings in tasks:
        if settings.task.stem in {task for task, _, _ in found}:
            raise OptionError(
                f"--task: two files are named {settings.task.stem}; rename one, for the table"
            )
        for one in datasets.prepare(settings, grid.budgets):
            found[one.task, one.text.corpus, one.text.words] = one
    return found


def _work(
    shared: Shared,
    missing: list[Key],
    kept: store.Store,
    about: dict[str, Any],
    place: Place,
    say: Say,
) -> None:
    """Pretrain, read texts with models from folders, and do the missing runs."""
    files.write_json(kept.folder / store.MANIFEST, about)
    readings = model_folders.readings(shared, missing)
    pretrainings = about["grid"]["pretrainings"]
    about["pretraining"] = _pretrain(shared, missing, readings, pretrainings, place, say)
    files.write_json(kept.folder / store.MANIFEST, about)
    for reading in readings:
        reading.run(place.width)
    states.load.cache_clear()  # what is large of a model is not needed here any more
    _run(shared, missing, kept, place)
    place.close()  # drawing can use the memory of processes that have nothing to do


def _pretrain(
    shared: Shared,
    missing: list[Key],
    readings: list[Reading],
    pretrainings: int,
    place: Place,
    say: Say,
) -> list[dict[str, Any]]:
    """Take from the cache, or make, what the missing runs and the probes need; return the record.

    Before that, how long everything may take is announced, with what is to be read afterwards.
    What is made is found in `text.made` of every data of that text.
    """
    needs = {kind for c in shared.conditions.values() for kind in c.needs}
    jobs = pretraining.wanted(shared.data.values(), needs, pretrainings)
    keys = {
        job: pretraining.cache_key(one.text, one.settings, job.kind, job.pretraining)
        for job, one in jobs.items()
    }
    made = {job: found for job, key in keys.items() if (found := pretraining.load_cached(key))}
    left = [job for job in jobs if job not in made]
    seconds = estimates.seconds(shared, missing, left)
    for reading in readings:
        text, more = reading.plan(place.width)
        seconds += more
        say(text)
    say(estimates.sentence(len(missing), len(left), seconds / place.width))
    for job, found in made.items():
        say(
            f"{pretraining.KINDS[job.kind]} on {job.corpus} ({job.words:,} words): from the cache, "
            f"made in {progress.duration(found.details['seconds'])}"
        )
    # The longest first, so that no worker is left with it alone in the end.
    left.sort(key=lambda job: (job.kind.endswith("vectors"), -job.words))
    inputs = {job: (jobs[job].text, jobs[job].settings) for job in left}
    with progress.Progress("pretraining", len(left)) as line:
        for job, result in place.map(_make, inputs, [[job] for job in left]):
            if isinstance(result, Lost):
                raise MinilmError(f"pretraining: {result.reason}; use fewer --workers")
            made[job] = result
            pretraining.save_cached(keys[job], result)
            line.advance(note=pretraining.KINDS[job.kind])
    for one in shared.data.values():
        for job, found in made.items():
            if (job.corpus, job.words) == (one.text.corpus, one.text.words):
                one.text.made[name_of(job.kind, job.pretraining)] = found
    return [
        {
            "name": pretraining.KINDS[job.kind],
            "pretraining": job.pretraining,
            "corpus": job.corpus,
            "words": job.words,
            "from_cache": made[job].from_cache,
            **made[job].details,
        }
        for job in jobs
    ]


def _make(inputs: dict[pretraining.Job, tuple[Any, Any]], job: pretraining.Job) -> pretraining.Made:
    return pretraining.make(*inputs[job], job.kind, job.pretraining)


def _run(shared: Shared, missing: list[Key], kept: store.Store, place: Place) -> None:
    """Do the missing runs and keep what they find."""
    groups: dict[Any, list[Key]] = {}
    for key in missing:
        # The budgets of one seed go to one process, which remembers what they share.
        groups.setdefault((*key[:4], key.seed, key.pretraining), []).append(key)
    # The longest first, so that all workers end at about the same time.
    order = sorted(groups.values(), key=lambda g: -estimates.seconds(shared, g, []))
    try:
        with progress.Progress("comparing", len(missing)) as line:
            for key, result in place.map(run.run, shared, order):
                if isinstance(result, Lost):
                    result = run.failed(key, result.reason)
                kept.add(result)
                line.advance(note=key.condition)
    finally:
        kept.save()
    if all(outcome.error for outcome in kept.outcomes.values()):
        first = next(iter(kept.outcomes.values()))
        raise MinilmError(f"every run failed; the first because of {first.error}")


def _conclude(folder: Path, shared: Shared, budgets: Sequence[int], slides: bool) -> Result:
    """Write what follows from the runs."""
    progress.announce("summarizing and drawing")
    measured = probes.measure(next(iter(shared.data.values())), shared.conditions, budgets)
    files.write_json(folder / "probes.json", measured)
    return report.write(folder, slides=slides)
