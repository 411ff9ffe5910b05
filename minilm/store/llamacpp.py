"""A GGUF file, taken apart as `huggingface` does a folder: configuration, weights, tokenizer.

llama.cpp turns neighboring channels of queries and keys as pairs, Hugging Face the two halves of a
head. So a GGUF stores the rows of those two matrices in another order, which is undone here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minilm import errors
from minilm.arrays import Array
from minilm.errors import ModelError, OptionError
from minilm.nn.llama import rotary_frequencies
from minilm.nn.llama_config import LlamaConfig, RopeScaling
from minilm.nn.parameters import param_shapes
from minilm.store import manifest
from minilm.store.gguf import GGUFFile
from minilm.store.huggingface import StoredTensor, Tokenizer
from minilm.store.manifest import Stage
from minilm.store.opened import OpenModel, end_of_text
from minilm.text import pretokenize
from minilm.text.bpe import BytePairTokenizer
from minilm.text.bpe_files import Style
from minilm.text.sentencepiece import SentencePieceTokenizer

# Hugging Face's names of what GGUF calls otherwise; layers are `blk.N.` and `model.layers.N.`.
_OUTSIDE = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
_INSIDE = {
    "input_layernorm.weight": "attn_norm.weight",
    "self_attn.q_proj.weight": "attn_q.weight",
    "self_attn.k_proj.weight": "attn_k.weight",
    "self_attn.v_proj.weight": "attn_v.weight",
    "self_attn.o_proj.weight": "attn_output.weight",
    "post_attention_layernorm.weight": "ffn_norm.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight",
    "mlp.up_proj.weight": "ffn_up.weight",
    "mlp.down_proj.weight": "ffn_down.weight",
}
# What Llama 3.1 and later put here in place of naming the settings of their scaling.
_ROPE_FACTORS = "rope_freqs.weight"
_LLAMA3_FACTORS = (8.0, 32.0)

# tokenizer.ggml.pre -> how text is cut
_STYLES = {
    "gpt-2": Style(),
    "gpt2": Style(),
    "smollm": Style(pretokenize.DIGITS),
    "llama-bpe": Style(pretokenize.LLAMA3, ignore_merges=True),
    "llama3": Style(pretokenize.LLAMA3, ignore_merges=True),
    "llama-v3": Style(pretokenize.LLAMA3, ignore_merges=True),
}
_UNKNOWN, _CONTROL, _USER_DEFINED = 2, 3, 4  # types of tokens


@contextmanager
def opened(path: Path) -> Iterator[OpenModel]:
    """Open a file as a model.

    Raises
    ------
    ModelError
        When the file is damaged, of another architecture than Llama, or has something that is not
        built here; the message names it.
    """
    with GGUFFile(path) as file:
        try:
            config = _config(file)
        except OptionError as error:
            raise ModelError(str(error), file.path) from None
        stored = _stored(file, config)
        config = replace(config, rope_scaling=_rope_scaling(file, config))
        tokenizer = _tokenizer(file, config)
        end = end_of_text(tokenizer, config.eos_token_id, config)
        lineage = (_stage(file),)
        yield OpenModel(path, config, config.to_dict(), stored, tokenizer, end, None, lineage)


def _stored(file: GGUFFile, config: LlamaConfig) -> dict[str, StoredTensor]:
    """Return where each parameter is stored, once their names and shapes are as expected."""
    shapes = param_shapes(config)
    names = {name: _gguf_name(name) for name in shapes}
    _check_tensors(file, {names[name]: shape for name, shape in shapes.items()})
    return {
        name: StoredTensor(
            file.path, there, file.infos[there], partial(_unpermuted, file, there, name, config)
        )
        for name, there in names.items()
    }


def _gguf_name(name: str) -> str:
    if name in _OUTSIDE:
        return _OUTSIDE[name]
    number, inside = name.removeprefix(LlamaConfig.layers).split(".", 1)
    return f"blk.{number}.{_INSIDE[inside]}"


def _config(file: GGUFFile) -> LlamaConfig:
    metadata = file.metadata
    kind = metadata.get("general.architecture")
    if kind != "llama":
        raise ModelError(
            f"a model of the architecture {errors.brief(kind)}; only llama is read", file.path
        )

    def value(key: str, default: Any = None) -> Any:
        found = metadata.get(f"llama.{key}", default)
        if found is None:
            raise ModelError(f"the metadata has no llama.{key}", file.path)
        return found

    table = file.infos.get("token_embd.weight")
    if table is None or len(table.shape) != 2:
        raise ModelError("no matrix token_embd.weight in it", file.path)
    heads, width = value("attention.head_count"), value("embedding_length")
    _check_scaling(file)
    size = metadata.get("llama.attention.key_length")
    if size is None:
        if type(heads) is not int or type(width) is not int or not 1 <= heads <= width:
            raise ModelError(
                f"llama.attention.head_count is {errors.brief(heads)} and embedding_length "
                f"{errors.brief(width)}; expected whole numbers, the first the smaller",
                file.path,
            )
        size = width // heads
    for key in ("rope.dimension_count", "attention.value_length"):
        if value(key, size) != size:
            raise ModelError(
                f"llama.{key} is {errors.brief(value(key))}, but a head has {size} channels; "
                "only models in which these are one are built",
                file.path,
            )
    return LlamaConfig(
        vocab_size=table.shape[0],
        hidden_size=width,
        intermediate_size=value("feed_forward_length"),
        num_hidden_layers=value("block_count"),
        num_attention_heads=heads,
        num_key_value_heads=value("attention.head_count_kv", heads),
        head_dim=size,
        max_position_embeddings=value("context_length"),
        rms_norm_eps=_shortest(value("attention.layer_norm_rms_epsilon", 1e-5)),
        rope_theta=_shortest(value("rope.freq_base", 10000.0)),
        tie_word_embeddings="output.weight" not in file,
        bos_token_id=_token_id(file, "bos", table.shape[0]),
        eos_token_id=_token_id(file, "eos", table.shape[0]),
    )


def _check_scaling(file: GGUFFile) -> None:
    """Raise ModelError if positions are stretched; a file that names no kind means "linear"."""
    kind = file.metadata.get("llama.rope.scaling.type", "linear")
    for key in ("llama.rope.scaling.factor", "llama.rope.scale_linear"):
        factor = file.metadata.get(key, 1.0)
        if kind not in ("none", "linear") or (kind == "linear" and factor not in (0.0, 1.0)):
            raise ModelError(
                f"rotary positions scaled by the kind {errors.brief(kind)} and the factor "
                f"{errors.brief(factor)}; only plain ones are built",
                file.path,
            )


def _shortest(value: Any) -> Any:
    """Return the shortest decimal that is a single-precision number: 1e-5, not 9.99999974e-6."""
    return float(str(np.float32(value))) if isinstance(value, float) else value


def _token_id(file: GGUFFile, role: str, count: int) -> int | None:
    value = file.metadata.get(f"tokenizer.ggml.{role}_token_id")
    if value is not None and (type(value) is not int or not 0 <= value < count):
        raise ModelError(
            f"tokenizer.ggml.{role}_token_id is {errors.brief(value)}, outside the vocabulary of "
            f"{count:,}",
            file.path,
        )
    return value


def _check_tensors(file: GGUFFile, shapes: dict[str, tuple[int, ...]]) -> None:
    """Raise ModelError unless the file has the tensors of the configuration and no others."""
    if missing := [name for name in shapes if name not in file.infos]:
        raise ModelError(
            f"{errors.listed(missing)} missing, which its metadata asks for", file.path
        )
    unexpected = [name for name in file.infos if name not in shapes and name != _ROPE_FACTORS]
    if unexpected:
        raise ModelError(
            f"unexpected {errors.listed(unexpected)}; a Llama as it is built here has no such",
            file.path,
        )
    for name, shape in shapes.items():
        if file.infos[name].shape != shape:
            raise ModelError(
                f"{name} has the shape {file.infos[name].shape}, but the metadata asks for {shape}",
                file.path,
            )


def _rope_scaling(file: GGUFFile, config: LlamaConfig) -> RopeScaling | None:
    """Return the settings whose frequencies a file has; Llama 3's are tried, others refused."""
    if _ROPE_FACTORS not in file.infos:
        return None
    stored = file[_ROPE_FACTORS].reshape(-1)
    plain = rotary_frequencies(config)
    for factor in _LLAMA3_FACTORS:
        scaling = RopeScaling(factor, 1.0, 4.0, 8192)
        expected = plain / rotary_frequencies(replace(config, rope_scaling=scaling))
        if stored.shape == expected.shape and np.allclose(stored, expected, rtol=1e-4):
            return scaling
    raise ModelError(
        f"{_ROPE_FACTORS} stretches the positions in a way that is not Llama 3's; only that is "
        "built",
        file.path,
    )


def _unpermuted(file: GGUFFile, there: str, name: str, config: LlamaConfig) -> Array:
    """Return a tensor with the rows of queries and keys in Hugging Face's order.

    In a head of D rows GGUF has 0, D/2, 1, D/2 + 1, ...: the two of a pair side by side.
    """
    array = file[there]
    if name.endswith("q_proj.weight"):
        heads = config.n_head
    elif name.endswith("k_proj.weight"):
        heads = config.kv_heads
    else:
        return array
    pairs = array.reshape(heads, config.head_size // 2, 2, array.shape[1])
    return pairs.swapaxes(1, 2).reshape(array.shape)


def _stage(file: GGUFFile) -> Stage:
    """Return what the lineage says of the file."""
    about = {
        key: file.metadata[f"general.{key}"]
        for key in ("name", "organization", "finetune", "size_label", "license")
        if isinstance(file.metadata.get(f"general.{key}"), str)
    }
    kinds = Counter(info.kind.name for info in file.infos.values())
    settings = {"format": f"GGUF version {file.version}", **about, "tensors": dict(kinds)}
    return Stage("convert", (manifest.source(file.path),), 0, 0, settings)


def _tokenizer(file: GGUFFile, config: LlamaConfig) -> Tokenizer:
    """Return the tokenizer of the metadata.

    Raises
    ------
    ModelError
        When it is of another kind, or has not as many tokens as the model.
    """

    def listed(key: str, kind: type) -> list[Any]:
        found = file.metadata.get(f"tokenizer.ggml.{key}")
        if not isinstance(found, list) or not all(isinstance(item, kind) for item in found):
            raise ModelError(f"the metadata has no tokenizer.ggml.{key} as it should be", file.path)
        return found

    def flag(key: str, default: bool) -> bool:
        return bool(file.metadata.get(f"tokenizer.ggml.{key}", default))

    tokens, types = listed("tokens", str), listed("token_type", int)
    if len(tokens) != config.vocab_size or len(types) != len(tokens):
        raise ModelError(
            f"{len(tokens):,} tokens and {len(types):,} types, but the model's vocabulary has "
            f"{config.vocab_size:,}",
            file.path,
        )
    if len(set(tokens)) < len(tokens):
        twice = next(token for token, count in Counter(tokens).items() if count > 1)
        raise ModelError(f"the token {errors.brief(twice)} is there twice", file.path)
    model = file.metadata.get("tokenizer.ggml.model")
    special = [
        token
        for token, kind in zip(tokens, types, strict=True)
        if kind in (_CONTROL, _USER_DEFINED) or (kind == _UNKNOWN and model == "llama")
    ]
    style = Style() if model == "llama" else _style(file, model)
    # Where the file does not say, llama.cpp begins a text so for SentencePiece and for Llama 3.
    begins = flag("add_bos_token", model == "llama" or style.ignore_merges)
    first = config.bos_token_id if begins else None
    begins_with = None if first is None else tokens[first]
    tokenizer: Tokenizer
    try:
        if model == "llama":
            scores = listed("scores", float)
            if len(scores) != len(tokens):
                raise ModelError(f"{len(scores):,} scores of tokens", file.path)
            tokenizer = SentencePieceTokenizer.from_scores(
                dict(zip(tokens, scores, strict=True)),
                special,
                prefix="every" if flag("add_space_prefix", True) else "never",
                begins_with=begins_with,
            )
        else:
            merges = [_merge(merge, file.path) for merge in listed("merges", str)]
            vocab = {token: number for number, token in enumerate(tokens)}
            style = replace(style, begins_with=begins_with)
            tokenizer = BytePairTokenizer(vocab, merges, special, style=style)
    except ModelError as error:
        if error.path is not None:
            raise
        raise ModelError(f"its tokenizer: {error}", file.path) from None
    template = file.metadata.get("tokenizer.chat_template")
    tokenizer.chat_template = template if isinstance(template, str) else None
    return tokenizer


def _style(file: GGUFFile, model: Any) -> Style:
    pre = file.metadata.get("tokenizer.ggml.pre")
    if model != "gpt2" or not isinstance(pre, str) or pre not in _STYLES:
        raise ModelError(
            f"a tokenizer of the kind {errors.brief(model)}, {errors.brief(pre)}; 'llama' is read, "
            f"and 'gpt2' with {', '.join(map(repr, _STYLES))}",
            file.path,
        )
    return _STYLES[pre]


def _merge(merge: str, path: Path) -> tuple[str, str]:
    left, blank, right = merge.partition(" ")
    if not left or not blank or not right or " " in right:
        raise ModelError(f"{errors.brief(merge)} is not a merge; two tokens were expected", path)
    return left, right
