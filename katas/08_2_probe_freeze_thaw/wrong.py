"""Freezing and thawing as people write it at first."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minilm.course.mistakes import mistake
from minilm.errors import OptionError
from minilm.store.huggingface import SCORE


def _up_to(levels: Any, most: int) -> list[str]:
    return [name for name, level in levels.items() if level <= most]


def _stages(levels: Any, method: str, layers: int, **ways: Callable[[], Any]) -> Any:
    """Return the right stages but for the methods that `ways` give."""
    deepest = max(levels.values())
    if method == "last-n" and layers >= deepest and "unchecked" not in ways:
        raise OptionError("too many layers")
    right: dict[str, Callable[[], Any]] = {
        "full": lambda: [list(levels)],
        "probe": lambda: [[SCORE]],
        "lora": lambda: [[n for n in levels if n == SCORE or ".lora_" in n]],
        "last_n": lambda: [_up_to(levels, layers)],
        "gradual": lambda: [_up_to(levels, most) for most in range(deepest + 1)],
    }
    return (right | ways)[method.replace("-", "_")]()


@mistake("stages")
def probe_trains_the_final_norm(levels, method, layers=1):
    """the probe trains all of level 0, and so the final norm too.

    A probe asks what the frozen body knows already. The norm belongs to the body: if it moves, the
    features change with every step, and you cannot compute them just once. Train SCORE alone.
    """
    return _stages(levels, method, layers, probe=lambda: [_up_to(levels, 0)])


@mistake("stages")
def lora_without_the_head(levels, method, layers=1):
    """LoRA trains its thin matrices, but not the head.

    The head is new: it was drawn at random, and no pretraining has ever seen your labels. Every
    method trains it.
    """
    return _stages(levels, method, layers, lora=lambda: [[n for n in levels if ".lora_" in n]])


@mistake("stages")
def lora_with_the_matrices(levels, method, layers=1):
    """LoRA trains everything, even the matrices beside its thin ones.

    Then it is full fine-tuning, and a little more. What is large stays frozen: train the names with
    ".lora_" in them, and the head.
    """
    return _stages(levels, method, layers, lora=lambda: [list(levels)])


@mistake("stages")
def lora_with_the_final_norm(levels, method, layers=1):
    """LoRA trains the final norm, which is at level 0 like the head.

    LoRA goes by name, not by level: SCORE, and the names with ".lora_" in them.
    """
    return _stages(
        levels,
        method,
        layers,
        lora=lambda: [[n for n, k in levels.items() if k == 0 or ".lora_" in n]],
    )


@mistake("stages")
def lora_by_its_first_letters(levels, method, layers=1):
    """LoRA's matrices were not found: their names do not begin or end with "lora_".

    A name is like h.0.attn.c_attn.lora_A.weight: look whether ".lora_" is *in* it.
    """

    def starting() -> list[list[str]]:
        return [[n for n in levels if n == SCORE or n.startswith("lora_")]]

    return _stages(levels, method, layers, lora=starting)


@mistake("stages")
def last_n_without_the_head(levels, method, layers=1):
    """the last n layers are trained without the head (level 0).

    The head is new and random. All that is above the n layers is trained too: level <= n.
    """
    return _stages(
        levels,
        method,
        layers,
        last_n=lambda: [[n for n, k in levels.items() if 1 <= k <= layers]],
    )


@mistake("stages")
def last_n_one_too_few(levels, method, layers=1):
    """one layer too few is trained (off by one): the level must be <= n, not < n.

    Level 0 is the head and the final norm. The last layer is at level 1.
    """
    return _stages(levels, method, layers, last_n=lambda: [_up_to(levels, layers - 1)])


@mistake("stages")
def last_n_that_layer_alone(levels, method, layers=1):
    """only the layer at level n is trained, with the head; the layers between are frozen.

    The last 2 layers are those at levels 1 and 2. Compare with <=.
    """
    return _stages(
        levels,
        method,
        layers,
        last_n=lambda: [[n for n, k in levels.items() if k in (0, layers)]],
    )


@mistake("stages")
def first_n_layers(levels, method, layers=1):
    """the *first* n layers are trained, those next to the embeddings.

    Levels count down from the head. The last layers, at levels 1 to n, know most about whole texts
    and are the least general ones.
    """
    deepest = max(levels.values())
    return _stages(
        levels,
        method,
        layers,
        last_n=lambda: [
            [n for n, k in levels.items() if k == 0 or deepest - layers <= k < deepest]
        ],
    )


@mistake("stages")
def gradual_freezes_again(levels, method, layers=1):
    """each stage thaws one level and freezes the one before.

    What is thawed stays thawed: each stage trains everything up to its level. (To train one layer
    at a time is another method, called chain-thaw.)
    """
    deepest = max(levels.values())
    return _stages(
        levels,
        method,
        layers,
        gradual=lambda: [
            [n for n, k in levels.items() if k == stage] for stage in range(deepest + 1)
        ],
    )


@mistake("stages")
def gradual_without_the_embeddings(levels, method, layers=1):
    """gradual unfreezing stops one stage early: the embeddings are never thawed (off by one).

    The deepest level is one of the stages: range(deepest + 1).
    """
    deepest = max(levels.values())
    return _stages(
        levels, method, layers, gradual=lambda: [_up_to(levels, m) for m in range(deepest)]
    )


@mistake("stages")
def gradual_starts_with_a_layer(levels, method, layers=1):
    """the first stage trains the last layer already.

    First comes level 0 alone, the head and the final norm. As long as the head is random, its
    gradient would push the layers below in random directions.
    """
    deepest = max(levels.values())
    return _stages(
        levels, method, layers, gradual=lambda: [_up_to(levels, m) for m in range(1, deepest + 1)]
    )


@mistake("stages")
def gradual_from_the_bottom(levels, method, layers=1):
    """layers thaw from the embeddings up; they must thaw from the head down.

    What is at the bottom is general and should change least; what is at the top has to change.
    """
    deepest = max(levels.values())
    return _stages(
        levels,
        method,
        layers,
        gradual=lambda: [
            [n for n, k in levels.items() if k >= stage] for stage in range(deepest, -1, -1)
        ],
    )


@mistake("stages")
def gradual_backward(levels, method, layers=1):
    """the stages are in the wrong order: it starts with everything and freezes layer after layer.

    To thaw is to begin with the head alone. Stage 0 is the smallest.
    """
    deepest = max(levels.values())
    return _stages(
        levels, method, layers, gradual=lambda: [_up_to(levels, m) for m in range(deepest, -1, -1)]
    )


@mistake("stages")
def full_without_the_embeddings(levels, method, layers=1):
    """full fine-tuning leaves out the deepest level, the embeddings (off by one).

    Full means all parameters: level <= deepest.
    """
    deepest = max(levels.values())
    return _stages(levels, method, layers, full=lambda: [_up_to(levels, deepest - 1)])


@mistake("stages")
def names_without_a_stage(levels, method, layers=1):
    """a list of names was returned where there is one stage; it must be a list of one list.

    The caller goes through the stages, and would take each name for a stage: [[...]].
    """
    found = _stages(levels, method, layers)
    return found if method == "gradual" else found[0]


@mistake("stages")
def names_sorted(levels, method, layers=1):
    """the names are in alphabetical order; they must be in the order of `levels`.

    Go through `levels` from the first to the last, and keep those that are trained.
    """
    return [sorted(names) for names in _stages(levels, method, layers)]


@mistake("stages")
def last_n_one_too_many(levels, method, layers=1):
    """one layer too many is trained (off by one): the level must be <= n.

    Level 0 is the head and the final norm, and level n is the n-th layer from the top.
    """
    return _stages(levels, method, layers, last_n=lambda: [_up_to(levels, layers + 1)])


@mistake("stages")
def too_many_layers_accepted(levels, method, layers=1):
    """more layers than there are is accepted.

    Somebody who asks for the last 12 layers of 4 has another model in mind. Raise OptionError. The
    deepest level holds the embeddings, so there are max(levels.values()) - 1 layers.
    """
    return _stages(levels, method, layers, unchecked=list)


@mistake("stages")
def all_layers_refused(levels, method, layers=1):
    """the last n layers are refused when n is the number of all layers.

    That is allowed, and not the same as full: the embeddings stay frozen. Refuse n >= deepest, not
    n >= deepest - 1.
    """
    if method == "last-n" and layers >= max(levels.values()) - 1:
        raise OptionError("too many layers")
    return _stages(levels, method, layers)


@mistake("rate_factors")
def rates_upside_down(levels, decay):
    """the rates are upside down: the embeddings learn fastest, and the head slowest.

    The head is new and has everything to learn: its factor is 1. Each level down is slower.
    """
    deepest = max(levels.values())
    return {name: decay ** (deepest - level) for name, level in levels.items()}


@mistake("rate_factors")
def decay_times_level(levels, decay):
    """the decay is multiplied by the level (a product); it has to be raised to it (a power).

    With a product the head's factor is 0, so it learns nothing, and the lowest layer is fastest.
    """
    return {name: decay * level for name, level in levels.items()}


@mistake("rate_factors")
def head_slowed_too(levels, decay):
    """one power too many: the head is slowed down too (off by one).

    The head is at level 0 and has a factor of 1.
    """
    return {name: decay ** (level + 1) for name, level in levels.items()}


@mistake("rate_factors")
def growing_rates(levels, decay):
    """the rates grow on the way down: they are divided by the decay at each level.

    A decay below 1 must make lower layers slower: multiply.
    """
    return {name: decay**-level for name, level in levels.items()}


@mistake("rate_factors")
def one_decay_for_all(levels, decay):
    """all levels below the head have the same factor.

    The decay comes in once for each level, so two levels down it is decay * decay.
    """
    return {name: decay if level else 1.0 for name, level in levels.items()}


@mistake("rate_factors")
def by_the_place_in_the_list(levels, decay):
    """the factors follow the order of the names; the level decides.

    Several parameters have the same level, and the same factor: decay ** level.
    """
    return {name: decay**i for i, name in enumerate(levels)}


@mistake("rate_factors")
def straight_line(levels, decay):
    """the factors fall along a straight line, by the same amount for each level.

    They must fall by the same *ratio*: a power. A line would go below zero in a deep model.
    """
    return {name: 1 - level * (1 - decay) for name, level in levels.items()}


@mistake("count_of")
def arrays_counted(shapes, names):
    """this counts the names (arrays), not the numbers in them.

    A bias of 6 and an embedding of 50257 x 768 would be one each. Multiply the sizes of each shape.
    """
    return len(list(names))


@mistake("count_of")
def sizes_added(shapes, names):
    """the sizes of a shape were added; the number of entries is their product.

    A matrix of 7 rows and 4 columns has 28 entries, not 11.
    """
    return sum(sum(shapes[name]) for name in names)


@mistake("count_of")
def everything_counted(shapes, names):
    """this counts all parameters, also those that are not among the names (the frozen ones).

    Go over `names`, and look each shape up.
    """
    return sum(math.prod(shape) for shape in shapes.values())


@mistake("count_of")
def vectors_squared(shapes, names):
    """the first size times the last is wrong for vectors: a bias of 6 is counted as 36.

    With one axis the first is the last. Multiply over all axes: math.prod(shape).
    """
    return sum(shapes[n][0] * shapes[n][-1] if shapes[n] else 1 for n in names)


@mistake("count_of")
def two_axes_at_most(shapes, names):
    """only the first two axes are multiplied.

    A shape may have three or more. math.prod(shape) takes all of them.
    """
    return sum(math.prod(shapes[name][:2]) for name in names)


@mistake("count_of")
def rows_counted(shapes, names):
    """only the first size of each shape is counted: that is len(array), its number of rows.

    Multiply all sizes.
    """
    return sum(shapes[name][0] if shapes[name] else 1 for name in names)


@mistake("count_of")
def axes_counted(shapes, names):
    """this counts the axes of each array, not the numbers in it.

    A shape of (3, 4) has two axes and 12 numbers: the product of the sizes.
    """
    return sum(len(shapes[name]) for name in names)


@mistake("count_of")
def single_number_as_none(shapes, names):
    """a shape of () was counted as nothing; it is that of a single number.

    An empty product is 1, as math.prod(()) says.
    """
    return sum(int(np.prod(shapes[name])) if shapes[name] else 0 for name in names)
