"""Word vectors that learn, as people write it at first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from minilm.course.mistakes import mistake
from minilm.nn import functional as F


def _parts(weights, bias, vectors, tokens, labels, *, shares=None, back=None) -> Any:
    """Return what the cross-entropy gives: its value, and its gradients, without penalties."""
    shares = tokens.shares if shares is None else shares
    back = shares if back is None else back
    x = np.zeros((len(labels), len(weights)))
    np.add.at(x, tokens.documents, shares[:, None] * vectors[tokens.words])
    loss, cache = F.cross_entropy(x @ weights + bias, labels)
    d_logits = F.cross_entropy_backward(1.0, cache)
    dx = d_logits @ weights.T
    d_vectors = np.zeros(vectors.shape)
    np.add.at(d_vectors, tokens.words, back[:, None] * dx[tokens.documents])
    return SimpleNamespace(
        loss=float(loss), x=x, d_logits=d_logits, dx=dx, dw=x.T @ d_logits, dv=d_vectors
    )


def _whole(p, weights, departures, l2, vector_l2, *, n=None, half=0.5, slope=1.0) -> Any:
    """Return the four results, with the penalties."""
    n = len(p.x) if n is None else n
    loss = p.loss + half / n * (l2 * (weights**2).sum() + vector_l2 * (departures**2).sum())
    return (
        float(loss),
        p.dw + slope * l2 / n * weights,
        p.d_logits.sum(axis=0),
        p.dv + slope * vector_l2 / n * departures,
    )


@mistake("loss_and_gradient")
def departures_forgotten(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the vectors are taken where they start; the departures were not added.

    What is learned is the departure, so the loss has to depend on it: vectors = start + departures.
    """
    p = _parts(weights, bias, start, tokens, labels)
    return _whole(p, weights, departures, l2, vector_l2)


@mistake("loss_and_gradient")
def vectors_frozen(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the gradient does not reach the vectors: d_departures has its penalty and nothing else.

    That is the frozen model of kata 3.3. Continue from the logits to the means (@ weights.T), and
    from there to the word of each token.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    p.dv = np.zeros(start.shape)
    return _whole(p, weights, departures, l2, vector_l2)


@mistake("loss_and_gradient")
def one_token_for_each_word(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """a word that occurs more than once got the gradient of one token only.

    d[tokens.words] += ... writes a repeated row once: the last one wins (kata 4.7). np.add.at
    adds all of them.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    p.dv = np.zeros(start.shape)
    p.dv[tokens.words] += tokens.shares[:, None] * p.dx[tokens.documents]
    return _whole(p, weights, departures, l2, vector_l2)


@mistake("loss_and_gradient")
def one_token_for_each_word_with_the_penalty(
    weights, bias, departures, start, tokens, labels, l2, vector_l2
):
    """a word that occurs more than once got the gradient of its last token only, after the penalty.

    d[tokens.words] += ... writes a repeated row once. np.add.at adds all of them.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    results = _whole(p, weights, departures, l2, vector_l2)
    moved = 1.0 * results[3]
    last = {int(w): i for i, w in enumerate(tokens.words)}
    moved[...] = vector_l2 / len(labels) * departures
    for w, i in last.items():
        moved[w] = tokens.shares[i] * p.dx[tokens.documents[i]]
    return (*results[:3], moved)


@mistake("loss_and_gradient")
def one_token_for_each_document(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """each document's mean holds its last token alone.

    x[tokens.documents] += ... writes a repeated row once. np.add.at adds all tokens of a
    document up.
    """
    vectors = start + departures
    x = np.zeros((len(labels), len(weights)))
    x[tokens.documents] += tokens.shares[:, None] * vectors[tokens.words]
    loss, cache = F.cross_entropy(x @ weights + bias, labels)
    d_logits = F.cross_entropy_backward(1.0, cache)
    dx = d_logits @ weights.T
    dv = np.zeros(vectors.shape)
    np.add.at(dv, tokens.words, tokens.shares[:, None] * dx[tokens.documents])
    p = SimpleNamespace(loss=float(loss), x=x, d_logits=d_logits, dw=x.T @ d_logits, dv=dv)
    return _whole(p, weights, departures, l2, vector_l2)


@mistake("loss_and_gradient")
def no_share_on_the_way_back(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """each word gets the whole of its document's gradient, not its share.

    In a mean of five tokens each counts for a fifth, forward and backward: multiply by
    tokens.shares[:, None].
    """
    ones = np.ones(len(tokens.words))
    p = _parts(weights, bias, start + departures, tokens, labels, back=ones)
    return _whole(p, weights, departures, l2, vector_l2)


@mistake("loss_and_gradient")
def right_class_only(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the gradient of a text's mean came through its own class alone; all classes have a part.

    The logit of every class depends on x, and the wrong ones push too: dx = d_logits @ weights.T.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    own = p.d_logits[np.arange(len(labels)), labels]
    dx = own[:, None] * weights[:, labels].T
    p.dv = np.zeros(start.shape)
    np.add.at(p.dv, tokens.words, tokens.shares[:, None] * dx[tokens.documents])
    return _whole(p, weights, departures, l2, vector_l2)


@mistake("loss_and_gradient")
def sum_of_the_vectors(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """a document is the sum of its vectors, not their mean.

    Long texts would have larger logits. Multiply each token's vector by its share.
    """
    ones = np.ones(len(tokens.words))
    p = _parts(weights, bias, start + departures, tokens, labels, shares=ones)
    return _whole(p, weights, departures, l2, vector_l2)


@mistake("loss_and_gradient")
def shares_twice(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """each text's mean was divided by its length twice.

    tokens.shares *is* one over the length. Multiplied by the shares, the vectors need not be
    divided by a count.
    """
    p = _parts(weights, bias, start + departures, tokens, labels, shares=tokens.shares**2)
    return _whole(p, weights, departures, l2, vector_l2)


@mistake("loss_and_gradient")
def bias_gradient_as_a_mean(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """d_bias is a mean over the texts; it must be a sum.

    The mean of the loss is in d_logits already: d_logits.sum(axis=0).
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    loss, dw, db, dv = _whole(p, weights, departures, l2, vector_l2)
    return loss, dw, db / len(labels), dv


@mistake("loss_and_gradient")
def mean_over_the_occurrences(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """a word's gradient was averaged over its tokens; it is their sum.

    If the word's vector moves, it moves in all its tokens, and all of them change the loss.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    p.dv = p.dv / np.maximum(np.bincount(tokens.words, minlength=len(start)), 1)[:, None]
    return _whole(p, weights, departures, l2, vector_l2)


@mistake("loss_and_gradient")
def pulled_to_zero(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the penalty is on the vectors and pulls them to zero; it must pull them to their start.

    What pretraining has learned is in the start. Penalize how far a vector *moved*: departures**2.
    """
    vectors = start + departures
    p = _parts(weights, bias, vectors, tokens, labels)
    return _whole(p, weights, vectors, l2, vector_l2)


@mistake("loss_and_gradient")
def penalties_not_divided(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the penalties are not divided by N.

    The cross-entropy is a mean over N texts; the penalties are divided by N too.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    return _whole(p, weights, departures, l2, vector_l2, n=1)


@mistake("loss_and_gradient")
def divided_by_the_tokens(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the penalties are divided by the number of tokens; N is the number of texts, len(labels)."""
    p = _parts(weights, bias, start + departures, tokens, labels)
    return _whole(p, weights, departures, l2, vector_l2, n=len(tokens.words))


@mistake("loss_and_gradient")
def divided_by_the_words(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the penalties are divided by the number of words; N is the number of texts, len(labels)."""
    p = _parts(weights, bias, start + departures, tokens, labels)
    return _whole(p, weights, departures, l2, vector_l2, n=len(start))


@mistake("loss_and_gradient")
def bias_penalized(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the bias has a penalty as well; only the weights and the departures have one.

    The bias says how frequent a class is, and that may be as large as it is.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    loss, dw, db, dv = _whole(p, weights, departures, l2, vector_l2)
    return loss + l2 / (2 * len(labels)) * float(bias @ bias), dw, db + l2 / len(labels) * bias, dv


@mistake("loss_and_gradient")
def half_in_the_gradients(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the half of the penalties is in the gradients too: they are half of what they should be.

    The slope of a/2 w**2 is a w. The 2 cancels the half.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    return _whole(p, weights, departures, l2, vector_l2, slope=0.5)


@mistake("loss_and_gradient")
def half_forgotten(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the penalties in the loss are twice what they should be: the half is missing.

    With a/2 w**2 in the loss the gradient is a w. Yours is the gradient of another loss.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    return _whole(p, weights, departures, l2, vector_l2, half=1.0)


@mistake("loss_and_gradient")
def no_half_anywhere(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the penalties lack their half, in the loss and in the gradients: both are twice as strong.

    Loss and gradient fit each other, but they are those of 2 l2 and 2 vector_l2.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    return _whole(p, weights, departures, l2, vector_l2, half=1.0, slope=2.0)


@mistake("loss_and_gradient")
def penalties_swapped(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the two penalties are swapped, each in the other's place.

    l2 is for the weights, vector_l2 for the departures.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    return _whole(p, weights, departures, vector_l2, l2)


@mistake("loss_and_gradient")
def no_penalty_on_the_vectors(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the penalty on the departures is missing, in the loss and in the gradient.

    Without it, a few labels may move the vectors as far as they like.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    return _whole(p, weights, departures, l2, 0.0)


@mistake("loss_and_gradient")
def penalty_missing_in_a_gradient(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the penalty on the departures is in the loss, but not in their gradient.

    Add vector_l2 / N * departures.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    return (*_whole(p, weights, departures, l2, vector_l2)[:3], p.dv)


@mistake("loss_and_gradient")
def no_penalty_on_the_weights(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the penalty on the weights is missing, in the loss and in the gradient.

    Add l2 / (2 N) times the sum of weights**2 to the loss, and l2 / N * weights to d_weights.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    return _whole(p, weights, departures, 0.0, vector_l2)


@mistake("loss_and_gradient")
def weights_penalty_missing_in_a_gradient(
    weights, bias, departures, start, tokens, labels, l2, vector_l2
):
    """the penalty on the weights (l2) is in the loss, but not in their gradient.

    Add l2 / N * weights.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    found = _whole(p, weights, departures, l2, vector_l2)
    return (found[0], p.dw, *found[2:])


@mistake("loss_and_gradient")
def penalties_forgotten(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """both penalties are missing: this is the cross-entropy alone.

    Add l2 / (2 N) times the sum of weights**2, vector_l2 / (2 N) times that of departures**2, and
    their slopes.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    return _whole(p, weights, departures, 0.0, 0.0)


@mistake("loss_and_gradient")
def weights_gradient_from_the_start(
    weights, bias, departures, start, tokens, labels, l2, vector_l2
):
    """d_weights was computed with the vectors where they started.

    The regression saw the means of start + departures: the same x forward and backward.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    p.dw = _parts(weights, bias, start, tokens, labels).x.T @ p.d_logits
    return _whole(p, weights, departures, l2, vector_l2)


@mistake("loss_and_gradient")
def divided_by_n_twice(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the gradients were divided by N twice.

    F.cross_entropy is the mean, and its backward has the 1/N already.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    n = len(labels)
    p.dw, p.dv, p.d_logits = p.dw / n, p.dv / n, p.d_logits / n
    return _whole(p, weights, departures, l2, vector_l2)


@mistake("loss_and_gradient")
def gradients_are_sums(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the gradients are those of a sum over the texts; the loss is a mean: divide by N.

    Predicted less true has to be divided by N once, right at the logits.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    n = len(labels)
    p.dw, p.dv, p.d_logits = p.dw * n, p.dv * n, p.d_logits * n
    return _whole(p, weights, departures, l2, vector_l2)


@mistake("loss_and_gradient")
def a_sum_over_the_texts(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the cross-entropy is a sum over the texts, in the loss and in the gradients; it is a mean.

    Divide by N: predicted less true once, right at the logits, and the loss.
    """
    p, n = _parts(weights, bias, start + departures, tokens, labels), len(labels)
    p.loss, p.dw, p.dv, p.d_logits = p.loss * n, p.dw * n, p.dv * n, p.d_logits * n
    return _whole(p, weights, departures, l2, vector_l2)


@mistake("loss_and_gradient")
def moved_in_place(weights, bias, departures, start, tokens, labels, l2, vector_l2):
    """the start was added to the departures in place, so the caller's array holds vectors now.

    `departures += start` writes into the argument. `vectors = start + departures` makes a new
    array.
    """
    p = _parts(weights, bias, start + departures, tokens, labels)
    results = _whole(p, weights, departures, l2, vector_l2)
    departures += start
    return results
