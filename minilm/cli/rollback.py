"""`minilm rollback DIR`: bring back an earlier version of a model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from minilm.cli import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", type=Path, metavar="DIR", help="folder of a model")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--to",
        type=int,
        metavar="N",
        help="which version (default: the one the current model was made from)",
    )
    what.add_argument("--list", action="store_true", help="list the versions, change nothing")
    parser.add_argument(
        "--wait", action="store_true", help="wait while another process updates the model"
    )
    parser.add_argument("--json", action="store_true", help="print the versions as JSON")


def run(options: argparse.Namespace) -> int:
    """Go back, unless only the list is asked for, and print the result."""
    from minilm.store import versions

    if not options.list:
        target = versions.rollback(options.model, options.to, wait=options.wait)
        if not options.json:
            print(f"{options.model}: version {target.number} is the model again")
    records = [_record(version) for version in versions.listed(options.model)]
    if options.json:
        console.print_json(records)
    elif options.list:
        for line in _table(records):
            print(line)
    return 0


def _record(version: Any) -> dict[str, Any]:
    last = version.lineage[-1] if version.lineage else None
    return {
        "version": version.number,
        "current": version.current,
        "from": version.made_from,
        "verdict": version.verdict or "unfinished",
        "kind": last.kind if last else None,
        "steps": last.steps if last else None,
        "data": [source.name for source in last.data] if last else [],
        "perplexity": dict(last.settings.get("perplexity", {})) if last else {},
        "path": str(version.path),
    }


def _table(records: list[dict[str, Any]]) -> list[str]:
    lines = [f"  {'version':>7}  {'from':>4}  {'verdict':<10}  {'steps':>7}  learned"]
    for record in records:
        mark = "*" if record["current"] else " "
        base = "" if record["from"] is None else str(record["from"])
        steps = "" if record["steps"] is None else f"{record['steps']:,}"
        learned = ", ".join(record["data"]) or "unknown"
        learned = learned if len(learned) <= 40 else learned[:39] + "…"
        lines.append(
            f"{mark} {record['version']:>7}  {base:>4}  {record['verdict']:<10}  {steps:>7}  "
            f"{learned}"
        )
    return [*lines, "* the current model"]
