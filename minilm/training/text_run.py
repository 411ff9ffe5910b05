"""One run over new text: what an update trains, on what, and what it measures.

`prepare` makes a run from a model and new documents; the training loop takes its steps.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from minilm.arrays import Ids
from minilm.data.sources import find_files
from minilm.errors import OptionError
from minilm.models import batches, scores
from minilm.models.scores import Score
from minilm.nn import architectures
from minilm.nn.gpt import GPT
from minilm.nn.optim import Optimizer
from minilm.nn.parallel import Model, Shards
from minilm.store import folder, safetensors
from minilm.store.folder import END_OF_TEXT, STATE, Content, SavedModel, Source, Stage, Tokenizer
from minilm.store.ledger import Ledger
from minilm.store.versions import Update
from minilm.training import checkpoint, replay, tokens
from minilm.training.forgetting import Continuation
from minilm.training.loop import Plan, State
from minilm.training.outcome import Measured, Result
from minilm.training.replay import Part
from minilm.training.settings import RATE_SHARES, PretrainSettings, UpdateSettings

KIND = "update"

_FACTORS = f"{STATE}/adapter.safetensors"

_LOOKS = 4  # evaluations of the held-out part of the new text
_LONGEST = 512  # tokens of a training window by default, whatever the context
_BATCH, _TOKENS = 16, 2048  # windows of a batch by default, and the most tokens in all of them


@dataclass
class Run:
    """An update while it is trained: the task of the loop.

    Attributes
    ----------
    saved : SavedModel
        The model before the update. Its parameters change in place, except with LoRA.
    chosen : UpdateSettings
        Complete.
    old : tuple of Part
        A sample of the texts that the model knows.
    measured : tuple of Part
        What is measured: the old texts, general text, and last the new text.
    place : Update or None
        The version that the run is saved as; None for a run in memory.
    before : tuple of Score
        The scores of `measured` before the training.
    """

    saved: SavedModel
    tokenizer: Tokenizer
    chosen: UpdateSettings
    continuation: Continuation
    plan: Plan
    state: State
    sources: tuple[Source, ...]
    seen: Ledger
    old: tuple[Part, ...]
    measured: tuple[Part, ...]
    windows: batches.ShuffledWindows
    held_out: Ids
    place: Update | None
    before: tuple[Score, ...] = ()

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
        """Return the score on the held-out part of the new text."""
        windows = self.windows
        pieces = batches.spaced(self.held_out, windows.time, windows.batch, tokens.LOOK_TOKENS)
        lengths = scores.byte_lengths(self.tokenizer)
        return scores.evaluate(self.continuation.gpt, pieces, shards, lengths)

    def show(self, step: int) -> None:
        """Show nothing: the lines about the epochs say enough."""

    def save(self, state: State) -> None:
        """Save everything that resuming needs."""
        if self.place is not None:
            gpt = self.continuation.gpt
            contents = self.files(gpt) | checkpoint.state_files(state, self.optimizer)
            self.place.save(contents | _factors(gpt), self.lineage())

    def take_up(self, place: Update) -> None:
        """Load what was saved of an interrupted run."""
        gpt = self.continuation.gpt
        values = dict(folder.load(place.place).parameters.items())
        if gpt.adapter is not None:
            values |= safetensors.load(place.place / _FACTORS)
        for name, value in values.items():
            gpt.parameters[name][...] = value
        if not self.state.finished:
            checkpoint.read_arrays(place.place, self.state, self.optimizer)

    def measure(self, gpt: GPT) -> tuple[Score, ...]:
        """Return the scores on everything that is measured."""
        lengths = scores.byte_lengths(self.tokenizer)
        with Shards(self.plan.threads) as shards:
            return tuple(
                scores.evaluate(gpt, replay.batches(part.held_out, 16), shards, lengths)
                for part in self.measured
            )

    def result(self, gpt: GPT, path: Path | None, seconds: float) -> Result:
        """Measure the trained model and return the result."""
        *old, new = [
            Measured(part.name, before, after)
            for part, before, after in zip(
                self.measured, self.before, self.measure(gpt), strict=True
            )
        ]
        return Result(path, tuple(old), new, self.state.step, seconds)

    def files(self, gpt: GPT) -> dict[str, Content]:
        """Return the model's files, with the sample of all its texts."""
        return {
            **folder.model_files(self.saved.config, gpt.parameters, self.tokenizer, self.seen),
            **replay.files(replay.joined(self.old, self.measured[-1])),
        }

    def lineage(self, result: Result | None = None) -> tuple[Stage, ...]:
        """Return the model's lineage with this update as its last stage."""
        noted = {**checkpoint.recorded(self.chosen), "machine": checkpoint.machine()}
        if result is not None:
            noted["perplexity"] = {
                m.name: {
                    "before": round(m.before.perplexity, 4),
                    "after": round(m.after.perplexity, 4),
                }
                for m in (*result.old, result.new)
            }
        stage = Stage(KIND, self.sources, self.state.step, self.state.tokens, noted)
        return (*self.saved.lineage, stage)


def prepare(
    saved: SavedModel,
    texts: Callable[[], Iterable[str]],
    sources: tuple[Source, ...],
    chosen: UpdateSettings,
    *,
    kept: tuple[Part, ...],
    old_data: Sequence[Any] = (),
    general: Sequence[Any] = (),
    place: Update | None = None,
    note: str = "",
    state: State | None = None,
) -> Run:
    """Return a run that is ready to be trained, after measuring everything once.

    Parameters
    ----------
    saved : SavedModel
    texts : callable
        Returns the new documents, which come from the files `sources`.
    chosen : UpdateSettings
        As from `complete`.
    kept : tuple of Part
        The sample of old text that the model keeps.
    old_data, general : sequence of path-like
        More old text; more text that is only measured.
    place : Update, optional
        The version to save the run as, with the token files; by default they go into memory.
    note : str
        What the documents depend on besides the sources.
    state : State, optional
        Of a run that is resumed.

    Raises
    ------
    OptionError, InputError
        When the model has no tokenizer, or the new text or the old text that is needed is missing.
    """
    tokenizer, context = _tokenizer(saved), saved.config.n_positions
    train, held_out = _encoded(texts, sources, chosen, tokenizer, place, note)
    if chosen.n_positions is None:
        chosen = replace(chosen, n_positions=min(context, _LONGEST, len(train) - 1))
    time = chosen.n_positions or context
    windows = batches.ShuffledWindows(train, time, chosen.batch or _BATCH, chosen.seed)
    plan = tokens.plan(chosen, windows, looks=_LOOKS)
    chosen = replace(chosen, steps=plan.steps)
    new = replay.drawn(tokens.names(sources), train, held_out, time, seed=chosen.seed)
    kept, measured = _samples(kept, old_data, general, new, tokenizer, chosen, context)
    config = saved.config.with_dropout(chosen.dropout or 0.0)
    model = architectures.language_model(config, parameters=saved.parameters)
    decay, seed = chosen.weight_decay, chosen.seed
    continuation = Continuation(model, windows, kept, chosen, weight_decay=decay, seed=seed)
    seen = (saved.seen or Ledger.of([])).extended(Ledger.of(texts()))
    run = Run(
        saved,
        tokenizer,
        chosen,
        continuation,
        plan,
        state or State(),
        sources,
        seen,
        kept,
        measured,
        windows,
        held_out,
        place,
    )
    run.before = run.measure(model)
    return run


def _encoded(
    texts: Callable[[], Iterable[str]],
    sources: tuple[Source, ...],
    chosen: UpdateSettings,
    tokenizer: Tokenizer,
    place: Update | None,
    note: str,
) -> tuple[Ids, Ids]:
    """Return the tokens to train on and those held out: in the version's files, or in memory."""
    encode = partial(tokens.of_sources, texts, sources, chosen, tokenizer, note=note)
    if place is not None:
        found = encode(place.prepare() / STATE)
        return found.open("train"), found.open("held_out")
    with tempfile.TemporaryDirectory() as temporary:
        return encode(Path(temporary)).copied()


def _tokenizer(saved: SavedModel) -> Tokenizer:
    """Return the tokenizer of a model, or raise OptionError where it cannot encode documents."""
    if saved.tokenizer is None:
        raise OptionError("this model has no tokenizer, so it cannot learn text")
    if END_OF_TEXT not in saved.tokenizer.vocab:
        raise OptionError(f"this model has no token {END_OF_TEXT}, so it cannot learn text")
    return saved.tokenizer


def _factors(gpt: GPT) -> dict[str, Content]:
    """Return the file of LoRA's factors, which resuming needs."""
    if gpt.adapter is None:
        return {}
    factors = {name: gpt.parameters[name] for name in gpt.parameters.trainable}
    return {_FACTORS: partial(safetensors.dump, factors)}


def complete(asked: UpdateSettings, saved: SavedModel) -> UpdateSettings:
    """Fill in the settings that were not given and follow from the model.

    Raises
    ------
    OptionError
        When training windows longer than the model's context are asked for.
    """
    config, last = saved.config, saved.lineage[-1].settings if saved.lineage else {}
    if (asked.n_positions or 0) > config.n_positions:
        raise OptionError(
            f"n_positions is {asked.n_positions}, but the model's context is {config.n_positions}; "
            "use that or less"
        )
    share = RATE_SHARES["lora" if asked.lora else "full"]
    batch = last.get("batch")
    if not isinstance(batch, int):
        time = asked.n_positions or min(config.n_positions, _LONGEST)
        batch = max(1, min(_BATCH, _TOKENS // time))
    return replace(
        asked,
        learning_rate=asked.learning_rate or share * pretraining_rate(saved.lineage),
        batch=asked.batch or batch,
        dropout=config.dropout if asked.dropout is None else asked.dropout,
    )


def pretraining_rate(lineage: Sequence[Stage]) -> float:
    """Return the learning rate that a model was pretrained at; the default if it is not known.

    >>> pretraining_rate([Stage("pretrain", (), 10, 640, {"learning_rate": 0.001})])
    0.001
    """
    for stage in lineage:
        rate = stage.settings.get("learning_rate")
        if stage.kind == "pretrain" and isinstance(rate, float):
            return rate
    return PretrainSettings.learning_rate


def _samples(
    kept: tuple[Part, ...],
    old_data: Sequence[Any],
    general: Sequence[Any],
    new: Part,
    tokenizer: Tokenizer,
    chosen: UpdateSettings,
    context: int,
) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return the samples of old text, and all that is measured: these, general text, the new."""
    if old_data:
        sample = _sample(old_data, tokenizer, chosen, context)
        kept = replay.joined(kept, replay.named(sample, kept))
    measured = kept
    if general:
        sample = _sample(general, tokenizer, chosen, context)
        measured = (*measured, replay.named(sample, measured))
    return kept, (*measured, replay.named(new, measured))


def _sample(
    paths: Sequence[Any], tokenizer: Tokenizer, chosen: UpdateSettings, context: int
) -> Part:
    """Draw a sample of files that the model knows, or that are only measured."""
    sources = tuple(folder.source(file) for file in find_files(paths))
    name = tokens.names(sources)
    with tempfile.TemporaryDirectory() as place:
        end = tokenizer.vocab[END_OF_TEXT]
        found = tokens.write(Path(place), tokens.read(paths, chosen), tokenizer, end, name)
        train, held_out = found.copied()
    time = min(chosen.n_positions or context, len(train) - 1)
    return replay.drawn(
        name, train, held_out if len(held_out) > 1 else train, time, seed=chosen.seed
    )
