"""LoRA as people write it at first."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course.mistakes import mistake


def _rows(x: Any) -> Any:
    return x.reshape(-1, x.shape[-1])


def _forward(x: Any, a: Any, b: Any, scaling: float) -> tuple[Any, Any]:
    narrow = scaling * _rows(x) @ a.T
    return (narrow @ b.T).reshape(*x.shape[:-1], len(b)), narrow


def _backward(dy: Any, cache: Any) -> tuple[Any, Any, Any]:
    x, narrow, a, b, scaling = cache
    dnarrow = scaling * _rows(dy) @ b
    return (dnarrow @ a).reshape(x.shape), dnarrow.T @ _rows(x), _rows(dy).T @ narrow


# --------------------------------------------------------------------------- low_rank


@mistake("low_rank")
def scaling_forgotten(x, a, b, scaling):
    """the scaling is missing.

    It is alpha / rank, so that a new rank does not need a new learning rate. Multiply narrow by it.
    """
    y, narrow = _forward(x, a, b, 1.0)
    return y, (x, narrow, a, b, scaling)


@mistake("low_rank")
def scaling_twice(x, a, b, scaling):
    """the scaling was applied twice: to narrow, and to y again.

    narrow carries it on to y by itself. Once is enough.
    """
    y, narrow = _forward(x, a, b, scaling)
    return scaling * y, (x, narrow, a, b, scaling)


@mistake("low_rank")
def divided_by_the_rank_again(x, a, b, scaling):
    """the result was divided by the rank, which `scaling` has done already.

    scaling *is* alpha / rank; the caller made the division.
    """
    y, narrow = _forward(x, a, b, scaling)
    return y / len(a), (x, narrow / len(a), a, b, scaling)


@mistake("low_rank")
def narrow_without_scaling_in_the_cache(x, a, b, scaling):
    """y is right, but narrow in the cache lacks the scaling.

    The cache is a contract with the backward: narrow = scaling * x @ a.T, so that db = dy.T @
    narrow is complete.
    """
    y, _ = _forward(x, a, b, scaling)
    return y, (x, _rows(x) @ a.T, a, b, scaling)


@mistake("low_rank")
def narrow_not_flattened(x, a, b, scaling):
    """narrow in the cache kept the leading axes of x; it should be flattened to (N, R).

    y is right. But the backward multiplies dy.T @ narrow with all rows in one axis. Flatten x
    first, and only y gets its axes back.
    """
    y, narrow = _forward(x, a, b, scaling)
    return y, (x, narrow.reshape(*x.shape[:-1], len(a)), a, b, scaling)


@mistake("low_rank")
def leading_axes_lost(x, a, b, scaling):
    """y came back with its leading axes flattened: (N, O) instead of (..., O).

    After the product the rows go back to where they were: y.reshape(*x.shape[:-1], len(b)).
    """
    y, narrow = _forward(x, a, b, scaling)
    return _rows(y), (x, narrow, a, b, scaling)


@mistake("low_rank")
def first_factor_not_transposed(x, a, b, scaling):
    """x was multiplied by a, which is stored (R, I); it takes a.T.

    peft stores both factors outputs first: a is (R, I) and b is (O, R). So each has a transpose
    here. Where all sizes are the same, only the numbers tell.
    """
    narrow = scaling * _rows(x) @ a
    y = (narrow @ b.T).reshape(*x.shape[:-1], len(b))
    return y, (x, narrow, a, b, scaling)


@mistake("low_rank")
def second_factor_not_transposed(x, a, b, scaling):
    """narrow was multiplied by b, which is stored (O, R); it takes b.T.

    (N, R) times (R, O) gives (N, O). Where all sizes are the same, only the numbers tell.
    """
    _, narrow = _forward(x, a, b, scaling)
    return (narrow @ b).reshape(*x.shape[:-1], len(b)), (x, narrow, a, b, scaling)


@mistake("low_rank")
def factors_exchanged(x, a, b, scaling):
    """b came first, then a; the order is a, then b.

    a is (R, I): it reads x, and makes it narrow. b is (O, R): it makes the output.
    """
    narrow = scaling * _rows(x) @ b.T
    return (narrow @ a.T).reshape(*x.shape[:-1], len(b)), (x, narrow, a, b, scaling)


@mistake("low_rank")
def in_place_on_x(x, a, b, scaling):
    """x was scaled in place: `x *= scaling` changes the caller's activations.

    The frozen matrix gets the same x. Scale narrow, which is yours and smaller.
    """
    y, narrow = _forward(x, a, b, scaling)
    x *= scaling
    return y, (x, narrow, a, b, scaling)


# --------------------------------------------------------------------------- low_rank_backward


@mistake("low_rank_backward")
def scaling_forgotten_on_the_way_back(dy, cache):
    """the scaling is missing from dx and da.

    Forward, narrow = scaling * x @ a.T. What goes back through that line is multiplied by the
    scaling: dnarrow = scaling * dy @ b. (db is right: narrow has it already.)
    """
    x, narrow, a, b, _ = cache
    return _backward(dy, (x, narrow, a, b, 1.0))


@mistake("low_rank_backward")
def scaling_twice_in_db(dy, cache):
    """db has the scaling twice: narrow in the cache is scaled already.

    db = dy.T @ narrow, and that is all.
    """
    dx, da, db = _backward(dy, cache)
    return dx, da, cache[-1] * db


@mistake("low_rank_backward")
def scaling_missing_from_db(dy, cache):
    """db lacks the scaling: x @ a.T was computed again without it, or narrow was divided by it.

    narrow in the cache has the scaling, and so must db: dy.T @ narrow.
    """
    dx, da, db = _backward(dy, cache)
    return dx, da, db / cache[-1]


@mistake("low_rank_backward")
def scaling_twice_in_dnarrow(dy, cache):
    """dx and da have the scaling twice.

    It comes in once on the way back: dnarrow = scaling * dy @ b. What is made from dnarrow has it
    already.
    """
    dx, da, db = _backward(dy, cache)
    return cache[-1] * dx, cache[-1] * da, db


@mistake("low_rank_backward")
def scaling_missing_from_dx(dy, cache):
    """dx lacks the scaling; da has it.

    Both come from the same dnarrow = scaling * dy @ b. Scale it once, and use it for both.
    """
    dx, da, db = _backward(dy, cache)
    return dx / cache[-1], da, db


@mistake("low_rank_backward")
def scaling_missing_from_da(dy, cache):
    """da lacks the scaling; dx has it.

    Both come from the same dnarrow = scaling * dy @ b. Scale it once, and use it for both.
    """
    dx, da, db = _backward(dy, cache)
    return dx, da / cache[-1], db


@mistake("low_rank_backward")
def da_transposed(dy, cache):
    """da came out transposed: x.T @ dnarrow has shape (I, R), a has (R, I).

    A gradient has the shape of what it is the gradient of: dnarrow.T @ x.
    """
    dx, da, db = _backward(dy, cache)
    return dx, da.T, db


@mistake("low_rank_backward")
def db_transposed(dy, cache):
    """db came out transposed: narrow.T @ dy has shape (R, O), b has (O, R).

    A gradient has the shape of what it is the gradient of: dy.T @ narrow.
    """
    dx, da, db = _backward(dy, cache)
    return dx, da, db.T


@mistake("low_rank_backward")
def both_factors_exchanged(dy, cache):
    """da and db came back in the other order.

    The gradients are in the order of the forward's arguments: x, a, b.
    """
    dx, da, db = _backward(dy, cache)
    return dx, db, da


@mistake("low_rank_backward")
def mean_over_the_rows(dy, cache):
    """da and db are means over the rows, not sums.

    All rows used the same factors, so their shares add up. The mean of the loss over the batch is
    inside dy already.
    """
    dx, da, db = _backward(dy, cache)
    count = len(_rows(dy))
    return dx, da / count, db / count


@mistake("low_rank_backward")
def first_factor_frozen(dy, cache):
    """da is zero, as if a were frozen.

    It *is* zero at the very first step, because b is. But do not leave it out: from the second step
    on, b is not zero, and a learns which directions of x matter.
    """
    dx, da, db = _backward(dy, cache)
    return dx, np.zeros_like(da), db


@mistake("low_rank_backward")
def in_place_on_dy(dy, cache):
    """dy was scaled in place: `dy *= scaling` changes the caller's gradient.

    The same dy goes back through the frozen matrix too. Scale dnarrow, which is yours.
    """
    results = _backward(dy, cache)
    dy *= cache[-1]
    return results


# --------------------------------------------------------------------------- merged_weight


@mistake("merged_weight")
def product_not_transposed(weight, a, b, scaling):
    """b @ a was added without its transpose.

    b @ a has shape (O, I), as in PyTorch and peft; the weight is stored (I, O), as in GPT-2's own
    files. With a square weight nothing complains, and the model talks nonsense.
    """
    return weight + scaling * (b @ a)


@mistake("merged_weight")
def product_reshaped(weight, a, b, scaling):
    """b @ a was reshaped; it must be transposed.

    Both give (I, O). But a reshape reads the numbers row after row and leaves them in that order;
    only .T makes rows of the columns.
    """
    return weight + scaling * (b @ a).reshape(weight.shape)


@mistake("merged_weight")
def multiplied_into_the_weight(weight, a, b, scaling):
    """the product was multiplied into the weight; it must be added.

    x @ weight and what the adapter gives are added, so the matrices are: weight + scaling * (b @
    a).T.
    """
    return weight * scaling * (b @ a).T


@mistake("merged_weight")
def merged_without_scaling(weight, a, b, scaling):
    """the product was added without the scaling.

    While training it counted alpha / rank times; merged it counts just as often.
    """
    return weight + (b @ a).T


@mistake("merged_weight")
def taken_off(weight, a, b, scaling):
    """the product was subtracted: that takes an adapter out of a merged weight.

    To merge is to add.
    """
    return weight - scaling * (b @ a).T


@mistake("merged_weight")
def weight_scaled_too(weight, a, b, scaling):
    """the weight was scaled as well: scaling belongs to the product alone.

    The frozen weight stays what it was; check your parentheses.
    """
    return scaling * (weight + (b @ a).T)


@mistake("merged_weight")
def outputs_first(weight, a, b, scaling):
    """the result has shape (O, I): the weight was transposed, not the product.

    The merged matrix takes the place of the weight, so it has its shape, (I, O).
    """
    return weight.T + scaling * (b @ a)


@mistake("merged_weight")
def merged_in_place(weight, a, b, scaling):
    """the product was added to the weight in place: the base is changed forever.

    One base serves many adapters. `weight += ...` writes into it; make a new array.
    """
    weight += scaling * (b @ a).T
    return weight
