"""`minilm adapter list|merge|apply`: small trained parts that share one base model."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minilm import threads
from minilm.cli import console
from minilm.errors import OutputError

_NEW_TOKENS = 30  # that a language model's adapter generates


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the three actions and their options."""
    actions = parser.add_subparsers(
        dest="action", metavar="action", required=True, parser_class=type(parser)
    )
    about = "list the adapters in a folder, and which base each belongs to"
    listing = actions.add_parser("list", help=about, description=f"{about.capitalize()}.")
    listing.add_argument("folder", type=Path, metavar="DIR", help="an adapter, or a folder of them")
    listing.add_argument(
        "--base",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a base to try (default: the one each adapter names)",
    )
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    about = "merge an adapter into its base: one model's folder"
    merging = actions.add_parser("merge", help=about, description=f"{about.capitalize()}.")
    merging.add_argument("adapter", type=Path, metavar="DIR", help="folder of the adapter")
    merging.add_argument(
        "--base", type=Path, metavar="DIR", help="its base (default: the one it names)"
    )
    merging.add_argument(
        "--output-dir", type=Path, required=True, metavar="OUT", help="folder of the result"
    )
    about = "apply several adapters to one base, which is read once"
    applying = actions.add_parser("apply", help=about, description=f"{about.capitalize()}.")
    applying.add_argument("base", type=Path, metavar="BASE", help="folder of the base")
    applying.add_argument("adapters", type=Path, nargs="+", metavar="DIR", help="adapters")
    applying.add_argument(
        "--text",
        action="append",
        required=True,
        metavar="TEXT",
        help="text to classify or to continue; may be repeated",
    )


def run(options: argparse.Namespace) -> int:
    """Run the chosen action."""
    threads.set_blas_threads(1)
    return {"list": _list, "merge": _merge, "apply": _apply}[options.action](options)


def _list(options: argparse.Namespace) -> int:
    from minilm.models import adapted
    from minilm.store import adapters, describe

    bases: dict[str, adapted.Base] = {}
    records = []
    for path in adapters.find(options.folder):
        record = describe.describe_adapter(path)
        named = [str(base) for base in options.base] or [record["base"]]
        there = [name for name in named if options.base or Path(name).is_dir()]
        for name in there:
            bases.setdefault(name, adapted.load(name))
        record["fits"] = {name: bases[name].fits(path) for name in there}
        records.append(record)
    if options.json:
        console.print_json({"adapters": records})
        return 0
    for record in records:
        for line in _lines(record):
            print(line)
    return 0


def _lines(record: dict[str, Any]) -> Iterator[str]:
    labels = record["labels"]
    kind = f"a classifier of {len(labels)} labels" if labels else "a language model's adapter"
    yield f"{record['folder']}: {kind}, {record['parameters']:,} numbers"
    if labels:
        yield f"  labels: {console.cut(', '.join(labels), 69)}"
    yield (
        f"  LoRA rank {record['rank']}, alpha {record['alpha']:g}, on "
        f"{', '.join(record['targets'])}"
    )
    sha256 = record["base_sha256"]
    yield f"  base: {record['base']}, {'hash ' + sha256[:12] if sha256 else 'hash unknown'}"
    by = "" if sha256 else ", judging by its shapes"
    for name, fits in record["fits"].items():
        yield f"  {'fits' if fits else 'does not fit'} {name}{by}"
    if not record["fits"]:
        yield "  the base is not there; name one to try with --base"


def _merge(options: argparse.Namespace) -> int:
    from minilm.models import adapted
    from minilm.store import folder

    if folder.exists(options.output_dir):
        raise OutputError(
            f"{options.output_dir}: already holds a model; choose another --output-dir"
        )
    base = adapted.load_base_of(options.adapter, options.base)
    saved = base.adapter(options.adapter)
    if saved.head is None:
        base.language_model(saved).save(options.output_dir)
        print(f"{options.output_dir}: a language model; try minilm generate")
    else:
        base.classifier(saved).save(options.output_dir)
        print(f"{options.output_dir}: a classifier; try minilm predict")
    return 0


def _apply(options: argparse.Namespace) -> int:
    """Print each adapter's answer to each text: a label, or the most likely continuation."""
    from minilm.models import adapted

    base = adapted.load(options.base)
    found = [(path, base.adapter(path)) for path in options.adapters]
    for text in options.text:
        print(console.cut(text, 79))
        for path, saved in found:
            if saved.head is None:
                answer = base.language_model(saved).generate(
                    text, max_new_tokens=_NEW_TOKENS, temperature=0, slide=True
                )
            else:
                probabilities = base.classifier(saved).predict_proba([text])[0]
                best = int(probabilities.argmax())
                answer = f"{saved.head.labels[best]} {probabilities[best]:.3f}"
            print(f"  {path.name}: {console.cut(answer, 75 - len(path.name))}")
    return 0
