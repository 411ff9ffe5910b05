"""Live code of kata 8.5: full fine-tuning, a probe and LoRA on the tickets, with their costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.compare import conditions, pretraining, statistics
from minilm.compare.classifiers import Classifier
from minilm.compare.data import CompareData, CompareSettings, prepare
from minilm.compare.texts import name_of
from minilm.compare.transformer import TransformerSettings
from minilm.course.demos import Course
from minilm.data import labelled

LABELS = 160
DRAWS = 5
SHAPE = TransformerSettings(n_embd=32, vocabulary=2_000, steps=400)
NAMES = {
    "scratch": "transformer-scratch",
    "probe": "transformer-probe",
    "lora": "transformer-lora",
    "full": "transformer-finetuned",
    "tfidf": "tfidf",
}


@dataclass(frozen=True)
class Result:
    """One method: what was right, by draw and test, its interval, and what it cost.

    Attributes
    ----------
    right : ndarray of shape (draws, tests), bool
    estimate : Estimate
        The mean with its interval.
    trained : int
        Numbers that are trained, and that each task has to keep.
    flops : float
        Of one training.
    """

    right: np.ndarray
    estimate: statistics.Estimate
    trained: int
    flops: float


def run(course: Course) -> dict[str, float | tuple[float, float, float]]:
    data, parameters = pretrained()
    results = {name: result(data, condition) for name, condition in NAMES.items()}
    print(f"{LABELS} labels, {DRAWS} draws, {results['full'].right.shape[1]} tests")
    print(f"a GPT of {parameters:,} parameters")
    print("             trained   of the body   work of training")
    work = results["full"].flops
    for name, found in results.items():
        share = f"{found.trained / parameters:.2%}" if name != "tfidf" else "-"
        print(f"  {name:8}{found.trained:10,}    {share:>10}   {found.flops / work:16.2f}")
    print("           right   95 % interval")
    for name, found in results.items():
        e = found.estimate
        print(f"  {name:8}{e.mean:6.2f}   {e.low:.2f} to {e.high:.2f}")
    compared(results)
    course.picture(picture(results), "cost")
    figures: dict[str, float | tuple[float, float, float]] = {
        name: (found.estimate.mean, found.estimate.low, found.estimate.high)
        for name, found in results.items()
    }
    return {**figures, "share": results["lora"].trained / parameters}


def pretrained() -> tuple[CompareData, int]:
    """Return the tickets with a GPT pretrained on the conversations, and its size."""
    folder = resources.corpora_dir()
    settings = CompareSettings(
        task=folder / "support_tickets.csv",
        corpora=((folder / "support_conversations.txt",),),
        transformer=SHAPE,
    )
    [data] = prepare(settings, [LABELS])
    made = pretraining.make(data.text, settings, "model")
    data.text.made[name_of("model", data.pretraining)] = made
    return data, sum(array.size for array in made.arrays.values())


def result(data: CompareData, condition: str) -> Result:
    """Train a condition on each draw of the labels, and test it."""
    test = data.domains["support_tickets"]
    train = conditions.CONDITIONS[condition].train
    right: list[np.ndarray] = []
    for seed in range(DRAWS):
        chosen = labelled.draw(data.train.labels, LABELS, seed)
        classifier: Classifier = train(data, seed, chosen)
        right.append(classifier.predict(test) == test.labels)
    correct = np.array(right)
    estimate = statistics.mean_and_interval(correct, rng=np.random.default_rng(0))
    return Result(correct, estimate, classifier.trainable_parameters, classifier.flops)


def compared(results: dict[str, Result]) -> None:
    """Print a verdict for each pair, corrected for their number."""
    pairs = (("probe", "scratch"), ("lora", "probe"), ("full", "lora"), ("full", "tfidf"))
    differences = [
        statistics.paired_difference(
            results[a].right, results[b].right, rng=np.random.default_rng(0)
        )
        for a, b in pairs
    ]
    adjusted = statistics.holm([difference.p for difference in differences])
    for (a, b), difference, p in zip(pairs, differences, adjusted, strict=True):
        print(f"  {a} against {b}: {statistics.verdict(difference, p)}")


def picture(results: dict[str, Result]) -> Figure:
    """Draw accuracy over what each task has to keep."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for i, (name, found) in enumerate(results.items()):
        e, color = found.estimate, drawing.COLORS[i]
        axes.plot([found.trained] * 2, [e.low, e.high], color=color, linewidth=4)
        axes.plot(found.trained, e.mean, "osD^v"[i], color=color, markersize=11)
        axes.annotate(
            name, (found.trained, e.mean), (10, 6), textcoords="offset points", fontsize=12
        )
    axes.set_xscale("log")
    axes.margins(x=0.2)
    axes.set(title=f"tickets, {LABELS} labels", ylim=(0, 1))
    axes.set(xlabel="numbers trained, and kept for each task", ylabel="accuracy")
    return figure
