"""How long a comparison may take, estimated before it starts.

Nearly all of the time goes into training transformers: how many steps there are follows from the
settings, and how long one takes is measured on a few of them. The rest is quick and is guessed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from minilm import progress
from minilm.compare import classifiers, model_folders, states, transformer
from minilm.compare.data import CompareData, CompareSettings
from minilm.compare.pretraining import LLAMA, Job
from minilm.compare.run import Grid, Key, Shared
from minilm.nn import architectures
from minilm.nn.heads import SequenceClassifier
from minilm.nn.parameters import Config
from minilm.training.settings import FinetuneSettings

# Seconds: of what comes before and after the runs, of a run without a transformer and of each of
# its labels, of counting vectors for each word.
_AROUND = 12.0
_LIGHT_RUN, _LIGHT_LABEL = 0.05, 0.003
_COUNTING = 4e-6
# A pass forward over a token takes a third of what training on it does.
_READING = 1 / 3
# What is not counted, such as the optimizer, and cores that share their memory: measured.
_SLACK = 1.3


def seconds(shared: Shared, runs: Sequence[Key], jobs: Sequence[Job]) -> float:
    """Return the seconds that runs and pretraining may take on one core."""
    pretraining = sum(_pretraining(shared, job) for job in jobs)
    return _SLACK * (pretraining + sum(_run(shared, key) for key in runs))


def axes(tasks: Sequence[CompareSettings], grid: Grid, preset: str | None) -> str:
    """Return in words what a comparison varies."""
    shape = tasks[0].transformer
    amounts = ["all" if n is None else f"{n:,}" for n in tasks[0].pretrain_words]
    if tasks[0].equal_words:
        amounts = ["equally many"]
    texts = dict.fromkeys(paths[0].name for settings in tasks for paths in settings.corpora)
    return (
        f"{f'preset {preset}: ' if preset else ''}{len(grid.conditions)} conditions on "
        f"{', '.join(settings.task.name for settings in tasks)}; "
        f"{', '.join(map(str, grid.budgets))} labels, "
        f"{grid.seeds} draw{'s' * (grid.seeds > 1)} of each, "
        f"{grid.pretrainings} pretraining{'s' * (grid.pretrainings > 1)}"
        f"{', each draw with each' * grid.crossed}; "
        f"{', '.join(amounts)} words of {', '.join(texts)}; transformers of width "
        f"{shape.n_embd} and {shape.n_layer} layers, {shape.steps} steps of pretraining"
    )


def sentence(runs: int, jobs: int, seconds: float) -> str:
    """Return what is going to happen, in a line.

    Parameters
    ----------
    runs, jobs : int
        How many; jobs are of pretraining.
    seconds : float
        For all of them, on all the cores that are used.

    Examples
    --------
    >>> sentence(120, 2, 83.0)
    '120 runs after pretraining 2 times; about 100 s'
    """
    before = f" after pretraining {jobs} time{'s' * (jobs > 1)}" if jobs else ""
    about = progress.duration(10 * round((_AROUND + seconds) / 10))
    return f"{runs} run{'s' * (runs != 1)}{before}; about {about}"


def _run(shared: Shared, key: Key) -> float:
    light = _LIGHT_RUN + _LIGHT_LABEL * key.budget
    if not shared.conditions[key.condition].trains_transformer:
        return light
    data = shared.data_of(key)
    length = _mean_length(data)
    items = sum(len(part.labels) for part in data.domains.values())
    if model := shared.conditions[key.condition].model:
        way = model_folders.settings_of(model, key.budget)
        steps = (way.updates or 0) + _READING * items / way.batch
        upper = states.UPPER if model.how == "lora" else model.config.n_layer
        one = replace(model.config.with_layers(1), vocab_size=2)
        return light + steps * min(upper, model.config.n_layer) * _update_seconds(one, length)
    config = data.settings.transformer.config(len(data.text.vocabulary))
    longest = classifiers.WAYS["scratch"]
    steps = classifiers.updates(key.budget, longest) + _READING * items / longest.batch
    return light + steps * _update_seconds(config, length)


@cache
def _mean_length(data: CompareData) -> int:
    return 1 + round(float(np.mean([len(words) for words in data.train.tokens])))


def _pretraining(shared: Shared, job: Job) -> float:
    data = next(m for m in shared.data.values() if m.text.corpus == job.corpus)
    if job.kind.endswith("vectors"):
        return _COUNTING * job.words
    settings, words = data.settings.transformer, len(data.text.vocabulary)
    config = settings.llama(words) if job.kind == LLAMA else settings.config(words)
    return settings.steps * _step_seconds(settings, config)


@cache
def _step_seconds(settings: transformer.TransformerSettings, config: Config) -> float:
    """Return how long a step of pretraining takes here."""
    model = architectures.language_model(config, rng=np.random.default_rng(0))
    ids = np.ones((settings.batch, config.n_positions), np.int64)
    return _usual_time(lambda: model.gradients(ids, ids))


@cache
def _update_seconds(config: Config, length: int) -> float:
    """Return how long an update from a batch of labelled texts takes here."""
    model = SequenceClassifier(config, labels=2, rng=np.random.default_rng(0))
    ids = np.ones((FinetuneSettings.batch, min(length, config.n_positions)), np.int64)
    lengths, labels = np.full(len(ids), ids.shape[1]), np.zeros(len(ids), np.int64)
    return _usual_time(lambda: model.gradients(ids, lengths, labels))


def _usual_time(function: Callable[[], object]) -> float:
    """Return the middle one of three times, after one that warms up: other programs run too."""
    function()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return sorted(times)[1]
