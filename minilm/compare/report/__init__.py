"""What follows from the runs, and can be made again from a folder's tables at any time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minilm import files
from minilm.compare import store, summary
from minilm.compare.report import page, pictures, results, scoreboard
from minilm.errors import InputError


@dataclass(frozen=True)
class Result:
    """What a finished comparison hands to its caller.

    Parameters
    ----------
    folder : Path
        Where everything was written.
    summary : dict
        The content of summary.json.
    pictures : list of str
        The names of the PNG files in the folder.
    """

    folder: Path
    summary: dict[str, Any]
    pictures: list[str]


def write(folder: Path, *, slides: bool = False) -> Result:
    """Write summary.json, the pictures and report.html of a folder that the caller has locked.

    Raises
    ------
    InputError
        When its tables are missing or damaged.
    """
    found = summary.summarize(folder)
    files.write_json(folder / "summary.json", found)
    names = pictures.draw_all(folder)
    page.write(folder)
    if slides:
        page.write_slides(folder)
    return Result(folder, found, names)


def rewrite(folder: Path, *, slides: bool = False, class_bets: Path | None = None) -> Result:
    """Do the same in a folder that nobody is writing to now.

    Parameters
    ----------
    folder : Path
    slides : bool
        Whether to write slides.html beside report.html.
    class_bets : Path, optional
        A table of the bets of a class, to be kept and scored.

    Raises
    ------
    InputError
        When the folder holds no comparison, or damaged tables, or the bets cannot be read.
    OutputError
        When another process is writing to it.
    """
    if not store.holds_comparison(folder):
        raise InputError(
            "not the folder of a comparison; name one that minilm compare made", folder
        )
    with files.FolderLock(folder):
        if class_bets is not None:
            before = scoreboard.read(folder)
            if before is not None and not before.after:
                raise InputError(
                    "bets made before the runs, and they are kept; rename it to score others",
                    folder / store.CLASS_BETS,
                )
            names = results.read(folder)[0].summary["names"]
            scoreboard.write(folder, scoreboard.from_table(class_bets, names, after=True))
        return write(folder, slides=slides)
