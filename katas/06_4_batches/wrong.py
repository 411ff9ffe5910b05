"""Batches as people write them at first."""

from __future__ import annotations

import numpy as np

from minilm.arrays import Ids
from minilm.course.mistakes import mistake

Pair = tuple[Ids, Ids]


def _windows(tokens: Ids, starts: Ids, width: int) -> Ids:
    """Return the windows; what would be beyond the end comes from the beginning."""
    places = (starts[:, None] + np.arange(width)) % len(tokens)
    return tokens[places].astype(np.int64)


def _filled(x: Ids, y: Ids, time: int, nothing: tuple[int, int] = (0, -100)) -> Pair:
    missing = -len(x) % time
    ids = np.pad(x.astype(np.int64), (0, missing), constant_values=nothing[0])
    targets = np.pad(y.astype(np.int64), (0, missing), constant_values=nothing[1])
    return ids.reshape(-1, time), targets.reshape(-1, time)


@mistake("windows_at")
def no_shift(tokens: Ids, starts: Ids, time: int) -> Pair:
    """the targets are the inputs themselves: the shift by one is missing.

    A model learns to copy within minutes. The loss falls to zero, and what it writes is one token
    over and over. The target of a position is the *next* token.
    """
    w = _windows(tokens, starts, time)
    return w, w.copy()


@mistake("windows_at")
def ids_plus_one(tokens: Ids, starts: Ids, time: int) -> Pair:
    """1 was added to the ids; the target is the next *token*, one place further on in the text.

    Ids are names, not numbers: token 8 does not follow token 7. Move the place: tokens[start + t +
    1].
    """
    w = _windows(tokens, starts, time)
    return w, w + 1


@mistake("windows_at")
def the_token_before(tokens: Ids, starts: Ids, time: int) -> Pair:
    """the targets are the tokens before: inputs and targets are swapped.

    All but the last of a window are inputs, all but the first are targets. The causal mask hides
    what comes after, but the token before is in plain sight for every position except the first.
    """
    w = _windows(tokens, starts, time + 1)
    return w[:, 1:], w[:, :-1]


@mistake("windows_at")
def one_column_less(tokens: Ids, starts: Ids, time: int) -> Pair:
    """there are T - 1 columns; a window needs one more token than it has inputs.

    T inputs and T targets are T + 1 different tokens: take tokens[start : start + T + 1], then drop
    the last for the inputs and the first for the targets.
    """
    w = _windows(tokens, starts, time)
    return w[:, :-1], w[:, 1:]


@mistake("windows_at")
def rolled(tokens: Ids, starts: Ids, time: int) -> Pair:
    """the last target of each window is its own first input: np.roll wraps around.

    Read one token more from the text. The last position of a window has a next token as well.
    """
    w = _windows(tokens, starts, time)
    return w, np.roll(w, -1, axis=1)


@mistake("windows_at")
def last_target_ignored(tokens: Ids, starts: Ids, time: int) -> Pair:
    """the last target of each window is -100, and is not counted.

    The next token is in the text, one place beyond the inputs. The last position has seen the
    longest context; it would be a pity to waste it.
    """
    w = _windows(tokens, starts, time)
    targets = np.full_like(w, -100)
    targets[:, :-1] = w[:, 1:]
    return w, targets


@mistake("windows_at")
def starts_in_windows(tokens: Ids, starts: Ids, time: int) -> Pair:
    """starts were multiplied by T, as if they counted windows.

    They are places in the text already.
    """
    w = _windows(tokens, starts * time, time + 1)
    return w[:, :-1], w[:, 1:]


@mistake("windows_at")
def starts_in_windows_and_beyond(tokens: Ids, starts: Ids, time: int) -> Pair:
    """starts were multiplied by T, and so they soon run past the end.

    They are places in the text already, not the numbers of windows.
    """
    w = tokens[(starts * time)[:, None] + np.arange(time + 1)].astype(np.int64)
    return w[:, :-1], w[:, 1:]


@mistake("windows_at")
def time_first(tokens: Ids, starts: Ids, time: int) -> Pair:
    """the result has shape (T, B): a transpose.

    A window is a row. Make a column of `starts` (starts[:, None]) and leave np.arange a row.
    """
    w = _windows(tokens, starts, time + 1).T
    return w[:-1], w[1:]


@mistake("windows_at")
def dtype_of_the_file(tokens: Ids, starts: Ids, time: int) -> Pair:
    """the tokens kept the dtype in which the text is stored; return int64.

    In uint16 there is no -100, and arithmetic with ids wraps around silently.
    """
    w = tokens[starts[:, None] + np.arange(time + 1)]
    return w[:, :-1], w[:, 1:]


@mistake("windows_at")
def one_target_a_window(tokens: Ids, starts: Ids, time: int) -> Pair:
    """there is one target for each window; every position has one.

    A window of T inputs is T examples at once: the first token with its next one, the first two
    with theirs, and so on. That is what the causal mask makes possible.
    """
    w = _windows(tokens, starts, time + 1)
    return w[:, :-1], w[:, -1]


@mistake("windows_at")
def inputs_too_wide(tokens: Ids, starts: Ids, time: int) -> Pair:
    """the inputs have T + 1 columns: the last token of a window is a target only.

    There is nothing in the window that could follow it.
    """
    w = _windows(tokens, starts, time + 1)
    return w, w[:, 1:]


@mistake("windows_at")
def shifted_by_two(tokens: Ids, starts: Ids, time: int) -> Pair:
    """the targets are shifted by two: the model would learn to skip every other token.

    The target is the token that follows at once.
    """
    w = _windows(tokens, starts, time + 2)
    return w[:, :-2], w[:, 2:]


@mistake("windows_at")
def next_window_for_targets(tokens: Ids, starts: Ids, time: int) -> Pair:
    """the targets are the window that follows, T tokens further on; they are one token further on.

    Position t predicts the token right after it: ids and targets overlap in all but one token.
    """
    w = _windows(tokens, starts, 2 * time)
    return w[:, :time], w[:, time:]


@mistake("windows_at")
def starts_sorted(tokens: Ids, starts: Ids, time: int) -> Pair:
    """the windows are in the order of the text; they must be in the order of `starts`.

    Row b is the window at starts[b]. Training draws the places at random, and the order is part of
    the draw.
    """
    w = _windows(tokens, np.sort(starts), time + 1)
    return w[:, :-1], w[:, 1:]


@mistake("windows_at")
def one_place_late(tokens: Ids, starts: Ids, time: int) -> Pair:
    """every window starts one place late.

    The first input is tokens[start] itself.
    """
    w = _windows(tokens, starts + 1, time + 1)
    return w[:, :-1], w[:, 1:]


@mistake("windows_at")
def starts_ignored(tokens: Ids, starts: Ids, time: int) -> Pair:
    """the windows are those at the beginning of the text; `starts` is not used.

    Each window begins where its entry of `starts` says, in that order.
    """
    w = _windows(tokens, time * np.arange(len(starts)), time + 1)
    return w[:, :-1], w[:, 1:]


@mistake("cut")
def rest_dropped(tokens: Ids, time: int) -> Pair:
    """the rest, which does not fill a window, is dropped.

    When a model is measured every token counts. Add a row, and fill it up with id 0 and target
    -100.
    """
    rows = (len(tokens) - 1) // time
    x, y = tokens[: rows * time], tokens[1 : rows * time + 1]
    return x.astype(np.int64).reshape(rows, time), y.astype(np.int64).reshape(rows, time)


@mistake("cut")
def zeros_as_targets(tokens: Ids, time: int) -> Pair:
    """the filled-up targets are 0, which is a token like any other: they must be -100.

    Your model would be measured by how well it predicts token 0 after the end of the text.
    """
    return _filled(tokens[:-1], tokens[1:], time, (0, 0))


@mistake("cut")
def no_token_as_input(tokens: Ids, time: int) -> Pair:
    """the filled-up inputs are -100, which is no id: the embedding has no such row.

    (NumPy silently takes the hundredth row from the end.) Fill inputs up with 0. Nobody looks at
    what they give, as their targets are -100.
    """
    return _filled(tokens[:-1], tokens[1:], time, (-100, -100))


@mistake("cut")
def filled_the_wrong_way(tokens: Ids, time: int) -> Pair:
    """the fill values are swapped: inputs are filled up with 0, targets with -100."""
    return _filled(tokens[:-1], tokens[1:], time, (-100, 0))


@mistake("cut")
def shifted_row_by_row(tokens: Ids, time: int) -> Pair:
    """each row was shifted by itself, so the last position of a row has no target.

    Its next token is the first one of the row below. Shift the long array first, tokens[:-1] and
    tokens[1:], and reshape afterward.
    """
    ids, _ = _filled(tokens[:-1], tokens[1:], time)
    targets = np.full_like(ids, -100)
    targets[:, :-1] = ids[:, 1:]
    return ids, targets


@mistake("cut")
def last_token_as_input(tokens: Ids, time: int) -> Pair:
    """the last token is among the inputs, and has no target.

    n tokens are n - 1 pairs of a token and the next one. Where n - 1 fits, you have one row too
    many.
    """
    return _filled(tokens, np.append(tokens[1:].astype(np.int64), -100), time)


@mistake("cut")
def windows_without_an_overlap(tokens: Ids, time: int) -> Pair:
    """the text was cut into pieces of T + 1, so the first token of each piece is no target.

    The last target of one window and the first input of the next one are the same token: windows
    share it.
    """
    rows = -(-len(tokens) // (time + 1))
    w = np.full(rows * (time + 1), -100)
    w[: len(tokens)] = tokens
    w = w.reshape(rows, time + 1)
    return np.where(w[:, :-1] < 0, 0, w[:, :-1]), w[:, 1:]


@mistake("cut")
def a_row_too_many(tokens: Ids, time: int) -> Pair:
    """there is a row too many where the text fits.

    count // T + 1 rounds up too often: -(-count // T) rounds up only if there is a rest. And count
    is that of the pairs, n - 1, not that of the tokens.
    """
    count = len(tokens) - 1
    rows = count // time + 1
    ids, targets = np.zeros(rows * time, np.int64), np.full(rows * time, -100)
    ids[:count], targets[:count] = tokens[:-1], tokens[1:]
    return ids.reshape(rows, time), targets.reshape(rows, time)


@mistake("cut")
def filled_in_front(tokens: Ids, time: int) -> Pair:
    """the filling is in front, in the first row; it belongs at the end of the last one.

    A position sees what is before it: with zeros in front the first tokens would be measured in
    another place than they are.
    """
    missing = -(len(tokens) - 1) % time
    ids = np.pad(tokens[:-1].astype(np.int64), (missing, 0))
    targets = np.pad(tokens[1:].astype(np.int64), (missing, 0), constant_values=-100)
    return ids.reshape(-1, time), targets.reshape(-1, time)


@mistake("cut")
def a_window_at_every_token(tokens: Ids, time: int) -> Pair:
    """a window starts at every token, so each target is counted up to T times.

    For measuring each token counts once: the next window starts where the last one ends, T further
    on.
    """
    ids, targets = (x.astype(np.int64) for x in (tokens[:-1], tokens[1:]))
    places = np.arange(len(ids))[:, None] + np.arange(time)
    ids = np.pad(ids, (0, time - 1))[places]
    return ids, np.pad(targets, (0, time - 1), constant_values=-100)[places]


@mistake("cut")
def no_shift_in_cut(tokens: Ids, time: int) -> Pair:
    """the targets are the inputs themselves: the shift by one is missing.

    Inputs are tokens[:-1], targets tokens[1:].
    """
    return _filled(tokens[:-1], tokens[:-1], time)


@mistake("cut")
def cut_backwards(tokens: Ids, time: int) -> Pair:
    """the targets are the tokens before: inputs and targets are swapped.

    Inputs are tokens[:-1], targets tokens[1:].
    """
    return _filled(tokens[1:], tokens[:-1], time)


@mistake("cut")
def columns_first(tokens: Ids, time: int) -> Pair:
    """the tokens run down the columns; a window is a row.

    reshape(rows, T) fills row after row. A transpose swaps the two.
    """
    ids, targets = _filled(tokens[:-1], tokens[1:], time)
    rows = len(ids)
    return ids.reshape(time, rows).T, targets.reshape(time, rows).T
