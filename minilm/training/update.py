"""Updates: train a language model further on new text, and measure what it learns and forgets.

    collect what is new -> train, with care for the old text -> measure both -> a verdict

The result can go to three places. By default it becomes a new version in the model's folder: an
update that makes old text too much worse is held back beside the model, and an interrupted update
can be resumed. With an output folder it is a model, or with LoRA an adapter, and the model's own
folder does not change. From Python it can also stay in memory.

An update is a new run on other text, with a fresh optimizer and schedule (Gururangan et al. 2020,
"Don't Stop Pretraining"). Resuming continues an interrupted run as if nothing had happened.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from minilm import files
from minilm.data.sources import find_files
from minilm.errors import OptionError, OutputError
from minilm.progress import Say, silent
from minilm.store import classification, folder, manifest
from minilm.store.folder import STATE, SavedModel, Writer
from minilm.store.versions import Update, Verdict
from minilm.threads import set_blas_threads
from minilm.training import (
    checkpoint,
    log,
    loop,
    new_documents,
    replay,
    text_run,
    tokens,
)
from minilm.training.given import check
from minilm.training.log import Row
from minilm.training.new_documents import Advice, Collected, Known, NewText
from minilm.training.outcome import Outcome, Result
from minilm.training.output import new_folder, save_adapter
from minilm.training.replay import Part
from minilm.training.settings import UpdateSettings
from minilm.training.text_run import Run

Paths = Sequence[str | os.PathLike[str]]


@dataclass(frozen=True)
class Request:
    """What an update is asked to do, wherever its result goes.

    Attributes
    ----------
    paths : sequence of path-like
        Files or folders of new text.
    given : mapping
        Fields of `UpdateSettings` that differ from the defaults.
    shape : mapping
        Settings of pretraining that say which shape the model should have. A model of another
        shape is not trained.
    old_data : sequence of path-like
        Text that the model knows, if its folder keeps no sample of it.
    general : sequence of path-like
        More text to measure forgetting on.
    say : callable
        Takes lines for the person who waits.
    """

    paths: Paths
    given: Mapping[str, Any]
    shape: Mapping[str, Any]
    old_data: Paths
    general: Paths
    say: Say

    def settings(self) -> UpdateSettings:
        """Return the settings, or raise OptionError at one that cannot work."""
        check(self.given, UpdateSettings)
        # The default number of epochs does not apply where steps are given.
        length = {"epochs": None} if self.given.get("steps") else {}
        asked = UpdateSettings(**{**self.given, **length})
        return replace(asked, targets=tuple(asked.targets))  # a list in a TOML file


def update(
    paths: Paths,
    path: str | os.PathLike[str],
    given: Mapping[str, Any],
    *,
    output: str | os.PathLike[str] | None = None,
    shape: Mapping[str, Any] | None = None,
    base: str | os.PathLike[str] | None = None,
    old_data: Paths = (),
    general: Paths = (),
    resume: bool = False,
    discard: bool = False,
    wait: bool = False,
    dry_run: bool = False,
    say: Say = print,
) -> Outcome:
    """Train the model in a folder, `path`, further on the documents that are new to it.

    Parameters
    ----------
    paths, given, shape, old_data, general, say
        As in `Request`.
    output : path-like, optional
        A folder without a model for the result: a model, or with LoRA an adapter. By default the
        result is a new version of the model in `path`.
    base : path-like, optional
        Another model to start from; a copy of it becomes a version, too.
    resume, discard : bool
        Continue an interrupted update, with the same settings in `given`; or throw it away.
    wait : bool
        Wait while another process holds the folder, instead of refusing.
    dry_run : bool
        Collect, count and advise; train nothing.

    Raises
    ------
    MinilmError
        When text, settings or folder cannot be used, or training fails.
    KeyboardInterrupt
        After Ctrl-C. A version can then be resumed.
    """
    found = find_files(paths, output=output or path)
    request = Request(found, given, shape or {}, old_data, general, say)
    asked = request.settings()
    if output is not None and asked.lora and asked.average:
        raise OptionError("an adapter cannot be averaged with the old model; leave out --average")
    with contextlib.ExitStack() as stack:
        place = writer = None
        if output is not None:
            classification.require_language_model(path)
            writer = stack.enter_context(new_folder(output))
        elif not dry_run:
            place = stack.enter_context(Update(path, wait=wait))
            # From here on nobody else can change what the model has seen.
            _choose(place, base, resume=resume, discard=discard, say=say)
        known = folder.reading(path if place is None else place.base.path, Known.of)
        say(f"load: {os.fspath(path)}: {known}")
        new = stack.enter_context(new_documents.gathered(found, asked, known.seen))
        advice, changed = _advise(request, asked, known, new.collected)
        if dry_run or changed or not new.collected.kept:
            say(_why_not(path, new.collected, changed))
            return Outcome(new.collected, advice)
        if place is not None:
            result = _into_version(request, asked, place, new)
        else:
            assert writer is not None  # noqa: S101  (there is an output folder)
            result = _into_folder(request, asked, Path(path), writer, new)
    for line in result.lines(path):
        say(line)
    return _concluded(request, asked, new, advice, result)


def _concluded(
    request: Request, asked: UpdateSettings, new: NewText, before: Advice, result: Result
) -> Outcome:
    """Return the outcome, with the advice that follows from what was forgotten."""
    assert result.path is not None  # noqa: S101  (this result is in a folder)
    risen = new_documents.risen(manifest.read(result.path / manifest.NAME).lineage)
    after = new_documents.advise(new.collected.kept, risen=risen, limit=asked.limit)
    if result.verdict == "held back":
        request.say(f"if none of that helps: {after.text}")
    elif after != before:
        request.say(str(after))
    return Outcome(new.collected, after, result)


def update_in_memory(
    saved: SavedModel,
    paths: Paths,
    given: Mapping[str, Any],
    *,
    old_data: Paths = (),
    say: Say | None = None,
) -> tuple[SavedModel, Outcome]:
    """Train a model in memory, in place; return it with its new lineage and ledger.

    Parameters and errors are those of `update`. Without `say` nothing is printed.
    """
    request = Request(paths, given, {}, old_data, (), say or silent)
    asked = request.settings()
    known = Known(saved.config, saved.parameters.count(), saved.seen, saved.lineage)
    with new_documents.gathered(paths, asked, saved.seen) as new:
        advice, _ = _advise(request, asked, known, new.collected)
        if not new.collected.kept:
            return saved, Outcome(new.collected, advice)
        start = time.monotonic()
        run, _ = _fitted(request, asked, saved, (), new, say)
        result = run.result(run.continuation.finish(), None, time.monotonic() - start)
    for line in result.lines():
        request.say(line)
    trained = replace(saved, lineage=run.lineage(result), seen=run.seen)
    return trained, Outcome(new.collected, advice, result)


def _advise(
    request: Request, asked: UpdateSettings, known: Known, collected: Collected
) -> tuple[Advice, list[str]]:
    """Report what was collected, and advise; return the advice and the changes of the shape."""
    for line in collected.lines():
        request.say(line)
    changed = new_documents.shape_changes(known.config, request.shape)
    advice = new_documents.advise(
        collected.kept,
        changed=changed,
        risen=new_documents.risen(known.lineage),
        limit=asked.limit,
    )
    request.say(str(advice))
    return advice, changed


def _choose(
    place: Update,
    base: str | os.PathLike[str] | None,
    *,
    resume: bool,
    discard: bool,
    say: Say,
) -> None:
    """Start or resume an update, or refuse to."""
    if place.stale_pid is not None:
        say(f"{place.path}: process {place.stale_pid} died holding the lock; taken over")
    if place.is_begun and discard:
        place.discard()
    if place.is_begun and not resume:
        raise OutputError(
            f"{place.path}: an update (version {place.number}) was interrupted; continue it with "
            "--resume, or throw it away with --discard"
        )
    if resume and not place.is_begun:
        raise OutputError(
            f"{place.path}: no update was interrupted, so there is none to resume; to train the "
            "model on more text, leave out --resume"
        )
    if base is not None and not resume:
        place.start_from(Path(base))


def _into_version(request: Request, asked: UpdateSettings, place: Update, new: NewText) -> Result:
    """Train a new version of the model, or finish the interrupted one."""
    set_blas_threads(1)  # the order of BLAS's sums must not depend on the machine's cores
    saved = folder.load(place.base.path)
    begun = place.is_begun
    run = text_run.prepare(
        saved,
        new.read,
        new.sources,
        _begun_with(request, place, new) if begun else text_run.complete(asked, saved),
        kept=replay.read(place.base.path, saved.config.vocab_size),
        old_data=request.old_data,
        general=request.general,
        place=place,
        note=files.sha256(new.file),
        state=checkpoint.read_state(place.place) if begun else None,
    )
    if begun:
        run.take_up(place)
        request.say(
            f"{place.place}: continuing after step {run.state.step:,} of {run.plan.steps:,}"
        )
    else:
        run.save(run.state)
        _announce(request, run)
    start = time.monotonic()
    loop.train(run, run.plan, run.state, place.place, request.say, restart="with --discard and")
    gpt = run.continuation.finish()
    result = run.result(gpt, place.place, time.monotonic() - start)
    worst = 0.0 if result.worst is None else result.worst.rise
    verdict: Verdict = "held back" if worst > run.chosen.limit else "kept"
    contents = run.files(gpt) | checkpoint.state_files(run.state, run.optimizer)
    place.finish(contents, run.lineage(result), verdict)
    log.draw(place.place)
    del run  # Windows cannot remove a mapped file
    tokens.remove(place.place / STATE)
    return replace(result, version=place.number, made_from=place.base.number, verdict=verdict)


def _begun_with(request: Request, place: Update, new: NewText) -> UpdateSettings:
    """Return the settings of an interrupted update, if they are those that are asked for now."""
    stage = folder.load(place.place).lineage[-1]
    recorded = dict(stage.settings)
    checkpoint.check_same(request.given, recorded, new.sources, stage.data, place.place)
    names = [field.name for field in fields(UpdateSettings)]
    chosen = UpdateSettings(**{key: recorded[key] for key in names if key in recorded})
    seconds = request.given.get("save_seconds", UpdateSettings.save_seconds)
    return replace(chosen, targets=tuple(chosen.targets), save_seconds=seconds)


def _into_folder(
    request: Request, asked: UpdateSettings, path: Path, writer: Writer, new: NewText
) -> Result:
    """Train, then write the result to a folder: a model, or with LoRA an adapter."""
    saved = folder.load(path)
    start = time.monotonic()
    kept = replay.read(path, saved.config.vocab_size)
    run, rows = _fitted(request, asked, saved, kept, new, request.say)
    gpt = run.continuation.gpt
    if gpt.adapter is None:
        gpt = run.continuation.finish()
    result = run.result(gpt, writer.path, time.monotonic() - start)
    lineage = run.lineage(result)
    if gpt.adapter is None:
        writer.save(run.files(gpt), lineage)
    else:
        save_adapter(writer, gpt.adapter, saved, path, lineage)
    log.write(writer.path, rows)
    log.draw(writer.path)
    return result


def _fitted(
    request: Request,
    asked: UpdateSettings,
    saved: SavedModel,
    kept: tuple[Part, ...],
    new: NewText,
    say: Say | None,
) -> tuple[Run, list[Row]]:
    """Take all steps in memory; return the run and its log."""
    set_blas_threads(1)
    run = text_run.prepare(
        saved,
        new.read,
        new.sources,
        text_run.complete(asked, saved),
        kept=kept,
        old_data=request.old_data,
        general=request.general,
    )
    _announce(request, run)
    return run, loop.fit(run, run.plan, say, state=run.state)


def _announce(request: Request, run: Run) -> None:
    """Report what is trained, and on what."""
    chosen, parameters = run.chosen, run.continuation.gpt.parameters
    steps = f"{run.plan.steps:,} step{'' if run.plan.steps == 1 else 's'}"
    if chosen.epochs is not None:
        steps = f"{chosen.epochs:g} epoch{'' if chosen.epochs == 1 else 's'}"
    request.say(
        f"update: {steps} at a learning rate of {chosen.learning_rate:g}, {chosen.batch} windows "
        f"of {run.windows.time} tokens a step"
    )
    if chosen.lora:
        share = parameters.count_trainable() / run.saved.parameters.count()
        request.say(f"LoRA rank {chosen.lora}: {share:.1%} as many parameters as the model")
    request.say(
        f"{len(run.windows.tokens):,} new tokens to train on, {len(run.held_out):,} held out"
    )


def _why_not(path: str | os.PathLike[str], collected: Collected, changed: Sequence[str]) -> str:
    """Return why nothing was trained, and what to do."""
    here = os.fspath(path)
    if changed:
        return (
            f"not trained: the model in {here} has another architecture; train a new one with "
            "minilm pretrain --config, or take the change out of the configuration"
        )
    if not collected.kept:
        return f"nothing is new: the model in {here} is unchanged"
    return f"a dry run: the model in {here} is unchanged"
