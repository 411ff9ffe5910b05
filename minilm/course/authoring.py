"""A new kata: a folder with every file in it, to be filled in. As written it works."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from minilm import files
from minilm.errors import InputError, OptionError

_TEMPLATE = Path(__file__).parent / "template"


def new(folder: Path, number: str, title: str) -> Path:
    """Write the files of a new kata; return its folder.

    Parameters
    ----------
    folder : Path
        Of the author's katas.
    number : str
        As in "12.1".
    title : str

    Raises
    ------
    OptionError
        When the number is not like "12.1", or the title has no letter or has a quotation mark.
    InputError
        When the kata's folder exists already.
    """
    if not re.fullmatch(r"[1-9]\d*\.[1-9]\d*", number):
        raise OptionError(f'the number {number!r} is not like "12.1"')
    words = re.findall(r"[a-z0-9]+", title.lower())
    if not words or re.search(r'["\\\n]', title):
        raise OptionError(f"the title {title!r} must have letters, and no quotation marks")
    phase, place = number.split(".")
    made = folder / f"{int(phase):02d}_{place}_{'_'.join(words)}"
    if made.exists():
        raise InputError("exists already; choose another number or title", made)
    made.mkdir(parents=True)
    names = {"number": number, "title": title, "phase": phase}
    for path in sorted(_TEMPLATE.glob("*.txt")):
        text = Template(path.read_text(encoding="utf-8")).safe_substitute(names)
        with files.atomic_write(made / path.stem) as file:
            file.write(text)
    return made
