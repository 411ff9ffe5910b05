"""What `minilm.check` and `minilm.plug` return: text in a terminal, HTML in a notebook."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from matplotlib.figure import Figure

from minilm import drawing
from minilm.course import pages, reports
from minilm.course.catalog import Kata
from minilm.course.reports import Failure, Heading, Report, Style

_GOOD, _BAD = "#2e9b4f", "#d64545"  # read on a light and on a dark page
_REVIEWS = {
    "reviews, by TF-IDF, F1": "tfidf",
    "reviews, by centroids": "centroid",
    "reviews, by LoRA": "lora",
}
_PRE = "max-height:12em;overflow:auto;font-family:monospace"
_PRINTED = 2000  # characters
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Checked:
    """The result of a check. It is shown when it is the last line of a cell, or when printed.

    Attributes
    ----------
    kata : Kata
    report : Report
        All that was found.
    where : str
        Where the mistake is, as in "line 7 of your cell".
    code : str
        That line.
    following : str
        What to do next, code in backquotes.
    """

    kata: Kata
    report: Report
    where: str = ""
    code: str = ""
    following: str = ""

    @property
    def passed(self) -> bool:
        """Whether everything is right."""
        return self.report.passed

    def __repr__(self) -> str:
        """Return what a terminal shows."""
        kata, report = self.kata, self.report
        following = f"next: {self.following.replace('`', '')}" if self.following else ""
        heading = Heading(
            kata.number, kata.title, kata.difficulty, kata.minutes, self.where, following
        )
        if report.failure:  # where it is says the line too
            report = replace(report, failure=replace(report.failure, line=None))
        text = reports.render(report, heading, Style())
        return f"{text}\n      {following}" if report.passed and following else text

    def _repr_html_(self) -> str:
        kata, report = self.kata, self.report
        parts = [
            _tag("div", f"Kata {kata.number} &nbsp;{_text(kata.title)}", "font-weight:bold"),
            _tag("div", " &nbsp; ".join(_mark("ok", _GOOD, name) for name in report.ok)),
        ]
        if report.failure:
            parts += self._failure(report.failure)
        else:
            taken = "" if kata.is_experiment else f"in {report.seconds:.1f} s"
            parts.append(_mark("passed", _GOOD, taken))
        parts += [_tag("div", _text(note), "margin-top:.5em") for note in report.notes]
        if printed := report.printed.strip():
            cut = " (the end of it)" if len(printed) > _PRINTED else ""
            said = _tag("pre", html.escape(printed[-_PRINTED:]), _PRE)
            parts.append(_tag("div", f"Your code printed{cut}:", "margin-top:.5em") + said)
        if self.following:
            parts.append(_tag("div", f"Next: {_text(self.following)}", "margin-top:.5em"))
        return _framed(parts, _GOOD if report.passed else _BAD)

    def _failure(self, failure: Failure) -> list[str]:
        about = f"{failure.target}: " if failure.target else ""
        parts = [_tag("div", _mark("!!", _BAD, about + failure.text), "margin-top:.5em")]
        if failure.case:
            parts.append(_tag("div", f"In the case: {_text(failure.case)}"))
        if failure.step:
            parts.append(_tag("div", f"On the way: {_text(failure.step)}"))
        if failure.looks_like:
            first, *more = failure.looks_like.split("\n\n")
            said = [f"<b>{failure.certainty}:</b> {_text(first)}", *map(_text, more)]
            parts += [_tag("div", paragraph, "margin-top:.5em") for paragraph in said]
        if self.where:
            code = f": <code>{html.escape(self.code)}</code>" if self.code else ""
            parts.append(_tag("div", f"{html.escape(self.where)}{code}", "margin-top:.5em"))
        return parts


@dataclass(frozen=True)
class Plugged:
    """What came of a training with the learner's functions, beside one with the library's.

    Attributes
    ----------
    names : tuple of str
        The functions that were the learner's.
    yours, library : mapping
        The fields of `plugging.Trained`.
    """

    names: tuple[str, ...]
    yours: Mapping[str, Any] = field(repr=False)
    library: Mapping[str, Any] = field(repr=False)

    def rows(self) -> list[tuple[str, str, str]]:
        """Return what was measured: its name, yours, the library's."""
        yours, library = _measured(self.yours), _measured(self.library)
        return [(name, yours[name], library[name]) for name in yours]

    def _title(self) -> str:
        size, count = self.yours["parameters"], len(self.yours["losses"])
        return f"A GPT of {size:,} parameters, {count} steps, with your {', '.join(self.names)}"

    def __repr__(self) -> str:
        """Return what a terminal shows."""
        style = Style()
        lines = [
            *pages.fill(self._title(), style),
            f"{'':24}{'yours':>12}{'the library':>14}",
            *(f"  {name:<22}{mine:>12}{other:>14}" for name, mine, other in self.rows()),
            "Your model writes:",
            *pages.fill(self.yours["text"], style, "    ", "    "),
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(_tag("th", name, scope="col") for name in ("", "yours", "the library"))
        rows = [
            _tag("th", name, "text-align:left;font-weight:normal", scope="row")
            + "".join(_tag("td", value, "text-align:right") for value in values)
            for name, *values in self.rows()
        ]
        picture = base64.b64encode(png(self._picture())).decode()
        return _framed(
            [
                _tag("div", html.escape(self._title()), "font-weight:bold"),
                _tag("table", "".join(_tag("tr", row) for row in (head, *rows))),
                f'<img alt="The loss of each step, yours and the library\'s" width="560" '
                f'style="max-width:100%" src="data:image/png;base64,{picture}">',
                _tag("div", f"Your model writes: {html.escape(self.yours['text'])}"),
            ],
            _GOOD,
        )

    def _picture(self) -> Figure:
        figure = Figure(figsize=(7, 2.8), layout="constrained", facecolor="white")
        axes = figure.subplots()
        mine, other = drawing.COLORS[:2]
        axes.plot(self.library["losses"], color=other, linewidth=4, label="the library's")
        axes.plot(self.yours["losses"], color=mine, linewidth=1.5, label="yours")
        axes.set(xlabel="step", ylabel="loss, nats")
        axes.legend(frameon=False)
        return figure


def _measured(run: Mapping[str, Any]) -> dict[str, str]:
    """Return what was measured of a training, as it is shown."""
    losses = run["losses"]
    shown = {
        "loss of step 1": f"{losses[0]:.5f}",
        f"loss of step {len(losses)}": f"{losses[-1]:.5f}",
        "loss, held out": f"{run['held_out']:.5f}",
        "the same, after update": f"{run['updated']:.5f}",
        "error of the gradient": f"{run['gradient_error']:.0e}",
    }
    reviewed = run["reviewed"]
    return shown | {name: f"{reviewed[key]:.3f}" for name, key in _REVIEWS.items()}


def png(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG, whatever backend is set."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()


def _framed(parts: list[str], color: str) -> str:
    style = f"border-left:4px solid {color};padding:.2em 1em;max-width:48em;line-height:1.5"
    return _tag("div", "".join(parts), style)


def _tag(name: str, inside: str, style: str = "", **attributes: str) -> str:
    given = {**({"style": style} if style else {}), **attributes}
    written = "".join(f' {key}="{value}"' for key, value in given.items())
    return f"<{name}{written}>{inside}</{name}>"


def _mark(word: str, color: str, text: str) -> str:
    return f'<b style="color:{color}">{word}</b> {_text(text)}'


def _text(text: str) -> str:
    """Return text as HTML, with what is in backquotes as code."""
    return _CODE.sub(r"<code>\1</code>", html.escape(text, quote=False))
