"""Softmax regression as people write it at first."""

from __future__ import annotations

import numpy as np

from minilm.course.mistakes import mistake


def _log_p(weights, bias, features):
    logits = features @ weights + bias
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _d_logits(log_p, labels):
    """Return what is predicted less what is true, one row an example, not divided by N."""
    d_logits = np.exp(log_p)
    d_logits[np.arange(len(labels)), labels] -= 1
    return d_logits


def _right(weights, bias, features, labels, l2):
    """Return the four parts: loss of the data, the penalty, and the two gradients."""
    n = len(labels)
    log_p = _log_p(weights, bias, features)
    d_logits = _d_logits(log_p, labels) / n
    data = -log_p[np.arange(n), labels].sum() / n
    penalty = l2 / (2 * n) * (weights**2).sum()
    return data, penalty, features.T @ d_logits + l2 / n * weights, d_logits.sum(axis=0)


@mistake("loss_and_gradient")
def nothing_divided(weights, bias, features, labels, l2):
    """nothing was divided by N: the objective is a mean over the rows.

    With a sum, the right learning rate depends on how many rows there are. Divide the loss and
    both gradients by N.
    """
    n = len(labels)
    data, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    return float(n * (data + penalty)), n * d_weights, n * d_bias


@mistake("loss_and_gradient")
def loss_is_a_sum(weights, bias, features, labels, l2):
    """the cross-entropy was summed over the rows; take the mean over the N rows.

    The gradients are those of the mean, so they do not belong to this loss.
    """
    data, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    return float(len(labels) * data + penalty), d_weights, d_bias


@mistake("loss_and_gradient")
def gradient_is_a_sum(weights, bias, features, labels, l2):
    """the gradients were summed over the rows, but the loss is a mean: divide them by N.

    The 1/N of the mean goes through to everything behind it. Divide the gradient of the logits by
    N, and both are right.
    """
    n = len(labels)
    data, penalty, _, d_bias = _right(weights, bias, features, labels, l2)
    d_logits = _d_logits(_log_p(weights, bias, features), labels)
    return float(data + penalty), features.T @ d_logits + l2 / n * weights, n * d_bias


@mistake("loss_and_gradient")
def label_not_taken_off(weights, bias, features, labels, l2):
    """1 was not taken off at the labels: the gradient of the logits is p minus the target, not p.

    The target is 1 at the label and 0 elsewhere. As it is, the gradient does not know the labels
    at all.
    """
    n = len(labels)
    data, penalty, _, _ = _right(weights, bias, features, labels, l2)
    d_logits = np.exp(_log_p(weights, bias, features)) / n
    return float(data + penalty), features.T @ d_logits + l2 / n * weights, d_logits.sum(axis=0)


@mistake("loss_and_gradient")
def uphill(weights, bias, features, labels, l2):
    """the sign is wrong: the gradient of the logits is p minus the target, not the target minus p.

    The gradient points uphill. A logit whose probability is too large raises the loss when it
    grows, so its gradient is positive.
    """
    n = len(labels)
    data, penalty, _, _ = _right(weights, bias, features, labels, l2)
    d_logits = -_d_logits(_log_p(weights, bias, features), labels) / n
    return float(data + penalty), features.T @ d_logits + l2 / n * weights, d_logits.sum(axis=0)


@mistake("loss_and_gradient")
def penalty_not_divided(weights, bias, features, labels, l2):
    """the penalty was not divided by N; it is divided by N together with the loss.

    So the penalty is one fixed belief about the weights, and more data outweighs it. Undivided, it
    would be as strong for a million rows as for ten.
    """
    n = len(labels)
    data, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    d_weights = d_weights + (1 - 1 / n) * l2 * weights
    return float(data + n * penalty), d_weights, d_bias


@mistake("loss_and_gradient")
def half_forgotten(weights, bias, features, labels, l2):
    """the half is missing in the penalty of the loss: it is l2/2 times the sum of squares.

    The gradient of w**2 is 2w, and the half cancels that 2. Your gradient is right; the loss does
    not belong to it.
    """
    data, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    return float(data + 2 * penalty), d_weights, d_bias


@mistake("loss_and_gradient")
def twice_the_penalty(weights, bias, features, labels, l2):
    """the half is missing in the penalty, in the loss and in its gradient.

    The penalty is l2/2 times the sum of squares, and its gradient l2 times the weights, both over
    N.
    """
    data, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    return float(data + 2 * penalty), d_weights + l2 / len(labels) * weights, d_bias


@mistake("loss_and_gradient")
def no_penalty(weights, bias, features, labels, l2):
    """the penalty is missing, in the loss and in the gradient: l2 is not used.

    On data that a line can separate, the weights would then grow without end.
    """
    data, _, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    return float(data), d_weights - l2 / len(labels) * weights, d_bias


@mistake("loss_and_gradient")
def penalty_in_the_loss_only(weights, bias, features, labels, l2):
    """the penalty is in the loss but not in the gradient of the weights.

    Then nothing shrinks. The gradient of l2/2 * w**2 / N is l2 * w / N.
    """
    data, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    return float(data + penalty), d_weights - l2 / len(labels) * weights, d_bias


@mistake("loss_and_gradient")
def penalty_in_the_gradient_only(weights, bias, features, labels, l2):
    """the penalty is in the gradient but not in the loss.

    A solver that compares losses, as L-BFGS does, is then misled. Add l2/2 times the sum of the
    squared weights, over N.
    """
    data, _, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    return float(data), d_weights, d_bias


@mistake("loss_and_gradient")
def biases_penalized(weights, bias, features, labels, l2):
    """the biases have a penalty too; only the weights have one.

    A bias says how frequent a class is. To pull it to zero is to claim that all classes are equally
    frequent.
    """
    n = len(labels)
    data, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    return float(data + penalty + l2 / (2 * n) * (bias**2).sum()), d_weights, d_bias + l2 / n * bias


@mistake("loss_and_gradient")
def length_not_squared(weights, bias, features, labels, l2):
    """the penalty has the length of the weights; it is the square of that, the sum of squares.

    np.linalg.norm takes the square root. Write (weights**2).sum().
    """
    data, _, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    penalty = l2 / (2 * len(labels)) * np.linalg.norm(weights)
    return float(data + penalty), d_weights, d_bias


@mistake("loss_and_gradient")
def absolute_values(weights, bias, features, labels, l2):
    """the penalty is a sum of absolute values (L1); it is a sum of squares (L2).

    L1 is a method too: it makes many weights exactly zero, but its slope jumps at zero, and L-BFGS
    needs a smooth function.
    """
    n = len(labels)
    data, _, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    penalty = l2 / (2 * n) * np.abs(weights).sum()
    return float(data + penalty), d_weights + l2 / n * (np.sign(weights) - weights), d_bias


@mistake("loss_and_gradient")
def softmax_over_the_rows(weights, bias, features, labels, l2):
    """the softmax is over the rows (axis 0); it is over the classes (axis 1).

    The K classes compete for each document, so each *row* of probabilities sums to 1. Over axis 0
    the documents compete with one another.
    """
    n = len(labels)
    _, penalty, _, _ = _right(weights, bias, features, labels, l2)
    logits = features @ weights + bias
    shifted = logits - logits.max(axis=0)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=0))
    d_logits = _d_logits(log_p, labels) / n
    data = -log_p[np.arange(n), labels].mean()
    return float(data + penalty), features.T @ d_logits + l2 / n * weights, d_logits.sum(axis=0)


@mistake("loss_and_gradient")
def softmax_over_everything(weights, bias, features, labels, l2):
    """the softmax has no axis: all entries of the matrix compete, not the classes of each row.

    Sum over axis=1 with keepdims=True, and each row of probabilities sums to 1.
    """
    n = len(labels)
    _, penalty, _, _ = _right(weights, bias, features, labels, l2)
    logits = features @ weights + bias
    shifted = logits - logits.max()
    log_p = shifted - np.log(np.exp(shifted).sum())
    d_logits = _d_logits(log_p, labels) / n
    data = -log_p[np.arange(n), labels].mean()
    return float(data + penalty), features.T @ d_logits + l2 / n * weights, d_logits.sum(axis=0)


@mistake("loss_and_gradient")
def overflow(weights, bias, features, labels, l2):
    """exp overflows: it was taken of the logits as they are.

    exp(710) is infinite in float64. Take the largest logit off each row first: the probabilities
    stay the same.
    """
    n = len(labels)
    _, penalty, _, _ = _right(weights, bias, features, labels, l2)
    p = np.exp(features @ weights + bias)
    p = p / p.sum(axis=1, keepdims=True)
    d_logits = _d_logits(np.log(p), labels) / n
    data = -np.log(p[np.arange(n), labels]).mean()
    return float(data + penalty), features.T @ d_logits + l2 / n * weights, d_logits.sum(axis=0)


@mistake("loss_and_gradient")
def logarithm_of_a_probability(weights, bias, features, labels, l2):
    """the logarithm was taken of a probability that had become 0, so the loss is infinite.

    Stay with logarithms: log p = shifted - log(sum(exp(shifted))). That is a finite number even
    where p itself is too small to be held.
    """
    n = len(labels)
    _, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    p = np.exp(_log_p(weights, bias, features))
    return float(-np.log(p[np.arange(n), labels]).mean() + penalty), d_weights, d_bias


@mistake("loss_and_gradient")
def small_number_in_the_logarithm(weights, bias, features, labels, l2):
    """a small number was added inside the logarithm.

    It hides the infinite loss, but caps it: a row that is wrong by a thousand counts as one wrong
    by 28, and the gradient no longer fits. Use log p = shifted - log(sum(exp(shifted))).
    """
    n = len(labels)
    _, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    p = np.exp(_log_p(weights, bias, features))
    return float(-np.log(p[np.arange(n), labels] + 1e-12).mean() + penalty), d_weights, d_bias


@mistake("loss_and_gradient")
def every_pair_of_row_and_label(weights, bias, features, labels, l2):
    """log_p[:, labels] takes every pair of a row and a label, (N, N); you want one entry per row.

    Index with both: log_p[np.arange(N), labels] goes along the rows and the labels together.
    """
    _, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    log_p = _log_p(weights, bias, features)
    return float(-log_p[:, labels].mean() + penalty), d_weights, d_bias


@mistake("loss_and_gradient")
def whole_columns(weights, bias, features, labels, l2):
    """1 was taken off whole columns (`[:, labels] -= 1`); it belongs to one entry of each row.

    Index with both: d_logits[np.arange(N), labels] -= 1.
    """
    n = len(labels)
    data, penalty, _, _ = _right(weights, bias, features, labels, l2)
    d_logits = np.exp(_log_p(weights, bias, features))
    d_logits[:, labels] -= 1
    d_logits = d_logits / n
    return float(data + penalty), features.T @ d_logits + l2 / n * weights, d_logits.sum(axis=0)


@mistake("loss_and_gradient")
def bias_divided_twice(weights, bias, features, labels, l2):
    """d_bias was divided by N twice: the 1/N is in the gradient of the logits already.

    Every row uses the same bias, and what they say adds up: a sum over axis 0, not a mean.
    """
    data, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    return float(data + penalty), d_weights, d_bias / len(labels)


@mistake("loss_and_gradient")
def bias_not_summed(weights, bias, features, labels, l2):
    """d_bias has one row for each document; the sum over the rows is missing.

    All rows use the same bias. Sum over axis=0, and the shape is (K,), that of the bias.
    """
    data, penalty, d_weights, _ = _right(weights, bias, features, labels, l2)
    d_logits = _d_logits(_log_p(weights, bias, features), labels) / len(labels)
    return float(data + penalty), d_weights, d_logits


@mistake("loss_and_gradient")
def mean_over_all_entries(weights, bias, features, labels, l2):
    """the loss was divided by N times K: a mean over all entries, also the wrong classes.

    There is one loss for each row. Sum over the classes, then take the mean over the N rows.
    """
    data, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    return float(data / len(bias) + penalty), d_weights, d_bias


@mistake("loss_and_gradient")
def transposed(weights, bias, features, labels, l2):
    """d_weights is the transpose: its shape must be that of the weights, (D, K).

    features.T @ d_logits is (D, N) @ (N, K).
    """
    data, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    return float(data + penalty), d_weights.T, d_bias


@mistake("loss_and_gradient")
def weights_shrunk_in_place(weights, bias, features, labels, l2):
    """the weights were changed in place; they belong to the solver.

    This function only measures. The step is taken by whoever called it.
    """
    data, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    weights *= 1 - l2 / len(labels)
    return float(data + penalty), d_weights, d_bias


@mistake("loss_and_gradient")
def bias_not_used(weights, bias, features, labels, l2):
    """the bias is not in the logits: they are features @ weights + bias.

    At the start of training it is zero, and nobody notices.
    """
    data, penalty, d_weights, d_bias = _right(weights, 0 * bias, features, labels, l2)
    return float(data + penalty), d_weights, d_bias


@mistake("loss_and_gradient")
def loss_in_bits(weights, bias, features, labels, l2):
    """the logarithm in the loss has base 2: that is the loss in bits, not in nats.

    The gradient p minus target belongs to the natural logarithm, np.log.
    """
    data, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    return float(data / np.log(2) + penalty), d_weights, d_bias


@mistake("loss_and_gradient")
def loss_without_its_minus(weights, bias, features, labels, l2):
    """the sign of the loss is wrong: it is *minus* the logarithm of the label's probability.

    A logarithm of a probability is negative. The loss of a row is 0 at best and grows when the
    label gets less probable.
    """
    data, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    return float(-data + penalty), d_weights, d_bias


@mistake("loss_and_gradient")
def penalty_that_grows(weights, bias, features, labels, l2):
    """the gradient of the penalty has the wrong sign: it was subtracted.

    Then each step makes the weights larger. The penalty's slope in w is + l2 * w / N; it is the
    solver who goes against it.
    """
    data, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    return float(data + penalty), d_weights - 2 * l2 / len(labels) * weights, d_bias


@mistake("loss_and_gradient")
def penalty_not_divided_in_the_gradient(weights, bias, features, labels, l2):
    """the penalty was divided by N in the loss, but not in the gradient.

    The gradient of l2/2 * w**2 / N is l2 * w / N.
    """
    data, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    return float(data + penalty), d_weights + (1 - 1 / len(labels)) * l2 * weights, d_bias


@mistake("loss_and_gradient")
def logarithm_forgotten(weights, bias, features, labels, l2):
    """the loss is minus the probability of the label: its logarithm is missing.

    The gradient p - target belongs to -log(p). Minus p itself hardly has a slope where the model is
    sure and wrong.
    """
    n = len(labels)
    _, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    p = np.exp(_log_p(weights, bias, features))
    return float(penalty - p[np.arange(n), labels].sum() / n), d_weights, d_bias


@mistake("loss_and_gradient")
def class_that_was_predicted(weights, bias, features, labels, l2):
    """the loss looks at the most probable class of each row, not at its label.

    Then a model that is sure has a small loss, also where it is wrong. Take log_p[row, label].
    """
    n = len(labels)
    _, penalty, d_weights, d_bias = _right(weights, bias, features, labels, l2)
    log_p = _log_p(weights, bias, features)
    return float(penalty - log_p.max(axis=1).sum() / n), d_weights, d_bias
