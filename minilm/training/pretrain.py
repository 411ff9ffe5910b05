"""Pretraining: count and factorize, start from those vectors, then predict the next token.

    tokenizer -> token files -> co-occurrence vectors -> word embeddings -> the training loop

Everything before the loop is saved as step 0. A run that is killed earlier starts again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from minilm.arrays import Ids
from minilm.data.documents import counted
from minilm.data.sources import find_files
from minilm.errors import MinilmError, OutputError
from minilm.models import batches, generate, scores
from minilm.nn import architectures
from minilm.nn.gpt import GPT
from minilm.nn.optim import AdamW
from minilm.nn.parallel import Shards
from minilm.progress import Say
from minilm.random import generator
from minilm.store import folder
from minilm.store.folder import END_OF_TEXT, STATE, Source, Stage, Tokenizer, Writer
from minilm.store.ledger import Ledger
from minilm.text import wordlevel
from minilm.text.bpe import BytePairTokenizer
from minilm.threads import set_blas_threads
from minilm.training import checkpoint, log, loop, replay, settings, tokens, word_start
from minilm.training.given import check
from minilm.training.loop import State
from minilm.training.settings import PretrainSettings

KIND = "pretrain"

_LOOKS = 10  # evaluations of the held-out part in a run
_SAMPLE_TOKENS = 40


def pretrain(
    paths: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    given: Mapping[str, Any],
    *,
    resume: bool = False,
    say: Say = print,
) -> None:
    """Train a tokenizer and a model on text, into a folder.

    Parameters
    ----------
    paths : sequence of path-like
        Files or folders of text.
    output : path-like
        The model's folder.
    given : mapping
        Fields of `PretrainSettings` that differ from the defaults.
    resume : bool
        Continue the run in the folder. The settings in `given` must be as they were.
    say : callable
        Takes lines for the person who waits.

    Raises
    ------
    MinilmError
        When text, settings or folder cannot be used, or training fails.
    KeyboardInterrupt
        After Ctrl-C; the run so far is saved.
    """
    check(given, PretrainSettings)
    paths = find_files(paths, output=output)
    sources = tuple(map(folder.source, paths))
    if resume:
        checkpoint.check_begun(output)
    with Writer(output) as writer:
        if writer.stale_pid is not None:
            say(f"{writer.path}: process {writer.stale_pid} died holding the lock; taken over")
        if not folder.exists(writer.path):
            if resume:
                say(f"{writer.path}: nothing is saved here yet; starting again")
            try:
                run: Run | None = begin(paths, sources, settings.complete(given), writer, say)
            except MinilmError:
                tokens.remove(writer.path / STATE)
                raise
        elif resume:
            run = _resume(paths, sources, given, writer, say)
        else:
            raise OutputError(
                f"{writer.path}: holds a model already; continue with --resume, train it further "
                "on more text with minilm update, or choose another --output-dir"
            )
        if run is not None:
            _train(run, say)
        del run  # Windows cannot remove a mapped file
        tokens.remove(writer.path / STATE)


@dataclass
class Run:
    """A pretraining run: the job of the loop.

    Attributes
    ----------
    found : TokenFiles
        The text to train on and what is held out.
    sample : tuple of Part
        What is kept of the text for later updates.
    state : State
        How far an interrupted run is; of a new run by default.
    """

    model: GPT
    tokenizer: Tokenizer
    settings: PretrainSettings
    sources: tuple[Source, ...]
    found: tokens.TokenFiles
    seen: Ledger
    sample: tuple[replay.Part, ...]
    writer: Writer
    state: State = field(default_factory=State)

    def __post_init__(self) -> None:
        """Open the text, plan the run and make its optimizer."""
        self.train = _windows(self.found, self.settings)
        self.held_out = self.found.open("held_out")
        self.byte_lengths = scores.byte_lengths(self.tokenizer)
        self.plan = tokens.plan(self.settings, self.train, looks=_LOOKS)
        self.optimizer = AdamW(
            self.model.parameters,
            betas=loop.BETAS,
            weight_decay=self.settings.weight_decay,
            factors={self.model.config.table: self.settings.embedding_rate},
        )

    def batch(self, step: int) -> tuple[Ids, Ids]:
        """Return ids and targets."""
        return self.train[step]

    def evaluate(self, shards: Shards) -> scores.Score:
        """Return the score on the held-out part, or on evenly spaced pieces of a long one."""
        pieces = batches.spaced(
            self.held_out, self.train.time, self.train.batch, tokens.LOOK_TOKENS
        )
        return scores.evaluate(self.model, pieces, shards, self.byte_lengths)

    def save(self, state: State) -> None:
        """Save everything in one transaction."""
        stage = Stage(
            KIND,
            self.sources,
            state.step,
            state.tokens,
            {**checkpoint.recorded(self.settings), "machine": checkpoint.machine()},
        )
        contents = folder.model_files(
            self.model.config, self.model.parameters, self.tokenizer, self.seen
        )
        contents.update(replay.files(self.sample))
        contents.update(checkpoint.state_files(state, self.optimizer))
        self.writer.save(contents, [stage])

    def show(self, step: int) -> str | None:
        """Return a sample of text: often at first, when much changes, later less often."""
        return self.text(step) if step in sample_steps(self.plan.steps) else None

    def text(self, step: int) -> str:
        """Return a text that the model generates, with the step's own random generator."""
        end = self.tokenizer.vocab[END_OF_TEXT]
        rng = generator(self.plan.seed, "sample", step)
        choice = generate.Sampling(temperature=0.8, top_k=50)
        made = generate.generate(
            self.model,
            [end],
            _SAMPLE_TOKENS,
            choice,
            rng=rng,
            stop=end,
            slide=True,
            vocabulary=len(self.tokenizer.vocab),
        )
        return repr(self.tokenizer.decode([token.id for token in made]))


def sample_steps(steps: int) -> set[int]:
    """Return the steps after which a sample is shown, besides the last.

    >>> sorted(sample_steps(3000))
    [0, 30, 90, 300, 900]
    """
    return {round(share * steps) for share in (0, 0.01, 0.03, 0.1, 0.3)}


def begin(
    paths: Sequence[str | os.PathLike[str]],
    sources: tuple[Source, ...],
    chosen: PretrainSettings,
    writer: Writer,
    say: Say,
) -> Run:
    """Do everything before the loop, save it as step 0, and return the run.

    Parameters
    ----------
    paths, say
        As for `pretrain`.
    sources : tuple of Source
        The files in the paths.
    chosen : PretrainSettings
    writer : Writer
        Of a folder that holds no model.
    """
    set_blas_threads(1)  # the order of BLAS's sums must not depend on the machine's cores
    say(f"reading {tokens.names(sources)}; the tokenizer ({chosen.tokenizer}) is trained first")
    tokenizer = train_tokenizer(lambda: tokens.read(paths, chosen), chosen)
    found = _token_files(paths, sources, chosen, tokenizer, writer)
    windows = _windows(found, chosen)
    chosen = replace(chosen, steps=tokens.plan(chosen, windows, looks=_LOOKS).steps)
    config = settings.model_config(chosen, len(tokenizer.vocab))
    model = architectures.language_model(config, rng=generator(chosen.seed, "parameters"))
    if chosen.init == "cooccurrence":
        word_start.from_cooccurrence(
            model.parameters[config.table],
            windows.tokens,
            window=chosen.window,
            length=chosen.embedding_length,
            end=tokenizer.vocab[END_OF_TEXT],
            rng=generator(chosen.seed, "svd"),
        )
    seen = Ledger.of(tokens.read(paths, chosen))
    name, held_out = tokens.names(sources), found.open("held_out")
    sample = replay.drawn(name, windows.tokens, held_out, windows.time, seed=chosen.seed)
    run = Run(model, tokenizer, chosen, sources, found, seen, (sample,), writer)
    run.save(run.state)
    say(
        f"{counted(found.documents, 'document')}, tokenizer of {len(tokenizer.vocab):,} entries; "
        f"{len(windows.tokens):,} tokens to train on, "
        f"{len(run.held_out):,} held out"
    )
    return run


def _resume(
    paths: Sequence[str | os.PathLike[str]],
    sources: tuple[Source, ...],
    given: Mapping[str, Any],
    writer: Writer,
    say: Say,
) -> Run | None:
    """Return the interrupted run in a folder; None if it is finished."""
    saved = folder.load(writer.path)
    state = checkpoint.read_state(writer.path)
    stage = saved.lineage[-1] if saved.lineage else None
    if stage is None or stage.kind != KIND or saved.tokenizer is None:
        last = stage.kind if stage is not None else "not known"
        raise OutputError(
            f"{writer.path}: the last training here is not minilm pretrain's (it is: {last}); "
            "choose another folder"
        )
    recorded = dict(stage.settings)
    built_on = recorded.pop("machine")
    checkpoint.check_same(given, recorded, sources, stage.data, writer.path)
    if state.finished:
        say(f"{writer.path}: finished at step {state.step:,}; nothing to do")
        return None
    if built_on != (here := checkpoint.machine()):
        say(f"started with {built_on}, here is {here}: the last bits of the result may differ")
    chosen = PretrainSettings(
        **recorded, save_seconds=given.get("save_seconds", PretrainSettings.save_seconds)
    )
    model = architectures.language_model(saved.config, parameters=saved.parameters)
    found = _token_files(paths, sources, chosen, saved.tokenizer, writer)
    seen = saved.seen or Ledger.of(tokens.read(paths, chosen))
    sample = replay.read(writer.path, saved.config.vocab_size)
    run = Run(model, saved.tokenizer, chosen, sources, found, seen, sample, writer, state)
    checkpoint.read_arrays(writer.path, state, run.optimizer)
    say(f"{writer.path}: continuing after step {state.step:,} of {run.plan.steps:,}")
    return run


def _token_files(
    paths: Sequence[str | os.PathLike[str]],
    sources: tuple[Source, ...],
    chosen: PretrainSettings,
    tokenizer: Tokenizer,
    writer: Writer,
) -> tokens.TokenFiles:
    texts = partial(tokens.read, paths, chosen)
    return tokens.of_sources(texts, sources, chosen, tokenizer, writer.path / STATE)


def _windows(found: tokens.TokenFiles, chosen: PretrainSettings) -> batches.ShuffledWindows:
    return batches.ShuffledWindows(
        found.open("train"), chosen.n_positions, chosen.batch, chosen.seed
    )


def _train(run: Run, say: Say) -> None:
    """Run the loop, and report the result."""
    if run.state.step == 0 and (sample := run.show(0)):
        say(f"step 0  {sample}")
    loop.train(run, run.plan, run.state, run.writer.path, say)
    kept = run.state.step
    if run.plan.patience is not None:
        kept = run.state.best_step
        say(f"stopped at step {run.state.step:,}; the model of step {kept:,} was the best")
    say(f"step {kept:,}  {run.text(kept)}")
    picture = log.draw(run.writer.path)
    say(f"{run.writer.path}: model, {log.NAME} and {picture.name}")


def train_tokenizer(texts: Callable[[], Iterator[str]], chosen: PretrainSettings) -> Tokenizer:
    """Train the tokenizer on the documents that are not held out."""
    training = (text for i, text in enumerate(texts()) if not tokens.is_held_out(i))
    if chosen.tokenizer == "word":
        return wordlevel.WordLevelTokenizer.train(training, min_count=2, max_size=chosen.vocab_size)
    return BytePairTokenizer.train(training, chosen.vocab_size, [END_OF_TEXT])
