"""What the pictures of a comparison share beyond `minilm.drawing`: a look for each condition.

No picture says a thing by color alone: markers, dashes, places and written numbers say it too.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minilm import drawing, files
from minilm.compare.report.results import printable

BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK = COLORS = drawing.COLORS
MARKERS = drawing.MARKERS
GRAY = "#555555"
# From a loss to a gain, different in lightness too; its middle is nearly white.
DIVERGING = "PuOr"
SHADES = "Blues"

# Where the letters are that Matplotlib's own font lacks: Chinese, Japanese, Korean, Indian scripts.
_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans Devanagari",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Nirmala UI",
    "PingFang SC",
    "Hiragino Sans",
    "Arial Unicode MS",
    "WenQuanYi Micro Hei",
)


@dataclass(frozen=True)
class Look:
    """How a condition looks in all the pictures.

    Parameters
    ----------
    color : str
        The role: black counts words, vermillion knows nothing, blue is pretrained and frozen, green
        is pretrained and trained further, purple is pretrained on shuffled text.
    marker : str
        Its own.
    control : bool
        Controls have hollow markers and dashed lines.
    """

    color: str
    marker: str | tuple[int, int, int]
    control: bool = False

    def line(self) -> dict[str, Any]:
        """Return keywords for `Axes.plot` and `Axes.errorbar`."""
        return {
            "color": self.color,
            "marker": self.marker,
            "linestyle": "--" if self.control else "-",
            "markerfacecolor": "white" if self.control else self.color,
            "markeredgewidth": 2,
            "markersize": 9,
            "linewidth": 2.2,
        }


_LOOKS: dict[str, tuple[str, str | tuple[int, int, int]]] = {
    "tfidf": (BLACK, "s"),
    "random": (VERMILLION, "v"),
    "cooccurrence": (BLUE, "o"),
    "cooccurrence-finetuned": (GREEN, "D"),
    "cooccurrence-labels-only": (ORANGE, "^"),
    "cooccurrence-shuffled": (PURPLE, "X"),
    "transformer-random-frozen": (ORANGE, "<"),
    "transformer-scratch": (VERMILLION, ">"),
    "transformer-probe": (BLUE, "p"),
    "transformer-finetuned": (GREEN, "h"),
    "transformer-lora": (SKY, "P"),
    "transformer-pretrained-on-shuffled": (PURPLE, "d"),
    # Stars of three to six points. They are seldom in a picture with the first of their color.
    "transformer-lora-8": (PURPLE, (6, 1, 0)),
    "transformer-last-n": (ORANGE, (4, 1, 0)),
    "transformer-gradual": (BLACK, (3, 1, 0)),
    "llama-scratch": (ORANGE, (5, 1, 0)),
    "llama-finetuned": (BLACK, (5, 2, 0)),
}
# None of the above, so that a condition of the user's own differs from all known ones.
_OTHER_MARKERS = "*8H"


def looks(about: dict[str, dict[str, Any]]) -> dict[str, Look]:
    """Return a look for each condition: the known ones their own, others by their order.

    Parameters
    ----------
    about : dict
        Of each condition whether it is a `control`, as in summary.json.

    Examples
    --------
    >>> looks({"random": {"control": False}})["random"].color == VERMILLION
    True
    """
    others = [name for name in about if name not in _LOOKS]
    found = {}
    for name, record in about.items():
        if name in _LOOKS:
            color, marker = _LOOKS[name]
        else:
            k = others.index(name)
            color, marker = COLORS[k % len(COLORS)], _OTHER_MARKERS[k % len(_OTHER_MARKERS)]
        found[name] = Look(color, marker, bool(record["control"]))
    return found


def short(text: str, length: int = 30) -> str:
    """Return a name that fits: of a longer one, its beginning and its end.

    Dollar signs are escaped: Matplotlib would take what is between two of them for a formula.

    >>> short("probe:a/very/long/path/to/a/model", 20)
    'probe:a/v…to/a/model'
    """
    text = printable(" ".join(text.split()))
    if len(text) > length:
        text = text[: (length - 1) // 2] + "…" + text[-(length // 2) :]
    return text.replace("$", r"\$")


def two_lines(name: str) -> str:
    """Return the name of a condition, a long one broken once at the dash nearest its middle.

    >>> two_lines("transformer-pretrained-on-shuffled").splitlines()
    ['transformer-pretrained-', 'on-shuffled']
    """
    name = short(name, 40)
    dashes = [i for i, letter in enumerate(name) if letter in "-:/"]
    if len(name) <= 14 or not dashes:
        return name
    at = min(dashes, key=lambda i: abs(i - len(name) / 2)) + 1
    return f"{name[:at]}\n{name[at:]}"


def ends(cells: list[dict[str, Any]], middle: str) -> list[list[float]]:
    """Return how far the intervals reach below and above their middles, as `errorbar` wants it."""
    return [
        [max(0.0, c[middle] - c["low"]) for c in cells],
        [max(0.0, c["high"] - c[middle]) for c in cells],
    ]


def figure() -> Figure:
    """Return an empty figure that fills a slide: 1,210 x 682 dots."""
    empty = Figure(figsize=(11.0, 6.2), dpi=110)
    # Room at the edges, in inches: letters are a little wider than the layout takes them for.
    empty.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
    return empty


def save(figure: Figure, folder: Path, name: str, title: str, alt: str) -> None:
    """Write a figure as NAME.png and NAME.svg; both carry their title and description.

    The layout is solved once for both.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    about: dict[str, Any] = {"Title": title, "Description": alt}
    for suffix, metadata in ((".png", about), (".svg", about | {"Date": None})):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=suffix[1:], metadata=metadata)
        with files.atomic_write(folder / (name + suffix), "wb") as file:
            file.write(buffer.getvalue())


@contextlib.contextmanager
def context() -> Iterator[None]:
    """Within this, figures are made and saved in the one style, in the letters of any script.

    Labels may be in any language: fonts of this machine are used for letters that Matplotlib's own
    lacks, and where none has them, boxes are drawn without complaint.
    """
    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    fonts = ["DejaVu Sans", *(name for name in _FONTS if name in installed)]
    with mpl.rc_context(drawing.STYLE | {"font.family": fonts}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        yield


def log_ticks(axes: Axes, values: Sequence[float]) -> None:
    """Put a logarithmic x axis with ticks at these values, written in full."""
    axes.set_xscale("log", base=2)
    axes.set_xticks(values, [f"{value:,}" for value in values])
    axes.minorticks_off()


def curves(axes: Axes, lines: Sequence[tuple[list[dict[str, Any]], dict[str, Any]]]) -> None:
    """Draw accuracy against the number of labels, a curve for each list of cells and its keywords.

    They are side by side on the logarithmic axis, so that intervals do not hide each other.
    """
    for k, (cells, look) in enumerate(lines):
        nudge = 1.03 ** (k - (len(lines) - 1) / 2)
        x = [cell["budget"] * nudge for cell in cells]
        y = [cell["mean"] for cell in cells]
        axes.errorbar(x, y, yerr=ends(cells, "mean"), elinewidth=1.2, capsize=4, **look)


def legend_below(figure: Figure, axes: Axes, columns: int = 3) -> None:
    """Put the legend of some axes under the whole figure."""
    handles, labels = axes.get_legend_handles_labels()
    size = 13 if len(labels) > 6 else 15
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=size)


def shades(count: int) -> list[Any]:
    """Return this many shades of one color, light to dark, none too light to see on white."""
    colors = mpl.colormaps[SHADES]
    return [colors(0.45 + 0.5 * (k + 1) / count) for k in range(count)]


def matrix(
    axes: Axes,
    values: np.ndarray,
    form: str,
    *,
    colors: str,
    low: float,
    high: float,
    square: bool = False,
    bold: np.ndarray | None = None,
    **text: Any,
) -> None:
    """Draw a matrix as colored cells with its numbers in them; NaN stays empty.

    Parameters
    ----------
    axes : Axes
        Where.
    values : ndarray of shape (R, C)
        The first row on top.
    form : str
        How a number is written, as in `format`; nothing is written where it is empty.
    colors : str
        Name of a color map, from `low` to `high`.
    low, high : float
        The ends of the color map.
    square : bool
        Whether cells are square.
    bold : ndarray of shape (R, C), bool, optional
        Which numbers stand out.
    text
        Keywords for all numbers.
    """
    aspect: Literal["equal", "auto"] = "equal" if square else "auto"
    axes.imshow(values, cmap=colors, vmin=low, vmax=high, aspect=aspect)
    shades = mpl.colormaps[colors]((values - low) / (high - low))
    for (row, column), value in np.ndenumerate(values):
        if form and not np.isnan(value):
            weight = "bold" if bold is not None and bold[row, column] else "normal"
            axes.text(
                column,
                row,
                format(value, form),
                ha="center",
                va="center",
                color=ink(shades[row, column].tolist()),
                fontweight=weight,
                **text,
            )
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def ink(color: Sequence[float]) -> str:
    """Return black or white, whichever is easier to read on a color.

    That is decided by its relative luminance (WCAG 2.1): at 0.179 both have the same contrast.

    >>> ink((1.0, 1.0, 1.0)), ink((0.1, 0.1, 0.4))
    ('black', 'white')
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "black" if luminance > 0.179 else "white"
