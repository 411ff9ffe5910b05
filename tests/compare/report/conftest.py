"""A finished comparison made up by hand, small, with all that pictures and the report can show."""

import csv
import json

import numpy as np
import pytest

# How often each condition is right: with 16 labels, and with 64. Errors are partly shared.
RIGHT = {
    "tfidf": (0.52, 0.60),
    "random": (0.50, 0.52),
    "cooccurrence": (0.60, 0.70),
    "cooccurrence-finetuned": (0.59, 0.72),
    "cooccurrence-shuffled": (0.51, 0.52),
    "transformer-scratch": (0.51, 0.56),
    "transformer-finetuned": (0.58, 0.74),
    "transformer-pretrained-on-shuffled": (0.52, 0.55),
}
BASELINES = {
    "tfidf": "random",
    "random": None,
    "cooccurrence": "random",
    "cooccurrence-finetuned": "cooccurrence",
    "cooccurrence-shuffled": "random",
    "transformer-scratch": None,
    "transformer-finetuned": "transformer-scratch",
    "transformer-pretrained-on-shuffled": "transformer-scratch",
}
WITHOUT_TEXT = ("tfidf", "random", "transformer-scratch")
BUDGETS = (16, 64)
SEEDS, PRETRAININGS = 4, 2
ITEMS = 60
AMOUNTS = {"general": (1000, 20000)}


def family(name):
    if "shuffled" in name:
        return "control"
    return "transformer" if name.startswith("transformer") else "word vectors"


def write(folder, *, tasks=("films",), domains=("films", "products"), labels=("bad", "good")):
    """Write the folder and return it. Labels and texts may be anything that users write."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    summary = _frame(tasks, domains, labels)
    arrays, items = {}, []
    for task in tasks:
        runs = _runs()
        arrays[f"{task}/runs"] = np.array([[str(part) for part in run] for run in runs])
        arrays[f"{task}/classes"] = np.array(labels)
        for domain in summary["domains"][task]:
            truth = np.arange(ITEMS, dtype=np.int16) % len(labels)
            predicted = _predict(runs, truth, len(labels), rng)
            arrays[f"{task}/{domain}/truth"] = truth
            arrays[f"{task}/{domain}/lines"] = np.arange(ITEMS) + 2
            arrays[f"{task}/{domain}/predicted"] = predicted
            for i in range(ITEMS):
                text = f"text {i} of {domain} </script><b>&amp; $x$"
                items.append([task, domain, i + 2, labels[truth[i]], text])
            found = _summarize(task, domain, runs, predicted == truth)
            for part, records in zip(("conditions", "differences", "gains"), found, strict=True):
                summary[part] += records
    np.savez(folder / "predictions.npz", **arrays)
    for name, value in (("summary", summary), ("probes", _probes(rng)), ("manifest", _manifest())):
        text = json.dumps(value, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    with open(folder / "test_items.csv", "w", encoding="utf-8", newline="") as file:
        head = ["task", "domain", "line", "label", "text"]
        csv.writer(file, lineterminator="\n").writerows([head, *items])
    return folder


def _runs():
    """Return (condition, corpus, words, budget, seed, pretraining) of all runs of a task."""
    texts = {name: [("", 0)] for name in WITHOUT_TEXT}
    every = [(corpus, words) for corpus, amounts in AMOUNTS.items() for words in amounts]
    return [
        (name, corpus, words, budget, seed, seed % PRETRAININGS * name.startswith("transformer"))
        for name in RIGHT
        for corpus, words in texts.get(name, every)
        for budget in BUDGETS
        for seed in range(SEEDS)
    ]


def _predict(runs, truth, classes, rng):
    """Return what each run makes of the items, some of which are hard for all."""
    hard = rng.random(ITEMS)
    predicted = np.empty((len(runs), ITEMS), np.int16)
    for i, (name, _, words, budget, *_) in enumerate(runs):
        rate = RIGHT[name][BUDGETS.index(budget)] - 0.05 * (words == 1000)
        right = 0.5 * hard + 0.5 * rng.random(ITEMS) > 1 - rate
        predicted[i] = np.where(right, truth, (truth + 1) % classes)
    return predicted


def _frame(tasks, domains, labels):
    """Return a summary without its tables."""
    own = {task: list(dict.fromkeys([task, *domains])) for task in tasks}
    figures = {"test_items": ITEMS, "chance": 1 / len(labels), "resolvable": 0.09}
    return {
        "tasks": list(tasks),
        "domains": own,
        "corpora": list(AMOUNTS),
        "words": {corpus: list(words) for corpus, words in AMOUNTS.items()},
        "names": list(RIGHT),
        "about": {
            name: {
                "summary": f"what {name} is",
                "family": family(name),
                "baselines": [BASELINES[name]] if BASELINES[name] else [],
                "baseline": BASELINES[name],
                "control": "shuffled" in name,
                "uses_text": name not in WITHOUT_TEXT,
                "drawn": name.startswith("transformer"),
                "model": None,
            }
            for name in RIGHT
        },
        "budgets": list(BUDGETS),
        "seeds": SEEDS,
        "pretrainings": PRETRAININGS,
        "crossed": False,
        **{
            name: {t: dict.fromkeys(own[t], value) for t in tasks}
            for name, value in figures.items()
        },
        "conditions": [],
        "differences": [],
        "gains": [],
        "pretraining": [
            _pretrained("word vectors", 0, 1.5, []),
            *(
                _pretrained(
                    "transformer",
                    p,
                    12.0 + p,
                    [[s, 512 * s, 3 + p / 9 + 30 / (10 + s)] for s in range(60)],
                )
                for p in range(PRETRAININGS)
            ),
        ],
        "price_per_hour": 2.0,
        "failed": [],
        "preset": "kata",
        "notes": ["3 texts stand in both parts"],
    }


def _pretrained(name, pretraining, seconds, loss):
    return {
        "name": name,
        "pretraining": pretraining,
        "corpus": "general",
        "words": 20000,
        "seconds": seconds,
        "flops": 1e9,
        "parameters": 50000,
        "from_cache": False,
        "loss": loss,
        "held_out": loss[::4],
    }


def _summarize(task, domain, runs, correct):
    means = {}
    for run, outcome in zip(runs, correct, strict=True):
        means.setdefault(run[:4], []).append(float(outcome.mean()))
    means = {key: float(np.mean(found)) for key, found in means.items()}
    cells, differences, gains = [], [], []
    for (name, corpus, words, budget), mean in means.items():
        text = {"task": task, "corpus": corpus, "words": words, "main": words in (0, 20000)}
        key = text | {"condition": name, "budget": budget, "domain": domain}
        interval = {"low": mean - 0.04, "high": mean + 0.05}
        cells.append(
            key
            | {"mean": mean, **interval, "macro_f1": mean - 0.01, "runs": SEEDS, "failed": 0}
            | {"seconds": 0.01 * budget, "flops": 1e6 * budget, "trainable_parameters": 101}
            | {"pretrainings": 1 + name.startswith("transformer")}
            | {"pretrain_seconds": 1.5 * (words > 0), "pretrain_flops": 1e9 * (words > 0)}
            | {"money": 0.00001 * budget}
        )
        others = [(BASELINES[name], differences), ("random" if name != "random" else None, gains)]
        for other, table in others:
            if other is None:
                continue
            base = means.get((other, corpus, words, budget), means.get((other, "", 0, budget)))
            gain = mean - base
            ends = {"low": gain - 0.05, "high": gain + 0.05}
            if table is gains:
                table.append(key | {"gain": gain, **ends})
                continue
            verdict = "better" if gain > 0.05 else "worse" if gain < -0.05 else "cannot tell"
            table.append(
                key
                | {"baseline": other, "family": family(name), "difference": gain, **ends}
                | {"p": 0.02, "p_adjusted": 0.04 if verdict != "cannot tell" else 0.4}
                | {"verdict": verdict}
                | {"items_needed": 900 if verdict == "cannot tell" else None}
            )
    return cells, differences, gains


def _probes(rng):
    words = [("red", "colors"), ("blue", "colors"), ("oak", "trees"), ("elm", "trees")]
    before = [
        {"word": word, "group": group, "x": x, "y": y}
        for (word, group), (x, y) in zip(words, rng.normal(size=(4, 2)).tolist(), strict=True)
    ]
    return {
        "similarity": [
            {"vectors": kind, "group": group, "within": within, "between": 0.1}
            for kind, within in (("cooccurrence", 0.6), ("random", 0.08))
            for group in ("colors", "trees")
        ],
        "map": before,
        "map_finetuned": [point | {"x": point["x"] + 0.3} for point in before],
        "two_senses": [
            {
                "word": word,
                "senses": [["river", "reeds"], ["account", "savings"]],
                "contextual": {"within": 0.3, "between": between, "accuracy": 0.9},
                "static": {"within": 0.0, "between": 0.0, "accuracy": 0.5},
                "points": [
                    {"sense": i % 2, "x": x, "y": y + 3 * (i % 2), "sentence": f"{word} {i}"}
                    for i, (x, y) in enumerate(rng.normal(size=(10, 2)).tolist())
                ],
            }
            for word, between in (("bank", -0.4), ("spring", 0.1))
        ],
    }


def _manifest():
    return {
        "versions": {"minilm": "0.1.0", "numpy": "2.4.0"},
        "settings": {"task": "films.csv", "corpus": ["general.txt"], "window": 15},
        "inputs": {"films.csv": "ab" * 32},
        "grid": {"budgets": list(BUDGETS), "seeds": list(range(SEEDS))},
        "data": {"vocabulary": 120},
        "machine": {"platform": "Linux", "cores": 2},
    }


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished comparison of one task, read only."""
    return write(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def make_finished(tmp_path):
    """A maker of finished comparisons that a test may change."""
    return lambda **parts: write(tmp_path / "finished", **parts)
