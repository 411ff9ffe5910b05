"""What people write in kata 4.8."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course.mistakes import mistake

Array = np.ndarray
Cache = tuple[Any, ...]
Generator = np.random.Generator | None


def _draws(x: Array, rng: np.random.Generator) -> Array:
    return rng.random(x.shape, dtype=np.float32)


def _factors(x: Array, rate: float, rng: np.random.Generator) -> Array:
    """Return the factors as they should be."""
    return (_draws(x, rng) >= rate).astype(x.dtype) / (1 - rate)


@mistake("dropout")
def scale_forgotten(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """what is kept was not enlarged: the factor 1 / (1 - rate) is missing.

    With a rate of 0.5 half of a sum is gone, so the next layer sees half of what it will see at
    test time, when nothing is dropped. Divide kept elements by 1 - rate.
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = (_draws(x, rng) >= rate).astype(x.dtype)
    return x * keep, (keep,)


@mistake("dropout")
def divided_by_the_rate(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """what is kept was divided by the rate; it must be divided by 1 - rate, the share that is kept.

    With a rate of 0.1 nine out of ten are kept, and each must grow by a ninth, not tenfold.
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = (_draws(x, rng) >= rate).astype(x.dtype) / rate
    return x * keep, (keep,)


@mistake("dropout")
def multiplied_by_the_share(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """what is kept was multiplied by 1 - rate; it must be divided by it.

    Elements are missing, so the others must grow, not shrink.
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = (_draws(x, rng) >= rate).astype(x.dtype) * (1 - rate)
    return x * keep, (keep,)


@mistake("dropout")
def exchanged(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """kept and dropped are exchanged: an element is dropped where its draw is below the rate.

    A draw is below 0.1 in one case out of ten. With the comparison the other way around, nine out
    of ten are dropped.
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = (_draws(x, rng) < rate).astype(x.dtype) / (1 - rate)
    return x * keep, (keep,)


@mistake("dropout")
def rate_of_keeping(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """the rate was taken for the probability of keeping; it is the probability of dropping.

    The paper's p is the probability of keeping; the rate of today's libraries is that of dropping.
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = (_draws(x, rng) < rate).astype(x.dtype) / rate
    return x * keep, (keep,)


@mistake("dropout")
def kept_from_the_other_end(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """the right share was dropped, but at the other end of the draws: those above 1 - rate.

    That is dropout too, with different elements. The docstring says which ones to drop (draws below
    the rate), so that the same rng gives the same result in every implementation.
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = (_draws(x, rng) < 1 - rate).astype(x.dtype) / (1 - rate)
    return x * keep, (keep,)


@mistake("dropout")
def equal_is_dropped(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """a draw that equals the rate was dropped; only draws below it are.

    Draws go from 0 to below 1, so `>= rate` keeps exactly the share 1 - rate.
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = (_draws(x, rng) > rate).astype(x.dtype) / (1 - rate)
    return x * keep, (keep,)


@mistake("dropout")
def scaled_at_test_time(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """y was multiplied by 1 - rate at test time: without rng, y is x.

    The scale belongs to training, where elements are dropped. Here you would apply it twice.
    """
    if rng is None or rate == 0:
        return x * (1 - rate), (None,)
    keep = _factors(x, rate, rng)
    return x * keep, (keep,)


@mistake("dropout")
def the_papers_own_way(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """elements are dropped in training and everything is multiplied by 1 - rate at test time.

    This is dropout as in the paper of 2014, and it works. Today the scale is in training, divided
    by 1 - rate ("inverted dropout"), so a finished model has nothing to do: without
    rng, y is x.
    """
    if rng is None or rate == 0:
        return x * (1 - rate), (None,)
    keep = (_draws(x, rng) >= rate).astype(x.dtype)
    return x * keep, (keep,)


@mistake("dropout")
def drops_at_test_time(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """elements were dropped without rng too, from a generator that the function made for itself.

    No rng means test time: y is x, and the cache is (None,). Otherwise the same text would get
    a different answer, or a worse one.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    if rate == 0:
        return x, (None,)
    keep = _factors(x, rate, rng)
    return x * keep, (keep,)


@mistake("dropout")
def none_not_handled(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """rng is None at test time, and None has no method `random`.

    Look at it first: if rng is None, or the rate is 0, return x and (None,).
    """
    keep = _factors(x, rate, rng)  # type: ignore[arg-type]
    return x * keep, (keep,)


@mistake("dropout")
def zero_rate_draws(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """with a rate of 0 an array of ones was drawn and kept; nothing is drawn then: keep is None.

    It would cost time and memory in every layer, and it would advance the generator.
    """
    if rng is None:
        return x, (None,)
    keep = _factors(x, rate, rng)
    return x * keep, (keep,)


@mistake("dropout")
def ones_at_test_time(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """y is right, but where nothing was dropped the cache holds ones; it must be (None,).

    A product with ones costs as much as any other. None says that there is nothing to do.
    """
    if rng is None or rate == 0:
        return x, (np.ones_like(x),)
    keep = _factors(x, rate, rng)
    return x * keep, (keep,)


@mistake("dropout")
def another_generator(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """the draws do not come from `rng` but from a generator made in the function, with a seed.

    So the same elements are dropped each time, and the others never. Draw from the rng that you
    get.
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = _factors(x, rate, np.random.default_rng(0))
    return x * keep, (keep,)


@mistake("dropout")
def never_the_same(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """the draws do not come from `rng` but from NumPy's own generator, which nobody has seeded.

    So you cannot repeat a run, neither to find a mistake nor to compare two models. Draw from the
    rng that you get.
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = _factors(x, rate, np.random.default_rng())
    return x * keep, (keep,)


@mistake("dropout")
def drawn_in_float64(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """the wrong elements are dropped: the draws are in float64, not in float32.

    It is dropout too, with different draws. The docstring asks for
    rng.random(x.shape, dtype=np.float32), whatever the dtype of x, so that the same rng gives the
    same result. It also takes half of the time.
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = (rng.random(x.shape) >= rate).astype(x.dtype) / (1 - rate)
    return x * keep, (keep,)


@mistake("dropout")
def drawn_by_binomial(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """the wrong elements are dropped: the draws are from rng.binomial.

    It is dropout too. The docstring asks for rng.random(x.shape, dtype=np.float32), so that
    the same rng gives the same result in every implementation.
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = rng.binomial(1, 1 - rate, x.shape).astype(x.dtype) / (1 - rate)
    return x * keep, (keep,)


@mistake("dropout")
def drawn_from_the_normal(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """the draws are normal (rng.standard_normal), not uniform from 0 to 1.

    Half of them are below 0, so with any rate more than half would be dropped. Use
    rng.random(x.shape, dtype=np.float32).
    """
    if rng is None or rate == 0:
        return x, (None,)
    draws = rng.standard_normal(x.shape, dtype=np.float32)
    keep = (draws >= rate).astype(x.dtype) / (1 - rate)
    return x * keep, (keep,)


@mistake("dropout")
def whole_rows(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """whole rows are dropped: there is one draw for each row, not one for each element.

    Then a position loses everything or nothing. Draw an array of the shape of x.
    """
    if rng is None or rate == 0:
        return x, (None,)
    draws = rng.random((*x.shape[:-1], 1), dtype=np.float32)
    keep = np.ones_like(x) * ((draws >= rate).astype(x.dtype) / (1 - rate))
    return x * keep, (keep,)


@mistake("dropout")
def the_same_for_all_rows(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """the same channels are dropped in all rows: there is one draw for each channel.

    Draw an array of the shape of x, one number for each element.
    """
    if rng is None or rate == 0:
        return x, (None,)
    draws = rng.random(x.shape[-1], dtype=np.float32)
    keep = np.ones_like(x) * ((draws >= rate).astype(x.dtype) / (1 - rate))
    return x * keep, (keep,)


@mistake("dropout")
def all_or_nothing(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """there is a single draw, so everything is dropped or nothing: rng.random needs the shape of x.

    One number for each element: rng.random(x.shape, dtype=np.float32).
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = np.ones_like(x) * (rng.random(dtype=np.float32) >= rate) / (1 - rate)
    return x * keep, (keep,)


@mistake("dropout")
def booleans_in_the_cache(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """y is right, but the cache holds True and False; it must hold the factors, 0 and 1/(1 - rate).

    The backward multiplies by the same factors as the forward, and does not know the rate.
    """
    if rng is None or rate == 0:
        return x, (None,)
    kept = _draws(x, rng) >= rate
    return x * (kept.astype(x.dtype) / (1 - rate)), (kept,)


@mistake("dropout")
def zeros_and_ones_in_the_cache(
    x: Array, rate: float, *, rng: Generator = None
) -> tuple[Array, Cache]:
    """y is right, but the cache holds 0 and 1; it must hold the factors, 0 and 1 / (1 - rate).

    The backward multiplies by the same factors as the forward, and does not know the rate.
    """
    if rng is None or rate == 0:
        return x, (None,)
    kept = (_draws(x, rng) >= rate).astype(x.dtype)
    return x * kept / (1 - rate), (kept,)


@mistake("dropout")
def cache_is_no_tuple(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Any]:
    """the cache is the array itself; it must be a tuple of one, (keep,).

    The comma makes the tuple: (keep) is only keep in parentheses.
    """
    if rng is None or rate == 0:
        return x, None
    keep = _factors(x, rate, rng)
    return x * keep, keep


@mistake("dropout")
def in_place_on_x(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """x was multiplied in place (`x *= keep`).

    The array belongs to the caller, who may still need it as it was. Write y = x * keep.
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = _factors(x, rate, rng)
    x *= keep
    return x, (keep,)


@mistake("dropout")
def float64_from_booleans(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """float32 became float64: an array of booleans, divided by a number, is float64.

    Cast it first: kept.astype(x.dtype) / (1 - rate). (np.where with two Python floats is float64
    as well.)
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = (_draws(x, rng) >= rate) / (1 - rate)
    return x * keep, (keep,)


@mistake("dropout_backward")
def dy_as_it_is(dy: Array, cache: Cache) -> Array:
    """dy came back as it is: the factors in the cache were not used.

    An element that was dropped had no influence on the loss, so its gradient is 0. The others were
    enlarged, and so is their gradient: dy * keep.
    """
    return dy.copy()


@mistake("dropout_backward")
def factor_forgotten(dy: Array, cache: Cache) -> Array:
    """the gradient of what was kept lacks the factor 1 / (1 - rate).

    The forward multiplied by it, so the backward does too. `keep` contains it: dy * keep.
    """
    (keep,) = cache
    return dy if keep is None else dy * (keep > 0)


@mistake("dropout_backward")
def factor_twice(dy: Array, cache: Cache) -> Array:
    """the factor 1 / (1 - rate) is in dx twice.

    `keep` already contains it: dy * keep.
    """
    (keep,) = cache
    return dy if keep is None else dy * keep * keep


@mistake("dropout_backward")
def divided_by_keep(dy: Array, cache: Cache) -> Array:
    """dy was divided by keep; it must be multiplied.

    The slope of x * keep is keep. Where keep is 0, a division gives infinity.
    """
    (keep,) = cache
    return dy if keep is None else dy / keep


@mistake("dropout_backward")
def dropped_get_the_gradient(dy: Array, cache: Cache) -> Array:
    """the gradient went to the elements that were dropped, and not to those that were kept.

    What was dropped had no influence on the loss: its gradient is 0.
    """
    (keep,) = cache
    return dy if keep is None else dy * (keep == 0)


@mistake("dropout_backward")
def none_not_handled_behind(dy: Array, cache: Cache) -> Array:
    """keep is None where nothing was dropped, and dy cannot be multiplied by None.

    Look at it first: then dx is dy.
    """
    (keep,) = cache
    return dy * keep


@mistake("dropout_backward")
def zero_for_none(dy: Array, cache: Cache) -> Array:
    """where nothing was dropped (keep is None), dx is zero; it must be dy.

    None says that y was x, so everything goes through.
    """
    (keep,) = cache
    return np.zeros_like(dy) if keep is None else dy * keep


@mistake("dropout_backward")
def none_for_none(dy: Array, cache: Cache) -> Any:
    """where nothing was dropped (keep is None), nothing came back; dx must be dy.

    None says that y was x, so everything goes through.
    """
    (keep,) = cache
    return None if keep is None else dy * keep


@mistake("dropout_backward")
def cache_not_unpacked(dy: Array, cache: Cache) -> Array:
    """the cache is a tuple of one, and it was used as if it were the array.

    NumPy makes an array with one more axis of it. Unpack it: (keep,) = cache.
    """
    return dy if cache is None else dy * cache


@mistake("dropout_backward")
def in_place_on_dy(dy: Array, cache: Cache) -> Array:
    """dy was multiplied in place (`dy *= keep`).

    The array belongs to the caller: in a transformer the same dy goes on along the residual
    connection. Write dy * keep.
    """
    (keep,) = cache
    if keep is not None:
        dy *= keep
    return dy


@mistake("dropout")
def enlarged_by_the_rate(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """what is kept was multiplied by 1 + rate; it must be divided by 1 - rate.

    For small rates both are nearly the same. With 0.5 they are 1.5 and 2, and only 2 keeps the
    average.
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = (_draws(x, rng) >= rate).astype(x.dtype) * (1 + rate)
    return x * keep, (keep,)


@mistake("dropout")
def shape_unpacked(x: Array, rate: float, *, rng: Generator = None) -> tuple[Array, Cache]:
    """the shape was given as several numbers; rng.random takes it as one tuple.

    rng.random(x.shape, dtype=np.float32), without a star. (The older np.random.rand takes several
    numbers.)
    """
    if rng is None or rate == 0:
        return x, (None,)
    keep = (rng.random(*x.shape) >= rate).astype(x.dtype) / (1 - rate)
    return x * keep, (keep,)


@mistake("dropout_backward")
def one_minus_keep(dy: Array, cache: Cache) -> Array:
    """dy was multiplied by 1 - keep: `keep` has the factors of what was kept, as it is.

    y = x * keep, so dx = dy * keep.
    """
    (keep,) = cache
    return dy if keep is None else dy * (1 - keep)
