"""Models from folders as conditions: what was pretrained elsewhere joins the same table.

    probe      a softmax regression on frozen states: `states` has read the texts beforehand
    lora       thin matrices beside the upper layers' own; the layers below are frozen, so their
               states are read beforehand too, and take the place of a word table
    finetuned  all of the model trained further; hours for a large one

What a probe regresses on (layer, pooling, penalty) is chosen in each run by cross-validation over
its labelled texts: no other label is seen. The settings of the others were chosen on development
parts, as those in `classifiers`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minilm.arrays import Array
from minilm.classify import logistic
from minilm.compare import classifiers, costs, states
from minilm.compare.classifiers import Classifier
from minilm.compare.conditions import Condition
from minilm.compare.data import CompareData, Examples
from minilm.compare.run import Key, Shared
from minilm.compare.states import FolderModel, Reading, State
from minilm.compare.transformer import Body
from minilm.data import labelled
from minilm.data.quality import fingerprints
from minilm.nn.heads import SequenceClassifier
from minilm.nn.llama_config import LlamaConfig
from minilm.nn.parameters import Config, Parameters, param_shapes
from minilm.store import folder, packaged
from minilm.training import finetune
from minilm.training.settings import FinetuneSettings

HOW = ("probe", "finetuned", "lora")

# Of a probe: the strengths of the L2 penalty that it chooses among, and the parts of the labelled
# texts, of which one in turn is left out. SmolLM2 on development parts (films: dev and half of
# train, tickets: dev and a third of train; 4 draws) came to 0.61, 0.76 and 0.82 at 16, 64 and 256
# labels of films, 0.56, 0.73 and 0.76 at 16, 64 and 160 of tickets. The best fixed choice for films
# (last token, layer 15 of 30) got 0.34 of the tickets at 16 labels, the best for tickets (mean,
# layer 30) 0.60 of the films. At a penalty of 1,000 tickets lose 15 points at 16 labels.
PENALTIES = (30.0, 300.0)
FOLDS = 4

# The default rates are for small bodies; a folder may hold a deep one, of whatever origin. One
# moderate rate for all layers is what such bodies are usually fine-tuned at. LoRA of SmolLM2 on the
# development part of films, 64 labels, 3 draws, 40 updates: 0.766 at a rate of 1e-3, 0.774 at 3e-3,
# where the probe got 0.76. A text is judged by its last token, which in these models says more.
WAYS = {
    "finetuned": FinetuneSettings(learning_rate=5e-4, layer_decay=1.0, epochs=20),
    "lora": FinetuneSettings("lora", learning_rate=2e-3, layer_decay=1.0, epochs=5, pooling="last"),
}


def folder_of(name: str) -> tuple[str, str]:
    """Return how a model is used, and its folder, from the name of a condition.

    >>> folder_of("lora:models/mine"), folder_of("C:/models/mine")
    (('lora', 'models/mine'), ('probe', 'C:/models/mine'))
    """
    how, _, path = name.partition(":")
    return (how, path) if how in HOW else (HOW[0], name)


def of_folder(name: str) -> Condition:
    """Return the condition that a model's folder makes: `PATH`, or `probe:`, `finetuned:`, `lora:`.

    Raises
    ------
    ModelError, OptionError
        When the folder holds no model, or one without a tokenizer.
    """
    how, path = folder_of(name)
    model = states.of_path(path, how)
    upper = min(states.UPPER, model.config.n_layer)
    summary = {
        "probe": "the model of this folder, frozen",
        "finetuned": "the model of this folder, trained further with the labels",
        "lora": f"the model of this folder, with thin matrices beside those of its last {upper} "
        "layers",
    }[how]
    # The same use of the comparison's own transformer: what other pretraining text buys.
    baselines = ("tfidf", f"transformer-{how}", *(() if how == "probe" else (f"probe:{path}",)))
    train = functools.partial(_TRAIN[how], model=model)
    return Condition(
        summary,
        baselines,
        "models from folders",
        train,
        trains_transformer=how != "probe",
        model=model,
    )


def is_model(name: str) -> bool:
    """Return whether a condition has the name of a model: a folder, a GGUF file, `smollm2`."""
    return folder.can_hold(folder_of(name)[1])


def models_of(shared: Shared) -> dict[str, list[FolderModel]]:
    """Return the models that the conditions use, each with its uses, by their paths."""
    found: dict[str, list[FolderModel]] = {}
    for condition in shared.conditions.values():
        if condition.model is not None:
            found.setdefault(condition.model.path, []).append(condition.model)
    return found


def notes(shared: Shared) -> list[str]:
    """Return what a reader should know about the models: whether they have read the test texts."""
    found = []
    for path in models_of(shared):
        model = states.load(path)
        name, seen = Path(path).name, model.seen
        if learned := [
            s for stage in model.lineage if stage.kind == "finetune" for s in stage.data
        ]:
            files = ", ".join(dict.fromkeys(source.name for source in learned))
            found.append(
                f"{name} was fine-tuned on {files} before; if the labels of the test texts are "
                "among what it learned, its accuracy here says nothing"
            )
        if seen is None:
            later = (
                "; those that ship with minilm were written after it was trained"
                if packaged.is_name(path)
                else ""
            )
            found.append(
                f"what {name} read in its pretraining is not known here, and may include the test "
                f"texts{later}; the cost of its pretraining is not counted"
            )
            continue
        texts = {t for d in shared.data.values() for e in d.domains.values() for t in e.texts}
        known = int(seen.knows([fingerprints.fingerprint(text) for text in texts]).sum())
        if known:
            found.append(f"{name} has read {known} of the {len(texts)} test texts in pretraining")
    return found


def readings(shared: Shared, missing: Sequence[Key]) -> list[Reading]:
    """Return what models have to read before the missing runs."""
    found = []
    for uses in models_of(shared).values():
        kept = [model for model in uses if model.kind is not None]
        asked = [key for key in missing if shared.conditions[key.condition].model in kept]
        texts: dict[str, None] = {}
        for place in dict.fromkeys(shared.place(key) for key in asked):
            data = shared.data[place]
            for key in asked:
                if shared.place(key) == place:
                    chosen = labelled.draw(data.train.labels, key.budget, key.seed)
                    texts.update(dict.fromkeys(data.train.texts[i] for i in chosen))
            for examples in data.domains.values():
                texts.update(dict.fromkeys(examples.texts))
        if kept and (reading := Reading.of(kept, texts)).texts:
            found.append(reading)
    return found


def record(model: FolderModel) -> dict[str, Any]:
    """Return what decides the results of a model's runs, as JSON has it."""
    own: dict[str, Any] = {"penalties": list(PENALTIES), "folds": FOLDS}
    if model.how != "probe":
        own = {**asdict(WAYS[model.how]), "targets": list(WAYS[model.how].targets)}
    return {"sha256": model.sha256, "layers": list(model.layers), **own}


# ------------------------------------------------------------------------------- the probe


def _train_probe(
    data: CompareData, seed: int, chosen: np.ndarray, *, model: FolderModel
) -> Classifier:
    kept = states.kept(model)
    read = kept.get([data.train.texts[i] for i in chosen])
    labels = data.train.labels[chosen]
    found = np.stack([one.states for one in read])
    choice, iterations = _choose(found, labels, len(data.classes))
    rows = found[:, choice.layer, choice.pooling]
    scale = _Scale.of(rows)
    regression = logistic.SoftmaxRegression(l2=choice.penalty)
    regression.fit(scale(rows), labels, classes=len(data.classes))

    def predict(examples: Examples) -> np.ndarray:
        own = [one.states[choice.layer, choice.pooling] for one in kept.get(examples.texts)]
        return regression.predict(scale(np.stack(own)))

    count, width = rows.shape
    choosing = costs.regression(count, width, len(data.classes), iterations)
    return classifiers.regressed(
        predict, regression, rows.shape, _reading(model, read) + choosing, _seconds(read)
    )


@dataclass(frozen=True)
class _Choice:
    layer: int  # its place among the layers kept
    pooling: int
    penalty: float


def _choose(found: Array, labels: np.ndarray, classes: int) -> tuple[_Choice, int]:
    """Return what predicts labelled texts that were left out best, and the iterations it took.

    The most accurate; of equally accurate ones the one with the lowest loss. With fewer than two
    texts of each class nothing can be left out, and the upper middle layer's mean is taken.

    Parameters
    ----------
    found : ndarray of shape (N, L, 2, C)
    labels : ndarray of shape (N,), int
    classes : int
    """
    layers = found.shape[1]
    if np.bincount(labels, minlength=classes).min() < 2:
        return _Choice(2 * layers // 3, 0, PENALTIES[0]), 0
    parts = _parts(labels, classes)
    scores, iterations = {}, 0
    for layer, pooling in itertools.product(range(layers), range(len(states.POOLINGS))):
        rows = found[:, layer, pooling]
        # Turned onto as few axes as there are texts, which changes no product of two rows.
        axes, lengths, _ = np.linalg.svd(_Scale.of(rows)(rows), full_matrices=False)
        turned = axes * lengths
        for penalty in PENALTIES:
            chances = np.empty((len(labels), classes))
            for part in range(FOLDS):
                out = parts == part
                regression = logistic.SoftmaxRegression(l2=penalty)
                regression.fit(turned[~out], labels[~out], classes=classes)
                chances[out] = regression.predict_proba(turned[out])
                iterations += regression.iterations_
            right = float(np.mean(chances.argmax(axis=1) == labels))
            loss = float(-np.mean(np.log(chances[np.arange(len(labels)), labels] + 1e-12)))
            scores[_Choice(layer, pooling, penalty)] = right, -loss
    return max(scores, key=scores.__getitem__), iterations


def _parts(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return in which part each text is: the members of each class in turn.

    >>> _parts(np.array([0, 0, 1, 0, 1, 1]), 2).tolist()
    [0, 1, 1, 2, 2, 3]
    """
    parts = np.empty(len(labels), int)
    for label in range(classes):
        members = np.flatnonzero(labels == label)
        parts[members] = (np.arange(len(members)) + label) % FOLDS
    return parts


@dataclass(frozen=True, eq=False)
class _Scale:
    """Standardizes columns. A few channels of a large model are a thousand times the others."""

    mean: Array
    deviation: Array

    @classmethod
    def of(cls, rows: Array) -> _Scale:
        wide = rows.astype(np.float64)
        return cls(wide.mean(axis=0), wide.std(axis=0) + 1e-6)

    def __call__(self, rows: Array) -> Array:
        scaled: Array = (rows - self.mean) / self.deviation
        return scaled


# ---------------------------------------------------------------------------- LoRA, and all of it


def _train_lora(
    data: CompareData, seed: int, chosen: np.ndarray, *, model: FolderModel
) -> Classifier:
    """Train the upper layers' factors on what enters these layers.

    Nothing below changes, so each token of each text is a word of its own, and what enters at it is
    its row of the word table. What is left is a shallow model, fine-tuned as any other.
    """
    kept = states.kept(model)
    read = kept.get([data.train.texts[i] for i in chosen])
    config = _upper_config(model.config, sum(one.tokens for one in read))
    base = {**_upper(model), config.table: np.concatenate([one.states for one in read])}
    fitted = finetune.fit(
        config,
        base,
        _as_words(read),
        data.train.labels[chosen],
        classes=len(data.classes),
        settings=settings_of(model, len(chosen), seed),
    )
    # Forward and backward through the upper layers, without gradients of the frozen matrices.
    length = sum(one.tokens for one in read) / len(read)
    flops = 2 * costs.forward(config, fitted.tokens, length, head=0)
    lower = model.config.n_layer - config.n_layer
    share = lower / model.config.n_layer
    return Classifier(
        lambda examples: _predict(fitted.model, kept.get(examples.texts)),
        fitted.trained,
        flops + share * _reading(model, read),
        _seconds(read),
    )


def settings_of(model: FolderModel, labelled: int, seed: int = 0) -> FinetuneSettings:
    """Return the settings of a run with this many labelled texts."""
    way = WAYS[model.how]
    return replace(way, updates=classifiers.updates(labelled, way), seed=seed)


def _upper_config(config: Config, words: int) -> Config:
    upper = config.with_layers(min(states.UPPER, config.n_layer))
    if isinstance(upper, LlamaConfig):  # the head of the next word is not used
        return replace(upper, vocab_size=words, tie_word_embeddings=True)
    return replace(upper, vocab_size=words)


@functools.lru_cache(maxsize=2)
def _upper(model: FolderModel) -> dict[str, Array]:
    """Return the parameters of a model's upper layers, but for the word table."""
    loaded = states.load(model.path)
    config = _upper_config(model.config, 1)
    lower = model.config.n_layer - config.n_layer
    found = {}
    for name, shape in param_shapes(config).items():
        if name.startswith(config.layers):
            number, rest = name.removeprefix(config.layers).split(".", 1)
            name_there = f"{config.layers}{int(number) + lower}.{rest}"
            found[name] = loaded.gpt.parameters[name_there].copy()
        elif name == "wpe.weight":  # what enters has its position in it already
            found[name] = np.zeros(shape, np.float32)
        elif name != config.table:
            found[name] = loaded.gpt.parameters[name].copy()
    states.load.cache_clear()  # the lower layers are not needed again
    return found


def _as_words(read: Sequence[State]) -> list[Any]:
    ends = np.cumsum([one.tokens for one in read])
    return [np.arange(end - one.tokens, end) for one, end in zip(read, ends, strict=True)]


_ROOM = 1 << 12  # tokens that are classified at a time


def _predict(model: SequenceClassifier, read: Sequence[State]) -> np.ndarray:
    """Return the class of each text, with a word table of its tokens in place of the training's."""
    room = max(_ROOM, max(one.tokens for one in read))
    config = replace(model.config, vocab_size=room)
    shapes = {**model.parameters.shapes, config.table: (room, config.n_embd)}
    parameters = Parameters(shapes, model.parameters.dtype)
    for name, value in model.parameters.items():
        if name != config.table:
            parameters[name][...] = value
    reader = SequenceClassifier(config, parameters=parameters, pooling=model.pooling)
    reader.use(replace(model.adapter, weights=parameters) if model.adapter else None)
    out = np.empty(len(read), np.int64)
    lengths = np.array([one.tokens for one in read])
    for length in np.unique(lengths):  # texts of one length go together, without padding
        members = np.flatnonzero(lengths == length)
        for start in range(0, len(members), room // length):
            part = members[start : start + room // length]
            used = len(part) * length
            parameters[config.table][:used] = np.concatenate([read[i].states for i in part])
            ids = np.arange(used).reshape(len(part), length)
            out[part] = reader.logits(ids, np.full(len(part), length)).argmax(axis=1)
    return out


def _train_all(
    data: CompareData, seed: int, chosen: np.ndarray, *, model: FolderModel
) -> Classifier:
    loaded = states.load(model.path)

    def encode(examples: Examples) -> list[list[int]]:
        return states.encode(loaded, examples.texts)

    body = Body(loaded.config, loaded.gpt.parameters)
    return classifiers.further(data, seed, chosen, body, WAYS["finetuned"], encode)


_TRAIN = {"probe": _train_probe, "finetuned": _train_all, "lora": _train_lora}


def _reading(model: FolderModel, read: Sequence[State]) -> float:
    """Return the operations of reading texts once."""
    tokens = sum(one.tokens for one in read)
    return costs.forward(model.config, tokens, tokens / len(read), head=0)


def _seconds(read: Sequence[State]) -> float:
    return float(sum(one.seconds for one in read))
