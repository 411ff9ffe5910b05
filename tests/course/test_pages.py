"""The page reader: every kata's page at any width, and each piece of Markdown."""

import re

import pytest

from minilm.course import catalog, pages
from minilm.course.reports import Style

ESCAPES = re.compile(r"\x1b\[[\d;]*m")


@pytest.mark.parametrize("kata", catalog.all_katas(), ids=lambda kata: kata.number)
@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("color", [False, True])
def test_every_page_fits_and_loses_no_word(kata, width, color):
    shown = pages.render(kata.lesson(), Style(color, width))
    plain = ESCAPES.sub("", shown)
    assert max(map(len, plain.splitlines())) <= width
    assert color == ("\x1b[" in shown)
    text = re.sub("^(```|<!--).*$", "", kata.lesson(), flags=re.M)
    said = re.findall(r"[a-z]{4,}", text.lower())
    assert [word for word in said if word not in plain.lower()] == []


def test_headings_lists_quotes_and_code():
    items = "- one\n- two\n  goes on\n\n1. first"
    text = f"# Top\n\n## Part  two\n\n{items}\n\n> said\n\n```demo\na  b\n```"
    assert pages.render(text, Style()).splitlines() == [
        "Top",
        "===",
        "",
        "Part  two",
        "---------",
        "",
        "- one",
        "- two goes on",
        "1. first",
        "",
        "  | said",
        "",
        "    a  b",
    ]


def test_prose_is_filled_to_the_width():
    lines = pages.render("word " * 40, Style(width=60)).splitlines()
    assert all(len(line) <= 59 for line in lines)
    assert len(lines) == 4
    assert " ".join(lines) == ("word " * 40).strip()


def test_the_width_is_at_least_sixty_and_at_most_a_hundred():
    assert max(map(len, pages.render("word " * 40, Style(width=20)).splitlines())) > 50
    assert max(map(len, pages.render("word " * 40, Style(width=300)).splitlines())) < 100


def test_blocks_are_shown_as_they_are():
    diagram = "    a --> b\n\n      '--> c"
    assert pages.render(diagram, Style()) == "    a --> b\n\n      '--> c"


def test_tables_have_columns_as_wide_as_they_need():
    text = "| symbol | shape |\n|---|---|\n| `x` | (N, C) |"
    assert pages.render(text, Style()).splitlines() == [
        "symbol  shape",
        "------  ------",
        "`x`     (N, C)",
    ]


def test_a_table_that_is_too_wide_is_wrapped_in_its_cells():
    text = f"| a | b |\n|---|---|\n| x | {'long ' * 20} |"
    lines = pages.render(text, Style(width=60)).splitlines()
    assert all(len(line) < 60 for line in lines)
    assert " ".join(lines).count("long") == 20


def test_a_word_that_is_longer_than_its_cell_is_cut():
    long = "`" + "x" * 70 + "`"
    lines = pages.render(f"| a | b |\n|---|---|\n| word | {long} |", Style(width=60)).splitlines()
    assert max(map(len, lines)) < 60
    assert "".join(lines).count("x") == 70


def test_emphasis_is_a_style_with_color_and_is_left_alone_without():
    text = "a **bold** and *thin* `x * y * z` 2*3*4"
    assert pages.render(text, Style()) == text
    shown = pages.render(text, Style(color=True))
    assert "\x1b[1mbold\x1b[0m" in shown
    assert "\x1b[3mthin\x1b[0m" in shown
    assert ESCAPES.sub("", shown) == "a bold and thin x * y * z 2*3*4"


def test_links_show_where_they_lead():
    assert (
        pages.render("see [the paper](https://a.b/c)", Style()) == "see the paper (https://a.b/c)"
    )
