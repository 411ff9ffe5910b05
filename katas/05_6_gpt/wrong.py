"""Tables, embeddings and heads as people write them at first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minilm.course.mistakes import mistake
from minilm.nn import functional as F

Shapes = dict[str, Any]


def _shapes(
    config: Any,
    *,
    inner: int | None = None,
    change: Callable[[str, tuple[int, ...]], Any] | None = None,
    first: int = 0,
    start: str = "h.",
) -> Shapes:
    """Return the right table, but for what is given."""
    c, hidden = config.n_embd, config.inner if inner is None else inner
    shapes: Shapes = {"wte.weight": (config.vocab_size, c), "wpe.weight": (config.n_positions, c)}
    block = {
        "ln_1": (c,),
        "attn.c_attn": (c, 3 * c),
        "attn.c_proj": (c, c),
        "ln_2": (c,),
        "mlp.c_fc": (c, hidden),
        "mlp.c_proj": (hidden, c),
    }
    for layer in range(first, first + config.n_layer):
        for name, shape in block.items():
            shapes[f"{start}{layer}.{name}.weight"] = shape
            shapes[f"{start}{layer}.{name}.bias"] = shape[-1:]
    shapes |= {"ln_f.weight": (c,), "ln_f.bias": (c,)}
    if change is not None:
        shapes = {name: change(name, shape) for name, shape in shapes.items()}
    return shapes


def _without(shapes: Shapes, mark: str) -> Shapes:
    return {name: shape for name, shape in shapes.items() if mark not in name}


@mistake("param_shapes")
def a_head_of_its_own(config):
    """the head has its own matrix here; GPT-2's head is tied: it uses `wte.weight`.

    The scores of the next word are hidden @ wte.T, with the table that the words came from. An
    lm_head.weight would be another 38.6 million numbers in the smallest GPT-2.
    """
    return _shapes(config) | {"lm_head.weight": (config.vocab_size, config.n_embd)}


@mistake("param_shapes")
def inner_is_always_four_times(config):
    """the MLP is always 4 C wide here: its width is config.inner, which is 4 C only by default."""
    return _shapes(config, inner=4 * config.n_embd)


@mistake("param_shapes")
def numbers_in_place_of_tuples(config):
    """the shapes of vectors are numbers, not tuples: (C) is C in parentheses; (C,) is a tuple."""
    return _shapes(config, change=lambda _, shape: shape[0] if len(shape) == 1 else shape)


@mistake("param_shapes")
def no_final_norm(config):
    """ln_f is missing: a last layer norm comes after the blocks, before the head.

    No norm has touched the stream on its way up. Without this one its size is left to chance, and
    so is the size of the logits.
    """
    return _without(_shapes(config), "ln_f")


@mistake("param_shapes")
def matrices_output_first(config):
    """the matrices are stored output first, (out, in), as PyTorch's nn.Linear does.

    GPT-2's are stored input first, so that y = x @ weight + bias needs no transpose.
    """

    def turned(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape if name[:2] == "wt" or name[:2] == "wp" else shape[::-1]

    return _shapes(config, change=turned)


@mistake("param_shapes")
def attention_not_three_times(config):
    """c_attn has C outputs: it makes queries, keys *and* values, so it has 3 C.

    One matrix makes all three at once. Its bias has 3 C entries too.
    """

    def narrow(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-1], config.n_embd) if "c_attn" in name else shape

    return _shapes(config, change=narrow)


@mistake("param_shapes")
def layers_from_one(config):
    """the layers are numbered from 1: in the names they start at 0, h.0."""
    return _shapes(config, first=1)


@mistake("param_shapes")
def no_biases_in_the_linear_layers(config):
    """the linear layers have no biases here: each has one, as long as its outputs.

    Llama leaves them out. GPT-2 has a bias in all four linear layers of a block.
    """
    shapes = _shapes(config)
    return {n: s for n, s in shapes.items() if not (n.endswith("bias") and "c_" in n)}


@mistake("param_shapes")
def the_narrow_bias_is_wide(config):
    """the bias of mlp.c_proj is as long as its inputs; a bias is as long as the *outputs*: C.

    y = x @ weight + bias: the bias is added to y.
    """

    def wide(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (config.inner,) if name.endswith("mlp.c_proj.bias") else shape

    return _shapes(config, change=wide)


@mistake("param_shapes")
def norms_without_biases(config):
    """the layer norms have no biases: each norm has a gain (weight) and a bias, C each.

    RMS norm, in Llama, has only the gain.
    """
    shapes = _shapes(config)
    return {n: s for n, s in shapes.items() if not (n.endswith("bias") and "ln_" in n)}


@mistake("param_shapes")
def no_positions(config):
    """wpe.weight is missing: the table of positions, (P, C).

    Attention alone does not know in which order its keys are. GPT-2 learns a row for each position.
    """
    return _without(_shapes(config), "wpe")


@mistake("param_shapes")
def only_one_layer(config):
    """only one layer is there: each of the n_layer blocks has its own parameters.

    If you use the same names in each turn of a loop, the last turn overwrites the others. The
    layer's number belongs in the name: f"h.{layer}.{name}".
    """
    shapes = _shapes(config)
    return {n: s for n, s in shapes.items() if n[:2] != "h." or n.startswith("h.0.")}


@mistake("param_shapes")
def in_alphabetical_order(config):
    """the names are in alphabetical order; they should be in the order of the forward pass.

    New parameters are drawn at random in the order of this table. In a different order, the same
    seed gives a different model.
    """
    return dict(sorted(_shapes(config).items()))


def _embedded(x: Any, ids: Any, words: Any, positions: Any, start: int) -> Any:
    return x, (ids, len(words), len(positions), start)


def _placed(ids: Any, positions: Any, start: int) -> Any:
    return positions[start : start + ids.shape[1]]


@mistake("embed")
def positions_left_out(ids, words, positions, start=0):
    """the positions are left out: x has only the rows of the words.

    Attention does not know the order of its keys. Without positions, "dog bites man" and "man bites
    dog" have the same rows.
    """
    return _embedded(words[ids], ids, words, positions, start)


@mistake("embed")
def start_ignored(ids, words, positions, start=0):
    """start is ignored: the positions begin at 0.

    When a model writes, it reads one new token at a time, and that token is at position `start`:
    positions[start : start + T].
    """
    return _embedded(words[ids] + _placed(ids, positions, 0), ids, words, positions, start)


@mistake("embed")
def the_whole_table_of_positions(ids, words, positions, start=0):
    """all P positions were added, but there are only T tokens: positions[start : start + T]."""
    return _embedded(words[ids] + positions, ids, words, positions, start)


@mistake("embed")
def up_to_the_number_of_tokens(ids, words, positions, start=0):
    """the slice ends at T; it should end at start + T: positions[start : start + T].

    The end of a slice is a place, not a length.
    """
    x = words[ids] + positions[start : ids.shape[1]]
    return _embedded(x, ids, words, positions, start)


@mistake("embed")
def side_by_side(ids, words, positions, start=0):
    """words and positions were put side by side: they should be added.

    x has C channels, as many as each table has.
    """
    rows = _placed(ids, positions, start)
    rows = np.broadcast_to(rows, (*ids.shape, rows.shape[-1]))
    return _embedded(np.concatenate([words[ids], rows], axis=-1), ids, words, positions, start)


@mistake("embed")
def scaled_by_the_root(ids, words, positions, start=0):
    """the words were multiplied by sqrt(C): the transformer of 2017 does that, GPT-2 does not."""
    x = words[ids] * words.shape[1] ** 0.5 + _placed(ids, positions, start)
    return _embedded(x, ids, words, positions, start)


@mistake("embed")
def positions_by_id(ids, words, positions, start=0):
    """the positions were looked up by the ids: a token's position is its place in the sequence.

    positions[start : start + T] has one row for each of the T places, the same for all sequences.
    """
    x = words[ids] + positions[ids % len(positions)]
    return _embedded(x, ids, words, positions, start)


def _dwords(dx: Any, cache: Any, dhead: Any) -> Any:
    dwords = F.embedding_backward(dx, cache[:2])
    return dwords if dhead is None else dwords + dhead


def _dpositions(dx: Any, cache: Any) -> Any:
    _, _, context, start = cache
    dpositions = np.zeros((context, dx.shape[-1]), dx.dtype)
    dpositions[start : start + dx.shape[1]] = dx.sum(axis=0)
    return dpositions


@mistake("embed_backward")
def head_ignored(dx, cache, dhead=None):
    """dhead is ignored: the table of words was used twice, so its gradient is a sum of two.

    Once the model read words from it, and once it compared the hidden states with it.
    """
    return _dwords(dx, cache, None), _dpositions(dx, cache)


@mistake("embed_backward")
def head_takes_the_place(dx, cache, dhead=None):
    """dhead replaced the embedding's gradient; the table was used twice, so add the two."""
    return (_dwords(dx, cache, None) if dhead is None else dhead.copy()), _dpositions(dx, cache)


@mistake("embed_backward")
def head_not_tested_for_none(dx, cache, dhead=None):
    """dhead may be None: then there is nothing to add. Test it first.

    A classifier has no tied head.
    """
    return _dwords(dx, cache, None) + dhead, _dpositions(dx, cache)


@mistake("embed_backward")
def repeats_lost(dx, cache, dhead=None):
    """a word that was read twice has only the gradient of its last place.

    `dwords[ids] += dx` adds once for each row, whatever the repeats. F.embedding_backward, or
    np.add.at, adds all of them.
    """
    dwords = np.zeros((cache[1], dx.shape[-1]), dx.dtype)
    dwords[cache[0]] += dx
    return (dwords if dhead is None else dwords + dhead), _dpositions(dx, cache)


@mistake("embed_backward")
def head_only_where_read(dx, cache, dhead=None):
    """dhead was added only for words that were read.

    The head compares with *every* row of the table, so every row has a gradient from it: it pushes
    away words that were not there.
    """
    dwords = _dwords(dx, cache, None)
    if dhead is not None:
        read = np.unique(cache[0])
        dwords[read] += dhead[read]
    return dwords, _dpositions(dx, cache)


@mistake("embed_backward")
def head_written_to(dx, cache, dhead=None):
    """dhead was added to in place: it belongs to the caller. dwords + dhead makes a new array."""
    dwords = _dwords(dx, cache, None)
    if dhead is not None:
        dhead += dwords
        dwords = dhead
    return dwords, _dpositions(dx, cache)


@mistake("embed_backward")
def as_long_as_the_text(dx, cache, dhead=None):
    """dpositions has only T rows: a gradient has the shape of its parameter, here (P, C).

    P is the context, and is in the cache. Positions where no token was get zeros.
    """
    return _dwords(dx, cache, dhead), dx.sum(axis=0)


@mistake("embed_backward")
def the_batch_not_summed(dx, cache, dhead=None):
    """dpositions still has the batch: each row was used by all B sequences, so sum over axis 0."""
    return _dwords(dx, cache, dhead), dx.copy()


@mistake("embed_backward")
def mean_over_the_batch(dx, cache, dhead=None):
    """dpositions has the mean over the batch; it should be the sum.

    B sequences used each row, so add what comes back from all of them. The mean over the batch is
    already in the loss.
    """
    return _dwords(dx, cache, dhead), _dpositions(dx, cache) / len(dx)


@mistake("embed_backward")
def start_ignored_on_the_way_back(dx, cache, dhead=None):
    """start is ignored in dpositions: the rows that were used begin at `start`."""
    ids, vocabulary, context, _ = cache
    return _dwords(dx, cache, dhead), _dpositions(dx, (ids, vocabulary, context, 0))


@mistake("embed_backward")
def the_last_sequence_only(dx, cache, dhead=None):
    """dpositions has only what the last sequence gives: assigned in a loop, not added up."""
    return _dwords(dx, cache, dhead), _dpositions(dx[-1:], cache)


@mistake("unembed")
def not_transposed(x, weight):
    """the table must be transposed: x @ weight.T.

    Each row of the table is a word. A logit is the product of a row of x with a row of the table.
    """
    return x @ weight, (x, weight)


@mistake("unembed")
def probabilities(x, weight):
    """these are probabilities: the head gives the logits, without a softmax.

    cross_entropy takes the softmax itself, and it needs the logits for that.
    """
    y = x @ weight.T
    return F.softmax(y)[0], (x, weight)


@mistake("unembed")
def logits_scaled(x, weight):
    """the logits are divided by sqrt(C): attention does that with its scores, the head does not."""
    return x @ weight.T / weight.shape[1] ** 0.5, (x, weight)


@mistake("unembed")
def last_position_only(x, weight):
    """only the last position has logits: in training, every position predicts its next word.

    When a model writes, you need only the last one. The model picks it before it calls the head.
    """
    return (x[:, -1] if x.ndim > 2 else x[-1]) @ weight.T, (x, weight)


@mistake("unembed_backward")
def dx_transposed(dy, cache):
    """dx needs the table as it is: dy @ weight. Forward it was transposed, backward it is not."""
    x, weight = cache
    rows = dy.reshape(-1, dy.shape[-1])
    return dy @ weight.T, rows.T @ x.reshape(-1, x.shape[-1])


@mistake("unembed_backward")
def table_transposed(dy, cache):
    """dweight is transposed: it should have the table's shape, (V, C).

    x.T @ dy is the gradient of a matrix that is stored input first. The table has a row for each
    word: dy.T @ x.
    """
    x, weight = cache
    rows = dy.reshape(-1, dy.shape[-1])
    return dy @ weight, x.reshape(-1, x.shape[-1]).T @ rows


@mistake("unembed_backward")
def leading_axes_kept(dy, cache):
    """dweight still has the batch: flatten the leading axes, so that the product sums all rows.

    dy.reshape(-1, V).T @ x.reshape(-1, C) has the shape (V, C).
    """
    x, weight = cache
    return dy @ weight, dy.swapaxes(-1, -2) @ x


@mistake("unembed_backward")
def every_axis_turned(dy, cache):
    """`.T` reverses all axes, and there may be three: flatten the leading axes to rows first.

    dy.reshape(-1, V).T @ x.reshape(-1, C).
    """
    x, weight = cache
    return dy @ weight, dy.T @ x


@mistake("unembed_backward")
def mean_over_the_rows(dy, cache):
    """dweight is a mean over the rows; it should be the sum.

    The loss is already a mean, and its 1/N is in dy.
    """
    x, weight = cache
    rows = dy.reshape(-1, dy.shape[-1])
    return dy @ weight, rows.T @ x.reshape(-1, x.shape[-1]) / len(rows)


@mistake("unembed_backward")
def order_of_the_results(dy, cache):
    """the results have changed places: first dx, then dweight, as the arguments of unembed."""
    x, weight = cache
    rows = dy.reshape(-1, dy.shape[-1])
    return rows.T @ x.reshape(-1, x.shape[-1]), dy @ weight


@mistake("param_shapes")
def words_and_positions_exchanged(config):
    """the two tables have changed places: wte has V rows (words), wpe has P rows (positions)."""
    shapes = _shapes(config)
    words, positions = shapes["wte.weight"], shapes["wpe.weight"]
    return shapes | {"wte.weight": positions, "wpe.weight": words}


@mistake("param_shapes")
def tables_turned(config):
    """the tables of words and positions are turned: a row for each word, so (V, C) and (P, C)."""
    return _shapes(config, change=lambda n, shape: shape[::-1] if n[0] == "w" else shape)


@mistake("param_shapes")
def narrow_matrix_not_turned(config):
    """mlp.c_proj has the shape of mlp.c_fc; it goes back from inner to C: (inner, C).

    Matrices are stored input first, and what comes into this one is `inner` wide.
    """
    return _shapes(config, change=lambda n, s: s[::-1] if n.endswith("mlp.c_proj.weight") else s)


@mistake("param_shapes")
def lists_in_place_of_tuples(config):
    """the shapes are lists; a shape is a tuple: (V, C), with round parentheses."""
    return _shapes(config, change=lambda _, shape: list(shape))


@mistake("embed")
def as_many_positions_as_sequences(ids, words, positions, start=0):
    """as many positions were taken as there are sequences: len(ids) is B, ids.shape[1] is T."""
    x = words[ids] + positions[start : start + len(ids)]
    return _embedded(x, ids, words, positions, start)


@mistake("embed_backward")
def summed_over_the_time(dx, cache, dhead=None):
    """dpositions was summed over the time: each position has its own row; sum over the batch.

    dx.sum(axis=0) has a row for each of the T positions.
    """
    _, _, context, start = cache
    dpositions = np.zeros((context, dx.shape[-1]), dx.dtype)
    dpositions[start : start + dx.shape[1]] = dx.sum(axis=1)
    return _dwords(dx, cache, dhead), dpositions


@mistake("embed_backward")
def the_same_for_all_positions(dx, cache, dhead=None):
    """all rows of dpositions are the same: sum over the batch only, not over the time too."""
    dpositions = np.zeros((cache[2], dx.shape[-1]), dx.dtype)
    dpositions[:] = dx.sum(axis=(0, 1))
    return _dwords(dx, cache, dhead), dpositions
