"""What a folder says about itself: a model's, without reading its weights, or an adapter's."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from minilm.nn.parameters import param_shapes
from minilm.store import adapters, classification, folder
from minilm.store.folder import OpenModel
from minilm.store.huggingface import SCORE
from minilm.text.bpe import BytePairTokenizer
from minilm.text.sentencepiece import SentencePieceTokenizer

# One set of names for both architectures.
_SHAPE = ("n_layer", "n_head", "kv_heads", "n_embd", "n_positions", "vocab_size")


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return shapes, counts, vocabulary and lineage of a folder's model, as JSON values.

    Raises
    ------
    ModelError
        When the folder is damaged; for a foreign one, as far as its headers show it.
    """
    return folder.reading(path, _describe)


def _describe(opened: OpenModel) -> dict[str, Any]:
    infos = {name: tensor.info for name, tensor in opened.stored.items()}
    tensors = [
        {"name": name, "shape": list(infos[name].shape), "dtype": infos[name].dtype}
        for name in (*param_shapes(opened.config), SCORE)
        if name in infos
    ]
    head = classification.head(opened)
    manifest, seen = opened.manifest, opened.seen()
    return {
        "folder": str(opened.path),
        "made_by": "minilm" if manifest else "another program",
        "config": opened.config.to_dict(),
        "shape": {key: getattr(opened.config, key) for key in _SHAPE},
        "parameters": sum(info.size for info in infos.values()),
        "bytes": sum(info.stop - info.start for info in infos.values()),
        "tensors": tensors,
        "labels": list(head.labels) if head else None,
        "pooling": head.pooling if head else None,
        "problem_type": classification.problem_type(opened),
        "tokenizer": _describe_tokenizer(opened),
        "end_of_text": opened.end_of_text,
        "lineage": [asdict(stage) for stage in opened.lineage],
        "documents_seen": None if seen is None else len(seen),
        "training_state": opened.state_files(),
    }


def _describe_tokenizer(opened: OpenModel) -> dict[str, Any] | None:
    tokenizer = opened.tokenizer
    if tokenizer is None:
        return None
    if isinstance(tokenizer, BytePairTokenizer):
        kind = {"kind": "byte-level BPE", "merges": len(tokenizer.merges)}
    elif isinstance(tokenizer, SentencePieceTokenizer):
        kind = {"kind": "SentencePiece BPE", "merges": len(tokenizer.merges)}
    else:
        kind = {"kind": "words"}
    return {
        **kind,
        "entries": len(tokenizer.vocab),
        "special_tokens": list(tokenizer.special_tokens),
    }


def describe_adapter(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what an adapter's folder holds and which base it is for, as JSON values.

    Raises
    ------
    ModelError
        When the folder is damaged.
    """
    saved = adapters.load(path)
    arrays = [*saved.adapter.weights.values(), *([] if saved.score is None else [saved.score])]
    return {
        "folder": str(path),
        "labels": list(saved.head.labels) if saved.head else None,
        "pooling": saved.head.pooling if saved.head else None,
        "rank": saved.adapter.rank,
        "alpha": saved.adapter.alpha,
        "targets": list(saved.adapter.targets),
        "parameters": sum(array.size for array in arrays),
        "base": saved.base_name,
        "base_sha256": saved.base_sha256,
        "lineage": [asdict(stage) for stage in saved.lineage],
    }
