"""`minilm inspect DIR`: what a model's folder holds, and how it was trained."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minilm.cli import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "model", type=Path, metavar="DIR", help="folder of a model: minilm's or Hugging Face's"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Verify the folder and print what it holds."""
    from minilm.store import describe

    content = describe.describe(options.model)
    if options.json:
        console.print_json(content)
        return 0
    for line in _lines(content):
        print(line)
    return 0


def _lines(content: dict[str, Any]) -> Iterator[str]:
    ours = content["made_by"] == "minilm"
    checked = "all checksums match" if ours else "no checksums; its files fit together"
    yield f"{content['folder']}: made by {content['made_by']}; {checked}"
    config = content["config"]
    shape = content["shape"]
    keys = shape["kv_heads"]
    shared = "" if keys == shape["n_head"] else f" that share {keys} of keys"
    yield (
        f"{'Llama' if config['model_type'] == 'llama' else 'GPT-2'} of {shape['n_layer']} layers, "
        f"{shape['n_head']} heads{shared}, width {shape['n_embd']}, "
        f"context {shape['n_positions']:,}, vocabulary {shape['vocab_size']:,}"
    )
    dtypes = ", ".join(sorted({tensor["dtype"] for tensor in content["tensors"]}))
    yield f"{content['parameters']:,} parameters, {content['bytes']:,} bytes of {dtypes}"
    yield from _tensor_lines(content["tensors"], shape["n_layer"])
    if content["labels"]:
        labels = ", ".join(map(repr, content["labels"]))
        kind = content["problem_type"]
        kind = "a classifier" if kind == "single_label_classification" else f"a head for {kind}"
        yield f"{kind}, pooling {content['pooling']}; labels: {labels}"
    yield _tokenizer_line(content["tokenizer"])
    if ours:
        state = ", ".join(content["training_state"]) or "none; training cannot be resumed"
        yield f"training state: {state}"
        seen = content["documents_seen"]
        yield "documents seen: " + ("not recorded" if seen is None else f"{seen:,}")
        yield "lineage:" if content["lineage"] else "lineage: not recorded"
    for number, stage in enumerate(content["lineage"], 1):
        yield f"  {number}. {stage['kind']}: {stage['steps']:,} steps, {stage['tokens']:,} tokens"
        for item in stage["data"]:
            yield f"     {item['name']} ({item['bytes']:,} bytes, sha256 {item['sha256'][:12]}...)"
        for key, value in stage["settings"].items():
            yield f"     {key}: {json.dumps(value, ensure_ascii=False)}"


def _tensor_lines(tensors: list[dict[str, Any]], layers: int) -> Iterator[str]:
    """Yield one line per tensor; tensors that all layers have are shown once."""
    width = max(24, max(len(tensor["name"]) for tensor in tensors) + 2)
    for tensor in tensors:
        layer = re.match(r"(h|model\.layers)\.(\d+)\.", tensor["name"])
        if layer and layer[2] != "0":
            continue
        name = tensor["name"]
        if layer and layers > 1:
            name = name.replace(".0.", ".*.", 1)
        times = f" x {layers} layers" if layer and layers > 1 else ""
        yield f"  {name:<{width}}{' x '.join(map(str, tensor['shape']))}{times}"


def _tokenizer_line(tokenizer: dict[str, Any] | None) -> str:
    if tokenizer is None:
        return "tokenizer: none"
    merges = f", {tokenizer['merges']:,} merges" if "merges" in tokenizer else ""
    special = ", ".join(tokenizer["special_tokens"]) or "none"
    return (
        f"tokenizer: {tokenizer['kind']}, {tokenizer['entries']:,} entries{merges}; "
        f"special tokens: {special}"
    )
