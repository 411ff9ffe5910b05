"""Fine-tuning on what is new: what a model has seen is skipped, and it is not trained from scratch.

    load -> collect -> skip what was seen -> preprocess -> tokenize -> fine-tune -> save -> validate

The defaults are those of daily practice: three epochs at a tenth of the rate of pretraining. The
result is a version of the model (`versions.py`), measured on old and new text (`updating.py`).
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any

from minilm.data import corpus, documents
from minilm.data.quality import damage, fingerprints
from minilm.errors import InputError, OptionError
from minilm.nn.parameters import Config
from minilm.store import folder, manifest
from minilm.store.folder import Stage
from minilm.store.ledger import Ledger
from minilm.store.versions import Update
from minilm.text.words import WordTokenizer
from minilm.training import advice, pipeline, settings, update_settings, updating
from minilm.training.advice import Advice
from minilm.training.settings import PretrainSettings
from minilm.training.updating import Result, Say

_RATE_SHARE = 10  # of the rate of pretraining, the share that an update learns at: 1/10

# What pretraining calls these settings.
_ELSEWHERE = {"batch_size": "batch", "max_seq_length": "n_positions"}


@dataclass(frozen=True)
class FineTuning:
    """The table `[fine_tuning]` of a TOML file.

    Attributes
    ----------
    learning_rate : float, optional
        A tenth of that which the model was pretrained at, unless said.
    epochs : float
    batch_size : int
    max_seq_length : int
        Tokens of a training window; at most the model's context.
    replay : float
        Windows of old text for each new one.
    limit : float
        The share by which an old text's perplexity may rise before the update is held back.
    seed, threads : int
    """

    learning_rate: float | None = None
    epochs: float = 3.0
    batch_size: int = 8
    max_seq_length: int = 512
    replay: float = 0.0
    limit: float = update_settings.LIMIT
    seed: int = 0
    threads: int = 2

    def line(self, config: Config, lineage: Sequence[Stage]) -> str:
        """Return the settings for a person."""
        given = self.given(config, lineage)
        return (
            f"{self.epochs:g} epoch{'' if self.epochs == 1 else 's'} at a learning rate of "
            f"{given['learning_rate']:g}, {self.batch_size} windows of {given['n_positions']} "
            "tokens a step"
        )

    def given(self, config: Config, lineage: Sequence[Stage]) -> dict[str, Any]:
        """Return this as the settings of an update of a model."""
        return {
            "learning_rate": self.learning_rate or pretraining_rate(lineage) / _RATE_SHARE,
            "epochs": self.epochs,
            "batch": self.batch_size,
            "n_positions": min(self.max_seq_length, config.n_positions),
            "replay": self.replay,
            "limit": self.limit,
            "seed": self.seed,
            "threads": self.threads,
        }


def read_toml(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the table `[fine_tuning]` and, beside it, the settings of pretraining.

    One file can so serve `minilm pretrain` and `minilm finetune --incremental`, and a change of
    the model's shape in it is noticed.

    Returns
    -------
    fine_tuning : dict of str to value
        Fields of `FineTuning`.
    pretraining : dict of str to value

    Raises
    ------
    InputError
        When the file is not TOML, or has a key that is not known or a value that cannot work.
    """
    table = settings.load_toml(path).get(settings.FINE_TUNING, {})
    if not isinstance(table, dict):
        raise InputError(
            f"{settings.FINE_TUNING} is no table; write [{settings.FINE_TUNING}]", path
        )
    try:
        return checked(table), settings.read_toml(path)
    except OptionError as error:
        raise InputError(f"[{settings.FINE_TUNING}]: {error}", path) from None


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of `FineTuning`, or raise OptionError at one that cannot work."""
    known = [field.name for field in fields(FineTuning)]
    for key, value in given.items():
        if key not in known:
            raise OptionError(f"the key {key!r} is not known; there are {', '.join(known)}")
        elsewhere = _ELSEWHERE.get(key, key)
        try:
            update_settings.check({elsewhere: value})
        except OptionError as error:
            raise OptionError(str(error).replace(elsewhere, key, 1)) from None
    return dict(given)


def pretraining_rate(lineage: Sequence[Stage]) -> float:
    """Return the learning rate that a model began its life with; the default where none is known.

    >>> pretraining_rate([Stage("pretrain", (), 10, 640, {"learning_rate": 0.001})])
    0.001
    """
    for stage in lineage:
        rate = stage.settings.get("learning_rate")
        if stage.kind == "pretrain" and isinstance(rate, float):
            return rate
    return PretrainSettings.learning_rate


@dataclass(frozen=True)
class Collected:
    """The counts of what was found and what is new.

    Attributes
    ----------
    found : int
        Documents in the files.
    seen : int
        Known to the model.
    repeated : int
        Standing before in the same files.
    unfit : int
        No text, or with letters lost.
    repaired : int
        Of the kept ones, those whose encoding was mended.
    """

    found: int = 0
    seen: int = 0
    repeated: int = 0
    unfit: int = 0
    repaired: int = 0

    @property
    def duplicates(self) -> int:
        """How many were skipped because they are known."""
        return self.seen + self.repeated

    @property
    def kept(self) -> int:
        """How many are to be learned."""
        return self.found - self.duplicates - self.unfit

    def lines(self) -> list[str]:
        """Return the counts for a person."""
        return [
            f"collect: {self.found:,} documents",
            f"skip: {self.duplicates:,} duplicates ({self.seen:,} seen by the model, "
            f"{self.repeated:,} repeated here)",
            f"preprocess: {self.kept:,} kept ({self.repaired:,} repaired), {self.unfit:,} unfit",
        ]


def collect(texts: Iterable[str], seen: Ledger | None, out: IO[str]) -> Collected:
    """Write the documents that are new and fit, as JSON Lines, and count all of them.

    Parameters
    ----------
    texts : iterable of str
        Documents; they are not held in memory.
    seen : Ledger or None
        What the model knows.
    out : text file
        One JSON string a line.
    """
    counts = dict.fromkeys((field.name for field in fields(Collected)), 0)
    here: set[int] = set()
    tokenize = WordTokenizer().tokenize
    for text in texts:
        counts["found"] += 1
        repaired = damage.repaired(text)
        marks = {fingerprints.fingerprint(text), fingerprints.fingerprint(repaired)}
        if seen is not None and seen.knows(list(marks)).any():
            counts["seen"] += 1
        elif marks & here:
            counts["repeated"] += 1
        elif damage.has_lost_letters(repaired) or not damage.is_text(
            repaired, sum(map(len, tokenize(repaired)))
        ):
            counts["unfit"] += 1
        else:
            counts["repaired"] += repaired != text
            out.write(json.dumps(repaired) + "\n")
        here |= marks
    return Collected(**counts)


@dataclass(frozen=True)
class Outcome:
    """What became of an update.

    Attributes
    ----------
    collected : Collected
    advice : Advice
        Before the training, or after it if that was worse than was to be expected.
    result : Result or None
        None where nothing was trained.
    """

    collected: Collected
    advice: Advice
    result: Result | None = None


def run(
    paths: Sequence[str | os.PathLike[str]],
    path: str | os.PathLike[str],
    asked: FineTuning,
    *,
    pretraining: Mapping[str, Any] | None = None,
    lora: int = 0,
    old_data: Sequence[str | os.PathLike[str]] = (),
    encoding: str = "utf-8",
    text_column: str | None = None,
    resume: bool = False,
    discard: bool = False,
    wait: bool = False,
    dry_run: bool = False,
    say: Say = print,
) -> Outcome:
    """Fine-tune the model in a folder on the documents that are new to it, as a new version.

    Parameters
    ----------
    paths : sequence of path-like
        Files or folders of text.
    path : path-like
        The model's folder.
    asked : FineTuning
    pretraining : mapping, optional
        What the configuration says of the model's shape. If that is another one, nothing is
        trained.
    lora : int
        The rank of thin matrices that alone are trained; 0 trains everything.
    old_data, resume, discard, wait
        As for `updating.update`.
    encoding, text_column
        As for `documents.read`.
    dry_run : bool
        Collect, count and advise; train nothing.
    say : callable
        Takes lines for the person who waits.

    Raises
    ------
    MinilmError
        When text, settings or folder cannot be used, or training cannot go on.
    KeyboardInterrupt
        After Ctrl-C; what was trained by then is saved, to be resumed.
    """
    corpus.find_files(paths)  # says early what is not there
    here = os.fspath(path)
    with contextlib.ExitStack() as stack:
        update = None if dry_run else stack.enter_context(Update(path, wait=wait))
        if update is not None:  # from here on nobody else can change what the model has seen
            updating.choose(update, resume=resume, discard=discard, say=say)
        known = folder.reading(path if update is None else update.base.path, _Known)
        say(f"load: {here}: {known}")
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # Today's texts often come under yesterday's name; what is kept of both needs two names.
        new = place / f"{Path(paths[0]).stem}.new{update.number if update else ''}.jsonl"
        with open(new, "w", encoding="utf-8", newline="\n") as file:
            texts = documents.read(paths, encoding=encoding, text_column=text_column)
            collected = collect(texts, known.seen, file)
        for line in collected.lines():
            say(line)
        changed = advice.shape_changes(known.config, pretraining or {})
        old = advice.risen(known.lineage)
        advised = advice.advise(collected.kept, changed=changed, risen=old, limit=asked.limit)
        _say_wrapped(say, str(advised))
        if update is None or changed or not collected.kept:
            _say_wrapped(say, _why_not(here, collected, changed))
            return Outcome(collected, advised)
        _say_wrapped(say, f"fine-tune: {asked.line(known.config, known.lineage)}")
        given = {**asked.given(known.config, known.lineage), "lora": lora}
        result = updating.train([new], update, given, old_data=old_data, say=say)
    for line in pipeline.update_lines(result, Path(path)):
        say(line)
    lineage = manifest.read(result.path / manifest.NAME).lineage
    after = advice.advise(collected.kept, risen=advice.risen(lineage), limit=asked.limit)
    if result.verdict == "held back":
        _say_wrapped(say, f"if none of that helps: {after.said}")
    elif after != advised:
        _say_wrapped(say, str(after))
    return Outcome(collected, after, result)


class _Known:
    """What an open folder tells of a model without its weights."""

    def __init__(self, opened: folder.OpenFolder) -> None:
        self.config = opened.config
        self.parameters = sum(tensor.info.size for tensor in opened.stored.values())
        self.seen = opened.seen()
        self.lineage = opened.manifest.lineage if opened.manifest else ()

    def __str__(self) -> str:
        seen = "no ledger, so every document counts as new"
        if self.seen is not None:
            seen = f"has seen {len(self.seen):,} documents"
        return f"{self.parameters:,} parameters; {seen}"


def _say_wrapped(say: Say, text: str) -> None:
    """Say lines of 80 columns at most, except for long paths, which stay whole."""
    wrapper = textwrap.TextWrapper(
        80, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    for line in wrapper.wrap(text):
        say(line)


def _why_not(path: str, collected: Collected, changed: Sequence[str]) -> str:
    """Return why nothing was trained, and what to do."""
    if changed:
        return (
            f"not trained: the model in {path} has another architecture; train one with minilm "
            "pretrain --config, or take the change out of the configuration"
        )
    if not collected.kept:
        return f"nothing is new: the model in {path} is as it was"
    return f"a dry run: the model in {path} is as it was"
