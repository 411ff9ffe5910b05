"""A book, made once without its demos, as pages that are read strictly."""

import pytest
from strict_html import Page

from minilm.course import book, catalog, experiments
from minilm.course.book import demo_output
from minilm.course.book.demo_output import Output, Picture

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>\n'


def pretended(kata):
    """What a demo might print, without running it."""
    asked = experiments.questions(kata) if kata.is_experiment else ()
    measured = {question.name: [0.5, 0.4, 0.6] for question in asked if not question.words}
    picture = Picture("drawn", SVG, 1152, 480, "left (across: steps). right.")
    return Output(f"output of {kata.number} <&>\n", (picture,), measured, 0.1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The folder of a book of every kata, with pretended demos."""
    out = tmp_path_factory.mktemp("book") / "book"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            demo_output, "outputs", lambda katas, workers: ((k, pretended(k)) for k in katas)
        )
        book.write(out, say=lambda line: None)
    return out


@pytest.fixture(scope="session")
def pages(folder):
    """Every page, read, by its path within the book."""
    return {
        path.relative_to(folder).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.html"))
    }


@pytest.fixture(params=catalog.all_katas(), ids=lambda kata: kata.number)
def kata(request):
    return request.param
