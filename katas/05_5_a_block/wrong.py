"""Blocks as people write them at first."""

from __future__ import annotations

from typing import Any

from minilm.course.mistakes import mistake
from minilm.nn import functional as F
from minilm.nn.gpt import (
    attention_half,
    attention_half_backward,
    linear,
    linear_backward,
    norm,
    norm_backward,
)


def _mlp(normed: Any, layer: Any) -> Any:
    wide, fan_out = linear(normed, layer, "mlp.c_fc")
    active, gelu = F.gelu(wide)
    out, fan_in = linear(active, layer, "mlp.c_proj")
    return out, (fan_out, gelu, fan_in)


def _branch(x: Any, layer: Any, rng: Any) -> Any:
    """Return what the MLP half adds to the stream."""
    normed, norm_cache = norm(x, layer, "ln_2")
    out, inner = _mlp(normed, layer)
    out, drop = F.dropout(out, layer.resid_pdrop, rng=rng)
    return out, (norm_cache, *inner, drop)


def _half(x: Any, layer: Any, rng: Any) -> Any:
    out, cache = _branch(x, layer, rng)
    return x + out, cache


def _through(dout: Any, cache: Any, layer: Any, gradients: Any) -> Any:
    """Return the gradient behind the norm, dnormed."""
    _, fan_out, gelu, fan_in, _ = cache
    dactive = linear_backward(dout, fan_in, layer, "mlp.c_proj", gradients)
    dwide = F.gelu_backward(dactive, gelu)
    return linear_backward(dwide, fan_out, layer, "mlp.c_fc", gradients)


def _half_backward(dy: Any, cache: Any, layer: Any) -> Any:
    gradients: dict[str, Any] = {}
    dnormed = _through(F.dropout_backward(dy, cache[-1]), cache, layer, gradients)
    return dy + norm_backward(dnormed, cache[0], "ln_2", gradients), gradients


@mistake("mlp_half")
def nothing_added(x, layer, rng):
    """the stream is lost: add the MLP's output to x, do not replace x.

    y = x + out. What came in goes around the half unchanged, and the half adds to it. Without this,
    twelve blocks are twelve filters in a row, and all words end up alike.
    """
    return _branch(x, layer, rng)


@mistake("mlp_half")
def added_to_the_normed(x, layer, rng):
    """the output was added to the *normed* x: the norm is on the loop, not on the stream.

    The stream itself is never normed inside a block. Give what comes out of the norm another name
    than x, so that x is still there at the end.
    """
    normed, norm_cache = norm(x, layer, "ln_2")
    out, inner = _mlp(normed, layer)
    out, drop = F.dropout(out, layer.resid_pdrop, rng=rng)
    return normed + out, (norm_cache, *inner, drop)


@mistake("mlp_half")
def norm_after_the_sum(x, layer, rng):
    """the norm comes after the sum: this is the original transformer of 2017 ("post-norm").

    GPT-2 norms what goes into the loop ("pre-norm"): x + mlp(ln_2(x)). The stream then runs
    through all blocks without a norm, which makes deep models much easier to train.
    """
    out, inner = _mlp(x, layer)
    out, drop = F.dropout(out, layer.resid_pdrop, rng=rng)
    y, norm_cache = norm(x + out, layer, "ln_2")
    return y, (norm_cache, *inner, drop)


@mistake("mlp_half")
def norm_left_out(x, layer, rng):
    """the norm is left out: the MLP got x itself.

    norm(x, layer, "ln_2") comes first. Its result goes into `mlp.c_fc`.
    """
    _, norm_cache = norm(x, layer, "ln_2")
    out, inner = _mlp(x, layer)
    out, drop = F.dropout(out, layer.resid_pdrop, rng=rng)
    return x + out, (norm_cache, *inner, drop)


@mistake("mlp_half")
def the_other_norm(x, layer, rng):
    """this is the norm of the attention half: the MLP's is "ln_2".

    Each half has its own norm, with its own gain and bias.
    """
    normed, norm_cache = norm(x, layer, "ln_1")
    out, inner = _mlp(normed, layer)
    out, drop = F.dropout(out, layer.resid_pdrop, rng=rng)
    return x + out, (norm_cache, *inner, drop)


@mistake("mlp_half")
def no_activation(x, layer, rng):
    """GELU is left out: two linear layers without an activation between them are one linear layer.

    active, gelu = F.gelu(wide), and `active` goes into `mlp.c_proj`.
    """
    normed, norm_cache = norm(x, layer, "ln_2")
    wide, fan_out = linear(normed, layer, "mlp.c_fc")
    _, gelu = F.gelu(wide)
    out, fan_in = linear(wide, layer, "mlp.c_proj")
    out, drop = F.dropout(out, layer.resid_pdrop, rng=rng)
    return x + out, (norm_cache, fan_out, gelu, fan_in, drop)


@mistake("mlp_half")
def no_dropout(x, layer, rng):
    """there is no dropout: either it is left out, or rng was not passed on.

    out, drop = F.dropout(out, layer.resid_pdrop, rng=rng), before the addition.
    """
    return _half(x, layer, None)


@mistake("mlp_half")
def dropout_on_the_sum(x, layer, rng):
    """dropout was applied to the sum: it should be on what is added, before the addition.

    The stream itself is never dropped. Otherwise every block would punch holes into what all
    earlier blocks have written.
    """
    normed, norm_cache = norm(x, layer, "ln_2")
    out, inner = _mlp(normed, layer)
    y, drop = F.dropout(x + out, layer.resid_pdrop, rng=rng)
    return y, (norm_cache, *inner, drop)


@mistake("mlp_half")
def dropout_at_the_wrong_rate(x, layer, rng):
    """dropout has the rate of the attention weights, layer.attn_pdrop: here it is resid_pdrop."""
    normed, norm_cache = norm(x, layer, "ln_2")
    out, inner = _mlp(normed, layer)
    out, drop = F.dropout(out, layer.attn_pdrop, rng=rng)
    return x + out, (norm_cache, *inner, drop)


@mistake("mlp_half")
def added_in_place(x, layer, rng):
    """x was added to in place: `x += out` writes to the caller's array.

    `return x + out, ...` makes a new one.
    """
    out, cache = _branch(x, layer, rng)
    x += out
    return x, cache


@mistake("mlp_half_backward")
def only_through_the_mlp(dy, cache, layer):
    """dx has only the part that went through the MLP: the part that goes around it is missing.

    y = x + f(x), so x reaches y in two ways, and dx is the sum of two parts. The one around is dy
    itself. It is what carries the gradient down through many blocks.
    """
    dx, gradients = _half_backward(dy, cache, layer)
    return dx - dy, gradients


@mistake("mlp_half_backward")
def twice_around(dy, cache, layer):
    """dy was added twice on the way around: dx = dy + (what comes back through the MLP)."""
    dx, gradients = _half_backward(dy, cache, layer)
    return dx + dy, gradients


@mistake("mlp_half_backward")
def dropout_on_both_ways(dy, cache, layer):
    """dropout was undone on both paths: what goes around the MLP never passed through dropout.

    If the gradient behind dropout is called dy again, the real dy is lost. Call it dout.
    """
    gradients: dict[str, Any] = {}
    dout = F.dropout_backward(dy, cache[-1])
    dnormed = _through(dout, cache, layer, gradients)
    return dout + norm_backward(dnormed, cache[0], "ln_2", gradients), gradients


@mistake("mlp_half_backward")
def dropout_forgotten(dy, cache, layer):
    """dropout is missing on the way back: F.dropout_backward(dy, drop) is the first step.

    What was dropped added nothing to the stream, so it gets no gradient.
    """
    gradients: dict[str, Any] = {}
    dnormed = _through(dy, cache, layer, gradients)
    return dy + norm_backward(dnormed, cache[0], "ln_2", gradients), gradients


@mistake("mlp_half_backward")
def activation_forgotten(dy, cache, layer):
    """GELU is missing on the way back: F.gelu_backward(dactive, gelu), between the two matrices."""
    gradients: dict[str, Any] = {}
    norm_cache, fan_out, _, fan_in, drop = cache
    dout = F.dropout_backward(dy, drop)
    dactive = linear_backward(dout, fan_in, layer, "mlp.c_proj", gradients)
    dnormed = linear_backward(dactive, fan_out, layer, "mlp.c_fc", gradients)
    return dy + norm_backward(dnormed, norm_cache, "ln_2", gradients), gradients


@mistake("mlp_half_backward")
def added_before_the_norm(dy, cache, layer):
    """dy was added before the norm's backward: the way around does not pass the norm.

    The loop leaves the stream *before* the norm. So dy is added at the very end:
    dy + norm_backward(dnormed, ...).
    """
    gradients: dict[str, Any] = {}
    dnormed = _through(F.dropout_backward(dy, cache[-1]), cache, layer, gradients)
    return norm_backward(dy + dnormed, cache[0], "ln_2", gradients), gradients


@mistake("mlp_half_backward")
def norm_result_not_used(dy, cache, layer):
    """what the norm's backward returns is not used: dx = dy + dnormed skips the norm.

    norm_backward does two things: it puts the gradients of gain and bias into the dictionary, and
    it returns the gradient of what went into the norm.
    """
    gradients: dict[str, Any] = {}
    dnormed = _through(F.dropout_backward(dy, cache[-1]), cache, layer, gradients)
    norm_backward(dnormed, cache[0], "ln_2", gradients)
    return dy + dnormed, gradients


@mistake("mlp_half_backward")
def norm_gradients_missing(dy, cache, layer):
    """the gradients of the norm's gain and bias are missing, and its part of dx is wrong.

    Besides linear_backward, norm_backward must get the same dictionary:
    norm_backward(dnormed, norm_cache, "ln_2", gradients).
    """
    gradients: dict[str, Any] = {}
    dnormed = _through(F.dropout_backward(dy, cache[-1]), cache, layer, gradients)
    return dy + dnormed, gradients


@mistake("mlp_half_backward")
def the_name_of_the_other_norm(dy, cache, layer):
    """there are no gradients of "ln_2": they are under "ln_1", or in another dictionary.

    The MLP's norm is "ln_2", and all gradients go into the one dictionary that is returned.
    """
    gradients: dict[str, Any] = {}
    dnormed = _through(F.dropout_backward(dy, cache[-1]), cache, layer, gradients)
    return dy + norm_backward(dnormed, cache[0], "ln_1", gradients), gradients


@mistake("mlp_half_backward")
def gradients_not_returned(dy, cache, layer):
    """only dx is returned: return the pair (dx, gradients), the gradients by name."""
    return _half_backward(dy, cache, layer)[0]


@mistake("block")
def halves_side_by_side(x, layer, *, rng=None, extend=None):
    """both halves got the x of the block: the MLP half should get what the attention half returned.

    Blocks with the two side by side exist (GPT-J). In GPT-2 they come one after the other, so the
    MLP works on what attention has brought.
    """
    one, attention = attention_half(x, layer, rng, extend)
    other, mlp = _half(x, layer, rng)
    return one + other - x, (attention, mlp)


@mistake("block")
def attention_lost(x, layer, *, rng=None, extend=None):
    """what the attention half returned is not used: the MLP half started again from x.

    x, attention = attention_half(x, ...), and this new x goes into the MLP half.
    """
    _, attention = attention_half(x, layer, rng, extend)
    y, mlp = _half(x, layer, rng)
    return y, (attention, mlp)


@mistake("block")
def x_added_again(x, layer, *, rng=None, extend=None):
    """x was added twice: each half adds it itself.

    attention_half returns x + ..., not only what it adds. So its result is the new x.
    """
    out, attention = attention_half(x, layer, rng, extend)
    x = x + out
    out, mlp = _half(x, layer, rng)
    return x + out, (attention, mlp)


@mistake("block")
def x_added_at_the_end(x, layer, *, rng=None, extend=None):
    """x was added once more at the end: the halves have added it already.

    What the MLP half returns is the block's y.
    """
    out, attention = attention_half(x, layer, rng, extend)
    out, mlp = _half(out, layer, rng)
    return x + out, (attention, mlp)


@mistake("block")
def mlp_first(x, layer, *, rng=None, extend=None):
    """the order is wrong: the attention half comes first, then the MLP half."""
    x, mlp = _half(x, layer, rng)
    x, attention = attention_half(x, layer, rng, extend)
    return x, (attention, mlp)


@mistake("block")
def caches_exchanged(x, layer, *, rng=None, extend=None):
    """the caches have changed places: (cache of the attention half, cache of the MLP half)."""
    x, attention = attention_half(x, layer, rng, extend)
    x, mlp = _half(x, layer, rng)
    return x, (mlp, attention)


@mistake("block")
def no_extend(x, layer, *, rng=None, extend=None):
    """extend was not passed to the attention half: earlier positions are not seen."""
    x, attention = attention_half(x, layer, rng, None)
    x, mlp = _half(x, layer, rng)
    return x, (attention, mlp)


@mistake("block")
def no_dropout_in_the_mlp(x, layer, *, rng=None, extend=None):
    """rng was not passed to the MLP half, so there is no dropout in it."""
    x, attention = attention_half(x, layer, rng, extend)
    x, mlp = _half(x, layer, None)
    return x, (attention, mlp)


@mistake("block")
def no_dropout_in_attention(x, layer, *, rng=None, extend=None):
    """rng was not passed to the attention half, so there is no dropout in it."""
    x, attention = attention_half(x, layer, None, extend)
    x, mlp = _half(x, layer, rng)
    return x, (attention, mlp)


def _trained(gradients: Any, layer: Any) -> Any:
    return {name: array for name, array in gradients.items() if layer.trains(name)}


@mistake("block_backward")
def not_in_reverse(dy, cache, layer):
    """the halves are not in reverse order: the last half of the forward is the first backward.

    dy belongs to what the MLP half returned. Its dx is the dy of the attention half.
    """
    attention, mlp = cache
    dx, one = attention_half_backward(dy, attention, layer)
    dx, other = _half_backward(dx, mlp, layer)
    return dx, _trained(one | other, layer)


@mistake("block_backward")
def the_same_dy_for_both(dy, cache, layer):
    """both halves got the same dy, and their dx were added.

    The halves come one after the other, so backward the attention half gets the dx of the MLP half.
    Each half adds its way around by itself.
    """
    attention, mlp = cache
    first, other = _half_backward(dy, mlp, layer)
    second, one = attention_half_backward(dy, attention, layer)
    return first + second, _trained(one | other, layer)


@mistake("block_backward")
def mlp_half_skipped(dy, cache, layer):
    """the attention half got dy: it should get the dx of the MLP half.

    dx, ... = mlp_half_backward(dy, mlp, layer), and this dx goes into attention_half_backward.
    """
    attention, mlp = cache
    _, other = _half_backward(dy, mlp, layer)
    dx, one = attention_half_backward(dy, attention, layer)
    return dx, _trained(one | other, layer)


@mistake("block_backward")
def added_once_more(dy, cache, layer):
    """the dx of the MLP half was added to that of the attention half once more.

    attention_half_backward adds the way around by itself: it returns the block's dx.
    """
    attention, mlp = cache
    dx, other = _half_backward(dy, mlp, layer)
    through, one = attention_half_backward(dx, attention, layer)
    return dx + through, _trained(one | other, layer)


@mistake("block_backward")
def dy_added_once_more(dy, cache, layer):
    """dy was added once more at the end: each half has added its way around already."""
    attention, mlp = cache
    dx, other = _half_backward(dy, mlp, layer)
    dx, one = attention_half_backward(dx, attention, layer)
    return dy + dx, _trained(one | other, layer)


@mistake("block_backward")
def one_dictionary_lost(dy, cache, layer):
    """the gradients of the MLP half are lost: both dictionaries must be joined.

    The name of the first was used again for the second. of_attention | of_mlp has both.
    """
    attention, mlp = cache
    dx, _ = _half_backward(dy, mlp, layer)
    dx, gradients = attention_half_backward(dx, attention, layer)
    return dx, _trained(gradients, layer)


@mistake("block_backward")
def the_other_dictionary_lost(dy, cache, layer):
    """the gradients of the attention half are lost: both dictionaries must be joined.

    of_attention | of_mlp has both.
    """
    attention, mlp = cache
    dx, gradients = _half_backward(dy, mlp, layer)
    dx, _ = attention_half_backward(dx, attention, layer)
    return dx, _trained(gradients, layer)


@mistake("block_backward")
def frozen_ones_too(dy, cache, layer):
    """frozen parameters have a gradient too: keep only the names for which layer.trains(name).

    An optimizer moves whatever it gets.
    """
    attention, mlp = cache
    dx, other = _half_backward(dy, mlp, layer)
    dx, one = attention_half_backward(dx, attention, layer)
    return dx, one | other


@mistake("block_backward")
def the_gradients_not_returned(dy, cache, layer):
    """only dx is returned: return the pair (dx, gradients), the gradients by name."""
    attention, mlp = cache
    dx, _ = _half_backward(dy, mlp, layer)
    return attention_half_backward(dx, attention, layer)[0]


@mistake("mlp_half_backward")
def filtered_in_the_half(dy, cache, layer):
    """the gradients were filtered here: that is the job of block_backward.

    The half returns all that norm_backward and linear_backward have put in.
    """
    dx, gradients = _half_backward(dy, cache, layer)
    return dx, _trained(gradients, layer)


@mistake("mlp_half_backward")
def an_empty_dictionary(dy, cache, layer):
    """the dictionary of gradients is empty: return the one that the two backwards have filled."""
    return _half_backward(dy, cache, layer)[0], {}


@mistake("mlp_half_backward")
def names_of_the_matrices_exchanged(dy, cache, layer):
    """the names of the two matrices have changed places.

    Backward, the last matrix of the forward comes first: "mlp.c_proj" with fan_in, then "mlp.c_fc"
    with fan_out.
    """
    gradients: dict[str, Any] = {}
    norm_cache, fan_out, gelu, fan_in, drop = cache
    dout = F.dropout_backward(dy, drop)
    dactive = linear_backward(dout, fan_in, layer, "mlp.c_fc", gradients)
    dwide = F.gelu_backward(dactive, gelu)
    dnormed = linear_backward(dwide, fan_out, layer, "mlp.c_proj", gradients)
    return dy + norm_backward(dnormed, norm_cache, "ln_2", gradients), gradients


@mistake("mlp_half_backward")
def dy_written_to(dy, cache, layer):
    """dy was added to in place: it belongs to the caller. `dy + ...` makes a new array."""
    dx, gradients = _half_backward(dy.copy(), cache, layer)
    dy[...] = dx
    return dy, gradients


@mistake("mlp_half_backward")
def cache_taken_apart_in_reverse(dy, cache, layer):
    """the cache was taken apart in reverse: it is in the order of the forward.

    norm_cache, fan_out, gelu, fan_in, drop = cache. Only the *use* is in reverse.
    """
    return _half_backward(dy, cache[::-1], layer)


@mistake("mlp_half")
def cache_in_reverse(x, layer, rng):
    """the cache is in reverse: its order is that of the forward, with the norm's first."""
    y, cache = _half(x, layer, rng)
    return y, cache[::-1]


@mistake("block_backward")
def trained_may_be_none(dy, cache, layer):
    """layer.trained may be None, which means all: ask layer.trains(name) instead."""
    attention, mlp = cache
    dx, other = _half_backward(dy, mlp, layer)
    dx, one = attention_half_backward(dx, attention, layer)
    return dx, {name: g for name, g in (one | other).items() if name in layer.trained}
