"""A model as an ONNX graph, built node by node; needs the package `onnx` (extra: onnx).

The graph computes what `nn/gpt.py` and, for a classifier, `nn/heads.py` do. Inputs and output have
the names and axes of the ecosystem's exports without a cache, so that what a tokenizer returns can
be fed as it is:

    input_ids, attention_mask   int64 (batch_size, sequence_length)
    logits                      float32 (batch_size, sequence_length, V), of a language model
                                float32 (batch_size, labels), of a classifier

Positions are counted along the attention mask. So a padded sequence has the logits of the sequence
alone, on whichever side the padding is.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minilm.errors import MissingExtraError, ModelError, OutputError
from minilm.nn.config import GPTConfig
from minilm.nn.parameters import param_shapes
from minilm.store import classification, folder, huggingface, manifest, transaction
from minilm.store.classification import Head
from minilm.store.folder import SavedModel
from minilm.store.safetensors import Sink
from minilm.store.transaction import Content
from minilm.text import bpe_files

MODEL = "model.onnx"
DATA = "model.onnx_data"

# LayerNormalization came with 17; readers of the IR version that came with it know all the rest.
_OPSET, _IR = 17, 8
# Protocol buffers hold less than 2 GiB; larger weights go into a file of their own.
_LARGEST_FILE = (1 << 31) - (1 << 24)


def export(model: SavedModel, path: str | os.PathLike[str], head: Head | None = None) -> None:
    """Write `model.onnx` with the configuration and the tokenizer's files into a folder.

    Parameters
    ----------
    model : SavedModel
        With `score.weight` among its parameters if there is a head.
    path : path-like
        Made if it is not there. An earlier export in it is replaced, all of it or nothing.
    head : Head, optional
        Of a classifier.

    Raises
    ------
    MissingExtraError
        Without the package onnx.
    ModelError
        For a Llama, whose graph is not built here.
    OutputError
        When the folder holds a model, or cannot be written to.
    """
    if not isinstance(model.config, GPTConfig):
        raise ModelError(
            "a Llama; minilm writes the graph of a GPT-2 only. The folder itself is one that "
            "transformers and optimum read: optimum-cli export onnx --model FOLDER"
        )
    target = Path(path)
    for name in (manifest.NAME, *huggingface.SIGNS[1:]):
        if (target / name).exists():
            raise OutputError(f"{target}: holds a model ({name}); export to a folder of its own")
    config, parameters, tokenizer = model.config, model.parameters, model.tokenizer
    if head is None:
        contents = folder.model_files(config, parameters, tokenizer)
    else:
        contents = classification.model_files(
            config, parameters, tokenizer, head, end_of_text=model.end_of_text, in_graph=True
        )
    del contents[huggingface.WEIGHTS]
    contents.update(graph_files(config, parameters, head.pooling if head else None))
    replaced = {MODEL, DATA, folder.TOKENIZER_CONFIG, *bpe_files.NAMES}
    with transaction.FolderWriter(target) as writer:
        writer.write(contents, remove=replaced - set(contents))


def graph_files(
    config: GPTConfig, parameters: Mapping[str, NDArray[Any]], pooling: str | None = None
) -> dict[str, Content]:
    """Return the graph with its weights inside or, where they are too large, beside it.

    With a pooling, it is a classifier's, and `score.weight` is among the parameters.
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("onnx", "onnx", "the export to ONNX") from None
    names = [*param_shapes(config), *([huggingface.SCORE] if pooling else [])]
    weights = {name: np.ascontiguousarray(parameters[name], "<f4") for name in names}
    outside = sum(weight.nbytes for weight in weights.values()) > _LARGEST_FILE
    opset = onnx.helper.make_opsetid("", _OPSET)
    model = onnx.helper.make_model(
        _Graph(onnx, config).build(_tensors(onnx, weights, outside), pooling),
        opset_imports=[opset],
        ir_version=_IR,
        producer_name="minilm",
    )
    contents: dict[str, Content] = {MODEL: model.SerializeToString()}
    if outside:
        contents[DATA] = partial(_dump, weights)
    return contents


def _tensors(onnx: Any, weights: Mapping[str, NDArray[Any]], outside: bool) -> list[Any]:
    """Return the weights as TensorProto, with their values or with their places in `DATA`."""
    tensors, start = [], 0
    for name, weight in weights.items():
        tensor = onnx.TensorProto(name=name, dims=weight.shape, data_type=onnx.TensorProto.FLOAT)
        if outside:
            tensor.data_location = onnx.TensorProto.EXTERNAL
            for key, value in (("location", DATA), ("offset", start), ("length", weight.nbytes)):
                tensor.external_data.add(key=key, value=str(value))
            start += weight.nbytes
        else:
            tensor.raw_data = weight.tobytes()
        tensors.append(tensor)
    return tensors


def _dump(weights: Mapping[str, NDArray[Any]], file: Sink) -> None:
    for weight in weights.values():
        file.write(weight.reshape(-1).view(np.uint8).data)


class _Graph:
    """Collects nodes; each method adds some and returns the name of their result."""

    def __init__(self, onnx: Any, config: GPTConfig) -> None:
        self.onnx = onnx
        self.config = config
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def build(self, weights: list[Any], pooling: str | None) -> Any:
        """Return the whole graph as a GraphProto: a classifier's if there is a pooling."""
        helper, proto = self.onnx.helper, self.onnx.TensorProto
        times = self.times()
        allowed = self.allowed(times)
        x = self.embed()
        for layer in range(self.config.n_layer):
            x = self.add("Add", x, self.attention(self.norm(x, f"h.{layer}.ln_1"), layer, allowed))
            x = self.add("Add", x, self.mlp(self.norm(x, f"h.{layer}.ln_2"), layer))
        x = self.norm(x, "ln_f")
        axes: list[str | int] = ["batch_size", "sequence_length"]
        inputs = [
            helper.make_tensor_value_info(name, proto.INT64, axes)
            for name in ("input_ids", "attention_mask")
        ]
        if pooling is None:
            self.scores(x, "wte.weight")
            shape = [*axes, self.config.vocab_size]
        else:
            self.scores(self.pool(x, times, pooling), huggingface.SCORE)
            shape = [axes[0], weights[-1].dims[0]]
        output = helper.make_tensor_value_info("logits", proto.FLOAT, shape)
        everything = [*weights, *self.constants.values()]
        return helper.make_graph(self.nodes, "gpt2", inputs, [output], everything)

    def add(self, op: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add one node with one result."""
        name = output or f"{op}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def constant(self, value: Any, dtype: str = "<f4") -> str:
        """Return the name of a constant, one for each dtype, shape and value."""
        array = np.array(value, dtype)
        kind = array.dtype.name + "_list" * array.ndim
        name = f"constant_{kind}_{'_'.join(map(str, array.ravel().tolist()))}"
        if name not in self.constants:
            self.constants[name] = self.onnx.numpy_helper.from_array(array, name)
        return name

    def embed(self) -> str:
        """wte[ids] + wpe[positions]: (B, T) -> (B, T, C)."""
        counted = self.add("CumSum", "attention_mask", self.constant(1, "<i8"))
        before = self.add("Sub", counted, self.constant(1, "<i8"))
        positions = self.add("Max", before, self.constant(0, "<i8"))  # padding on the left: -1
        words = self.add("Gather", "wte.weight", "input_ids")
        return self.add("Add", words, self.add("Gather", "wpe.weight", positions))

    def times(self) -> str:
        """0, 1, ..., T - 1: (T,)."""
        length = self.add("Gather", self.add("Shape", "input_ids"), self.constant(1, "<i8"))
        return self.add("Range", self.constant(0, "<i8"), length, self.constant(1, "<i8"))

    def scores(self, x: str, table: str) -> str:
        """x @ table.T, the output of the graph."""
        return self.add("MatMul", x, self.add("Transpose", table, perm=[1, 0]), output="logits")

    def pool(self, x: str, times: str, pooling: str) -> str:
        """One state for each sequence, of its last real position or the mean: -> (B, C)."""
        kind = self.onnx.TensorProto.FLOAT
        real = self.add("Cast", "attention_mask", to=kind)
        if pooling == "last":
            # Each real position by its number from 1, so that padding, 0, is never the largest.
            numbers = self.add("Add", times, self.constant(1, "<i8"))
            numbers = self.add("Mul", numbers, "attention_mask")
            last = self.add("ReduceMax", numbers, axes=[1], keepdims=1)
            is_last = self.add("Cast", self.add("Equal", numbers, last), to=kind)
            weights = self.add("Mul", is_last, real)
        else:
            count = self.add("ReduceSum", real, self.constant([1], "<i8"), keepdims=1)
            weights = self.add("Div", real, self.add("Max", count, self.constant(1.0)))
        rows = self.add("Unsqueeze", weights, self.constant([1], "<i8"))  # (B, 1, T)
        return self.add("Squeeze", self.add("MatMul", rows, x), self.constant([1], "<i8"))

    def allowed(self, times: str) -> str:
        """Which key each query may look at, causal and not padding: (B, T) -> (B, 1, T, T)."""
        queries = self.add("Unsqueeze", times, self.constant([1], "<i8"))
        causal = self.add("LessOrEqual", times, queries)
        real = self.add("Cast", "attention_mask", to=self.onnx.TensorProto.BOOL)
        return self.add("And", causal, self.add("Unsqueeze", real, self.constant([1, 2], "<i8")))

    def norm(self, x: str, name: str) -> str:
        """Layer norm over the last axis."""
        return self.add(
            "LayerNormalization",
            x,
            f"{name}.weight",
            f"{name}.bias",
            axis=-1,
            epsilon=self.config.layer_norm_epsilon,
        )

    def linear(self, x: str, name: str) -> str:
        """x @ weight + bias."""
        return self.add("Add", self.add("MatMul", x, f"{name}.weight"), f"{name}.bias")

    def attention(self, x: str, layer: int, allowed: str) -> str:
        """softmax(q k^T / sqrt(D)) v, where allowed: (B, T, C) -> (B, T, C)."""
        heads, width = self.config.n_head, self.config.n_embd
        fused = self.linear(x, f"h.{layer}.attn.c_attn")
        names = [f"{part}_{layer}" for part in ("query", "key", "value")]
        self.nodes.append(self.onnx.helper.make_node("Split", [fused], names, axis=-1))
        shape = self.constant([0, 0, heads, width // heads], "<i8")  # 0: as it is
        query, key, value = (self.add("Reshape", name, shape) for name in names)
        query = self.add("Transpose", query, perm=[0, 2, 1, 3])
        key = self.add("Transpose", key, perm=[0, 2, 3, 1])
        value = self.add("Transpose", value, perm=[0, 2, 1, 3])
        scale = self.constant(1.0 / math.sqrt(width // heads))
        scores = self.add("Mul", self.add("MatMul", query, key), scale)
        # Not minus infinity: a padding's row that may look at nothing would become NaN.
        lowest = self.constant(np.finfo(np.float32).min)
        weights = self.add("Softmax", self.add("Where", allowed, scores, lowest), axis=-1)
        mixed = self.add("Transpose", self.add("MatMul", weights, value), perm=[0, 2, 1, 3])
        mixed = self.add("Reshape", mixed, self.constant([0, 0, width], "<i8"))
        return self.linear(mixed, f"h.{layer}.attn.c_proj")

    def mlp(self, x: str, layer: int) -> str:
        """c_proj(gelu(c_fc(x))), with GPT-2's gelu by tanh."""
        x = self.linear(x, f"h.{layer}.mlp.c_fc")
        cube = self.add("Mul", self.add("Mul", x, x), x)
        inner = self.add("Add", x, self.add("Mul", cube, self.constant(0.044715)))
        inner = self.add("Mul", inner, self.constant(math.sqrt(2.0 / math.pi)))
        gate = self.add("Add", self.add("Tanh", inner), self.constant(1.0))
        half = self.add("Mul", x, self.constant(0.5))
        return self.linear(self.add("Mul", half, gate), f"h.{layer}.mlp.c_proj")
