"""Docstrings as HTML."""

from strict_html import Page

from minilm.course.book import api, docstrings, listing
from minilm.course.book.markdown import Place

HERE = Place("a page")


def documented():
    """Do it, with ``x`` [1]_.

    More about it.

    Parameters
    ----------
    x, y : ndarray of shape (N, C)
        What goes in.

        And more.
    z : int

    Returns
    -------
    ndarray
        What `x` becomes.

    Raises
    ------
    OptionError
        When `z` < 0.

    Examples
    --------
    >>> documented()

    References
    ----------
    .. [1] A. Writer (2020), "A paper".
    """


def test_every_section_becomes_its_own():
    made = docstrings.html(documented, HERE, 4)
    page = Page(made)
    assert page.errors == []
    assert page.levels() == [4] * 5
    assert made.startswith("<p>Do it, with <code>x</code>.</p>\n<p>More about it.</p>")
    assert len(page.all("dt")) == 4
    assert len(page.all("dd")) == 3
    assert "ndarray of shape (N, C)" in made
    assert "&lt; 0" in made
    assert "&gt;&gt;&gt; documented()" in made
    assert "[1] A. Writer" in made


def test_a_long_signature_has_a_parameter_a_line():
    text = (
        f"f(a: dict[str, int] = {{}}, b: tuple[int, int] = (1, 2), c: str = '{'x' * 50}') -> None"
    )
    assert api._broken(text) == (
        "f(\n    a: dict[str, int] = {},\n    b: tuple[int, int] = (1, 2),\n"
        f"    c: str = '{'x' * 50}',\n) -> None"
    )


def test_a_listing_loses_nothing_and_marks_what_it_knows():
    source = 'def f(x):  # why\n    """Say <it>\n\n    twice."""\n    return f"{x!r} & {1}"\n'
    made = listing.listing(source, "code", numbered=True)
    page = Page(made)
    assert page.errors == []
    assert "".join(data for _, data in page.texts) == source.rstrip("\n")
    assert page.identifiers() == [f"L{n}" for n in range(1, 6)]
    assert '<span class="k">def</span>' in made
    assert '<span class="c"># why</span>' in made
    assert made.count('<span class="s">') >= 3  # each line of a string has its own
