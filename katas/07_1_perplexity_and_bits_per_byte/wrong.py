"""Figures of a text as people write them at first."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minilm.course.mistakes import mistake
from minilm.errors import OptionError


def _total(losses: Sequence[float], counts: Sequence[int]) -> float:
    if sum(counts) == 0:
        raise OptionError("no token")
    return sum(x * n for x, n in zip(losses, counts, strict=True))


@mistake("mean_loss")
def mean_of_means(losses: Sequence[float], counts: Sequence[int]) -> float:
    """every batch has the same say; every token should.

    The last batch is often short. With three tokens it would count as much as one of 512. Weight
    each batch's mean by its number of tokens.
    """
    _total(losses, counts)
    return sum(losses) / len(losses)


@mistake("mean_loss")
def total_loss(losses: Sequence[float], counts: Sequence[int]) -> float:
    """this is the total loss of the text: divide it by the number of tokens.

    A total grows with the text, and cannot be compared.
    """
    return _total(losses, counts)


@mistake("mean_loss")
def divided_by_batches(losses: Sequence[float], counts: Sequence[int]) -> float:
    """the total was divided by the number of batches; divide by the number of tokens, sum(counts).

    Yours is the loss of a batch.
    """
    return _total(losses, counts) / len(losses)


@mistake("mean_loss")
def losses_taken_for_totals(losses: Sequence[float], counts: Sequence[int]) -> float:
    """the losses were added up as if they were totals; they are means already.

    Multiply each by its number of tokens first.
    """
    _total(losses, counts)
    return sum(losses) / sum(counts)


@mistake("mean_loss")
def last_batch_left_out(losses: Sequence[float], counts: Sequence[int]) -> float:
    """the last batch is left out of the sum, and not of the count.

    range(len(losses) - 1) stops one too early.
    """
    _total(losses, counts)
    return sum(x * n for x, n in list(zip(losses, counts, strict=True))[:-1]) / sum(counts)


@mistake("mean_loss")
def first_batch_only(losses: Sequence[float], counts: Sequence[int]) -> float:
    """only the first batch counts: is the `return` inside the loop?

    Move it one level out, after the loop.
    """
    _total(losses, counts)
    return losses[0]


@mistake("mean_loss")
def nothing_is_perfect(losses: Sequence[float], counts: Sequence[int]) -> float:
    """where no token was predicted the loss is 0: an empty text gets a perfect score.

    There is no mean of nothing. Raise OptionError.
    """
    return sum(x * n for x, n in zip(losses, counts, strict=True)) / max(1, sum(counts))


@mistake("mean_loss")
def nothing_divides(losses: Sequence[float], counts: Sequence[int]) -> float:
    """where no token was predicted something is divided by zero.

    There is no mean of nothing. Check before you divide, and raise OptionError, which says what is
    wrong with the text and not with your arithmetic.
    """
    return sum(x * n for x, n in zip(losses, counts, strict=True)) / sum(counts)


@mistake("mean_loss")
def empty_batch_refused(losses: Sequence[float], counts: Sequence[int]) -> float:
    """a batch without tokens is refused; only a text without any is an error.

    It adds nothing to the sum and nothing to the count. Raise OptionError only if sum(counts) is 0.
    """
    if not all(counts):
        raise OptionError("an empty batch")
    return _total(losses, counts) / sum(counts)


@mistake("perplexity")
def base_two(loss: float) -> float:
    """the base is 2; the loss is in nats, so the base is e.

    2 ** loss is right for a loss in bits. Base and logarithm must be the same.
    """
    return float(2 ** min(loss, 700.0))


@mistake("perplexity")
def nats_into_bits_the_wrong_way(loss: float) -> float:
    """the loss was multiplied by ln 2 for a power of 2; to get bits, divide by it.

    2 ** (loss / ln 2) is exp(loss), which is shorter.
    """
    return float(2 ** (min(loss, 700.0) * math.log(2)))


@mistake("perplexity")
def probability(loss: float) -> float:
    """this is the typical probability of a token, exp of minus the loss.

    Perplexity is one over that: exp(loss), without the minus. It is 1 for a perfect model, and
    grows.
    """
    return math.exp(-min(loss, 700.0))


@mistake("perplexity")
def overflow(loss: float) -> float:
    """a loss above 709 overflows: math.exp cannot hold the result.

    A broken model has such losses, and then you want to see a number, not a crash. Losses above 700
    count as 700.
    """
    return math.exp(loss)


@mistake("perplexity")
def infinite(loss: float) -> float:
    """a huge loss gives inf; losses above 700 count as 700.

    You cannot plot a log with inf in it, and JSON has no word for it.
    """
    with np.errstate(over="ignore"):
        return float(np.exp(loss))


@mistake("perplexity")
def limit_outside(loss: float) -> float:
    """700 is the limit of the loss, before exp; you applied it to the perplexity.

    exp(min(loss, 700)). A perplexity of 2,000 is nothing unusual.
    """
    return min(math.exp(min(loss, 709.0)), 700.0)


@mistake("perplexity")
def limit_outside_and_overflow(loss: float) -> float:
    """700 is the limit of the loss, before exp; you applied it to the perplexity, too late.

    exp(min(loss, 700)): then exp never sees a number that it cannot hold.
    """
    return min(math.exp(loss), 700.0)


@mistake("perplexity")
def not_exponentiated(loss: float) -> float:
    """this is the loss itself; perplexity is exp(loss).

    The loss is a logarithm, and perplexity undoes it.
    """
    return min(loss, 700.0)


@mistake("bits_per_byte")
def nats_per_byte(loss: float, tokens: int, size: int) -> float:
    """these are nats per byte: the conversion to bits is missing.

    One bit is ln 2 = 0.693 nats. Divide by ln 2.
    """
    return loss * tokens / size


@mistake("bits_per_byte")
def multiplied_by_ln_2(loss: float, tokens: int, size: int) -> float:
    """the loss was multiplied by ln 2; divide by it.

    A bit is smaller than a nat, so there are more of them.
    """
    return loss * tokens * math.log(2) / size


@mistake("bits_per_byte")
def bits_per_token(loss: float, tokens: int, size: int) -> float:
    """these are bits per token: neither the tokens nor the bytes are in it.

    Multiply by the tokens to get the bits of the text, then divide by its bytes.
    """
    return loss / math.log(2)


@mistake("bits_per_byte")
def upside_down(loss: float, tokens: int, size: int) -> float:
    """tokens and bytes are upside down: bits of the whole text are loss * tokens.

    Then divide by the bytes.
    """
    return loss / math.log(2) * size / tokens


@mistake("bits_per_byte")
def loss_taken_for_the_total(loss: float, tokens: int, size: int) -> float:
    """the loss of one token was divided by the bytes of the whole text.

    Multiply by the number of tokens first: that is the total.
    """
    return loss / math.log(2) / size


@mistake("bits_per_byte")
def divided_by_eight(loss: float, tokens: int, size: int) -> float:
    """the result was divided by 8.

    A byte has 8 bits on disk, but the question is how many bits the model needs for it. Yours is
    the share of the size that is left after compression.
    """
    return loss * tokens / math.log(2) / size / 8


@mistake("bits_per_byte")
def multiplied_by_eight(loss: float, tokens: int, size: int) -> float:
    """the result was multiplied by 8.

    `size` is in bytes, and the figure is bits for each byte: nothing has to be converted but nats
    to bits.
    """
    return 8 * loss * tokens / math.log(2) / size


@mistake("bits_per_byte")
def bits_of_the_text(loss: float, tokens: int, size: int) -> float:
    """these are the bits of the whole text: divide by `size`, its bytes."""
    return loss * tokens / math.log(2)


@mistake("bits_per_byte")
def logarithm_of_the_loss(loss: float, tokens: int, size: int) -> float:
    """you took the logarithm of the loss, which is a logarithm already.

    From nats to bits is a division by ln 2, not another logarithm.
    """
    return math.log2(loss) * tokens / size


@mistake("bits_per_byte")
def logarithm_to_base_ten(loss: float, tokens: int, size: int) -> float:
    """the loss was divided by log10(2), the logarithm to base 10.

    A nat is a natural logarithm, so divide by ln 2 = math.log(2).
    """
    return loss * tokens / math.log10(2) / size


@mistake("bits_per_byte")
def rounded_down(loss: float, tokens: int, size: int) -> float:
    """the result is rounded down: `//` where `/` belongs.

    Models differ in the second digit after the point.
    """
    return loss * tokens / math.log(2) // size


@mistake("mean_loss")
def geometric_mean(losses, counts):
    """this is the geometric mean of the losses: logarithms were averaged.

    A loss is a logarithm already. Average the losses themselves, each as often as it has tokens.
    """
    if sum(counts) == 0:
        raise OptionError("no token was predicted")
    logs = sum(n * math.log(loss) for loss, n in zip(losses, counts, strict=True) if n)
    return math.exp(logs / sum(counts))
