"""`minilm export DIR`: a model or classifier as an ONNX graph, to run without Python."""

from __future__ import annotations

import argparse
from pathlib import Path

from minilm import errors


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", type=Path, metavar="DIR", help="folder of a model or classifier")
    parser.add_argument(
        "--onnx-output",
        type=Path,
        default=Path("onnx_model"),
        metavar="FOLDER",
        help="where to write model.onnx and the tokenizer's files (default: ./onnx_model)",
    )


def run(options: argparse.Namespace) -> int:
    """Read the model and write the graph."""
    from minilm.store import classification, onnx

    model, head = classification.load_any(options.model)
    onnx.export(model, options.onnx_output, head)
    size = (options.onnx_output / onnx.MODEL).stat().st_size
    print(f"{options.onnx_output / onnx.MODEL}: {size:,} bytes")
    print("inputs: input_ids, attention_mask (batch_size, sequence_length)")
    if head is None:
        print("output: logits (batch_size, sequence_length, vocabulary)")
    else:
        print(f"output: logits (batch_size, {len(head.labels)}), of {errors.listed(head.labels)}")
    return 0
