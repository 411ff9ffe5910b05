"""Folders of LoRA adapters: small files that go with a base model, which is elsewhere.

    adapter_config.json          how it was made, with the keys of Hugging Face's peft
    adapter_model.safetensors    A and B of each matrix; for a classifier the head, score.weight
    minilm.json                  the hash of the base, the labels, the lineage, checksums

peft reads these folders, unless the head pools by the mean, and folders of peft are read here. peft
stores A as (rank, in) and B as (out, rank), also for GPT-2's matrices, which are (in, out); so does
`nn.lora`. Settings beyond plain LoRA that would change the logits are refused by name.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minilm import errors, files
from minilm.arrays import Array
from minilm.errors import ModelError, OptionError, OutputError, TrainingError
from minilm.nn import lora
from minilm.nn.config import POOLINGS, GPTConfig
from minilm.nn.llama_config import LlamaConfig
from minilm.nn.parameters import Config, param_shapes
from minilm.store import folder, huggingface, manifest, safetensors, transaction
from minilm.store.classification import Head
from minilm.store.manifest import Manifest, Stage
from minilm.store.transaction import FolderWriter

CONFIG = huggingface.ADAPTER_CONFIG
WEIGHTS = "adapter_model.safetensors"

_LORA = "LORA"
# With a head that judges a text by the mean of its positions: on transformers' models, which take
# the last, it would give other labels. peft refuses this name.
_MEAN_POOLED = "MINILM_MEAN_POOL_LORA"

_PREFIX = "base_model.model."
_HEAD = "base_model.model.score.weight"
# What peft puts before our names: GPT2LMHeadModel keeps its layers in `transformer`, Llama's name
# begins with `model.` already. GPT2Model and LlamaModel alone have neither.
_Kind = type[GPTConfig] | type[LlamaConfig]
_ARCHITECTURES: tuple[tuple[_Kind, str], ...] = ((GPTConfig, "transformer."), (LlamaConfig, ""))
_MAX_CONFIG = 1 << 20

# What peft can do beyond plain LoRA, off by default; each would change the logits.
_UNKNOWN = (
    "use_dora use_qalora use_bdlora lora_bias rank_pattern alpha_pattern layer_replication "
    "trainable_token_indices target_parameters alora_invocation_tokens kasa_config velora_config "
    "monteclora_config arrow_config"
).split()
_PLAIN_STARTS = (True, False, None, "gaussian", "orthogonal")  # other values change the base


@dataclass(frozen=True)
class SavedAdapter:
    """What an adapter's folder holds, in memory.

    Attributes
    ----------
    adapter : Adapter
    base_name : str
        Where the base was when the adapter was trained.
    base_sha256 : str or None
        The base's `fingerprint`; None in a folder that another program wrote.
    score : ndarray of shape (K, C) or None
        The classification head trained with it; None for an adapter of a language model.
    head : Head or None
        Labels and pooling of that head.
    lineage : tuple of Stage
        How base and adapter were trained, oldest first.
    """

    adapter: lora.Adapter
    base_name: str
    base_sha256: str | None
    score: Array | None = None
    head: Head | None = None
    lineage: tuple[Stage, ...] = ()


def fingerprint(config: Config, parameters: Mapping[str, Array]) -> str:
    """Return what tells one base from others: a SHA-256 of its shape and weights.

    It is the same for the same model in other files: of another program, in shards, with a head, or
    in half precision, which is widened to float32.
    """
    shapes = param_shapes(config)
    form: list[Any] = [config.n_head, config.norm_epsilon]
    form.append([[name, *shapes[name]] for name in sorted(shapes)])
    if isinstance(config, LlamaConfig):
        form += [config.rope_theta, config.rope_scaling and vars(config.rope_scaling)]
    digest = hashlib.sha256(json.dumps(form).encode())
    for name in sorted(shapes):
        digest.update(np.ascontiguousarray(parameters[name], "<f4").data)
    return digest.hexdigest()


def check_base(
    saved: SavedAdapter, path: str | os.PathLike[str], config: Config, sha256: str
) -> None:
    """Raise ModelError unless an adapter belongs to a base.

    Parameters
    ----------
    saved : SavedAdapter
    path : path-like
        Its folder, for the message.
    config : GPTConfig or LlamaConfig
        Of the base.
    sha256 : str
        The base's `fingerprint`.
    """
    if saved.base_sha256 is not None and saved.base_sha256 != sha256:
        raise ModelError(
            f"this adapter belongs to another base: {saved.base_name} with hash "
            f"{saved.base_sha256[:12]}, while this one has {sha256[:12]}; give it that base",
            path,
        )
    try:
        lora.check(saved.adapter, config)
    except OptionError as error:
        raise ModelError(str(error), path) from None
    if saved.score is not None and saved.score.shape[1] != config.n_embd:
        raise ModelError(
            f"its head has width {saved.score.shape[1]}, the base {config.n_embd}: it belongs to "
            "another base",
            path,
        )


def save(path: str | os.PathLike[str], saved: SavedAdapter) -> None:
    """Save an adapter to a folder that no process holds; replace an adapter in it.

    Raises
    ------
    OutputError
        When the folder holds a model, or cannot be written.
    TrainingError
        When a weight is not finite; such an adapter is never saved.
    """
    with FolderWriter(path) as writer:
        write(writer, saved)


def write(writer: FolderWriter, saved: SavedAdapter) -> None:
    """Save an adapter to a folder that this process holds; errors are those of `save`."""
    for name in huggingface.SIGNS:
        if (writer.path / name).exists():
            raise OutputError(
                f"{writer.path}: holds a model ({name}); save the adapter in another folder"
            )
    tensors = _tensors(saved)
    for name, value in tensors.items():
        if not np.isfinite(value).all():
            raise TrainingError(f"{name} is not finite; this adapter is not saved")
    head = saved.head
    record = {
        "base": saved.base_sha256,
        "labels": list(head.labels) if head else None,
        "pooling": head.pooling if head else None,
    }
    contents: dict[str, transaction.Content] = {
        CONFIG: json.dumps(_peft_config(saved), indent=2, ensure_ascii=False).encode() + b"\n",
        WEIGHTS: partial(safetensors.dump, tensors, metadata={"format": "pt"}),
    }
    writer.write(
        contents,
        seal=lambda digests: {manifest.NAME: manifest.render(digests, saved.lineage, record)},
    )


def load(path: str | os.PathLike[str], *, dtype: DTypeLike = np.float32) -> SavedAdapter:
    """Read an adapter's folder: ours, with every checksum, or peft's.

    `check_base` says whether it fits a base.

    Raises
    ------
    ModelError
        When something is missing or damaged, or is not plain LoRA of a GPT-2; it names the file.
    """
    at = Path(path)
    if not exists(at):
        what = (
            f"no {CONFIG} here; is this the folder of an adapter?"
            if at.is_dir()
            else "no such folder"
        )
        raise ModelError(what, at)
    transaction.settle_if_free(at)
    listed_at = transaction.locate(at, manifest.NAME)
    listed = manifest.read(listed_at) if listed_at.exists() else None
    for name, digest in (listed.files if listed else {}).items():
        folder.verify(at, name, digest)
    config = files.read_object(transaction.locate(at, CONFIG), max_bytes=_MAX_CONFIG)
    rank, alpha = _read_config(config, at / CONFIG)
    with safetensors.TensorFile(transaction.locate(at, WEIGHTS)) as file:
        weights, targets, score = _read_weights(file, rank, dtype)
    if score is not None and len(score) < 2:
        raise ModelError(
            "its head has 1 output, for regression; minilm reads heads that choose "
            "one of 2 labels or more",
            at / WEIGHTS,
        )
    sha256, head = _read_record(listed, 0 if score is None else len(score), at)
    base_name = config.get("base_model_name_or_path")
    return SavedAdapter(
        lora.Adapter(rank, alpha, targets, weights),
        base_name if isinstance(base_name, str) and base_name else "an unnamed base",
        sha256,
        score,
        head,
        listed.lineage if listed else (),
    )


def exists(path: str | os.PathLike[str]) -> bool:
    """Return whether a folder holds an adapter, good or damaged."""
    return transaction.locate(Path(path), CONFIG).exists()


def find(path: str | os.PathLike[str]) -> list[Path]:
    """Return the adapters' folders at or directly under a path, in alphabetical order.

    Raises
    ------
    ModelError
        When there is none.
    """
    at = Path(path)
    if not at.is_dir():
        raise ModelError("no such folder", at)
    found = [p for p in (at, *sorted(at.iterdir())) if p.is_dir() and exists(p)]
    if not found:
        raise ModelError(f"no adapter here or one folder below (no {CONFIG})", at)
    return found


def _tensors(saved: SavedAdapter) -> dict[str, Array]:
    """Return the arrays of an adapter under peft's names."""
    names = [name for name in saved.adapter.weights if ".lora_" in name]
    inside = "transformer." if _is_input_first(saved) else ""
    tensors = {_PREFIX + inside + name: saved.adapter.weights[name] for name in names}
    if saved.score is not None:
        tensors[_HEAD] = saved.score
    return tensors


def _is_input_first(saved: SavedAdapter) -> bool:
    return saved.adapter.targets[0] in GPTConfig.targets


def _peft_config(saved: SavedAdapter) -> dict[str, Any]:
    alpha = saved.adapter.alpha
    is_mean = saved.head is not None and saved.head.pooling == "mean"
    return {
        "peft_type": _MEAN_POOLED if is_mean else _LORA,
        "task_type": "CAUSAL_LM" if saved.head is None else "SEQ_CLS",
        "base_model_name_or_path": saved.base_name,
        "r": saved.adapter.rank,
        "lora_alpha": int(alpha) if alpha == int(alpha) else alpha,
        "lora_dropout": 0.0,
        "target_modules": list(saved.adapter.targets),
        "modules_to_save": None if saved.head is None else ["score"],
        "fan_in_fan_out": _is_input_first(saved),  # how the base stores its matrices
        "bias": "none",
        "inference_mode": True,
    }


def _read_config(config: Mapping[str, Any], path: Path) -> tuple[int, float]:
    """Return rank and alpha of a plain LoRA; raise ModelError at anything else."""
    if config.get("peft_type") not in (_LORA, _MEAN_POOLED):
        raise ModelError(
            f"its peft_type is {errors.brief(config.get('peft_type'))}; minilm only reads LORA",
            path,
        )
    beyond = [name for name in _UNKNOWN if config.get(name)]
    if config.get("bias", "none") != "none":
        beyond.append("bias")
    if config.get("init_lora_weights", True) not in _PLAIN_STARTS:
        beyond.append("init_lora_weights")
    if beyond:
        raise ModelError(
            f"{errors.listed(beyond)} is beyond plain LoRA, and minilm does not have it", path
        )
    rank, alpha = config.get("r"), config.get("lora_alpha")
    if type(rank) is not int or not 1 <= rank < 1 << 20:
        raise ModelError(f"the rank r is {errors.brief(rank)}; expected a whole number", path)
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not abs(alpha) < 1e30:
        raise ModelError(f"lora_alpha is {errors.brief(alpha)}; expected a number", path)
    if config.get("use_rslora"):  # which divides alpha by the square root of the rank
        alpha *= math.sqrt(rank)
    return rank, float(alpha)


def _read_weights(
    file: safetensors.TensorFile, rank: int, dtype: DTypeLike
) -> tuple[dict[str, Array], tuple[str, ...], Array | None]:
    """Return the factors by our names, the targets, and the head if there is one."""
    kind, factor = _architecture(file)
    layers: dict[str, set[int]] = {}
    found: dict[str, str] = {}
    for name in file:
        match = factor.fullmatch(name)
        if match:
            found[f"{kind.layers}{match[1]}.{match[2]}.{match[3]}"] = name
            layers.setdefault(match[2], set()).add(int(match[1]))
        elif name != _HEAD:
            raise ModelError(
                f"{errors.brief(name)} is not a factor of {', '.join(kind.targets)}; minilm "
                "only reads LoRA of these matrices",
                file.path,
            )
    if not found:
        raise ModelError("it holds no LoRA factor; copy the adapter again", file.path)
    count = 1 + max(max(numbers) for numbers in layers.values())
    targets = tuple(target for target in kind.targets if target in layers)
    for target in targets:
        for matrix in (f"{kind.layers}{layer}.{target}" for layer in range(count)):
            _check_factors(file, matrix, found, rank)
    arrays = {name: _array(file, stored, dtype) for name, stored in found.items()}
    return arrays, targets, _array(file, _HEAD, dtype) if _HEAD in file else None


def _architecture(
    file: safetensors.TensorFile,
) -> tuple[_Kind, re.Pattern[str]]:
    """Return of which architecture a file's factors are, GPT-2's if none, and what they match.

    The groups of the pattern are the layer, the matrix and the factor's own name.
    """
    patterns = []
    for kind, inside in _ARCHITECTURES:
        outer, layers = inside or "model.", kind.layers.removeprefix("model.")
        matrices = "|".join(map(re.escape, kind.targets))
        patterns.append(
            re.compile(
                rf"base_model\.model\.(?:{re.escape(outer)})?{re.escape(layers)}"
                rf"(\d{{1,4}})\.({matrices})\.(lora_[AB]\.weight)"
            )
        )
    for (kind, _), pattern in zip(_ARCHITECTURES, patterns, strict=True):
        if any(map(pattern.fullmatch, file)):
            return kind, pattern
    return GPTConfig, patterns[0]


def _check_factors(
    file: safetensors.TensorFile, matrix: str, found: Mapping[str, str], rank: int
) -> None:
    for name, axis in zip(lora.factors(matrix), (0, 1), strict=True):
        if name not in found:
            raise ModelError(
                f"{name} is missing; minilm adapts the same matrices in every layer", file.path
            )
        shape = file.infos[found[name]].shape
        if len(shape) != 2 or shape[axis] != rank:
            raise ModelError(
                f"{name} has the shape {errors.brief(shape)}, but {CONFIG} says rank {rank}",
                file.path,
            )


def _array(file: safetensors.TensorFile, name: str, dtype: DTypeLike) -> Array:
    if file.infos[name].dtype not in safetensors.FLOATS or len(file.infos[name].shape) != 2:
        raise ModelError(f"{errors.brief(name)} is not a matrix of floats", file.path)
    array: Array = np.array(file[name], dtype)
    if not np.isfinite(array).all():
        raise ModelError(f"{errors.brief(name)} holds NaN or infinity; it is damaged", file.path)
    return array


def _read_record(listed: Manifest | None, count: int, path: Path) -> tuple[str | None, Head | None]:
    """Return the base's hash and the head; another program's labels are named by number."""
    if listed is None:
        names = tuple(f"LABEL_{i}" for i in range(count))
        return None, Head(names, "last") if count else None
    record = listed.adapter if isinstance(listed.adapter, dict) else {}
    sha256, labels, pooling = (record.get(key) for key in ("base", "labels", "pooling"))
    names = tuple(str(label) for label in labels) if isinstance(labels, list) else ()
    is_head = len(names) == count and (pooling in POOLINGS or not count)
    if is_head and isinstance(sha256, str | None):
        return sha256, Head(names, str(pooling)) if count else None
    raise ModelError(f"its base, labels or pooling do not fit {WEIGHTS}", path / manifest.NAME)
