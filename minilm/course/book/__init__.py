"""`minilm book`: the whole course as pages to read without a terminal and without a network.

One page a kata, with what its demo prints and draws; an index by phases; for teachers, notes on
each kata and plans; the corpora's data card; the library's API. Every page is one file that needs
no other: style and pictures are in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from minilm.course import catalog
from minilm.course.book import api, demo_output, folder, guides, kata_page, layout, teaching
from minilm.course.book.demo_output import Output
from minilm.course.book.layout import Page
from minilm.course.book.shelf import Shelf
from minilm.progress import Progress

Say = Callable[[str], None]


def write(out: Path, *, workers: int = 2, say: Say = print) -> Path:
    """Write the book, in place of an earlier one, and return its first page.

    Parameters
    ----------
    out : Path
        A folder that is empty, is not there, or holds nothing but an earlier book.
    workers : int
        In how many processes the demos are run.
    say : callable
        Takes a line about what should not go unnoticed.

    Raises
    ------
    OutputError
        When the folder holds anything else.
    InputError
        When a kata's demo raises an error.
    """
    katas = catalog.all_katas()
    with folder.replaced(out) as staging:
        for kata in katas:
            if demo_output.is_stored(kata) and demo_output.is_stale(kata):
                say(
                    f"kata {kata.number}: its demo has changed since its output was stored; run: "
                    f"minilm book --demos {kata.number}"
                )
        outputs = {}
        with Progress("running the demos", len(katas)) as progress:
            for kata, output in demo_output.outputs(katas, workers):
                outputs[kata.number] = output
                progress.advance(note=f"(kata {kata.number})")
        shelf = Shelf(katas)
        for kata in katas:
            folder.write(staging, shelf.start(kata), kata_page.start(kata))
        for page in _pages(shelf, outputs):
            folder.write(staging, page.path, layout.render(page))
    return out / layout.INDEX


def _pages(shelf: Shelf, outputs: Mapping[str, Output]) -> Iterator[Page]:
    yield guides.index(shelf)
    for path in guides.GUIDES:
        yield guides.guide(shelf, path)
    yield guides.texts(shelf)
    yield api.write(shelf)
    for file in api.files_shown(shelf):
        yield api.write_source(file)
    for kata in shelf.katas:
        yield kata_page.write(shelf, kata, outputs[kata.number])
        yield teaching.write(shelf, kata)


def store_demos(numbers: Sequence[str], *, say: Say = print) -> None:
    """Run demos and keep the output of those that take long in their katas' folders.

    They are run in this process, one after the other: some start processes of their own.

    Parameters
    ----------
    numbers : sequence of str
        Of katas; of all, if there are none.
    say : callable
        Takes a line about each.
    """
    for kata in [catalog.find(number) for number in numbers] or catalog.all_katas():
        output = demo_output.run(kata)
        kept = demo_output.is_long(kata, output)
        if kept:
            demo_output.store(kata, output)
        else:
            demo_output.forget(kata)
        done = "stored" if kept else "short enough for every book"
        say(f"demo of kata {kata.number}: {output.seconds:.1f} s, {done}")
