"""What people write in kata 9.1."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course.mistakes import mistake

Generator = np.random.Generator


def _drawn(texts: Any, picks: Any, rng: Generator) -> list[Any]:
    return [texts[k][rng.integers(len(texts[k]))] for k in picks]


def _laid_out(time: int, dtype: Any, pieces: Any, padding: tuple[int, int] = (0, -100)) -> Any:
    ids = np.full((len(pieces), time), padding[0], dtype)
    targets = np.full((len(pieces), time), padding[1], dtype)
    for row, piece in enumerate(pieces):
        ids[row, : len(piece) - 1], targets[row, : len(piece) - 1] = piece[:-1], piece[1:]
    return ids, targets


def _cut(ids: Any, windows: Any) -> list[Any]:
    return [window[: ids.shape[1] + 1] for window in windows]


def _below(ids: Any, targets: Any, old: Any) -> tuple[Any, Any]:
    return np.concatenate([ids, old[0]]), np.concatenate([targets, old[1]])


# --------------------------------------------------------------------------- old_windows


@mistake("old_windows")
def all_in_one_heap(texts: Any, count: int, *, rng: Generator) -> Any:
    """all windows were put in one heap and drawn from there.

    A long text then comes as often as it is long, and a short one is hardly ever drawn: 2 windows
    out of 32 come up once in sixteen draws. Draw the text first, so that each comes up as often as
    any other.
    """
    heap = [window for text in texts for window in text]
    return [heap[i] for i in rng.integers(len(heap), size=count)]


@mistake("old_windows")
def text_and_window_in_turn(texts: Any, count: int, *, rng: Generator) -> Any:
    """a text and its window were drawn in turn; draw all the texts first.

    The chances are right, but the same rng gives other windows than the stub asks for. Call
    rng.integers(len(texts), size=count) once, and then draw a row for each.
    """
    found = []
    for _ in range(count):
        text = texts[rng.integers(len(texts))]
        found.append(text[rng.integers(len(text))])
    return found


@mistake("old_windows")
def always_the_first_window(texts: Any, count: int, *, rng: Generator) -> Any:
    """each text gave its first window every time.

    The model would learn that one window by heart. Draw the row too: rng.integers(len(texts[k])).
    """
    return [texts[k][0] for k in rng.integers(len(texts), size=count)]


@mistake("old_windows")
def last_text_never(texts: Any, count: int, *, rng: Generator) -> Any:
    """the last text is never drawn: the upper end of rng.integers is left out already.

    rng.integers(3) gives 0, 1 or 2. There is nothing to subtract.
    """
    return _drawn(texts, rng.integers(max(1, len(texts) - 1), size=count), rng)


@mistake("old_windows")
def last_window_never(texts: Any, count: int, *, rng: Generator) -> Any:
    """the last window of a text is never drawn: rng.integers leaves its upper end out already.

    rng.integers(len(windows)) gives 0 to len(windows) - 1. There is nothing to subtract.
    """
    picks = rng.integers(len(texts), size=count)
    return [texts[k][rng.integers(max(1, len(texts[k]) - 1))] for k in picks]


@mistake("old_windows")
def texts_in_turn(texts: Any, count: int, *, rng: Generator) -> Any:
    """the texts came in turn, around and around; they must be drawn at random.

    With one old window in a batch, the first text would be the only one that is ever replayed.
    """
    return _drawn(texts, np.arange(count) % len(texts), rng)


@mistake("old_windows")
def so_many_of_each_text(texts: Any, count: int, *, rng: Generator) -> Any:
    """`count` windows were drawn from each text; it is the number of all together.

    Ten old texts would make a step ten times as expensive. Draw `count` texts, and one window each.
    """
    return [text[i] for text in texts for i in rng.integers(len(text), size=count)]


@mistake("old_windows")
def windows_before_texts(texts: Any, count: int, *, rng: Generator) -> Any:
    """the numbers of the windows were drawn before those of the texts.

    Which window there is depends on the text. Draw the texts first, with one call, and then one
    number for each window: rng.integers(len(texts[k])).
    """
    rows = [rng.integers(min(map(len, texts))) for _ in range(count)]
    picks = rng.integers(len(texts), size=count)
    return [texts[k][row] for k, row in zip(picks, rows, strict=True)]


@mistake("old_windows")
def windows_with_one_call(texts: Any, count: int, *, rng: Generator) -> Any:
    """the numbers of the windows were drawn with one call; draw one number for each window.

    Texts have different numbers of windows, so each draw has an end of its own:
    rng.integers(len(texts[k])), window after window.
    """
    picks = rng.integers(len(texts), size=count)
    rows = rng.integers(len(texts[0]), size=count)
    return [texts[k][row % len(texts[k])] for k, row in zip(picks, rows, strict=True)]


@mistake("old_windows")
def one_text_for_all(texts: Any, count: int, *, rng: Generator) -> Any:
    """one text was drawn, and all windows are from it.

    Draw a text for each window: rng.integers(len(texts), size=count).
    """
    text = texts[rng.integers(len(texts))]
    return [text[i] for i in rng.integers(len(text), size=count)]


@mistake("old_windows")
def no_text_twice(texts: Any, count: int, *, rng: Generator) -> Any:
    """the texts were drawn without replacement, so none can come twice.

    One old text must be able to give all the windows of a batch. rng.integers draws with
    replacement.
    """
    return _drawn(texts, rng.choice(len(texts), size=count, replace=False), rng)


@mistake("old_windows")
def a_generator_of_its_own(texts: Any, count: int, *, rng: Generator) -> Any:
    """it made its own generator instead of using rng.

    With a fixed seed inside, every batch of the run replays the same few windows.
    """
    rng = np.random.default_rng(0)
    return _drawn(texts, rng.integers(len(texts), size=count), rng)


# --------------------------------------------------------------------------- mixed


@mistake("mixed")
def targets_not_shifted(ids: Any, targets: Any, windows: Any) -> tuple[Any, Any]:
    """the old targets are not shifted: each is the token that the model is shown.

    A window has T + 1 tokens: the inputs are all but the last, the targets all but the first.
    """
    time = ids.shape[1]
    old, asked = _laid_out(time, ids.dtype, [])
    for window in windows:
        piece = window[:time]
        row = np.zeros((1, time), ids.dtype)
        row[0, : len(piece)] = piece
        goal = np.full((1, time), -100, ids.dtype)
        goal[0, : len(piece)] = piece
        old, asked = np.concatenate([old, row]), np.concatenate([asked, goal])
    return _below(ids, targets, (old, asked))


@mistake("mixed")
def targets_padded_with_zero(ids: Any, targets: Any, windows: Any) -> tuple[Any, Any]:
    """targets were padded with 0, which is a token; the target that does not count is -100.

    The model would learn to predict token 0 after every short window.
    """
    return _below(ids, targets, _laid_out(ids.shape[1], ids.dtype, _cut(ids, windows), (0, 0)))


@mistake("mixed")
def last_token_as_an_input(ids: Any, targets: Any, windows: Any) -> Any:
    """the last token of a short window is among the inputs, though it has no target.

    It is a target only: the inputs are piece[:-1], the targets piece[1:], and then comes padding.
    """
    pieces = _cut(ids, windows)
    old = _laid_out(ids.shape[1], ids.dtype, pieces)
    for row, piece in enumerate(pieces):
        kept = piece[: ids.shape[1]]
        old[0][row, : len(kept)] = kept
    return _below(ids, targets, old)


@mistake("mixed")
def inputs_padded_with_minus_100(ids: Any, targets: Any, windows: Any) -> tuple[Any, Any]:
    """inputs were padded with -100, which is no token: the embedding looks it up.

    Only a target may be -100. In the inputs any token will do, because no target there counts: use
    0.
    """
    old = _laid_out(ids.shape[1], ids.dtype, _cut(ids, windows), (-100, -100))
    return _below(ids, targets, old)


@mistake("mixed")
def cut_one_too_soon(ids: Any, targets: Any, windows: Any) -> tuple[Any, Any]:
    """windows were cut to T tokens, one too few: T inputs and T targets need T + 1 tokens.

    The last place of every old row is padding then, and its token is never learned.
    """
    pieces = [window[: ids.shape[1]] for window in windows]
    return _below(ids, targets, _laid_out(ids.shape[1], ids.dtype, pieces))


@mistake("mixed")
def long_ones_not_cut(ids: Any, targets: Any, windows: Any) -> Any:
    """a window that is longer than the batch's sequences was not cut, and does not fit in its row.

    Cut it first: window[: T + 1], as T inputs and T targets need T + 1 tokens.
    """
    return _below(ids, targets, _laid_out(ids.shape[1], ids.dtype, windows))


@mistake("mixed")
def old_ones_first(ids: Any, targets: Any, windows: Any) -> tuple[Any, Any]:
    """the old windows come first; the new text should.

    The mean over the batch stays the same, but code that looks at the first B rows finds old text.
    """
    old, asked = _laid_out(ids.shape[1], ids.dtype, _cut(ids, windows))
    return np.concatenate([old, ids]), np.concatenate([asked, targets])


@mistake("mixed")
def in_reverse(ids: Any, targets: Any, windows: Any) -> Any:
    """the old windows come in reverse order.

    The new text comes first, and then the windows as they are in the list.
    """
    return _below(ids, targets, _laid_out(ids.shape[1], ids.dtype, _cut(ids, windows)[::-1]))


@mistake("mixed")
def filled_by_repeating(ids: Any, targets: Any, windows: Any) -> Any:
    """a short window was repeated until it fills the row; the rest is padding.

    After its last token the window does not begin again. Fill up with 0 in the inputs, and with
    -100 in the targets.
    """
    pieces = [np.resize(window, ids.shape[1] + 1) for window in windows]
    return _below(ids, targets, _laid_out(ids.shape[1], ids.dtype, pieces))


@mistake("mixed")
def in_place_of_new_text(ids: Any, targets: Any, windows: Any) -> tuple[Any, Any]:
    """the old windows take the place of new ones; they should be added after them.

    The new text is what the update is for. Replay makes a step longer; it takes nothing away.
    """
    old, asked = _laid_out(ids.shape[1], ids.dtype, _cut(ids, windows)[: len(ids)])
    return (
        np.concatenate([old, ids[len(old) :]]),
        np.concatenate([asked, targets[len(old) :]]),
    )


@mistake("mixed")
def padded_on_the_left(ids: Any, targets: Any, windows: Any) -> tuple[Any, Any]:
    """short windows were padded on the left; the padding belongs at the end.

    A position can see what is on its left. Nobody sees padding at the end.
    """
    old, asked = _laid_out(ids.shape[1], ids.dtype, _cut(ids, windows))
    for row, window in enumerate(windows):
        missing = max(0, ids.shape[1] + 1 - len(window))
        old[row], asked[row] = np.roll(old[row], missing), np.roll(asked[row], missing)
    return _below(ids, targets, (old, asked))


@mistake("mixed")
def as_long_as_the_longest(ids: Any, targets: Any, windows: Any) -> tuple[Any, Any]:
    """the batch was made as long as the longest old window; a longer window must be cut.

    The new text decides T. Beyond it the model may not even have positions.
    """
    time = max([ids.shape[1], *(len(window) - 1 for window in windows)])
    new, goals = np.zeros((len(ids), time), ids.dtype), np.full((len(ids), time), -100, ids.dtype)
    new[:, : ids.shape[1]], goals[:, : ids.shape[1]] = ids, targets
    return _below(new, goals, _laid_out(time, ids.dtype, windows))


@mistake("mixed")
def short_ones_left_out(ids: Any, targets: Any, windows: Any) -> tuple[Any, Any]:
    """windows that are too short were left out; pad them.

    A text of short windows would never be replayed, and you would get no warning.
    """
    full = [piece for piece in _cut(ids, windows) if len(piece) > ids.shape[1]]
    return _below(ids, targets, _laid_out(ids.shape[1], ids.dtype, full))


@mistake("mixed")
def end_kept_in_place_of_the_start(ids: Any, targets: Any, windows: Any) -> tuple[Any, Any]:
    """a long window lost its start; cut it at its end.

    Take window[: T + 1], not the last T + 1 tokens.
    """
    pieces = [window[-(ids.shape[1] + 1) :] for window in windows]
    return _below(ids, targets, _laid_out(ids.shape[1], ids.dtype, pieces))


@mistake("mixed")
def floats_for_ids(ids: Any, targets: Any, windows: Any) -> tuple[Any, Any]:
    """the result is an array of floats: np.zeros and np.full with -100.0 make floats.

    An id is an index, so it must be an integer: give them ids.dtype. When two arrays are
    concatenated, the floats win.
    """
    return _below(ids, targets, _laid_out(ids.shape[1], np.float64, _cut(ids, windows)))


# --------------------------------------------------------------------------- averaged


@mistake("averaged")
def weight_on_the_new_model(new: Any, old: Any, weight: float) -> Any:
    """the weight is on the wrong one: it is the share of the old model, not of the new model.

    Try 0: it must give the new model back.
    """
    return weight * new + (1 - weight) * old


@mistake("averaged")
def half_and_half(new: Any, old: Any, weight: float) -> Any:
    """it is the plain mean, whatever the weight.

    0.5 is one weight among others: (1 - weight) of the new model and weight of the old one.
    """
    return (new + old) / 2


@mistake("averaged")
def new_not_made_smaller(new: Any, old: Any, weight: float) -> Any:
    """the new model was not multiplied by 1 - weight, so the shares do not add up to one.

    The sum is larger than either model, and so are its logits.
    """
    return new + weight * old


@mistake("averaged")
def divided_by_the_sum(new: Any, old: Any, weight: float) -> Any:
    """this is (new + weight * old) / (1 + weight); the weight is the share of the old model.

    With a weight of 1 yours is half of each, and it must be the old model: (1 - weight) * new +
    weight * old.
    """
    return (new + weight * old) / (1 + weight)


@mistake("averaged")
def written_into_new(new: Any, old: Any, weight: float) -> Any:
    """`new` was changed in place: it is the caller's model.

    If you compare the two models afterward, you have only one. Make a new array.
    """
    new *= 1 - weight
    new += weight * old
    return new


@mistake("averaged")
def brackets_missing(new: Any, old: Any, weight: float) -> Any:
    """parentheses are missing: 1 - weight * new is not (1 - weight) * new.

    A product comes before a difference.
    """
    return 1 - weight * new + weight * old


@mistake("averaged")
def away_from_the_old_one(new: Any, old: Any, weight: float) -> Any:
    """a sign is wrong: it goes on away from the old model instead of back to it.

    The way from the new model to the old one is old - new.
    """
    return new + weight * (new - old)
