"""Cases of kata 7.3: a prompt and then tokens, in two families of models, and a text written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Case, Use
from minilm.models import generate
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT, KeyValueCache
from minilm.nn.llama import Llama
from minilm.nn.llama_config import LlamaConfig

_GPT = GPTConfig(vocab_size=17, n_positions=9, n_embd=20, n_layer=2, n_head=4)
_LLAMA = LlamaConfig(17, 24, 30, 2, 6, 3, 10, max_position_embeddings=9)


def _model(family: str, dtype: str) -> GPT:
    rng = np.random.default_rng(11)
    if family == "GPT-2":
        return GPT(_GPT, rng=rng, dtype=dtype)
    return Llama(_LLAMA, rng=rng, dtype=dtype)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases; each reads pieces of a text one after another."""
    yield _case(rng, "two positions, then one, then three", pieces=(2, 1, 3))
    yield _case(rng, "a prompt, then token after token", pieces=(4, 1, 1), batch=1)
    yield _case(rng, "room for less than the context", pieces=(3, 1, 1), length=6)
    yield _case(rng, "a single layer's first piece", pieces=(1,))
    yield _case(
        rng, "Llama, which has fewer heads of keys", family="Llama", pieces=(4, 2, 1), batch=5
    )
    yield _case(rng, "float32", pieces=(2, 1), dtype="float32")


def _case(
    rng: np.random.Generator,
    name: str,
    *,
    pieces: tuple[int, ...],
    family: str = "GPT-2",
    batch: int = 3,
    length: int | None = None,
    dtype: str = "float64",
) -> Case:
    config = _GPT if family == "GPT-2" else _LLAMA
    shape = (config.n_layer, batch, config.kv_heads, sum(pieces), config.head_size)
    inputs = {
        "k": rng.standard_normal(shape).astype(dtype),
        "v": rng.standard_normal(shape).astype(dtype),
        "pieces": pieces,
        "family": family,
        "length": length,
    }
    returns = (
        *(
            f"{what} of layer {layer} after call {call}"
            for call in range(1, len(pieces) + 1)
            for layer in range(config.n_layer)
            for what in ("keys", "values")
        ),
        "the shapes of the room",
        "cache.length",
    )
    return Use("KeyValueCache", read, inputs, returns=returns, name=name)


def read(cache_class: Any, k: Any, v: Any, pieces: Any, family: str, length: int | None) -> Any:
    """Read pieces of a text as a model does: all layers, then the length.

    Returns all that `extend` returned, and what the cache is afterwards.
    """
    cache = cache_class(_model(family, k.dtype.name), k.shape[1], length)
    found: list[Any] = []
    for piece in pieces:
        start = cache.length
        now = slice(start, start + piece)
        for layer in range(len(k)):
            returned = cache.extend(layer, k[layer][:, :, now], v[layer][:, :, now])
            if not isinstance(returned, tuple) or len(returned) != 2:
                return returned
            found += [np.array(part) for part in returned]
        cache.length += piece
    room = [np.shape(getattr(cache, name, ())) for name in ("keys", "values")]
    return (*found, room, cache.length)


def the_past_is_kept(f: Any, rng: np.random.Generator) -> str | None:
    """Compare a GPT's scores with a cache, token by token, with those that it gives without."""
    model = _model("GPT-2", "float64")
    ids = rng.integers(0, _GPT.vocab_size, (2, 9))
    cache = f.KeyValueCache(model, 2)
    model.next_logits(ids[:, :4], cache)
    for stop in range(5, 10):
        found = model.next_logits(ids[:, stop - 1 : stop], cache)
        wanted = model.logits(ids[:, :stop])[:, -1]
        if np.abs(found - wanted).max() > 1e-9:
            return f"after {stop} tokens the scores with the cache are not those without it"
    return None


def the_room_is_made_once(f: Any, rng: np.random.Generator) -> str | None:
    """Look whether the arrays are the same ones after a call."""
    cache = f.KeyValueCache(_model("GPT-2", "float64"))
    keys, values = cache.keys, cache.values
    new = rng.standard_normal((1, _GPT.kv_heads, 2, _GPT.head_size))
    cache.extend(0, new, new)
    if cache.keys is not keys or cache.values is not values:
        return "extend made new arrays; write into those that are there"
    return None


PROPERTIES = {
    "the same scores as without a cache": the_past_is_kept,
    "the room is made once": the_room_is_made_once,
}


def whole_model() -> dict[str, Any]:
    """Write with both families, and read a batch in three pieces."""
    found: dict[str, Any] = {}
    for family in ("GPT-2", "Llama"):
        model = _model(family, "float64")
        made = generate.generate(model, [3, 1, 4], 12, generate.Sampling(0), slide=True)
        found[f"what {family} writes"] = [token.id for token in made]
        cache = KeyValueCache(model, 2)
        for piece in ([[1, 2], [3, 4]], [[5], [6]], [[7, 8], [9, 10]]):
            scores = model.next_logits(piece, cache)
        found[f"the scores of {family}"] = scores
    return found
