"""Cosines and neighbors as people write them at first."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course.mistakes import mistake

# --------------------------------------------------------------------------- unit_rows


def _unit(matrix: Any) -> Any:
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0)


@mistake("unit_rows")
def divided_by_zero(matrix):
    """a zero row was divided by its length, 0 / 0, and is not a number now.

    A word that never met another has a zero row, and one NaN spreads to every product that it
    takes part in. Leave zero rows as they are: divide only where the length is above 0.
    """
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


@mistake("unit_rows")
def columns_at_unit_length(matrix):
    """the columns were brought to length 1 (axis 0), not the rows (axis 1).

    Each row is the vector of a word; its length is taken along the row, over axis 1. Check with
    np.linalg.norm(result, axis=1): ones.
    """
    return _unit(matrix.T).T


@mistake("unit_rows")
def one_length_for_the_whole_table(matrix):
    """the whole table was divided by one number.

    np.linalg.norm without an axis gives the length of all entries together. One length for each row
    is axis=1, keepdims=True, of shape (n, 1).
    """
    return matrix / np.linalg.norm(matrix)


@mistake("unit_rows")
def square_root_forgotten(matrix):
    """rows were divided by their squared length: the square root is missing.

    The length is the *root* of the sum of squares. Without it long rows come out short, and short
    rows long.
    """
    squares = (matrix * matrix).sum(axis=1, keepdims=True)
    return np.divide(matrix, squares, out=np.zeros_like(matrix), where=squares > 0)


@mistake("unit_rows")
def sum_of_absolute_values(matrix):
    """rows were divided by the sum of their absolute values (the L1 length).

    That makes them shares of a whole. The cosine needs the Euclidean length, the root of the sum
    of squares: only then is the dot product of a row with itself 1.
    """
    sums = np.abs(matrix).sum(axis=1, keepdims=True)
    return np.divide(matrix, sums, out=np.zeros_like(matrix), where=sums > 0)


@mistake("unit_rows")
def lengths_without_keepdims(matrix):
    """the lengths have shape (n,); dividing (n, D) by it goes by columns, or not at all.

    NumPy lines shapes up from the right: (4, 3) over (4,) fails, and (3, 3) over (3,) divides each
    *column* by a row's length without a word. keepdims=True makes the lengths (n, 1).
    """
    lengths = np.linalg.norm(matrix, axis=1)
    return np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0)


@mistake("unit_rows")
def small_number_added(matrix):
    """a small number was added to the lengths, so that short rows do not reach length 1.

    1e-8 is harmless beside a length of 1; beside one of 1e-6 it is a hundredth of it. Divide where
    the length is above 0, and no small number is needed.
    """
    return matrix / (np.linalg.norm(matrix, axis=1, keepdims=True) + 1e-8)


@mistake("unit_rows")
def in_place(matrix):
    """the table was divided in place: `matrix /= ...` changes the caller's vectors.

    Their lengths are gone for good, and the lengths say how frequent a word is. Make a new array.
    """
    matrix[...] = _unit(matrix)
    return matrix


@mistake("unit_rows")
def always_float64(matrix):
    """a float32 table came back as float64, at twice the memory.

    The result has the dtype of the matrix. np.zeros(matrix.shape) is float64; np.zeros_like(matrix)
    is not.
    """
    return _unit(np.asarray(matrix, np.float64))


# --------------------------------------------------------------------------- cosine


def _float64(*tables: Any) -> list[Any]:
    return [np.asarray(table, np.float64) for table in tables]


@mistake("cosine")
def dot_product(a, b):
    """these are dot products: nothing was divided by the lengths.

    A long vector has large dot products with everything, and in counts the longest vectors are
    those of "the" and "and". Bring the rows to length 1 first.
    """
    a, b = _float64(a, b)
    return a @ b.T


@mistake("cosine")
def only_one_side_at_unit_length(a, b):
    """only the rows of one table were brought to length 1.

    A cosine is between -1 and 1; look at yours. And neighbors are ranked by their length as much as
    by their direction. Divide by both lengths.
    """
    a, b = _float64(a, b)
    return _unit(a) @ b.T


@mistake("cosine")
def only_the_second_at_unit_length(a, b):
    """only the rows of the second table were brought to length 1.

    For one query the order is still right, which hides it; but the numbers are not cosines,
    and those of different queries cannot be compared. Divide by the lengths of `a` as well.
    """
    a, b = _float64(a, b)
    return a @ _unit(b).T


@mistake("cosine")
def zero_rows_not_a_number(a, b):
    """a zero row gave 0 / 0, which is not a number.

    A row without a direction is like nothing: its cosine is 0 by agreement. unit_rows leaves such
    rows zero, and the product does the rest.
    """
    a, b = _float64(a, b)
    lengths = np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1)
    return np.clip(a @ b.T / lengths, -1.0, 1.0)


@mistake("cosine")
def columns_compared(a, b):
    """the columns were brought to length 1 (axis 0), not the rows.

    A column is one coordinate of all the words. The length of a word's vector is along its row,
    axis 1.
    """
    a, b = _float64(a, b)
    return np.clip(_unit(a.T).T @ _unit(b.T), -1.0, 1.0)


@mistake("cosine")
def turned_round(a, b):
    """the result has shape (m, n): rows of b by rows of a.

    Asked for is entry [i, j], row i of a with row j of b: unit_a @ unit_b.T.
    """
    a, b = _float64(a, b)
    return np.clip(_unit(b) @ _unit(a).T, -1.0, 1.0)


@mistake("cosine")
def squared_lengths(a, b):
    """the dot products were divided by the *squared* lengths: a square root is missing.

    |a| is the root of the sum of squares. Check with a row and itself: the cosine is 1.
    """
    a, b = _float64(a, b)
    squares = (a * a).sum(axis=1)[:, None] * (b * b).sum(axis=1)
    return np.clip(
        np.divide(a @ b.T, squares, out=np.zeros_like(squares), where=squares > 0), -1, 1
    )


@mistake("cosine")
def correlation(a, b):
    """the mean of each row was taken off first: these are correlations, not cosines.

    A correlation is the cosine of centered rows. Here the zero of the coordinates means something
    (no co-occurrence), so nothing is moved.
    """
    a, b = _float64(a, b)
    a, b = (x - x.mean(axis=1, keepdims=True) for x in (a, b))
    return np.clip(_unit(a) @ _unit(b).T, -1.0, 1.0)


@mistake("cosine")
def one_minus_the_cosine(a, b):
    """this is one minus the cosine, a distance: 0 for the same direction.

    SciPy's `cosine` is a distance and has the same name. Here 1 is the same direction and -1 the
    opposite one.
    """
    a, b = _float64(a, b)
    return 1 - np.clip(_unit(a) @ _unit(b).T, -1.0, 1.0)


@mistake("cosine")
def the_angle(a, b):
    """this is the angle in radians (arccos), not its cosine.

    The cosine falls as the angle grows. Nobody needs the angle to find the nearest: leave arccos
    out.
    """
    a, b = _float64(a, b)
    return np.arccos(np.clip(_unit(a) @ _unit(b).T, -1.0, 1.0))


@mistake("cosine")
def negative_cosines_cut_off(a, b):
    """negative cosines were made 0.

    Counts have none, but vectors after an SVD have, and there "opposite" is news. Clip to [-1, 1],
    not to [0, 1].
    """
    a, b = _float64(a, b)
    return np.clip(_unit(a) @ _unit(b).T, 0.0, 1.0)


@mistake("cosine")
def in_float32(a, b):
    """float32 tables gave float32 cosines; they should be computed in float64.

    With seven digits, rounding decides which of two close neighbors comes first, and another BLAS
    decides otherwise. np.asarray(a, np.float64) before the product.
    """
    return np.clip(_unit(a) @ _unit(b).T, -1.0, 1.0)


@mistake("cosine")
def not_clipped(a, b):
    """the cosines were not clipped to [-1, 1].

    By rounding, a row's product with itself comes out as 1.0000000000000002 now and then, and
    np.arccos of that is not a number. np.clip(..., -1.0, 1.0).
    """
    a, b = _float64(a, b)
    return _unit(a) @ _unit(b).T


# --------------------------------------------------------------------------- nearest


def _scores(query: Any, vectors: Any) -> Any:
    query, vectors = _float64(query, vectors)
    return np.clip(_unit(query[None]) @ _unit(vectors).T, -1.0, 1.0)[0]


def _rounded(query: Any, vectors: Any) -> Any:
    return np.round(_scores(query, vectors), 6)


def _pairs(order: Any, scores: Any) -> list[tuple[int, float]]:
    return [(int(i), float(scores[i])) for i in order]


def _without(order: Any, exclude: Any) -> list[int]:
    return [i for i in order if i not in set(exclude)]


@mistake("nearest")
def nothing_left_out(query, vectors, top, exclude=()):
    """the rows of `exclude` are still there.

    The nearest neighbor of a word is the word itself, with cosine 1. The caller leaves it out by
    its row number.
    """
    scores = _rounded(query, vectors)
    return _pairs(np.argsort(-scores, kind="stable")[:top], scores)


@mistake("nearest")
def best_hit_taken_for_the_query(query, vectors, top, exclude=()):
    """the best hit was always dropped, as if it were the query itself.

    That is so for a word of the table, but a query may be anything: a mean of vectors, b - a + c.
    The rows to leave out are in `exclude`, which may be empty.
    """
    scores = _rounded(query, vectors)
    return _pairs(np.argsort(-scores, kind="stable")[1 : top + 1], scores)


@mistake("nearest")
def cut_before_leaving_out(query, vectors, top, exclude=()):
    """the list was cut to `top` before the excluded rows went out, so it came out too short.

    Sort, then leave out, then cut.
    """
    scores = _rounded(query, vectors)
    order = np.argsort(-scores, kind="stable")[:top]
    return _pairs(_without(order, exclude), scores)


@mistake("nearest")
def left_out_and_renumbered(query, vectors, top, exclude=()):
    """the excluded rows were deleted from the table, and all rows after them got other numbers.

    np.delete moves the later rows up: row 6 becomes row 5. An id is a row of the table as it came
    in. Leave rows out of the *order*, not out of the table.
    """
    kept = np.delete(vectors, list(exclude), axis=0)
    scores = _rounded(query, kept)
    return _pairs(np.argsort(-scores, kind="stable")[:top], scores)


@mistake("nearest")
def excluded_at_the_end(query, vectors, top, exclude=()):
    """excluded rows got a score of minus infinity, and turn up at the end of a long list.

    It works until more are asked for than there are. Take them out of the order altogether.
    """
    scores = _rounded(query, vectors)
    scores[list(exclude)] = -np.inf
    return _pairs(np.argsort(-scores, kind="stable")[:top], scores)


@mistake("nearest")
def worst_first(query, vectors, top, exclude=()):
    """the least similar rows come first.

    np.argsort sorts upwards. The largest cosine is the nearest: sort -scores.
    """
    scores = _rounded(query, vectors)
    return _pairs(_without(np.argsort(scores, kind="stable"), exclude)[:top], scores)


@mistake("nearest")
def ties_in_reverse_order(query, vectors, top, exclude=()):
    """equal cosines are in reverse order of their ids: an ascending sort was reversed.

    argsort(scores)[::-1] reverses the ties as well. Sort the negated scores with kind="stable",
    which leaves equal ones in the order in which they came.
    """
    scores = _rounded(query, vectors)
    order = np.argsort(scores, kind="stable")[::-1]
    return _pairs(_without(order, exclude)[:top], scores)


@mistake("nearest")
def not_rounded(query, vectors, top, exclude=()):
    """the cosines were not rounded to six decimals.

    Rows that are equally near differ in the sixteenth digit, by the order in which BLAS adds, and
    on another machine by another digit. Round before sorting, so that ties are ties everywhere.
    """
    scores = _scores(query, vectors)
    return _pairs(_without(np.argsort(-scores, kind="stable"), exclude)[:top], scores)


@mistake("nearest")
def rounded_after_sorting(query, vectors, top, exclude=()):
    """the cosines were rounded after sorting, so the last digits decided between equals.

    The numbers look right and the order of ties is chance. Round first, then sort.
    """
    scores = _scores(query, vectors)
    order = _without(np.argsort(-scores, kind="stable"), exclude)[:top]
    return _pairs(order, np.round(scores, 6))


@mistake("nearest")
def by_the_dot_product(query, vectors, top, exclude=()):
    """neighbors were ranked by the dot product, so that long vectors come first.

    Use cosine(query[None, :], vectors)[0]: only the direction counts.
    """
    scores = np.round(np.asarray(vectors, np.float64) @ query, 6)
    return _pairs(_without(np.argsort(-scores, kind="stable"), exclude)[:top], scores)


@mistake("nearest")
def by_the_distance(query, vectors, top, exclude=()):
    """neighbors were ranked by the distance between the points, so that length counts.

    A rare and a frequent word with the same company point the same way and lie far apart. Rank by
    the cosine, the largest first.
    """
    distances = np.round(np.linalg.norm(vectors - query, axis=1), 6)
    return _pairs(_without(np.argsort(distances, kind="stable"), exclude)[:top], distances)


@mistake("nearest")
def cosine_before_id(query, vectors, top, exclude=()):
    """the pairs are (cosine, id); they should be (id, cosine).

    Sorting a list of (score, id) leaves them that way round. Turn them before you return them.
    """
    scores = _rounded(query, vectors)
    order = _without(np.argsort(-scores, kind="stable"), exclude)[:top]
    return [(score, i) for i, score in _pairs(order, scores)]
