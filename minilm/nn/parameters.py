"""All parameters in one flat array, with named views into it; their gradients in another.

Everything about parameters is derived from one table, `param_shapes`. Because they are in one
array, an optimizer is a loop over slices of it, clipping is one dot product, and saving is one
write. Matrices come first, so that weight decay is one slice. The names are those of Hugging Face's
GPT-2.
"""

from __future__ import annotations

import copy
import fnmatch
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minilm.arrays import Array
from minilm.errors import OptionError
from minilm.nn.config import GPTConfig
from minilm.nn.llama_config import LlamaConfig

#: The shape of a model of either architecture.
Config = GPTConfig | LlamaConfig
Shapes = Mapping[str, tuple[int, ...]]
Gradients = dict[str, Array]  # by the names of parameters


def param_shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every parameter of a model, as Hugging Face has them.

    GPT-2's matrices are stored input first, (in, out), and its head is `wte.weight`. Llama's are
    stored output first, without biases, and its head may be a matrix of its own, `lm_head.weight`.

    Examples
    --------
    >>> shapes = param_shapes(GPTConfig(512, 32, 64, 2, 2))
    >>> shapes["h.1.attn.c_attn.weight"]
    (64, 192)
    >>> sum(math.prod(shape) for shape in shapes.values())
    134912
    """
    return _llama_shapes(config) if isinstance(config, LlamaConfig) else _gpt_shapes(config)


def _gpt_shapes(config: GPTConfig) -> dict[str, tuple[int, ...]]:
    width, inner = config.n_embd, config.inner
    shapes: dict[str, tuple[int, ...]] = {
        "wte.weight": (config.vocab_size, width),
        "wpe.weight": (config.n_positions, width),
    }
    for layer in range(config.n_layer):
        block: dict[str, tuple[int, ...]] = {
            "ln_1.weight": (width,),
            "ln_1.bias": (width,),
            "attn.c_attn.weight": (width, 3 * width),
            "attn.c_attn.bias": (3 * width,),
            "attn.c_proj.weight": (width, width),
            "attn.c_proj.bias": (width,),
            "ln_2.weight": (width,),
            "ln_2.bias": (width,),
            "mlp.c_fc.weight": (width, inner),
            "mlp.c_fc.bias": (inner,),
            "mlp.c_proj.weight": (inner, width),
            "mlp.c_proj.bias": (width,),
        }
        shapes.update({f"h.{layer}.{name}": shape for name, shape in block.items()})
    shapes.update({"ln_f.weight": (width,), "ln_f.bias": (width,)})
    return shapes


def _llama_shapes(config: LlamaConfig) -> dict[str, tuple[int, ...]]:
    width, inner = config.hidden_size, config.intermediate_size
    queries, keys = config.n_head * config.head_size, config.kv_heads * config.head_size
    shapes: dict[str, tuple[int, ...]] = {config.table: (config.vocab_size, width)}
    for layer in range(config.n_layer):
        block: dict[str, tuple[int, ...]] = {
            "input_layernorm.weight": (width,),
            "self_attn.q_proj.weight": (queries, width),
            "self_attn.k_proj.weight": (keys, width),
            "self_attn.v_proj.weight": (keys, width),
            "self_attn.o_proj.weight": (width, queries),
            "post_attention_layernorm.weight": (width,),
            "mlp.gate_proj.weight": (inner, width),
            "mlp.up_proj.weight": (inner, width),
            "mlp.down_proj.weight": (width, inner),
        }
        shapes.update({f"{config.layers}{layer}.{name}": shape for name, shape in block.items()})
    shapes[f"{config.final_norm}.weight"] = (width,)
    if not config.tie_word_embeddings:
        shapes[config.head] = (config.vocab_size, width)
    return shapes


def depth(name: str, config: Config) -> int:
    """Return where a parameter is: -1 for the embeddings, then its layer's number, then the head.

    The final norm is at `n_layer`, and what comes after it at `n_layer + 1`.

    >>> config = GPTConfig(512, 32, 64, 2, 2)
    >>> [depth(name, config) for name in ("wpe.weight", "h.1.ln_1.bias", "ln_f.bias", "score")]
    [-1, 1, 2, 3]
    """
    if name.startswith(config.layers):
        return int(name.removeprefix(config.layers).split(".")[0])
    if name in (config.table, "wpe.weight"):
        return -1
    return config.n_layer + (not name.startswith(f"{config.final_norm}."))


def count_of(shapes: Shapes, names: Iterable[str]) -> int:
    """Return how many numbers the parameters of these names have.

    >>> count_of({"weight": (2, 3), "bias": (3,), "scale": ()}, ["weight", "scale"])
    7
    """
    return sum(math.prod(shapes[name]) for name in names)


class FlatStore(Mapping[str, Array]):
    """Named arrays that are views of one flat array, matrices first.

    The entries are not initialized: the code that makes a store fills it.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
    dtype : float dtype

    Attributes
    ----------
    flat : ndarray of shape (n,)
        All values. Within the matrices and within the vectors, the order is that of `shapes`.
    matrices : int
        `flat[:matrices]` are the entries of matrices, the rest those of vectors.

    Examples
    --------
    >>> store = FlatStore({"bias": (2,), "weight": (2, 3)}, np.float64)
    >>> store["bias"][...] = 0.0
    >>> store["weight"][...] = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    >>> store.flat
    array([1., 2., 3., 4., 5., 6., 0., 0.])
    """

    def __init__(self, shapes: Shapes, dtype: DTypeLike) -> None:
        layout, self.matrices, size = _layout(tuple(shapes.items()))
        self.shapes = {name: shape for name, shape, _ in layout}
        self.slices = {name: part for name, _, part in layout}
        self.flat: Array = np.empty(size, dtype)
        self._views = self._views_of_flat()

    def _views_of_flat(self) -> dict[str, Array]:
        return {n: self.flat[part].reshape(self.shapes[n]) for n, part in self.slices.items()}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the views: a copy or another process would get them as separate arrays."""
        return {name: value for name, value in vars(self).items() if name != "_views"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make new views of the flat array."""
        vars(self).update(state)
        self._views = self._views_of_flat()

    def __getitem__(self, name: str) -> Array:
        """Return the view of that name; writing into it writes into `flat`."""
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, in the order of `flat`."""
        return iter(self._views)

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._views)

    def __repr__(self) -> str:
        """Return the class with its size."""
        return f"{type(self).__name__}({self._size()})"

    def _size(self) -> str:
        return f"{self.flat.size:,} values in {len(self)} arrays, {self.flat.dtype}"

    def add_up(self, name: str, parts: Sequence[Mapping[str, Array]]) -> None:
        """Set one array to the sum of the parts' arrays of that name, added in their order."""
        total, arrays = self[name], [part[name] for part in parts]
        if len(arrays) == 1:
            total[...] = arrays[0]
            return
        np.add(arrays[0], arrays[1], out=total)
        for array in arrays[2:]:
            total += array


Layout = tuple[tuple[str, tuple[int, ...], slice], ...]


@lru_cache(maxsize=64)
def _layout(shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> tuple[Layout, int, int]:
    """Return name, shape and place of each array, the entries of matrices, and of all.

    Remembered, because every training step makes a store for its gradient.
    """
    layout, start, matrices = [], 0, 0
    for name, shape in sorted(shapes, key=lambda item: len(item[1]) < 2):
        stop = start + math.prod(shape)
        layout.append((name, shape, slice(start, stop)))
        matrices = stop if len(shape) >= 2 else matrices
        start = stop
    return tuple(layout), matrices, start


@dataclass(frozen=True)
class Segment:
    """Neighboring trainable parameters that an optimizer treats in the same way.

    Attributes
    ----------
    parameters, gradient : slice
        Where it is in the flat parameters, and in the flat gradient (which leaves out frozen
        parameters).
    matrices : bool
        Whether these are entries of matrices: only they decay.
    factor : float
        The factor on the learning rate.
    """

    parameters: slice
    gradient: slice
    matrices: bool
    factor: float


class Parameters(FlatStore):
    """The parameters of a model: a flat store in which each name is trainable or frozen.

    Parameters
    ----------
    shapes, dtype
        As for `FlatStore`. All entries are zero at first, and all names trainable.

    Attributes
    ----------
    trainable : frozenset of str
        The names that are trained. Set it with `freeze` and `unfreeze`.

    Examples
    --------
    >>> parameters = Parameters(param_shapes(GPTConfig(512, 32, 64, 2, 2)), np.float32)
    >>> parameters.freeze("*")
    >>> parameters.unfreeze("h.1.*", "ln_f.*")
    >>> parameters.count(), parameters.count_trainable()
    (134912, 50112)
    """

    def __init__(self, shapes: Shapes, dtype: DTypeLike) -> None:
        super().__init__(shapes, dtype)
        self.flat[:] = 0.0
        self.trainable: frozenset[str] = frozenset(self)

    def _size(self) -> str:
        return f"{super()._size()}, {self.count_trainable():,} trainable"

    def freeze(self, *patterns: str) -> None:
        """Stop training the names that match one of the patterns (`*` and `?` as for files)."""
        self.trainable -= self.matching(*patterns)

    def unfreeze(self, *patterns: str) -> None:
        """Start training the names that match one of the patterns."""
        self.trainable |= self.matching(*patterns)

    def matching(self, *patterns: str) -> frozenset[str]:
        """Return the names that match one of the patterns; a pattern that matches none is an error.

        Raises
        ------
        OptionError
            For a pattern without a match.
        """
        found: set[str] = set()
        for pattern in patterns:
            names = [name for name in self if fnmatch.fnmatchcase(name, pattern)]
            if not names:
                raise OptionError(
                    f"no parameter is named {pattern!r}; there are {', '.join(list(self)[:3])}, ..."
                )
            found.update(names)
        return frozenset(found)

    def count(self) -> int:
        """Return the number of parameters."""
        return self.flat.size

    def count_trainable(self) -> int:
        """Return the number of parameters that are trained."""
        return count_of(self.shapes, self.trainable)

    def new_gradient(self) -> FlatStore:
        """Return an uninitialized store for the gradient: the trainable names, in this order."""
        return FlatStore({n: s for n, s in self.shapes.items() if n in self.trainable}, self.dtype)

    def gathered(self, gradients: Mapping[str, Array]) -> FlatStore:
        """Return a store of the trainable names' gradients."""
        store = self.new_gradient()
        for name in store:
            store.add_up(name, [gradients])
        return store

    def segments(self, factors: Mapping[str, float] | None = None) -> list[Segment]:
        """Return the trainable parts as few segments, which together cover the gradient.

        Parameters
        ----------
        factors : mapping of str to float, optional
            Factors on the learning rate by name; 1 for other names.
        """
        found: list[Segment] = []
        done = 0
        for name, part in self.slices.items():
            if name not in self.trainable:
                continue
            size, alike = part.stop - part.start, self._treatment(name, factors or {})
            start, where = part.start, done
            if found and found[-1].parameters.stop == start:
                last = found[-1]
                if (last.matrices, last.factor) == alike:
                    start, where = last.parameters.start, last.gradient.start
                    found.pop()
            done += size
            found.append(Segment(slice(start, part.stop), slice(where, done), *alike))
        return found

    def _treatment(self, name: str, factors: Mapping[str, float]) -> tuple[bool, float]:
        return self.slices[name].start < self.matrices, factors.get(name, 1.0)

    def extended(self, shapes: Shapes) -> Parameters:
        """Return a copy with additional names, which are zero and trainable.

        Raises
        ------
        OptionError
            When a name exists already.
        """
        self._check_new(shapes)
        larger = Parameters({**self.shapes, **shapes}, self.dtype)
        for name, value in self.items():
            larger[name][...] = value
        larger.trainable = self.trainable | frozenset(shapes)
        return larger

    def beside(self, further: Mapping[str, Array]) -> Parameters:
        """Return a frozen store that shares these arrays and has additional ones.

        So one body serves many heads without a copy. `flat` holds the body alone.

        Raises
        ------
        OptionError
            When a name exists already.
        """
        self._check_new(further)
        shared = copy.copy(self)
        shared.shapes = {**self.shapes, **{name: value.shape for name, value in further.items()}}
        shared._views = {**self._views, **further}
        shared.trainable = frozenset()
        return shared

    def _check_new(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self.shapes:
                raise OptionError(f"the parameter {name} exists already")

    def not_finite(self) -> str | None:
        """Return the first NaN or infinity, as name, index and value; None if all are finite.

        Examples
        --------
        >>> parameters = Parameters({"wte.weight": (2, 2)}, np.float64)
        >>> parameters["wte.weight"][1, 0] = np.nan
        >>> parameters.not_finite()
        'wte.weight[1, 0] is nan'
        """
        for name, value in self.items():
            bad = np.argwhere(~np.isfinite(value))
            if len(bad):
                place = tuple(int(i) for i in bad[0])
                return f"{name}[{', '.join(map(str, place))}] is {value[place]}"
        return None

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of all parameters."""
        return self.flat.dtype
