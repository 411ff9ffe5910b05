"""The look of every picture: sizes for the back of a room, colors that everybody can tell apart.

The colors are those of Okabe and Ito (2008); markers or hatches differ too, for print without
color. What is drawn is for the rooms to say.
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

# What each kind of file is written with; without its date, an SVG is the same each time.
_OPTIONS: dict[str, dict[str, Any]] = {
    ".png": {"dpi": 110},
    ".svg": {"metadata": {"Date": None}},
}


def checked_suffix(path: str | os.PathLike[str]) -> str:
    """Return the ending of a picture's name, or raise OptionError if it is no picture's."""
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
    """Draw a picture in the style of them all, and write it as a whole or not at all.

    Parameters
    ----------
    path : path-like
        Its name ends in .png (for a slide) or .svg (to print).
    draw : callable
        Draws into the empty figure that it is given.
    size : tuple of float
        Width and height in inches.

    Raises
    ------
    OptionError
        When the name has another ending.
    """
    suffix = checked_suffix(path)
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # Letters that the font has not become boxes; people's texts may hold any.
        warnings.filterwarnings("ignore", r"Glyph .* missing", UserWarning)
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(buffer, format=suffix[1:], **_OPTIONS[suffix])
    with files.atomic_write(path, "wb") as file:
        file.write(buffer.getvalue())
