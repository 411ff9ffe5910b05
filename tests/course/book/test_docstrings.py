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


def test_an_example_without_a_head_is_an_example():
    def short():
        """Say one.

        >>> short()
        1
        """

    made = docstrings.html(short, HERE, 3)
    assert made.startswith("<p>Say one.</p>\n<pre")
    assert "&gt;&gt;&gt; short()\n1" in made


def shown(name, called):
    return "".join(data for _, data in Page(api._signature(name, called)).texts)


def test_a_signature_is_as_it_is_written():
    def few(self, text: str, *, size: int = 3, way: str = "a", place: object = print) -> None: ...

    def many(a: dict[str, int], b: tuple[int, int] = (1, 2), *rest: str, long: str = "x" * 40): ...

    class Made:
        def __init__(self, size: "int" = 1) -> None: ...

    assert shown("f", few) == (
        "f(text: str, *, size: int = 3, way: str = 'a', place: object = ...) -> None"
    )
    assert shown("f", many) == (
        "f(\n    a: dict[str, int],\n    b: tuple[int, int] = (1, 2),\n    *rest: str,\n"
        f"    long: str = '{'x' * 40}',\n)"
    )
    assert shown("Made", Made) == "Made(size: int = 1)"
    assert api._signature("E", ValueError) == ""


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
