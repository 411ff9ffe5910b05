"""The body of GPT-2, forward and backward, on the operations of `functional.py`.

Pre-norm blocks and learned positions (Radford et al. 2019, "Language Models are Unsupervised
Multitask Learners", section 2.3):

    x = wte[ids] + wpe[0..T-1]
    x = x + attention(ln_1(x))        for each layer
    x = x + mlp(ln_2(x))
    hidden = ln_f(x)

This is a chain of stages: the embeddings, then for each layer the attention and the MLP, then the
last layer norm. `_stages` runs it forward; going back, the chain is left as soon as nothing below
is trained, and what is frozen on the way only hands the gradient down. Beside its matrices there
may be an adapter (`lora.py`). What is predicted from `hidden` is for the heads to say: `gpt.py` and
`heads.py`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from minilm.errors import OptionError, TrainingError
from minilm.nn import functional as F
from minilm.nn import lora
from minilm.nn.config import GPTConfig
from minilm.nn.parameters import Parameters, param_shapes

Array = NDArray[np.floating[Any]]
Ids = NDArray[np.integer[Any]]
Cache = tuple[Any, ...]
Gradients = dict[str, Array]

# The modules of a block in the order of the forward pass, three to a stage.
_MODULES = ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")


def initial_parameters(
    config: GPTConfig, *, rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> Parameters:
    """Draw the parameters of a new model as GPT-2's were drawn.

    Matrices are normal with standard deviation `initializer_range`; those that write into the
    residual stream (`c_proj`) are divided by the root of the number of such writes, 2 a layer, so
    that its variance does not grow with depth (Radford et al. 2019, section 2.3). Gains are 1,
    biases 0. Drawn in float64, so that models of two dtypes differ by rounding only.
    """
    parameters = Parameters(param_shapes(config), dtype)
    for name, shape in param_shapes(config).items():
        if len(shape) == 2:
            deviation = config.initializer_range
            if name.endswith("c_proj.weight"):
                deviation /= math.sqrt(2 * config.n_layer)
            parameters[name][...] = rng.normal(0.0, deviation, shape)
        elif name.endswith("weight"):
            parameters[name][...] = 1.0
    return parameters


class Transformer:
    """GPT-2 without a head.

    Parameters
    ----------
    config : GPTConfig
    parameters : Parameters
        Used as they are, not copied; there may be more names than the body has.

    Attributes
    ----------
    adapter : Adapter or None
        What stands beside the matrices; set it through `use`.

    Raises
    ------
    OptionError
        When a parameter is missing or has another shape than the configuration says.
    """

    def __init__(self, config: GPTConfig, parameters: Parameters) -> None:
        for name, shape in param_shapes(config).items():
            if parameters.shapes.get(name) != shape:
                raise OptionError(
                    f"the parameter {name} has shape {parameters.shapes.get(name, 'none')}; "
                    f"this configuration needs {shape}"
                )
        self.config = config
        self.parameters = parameters
        self.adapter: lora.Adapter | None = None
        self._head = 4 + 6 * config.n_layer  # a depth above the body's
        self._depth_of = {name: self._depth(name) for name in parameters}

    def use(self, adapter: lora.Adapter | None) -> None:
        """Put an adapter to work, in place of the one before; None leaves the base alone.

        Raises
        ------
        OptionError
            When the adapter's factors do not fit this model.
        """
        if adapter is not None:
            lora.check(adapter, self.config)
        self.adapter = adapter

    def hidden_states(self, ids: ArrayLike) -> list[Array]:
        """Return the layers' outputs: the embeddings, then one (B, T, C) a layer.

        The last has gone through the final layer norm, as in Hugging Face's `hidden_states`.
        """
        outputs = [x for x, _ in self._stages(self.checked_ids(ids), None)]
        return [*outputs[0:-2:2], outputs[-1]]

    def attention_maps(self, ids: ArrayLike) -> list[Array]:
        """Return each layer's attention weights, (B, H, T, T): how much query s looks at key t."""
        caches = [cache for _, cache in self._stages(self.checked_ids(ids), None)]
        return [attention_weights for _, _, (_, _, _, attention_weights, _), *_ in caches[1:-1:2]]

    def hidden(
        self, ids: Ids, *, rng: np.random.Generator | None = None, backward: bool = True
    ) -> tuple[Array, list[Cache]]:
        """Return what the last layer norm puts out, (B, T, C), and the caches of the stages.

        Parameters
        ----------
        ids : integer ndarray of shape (B, T)
            As `checked_ids` returns them.
        rng : numpy.random.Generator, optional
            Draws the dropout; without it there is none.
        backward : bool
            Whether `hidden_backward` will follow. Stages that it will not reach keep no cache.
        """
        lowest = _stage(self._lowest() if backward else self._head)
        caches = []
        for stage, (output, cache) in enumerate(self._stages(ids, rng)):
            x = output
            caches.append(cache if stage >= lowest else ())
        return x, caches

    def hidden_backward(
        self, dx: Array, caches: list[Cache], gradients: Mapping[str, Array] | None = None
    ) -> Gradients:
        """Return the gradients by name, given that of `hidden`'s output; empties `caches`.

        Parameters
        ----------
        dx : ndarray of shape (B, T, C)
        caches : list
            What `hidden` returned. Each is let go once used, so that memory falls on the way.
        gradients : mapping of str to ndarray, optional
            Gradients from above, such as the head's of `wte.weight`, which the embedding's joins.
        """
        found = {n: g for n, g in (gradients or {}).items() if n in self.parameters.trainable}
        lowest = self._lowest()
        down: Array | None = dx
        while down is not None and len(caches) > _stage(lowest):
            stage = len(caches) - 1
            cache = caches.pop()
            layer, half = divmod(stage - 1, 2)
            if stage == 0:
                self._embed_backward(down, cache, found)
            elif layer == self.config.n_layer:
                down = self._norm_backward(down, cache, "ln_f", found)
            elif half == 0:
                down = self._attend_backward(down, cache, f"h.{layer}.", found, lowest)
            else:
                down = self._mlp_backward(down, cache, f"h.{layer}.", found, lowest)
        return found

    def tied_head_backward(self, dlogits: Array, cache: Cache) -> tuple[Array, Gradients]:
        """Return dhidden of `F.project(hidden, wte)`, and the table's gradient if it is trained."""
        if "wte.weight" not in self.parameters.trainable:
            return F.project(dlogits, self.parameters["wte.weight"].T)[0], {}
        dhidden, dtable = F.project_backward(dlogits, cache)
        return dhidden, {"wte.weight": dtable}

    def checked_ids(self, ids: ArrayLike) -> Ids:
        """Return ids as an integer array of shape (B, T), or say what is wrong with them."""
        checked = np.asarray(ids)
        if checked.ndim != 2 or checked.dtype.kind not in "iu" or checked.size == 0:
            raise OptionError(
                f"ids have shape {checked.shape} and dtype {checked.dtype}; "
                "expected integers of shape (batch, time), at least (1, 1)"
            )
        if checked.shape[1] > self.config.n_positions:
            raise OptionError(
                f"a sequence of {checked.shape[1]} tokens is longer than the model's context of "
                f"{self.config.n_positions}; cut it"
            )
        self._check_range(checked, checked, "id")
        return checked

    def finite(self, loss: Any) -> float:
        """Return the loss as a float, or say which parameter made it NaN or infinite."""
        if not np.isfinite(loss):
            raise self.blame("the loss")
        return float(loss)

    def blame(self, what: str) -> TrainingError:
        """Return an error that names the parameter at fault."""
        culprit = self.parameters.not_finite()
        if culprit:
            return TrainingError(
                f"{what} is not finite: parameter {culprit}; go back to a good save"
            )
        return TrainingError(
            f"{what} is not finite though every parameter is: the numbers overflow "
            f"{self.parameters.dtype}; lower the learning rate"
        )

    def _check_range(self, values: Ids, shown: Ids, noun: str) -> None:
        if values.min() < 0 or values.max() >= self.config.vocab_size:
            place = tuple(np.argwhere((values < 0) | (values >= self.config.vocab_size))[0])
            raise OptionError(
                f"the {noun} {shown[place]} at [{place[0]}, {place[1]}] is outside the vocabulary "
                f"of {self.config.vocab_size}; use the tokenizer that belongs to the model"
            )

    def _lowest(self) -> int:
        """Return the depth of the lowest module that has a trainable parameter."""
        return min((self._depth_of[n] for n in self.parameters.trainable), default=self._head)

    def _depth(self, name: str) -> int:
        """Return how many modules the forward pass meets before the one of this parameter."""
        if name.startswith(("wte.", "wpe.")):
            return 0
        if name.startswith("ln_f."):
            return 1 + 6 * self.config.n_layer
        block = re.match(rf"h\.(\d+)\.({'|'.join(map(re.escape, _MODULES))})\.", name)
        if not block:
            return self._head
        return 1 + 6 * int(block[1]) + _MODULES.index(block[2])

    # ------------------------------------------------------------------ the stages

    def _stages(self, ids: Ids, rng: np.random.Generator | None) -> Iterator[tuple[Array, Cache]]:
        """Run the model, giving each stage's output (B, T, C) and cache as it is made."""
        x, cache = self._embed(ids, rng)
        yield x, cache
        for layer in range(self.config.n_layer):
            x, cache = self._attend(x, f"h.{layer}.", rng)
            yield x, cache
            x, cache = self._mlp(x, f"h.{layer}.", rng)
            yield x, cache
        yield self._norm(x, "ln_f")

    def _embed(self, ids: Ids, rng: np.random.Generator | None) -> tuple[Array, Cache]:
        words, word_cache = F.embedding(ids, self.parameters["wte.weight"])
        x: Array = words + self.parameters["wpe.weight"][: ids.shape[1]]
        x, keep = self._dropout(x, self.config.embd_pdrop, rng)
        return x, (word_cache, keep)

    def _embed_backward(self, dx: Array, cache: Cache, gradients: Gradients) -> None:
        word_cache, keep = cache
        dx = self._dropout_backward(dx, keep)
        if "wte.weight" in self.parameters.trainable:
            dwords = F.embedding_backward(dx, word_cache)
            dwords += gradients.get("wte.weight", 0.0)
            gradients["wte.weight"] = dwords
        if "wpe.weight" in self.parameters.trainable:
            dpositions = np.zeros_like(self.parameters["wpe.weight"])
            dpositions[: dx.shape[1]] = dx.sum(axis=0)
            gradients["wpe.weight"] = dpositions

    def _attend(self, x: Array, block: str, rng: np.random.Generator | None) -> tuple[Array, Cache]:
        """Return `x + dropout(c_proj(attention(c_attn(ln_1(x)))))`."""
        normed, norm = self._norm(x, block + "ln_1")
        qkv, fan_out = self.linear(normed, block + "attn.c_attn")
        keep = None
        if rng is not None and self.config.attn_pdrop > 0:
            batch, time, _ = x.shape
            shape = (batch, self.config.n_head, time, time)
            keep = F.dropout_factors(shape, self.config.attn_pdrop, x.dtype, rng=rng)
        mixed, mix = F.multi_head_attention(qkv, self.config.n_head, keep)
        out, fan_in = self.linear(mixed, block + "attn.c_proj")
        out, drop = self._dropout(out, self.config.resid_pdrop, rng)
        return x + out, (norm, fan_out, mix, fan_in, drop)

    def _attend_backward(
        self, dx: Array, cache: Cache, block: str, gradients: Gradients, lowest: int
    ) -> Array | None:
        norm, fan_out, mix, fan_in, drop = cache
        dout = self._dropout_backward(dx, drop)
        dmixed = self._linear_backward(dout, fan_in, block + "attn.c_proj", gradients, lowest)
        if dmixed is None:
            return None
        dqkv = F.multi_head_attention_backward(dmixed, mix)
        dnormed = self._linear_backward(dqkv, fan_out, block + "attn.c_attn", gradients, lowest)
        if dnormed is None:
            return None
        return dx + self._norm_backward(dnormed, norm, block + "ln_1", gradients)

    def _mlp(self, x: Array, block: str, rng: np.random.Generator | None) -> tuple[Array, Cache]:
        """Return `x + dropout(c_proj(gelu(c_fc(ln_2(x)))))`."""
        normed, norm = self._norm(x, block + "ln_2")
        wide, fan_out = self.linear(normed, block + "mlp.c_fc")
        active, gelu = F.gelu(wide)
        out, fan_in = self.linear(active, block + "mlp.c_proj")
        out, drop = self._dropout(out, self.config.resid_pdrop, rng)
        return x + out, (norm, fan_out, gelu, fan_in, drop)

    def _mlp_backward(
        self, dx: Array, cache: Cache, block: str, gradients: Gradients, lowest: int
    ) -> Array | None:
        norm, fan_out, gelu, fan_in, drop = cache
        dout = self._dropout_backward(dx, drop)
        dactive = self._linear_backward(dout, fan_in, block + "mlp.c_proj", gradients, lowest)
        if dactive is None:
            return None
        dwide = F.gelu_backward(dactive, gelu)
        dnormed = self._linear_backward(dwide, fan_out, block + "mlp.c_fc", gradients, lowest)
        if dnormed is None:
            return None
        return dx + self._norm_backward(dnormed, norm, block + "ln_2", gradients)

    # ------------------------------------------------------------------ ops with their parameters

    def linear(self, x: Array, name: str) -> tuple[Array, Cache]:
        """Return `x @ weight + bias` of a matrix, with the adapter's share, and the cache."""
        y, cache = F.linear(x, self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"])
        if self.adapter is None or not self.adapter.adapts(name):
            return y, (cache, None)
        a, b = (self.adapter.weights[factor] for factor in lora.factors(name))
        change, low_rank = lora.low_rank(x, a, b, self.adapter.scaling)
        return y + change, (cache, low_rank)

    def _linear_backward(
        self, dy: Array, cache: Cache, name: str, gradients: Gradients, lowest: int
    ) -> Array | None:
        """Take down the gradients; return dx, or None where nothing below is trained."""
        whole, low_rank = cache
        weight, bias = f"{name}.weight", f"{name}.bias"
        ends = self._depth_of[weight] == lowest
        dx: Array | None = None
        if weight in self.parameters.trainable or bias in self.parameters.trainable:
            dx, dweight, dbias = F.linear_backward(dy, whole)
            self._keep(gradients, {weight: dweight, bias: dbias})
        elif not ends:
            dx, _ = F.project(dy, self.parameters[weight])  # dx alone: dy @ weight.T
        if low_rank is not None:
            dchange, da, db = lora.low_rank_backward(dy, low_rank)
            self._keep(gradients, dict(zip(lora.factors(name), (da, db), strict=True)))
            dx = None if dx is None else dx + dchange
        return None if ends else dx

    def _norm(self, x: Array, name: str) -> tuple[Array, Cache]:
        gain, bias = self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]
        return F.layer_norm(x, gain, bias, self.config.layer_norm_epsilon)

    def _norm_backward(self, dy: Array, cache: Cache, name: str, gradients: Gradients) -> Array:
        dx, dgain, dbias = F.layer_norm_backward(dy, cache)
        self._keep(gradients, {f"{name}.weight": dgain, f"{name}.bias": dbias})
        return dx

    def _keep(self, gradients: Gradients, found: Mapping[str, Array]) -> None:
        """Take down gradients of what is trained."""
        for name, gradient in found.items():
            if name in self.parameters.trainable:
                gradients[name] = gradient

    def _dropout(
        self, x: Array, rate: float, rng: np.random.Generator | None
    ) -> tuple[Array, Cache | None]:
        return F.dropout(x, rate, rng=rng) if rng is not None and rate > 0 else (x, None)

    def _dropout_backward(self, dy: Array, cache: Cache | None) -> Array:
        return dy if cache is None else F.dropout_backward(dy, cache)


def _stage(depth: int) -> int:
    """Return the number of the stage that has the module of this depth in it."""
    return math.ceil(depth / 3)
