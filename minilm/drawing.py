"""The look of every picture: large enough for the back of a room, colors that all can tell apart.

The colors are those of Okabe and Ito (2008). Markers or hatches differ too, for printing without
color. Pictures are drawn on `Figure` objects, never through pyplot: that needs no display, no
backend and leaves no figure open.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from minilm import files
from minilm.errors import OptionError

# Okabe, M. and Ito, K., "Color Universal Design", 2008.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = "osD^vPX*<>hdp8"

STYLE: dict[Any, Any] = {
    "font.size": 15,
    "axes.titlesize": 17,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "legend.frameon": False,
    "svg.hashsalt": "minilm",  # ids inside the SVG are the same each time
}

# How each kind of file is written. An SVG without a date is the same each time.
_OPTIONS: dict[str, dict[str, Any]] = {
    ".png": {"dpi": 110},
    ".svg": {"metadata": {"Date": None}},
}


def checked_suffix(path: str | os.PathLike[str]) -> str:
    """Return the suffix of a picture's name; raise OptionError unless it is .png or .svg."""
    suffix = Path(path).suffix.lower()
    if suffix not in _OPTIONS:
        raise OptionError(f"{path}: a picture's name ends in {' or '.join(_OPTIONS)}")
    return suffix


def write(
    path: str | os.PathLike[str],
    draw: Callable[[Figure], None],
    *,
    size: tuple[float, float] = (11, 6.2),
) -> None:
    """Draw a picture in the common style, and write all of it or nothing.

    Parameters
    ----------
    path : path-like
        Its name ends in .png (for a slide) or .svg (to print).
    draw : callable
        Draws into the empty figure that it gets.
    size : tuple of float
        Width and height in inches.

    Raises
    ------
    OptionError
        When the name has another suffix.
    """
    suffix = checked_suffix(path)
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # A letter that the font lacks becomes a box; a user's text may hold any letter.
        warnings.filterwarnings("ignore", r"Glyph .* missing", UserWarning)
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(buffer, format=suffix[1:], **_OPTIONS[suffix])
    with files.atomic_write(path, "wb") as file:
        file.write(buffer.getvalue())
