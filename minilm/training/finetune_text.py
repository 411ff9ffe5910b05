"""From a model's folder and texts of a domain to a language model that knows the domain better.

The next word goes on being predicted, on other text (Gururangan et al. 2020, "Don't Stop
Pretraining"). What is won on the domain is often lost elsewhere, so both are measured, before and
after: on the held-out twentieth of the domain, and on general text.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from minilm import resources
from minilm.arrays import Ids
from minilm.data import corpus, documents
from minilm.errors import InputError, ModelError, OptionError
from minilm.models import batches, scores
from minilm.models.scores import Score
from minilm.nn import architectures, lora
from minilm.nn.optim import AdamW
from minilm.nn.parallel import Shards
from minilm.nn.parameters import Parameters
from minilm.random import generator
from minilm.store import adapters, classification, folder
from minilm.store.folder import SavedModel, Stage, Tokenizer, Writer
from minilm.store.ledger import Ledger
from minilm.training import checkpoint, finetune, finetune_task, log, loop, tokens
from minilm.training.finetune_settings import FinetuneSettings

Say = Callable[[str], None]

METHODS = ("full", "lora")
LEARNING_RATES = {"full": 5e-4, "lora": 2e-3}

_MEASURED = 1 << 16  # tokens of each text that are measured, at most


@dataclass(frozen=True)
class Domain:
    """The texts of a domain, and the text to see what is forgotten on.

    Attributes
    ----------
    paths : sequence of path-like
        Files or folders.
    general : path-like, optional
        Unless said, what the model was pretrained on is looked for.
    encoding, text_column
        How the domain's files are read; see `documents.read`.
    """

    paths: Sequence[str | os.PathLike[str]]
    general: str | os.PathLike[str] | None = None
    encoding: str = "utf-8"
    text_column: str | None = None

    def read(self) -> Iterator[str]:
        """Yield the documents."""
        return documents.read(self.paths, encoding=self.encoding, text_column=self.text_column)


def run(
    model: str | os.PathLike[str],
    domain: Domain,
    output: str | os.PathLike[str],
    settings: FinetuneSettings,
    say: Say = print,
) -> None:
    """Adapt a language model to a domain; save the result with its log and picture.

    The folder of LoRA is an adapter's, which goes with the base. Nothing is written before the
    training has ended.

    Parameters
    ----------
    model : path-like
        A language model's folder.
    domain : Domain
    output : path-like
        A folder that holds no model.
    settings : FinetuneSettings
        Of the method full or lora. An epoch is once through the domain's tokens.
    say : callable
        Takes lines for the person who waits.

    Raises
    ------
    MinilmError
        When model, texts, settings or folder cannot be used, or training cannot go on.
    """
    settings.check()
    if settings.method not in METHODS:
        raise OptionError(
            f"--method: {settings.method} is for a task's labels; a language model is adapted by "
            f"{' or '.join(METHODS)}"
        )
    if settings.learning_rate is None:
        settings = replace(settings, learning_rate=LEARNING_RATES[settings.method])
    with finetune_task.new_folder(output) as writer:
        _run(Path(model), domain, writer, settings, say)


def _run(model: Path, domain: Domain, writer: Writer, settings: FinetuneSettings, say: Say) -> None:
    base, _ = finetune_task.load_base(model)
    classification.require_language_model(model)
    tokenizer = finetune_task.tokenizer_of(base, model)
    if base.end_of_text is None:
        raise ModelError("no token that stands between documents; it cannot be adapted", model)
    sources = tuple(folder.source(path) for path in corpus.find_files(domain.paths))
    general, name = _general(base, tokenizer, domain, model, say)
    job = _Run(base, *_tokens(domain, tokenizer, base.end_of_text, say), settings)
    say(settings.share(job.model.parameters.count_trainable(), base.parameters.count()))
    before = job.perplexities(general)
    rows = loop.fit(job, job.plan, say)
    after = job.perplexities(general)
    say(_table((f"{sources[0].name}, held out", name), before, after))
    recorded = {
        **asdict(settings),
        "encoding": domain.encoding,
        "text_column": domain.text_column,
        "machine": checkpoint.machine(),
    }
    seen = job.plan.steps * job.windows.batch * job.windows.time
    stage = Stage(finetune_task.KIND, sources, job.plan.steps, seen, recorded)
    kind = _save(writer, model, base, job, stage, Ledger.of(domain.read()))
    log.write(writer.path, rows)
    picture = log.draw(
        writer.path, title=f"How well the next token of {sources[0].name} is predicted"
    )
    say(f"{writer.path}: {kind}, {log.NAME} and {picture.name}")


def _tokens(domain: Domain, tokenizer: Tokenizer, end: int, say: Say) -> tuple[Ids, Ids]:
    """Return the domain's tokens: those to train on, and those held out."""
    with tempfile.TemporaryDirectory() as place:
        found = tokens.write(Path(place), domain.read(), tokenizer, end, None)
        # Copies, as a mapped file cannot be removed on Windows.
        train, held_out = (np.array(found.open(part)) for part in ("train", "held_out"))
    if len(train) < 2 or len(held_out) < 2:
        raise InputError("so little text leaves nothing to hold out; use more", domain.paths[0])
    say(
        f"{found.documents:,} documents, {len(train):,} tokens to train on, "
        f"{len(held_out):,} held out"
    )
    return train, held_out


class _Run:
    """The task of the loop: windows of the domain's tokens."""

    def __init__(
        self, base: SavedModel, train: Ids, held_out: Ids, settings: FinetuneSettings
    ) -> None:
        config = finetune.with_dropout(base.config, settings.dropout)
        self.model = architectures.language_model(
            config, parameters=_starting_point(base, settings)
        )
        if settings.method == "lora":
            self.model.use(finetune.adapter(settings, self.model.parameters))
        self.optimizer = AdamW(self.model.parameters, weight_decay=settings.weight_decay)
        self.held_out = held_out
        time = min(config.n_positions, len(train) - 1)
        self.windows = batches.ShuffledWindows(train, time, settings.batch, settings.seed)
        epoch = self.windows.count / settings.batch
        steps = settings.updates or max(1, round(settings.epochs * epoch))
        self.plan = finetune.plan(settings, steps)

    def batch(self, step: int) -> tuple[Ids, Ids]:
        """Return ids and targets."""
        return self.windows[step]

    def evaluate(self, shards: Shards) -> Score:
        """Return the score on the held-out part of the domain."""
        return self._score(self.held_out, shards)

    def perplexities(self, general: Ids | None) -> list[float]:
        """Return those of the domain's held-out part and, if there is one, of a general text."""
        with Shards(self.plan.threads) as shards:
            measured = [self.held_out] if general is None else [self.held_out, general]
            return [self._score(ids, shards).perplexity for ids in measured]

    def _score(self, ids: Ids, shards: Shards) -> Score:
        pieces = batches.spaced(ids, self.windows.time, self.windows.batch, _MEASURED)
        return scores.evaluate(self.model, pieces, shards, None)


def _starting_point(base: SavedModel, settings: FinetuneSettings) -> Parameters:
    """Return a copy of the base's parameters; for LoRA they are frozen, with new factors beside."""
    if settings.method == "full":
        return base.parameters.extended({})
    shapes = lora.adapter_shapes(base.config, settings.rank, settings.targets)
    parameters = base.parameters.extended(shapes)
    parameters.freeze("*")
    parameters.unfreeze(*shapes)
    rng = generator(settings.seed, "lora")
    lora.initialize(finetune.adapter(settings, parameters), base.config, rng=rng)
    return parameters


def _general(
    base: SavedModel, tokenizer: Tokenizer, domain: Domain, model: Path, say: Say
) -> tuple[Ids | None, str]:
    """Return tokens of a general text and its name; None and why not."""
    end = base.end_of_text or 0
    if domain.general is not None:
        path = resources.find_corpus(Path(domain.general))
        return _first_tokens(documents.read([path]), tokenizer, end), path.name
    for stage in base.lineage:
        if stage.kind == "pretrain":
            if paths := _found(stage, model):
                texts = documents.read(
                    paths,
                    unit=stage.settings.get("documents"),
                    encoding=stage.settings.get("encoding", "utf-8"),
                    text_column=stage.settings.get("text_column"),
                )
                name = f"{stage.data[0].name}, held out"
                return _first_tokens(_held_out(texts), tokenizer, end), name
            say(f"{stage.data[0].name}, which the model was pretrained on, is not here")
    say("to see what is forgotten, name a general text with --general")
    return None, ""


def _found(stage: Stage, model: Path) -> list[Path]:
    """Return where the text of a stage is, all of it unchanged; nothing if some is missing."""
    found = []
    for source in stage.data:
        places = (resources.find_corpus(Path(source.name)), model.parent / source.name)
        same = (p for p in places if p.is_file() and folder.source(p) == source)
        if (path := next(same, None)) is None:
            return []
        found.append(path)
    return found


def _held_out(texts: Iterable[str]) -> Iterator[str]:
    """Yield the documents that pretraining has held out; the last one of few."""
    number, text = -1, ""
    for number, text in enumerate(texts):
        if tokens.is_held_out(number):
            yield text
    if number + 1 < tokens.HELD_OUT_EVERY:
        yield text


def _first_tokens(texts: Iterable[str], tokenizer: Tokenizer, end: int) -> Ids:
    ids = [end]
    for text in texts:
        ids += [*tokenizer.encode(text), end]
        if len(ids) > _MEASURED:
            break
    return np.array(ids)


def _table(names: Sequence[str], before: Sequence[float], after: Sequence[float]) -> str:
    """Return the perplexities before and after as lines.

    >>> print(_table(["letters.txt, held out"], [120.5], [31.25]))
    perplexity                before      after
    letters.txt, held out     120.50      31.25
    """
    width = max(len("perplexity"), *map(len, names[: len(before)]))
    lines = [f"{'perplexity':<{width}}  {'before':>9}  {'after':>9}"]
    for name, old, new in zip(names, before, after, strict=False):
        lines.append(f"{name:<{width}}  {old:>9,.2f}  {new:>9,.2f}")
    return "\n".join(lines)


def _save(
    writer: Writer, model: Path, base: SavedModel, job: _Run, stage: Stage, seen: Ledger
) -> str:
    """Save the result; return what kind of folder it is."""
    lineage = (*base.lineage, stage)
    parameters, adapter = job.model.parameters, job.model.adapter
    if adapter is not None:
        adapters.write(
            writer,
            adapters.SavedAdapter(
                adapter.alone(),
                os.fspath(model),
                adapters.fingerprint(base.config, base.parameters),
                lineage=lineage,
            ),
        )
        return f"adapter for {model}"
    seen = seen if base.seen is None else base.seen.extended(seen)
    contents = folder.model_files(base.config, parameters, base.tokenizer, seen)
    writer.save(contents, lineage)
    return "model"
