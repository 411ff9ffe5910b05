"""Schedules and clipping as people write them at first."""

from __future__ import annotations

import math

from minilm.course.mistakes import mistake
from minilm.errors import OptionError


def _left(shape: str, progress: float) -> float:
    """Return what is left of the way from peak to floor, 1 to 0."""
    if shape == "cosine":
        return 0.5 * (1 + math.cos(math.pi * progress))
    if shape == "linear":
        return 1 - progress
    if shape == "constant":
        return 1.0
    raise OptionError(shape)


def _progress(step: int, warmup: int, total: int) -> float:
    return min(1.0, (step - warmup) / max(1, total - warmup))


def _fall(shape: str, progress: float, peak: float, floor: float) -> float:
    if shape == "constant":
        return peak
    return floor + (peak - floor) * _left(shape, progress)


@mistake("warmup_decay")
def first_step_of_zero(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """the rise starts from zero: step 0 has the rate 0, and is wasted.

    Steps count from 0, so the rise is (step + 1) / warmup: the first step has one part of the peak,
    and step warmup - 1 has all of it.
    """
    if step < warmup:
        return peak * step / warmup
    return _fall(shape, _progress(step, warmup, total), peak, floor)


@mistake("warmup_decay")
def no_warm_up(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """there is no warm-up: the fall starts at step 0 with the peak.

    The first `warmup` steps rise in equal parts. This is where runs are ruined, because the
    optimizer knows nothing yet.
    """
    return _fall(shape, min(1.0, step / total), peak, floor)


@mistake("warmup_decay")
def progress_from_the_start(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """the fall is counted from step 0, not from the end of the warm-up.

    At step `warmup` the rate must be the peak; yours drops there all at once. Progress is
    (step - warmup) / (total - warmup).
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    return _fall(shape, min(1.0, step / total), peak, floor)


@mistake("warmup_decay")
def divided_by_all_steps(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """progress is divided by total; the fall has only total - warmup steps.

    Yours has not come down to the floor when the run ends.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    return _fall(shape, min(1.0, (step - warmup) / total), peak, floor)


@mistake("warmup_decay")
def step_not_shifted(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """the steps of the warm-up are counted as steps of the fall: step / (total - warmup).

    The fall starts at step `warmup`, with no part of the way done: take warmup off the step, too.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    return _fall(shape, min(1.0, step / max(1, total - warmup)), peak, floor)


@mistake("warmup_decay")
def no_floor(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """the floor is left out: the rate falls to zero.

    The fall goes from peak to floor: floor + (peak - floor) times what is left of the way.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if shape == "constant":
        return peak
    return peak * _left(shape, _progress(step, warmup, total))


@mistake("warmup_decay")
def floor_on_top(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """the floor was added to the whole fall: the rate starts at peak + floor.

    What shrinks is the distance from peak to floor: floor + (peak - floor) times what is left.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if shape == "constant":
        return peak
    return floor + peak * _left(shape, _progress(step, warmup, total))


@mistake("warmup_decay")
def floor_as_a_limit(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """the floor is a lower limit: the rate falls toward zero and is cut off at the floor.

    It should reach the floor at the very end, not before: floor + (peak - floor) times what is left
    of the way.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if shape == "constant":
        return peak
    return max(floor, peak * _left(shape, _progress(step, warmup, total)))


@mistake("warmup_decay")
def floor_as_a_share(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """the floor was taken for a share of the peak; it is a rate itself.

    A floor of 0.1 is 0.1, whatever the peak is: floor + (peak - floor) times what is left.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    return _fall(shape, _progress(step, warmup, total), peak, floor * peak)


@mistake("warmup_decay")
def bare_cosine(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """the cosine goes from 1 to -1, so the rate becomes negative in the second half.

    Lift it and halve it: 0.5 * (1 + cos) goes from 1 to 0.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if shape == "cosine":
        progress = _progress(step, warmup, total)
        return floor + (peak - floor) * math.cos(math.pi * progress)
    return _fall(shape, _progress(step, warmup, total), peak, floor)


@mistake("warmup_decay")
def not_halved(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """1 + cos goes from 2 to 0: the fall starts at twice the distance. The half is missing.

    0.5 * (1 + cos(pi * progress)) goes from 1 to 0.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if shape == "cosine":
        progress = _progress(step, warmup, total)
        return floor + (peak - floor) * (1 + math.cos(math.pi * progress))
    return _fall(shape, _progress(step, warmup, total), peak, floor)


@mistake("warmup_decay")
def quarter_of_a_cosine(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """this is a quarter of a cosine, cos(pi / 2 * progress): it falls steeply at the end.

    Half a cosine, raised by 1 and halved, is flat at both ends: 0.5 * (1 + cos(pi * progress)).
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if shape == "cosine":
        progress = _progress(step, warmup, total)
        return floor + (peak - floor) * math.cos(0.5 * math.pi * progress)
    return _fall(shape, _progress(step, warmup, total), peak, floor)


@mistake("warmup_decay")
def whole_cosine(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """this is a whole cosine: the rate falls, and then it rises again to the peak.

    You need half of one: the angle goes from 0 to pi, not to 2 pi.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if shape == "cosine":
        progress = _progress(step, warmup, total)
        return floor + (peak - floor) * 0.5 * (1 + math.cos(2 * math.pi * progress))
    return _fall(shape, _progress(step, warmup, total), peak, floor)


@mistake("warmup_decay")
def degrees(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """the angle is in degrees; math.cos wants radians.

    Half a turn is pi, not 180.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if shape == "cosine":
        progress = _progress(step, warmup, total)
        return floor + (peak - floor) * 0.5 * (1 + math.cos(180 * progress))
    return _fall(shape, _progress(step, warmup, total), peak, floor)


@mistake("warmup_decay")
def goes_on_after_the_end(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """after the end of the run the rate goes on: it must stay at the floor.

    Progress is at most 1. A linear fall would go below the floor, even below zero, and a cosine
    would rise again.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    return _fall(shape, (step - warmup) / max(1, total - warmup), peak, floor)


@mistake("warmup_decay")
def one_step_too_many(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """the rise takes one step too many: `<=` where `<` belongs.

    With warmup = 4, the steps 0, 1, 2, 3 rise. Yours gives step 4 a rate above the peak.
    """
    if step <= warmup:
        return peak * (step + 1) / max(1, warmup)
    return _fall(shape, _progress(step, warmup, total), peak, floor)


@mistake("warmup_decay")
def floor_on_the_last_step(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """the floor is reached on the last step, total - 1; it must be reached one later.

    At a floor of 0 the last step of your run would do nothing. Divide by total - warmup.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, total - 1 - warmup))
    return _fall(shape, progress, peak, floor)


@mistake("warmup_decay")
def rise_times_fall(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """rise and fall are multiplied: both act from the first step, so the peak is never reached.

    First the rise alone, up to the peak; then the fall alone, counted from there.
    """
    rise = min(1.0, (step + 1) / max(1, warmup))
    return rise * _fall(shape, min(1.0, step / total), peak, floor)


@mistake("warmup_decay")
def rise_from_the_floor(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """the rise starts from the floor; it must start from zero.

    The floor belongs to the fall. Step 0 has peak / warmup, however high the floor is.
    """
    if step < warmup:
        return floor + (peak - floor) * (step + 1) / warmup
    return _fall(shape, _progress(step, warmup, total), peak, floor)


@mistake("warmup_decay")
def divides_by_a_warm_up_of_zero(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """with warmup = 0 something is divided by zero.

    A run without warm-up is allowed. Ask `if step < warmup` first: inside, warmup is at least 1.
    """
    rise = (step + 1) / warmup
    return (
        peak * rise if step < warmup else _fall(shape, _progress(step, warmup, total), peak, floor)
    )


@mistake("warmup_decay")
def constant_falls_too(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """the shape "constant" must stay at the peak; yours goes to the floor.

    It is for runs whose length nobody knows in advance. Only "cosine" and "linear" fall.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if shape == "constant":
        return floor
    return _fall(shape, _progress(step, warmup, total), peak, floor)


@mistake("warmup_decay")
def any_shape_goes(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """a shape that does not exist must be refused with OptionError; yours treats it as another one.

    Otherwise a typo trains a model for hours with a schedule that nobody asked for.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    known = shape if shape in ("cosine", "linear") else "constant"
    return _fall(known, _progress(step, warmup, total), peak, floor)


@mistake("clip_factor")
def always_scaled(norm: float, largest: float) -> float:
    """short gradients are stretched: every gradient comes out with the largest norm.

    Clipping only shortens. The factor is at most 1: take the smaller of 1.0 and largest / norm.
    """
    return largest / (norm + 1e-6)


@mistake("clip_factor")
def upside_down(norm: float, largest: float) -> float:
    """the fraction is upside down: norm divided by largest.

    The longer the gradient, the smaller the factor: largest / norm.
    """
    return min(1.0, (norm + 1e-6) / largest)


@mistake("clip_factor")
def brought_to_one(norm: float, largest: float) -> float:
    """the factor brings the norm to 1, not to `largest`: 1 / norm.

    A gradient of norm 8 with a limit of 2 needs the factor 2 / 8.
    """
    return min(1.0, 1.0 / (norm + 1e-6))


@mistake("clip_factor")
def subtracted(norm: float, largest: float) -> float:
    """norm and limit were subtracted; a factor is a ratio, largest / norm.

    The gradient is *multiplied* by the result: a norm of 4 times 1/4 is 1.
    """
    return 1.0 if norm <= largest else largest - norm


@mistake("clip_factor")
def norm_for_factor(norm: float, largest: float) -> float:
    """this is the norm after clipping, not the factor that the gradient is multiplied by.

    The factor is 1 for a gradient that is short enough.
    """
    return min(norm, largest)


@mistake("clip_factor")
def max_for_min(norm: float, largest: float) -> float:
    """max where min belongs: long gradients stay as they are, and short ones are stretched.

    The factor is at most 1.
    """
    return max(1.0, largest / (norm + 1e-6))


@mistake("clip_factor")
def no_small_number(norm: float, largest: float) -> float:
    """1e-6 is missing: it is added to the norm before it divides, as in PyTorch.

    Without it a gradient of zero divides by zero; with it no gradient comes out a hair too long.
    """
    if norm <= largest:
        return 1.0
    return largest / norm


@mistake("clip_factor")
def zero_divides(norm: float, largest: float) -> float:
    """1e-6 is missing: it is added to the norm before it divides, as in PyTorch.

    Your function divides by zero where the gradient is zero.
    """
    return min(1.0, largest / norm)


@mistake("clip_factor")
def thrown_away(norm: float, largest: float) -> float:
    """a gradient that is too long is thrown away: the factor is 0.

    Its direction is as good as any other's. Shorten it to the largest norm instead. (`//` gives 0
    too: it drops what is behind the point. `/` divides.)
    """
    return 0.0 if norm > largest else 1.0


@mistake("clip_factor")
def root_of_the_norm(norm: float, largest: float) -> float:
    """you took the root of the norm, which is a root already.

    `norm` is the length, not the sum of squares.
    """
    return min(1.0, largest / (math.sqrt(norm) + 1e-6))


@mistake("clip_factor")
def squared(norm: float, largest: float) -> float:
    """the fraction is squared.

    A gradient is as long as its factor says: to bring a norm of 4 to 1, multiply by 1/4.
    """
    return min(1.0, (largest / (norm + 1e-6)) ** 2)


@mistake("warmup_decay")
def constant_ends_at_the_floor(
    step: int, *, peak: float, warmup: int, total: int, shape: str = "cosine", floor: float = 0.0
) -> float:
    """after the run even a constant rate has the floor; it stays at the peak.

    A constant does not fall, and so it does not reach the floor either. Ask for the shape first,
    then for the end.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if step >= total:
        return floor
    return _fall(shape, _progress(step, warmup, total), peak, floor)
