"""Pictures of a comparison, drawn from what is in its folder; nothing is concluded here.

Each is written as PNG (for a slide) and SVG (to print), and carries a description of what it shows,
put together from the data, for those who do not see it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from minilm.compare.report import results, transfers
from minilm.compare.report.pictures import accuracy, costs, fields, mistakes, style, vectors
from minilm.compare.report.results import Results


@dataclass(frozen=True)
class Picture:
    """A picture that a comparison can have.

    Parameters
    ----------
    name : str
        Of its files.
    title : str
        What it is about.
    caption : str
        How to read it.
    possible : callable
        Whether the folder holds what it needs.
    draw : callable
        Draws it on an empty figure.
    describe : callable
        Returns in words what it shows.
    every_task : bool
        Whether it is another one for each task.
    """

    name: str
    title: str
    caption: str
    possible: Callable[[Results], bool]
    draw: Callable[[Figure, Results], None]
    describe: Callable[[Results], str]
    every_task: bool = True


PICTURES = (
    Picture(
        "accuracy",
        "Accuracy by condition",
        "Each dot is a mean over pretrainings and draws of the labelled examples; each bar is the "
        "95 % interval over these and the test items. Intervals of two conditions may "
        "overlap although their difference is clear: the difference is measured on the same runs "
        "and items.",
        lambda results: True,
        accuracy.draw_accuracy,
        accuracy.describe_accuracy,
    ),
    Picture(
        "learning_curves",
        "Learning curves",
        "How accuracy grows with labels. A curve that lies above another needs fewer labels for "
        "the same accuracy. Dashed lines with hollow marks are controls.",
        lambda results: len(results.budgets) > 1,
        accuracy.draw_learning_curves,
        accuracy.describe_learning_curves,
    ),
    Picture(
        "gains",
        "Points gained over random, by budget",
        "A point is one test item in a hundred. Bold numbers are those whose own 95 % interval "
        "leaves out zero; the verdicts in the table are corrected for how many there are.",
        lambda results: bool(results.rows("gains")),
        accuracy.draw_gains,
        accuracy.describe_gains,
    ),
    Picture(
        "costs",
        "Accuracy against seconds and against trained parameters",
        "Left is cheap, up is good. The mark is one run with the labels; the bar to its right adds "
        "one pretraining, which many runs share.",
        lambda results: True,
        costs.draw_costs,
        costs.describe_costs,
    ),
    Picture(
        "text_for_labels",
        "How much text is worth how many labels",
        "Go from a point to the left or right until a curve without text: that many labels give "
        "the same accuracy without the text.",
        costs.has_text_for_labels,
        costs.draw_text_for_labels,
        costs.describe_text_for_labels,
    ),
    Picture(
        "transfer",
        "Trained on, tested on",
        "The same classifiers at home and elsewhere, without new training.",
        lambda results: len(results.domains) > 1,
        mistakes.draw_transfer,
        mistakes.describe_transfer,
    ),
    Picture(
        "confusion",
        "Confusion of the best condition",
        "Rows are what a text is, columns what it was taken for, in shares of the row, over all "
        "draws at the largest budget.",
        mistakes.has_runs,
        mistakes.draw_confusion,
        mistakes.describe_confusion,
    ),
    Picture(
        "shared_errors",
        "The errors that conditions share",
        "A condition misses an item when most of its draws do. What all miss is hard for bags of "
        "words and their relatives, or wrongly labelled: read the texts below.",
        mistakes.has_misses,
        mistakes.draw_shared_errors,
        mistakes.describe_shared_errors,
    ),
    Picture(
        "what_transfers",
        "What transfers",
        "A row is a task, a column is a text to pretrain on. Text of the same field should help "
        "most; what text of another field gains is what all fields share. All texts have equally "
        "many words, unless --pretrain-words was given.",
        transfers.has_fields,
        fields.draw_fields,
        fields.describe_fields,
        every_task=False,
    ),
    Picture(
        "pretraining_loss",
        "Pretraining loss",
        "How badly the model predicts the next token. Where the dashed line rises above the solid "
        "one, the model overfits. Each pretraining has a line of its own.",
        costs.has_loss,
        costs.draw_loss,
        costs.describe_loss,
        every_task=False,
    ),
    Picture(
        "similarity",
        "Groups of words",
        "Vectors that have learned something hold the words of a group together and groups apart.",
        vectors.has_similarity,
        vectors.draw_similarity,
        vectors.describe_similarity,
        every_task=False,
    ),
    Picture(
        "word_map",
        "Maps of word vectors before and after fine-tuning",
        "Both maps have the same axes; gray lines lead from where a word was. Words that the "
        "labelled texts never show stay where they are.",
        vectors.has_maps,
        vectors.draw_maps,
        vectors.describe_maps,
        every_task=False,
    ),
    Picture(
        "two_senses",
        "Words with two senses",
        "What all states of a word have in common is taken away first. Of a fixed vector, which is "
        "the same in every sentence, nothing is left: it cannot tell senses apart. The further the "
        "full circle of a word is to the right of the empty one, the better the transformer "
        "does.",
        vectors.has_senses,
        vectors.draw_senses,
        vectors.describe_senses,
        every_task=False,
    ),
)


@dataclass(frozen=True)
class Drawn:
    """A picture as it is in a folder.

    Parameters
    ----------
    picture : Picture
        Which.
    stem : str
        The name of its files without `.png` and `.svg`.
    alt : str
        What it shows, in words.
    view : Results
        What it is drawn from.
    """

    picture: Picture
    stem: str
    alt: str
    view: Results


def plan(views: list[Results]) -> list[Drawn]:
    """Return the pictures that the content of a folder allows, with their descriptions."""
    planned = []
    for number, view in enumerate(views, start=1):
        for picture in PICTURES:
            if (number == 1 or picture.every_task) and picture.possible(view):
                stem = picture.name if number == 1 else f"{picture.name}_{number}"
                alt = results.printable(picture.describe(view))
                planned.append(Drawn(picture, stem, alt, view))
    return planned


def draw_all(folder: Path) -> list[str]:
    """Draw every picture that the folder's content allows, in place of those that were there.

    Parameters
    ----------
    folder : Path
        Of a comparison, with its summary.

    Returns
    -------
    list of str
        The names of the PNG files.

    Raises
    ------
    InputError
        When the folder holds no summary, or damaged files.
    """
    drawn = plan(results.read(folder))
    remove(folder)
    with style.context():
        for one in drawn:
            figure = style.figure()
            one.picture.draw(figure, one.view)
            style.save(figure, folder, one.stem, one.picture.title, one.alt)
    return [f"{one.stem}.png" for one in drawn]


def remove(folder: Path) -> None:
    """Remove the pictures of an earlier summary, and nothing else."""
    for picture in PICTURES:
        for pattern in (picture.name, f"{picture.name}_[0-9]*"):
            for suffix in (".png", ".svg"):
                for path in folder.glob(pattern + suffix):
                    path.unlink()
