"""Markdown as HTML: every construct that pages use is handled, and nothing else passes as one."""

import re

import pytest
from strict_html import Page

from minilm import resources
from minilm.course import catalog, pages
from minilm.course.book import guides, markdown, teaching
from minilm.course.book.markdown import Place

HERE = Place("a page", {"4.6": "04_6.html"})
TEXTS = {
    **{kata.number: kata.lesson() for kata in catalog.all_katas()},
    **{name: guides.text(name) for name in (*guides.GUIDES.values(), "welcome.md")},
    **{
        f"{kata.number}, teaching": (kata.folder / teaching.NOTES).read_text(encoding="utf-8")
        for kata in catalog.all_katas()
        if (kata.folder / teaching.NOTES).exists()
    },
    "corpora": (resources.corpora_dir() / "README.md").read_text(encoding="utf-8"),
}


def shown(text, **options):
    return markdown.html(text, HERE, **options)


@pytest.mark.parametrize("name", TEXTS)
def test_every_page_is_whole_and_no_mark_is_left_over(name):
    text = TEXTS[name]
    page = Page(f"<main>{shown(text)}</main>")
    assert page.errors == []
    prose = " ".join(data for tag, data in page.texts if tag != "code")
    # What Markdown marks with, and these pages do not use, would be left as it was written.
    left = re.findall(r"\*\*|`|^#+ |^\s*[-*+] |\]\(|!\[|^\|.*\||~~|^---+$|^===+$", prose, re.M)
    assert left == []
    said = set(re.findall(r"[^\W_]+", page.text().lower()))
    # Without fences, the marker, targets of links and the numbers of items.
    source = re.sub(r"^(```|<!--).*$|\]\([^)]*\)|^ *\d+\. ", "", text, flags=re.M)
    assert [word for word in re.findall(r"[^\W_]+", source.lower()) if word not in said] == []


@pytest.mark.parametrize("name", TEXTS)
def test_pages_use_nothing_that_is_not_handled(name):
    text = re.sub(r"^```.*?^```$", "", TEXTS[name], flags=re.M | re.S)
    prose = re.sub(r"^ {4}.*$|`[^`]*`", "", text, flags=re.M)
    unknown = {
        "HTML": r"<(?!!-- answers below -->)[a-zA-Z/!]",
        "a picture": r"!\[",
        "a footnote or reference": r"\]\[|^\[[^\]]+\]: ",
        "a line under a heading": r"^(===+|---+)$",
        "a deep heading": r"^#{5,} ",
        "underscores for emphasis": r"(?<![\w_])_[^_\s][^_\n]*_(?![\w_])",
        "a hard line break": r"\\$| {2,}$",
        "a check box": r"^\s*[-*] \[[ x]\]",
    }
    found = [what for what, form in unknown.items() if re.search(form, prose, re.M)]
    assert found == []


def test_prose_headings_and_links():
    text = "## Two\n\nSome *short* **bold `x`** text, [here](a.html), kata 4.6\nand kata 9.9."
    assert shown(text) == (
        "<h2>Two</h2>\n<p>Some <em>short</em> <strong>bold <code>x</code></strong> text, "
        '<a href="a.html">here</a>, <a href="04_6.html">kata\u00a04.6</a> and kata 9.9.</p>'
    )


def test_a_kata_has_no_link_to_itself():
    own = Place("x", HERE.katas, "4.6")
    assert markdown.inline("kata 4.6", own) == "kata 4.6"


def test_text_is_text():
    assert shown('a < b & "c" `<i>` 2*3*4') == (
        "<p>a &lt; b &amp; &quot;c&quot; <code>&lt;i&gt;</code> 2*3*4</p>"
    )
    assert "<script>" not in shown('[<script>](x"><script>)')


def test_lists_of_two_kinds_start_where_they_say_and_nest():
    text = "- a\n  goes on\n- b\n  - inner\n- c\n\n3. three\n4. four"
    assert shown(text) == (
        "<ul>\n<li>a goes on</li>\n<li>b<ul>\n<li>inner</li>\n</ul></li>\n<li>c</li>\n</ul>\n"
        '<ol start="3">\n<li>three</li>\n<li>four</li>\n</ol>'
    )


def test_tables_have_heads_and_a_label():
    page = Page(shown("### In symbols\n\n| a | b |\n|---|:-:|\n| `x` | 1 |\n| y |"))
    assert page.errors == []
    assert [head["scope"] for head in page.all("th")] == ["col", "col", "row", "row"]
    assert len(page.all("td")) == 2
    (box,) = page.all("div")
    assert box["aria-label"] == "Table: In symbols"


def test_a_diagram_is_described_by_its_words():
    page = Page(
        shown("### A diagram\n\n```text\n x --+--> mean\n   |      v\n   '-> [1 2]  y (N, C)\n```")
    )
    (box,) = page.all("pre")
    assert box["role"] == "img"
    assert box["aria-label"] == (
        "Diagram of a page. Its words, from top to bottom: x, mean, y (N, C)"
    )
    assert " x --+--> mean\n" in page.text()


def test_output_and_examples_say_what_they_are():
    demo, example = shown("```demo\na  1\n```"), shown("```example\na  1\n```")
    assert 'aria-label="What the demo prints"' in demo
    assert markdown.EXAMPLE not in demo
    assert markdown.EXAMPLE in example


def test_what_follows_the_marker_is_folded():
    made = markdown.folded(f"Why?\n\n{pages.MARKER}\n\nThus.", HERE)
    assert made == ("<p>Why?</p>\n<details><summary>Answers</summary>\n<p>Thus.</p>\n</details>")
    assert markdown.folded("Why?", HERE) == "<p>Why?</p>"


def test_pictures_come_after_the_paragraph_that_speaks_of_them_or_last():
    text = "One.\n\nThe picture shows it.\n\nThree."
    made = shown(text, figures=["<figure></figure>"])
    assert made.index("shows it") < made.index("<figure>") < made.index("Three")
    assert shown("One.", figures=["<figure></figure>"]).endswith("<figure></figure>")


def test_sections_ignore_what_looks_like_a_heading_in_code():
    parts = markdown.sections(
        "# T\n\nlead\n\n## A\n\n```text\n## not one\n# nor this\n```\n\n## B\n"
    )
    assert [(part.title, "not one" in part.text) for part in parts] == [
        ("", False),
        ("A", True),
        ("B", False),
    ]
    assert "# nor this" in parts[1].text
