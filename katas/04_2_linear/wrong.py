"""Linear layers as people write them at first."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course.mistakes import mistake


def _rows(x: Any) -> Any:
    return x.reshape(-1, x.shape[-1])


def _right(dy: Any, cache: Any) -> tuple[Any, Any, Any]:
    x, weight = cache
    return dy @ weight.T, _rows(x).T @ _rows(dy), _rows(dy).sum(axis=0)


@mistake("linear")
def weight_stored_output_first(x, weight, bias):
    """x is multiplied by weight.T, as in PyTorch, where a weight is stored (outputs, inputs).

    Here it is stored (I, O), inputs first, as in GPT-2's own files: x of shape (..., I) times
    weight of shape (I, O) needs no transpose. With a square weight no shape
    complains, and the numbers are wrong.
    """
    return x @ weight.T + bias, (x, weight)


@mistake("linear")
def bias_forgotten(x, weight, bias):
    """the bias was not added.

    y = x @ weight + bias. Without it every output is 0 where the input is 0. The bias has
    shape (O,) and NumPy adds it to every row by itself.
    """
    return x @ weight, (x, weight)


@mistake("linear")
def bias_taken_off(x, weight, bias):
    """the bias was subtracted.

    Some older texts write a threshold, x @ weight - theta. The bias is its negative: it is added.
    """
    return x @ weight - bias, (x, weight)


@mistake("linear")
def leading_axes_lost(x, weight, bias):
    """y came back with its leading axes flattened: (N, O) instead of (..., O).

    Flattening for the product is a good idea; afterwards the rows go back to where they were:
    y.reshape(*x.shape[:-1], weight.shape[1]).
    """
    return _rows(x) @ weight + bias, (x, weight)


@mistake("linear")
def cache_in_another_order(x, weight, bias):
    """the cache is (weight, x); it should be (x, weight).

    y is right. But the backward (the library's as well as yours) unpacks `x, weight = cache` and
    would swap the two.
    """
    return x @ weight + bias, (weight, x)


@mistake("linear")
def flattened_in_the_cache(x, weight, bias):
    """the cache holds x with its leading axes flattened.

    y is right. But dx must have the shape of x, and the backward learns that shape from the cache:
    keep x as it came in.
    """
    return x @ weight + bias, (_rows(x), weight)


@mistake("linear_backward")
def dx_not_transposed(dy, cache):
    """dx lacks a transpose: dy @ weight where dy @ weight.T is meant.

    Forward, weight[i, o] carries input i to output o. On the way back it carries from o to i, so
    the matrix is turned over: (N, O) times (O, I). Only a square weight works
    without the transpose.
    """
    _, weight = cache
    return dy @ weight, *_right(dy, cache)[1:]


@mistake("linear_backward")
def dweight_transposed(dy, cache):
    """dweight is transposed: dy.T @ x has shape (O, I), the weight has (I, O).

    A gradient has the shape of what it is the gradient of. x.T @ dy is (I, N) times (N, O).
    """
    dx, dweight, dbias = _right(dy, cache)
    return dx, dweight.T, dbias


@mistake("linear_backward")
def mean_over_the_rows(dy, cache):
    """dweight and dbias are means over the rows, not sums.

    The division by the number of rows belongs to the loss, which is a mean, and it is already in
    dy. Here you add up what each row says; dividing again makes the gradient N times too small.
    """
    dx, dweight, dbias = _right(dy, cache)
    count = len(_rows(dy))
    return dx, dweight / count, dbias / count


@mistake("linear_backward")
def dbias_is_a_mean(dy, cache):
    """dbias is the mean of dy over the rows, not the sum.

    Every row adds the same bias, so every row counts in full: rows.sum(axis=0). The mean over the
    batch is in the loss, and therefore already in dy.
    """
    dx, dweight, dbias = _right(dy, cache)
    return dx, dweight, dbias / len(_rows(dy))


@mistake("linear_backward")
def dbias_not_summed(dy, cache):
    """dbias is dy itself: the sum over the rows is missing.

    The bias is one vector of shape (O,) that was added to every row. Wherever NumPy stretched an
    array in the forward, the backward adds up along the stretched axes.
    """
    dx, dweight, _ = _right(dy, cache)
    return dx, dweight, dy.copy()


@mistake("linear_backward")
def dbias_summed_over_the_first_axis_only(dy, cache):
    """dbias was summed over axis 0 alone, which is not enough when x has three axes.

    All axes but the last are rows. Flatten dy to (N, O) first, or sum over
    tuple(range(dy.ndim - 1)).
    """
    dx, dweight, _ = _right(dy, cache)
    return dx, dweight, dy.sum(axis=0)


@mistake("linear_backward")
def one_dweight_for_each_sequence(dy, cache):
    """dweight kept the batch axis: it has a matrix for each sequence; it should be one sum.

    x.swapaxes(-1, -2) @ dy multiplies sequence by sequence. All of them used the same weight, so
    what they say is added: flatten the leading axes to one before the product.
    """
    dx, _, dbias = _right(dy, cache)
    return dx, cache[0].swapaxes(-1, -2) @ dy, dbias


@mistake("linear_backward")
def dweight_with_every_axis_turned(dy, cache):
    """x.T @ dy was written for x with three axes, where .T reverses all of them.

    For x of shape (B, T, I), x.T has shape (I, T, B), and the product does not fit or means
    something else. Flatten the leading axes first: x.reshape(-1, x.shape[-1]); dy too.
    """
    dx, _, dbias = _right(dy, cache)
    return dx, cache[0].T @ dy, dbias


@mistake("linear_backward")
def only_the_last_row(dy, cache):
    """dweight comes from the last row alone: it was assigned in a loop, not added up.

    Each row contributes np.outer(x[n], dy[n]). With `dweight = ...` inside the loop each row
    overwrites the one before. Use +=, or the one product x.T @ dy, which is this very sum.
    """
    dx, _, dbias = _right(dy, cache)
    return dx, np.outer(_rows(cache[0])[-1], _rows(dy)[-1]), dbias


@mistake("linear_backward")
def in_place_on_the_weight(dy, cache):
    """the weight was updated inside the backward.

    The backward only says what the gradient is; the step is the optimizer's job. `weight -= ...`
    writes into the caller's array, so the second call gives another answer.
    """
    dx, dweight, dbias = _right(dy, cache)
    cache[1][...] -= 0.1 * dweight
    return dx, dweight, dbias
