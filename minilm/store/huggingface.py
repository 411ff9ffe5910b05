"""A folder of Hugging Face's GPT-2 or Llama, taken apart: configuration, weights, tokenizer.

Nothing is believed. The header of each weight file says which tensors there are; they are compared
with what `config.json` asks for, by name and shape, before memory is taken for them. Names may have
the prefix of a model with a head (`transformer.` in GPT-2, `model.` in Llama) or not, as the
original files have it.

Pickles (`pytorch_model.bin`) are never opened: reading one can run any code inside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minilm import errors, files
from minilm.arrays import Array
from minilm.errors import ModelError, OptionError
from minilm.nn import architectures
from minilm.nn.config import GPTConfig
from minilm.nn.llama_config import LlamaConfig
from minilm.nn.parameters import Config, Parameters, Shapes
from minilm.store import gguf, safetensors
from minilm.text import bpe_files
from minilm.text.bpe import BytePairTokenizer
from minilm.text.sentencepiece import SentencePieceTokenizer
from minilm.text.wordlevel import WordLevelTokenizer

CONFIG = "config.json"
ADAPTER_CONFIG = "adapter_config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")
#: A folder with any of these holds a model, or part of one.
SIGNS = (CONFIG, WEIGHTS, INDEX, *_PICKLES)

Tokenizer = BytePairTokenizer | WordLevelTokenizer | SentencePieceTokenizer

#: Returns where a file of the folder is; None if there is no such file.
Locate = Callable[[str], Path | None]

PREFIX = "transformer."
# Constants that older files carry with each layer: the causal mask, the rotary frequencies.
_CONSTANT = re.compile(
    r"h\.\d+\.attn\.(bias|masked_bias)|model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq"
)
_HEAD = "lm_head.weight"
#: The head of a `GPT2ForSequenceClassification`; the rest is a language model.
SCORE = "score.weight"

#: The `model_type` of a classifier that judges a text by the mean of all positions; otherwise it is
#: a GPT-2. transformers has no such model (see `classification`).
MEAN_POOLED = {"gpt2": "minilm_mean_pool", "llama": "minilm_mean_pool_llama"}

_MAX_CONFIG = 1 << 20
_MAX_INDEX = 1 << 24
_SLICE = 1 << 20  # items compared at a time


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in an open file.

    Attributes
    ----------
    path : Path
        Of the file.
    name : str
        As the file has it.
    info : TensorInfo
        What the file's header says about it: dtype, shape, and where its bytes start and stop.
    read : callable
        Returns the array.
    """

    path: Path
    name: str
    info: safetensors.TensorInfo | gguf.TensorInfo
    read: Callable[[], Array]


def read_config(locate: Locate, folder: Path) -> tuple[Config, dict[str, Any]]:
    """Return the configuration, and all that `config.json` says.

    Raises
    ------
    ModelError
        When the file is missing or damaged, or describes a model that minilm does not have.
    """
    path = locate(CONFIG)
    if path is None and locate(ADAPTER_CONFIG):
        raise ModelError(
            "an adapter, which needs its base model: minilm adapter list names the base, "
            "and minilm adapter merge makes one model of both",
            folder,
        )
    if path is None:
        raise ModelError(f"no {CONFIG} here; is this the folder of a model?", folder)
    values = files.read_object(path, max_bytes=_MAX_CONFIG)
    kinds = {name: kind for kind, name in MEAN_POOLED.items()}
    named = values.get("model_type")
    kind = kinds[named] if isinstance(named, str) and named in kinds else None
    try:
        plain = {**values, "model_type": kind} if kind else values
        return architectures.config_from_dict(plain), values
    except OptionError as error:
        raise ModelError(str(error), path) from None


def open_weights(locate: Locate, folder: Path, shapes: Shapes) -> dict[str, StoredTensor]:
    """Return where each parameter is stored, once their names and shapes are those of `shapes`.

    A classifier's `score.weight` may be there too: a matrix with as many columns as the word
    embedding. A Llama has a head of its own where `shapes` has one.

    Raises
    ------
    ModelError
        When there are no weights in safetensors, a file is damaged, or a tensor is missing, has
        another shape, is not of floats, or does not belong to this model.
    """
    kind = LlamaConfig if LlamaConfig.table in shapes else GPTConfig
    own_head = _HEAD in shapes
    found: dict[str, StoredTensor] = {}
    for file in _open_files(locate, folder):
        for name in file:
            short = name.removeprefix(PREFIX)
            if kind is LlamaConfig and name.startswith(("layers.", "embed_tokens.", "norm.")):
                short = f"model.{name}"
            if _CONSTANT.fullmatch(short):
                continue
            if short in found:
                raise ModelError(
                    f"{short} appears twice, as {found[short].name} and as {name}", file.path
                )
            read = partial(file.__getitem__, name)
            found[short] = StoredTensor(file.path, name, file.infos[name], read)
    place = next((tensor.path for tensor in found.values()), folder)
    head = None if own_head else found.pop(_HEAD, None)
    if missing := [name for name in shapes if name not in found]:
        raise ModelError(
            f"{errors.listed(missing)} missing, which {CONFIG} asks for; do the files belong "
            "together?",
            place,
        )
    if unexpected := [name for name in found if name not in shapes and name != SCORE]:
        raise ModelError(
            f"unexpected {errors.listed(unexpected)}; {CONFIG} describes a model without", place
        )
    for name, shape in shapes.items():
        _check_tensor(name, found[name], shape)
    if head is not None:
        _check_head(head, found[kind.table], kind.table)
    if SCORE in found:
        labels, width = found[SCORE].info.shape[:1], shapes[kind.table][1]
        _check_tensor(SCORE, found[SCORE], (*labels, width))
    return found


def read_parameters(
    stored: Mapping[str, StoredTensor], shapes: Shapes, *, dtype: DTypeLike = np.float32
) -> Parameters:
    """Return the parameters in one store of a dtype; half precision is widened.

    Raises
    ------
    ModelError
        When a weight is NaN or infinite.
    """
    parameters = Parameters(shapes, dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # infinities are found below
        for name in shapes:
            parameters[name][...] = stored[name].read()
    if fault := not_finite(parameters):
        path = stored[fault.partition("[")[0]].path
        raise ModelError(f"{fault}; the weights are damaged, or training diverged", path)
    return parameters


def read_tokenizer(locate: Locate, vocab_size: int) -> Tokenizer | None:
    """Return the folder's tokenizer; None if it has no tokenizer files.

    Raises
    ------
    ModelError
        When a file is damaged, of another kind of tokenizer, or has more tokens than the model.
    """
    path, vocab, merges = map(locate, bpe_files.NAMES)
    tokenizer: Tokenizer
    if path is not None:
        model = files.read_object(path, max_bytes=bpe_files.MAX_BYTES).get("model")
        tokenizer = _tokenizer_kind(model).from_tokenizer_json(path)
    elif vocab is None and merges is None:
        return None
    elif vocab is None or merges is None:
        there = vocab or merges
        missing = bpe_files.MERGES if merges is None else bpe_files.VOCAB
        raise ModelError(f"{missing} is missing beside it; copy the folder again", there)
    else:
        added = locate(bpe_files.ADDED_TOKENS)
        path, tokenizer = vocab, BytePairTokenizer.from_files(vocab, merges, added)
    if len(tokenizer.vocab) > vocab_size:
        raise ModelError(
            f"{len(tokenizer.vocab):,} tokens, but the model's vocabulary has {vocab_size:,}; "
            "the tokenizer belongs to another model",
            path,
        )
    return tokenizer


def _tokenizer_kind(model: Any) -> type[Tokenizer]:
    """Return the class that reads a `tokenizer.json`, given what is under "model" in it."""
    settings = model if isinstance(model, dict) else {}
    if settings.get("type") == "WordLevel":
        return WordLevelTokenizer
    return SentencePieceTokenizer if settings.get("byte_fallback") is True else BytePairTokenizer


def not_finite(parameters: Parameters) -> str | None:
    """Return the first weight that is NaN or infinite, with its place; None if there is none.

    One pass without memory of its own finds out whether there can be any: then the sum of squares
    is not finite. (That is so for an overflow too; the slow search then finds none.)
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.dot(parameters.flat, parameters.flat)
    return None if np.isfinite(total) else parameters.not_finite()


def _open_files(locate: Locate, folder: Path) -> list[safetensors.TensorFile]:
    """Return the open weight files: one, or the shards in the index."""
    path = locate(WEIGHTS)
    if path is not None:
        return [safetensors.TensorFile(path)]
    index = locate(INDEX)
    if index is not None:
        return _open_shards(locate, folder, index)
    if pickle := next(filter(None, map(locate, _PICKLES)), None):
        raise ModelError(
            "the weights are here only as a pickle, which can run any code when it is read, so "
            "minilm does not open it. If you trust it, convert it with transformers:\n"
            "    from transformers import AutoModelForCausalLM\n"
            f"    AutoModelForCausalLM.from_pretrained({str(folder)!r})"
            f".save_pretrained({str(folder)!r})",
            pickle,
        )
    raise ModelError(f"no weights here: {WEIGHTS} is missing; copy the folder again", folder)


def _open_shards(locate: Locate, folder: Path, index: Path) -> list[safetensors.TensorFile]:
    weight_map = files.read_object(index, max_bytes=_MAX_INDEX).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ModelError("it has no weight_map from tensors to files; copy it again", index)
    shards: dict[str, safetensors.TensorFile] = {}
    for shard in weight_map.values():
        if not files.is_safe_name(shard) or "/" in shard or not shard.endswith(".safetensors"):
            raise ModelError(
                f"{errors.brief(shard)} is not the name of a .safetensors file in this folder",
                index,
            )
        if shard not in shards:
            path = locate(shard)
            if path is None:
                raise ModelError(f"the shard {shard} that it names is missing", index)
            shards[shard] = safetensors.TensorFile(path)
    for name, shard in weight_map.items():
        if name not in shards[shard]:
            raise ModelError(
                f"no tensor {errors.brief(name)}, which {INDEX} lists here", folder / shard
            )
    for shard, file in shards.items():
        if extra := [name for name in file if weight_map.get(name) != shard]:
            raise ModelError(f"{errors.listed(extra)} is not where {INDEX} says", file.path)
    return list(shards.values())


def _check_tensor(name: str, tensor: StoredTensor, shape: tuple[int, ...]) -> None:
    if tensor.info.shape != shape:
        raise ModelError(
            f"{name} has the shape {errors.brief(tensor.info.shape)}, "
            f"but {CONFIG} asks for {shape}",
            tensor.path,
        )
    if tensor.info.dtype not in safetensors.FLOATS:
        raise ModelError(f"{name} has the dtype {tensor.info.dtype}, not a float", tensor.path)


def _check_head(head: StoredTensor, table: StoredTensor, name: str) -> None:
    """Accept a head of its own only where it is the word embedding again."""
    same = head.info.shape == table.info.shape
    if same:
        mine, theirs = head.read(), table.read()
        rows = max(1, _SLICE // max(1, mine.shape[-1]))
        same = all(
            np.array_equal(mine[i : i + rows], theirs[i : i + rows], equal_nan=True)
            for i in range(0, len(mine), rows)
        )
    if not same:
        raise ModelError(
            f"{_HEAD} differs from {name}, but this model's head is the word embedding itself "
            f"(tied); {CONFIG} may belong to another model",
            head.path,
        )
