"""One update of a model's folder: more text, care for the old, and a look at both before and after.

    base version -> its sample of old text -> training in a folder of its own -> measured -> verdict

An update that makes the old text too much worse is held back: it stays beside the model, which is
as it was. A killed update is resumed like any run; see `continual.py` for what else continuing is.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minilm.arrays import Ids
from minilm.data import corpus
from minilm.errors import OptionError, OutputError
from minilm.models import batches, scores
from minilm.models.scores import Score
from minilm.nn import architectures
from minilm.nn.gpt import GPT
from minilm.nn.optim import Optimizer
from minilm.nn.parallel import Model, Shards
from minilm.nn.parameters import Config
from minilm.store import folder, safetensors
from minilm.store.folder import END_OF_TEXT, STATE, Content, Source, Stage, Tokenizer
from minilm.store.ledger import Ledger
from minilm.store.versions import Update, Verdict
from minilm.threads import set_blas_threads
from minilm.training import checkpoint, log, loop, replay, runs, tokens, update_settings
from minilm.training.continual import Care, Continuation
from minilm.training.loop import Plan, State
from minilm.training.replay import Part
from minilm.training.settings import PretrainSettings

Say = Callable[[str], None]

KIND = "continue"

_ADAPTER = f"{STATE}/adapter.safetensors"
_LOOKS = 4  # at the new text's held-out part, in the course of an update


@dataclass(frozen=True)
class Measured:
    """How well a text was predicted before an update and after it."""

    name: str
    before: Score
    after: Score

    @property
    def rise(self) -> float:
        """By what share of itself the perplexity rose; negative where it fell."""
        return self.after.perplexity / self.before.perplexity - 1


@dataclass(frozen=True)
class Result:
    """What came of an update.

    Attributes
    ----------
    version, made_from : int
    verdict : {"kept", "held back"}
    path : Path
        The folder of the version.
    old : tuple of Measured
        On what was held out of each text that the model knew; empty where it kept no sample.
    new : Measured
        On what was held out of the new text.
    steps : int
    seconds : float
        Of training, in this process.
    """

    version: int
    made_from: int
    verdict: Verdict
    path: Path
    old: tuple[Measured, ...]
    new: Measured
    steps: int
    seconds: float


def update(
    paths: Sequence[str | os.PathLike[str]],
    path: str | os.PathLike[str],
    given: Mapping[str, Any],
    *,
    base: str | os.PathLike[str] | None = None,
    old_data: Sequence[str | os.PathLike[str]] = (),
    resume: bool = False,
    discard: bool = False,
    wait: bool = False,
    say: Say = print,
) -> Result:
    """Continue to train the model in a folder on more text, as a new version of it.

    Parameters
    ----------
    paths : sequence of path-like
        Files or folders of text.
    path : path-like
        The model's folder.
    given : mapping
        Fields of `PretrainSettings` and of `Care`, and `limit`, where they differ from the
        defaults: a fifth of pretraining's learning rate, 2 epochs, no care, a limit of 0.1.
    base : path-like, optional
        Another model to start from; a copy of it becomes a version too.
    old_data : sequence of path-like
        Text that the model knows already, where its folder keeps no sample of it.
    resume : bool
        Go on with the update that was interrupted. What `given` then says must be as it was.
    discard : bool
        Throw away what an interrupted update, or an interrupted pretraining, left to be resumed.
    wait : bool
        Wait while another process has the folder, instead of refusing.
    say : callable
        Takes lines for the person who waits.

    Raises
    ------
    MinilmError
        When text, settings or folder cannot be used, or training cannot go on.
    KeyboardInterrupt
        After Ctrl-C; what was trained by then is saved, to be resumed.
    """
    update_settings.check(given)
    corpus.find_files(paths)  # says early what is not there
    with Update(path, wait=wait) as place:
        choose(place, base, resume=resume, discard=discard, say=say)
        return train(paths, place, given, old_data=old_data, say=say)


def train(
    paths: Sequence[str | os.PathLike[str]],
    place: Update,
    given: Mapping[str, Any],
    *,
    old_data: Sequence[str | os.PathLike[str]] = (),
    say: Say = print,
) -> Result:
    """Train an update that is settled, as `update` does, while its folder is held."""
    set_blas_threads(1)
    update_settings.check(given)
    sources = tuple(folder.source(file) for file in corpus.find_files(paths))
    run = _run(paths, sources, given, place, old_data, say)
    result = run.train(say)
    log.draw(result.path)
    del run  # Windows removes no file that is mapped
    tokens.remove(place.place / STATE)
    return result


def choose(
    place: Update,
    base: str | os.PathLike[str] | None = None,
    *,
    resume: bool,
    discard: bool,
    say: Say,
) -> None:
    """Settle whether an update is begun, resumed or refused."""
    if place.stale_pid is not None:
        say(f"{place.path}: process {place.stale_pid} died without letting go; taken over")
    if place.is_begun and discard:
        place.discard()
    if place.is_begun and not resume:
        raise OutputError(
            f"{place.path}: an update (version {place.number}) was interrupted; go on with it with "
            "--resume, or throw it away with --discard"
        )
    if resume and not place.is_begun:
        raise OutputError(
            f"{place.path}: no update was interrupted, so there is none to resume; to continue the "
            "model with more text, leave out --resume"
        )
    if base is not None and not resume:
        place.start_from(Path(base))


@dataclass
class Run:
    """An update under way: the job of the loop."""

    continuation: Continuation
    tokenizer: Tokenizer
    recorded: dict[str, Any]
    plan: Plan
    state: State
    sources: tuple[Source, ...]
    seen: Ledger
    old: tuple[Part, ...]
    new: Part
    before: tuple[Score, ...]
    place: Update
    train_windows: batches.ShuffledWindows
    held_out: Ids

    @property
    def model(self) -> Model:
        """What is trained."""
        return self.continuation.trained

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer over its parameters."""
        return self.continuation.optimizer

    def batch(self, step: int) -> tuple[Ids, Ids]:
        """Return ids and targets."""
        return self.continuation.batches[step]

    def evaluate(self, shards: Shards) -> Score:
        """Return the score on what was held out of the new text."""
        windows = self.train_windows
        pieces = batches.spaced(self.held_out, windows.time, windows.batch, runs.LOOK_TOKENS)
        lengths = scores.byte_lengths(self.tokenizer)
        return scores.evaluate(self.continuation.gpt, pieces, shards, lengths)

    def show(self, step: int) -> None:
        """Show nothing: the lines of the epochs say enough."""

    def save(self, state: State) -> None:
        """Save everything that resuming needs."""
        self.place.save(
            {
                **self._contents(self.continuation.gpt),
                **checkpoint.state_files(state, self.optimizer),
                **_adapter_files(self.continuation.gpt),
            },
            self._lineage({}),
        )

    def train(self, say: Say) -> Result:
        """Take the steps that are left, measure, and save the version with its verdict."""
        start = time.monotonic()
        anew = "with --discard and"
        loop.train(self, self.plan, self.state, self.place.place, say, anew=anew)
        gpt = self.continuation.finish()
        with Shards(self.plan.threads) as shards:
            *old, new = self.measure(gpt, shards)
        names = [part.name for part in (*self.old, self.new)]
        measured = [
            Measured(name, before, after)
            for name, before, after in zip(names, self.before, (*old, new), strict=True)
        ]
        worst = max((m.rise for m in measured[:-1]), default=0.0)
        verdict: Verdict = "held back" if worst > self.recorded["limit"] else "kept"
        figures = {
            m.name: {"before": round(m.before.perplexity, 4), "after": round(m.after.perplexity, 4)}
            for m in measured
        }
        contents = {
            **self._contents(gpt),
            **checkpoint.state_files(self.state, self.optimizer),
        }
        self.place.finish(contents, self._lineage({"perplexity": figures}), verdict)
        return Result(
            version=self.place.number,
            made_from=self.place.base.number,
            verdict=verdict,
            path=self.place.place,
            old=tuple(measured[:-1]),
            new=measured[-1],
            steps=self.state.step,
            seconds=time.monotonic() - start,
        )

    def measure(self, gpt: GPT, shards: Shards) -> tuple[Score, ...]:
        """Return the scores on the held-out windows of every old text, and of the new one."""
        lengths = scores.byte_lengths(self.tokenizer)
        return tuple(
            scores.evaluate(gpt, replay.batches(part.held_out, 16), shards, lengths)
            for part in (*self.old, self.new)
        )

    def _contents(self, gpt: GPT) -> dict[str, Content]:
        return {
            **folder.model_files(gpt.config, gpt.parameters, self.tokenizer, self.seen),
            **replay.files(replay.joined(self.old, self.new)),
        }

    def _lineage(self, figures: Mapping[str, Any]) -> list[Stage]:
        noted = {**self.recorded, "machine": checkpoint.machine(), **figures}
        stage = Stage(KIND, self.sources, self.state.step, self.state.tokens, noted)
        return [*self.place.base.lineage, stage]


def _run(
    paths: Sequence[str | os.PathLike[str]],
    sources: tuple[Source, ...],
    given: Mapping[str, Any],
    place: Update,
    old_data: Sequence[str | os.PathLike[str]],
    say: Say,
) -> Run:
    """Return the run to be trained: a new one, saved as step 0, or the interrupted one."""
    saved = folder.load(place.base.path)
    begun = _begun(place)
    if begun is not None:
        stage, state = begun
        chosen, recorded = _recorded_settings(stage, given, sources, place.place)
    else:
        state = State()
        chosen = update_settings.complete(saved, place.base.lineage, given)
        recorded = {**asdict(Care()), "limit": update_settings.LIMIT}
        recorded |= {k: v for k, v in given.items() if k in recorded}
    if saved.tokenizer is None:
        raise OptionError(f"{place.path}: this model has no tokenizer, so no text can be learned")
    kept = replay.read(place.base.path, saved.config.vocab_size)
    if old_data:
        sample = _drawn_from(old_data, saved.tokenizer, chosen)
        kept = replay.joined(kept, replay.named(sample, kept))
    found = runs.token_files(paths, sources, chosen, saved.tokenizer, place.prepare() / STATE)
    windows = runs.windows(found, chosen)
    held_out = runs.held_out(found)
    name = ", ".join(source.name for source in sources)
    new = replay.drawn(name, windows.tokens, held_out, windows.time, seed=chosen.seed)
    new = replay.named(new, kept)
    chosen = replace(chosen, steps=runs.steps(chosen, windows))
    care = Care(**{key: recorded[key] for key in update_settings.CARE})
    model = architectures.language_model(
        _with_dropout(saved.config, chosen), parameters=saved.parameters
    )
    run = Run(
        continuation=Continuation(
            model, windows, kept, care, weight_decay=chosen.weight_decay, seed=chosen.seed
        ),
        tokenizer=saved.tokenizer,
        recorded={**runs.recorded(chosen), **recorded},
        plan=runs.plan(chosen, chosen.steps or 0, windows, looks=_LOOKS),
        state=state,
        sources=sources,
        seen=(saved.seen or Ledger.of([])).extended(Ledger.of(runs.read(paths, chosen))),
        old=kept,
        new=new,
        before=(),
        place=place,
        train_windows=windows,
        held_out=held_out,
    )
    with Shards(chosen.threads) as shards:
        run.before = run.measure(model, shards)
    if begun is not None:
        _take_up(run, say)
    else:
        run.save(state)
        say(f"{len(windows.tokens):,} new tokens to train on, {len(held_out):,} held out")
    return run


def _begun(place: Update) -> tuple[Stage, State] | None:
    if not place.is_begun:
        return None
    return folder.load(place.place).lineage[-1], checkpoint.read_state(place.place)


def _recorded_settings(
    stage: Stage, given: Mapping[str, Any], sources: tuple[Source, ...], path: Path
) -> tuple[PretrainSettings, dict[str, Any]]:
    """Return what an interrupted update was begun with, once it is what is asked for now."""
    recorded = dict(stage.settings)
    runs.check_same(given, recorded, sources, stage.data, path)
    names = [field.name for field in fields(PretrainSettings)]
    seconds = given.get("save_seconds", PretrainSettings.save_seconds)
    chosen = PretrainSettings(
        **{k: v for k, v in recorded.items() if k in names}, save_seconds=seconds
    )
    return chosen, {key: recorded[key] for key in (*update_settings.CARE, "limit")}


def _take_up(run: Run, say: Say) -> None:
    """Put what was saved of an interrupted update into the run."""
    here = run.place.place
    gpt = run.continuation.gpt
    saved = folder.load(here)
    for name, value in saved.parameters.items():
        gpt.parameters[name][...] = value
    if gpt.adapter is not None:
        for name, value in safetensors.load(here / _ADAPTER).items():
            gpt.parameters[name][...] = value
    if not run.state.finished:
        checkpoint.read_arrays(here, run.state, run.optimizer)
    say(f"{here}: going on after step {run.state.step:,} of {run.plan.steps:,}")


def _adapter_files(gpt: GPT) -> dict[str, Content]:
    """Return what of an adapter has to be saved for resuming."""
    if gpt.adapter is None:
        return {}
    factors = {name: gpt.parameters[name] for name in gpt.parameters.trainable}
    return {_ADAPTER: partial(safetensors.dump, factors)}


def _with_dropout(config: Config, chosen: PretrainSettings) -> Config:
    rate = chosen.dropout
    return config.with_dropout(rate)


def _drawn_from(
    paths: Sequence[str | os.PathLike[str]], tokenizer: Tokenizer, chosen: PretrainSettings
) -> Part:
    """Draw a sample of files that the model knows already."""
    sources = tuple(folder.source(file) for file in corpus.find_files(paths))
    name = ", ".join(source.name for source in sources)
    with tempfile.TemporaryDirectory() as place:
        end = tokenizer.vocab[END_OF_TEXT]
        found = tokens.write(Path(place), runs.read(paths, chosen), tokenizer, end, name)
        train, held_out = (np.array(found.open(part)) for part in ("train", "held_out"))
    windows = batches.ShuffledWindows(train, chosen.n_positions, chosen.batch, chosen.seed)
    if len(held_out) < 2:
        held_out = train
    return replay.drawn(name, windows.tokens, held_out, windows.time, seed=chosen.seed)
