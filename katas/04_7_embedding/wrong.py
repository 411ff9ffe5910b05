"""What people write in kata 4.7."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course.mistakes import mistake

Array = np.ndarray
Cache = tuple[Any, ...]


def _zeros(dy: Array, vocabulary: int) -> Array:
    return np.zeros((vocabulary, dy.shape[-1]), dy.dtype)


def _right(dy: Array, cache: Cache) -> Array:
    ids, vocabulary = cache
    dweight = _zeros(dy, vocabulary)
    np.add.at(dweight, ids, dy)
    return dweight


@mistake("embedding")
def columns_for_rows(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """the ids picked columns; a word is a row of the table.

    The table has the shape (V, C): the first axis counts words. weight[ids] picks along the first
    axis, weight[:, ids] along the second.
    """
    return weight[:, ids], (ids, len(weight))


@mistake("embedding")
def taken_from_the_flat_table(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """single numbers were picked, not rows: np.take needs axis=0.

    Without an axis, np.take flattens the table first. Indexing, weight[ids], picks rows by itself.
    """
    return np.take(weight, ids), (ids, len(weight))


@mistake("embedding")
def ids_flattened(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """the right rows in the wrong shape: the ids were flattened, and y must keep their axes.

    From ids of shape (B, T) comes y of shape (B, T, C). Indexing does that by itself: weight[ids].
    """
    return weight[ids.reshape(-1)], (ids, len(weight))


@mistake("embedding")
def ids_from_one(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """each row is the one before the right one: ids count from 0, as Python does.

    Do not subtract 1. It raises no error, either: row -1 is the last of the table.
    """
    return weight[ids - 1], (ids, len(weight))


@mistake("embedding")
def ids_and_one(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """each row is the one after the right one: ids count from 0, so do not add 1.

    For the last id there would be no row left.
    """
    return weight[(ids + 1) % len(weight)], (ids, len(weight))


@mistake("embedding")
def scaled(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """y is too large by the root of C: look the rows up as they are.

    The first transformer (Vaswani et al. 2017, section 3.4) multiplied by it. GPT does not.
    """
    return weight[ids] * weight.shape[-1] ** 0.5, (ids, len(weight))


@mistake("embedding")
def weight_in_the_cache(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """y is right, but the cache holds the table instead of V, its number of rows.

    The gradient of the table does not depend on what is in it, only on its size: (ids, V), with
    V = len(weight).
    """
    return weight[ids], (ids, weight)


@mistake("embedding")
def width_in_the_cache(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """y is right, but the cache holds C instead of V, the number of rows.

    V is len(weight), which is weight.shape[0]. The width C is known to the backward: dy has it.
    """
    return weight[ids], (ids, weight.shape[-1])


@mistake("embedding")
def shape_in_the_cache(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """y is right, but the cache holds the shape (V, C) instead of the number V.

    V is len(weight). The width is known to the backward: dy has it.
    """
    return weight[ids], (ids, weight.shape)


@mistake("embedding")
def largest_id_for_v(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """y is right, but V in the cache is the largest id plus one, not the number of rows.

    The table also has rows that this batch does not use. V is len(weight).
    """
    return weight[ids], (ids, int(ids.max()) + 1)


@mistake("embedding")
def number_of_ids_for_v(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """y is right, but the cache holds the number of ids instead of V, the number of rows.

    V says how many words there are, not how long the text is: len(weight).
    """
    return weight[ids], (ids, len(ids))


@mistake("embedding")
def flat_ids_in_the_cache(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """y is right, but the ids in the cache were flattened; they must be as they came.

    The backward gets dy of shape (B, T, C) and ids of shape (B, T) to go with it.
    """
    return weight[ids], (ids.reshape(-1), len(weight))


@mistake("embedding")
def last_place_left_out(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """the last place is left out: a loop that stops one too early.

    range(n) goes from 0 to n - 1 by itself. No loop is needed: weight[ids].
    """
    y = weight[ids]
    y.reshape(-1, y.shape[-1])[-1] = 0
    return y, (ids, len(weight))


@mistake("embedding_backward")
def added_once(dy: Array, cache: Cache) -> Array:
    """a row that is named several times got only its last dy: `dweight[ids] += dy` adds once.

    NumPy reads the rows, adds, and writes them back, so for repeated ids the last write wins. The
    gradient is the sum over all places. Use np.add.at(dweight, ids, dy), or a loop.
    """
    ids, vocabulary = cache
    dweight = _zeros(dy, vocabulary)
    dweight[ids] += dy
    return dweight


@mistake("embedding_backward")
def first_place_only(dy: Array, cache: Cache) -> Array:
    """a row that is named several times got only its first dy; it must get the sum of all.

    Each place used the row, and what the places ask of it adds up.
    """
    ids, vocabulary = cache
    dweight = _zeros(dy, vocabulary)
    rows, places = np.unique(ids, return_index=True)
    dweight[rows] = dy.reshape(-1, dy.shape[-1])[places]
    return dweight


@mistake("embedding_backward")
def added_once_in_each_sentence(dy: Array, cache: Cache) -> Array:
    """an id that is repeated within a sentence was added once only: the loop is over axis 0 only.

    In ids of shape (B, T), ids[b] is a whole sentence, and `dweight[ids[b]] += dy[b]` counts each
    word once. Loop over all places, or use np.add.at(dweight, ids, dy).
    """
    ids, vocabulary = cache
    dweight = _zeros(dy, vocabulary)
    for some, rows in zip(ids, dy, strict=True):
        dweight[some] += rows
    return dweight


@mistake("embedding_backward")
def mean_of_the_places(dy: Array, cache: Cache) -> Array:
    """a row that is named several times got the mean of its dy; it must get the sum.

    Each place adds to the loss, so what the places ask of the row adds up. If the loss is a mean
    over the tokens, the 1/N is already in dy.
    """
    ids, vocabulary = cache
    counts = np.bincount(ids.reshape(-1), minlength=vocabulary)
    return (_right(dy, cache) / np.maximum(counts, 1)[:, None]).astype(dy.dtype)


@mistake("embedding_backward")
def divided_by_all_ids(dy: Array, cache: Cache) -> Array:
    """dweight was divided by the number of ids.

    If the loss is a mean, the 1/N is already in dy; dividing again makes the table learn too
    slowly.
    """
    return _right(dy, cache) / cache[0].size


@mistake("embedding_backward")
def divided_by_the_batch(dy: Array, cache: Cache) -> Array:
    """dweight was divided by the length of the first axis.

    If the loss is a mean, the 1/N is already in dy. Here you sum everything.
    """
    return _right(dy, cache) / len(cache[0])


@mistake("embedding_backward")
def only_rows_that_were_used(dy: Array, cache: Cache) -> Array:
    """dweight has only the rows that were used; it must have the shape of the table, (V, C).

    The other rows have the gradient 0. The optimizer adds dweight to weight, row by row.
    """
    ids, _ = cache
    return _right(dy, cache)[np.unique(ids)]


@mistake("embedding_backward")
def rows_up_to_the_largest_id(dy: Array, cache: Cache) -> Array:
    """dweight ends with the largest id of the batch; it must have all V rows.

    V is in the cache for this reason. Rows that no id named have the gradient 0.
    """
    ids, _ = cache
    return _right(dy, cache)[: ids.max() + 1]


@mistake("embedding_backward")
def looked_up_again(dy: Array, cache: Cache) -> Array:
    """dy was looked up by the ids, as if it were the table: that is the forward once more.

    Backward goes the other way: add dy[place] to dweight[ids[place]].
    """
    return dy[cache[0]]


@mistake("embedding_backward")
def dy_as_it_is(dy: Array, cache: Cache) -> Array:
    """dy came back as it is, one row for each place; dweight has one row for each word, (V, C).

    Begin with zeros of that shape, and add each dy to the row that its id names.
    """
    return dy.copy()


@mistake("embedding_backward")
def counts_for_gradients(dy: Array, cache: Cache) -> Array:
    """dweight has the count of each id in it; dy was not used.

    Add dy[place] to the row, not 1.
    """
    ids, vocabulary = cache
    counts = np.bincount(ids.reshape(-1), minlength=vocabulary).astype(dy.dtype)
    return np.repeat(counts[:, None], dy.shape[-1], axis=1)


@mistake("embedding_backward")
def only_dy_flattened(dy: Array, cache: Cache) -> Array:
    """dy was flattened to (N, C), but the ids still have their axes.

    Flatten both, ids.reshape(-1) and dy.reshape(-1, C), or neither.
    """
    ids, vocabulary = cache
    dweight = _zeros(dy, vocabulary)
    np.add.at(dweight, ids, dy.reshape(-1, dy.shape[-1]))
    return dweight


@mistake("embedding_backward")
def only_ids_flattened(dy: Array, cache: Cache) -> Array:
    """the ids were flattened, but dy still has its axes.

    Flatten both, ids.reshape(-1) and dy.reshape(-1, C), or neither.
    """
    ids, vocabulary = cache
    dweight = _zeros(dy, vocabulary)
    np.add.at(dweight, ids.reshape(-1), dy)
    return dweight


@mistake("embedding_backward")
def one_sentence_only(dy: Array, cache: Cache) -> Array:
    """only the first sentence of the batch was added.

    ids has the shape (B, T): every one of the B sentences counts.
    """
    ids, vocabulary = cache
    if ids.ndim == 1:
        return _right(dy, cache)
    return _right(dy[0], (ids[0], vocabulary))


@mistake("embedding_backward")
def last_of_the_places_left_out(dy: Array, cache: Cache) -> Array:
    """the last place is left out: a loop that stops one too early.

    range(n) goes from 0 to n - 1 by itself.
    """
    ids, vocabulary = cache
    rows = dy.reshape(-1, dy.shape[-1])
    return _right(rows[:-1], (ids.reshape(-1)[:-1], vocabulary))


@mistake("embedding_backward")
def row_zero_as_padding(dy: Array, cache: Cache) -> Array:
    """row 0 got no gradient, as if id 0 were padding.

    Here id 0 is a word like any other. Places that should not count have dy = 0 already.
    """
    dweight = _right(dy, cache)
    dweight[0] = 0
    return dweight


@mistake("embedding_backward")
def nothing_from_add_at(dy: Array, cache: Cache) -> Any:
    """np.add.at returns None: it changes the array that you pass in.

    Call it on a line of its own, and return that array.
    """
    ids, vocabulary = cache
    return np.add.at(_zeros(dy, vocabulary), ids, dy)


@mistake("embedding_backward")
def not_begun_with_zeros(dy: Array, cache: Cache) -> Array:
    """dweight began with np.empty: rows that no id named hold whatever was in memory.

    Begin with np.zeros.
    """
    ids, vocabulary = cache
    dweight = np.empty((vocabulary, dy.shape[-1]), dy.dtype)
    np.add.at(dweight, ids, dy)
    return dweight


@mistake("embedding_backward")
def float64_from_np_zeros(dy: Array, cache: Cache) -> Array:
    """float32 became float64: `np.zeros(shape)` makes float64, whatever is added to it.

    So do np.eye and np.bincount. Give the dtype: np.zeros((V, C), dy.dtype). The table is the
    largest array of a small model, and in float64 its gradient takes twice the memory.
    """
    return _right(dy, cache).astype(np.float64)


@mistake("embedding")
def transposed_table(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """the table was transposed: the ids are row numbers of weight, of shape (V, C), as it is.

    weight.T has only C rows, so larger ids do not exist, and the others pick one channel of all
    words.
    """
    return weight.T[ids], (ids, len(weight))


@mistake("embedding")
def size_for_v(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """y is right, but the cache holds how many numbers the table has; V is how many rows.

    `size` is V * C. V is len(weight).
    """
    return weight[ids], (ids, weight.size)


@mistake("embedding")
def float64_from_np_eye(ids: Array, weight: Array) -> tuple[Array, Cache]:
    """float32 became float64: np.eye and np.zeros make float64, which decides in a product.

    Give the dtype, np.eye(V, dtype=weight.dtype), or look the rows up: weight[ids].
    """
    return weight[ids].astype(np.float64), (ids, len(weight))


@mistake("embedding_backward")
def a_row_for_each_place(dy: Array, cache: Cache) -> Array:
    """dweight has as many rows as there are places; it must have one for each word, (V, C).

    zeros_like(dy) has the shape of y. The table is as long as the vocabulary: V is in the cache.
    """
    ids, _ = cache
    dweight = np.zeros_like(dy)
    np.add.at(dweight, ids, dy)
    return dweight
