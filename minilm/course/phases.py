"""The phases of the course: their names, and what a learner can do at the end of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phase:
    """One phase.

    Attributes
    ----------
    name : str
    milestone : str
        What the learner's own functions can do once every kata of the phase has passed.
    command : str
        How to see it.
    """

    name: str
    milestone: str
    command: str


PHASES = {
    1: Phase(
        "Text",
        "your tokenizer reads a book",
        "minilm kata demo 1.1",
    ),
    2: Phase(
        "Word vectors",
        "your vectors know which words keep the same company, and nobody told them",
        "minilm kata demo 2.3",
    ),
    3: Phase(
        "Classifiers without a network",
        "your classifier is right about words that no label ever showed",
        "minilm kata demo 3.3",
    ),
    4: Phase(
        "Layers",
        "every layer's gradient is yours, and a GPT trains on them",
        "minilm kata plug --all",
    ),
    5: Phase(
        "The transformer",
        "your GPT has GPT-2's gradients",
        "minilm kata plug --all",
    ),
    6: Phase(
        "Training",
        "your optimizer trains your model",
        "minilm kata plug --all",
    ),
    7: Phase(
        "A language model",
        "your model writes",
        "minilm kata plug --all",
    ),
    8: Phase(
        "Fine-tuning",
        "your model is fine-tuned for a task",
        "minilm kata plug --all",
    ),
    9: Phase(
        "The next thing, without losing the last",
        "your model learns new text and keeps the old",
        "minilm kata plug --all",
    ),
    10: Phase(
        "Evidence",
        "you have a page of evidence, with an interval for each number",
        "minilm kata check 10.4",
    ),
    11: Phase(
        "A model of today",
        "your functions run somebody else's model, and it answers",
        "minilm kata plug --all --real",
    ),
}
_OTHER = "More katas"


def name(phase: int, given: str = "") -> str:
    """Return a phase's name.

    Parameters
    ----------
    phase : int
    given : str
        The name that a kata gives a phase that the course does not have.

    Examples
    --------
    >>> name(4), name(12, "My class"), name(12)
    ('Layers', 'My class', 'More katas')
    """
    return PHASES[phase].name if phase in PHASES else given or _OTHER


def title(phase: int, given: str = "") -> str:
    """Return a phase's number and name, as they are shown everywhere.

    >>> title(4)
    'Phase 4: Layers'
    """
    return f"Phase {phase}: {name(phase, given)}"
