"""`report.html`: one file with everything a class needs to read a comparison, and to doubt it.

The answer comes first: headline, main picture and the class's bet fit on a projector's first
screen. `slides.html` has the same on a few screens to page through.

Both are made from the folder alone, need no network (their content security policy forbids any) and
no script to be read, and say in words what each picture shows.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import minilm
from minilm import files
from minilm.compare.report import (
    bets,
    pictures,
    reading,
    results,
    scoreboard,
    sensitivity,
    transfers,
    worth,
)
from minilm.compare.report.page import shell, tables
from minilm.compare.report.page.markup import escape, items, paragraph, picture, section, table
from minilm.compare.report.results import Results

REPORT, SLIDES = "report.html", "slides.html"
# The picture on the first screen is the first of these that there is.
_LEAD = ("what_transfers", "text_for_labels", "learning_curves", "accuracy")
# Doubts that fit on a screen.
_DOUBTS = 5
# Students of a scoreboard that fit on a screen.
_AHEAD = 7


def write(folder: Path) -> Path:
    """Write the report into the folder of a comparison, and return its path.

    Pictures must have been drawn; one that is not there is left out.

    Parameters
    ----------
    folder : Path
        With a summary; see `minilm.compare.report.results`.

    Raises
    ------
    InputError
        When the folder holds no summary, or damaged files.
    """
    views = results.read(folder)
    page = document(
        _title(views),
        _sections(views),
        kicker=f"A comparison with minilm {minilm.__version__}",
        answers="\n".join(_answer(view, alone=len(views) == 1) for view in views),
        lead=_lead(views[0]),
        footer=f"Made by minilm {escape(minilm.__version__)} from the tables in its folder; "
        "<code>minilm report DIR</code> makes it again. Pictures are beside it as PNG and SVG.",
    )
    path = folder / REPORT
    with files.atomic_write(path) as file:
        file.write(page)
    return path


def document(
    title: str,
    sections: Iterable[Section],
    *,
    kicker: str,
    answers: str,
    lead: str,
    footer: str,
    style: str = "",
) -> str:
    """Return a page in the style of the report: whole in itself, with a table of contents.

    Parameters
    ----------
    title, kicker : str
        The heading, and the line above it; not yet escaped.
    sections : iterable of Section
    answers, lead, footer : str
        HTML: the first thing to read, what follows it, and the end.
    style : str
        CSS after the shared one.
    """
    style = shell.part(shell.BASE) + shell.part("page.css") + style
    script = shell.part("page.js")
    found = list(sections)
    return string.Template(shell.part("page.html")).substitute(
        policy=shell.policy(style, script),
        kicker=escape(kicker),
        lead=lead,
        version=escape(minilm.__version__),
        title=escape(title),
        answers=answers,
        contents="\n".join(
            f'<li><a href="#{one.identifier}">{escape(one.title)}</a></li>' for one in found
        ),
        sections="\n".join(section(*one) for one in found),
        style=style,
        script=script,
        footer=footer,
    )


class Section(NamedTuple):
    """A part of a page: an identifier for links, a title, pieces of HTML, a class."""

    identifier: str
    title: str
    content: list[str]
    kind: str = ""


def write_slides(folder: Path) -> Path:
    """Write the same as a few screens to page through, and return the path.

    Raises
    ------
    InputError
        When the folder holds no summary, or damaged files.
    """
    views = results.read(folder)
    style, script = (shell.part(name) for name in ("slides.css", "slides.js"))
    planned = pictures.plan(views)
    screens: list[Section] = []
    for view in views:
        lead = _leading(planned, view)
        own = [one for one in planned if one.picture.every_task and one.view is view]
        ordered = [lead, *(one for one in own if one is not lead)]
        screens += _screens(view, ordered, alone=len(views) == 1)
    for one in planned:
        if not one.picture.every_task and one is not _leading(planned, views[0]):
            screens.append(Section("", one.picture.title, _figures([one])))
    content = "\n".join(
        section(f"screen-{number}", title, content)
        for number, (_, title, content, _) in enumerate(screens, start=1)
    )
    path = folder / SLIDES
    with files.atomic_write(path) as file:
        file.write(
            string.Template(shell.part("slides.html")).substitute(
                policy=shell.policy(style, script),
                version=escape(minilm.__version__),
                title=escape(_title(views)),
                screens=content,
                style=style,
                script=script,
            )
        )
    return path


def _screens(view: Results, planned: list[pictures.Drawn], *, alone: bool) -> Iterator[Section]:
    """Yield the screens about one task: the answer, its pictures in order, the bet, the doubts."""
    suffix = "" if alone else f": {view.task}"
    answer = [_answer(view, alone=True), paragraph(reading.most_accurate(view))]
    yield Section("", f"Does pretraining help? {view.task}", answer)
    for number, one in enumerate(planned):
        yield Section("", f"{one.picture.title}{suffix}", _figures([one]))
        if number == 0:
            if alone and (bet := _bet(view)):
                yield Section("", "The bet", bet[:3])
            if alone and (found := _class_bets(view, brief=True)):
                yield Section("", "The bets", found)
            yield Section("", f"The reading{suffix}", [items(reading.sentences(view))])
    doubts = sensitivity.sentences(view)[:_DOUBTS]
    yield Section("", f"What would change this conclusion{suffix}", [items(doubts)])


def _title(views: list[Results]) -> str:
    return f"Does pretraining help? {', '.join(view.task for view in views)}"


def _leading(planned: list[pictures.Drawn], view: Results) -> pictures.Drawn:
    """Return the picture of a task that shows most."""
    own = {one.picture.name: one for one in planned if one.view is view}
    return next(own[name] for name in _LEAD if name in own)


def _lead(view: Results) -> str:
    """Return the main picture and how the bet went."""
    order = bets.read(view.folder)
    score = bets.score(view, order) if order else None
    bet = [] if score is None else [paragraph(f"The class's bet: {bets.sentence(score)}", "bet")]
    if found := scoreboard.read(view.folder):
        said = scoreboard.sentences(found, scoreboard.score(view, found))
        bet.append(paragraph(f"The class's bets: {said[0]}", "bet"))
    return "\n".join([*bet, *_figures([_leading(pictures.plan([view]), view)])])


def _answer(view: Results, *, alone: bool) -> str:
    answer = reading.answer(view)
    if view.main_text:
        answer = f"{view.task}, after {view.main_text}: {answer}"
    elif not alone:
        answer = f"{view.task}: {answer}"
    return paragraph(answer, "answer")


def _sections(views: list[Results]) -> Iterator[Section]:
    first = views[0]
    planned = pictures.plan(views)
    lead = _leading(planned, first)
    yield Section("question", "The question", _question())
    yield Section("design", "The design", _design(views))
    for number, view in enumerate(views, start=1):
        mark, suffix = ("", "") if len(views) == 1 else (f"-{number}", f": {view.task}")
        own = [
            one
            for one in planned
            if one.picture.every_task and one.view is view and one is not lead
        ]
        doubts = [items(sensitivity.sentences(view))]
        yield Section(f"reading{mark}", f"The reading{suffix}", _reading(view))
        if number == 1 and (bet := _bet(view)):
            yield Section("bet", "The bet", bet)
        if number == 1 and (found := _class_bets(view)):
            yield Section("bets", "The bets of the class", found)
        yield Section(f"change{mark}", f"What would change this conclusion{suffix}", doubts)
        yield Section(f"pictures{mark}", f"Pictures{suffix}", _figures(own))
        yield Section(f"tables{mark}", f"Tables{suffix}", _tables(view, mark), "wide")
    common = [one for one in planned if not one.picture.every_task and one is not lead]
    if common or first.summary["pretraining"]:
        made = [tables.pretraining(first)] if first.summary["pretraining"] else []
        gains = [tables.fields(first)] if transfers.has_fields(first) else []
        learned = [*gains, *made, *_figures(common), tables.senses(first)]
        yield Section("learned", "What pretraining learned", learned)
    yield Section("settings", "Settings", _settings(views))


def _question() -> list[str]:
    return [
        paragraph(
            "Does learning from unlabelled text first help a classifier that is then trained on "
            "few labelled examples? By how much, at what cost, and how sure can we be?"
        ),
        paragraph(
            "Each condition below is one way from a few labelled texts to a classifier. What "
            "differs between a condition and its baseline is in the table; everything else is "
            "the same, so that a difference in accuracy has one cause, or is chance."
        ),
    ]


def _design(views: list[Results]) -> list[str]:
    summary = views[0].summary
    tests = "; ".join(
        f"{view.task} tested on "
        + ", ".join(f"{summary['test_items'][view.task][d]:,} items of {d}" for d in view.domains)
        for view in views
    )
    texts = "; ".join(
        f"{corpus} ({', '.join(f'{words:,}' for words in amounts)} words)"
        for corpus, amounts in summary["words"].items()
    )
    budgets = ", ".join(map(str, summary["budgets"]))
    pretrainings = summary["pretrainings"]
    controls = [
        "Controls learn in the same way from text that cannot teach what is tested; they should "
        "gain nothing."
    ] * any(about["control"] for about in summary["about"].values())
    each = "every draw meets each of them" if summary["crossed"] else "each draw has one of them"
    return [
        items(
            [
                f"Labelled examples: {budgets}, drawn {summary['seeds']} times, each class in its "
                "share. At each draw every condition gets the same examples: differences are "
                "paired.",
                f"Test parts: {tests}. They were used for no choice.",
                f"Unlabelled text: {texts or 'none'}.",
                f"Pretrainings: {pretrainings}, each with its own order of the documents and its "
                f"own initial parameters, from which training from scratch starts too; {each}. "
                "Word vectors are counted, which is the same every time.",
                "Intervals are 95 % and come from a paired bootstrap over the three things that "
                "vary: pretrainings, draws and test items. They are wider where pretrainings are "
                "few.",
                *(f"Note: {note}." for note in summary["notes"]),
                'Verdicts are "better", "worse" or "cannot tell", at the 5 % level after Holm\'s '
                "correction for the number of differences in each family.",
                *controls,
            ]
        ),
        tables.conditions(views[0]),
    ]


def _reading(view: Results) -> list[str]:
    parts = [items([*reading.sentences(view), reading.most_accurate(view)])]
    if values := worth.sentences(view):
        parts += ["<h3>How much text is worth how many labels</h3>", items(values)]
    for domain in view.domains[1:]:
        parts += [
            f"<h3>{escape(f'In a new domain, without new training: {domain}')}</h3>",
            items(reading.sentences(view, domain)),
        ]
    return parts


def _bet(view: Results) -> list[str]:
    order = bets.read(view.folder)
    score = bets.score(view, order) if order else None
    if score is None:
        return []
    return [
        paragraph(f"Before the runs, the class bet: {' > '.join(score.order)}."),
        paragraph(f"By mean accuracy with {score.budget} labels: {' > '.join(score.actual)}."),
        paragraph(bets.sentence(score), "answer"),
        tables.bet_pairs(score),
    ]


def _class_bets(view: Results, *, brief: bool = False) -> list[str]:
    """Return the scoreboard of a class; a brief one has who is ahead and no tables."""
    found = scoreboard.read(view.folder)
    if found is None:
        return []
    board = scoreboard.score(view, found)
    parts = [paragraph(" ".join(scoreboard.sentences(found, board)), "answer")]
    if board is not None and board.decided:
        ahead = [
            f"{row.rank}. {row.student}: {row.right} of {len(board.decided)}"
            for row in board.rows[:_AHEAD]
        ]
        parts += [items(ahead)] if brief else [tables.scores(board), tables.decided_pairs(board)]
        if not brief:
            text = (
                "A pair that a bet leaves out is not right. Of two bets with equally many right, "
                "the one with fewer wrong is ahead."
            )
            parts.insert(1, paragraph(text))
    if found.unreadable and not brief:
        parts += [paragraph("Rows of the table that are not bets:"), items(found.unreadable)]
    return parts


def _figures(drawn: list[pictures.Drawn]) -> list[str]:
    found = []
    for one in drawn:
        path = one.view.folder / f"{one.stem}.svg"
        if path.exists():
            title, caption = one.picture.title, one.picture.caption
            found.append(picture(path.read_bytes(), one.alt, title, caption))
    return found


def _tables(view: Results, mark: str) -> list[str]:
    found = []
    for number, domain in enumerate(view.domains, start=1):
        found.append(tables.accuracies(view, domain, f"accuracy{mark}-table-{number}"))
        found.append(tables.differences(view, domain, f"differences{mark}-table-{number}"))
    if pictures.mistakes.has_misses(view):
        found.append(tables.shared_errors(view, f"errors{mark}-table"))
    return found


def _settings(views: list[Results]) -> list[str]:
    summary, manifest = views[0].summary, views[0].manifest
    price = summary["price_per_hour"]
    priced = "" if price is None else f" Machine time is priced at {price:g} an hour."
    found = [paragraph(f"Preset: {summary['preset'] or 'none'}.{priced}")]
    if summary["notes"]:
        found.append(items(f"Note: {note}." for note in summary["notes"]))
    if summary["failed"]:
        found.append(tables.failures(views[0]))
    for number, view in enumerate(views, start=1):
        for name, title in (("settings", "Settings"), ("data", "Data")):
            record = manifest.get(name, {}).get(view.task, {})
            found.append(_record(f"{name}-table-{number}", f"{title} of {view.task}", record))
    for name, title in (
        ("conditions", "Settings of the conditions"),
        ("inputs", "SHA-256 of each input"),
        ("versions", "Versions"),
        ("machine", "Machine"),
    ):
        found.append(_record(f"{name}-settings", title, manifest.get(name, {})))
    return [content for content in found if content]


def _record(identifier: str, title: str, record: dict[str, object]) -> str:
    rows = [[str(key), _plain(value)] for key, value in record.items()]
    return table(identifier, title, ["name", "value"], rows, sortable=False) if rows else ""


def _plain(value: object) -> str:
    """Return a setting as people write it."""
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    return {None: "not given", True: "yes", False: "no"}.get(value, str(value))  # type: ignore[call-overload]
