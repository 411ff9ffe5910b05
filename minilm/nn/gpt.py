"""GPT-2, forward and backward, on the operations of `functional`. Read it from top to bottom.

Pre-norm blocks and learned positions (Radford et al. 2019, "Language Models are Unsupervised
Multitask Learners", section 2.3):

    x = wte[ids] + wpe[0..T-1]
    x = x + attention(ln_1(x))        for each layer
    x = x + mlp(ln_2(x))
    hidden = ln_f(x)
    logits = hidden @ wte.T

A block is a pair of pure functions, `block` and `block_backward`, each made of two halves. `Body`
runs the blocks in a loop, and backward in the reverse loop; `GPT` adds the head, which is tied to
the word embedding. Classifiers put another head on the same body (`heads.py`).

LoRA and generation use the same code: LoRA's factors are stored beside the matrices they adapt
(`lora.py`), and generation passes in a cache of keys and values (`KeyValueCache`). Inputs are
checked in `checks.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minilm.arrays import Array, Ids
from minilm.errors import OptionError
from minilm.nn import checks, lora
from minilm.nn import functional as F
from minilm.nn.config import GPTConfig
from minilm.nn.functional import Cache
from minilm.nn.parameters import Config, FlatStore, Gradients, Parameters, depth, param_shapes


def initial_parameters(
    config: Config, *, rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> Parameters:
    """Draw the parameters of a new model as GPT-2's were drawn.

    Matrices are normal with standard deviation `initializer_range`. Those that write into the
    residual stream (`c_proj`, in Llama `o_proj` and `down_proj`) are divided by the square root of
    the number of such writes, two a layer, so that the stream's variance does not grow with depth
    (Radford et al. 2019, section 2.3). Gains are 1, biases 0. Drawn in float64, so that models of
    two dtypes differ by rounding only.
    """
    parameters = Parameters(param_shapes(config), dtype)
    for name, shape in param_shapes(config).items():
        if len(shape) == 2:
            deviation = config.initializer_range
            if name.endswith(config.writers):
                deviation /= math.sqrt(2 * config.n_layer)
            parameters[name][...] = rng.normal(0.0, deviation, shape)
        elif name.endswith("weight"):
            parameters[name][...] = 1.0
    return parameters


# ------------------------------------------------------------------------- the embeddings


def embed(ids: Ids, words: Array, positions: Array, start: int = 0) -> tuple[Array, Cache]:
    """Add the row of each token to the row of its position: the start of the residual stream.

    `x[b, t] = words[ids[b, t]] + positions[start + t]`.

    Parameters
    ----------
    ids : integer ndarray of shape (B, T)
    words : ndarray of shape (V, C)
    positions : ndarray of shape (P, C)
        P is the context: the most positions that the model can read.
    start : int
        The position of the first token; more than 0 after a cache of keys and values.

    Returns
    -------
    x : ndarray of shape (B, T, C)
    cache : (ids, V, P, start)
    """
    x = F.embedding(ids, words)[0] + positions[start : start + ids.shape[1]]
    return x, (ids, len(words), len(positions), start)


def embed_backward(dx: Array, cache: Cache, dhead: Array | None = None) -> tuple[Array, Array]:
    """Return dwords and dpositions of `embed`.

    The table of words is used twice, here and in the tied head: its gradient is the sum of both.

    Parameters
    ----------
    dx : ndarray of shape (B, T, C)
    cache : (ids, V, P, start)
    dhead : ndarray of shape (V, C), optional
        The table's gradient from the head.

    Returns
    -------
    dwords : ndarray of shape (V, C)
    dpositions : ndarray of shape (P, C)
        Zero where no token was.
    """
    ids, vocabulary, context, start = cache
    dwords = F.embedding_backward(dx, (ids, vocabulary))
    if dhead is not None:
        dwords += dhead
    dpositions = np.zeros((context, dx.shape[-1]), dx.dtype)
    dpositions[start : start + ids.shape[1]] = dx.sum(axis=0)
    return dwords, dpositions


# ---------------------------------------------------------------------------- one block


@dataclass(frozen=True)
class Layer:
    """What a block needs besides its input.

    Attributes
    ----------
    weights : mapping of str to ndarray
        The block's parameters, by their names within the block: `ln_1.weight`, `mlp.c_fc.bias`, ...
        If a matrix is adapted, its factors too: `attn.c_attn.lora_A.weight`.
    heads : int
    epsilon : float
        The epsilon of layer norm.
    trained : frozenset of str, optional
        The names whose gradients are computed; all by default.
    scaling : float
        The factor on LoRA's low-rank product.
    attn_pdrop, resid_pdrop : float
        Dropout rates: on the attention weights, and before each addition to the residual stream.
    """

    weights: Mapping[str, Array]
    heads: int
    epsilon: float = 1e-5
    trained: frozenset[str] | None = None
    scaling: float = 1.0
    attn_pdrop: float = 0.0
    resid_pdrop: float = 0.0

    def __repr__(self) -> str:
        """Return the class with its size."""
        return f"Layer({len(self.weights)} arrays, {self.heads} heads)"

    def trains(self, name: str) -> bool:
        """Return whether the gradient of a parameter is to be computed."""
        return name in self.weights and (self.trained is None or name in self.trained)


def block(
    x: Array,
    layer: Layer,
    *,
    rng: np.random.Generator | None = None,
    extend: F.Extend | None = None,
) -> tuple[Array, Cache]:
    """Add the output of attention to the residual stream, then the output of the MLP.

    `x = x + attention(ln_1(x))`, then `x = x + mlp(ln_2(x))`.

    Parameters
    ----------
    x : ndarray of shape (B, T, C)
    layer : Layer
    rng : numpy.random.Generator, optional
        Draws the dropout; without it there is none.
    extend : callable, optional
        Gives attention the keys and values of earlier positions; see `F.multi_head_attention`.

    Returns
    -------
    y : ndarray of shape (B, T, C)
    cache : (cache of the attention half, cache of the MLP half)
    """
    x, attention = attention_half(x, layer, rng, extend)
    x, mlp = mlp_half(x, layer, rng)
    return x, (attention, mlp)


def block_backward(dy: Array, cache: Cache, layer: Layer) -> tuple[Array, Gradients]:
    """Return dx of `block`, and the gradients of its trained parameters by name.

    Each half is `y = x + f(x)`, so the gradient has two paths, around `f` and through it, and `dx`
    is the sum of the two.

    Parameters
    ----------
    dy : ndarray of shape (B, T, C)
    cache
        What `block` returned.
    layer : Layer
        The one that `block` was called with.
    """
    attention, mlp = cache
    dx, of_mlp = mlp_half_backward(dy, mlp, layer)
    dx, of_attention = attention_half_backward(dx, attention, layer)
    gradients = of_attention | of_mlp
    return dx, {name: array for name, array in gradients.items() if layer.trains(name)}


def attention_half(
    x: Array, layer: Layer, rng: np.random.Generator | None, extend: F.Extend | None
) -> tuple[Array, Cache]:
    """Return `x + dropout(c_proj(attention(c_attn(ln_1(x)))))`, and the caches in that order.

    Parameters
    ----------
    x : ndarray of shape (B, T, C)
    layer : Layer
    rng, extend
        As for `block`.
    """
    normed, norm_cache = norm(x, layer, "ln_1")
    qkv, fan_out = linear(normed, layer, "attn.c_attn")
    batch, time, _ = x.shape
    shape = (batch, layer.heads, time, time)
    keep = F.dropout_factors(shape, layer.attn_pdrop, x.dtype, rng=rng)
    mixed, mix = F.multi_head_attention(qkv, layer.heads, keep, extend)
    out, fan_in = linear(mixed, layer, "attn.c_proj")
    out, drop = F.dropout(out, layer.resid_pdrop, rng=rng)
    return x + out, (norm_cache, fan_out, mix, fan_in, drop)


def attention_half_backward(dy: Array, cache: Cache, layer: Layer) -> tuple[Array, Gradients]:
    """Return dx of `attention_half`, and the gradients of its parameters by name."""
    norm_cache, fan_out, mix, fan_in, drop = cache
    gradients: Gradients = {}
    dout = F.dropout_backward(dy, drop)
    dmixed = linear_backward(dout, fan_in, layer, "attn.c_proj", gradients)
    dqkv = F.multi_head_attention_backward(dmixed, mix)
    dnormed = linear_backward(dqkv, fan_out, layer, "attn.c_attn", gradients)
    return dy + norm_backward(dnormed, norm_cache, "ln_1", gradients), gradients


def mlp_half(x: Array, layer: Layer, rng: np.random.Generator | None) -> tuple[Array, Cache]:
    """Return `x + dropout(c_proj(gelu(c_fc(ln_2(x)))))`, and the caches in that order.

    Parameters
    ----------
    x : ndarray of shape (B, T, C)
    layer : Layer
    rng : numpy.random.Generator or None
        Draws the dropout; without it there is none.

    Returns
    -------
    y : ndarray of shape (B, T, C)
    cache : (norm_cache, fan_out, gelu, fan_in, drop)
        What each of the five steps keeps for its backward.
    """
    normed, norm_cache = norm(x, layer, "ln_2")
    wide, fan_out = linear(normed, layer, "mlp.c_fc")
    active, gelu = F.gelu(wide)
    out, fan_in = linear(active, layer, "mlp.c_proj")
    out, drop = F.dropout(out, layer.resid_pdrop, rng=rng)
    return x + out, (norm_cache, fan_out, gelu, fan_in, drop)


def mlp_half_backward(dy: Array, cache: Cache, layer: Layer) -> tuple[Array, Gradients]:
    """Return dx of `mlp_half`, and the gradients of its parameters by name.

    Parameters
    ----------
    dy : ndarray of shape (B, T, C)
    cache : (norm_cache, fan_out, gelu, fan_in, drop)
    layer : Layer
        The one that `mlp_half` was called with.
    """
    norm_cache, fan_out, gelu, fan_in, drop = cache
    gradients: Gradients = {}
    dout = F.dropout_backward(dy, drop)
    dactive = linear_backward(dout, fan_in, layer, "mlp.c_proj", gradients)
    dwide = F.gelu_backward(dactive, gelu)
    dnormed = linear_backward(dwide, fan_out, layer, "mlp.c_fc", gradients)
    return dy + norm_backward(dnormed, norm_cache, "ln_2", gradients), gradients


# ---------------------------------------------------------------- operations with their parameters


def norm(x: Array, layer: Layer, name: str) -> tuple[Array, Cache]:
    """Apply a layer norm of the block: `ln_1` or `ln_2`."""
    gain, bias = layer.weights[f"{name}.weight"], layer.weights[f"{name}.bias"]
    return F.layer_norm(x, gain, bias, layer.epsilon)


def norm_backward(dy: Array, cache: Cache, name: str, gradients: Gradients) -> Array:
    """Return dx of `norm`; add the gradients of gain and bias to `gradients`, by name."""
    dx, gradients[f"{name}.weight"], gradients[f"{name}.bias"] = F.layer_norm_backward(dy, cache)
    return dx


def linear(x: Array, layer: Layer, name: str) -> tuple[Array, Cache]:
    """Return `x @ weight + bias`, plus LoRA's low-rank product if the matrix is adapted."""
    y, cache = F.linear(x, layer.weights[f"{name}.weight"], layer.weights[f"{name}.bias"])
    factor_a, factor_b = lora.factors(name)
    if factor_a not in layer.weights:
        return y, (cache, None)
    a, b = layer.weights[factor_a], layer.weights[factor_b]
    change, low_rank = lora.low_rank(x, a, b, layer.scaling)
    return y + change, (cache, low_rank)


def linear_backward(
    dy: Array, cache: Cache, layer: Layer, name: str, gradients: Gradients
) -> Array:
    """Return dx of `linear`; add the gradients of its parameters to `gradients`, by name.

    A frozen matrix gets none: it only passes the gradient on.
    """
    whole, low_rank = cache
    weight, bias = f"{name}.weight", f"{name}.bias"
    if layer.trains(weight) or layer.trains(bias):
        dx, gradients[weight], gradients[bias] = F.linear_backward(dy, whole)
    else:  # dx = dy @ weight.T
        dx, _ = F.unembed(dy, layer.weights[weight])
    if low_rank is not None:
        factor_a, factor_b = lora.factors(name)
        dchange, gradients[factor_a], gradients[factor_b] = lora.low_rank_backward(dy, low_rank)
        dx = dx + dchange
    return dx


# ------------------------------------------------------------------------------- the model


class Body:
    """GPT-2 without a head.

    The loops over the layers are here. What a layer does is asked of the methods from `_embed` on,
    which `llama.py` replaces by its own.

    Parameters
    ----------
    config : GPTConfig
    parameters : Parameters
        Used without a copy. It may hold more names than the body needs.

    Attributes
    ----------
    adapter : Adapter or None
        The low-rank factors beside the matrices; set it with `use`.

    Raises
    ------
    OptionError
        When a parameter is missing or does not have the shape that the configuration needs.
    """

    config: Any  # GPTConfig here, LlamaConfig there

    def __init__(self, config: Config, parameters: Parameters) -> None:
        checks.check_shapes(parameters, config)
        self.config = config
        self.parameters = parameters
        self.adapter: lora.Adapter | None = None
        self._names: list[dict[str, str]] = [{} for _ in range(config.n_layer)]
        for name in param_shapes(config):
            if name.startswith(config.layers):
                number, short = name.removeprefix(config.layers).split(".", 1)
                self._names[int(number)][short] = name

    def __repr__(self) -> str:
        """Return the class with the model's size."""
        c = self.config
        return (
            f"{type(self).__name__}({self.parameters.count():,} parameters: {c.n_layer} layers, "
            f"{c.n_embd} wide, {c.n_head} heads, context {c.n_positions}, "
            f"vocabulary {c.vocab_size:,})"
        )

    def use(self, adapter: lora.Adapter | None) -> None:
        """Use an adapter instead of the current one; None uses the base alone.

        Raises
        ------
        OptionError
            When the adapter's factors do not fit this model.
        """
        if adapter is not None:
            lora.check(adapter, self.config)
        self.adapter = adapter

    def hidden(
        self,
        ids: Ids,
        *,
        rng: np.random.Generator | None = None,
        past: KeyValueCache | None = None,
        backward: bool = True,
    ) -> tuple[Array, list[Cache]]:
        """Return the output of the final layer norm, (B, T, C), and what `hidden_backward` needs.

        Parameters
        ----------
        ids : integer ndarray of shape (B, T)
            As `checks.check_ids` returns them.
        rng : numpy.random.Generator, optional
            Draws the dropout; without it there is none.
        past : KeyValueCache, optional
            The keys and values of the positions before `ids`; the new ones are added to it.
        backward : bool
            Whether `hidden_backward` will be called. Layers that it does not reach keep no cache.
        """
        layers = self.config.n_layer
        lowest = self._lowest_trained() if backward else layers + 1
        start = 0 if past is None else past.length
        x, embedded = self._embed(ids, rng, start)
        caches: list[Cache] = [embedded if lowest < 0 else ()]
        for layer in range(layers):
            extend = None if past is None else partial(past.extend, layer)
            x, cache = self._block(x, self._layer(layer, start, ids.shape[1]), rng, extend)
            caches.append(cache if layer >= lowest else ())
        if past is not None:
            past.length += ids.shape[1]
        x, cache = self._final_norm(x)
        caches.append(cache if lowest <= layers else ())
        return x, caches

    def hidden_backward(
        self, dx: Array, caches: list[Cache], head: Mapping[str, Array] | None = None
    ) -> Gradients:
        """Return the gradients by name, given the gradient of `hidden`'s output; empties `caches`.

        Parameters
        ----------
        dx : ndarray of shape (B, T, C)
        caches : list
            What `hidden` returned. Each cache is freed once it is used.
        head : mapping of str to ndarray, optional
            The head's gradients. That of the word embedding, which the head may share with it, is
            added to the embedding's.
        """
        gradients = dict(head or {})
        lowest = self._lowest_trained()
        layers = self.config.n_layer
        if lowest <= layers:
            dx = self._final_norm_backward(dx, caches.pop(), gradients)
        # Nothing below the lowest trained block needs a gradient: the loop ends there.
        for layer in reversed(range(max(lowest, 0), layers)):
            dx, found = self._block_backward(dx, caches.pop(), self._layer(layer))
            names = f"{self.config.layers}{layer}."
            gradients.update({names + name: array for name, array in found.items()})
        if lowest < 0:
            self._embed_backward(dx, caches.pop(), gradients)
        caches.clear()
        return {n: g for n, g in gradients.items() if n in self.parameters.trainable}

    def hidden_states(self, ids: ArrayLike) -> list[Array]:
        """Return the embeddings and the output of each layer, all (B, T, C).

        The last one is after the final layer norm, as in Hugging Face's `hidden_states`.
        """
        checked = checks.check_ids(ids, self.config)
        x, _ = self._embed(checked, None, 0)
        states = [x]
        for layer in range(self.config.n_layer):
            x, _ = self._block(x, self._layer(layer, 0, x.shape[1]))
            states.append(x)
        states[-1], _ = self._final_norm(x)
        return states

    def attention_maps(self, ids: ArrayLike) -> list[Array]:
        """Return the attention weights by layer, (B, H, T, T): how query s attends to key t."""
        x, _ = self._embed(checks.check_ids(ids, self.config), None, 0)
        maps = []
        for layer in range(self.config.n_layer):
            x, (attention, _) = self._block(x, self._layer(layer, 0, x.shape[1]))
            weights = attention[2][3]  # of the cache of `F.attention`
            maps.append(weights.reshape(len(x), -1, *weights.shape[-2:]))
        return maps

    def _embed(self, ids: Ids, rng: np.random.Generator | None, start: int) -> tuple[Array, Cache]:
        words, positions = self.parameters["wte.weight"], self.parameters["wpe.weight"]
        x, cache = embed(ids, words, positions, start)
        x, drop = F.dropout(x, self.config.embd_pdrop, rng=rng)
        return x, (cache, drop)

    def _embed_backward(self, dx: Array, cache: Cache, gradients: Gradients) -> None:
        embedded, drop = cache
        dx = F.dropout_backward(dx, drop)
        tables = embed_backward(dx, embedded, gradients.get("wte.weight"))
        gradients["wte.weight"], gradients["wpe.weight"] = tables

    def _block(
        self,
        x: Array,
        layer: Any,
        rng: np.random.Generator | None = None,
        extend: F.Extend | None = None,
    ) -> tuple[Array, Cache]:
        return block(x, layer, rng=rng, extend=extend)

    def _block_backward(self, dy: Array, cache: Cache, layer: Any) -> tuple[Array, Gradients]:
        return block_backward(dy, cache, layer)

    def _final_norm(self, x: Array) -> tuple[Array, Cache]:
        gain, bias = self.parameters["ln_f.weight"], self.parameters["ln_f.bias"]
        return F.layer_norm(x, gain, bias, self.config.layer_norm_epsilon)

    def _final_norm_backward(self, dy: Array, cache: Cache, gradients: Gradients) -> Array:
        dx, gradients["ln_f.weight"], gradients["ln_f.bias"] = F.layer_norm_backward(dy, cache)
        return dx

    def _layer(self, number: int, start: int = 0, time: int = 0) -> Any:
        """Return what block `number` needs for `time` positions from `start` on."""
        weights, trained = self._weights(number)
        config: GPTConfig = self.config
        return Layer(
            weights,
            config.n_head,
            config.layer_norm_epsilon,
            trained,
            scaling=1.0 if self.adapter is None else self.adapter.scaling,
            attn_pdrop=config.attn_pdrop,
            resid_pdrop=config.resid_pdrop,
        )

    def _weights(self, number: int) -> tuple[dict[str, Array], frozenset[str]]:
        """Return a block's parameters and which are trained, by the names they have within it."""
        names = self._names[number]
        weights = {short: self.parameters[full] for short, full in names.items()}
        if self.adapter is not None:
            names = names | {
                factor: f"{self.config.layers}{number}.{factor}"
                for matrix in self.adapter.targets
                for factor in lora.factors(matrix)
            }
            weights |= {n: self.adapter.weights[f] for n, f in names.items() if n not in weights}
        trainable = self.parameters.trainable
        return weights, frozenset(short for short, full in names.items() if full in trainable)

    def _lowest_trained(self) -> int:
        """Return the lowest layer that is trained: -1 for the embeddings, `n_layer` for ln_f.

        If nothing in the body is trained, it is `n_layer + 1`.
        """
        return _lowest(self.parameters.trainable, self.config)


@lru_cache(maxsize=64)
def _lowest(trainable: frozenset[str], config: Config) -> int:
    return min((depth(n, config) for n in trainable), default=config.n_layer + 1)


class GPT(Body):
    """A GPT-2 language model.

    Parameters
    ----------
    config : GPTConfig
    rng : numpy.random.Generator, optional
        Draws new parameters; required unless `parameters` are given.
    dtype : float dtype
        The dtype of new parameters.
    parameters : Parameters, optional
        An existing store, used without a copy. It may hold more names than the model needs.

    Examples
    --------
    >>> model = GPT(GPTConfig(50, 8, 12, 2, 3), rng=np.random.default_rng(0))
    >>> model
    GPT(4,488 parameters: 2 layers, 12 wide, 3 heads, context 8, vocabulary 50)
    >>> ids = np.array([[1, 2, 3, 4]])
    >>> model.logits(ids).shape
    (1, 4, 50)
    >>> loss, gradient = model.loss_and_grad(ids, np.array([[2, 3, 4, -100]]))
    >>> gradient["wte.weight"].shape
    (50, 12)
    """

    def __init__(
        self,
        config: Config,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
        parameters: Parameters | None = None,
    ) -> None:
        if parameters is None:
            if rng is None:
                raise OptionError(
                    "a new model needs rng, to draw its parameters; or pass parameters"
                )
            parameters = initial_parameters(config, rng=rng, dtype=dtype)
        super().__init__(config, parameters)

    def logits(self, ids: ArrayLike) -> Array:
        """Return the scores of each next token: (B, T) -> (B, T, V).

        Raises
        ------
        OptionError
            When ids are not a batch of sequences that fit the context and the vocabulary.
        TrainingError
            When a parameter is not finite; the message names it.
        """
        hidden, _ = self.hidden(checks.check_ids(ids, self.config), backward=False)
        logits, _ = F.unembed(hidden, self.parameters[self.config.head])
        return checks.check_finite(logits, "a logit", self.parameters)

    def next_logits(self, ids: ArrayLike, past: KeyValueCache) -> Array:
        """Read more tokens and return the scores of the next one: (B, S) -> (B, V).

        They equal those of `logits` at the last position, up to rounding.

        Parameters
        ----------
        ids : integer array of shape (B, S)
            The tokens after those in the cache; together they must fit the context.
        past : KeyValueCache
            The new positions are added to it.

        Raises
        ------
        OptionError, TrainingError
            As for `logits`; also when the context is full.
        """
        checked = checks.check_ids(ids, self.config, past=past.length)
        hidden, _ = self.hidden(checked, past=past, backward=False)
        logits, _ = F.unembed(hidden[:, -1], self.parameters[self.config.head])
        return checks.check_finite(logits, "a logit", self.parameters)

    def loss(self, ids: ArrayLike, targets: ArrayLike) -> float:
        """Return the mean cross-entropy in nats over the targets that are not -100.

        Parameters
        ----------
        ids, targets : integer array of shape (B, T)
            `targets[b, t]` is the token that should follow `ids[b, :t + 1]`; -100 where
            there is nothing to predict, such as padding.

        Raises
        ------
        OptionError, TrainingError
            As for `logits`; also when all targets are -100.
        """
        checked = checks.check_ids(ids, self.config)
        goals = checks.check_targets(targets, checked, self.config)
        hidden, _ = self.hidden(checked, backward=False)
        loss, _ = F.linear_cross_entropy(hidden, self.parameters[self.config.head], goals)
        return float(checks.check_finite(loss, "the loss", self.parameters))

    def loss_and_grad(
        self, ids: ArrayLike, targets: ArrayLike, *, rng: np.random.Generator | None = None
    ) -> tuple[float, FlatStore]:
        """Return the loss and its gradient with respect to every trainable parameter.

        Parameters
        ----------
        ids, targets
            As for `loss`.
        rng : numpy.random.Generator, optional
            Draws the dropout; without it there is none.
        """
        loss, gradients = self.gradients(ids, targets, rng=rng)
        return loss, self.parameters.gathered(gradients)

    def gradients(
        self,
        ids: ArrayLike,
        targets: ArrayLike,
        *,
        share: float = 1.0,
        rng: np.random.Generator | None = None,
    ) -> tuple[float, Gradients]:
        """Return the loss, and by name the gradient of `share * loss`.

        `share` is the fraction of the batch's targets that this shard has: the gradients of all
        shards then add up to the gradient of the mean over the batch.
        """
        checked = checks.check_ids(ids, self.config)
        goals = checks.check_targets(targets, checked, self.config)
        hidden, caches = self.hidden(checked, rng=rng)
        head = self.config.head
        loss, cache = F.linear_cross_entropy(hidden, self.parameters[head], goals)
        value = float(checks.check_finite(loss, "the loss", self.parameters))
        frozen = head not in self.parameters.trainable
        dhidden, dweight = F.linear_cross_entropy_backward(share, cache, frozen=frozen)
        del cache  # as large as all else together
        found = {} if dweight is None else {head: dweight}
        return value, self.hidden_backward(dhidden, caches, found)


class KeyValueCache:
    """The keys and values of the positions that a model has read.

    A causal model never looks ahead: the keys and values of a position do not change when more
    tokens follow. So they are kept, and each new token costs one row through the model instead of
    the whole text again.

    Parameters
    ----------
    model : GPT
    batch : int
        B, sequences side by side.
    length : int, optional
        How many positions there is room for; by default the context.

    Attributes
    ----------
    keys, values : ndarray of shape (layers, B, K, room, D)
        K is the number of heads of keys and values, which in GPT-2 is H.
        Filled up to `length`.
    length : int
    """

    def __init__(self, model: Body, batch: int = 1, length: int | None = None) -> None:
        config = model.config
        heads, size = config.kv_heads, config.head_size
        room = config.n_positions if length is None else length
        shape = (config.n_layer, batch, heads, room, size)
        self.keys = np.empty(shape, model.parameters.dtype)
        self.values = np.empty(shape, model.parameters.dtype)
        self.length = 0

    def __repr__(self) -> str:
        """Return the class with its size."""
        layers, batch, heads, context, size = self.keys.shape
        return (
            f"KeyValueCache({self.length} of {context} positions, batch {batch}: {layers} layers, "
            f"{heads} heads of {size}, {self.keys.dtype})"
        )

    def extend(self, layer: int, k: Array, v: Array) -> tuple[Array, Array]:
        """Put a layer's new keys and values, (B, K, S, D), behind the earlier ones; return all."""
        stop = self.length + k.shape[2]
        self.keys[layer, :, :, self.length : stop] = k
        self.values[layer, :, :, self.length : stop] = v
        return self.keys[layer, :, :, :stop], self.values[layer, :, :, :stop]
