"""TF-IDF as people write it at first."""

from __future__ import annotations

import numpy as np

from minilm.course.mistakes import mistake

# ------------------------------------------------------------------ inverse_frequency


@mistake("inverse_frequency")
def not_smoothed(document_frequency, documents):
    """no 1 is added to the two numbers of the fraction.

    A word that no document has would then divide by zero. Pretend that there is one more document
    with every word in it: 1 + N above, 1 + df below.
    """
    return np.log(documents / document_frequency) + 1


@mistake("inverse_frequency")
def textbook(document_frequency, documents):
    """this is ln(N / df): the 1s of the smooth form are missing.

    In this plain form a word that is in every document weighs 0 and is lost, and one that no
    document has divides by zero. Add 1 above and below, and 1 at the end.
    """
    return np.log(documents / document_frequency)


@mistake("inverse_frequency")
def smoothed_below_only(document_frequency, documents):
    """1 was added below (df) but not above (N).

    The imagined extra document counts in both numbers. Otherwise a word that is in every document
    gets less than 1.
    """
    return np.log(documents / (1 + document_frequency)) + 1


@mistake("inverse_frequency")
def smoothed_above_only(document_frequency, documents):
    """1 was added above (N) but not below (df).

    The imagined extra document has every word, so it counts in both numbers. Without it below, a
    word that no document has divides by zero.
    """
    return np.log((1 + documents) / document_frequency) + 1


@mistake("inverse_frequency")
def without_one_at_the_end(document_frequency, documents):
    """the + 1 at the end is missing.

    Without it a word that is in every document weighs 0, and a ticket made of such words becomes a
    row of zeros. With it that word weighs 1 and rare ones weigh more.
    """
    return np.log((1 + documents) / (1 + document_frequency))


@mistake("inverse_frequency")
def one_inside_the_logarithm(document_frequency, documents):
    """the last + 1 is inside the logarithm; it is added to the logarithm.

    Check it on a word that is in every document: ln(1) + 1 = 1, but ln(1 + 1) = 0.693.
    """
    return np.log((1 + documents) / (1 + document_frequency) + 1)


@mistake("inverse_frequency")
def base_ten(document_frequency, documents):
    """the logarithm has base 10; it should be the natural one, np.log.

    Another base makes the logarithm smaller or larger, and the 1 that is added to it is not
    scaled along. So the weights really differ.
    """
    return np.log10((1 + documents) / (1 + document_frequency)) + 1


@mistake("inverse_frequency")
def base_two(document_frequency, documents):
    """the logarithm has base 2; it should be the natural one, np.log.

    Another base makes the logarithm smaller or larger, and the 1 that is added to it is not
    scaled along. So the weights really differ.
    """
    return np.log2((1 + documents) / (1 + document_frequency)) + 1


@mistake("inverse_frequency")
def upside_down(document_frequency, documents):
    """the fraction is upside down: the number of documents belongs above.

    *Inverse* document frequency is large for a word that few documents have. Yours makes "the" the
    most important word of all.
    """
    return np.log((1 + document_frequency) / (1 + documents)) + 1


@mistake("inverse_frequency")
def without_the_logarithm(document_frequency, documents):
    """the logarithm is missing.

    The bare fraction runs into the hundreds, and then one word that a single document has outweighs
    everything else in it.
    """
    return (1 + documents) / (1 + document_frequency) + 1


@mistake("inverse_frequency")
def whole_division(document_frequency, documents):
    """`//` divides whole numbers and drops what is left over; write `/`.

    With it 10 // 6 is 1, as if that word were in every document.
    """
    return np.log((1 + documents) // (1 + document_frequency)) + 1


# ------------------------------------------------------------------------------ weigh


def _damped(counts):
    return np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0.0)


def _unit(weights):
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    return weights / np.where(lengths > 0, lengths, 1.0)


@mistake("weigh")
def raw_counts(counts, idf):
    """the counts are raw: the logarithm is missing.

    A word that is there ten times does not say ten times as much. Take 1 + ln(count) where the
    count is above 0.
    """
    return _unit(counts * idf)


@mistake("weigh")
def one_inside_the_log(counts, idf):
    """you took ln(1 + count), with the 1 inside the logarithm; it is 1 + ln(count).

    Both give 0 for 0. But a word that is there once must weigh 1, and ln(1 + 1) is 0.693; the
    ratios between counts differ too.
    """
    return _unit(np.log(1 + counts) * idf)


@mistake("weigh")
def logarithm_alone(counts, idf):
    """the 1 before the logarithm is missing: a word that is there once gets ln(1) = 0.

    Most words are in a ticket just once, and all of them would vanish. Take 1 + ln(count).
    """
    return _unit(np.log(np.maximum(counts, 1)) * idf)


@mistake("weigh")
def logarithm_of_zero(counts, idf):
    """the logarithm was taken of counts that are 0, which is minus infinity.

    A word that is not in the document has weight 0. Take the logarithm only where counts > 0:
    np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0.0).
    """
    weights = (1 + np.log(counts)) * idf
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


@mistake("weigh")
def absent_words_weigh_one(counts, idf):
    """absent words have a weight: a count of 0 was raised to 1 and then treated like a real 1.

    np.maximum(counts, 1) keeps the logarithm finite, but the entry must still become 0 where the
    count is 0.
    """
    return _unit((1 + np.log(np.maximum(counts, 1))) * idf)


@mistake("weigh")
def not_scaled(counts, idf):
    """the rows were not scaled to length 1.

    A long ticket would have a long row. Divide each row by the square root of its sum of squares.
    """
    return _damped(counts) * idf


@mistake("weigh")
def sums_to_one(counts, idf):
    """each row was divided by its sum, so that it sums to 1; it must have length 1.

    The Euclidean length is the square root of the sum of squares. Only then is the dot product of
    two rows their cosine.
    """
    weights = _damped(counts) * idf
    sums = weights.sum(axis=1, keepdims=True)
    return weights / np.where(sums > 0, sums, 1.0)


@mistake("weigh")
def columns_scaled(counts, idf):
    """the columns were scaled (axis 0), not the rows (axis 1).

    A document is a row. Its own words are what its length is made of: sum over axis=1.
    """
    weights = _damped(counts) * idf
    lengths = np.linalg.norm(weights, axis=0, keepdims=True)
    return weights / np.where(lengths > 0, lengths, 1.0)


@mistake("weigh")
def one_length_for_all(counts, idf):
    """the whole matrix was divided by one number: the norm has no axis.

    Each row has its own length: axis=1, keepdims=True.
    """
    weights = _damped(counts) * idf
    return weights / np.linalg.norm(weights)


@mistake("weigh")
def keepdims_forgotten(counts, idf):
    """`keepdims=True` is missing: the lengths have shape (N,), and line up with the columns.

    With shape (N, 1) each row is divided by its own length.
    """
    weights = _damped(counts) * idf
    lengths = np.linalg.norm(weights, axis=1)
    return weights / np.where(lengths > 0, lengths, 1.0)


@mistake("weigh")
def empty_document(counts, idf):
    """a document without words was divided by its length: 0 / 0 is not a number.

    The row must stay zero. Divide by the length only where it is above 0.
    """
    weights = _damped(counts) * idf
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


@mistake("weigh")
def cut_to_whole_numbers(counts, idf):
    """the weights were cut to whole numbers: np.zeros_like(counts) is an array of integers.

    What you write into it loses its fraction without a word. Make np.zeros(counts.shape), which
    holds floats.
    """
    weights = np.zeros_like(counts)
    weights[counts > 0] = 1 + np.log(counts[counts > 0])
    return _unit(weights * idf)


@mistake("weigh")
def idf_forgotten(counts, idf):
    """idf is not used: every word weighs the same, whether one document has it or all do.

    Multiply the damped counts by idf; its shape (V,) lines up with the columns.
    """
    return _unit(_damped(counts))


@mistake("weigh")
def idf_after_the_scaling(counts, idf):
    """idf was multiplied in after the rows were scaled, so their length is no longer 1.

    First the weights, damped counts times idf; then the scaling.
    """
    return _unit(_damped(counts)) * idf


@mistake("weigh")
def divided_by_idf(counts, idf):
    """the counts were divided by idf; multiply.

    idf is already the inverse: it is large for a rare word.
    """
    return _unit(_damped(counts) / idf)


@mistake("weigh")
def idf_inside_the_logarithm(counts, idf):
    """idf is inside the logarithm, multiplied with the count; it multiplies the damped count.

    The two factors have two jobs: the logarithm damps repetitions in this document, and idf says
    how telling the word is.
    """
    damped = np.where(counts > 0, 1 + np.log(np.maximum(counts * idf, 1)), 0.0)
    return _unit(damped)


@mistake("weigh")
def presence_only(counts, idf):
    """how often a word occurs was ignored: only its presence counts in yours.

    A word that is there three times weighs 1 + ln(3) = 2.1 times its idf, not 1 times.
    """
    return _unit((counts > 0) * idf)


@mistake("weigh")
def squared_length(counts, idf):
    """the rows were divided by the sum of squares; its square root is missing.

    The length of (3, 4) is sqrt(9 + 16) = 5, not 25.
    """
    weights = _damped(counts) * idf
    squares = (weights**2).sum(axis=1, keepdims=True)
    return weights / np.where(squares > 0, squares, 1.0)


@mistake("weigh")
def epsilon_below(counts, idf):
    """a small number was added to the lengths, so that no row has exactly length 1.

    It keeps 0 / 0 away, at the price of a little error everywhere. Divide only where the length is
    above 0: np.where(lengths > 0, lengths, 1.0).
    """
    weights = _damped(counts) * idf
    return weights / (np.linalg.norm(weights, axis=1, keepdims=True) + 1e-6)


@mistake("weigh")
def damped_in_place(counts, idf):
    """the counts were overwritten: the array belongs to the caller.

    The next function that reads it finds logarithms in it. Work on a new array.
    """
    weights = _unit(_damped(counts) * idf)
    counts[...] = _damped(counts)
    return weights


@mistake("weigh")
def damped_in_base_two(counts, idf):
    """the logarithm of the counts has base 2; it should be the natural one, np.log.

    The 1 before it is not scaled along, so another base gives other ratios between words.
    """
    return _unit(np.where(counts > 0, 1 + np.log2(np.maximum(counts, 1)), 0.0) * idf)


@mistake("weigh")
def damped_in_base_ten(counts, idf):
    """the logarithm of the counts has base 10; it should be the natural one, np.log.

    The 1 before it is not scaled along, so another base gives other ratios between words.
    """
    return _unit(np.where(counts > 0, 1 + np.log10(np.maximum(counts, 1)), 0.0) * idf)


@mistake("weigh")
def damped_by_a_root(counts, idf):
    """the counts were damped by a square root; here it is 1 + ln(count).

    A root damps too, but less: nine times becomes 3, while 1 + ln(9) is 3.2 and 1 + ln(100) only
    5.6.
    """
    return _unit(np.sqrt(counts) * idf)


@mistake("weigh")
def largest_is_one(counts, idf):
    """each row was divided by its largest weight; it must have Euclidean length 1.

    The length is the square root of the sum of squares. Only then is the dot product of two rows
    their cosine.
    """
    weights = _damped(counts) * idf
    largest = weights.max(axis=1, keepdims=True)
    return weights / np.where(largest > 0, largest, 1.0)


@mistake("weigh")
def idf_squared(counts, idf):
    """idf was multiplied in twice: the weights have its square.

    Count and idf are two factors, each of them once.
    """
    return _unit(_damped(counts) * idf**2)


@mistake("weigh")
def raw_and_not_scaled(counts, idf):
    """this is count times idf alone: the logarithm is missing, and so is the scaling to length 1.

    Take 1 + ln(count) where the count is above 0, multiply by idf, and divide each row by its
    length.
    """
    return counts * idf


@mistake("weigh")
def raw_and_sums_to_one(counts, idf):
    """the logarithm is missing, and each row was divided by its sum instead of by its length.

    Take 1 + ln(count) where the count is above 0. The length is the square root of the sum of
    squares.
    """
    weights = counts * idf
    sums = weights.sum(axis=1, keepdims=True)
    return weights / np.where(sums > 0, sums, 1.0)
