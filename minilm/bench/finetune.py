"""Does pretraining pay, and does LoRA cost anything? A trial on labelled texts of one's own.

The texts are split once: a part is held out, the rest is pretrained on without its labels, and few
labels of it are given to each condition, the same ones at the same seed. From scratch is the same
model, with settings of its own. What may be claimed comes from a paired bootstrap over seeds and
held-out texts.

All settings were chosen on rt-polarity's development part (as with `--development`: 2,000 texts cut
from those that are not held out), and the held-out part was then looked at once. From scratch was
tried at learning rates of 0.001 to 0.01, 20 and 40 epochs, dropout of 0.1 and 0.3; those of
pretrained models are the defaults of `settings.py`, with half as many updates.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minilm import resources
from minilm.errors import OptionError
from minilm.threads import set_blas_threads
from minilm.training.settings import SCRATCH_RATE, FinetuneSettings

if TYPE_CHECKING:
    import numpy as np

    from minilm.store.folder import SavedModel
    from minilm.training.finetune import Fitted

PRETRAINING = {
    "size": "class",
    "tokenizer": "word",
    "n_embd": 96,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 64,
    "documents": "lines",
    "epochs": 6,
    "window": 15,
    "threads": 1,
}


@dataclass(frozen=True)
class Condition:
    """A way to a classifier: its settings, and the conditions that it is compared with."""

    settings: FinetuneSettings
    against: tuple[str, ...] = ()
    pretrained: bool = True


CONDITIONS = {
    "scratch": Condition(
        FinetuneSettings(learning_rate=SCRATCH_RATE, layer_decay=1.0, epochs=20), pretrained=False
    ),
    "full": Condition(FinetuneSettings(), ("scratch",)),
    "lora-4": Condition(FinetuneSettings("lora", rank=4), ("full",)),
    "lora-8": Condition(FinetuneSettings("lora", rank=8), ("full",)),
    "probe": Condition(FinetuneSettings("probe"), ("full",)),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--data-file",
        type=Path,
        nargs="+",
        default=[Path("movie_reviews.csv")],
        metavar="PATH",
        help="a labelled table, or a text file for each class, a text a line",
    )
    parser.add_argument("--encoding", default="utf-8", help="of the files (default: utf-8)")
    parser.add_argument(
        "--held-out", type=int, metavar="N", help="texts (default: 2,000, or a third of few)"
    )
    parser.add_argument("--budgets", default="100,200", metavar="N,N", help="(default: 100,200)")
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="(default: 10)")
    parser.add_argument(
        "--development",
        action="store_true",
        help="choose settings: leave the held-out texts alone and cut as many from the others",
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Pretrain once, then fit every condition at every budget and seed."""
    set_blas_threads(1)  # before NumPy is loaded, for the surest effect
    import numpy as np

    from minilm.data import labelled
    from minilm.progress import Progress

    budgets = _budgets(options.budgets)
    texts, labels, classes = read(options.data_file, options.encoding)
    count = options.held_out or min(2000, len(texts) // 3)
    order = np.random.default_rng(0).permutation(len(texts))
    if options.development:
        order = order[count:]
    test, train = order[:count], order[count:]
    if len(train) < max(budgets):
        raise OptionError(
            f"--held-out: {count} of {len(texts)} texts leave too few for {max(budgets)} labels"
        )
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        base = pretrain([texts[i] for i in train], Path(place))
    seconds = time.perf_counter() - begun
    trial = Trial(base, texts, labels, classes, train, test)
    keys = [(n, b, s) for n in CONDITIONS for b in budgets for s in range(options.seeds)]
    results = {}
    with Progress("runs", len(keys)) as progress:
        for name, budget, seed in keys:
            chosen = train[labelled.draw(labels[train], budget, seed)]
            results[name, budget, seed] = trial.run(CONDITIONS[name], chosen, seed)
            progress.advance(note=f"{name} {budget}")
    return {
        "data": [path.name for path in options.data_file],
        "part": "development" if options.development else "held out",
        "pretrained_on": len(train),
        "evaluated_on": len(test),
        "seeds": options.seeds,
        "parameters": base.parameters.count(),
        "pretraining_seconds": seconds,
        "conditions": _means(results, budgets, options.seeds),
        "differences": _differences(results, budgets, options.seeds),
    }


def _budgets(text: str) -> list[int]:
    try:
        budgets = [int(part) for part in text.split(",")]
    except ValueError:
        budgets = []
    if not budgets or min(budgets) < 2:
        raise OptionError(f"--budgets: {text!r}; give numbers of labels, as in 100,200")
    return budgets


def read(paths: list[Path], encoding: str) -> tuple[list[str], np.ndarray, tuple[str, ...]]:
    """Return texts, class indices and class names of a table, or of a file for each class."""
    import numpy as np

    from minilm.data import lines as reader
    from minilm.data.labelled import read_labelled

    found = [resources.find_corpus(path) for path in paths]
    if len(found) == 1:
        data = read_labelled(found[0], encoding=encoding, training_only=True)
        index = {name: i for i, name in enumerate(data.classes)}
        return list(data.texts), np.array([index[label] for label in data.labels]), data.classes
    texts: list[str] = []
    labels: list[int] = []
    for number, path in enumerate(found):
        lines = [line.strip() for line in reader.read_lines(path, encoding) if line.strip()]
        texts += lines
        labels += [number] * len(lines)
    return texts, np.array(labels), tuple(path.name for path in found)


def pretrain(texts: list[str], place: Path) -> SavedModel:
    """Pretrain on texts without their labels, in a folder that is thrown away."""
    from minilm import files
    from minilm.store import folder
    from minilm.training import pretrain as stage_one

    with files.atomic_write(place / "texts.txt") as file:
        file.writelines(f"{text}\n" for text in texts)
    stage_one.pretrain([place / "texts.txt"], place / "model", PRETRAINING, say=_silent)
    return folder.load(place / "model")


def _silent(line: str) -> None:
    """Take a line and say nothing."""


class Trial:
    """What all runs share: the pretrained body, and the texts as its ids."""

    def __init__(
        self,
        base: SavedModel,
        texts: list[str],
        labels: np.ndarray,
        classes: tuple[str, ...],
        train: np.ndarray,
        test: np.ndarray,
    ) -> None:
        from minilm.models.texts import encode

        assert base.tokenizer is not None  # noqa: S101  (pretraining made one)
        self.base, self.labels, self.classes, self.test = base, labels, classes, test
        self.ids = encode(
            base.tokenizer,
            texts,
            context=base.config.n_positions,
            end_of_text=base.end_of_text,
        ).ids

    def run(self, condition: Condition, chosen: np.ndarray, seed: int) -> Result:
        """Fit on the chosen texts and evaluate: a pure function of its arguments."""
        from minilm.models import texts
        from minilm.nn.gpt import initial_parameters
        from minilm.random import generator
        from minilm.training import finetune

        begun = time.perf_counter()
        body = self.base.parameters
        if not condition.pretrained:
            body = initial_parameters(self.base.config, rng=generator(seed, "scratch"))
        fitted = finetune.fit(
            self.base.config,
            body,
            [self.ids[i] for i in chosen],
            self.labels[chosen],
            classes=len(self.classes),
            settings=replace(condition.settings, seed=seed),
        )
        seconds = time.perf_counter() - begun
        scores = texts.apply(fitted.model.logits, [self.ids[i] for i in self.test])
        correct = scores.argmax(axis=1) == self.labels[self.test]
        return Result(correct, fitted, seconds)


@dataclass(frozen=True)
class Result:
    """Which held-out texts were classified rightly, and what the run took."""

    correct: np.ndarray
    fitted: Fitted
    seconds: float


Results = dict[tuple[str, int, int], Result]


def _outcomes(results: Results, name: str, budget: int, seeds: int) -> np.ndarray:
    """Return a condition's outcomes, (seeds, texts)."""
    import numpy as np

    return np.stack([results[name, budget, seed].correct for seed in range(seeds)])


def _means(results: Results, budgets: list[int], seeds: int) -> list[dict[str, Any]]:
    import numpy as np

    from minilm.compare import statistics

    found = []
    for name in CONDITIONS:
        for budget in budgets:
            correct = _outcomes(results, name, budget, seeds)
            estimate = statistics.mean_and_interval(correct, rng=np.random.default_rng(0))
            one = results[name, budget, 0].fitted
            taken = [results[name, budget, seed].seconds for seed in range(seeds)]
            found.append(
                {
                    "condition": name,
                    "labels": budget,
                    "accuracy": estimate.mean,
                    "low": estimate.low,
                    "high": estimate.high,
                    "deviation": float(correct.mean(axis=1).std(ddof=1)) if seeds > 1 else None,
                    "trained": one.trained,
                    "trained_share": one.trained / one.base_count,
                    "updates": one.updates,
                    "seconds": float(np.median(taken)),
                }
            )
    return found


def _differences(results: Results, budgets: list[int], seeds: int) -> list[dict[str, Any]]:
    """Return what each condition gains over its baselines; the p-values are Holm-corrected."""
    import numpy as np

    from minilm.compare import statistics

    found = []
    for name, condition in CONDITIONS.items():
        for other in condition.against:
            for budget in budgets:
                pair = (_outcomes(results, n, budget, seeds) for n in (name, other))
                rng = np.random.default_rng(0)
                found.append((name, other, budget, statistics.paired_difference(*pair, rng=rng)))
    adjusted = statistics.holm([difference.p for *_, difference in found])
    return [
        {
            "condition": name,
            "baseline": other,
            "labels": budget,
            "difference": difference.difference,
            "low": difference.low,
            "high": difference.high,
            "p": p,
            "verdict": statistics.verdict(difference, p),
        }
        for (name, other, budget, difference), p in zip(found, adjusted, strict=True)
    ]


def render(result: dict[str, Any]) -> str:
    """Return the lines for a person."""
    lines = [
        f"Fine-tuning on {', '.join(result['data'])}",
        f"{result['pretrained_on']:,} texts pretrained on without labels, "
        f"{result['evaluated_on']:,} of the {result['part']} part",
        f"to evaluate on; {result['seeds']} draws of labels; {result['parameters']:,} parameters",
        "",
        f"{'condition':<10}{'labels':>7}{'accuracy':>10}   {'95 % interval':<16}"
        f"{'trained':>9}{'updates':>9}{'seconds':>9}",
    ]
    for row in result["conditions"]:
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
        lines.append(
            f"{row['condition']:<10}{row['labels']:>7}{row['accuracy']:>10.4f}   {interval:<16}"
            f"{min(1.0, row['trained_share']):>9.2%}{row['updates']:>9,}{row['seconds']:>9.1f}"
        )
    lines += ["", f"{'difference':<22}{'labels':>7}{'points':>8}   {'95 % interval':<18}verdict"]
    for row in result["differences"]:
        interval = f"{100 * row['low']:+.1f} to {100 * row['high']:+.1f}"
        pair = f"{row['condition']} - {row['baseline']}"
        lines.append(
            f"{pair:<22}{row['labels']:>7}{100 * row['difference']:>+8.1f}   "
            f"{interval:<18}{row['verdict']}"
        )
    return "\n".join(lines)
