"""The book's pages: valid, whole, reachable, and with what a kata has."""

import base64
import hashlib
import html
import itertools
import re
import shlex
from collections import Counter
from urllib.parse import urldefrag

import pytest
from strict_html import Page

import minilm
from minilm.cli import main
from minilm.course import catalog, stubs
from minilm.course.book import api, guides, kata_page, teaching
from minilm.course.book.shelf import Shelf

KATAS = catalog.all_katas()
SHELF = Shelf(KATAS)


def words(text):
    return re.findall(r"[^\W_]+", text.lower())


def test_every_page_is_well_formed(pages):
    assert len(pages) > 2 * len(KATAS) + 10
    found = {path: page.errors for path, page in pages.items() if page.errors}
    assert found == {}


def test_identifiers_are_unique_and_headings_are_in_order(pages):
    for path, page in pages.items():
        assert [i for i, n in Counter(page.identifiers()).items() if n > 1] == [], path
        levels = page.levels()
        assert levels[0] == 1, path
        assert levels.count(1) == 1, path
        assert all(b <= a + 1 for a, b in itertools.pairwise(levels)), path


def test_landmarks_language_title_and_skip_link(pages):
    titles = Counter()
    for path, page in pages.items():
        assert page.all("html") == [{"lang": "en"}], path
        for tag in ("main", "header", "footer", "h1"):
            assert len(page.all(tag)) == 1, (path, tag)
        links = page.all("a")
        assert links[0] == {"class": "skip", "href": "#main"}, path
        assert all(nav.get("aria-label") for nav in page.all("nav")), path
        titles["".join(text for tag, text in page.texts if tag == "title")] += 1
    assert set(titles.values()) == {1}


def test_every_link_leads_somewhere(folder, pages):
    identifiers = {path: set(page.identifiers()) for path, page in pages.items()}
    seen = Counter()
    for path, page in pages.items():
        for link in page.all("a"):
            target, fragment = urldefrag(link["href"])
            if target.startswith("https://"):
                seen["elsewhere"] += 1
                continue
            file = ((folder / path).parent / target).resolve() if target else folder / path
            assert file.is_file(), f"{path}: {link['href']}"
            if fragment:
                name = file.relative_to(folder.resolve() if target else folder).as_posix()
                assert fragment in identifiers[name], f"{path}: {link['href']}"
            seen["here"] += 1
    assert seen["here"] > 1000
    assert seen["elsewhere"] <= 3


def test_every_page_can_be_reached_from_the_first(folder, pages):
    reached, left = set(), ["index.html"]
    while left:
        path = left.pop()
        if path in reached or path not in pages:
            continue
        reached.add(path)
        for link in pages[path].all("a"):
            target = urldefrag(link["href"])[0]
            if target and not target.startswith("https:"):
                file = ((folder / path).parent / target).resolve()
                left.append(file.relative_to(folder.resolve()).as_posix())
    assert set(pages) - reached == set()


def test_nothing_is_fetched_and_only_the_pages_own_script_and_style_may_run(folder, pages):
    for path, page in pages.items():
        written = (folder / path).read_text(encoding="utf-8")
        (policy,) = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
        assert "default-src 'none'" in policy
        for tag in ("script", "style"):
            (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", written, re.DOTALL)
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy
            assert not re.search(r"http|@import|url\(", content)
        for tag, attributes in page.elements:
            assert "style" not in attributes, (path, tag)  # the policy forbids it
            assert not any(name.startswith("on") for name in attributes), (path, tag)
            assert attributes.get("src", "data:").startswith("data:")
        assert page.all("link") == page.all("iframe") == []


def test_pictures_and_boxes_say_what_they_are(pages):
    pictures = boxes = 0
    for path, page in pages.items():
        for picture in page.all("img"):
            assert len(picture["alt"]) > 20, path
            assert picture["width"]
            assert picture["height"]
            pictures += 1
        for tag, attributes in page.elements:
            if tag == "pre" or attributes.get("class") == "scroll":
                assert attributes["tabindex"] == "0", path
                assert attributes["role"] in ("group", "img"), path
                assert len(attributes["aria-label"]) > 4, path
                boxes += 1
        assert all(head.get("scope") in ("col", "row") for head in page.all("th")), path
    assert pictures == len(KATAS)
    assert boxes > 10 * len(KATAS)


def test_a_katas_page_has_all_its_parts(kata, pages):
    page = pages[SHELF.page(kata)]
    said = set(words(page.text()))
    lesson = re.sub(r"^(```|<!--).*$|\]\([^)]*\)", "", kata.lesson(), flags=re.M)
    assert [word for word in words(lesson) if word not in said] == []
    for hint in kata.hints:
        assert [word for word in words(hint) if word not in said] == []
    assert f"output of {kata.number} <&>" in page.text()
    assert f"about {kata.minutes} minutes" in page.text()
    known = {one.number for one in KATAS}
    links = [link["href"] for link in page.all("a")]
    for number in kata.prerequisites:
        assert number not in known or f"../{SHELF.page(catalog.find(number))}" in links
    for target in kata.targets:
        assert any(link.startswith("../source/minilm.") for link in links), target


def test_a_picture_is_described_in_the_words_of_the_lesson(kata, pages):
    said = kata_page.said_of_picture(kata)
    assert said, "say in the live code's text what the picture shows"
    for picture in pages[SHELF.page(kata)].all("img"):
        assert picture["alt"] == " ".join([*said, "left (across: steps). right."])


def test_code_is_shown_as_it_is(kata, folder, pages):
    written = (folder / SHELF.page(kata)).read_text(encoding="utf-8")
    start = kata_page.start(kata)
    assert (folder / SHELF.start(kata)).read_text(encoding="utf-8") == start
    demo = (kata.folder / "demo.py").read_text(encoding="utf-8")
    copied = [listed for listed in listings(written) if listed[0]]
    assert [source for _, source in copied] == [demo.rstrip("\n"), start.rstrip("\n")]


def listings(written):
    """Yield each listing of a page: whether it can be copied, and its source."""
    for opened, body in re.findall(r'<pre class="code"([^>]*)><code>(.*?)</code>', written, re.S):
        yield "data-copy" in opened, html.unescape(re.sub(r"<[^>]*>", "", body))


def test_what_gives_answers_away_is_folded(kata, folder):
    written = (folder / SHELF.page(kata)).read_text(encoding="utf-8")
    shown = Page(flat(written)).text()
    assert f"output of {kata.number}" not in shown
    for hint in kata.hints:
        assert plain(hint) not in plain(shown)
    takeaways = kata.lesson().split("## Key takeaways")[1].split("\n## ")[0]
    assert plain(takeaways)[:60] not in plain(shown)
    assert "<img" not in flat(written)


def flat(written):
    """Return a page without what is folded."""
    while True:
        inner = re.sub(r"<details[^>]*>((?!<details).)*?</details>", "", written, flags=re.S)
        if inner == written:
            return written
        written = inner


def plain(text):
    return " ".join(words(text))


def test_teaching_notes_have_every_mistake_and_a_solution(kata, pages, folder):
    page = pages[SHELF.teaching(kata)]
    said = plain(page.text())
    for mistake in kata.mistakes():
        first = mistake.explanation.partition("\n\n")[0]
        assert plain(first) in said, mistake.name
    if not kata.is_experiment:
        written = (folder / SHELF.teaching(kata)).read_text(encoding="utf-8")
        assert (True, stubs.solution(kata).rstrip("\n")) in list(listings(written))
    for question in teaching.questions(kata):
        assert plain(question.text) in said
        assert plain(question.answer)[:60] in said


def test_every_kata_has_three_questions_to_discuss(kata):
    asked = teaching.questions(kata)
    assert len(asked) == 3
    for question in asked:
        assert "?" in question.text
        assert len(words(question.answer)) >= 20


def test_the_index_has_every_kata_by_phase_with_minutes_and_prerequisites(pages):
    page = pages["index.html"]
    links = Counter(link["href"] for link in page.all("a"))
    text = " ".join(page.text().split())
    for kata in KATAS:
        assert links[SHELF.page(kata)] >= 1
        assert f"{kata.minutes} minutes · difficulty {kata.difficulty} of 5" in text
    assert len([i for i in page.identifiers() if i.startswith("phase-")]) == len(
        {kata.phase for kata in KATAS}
    )


def test_the_term_has_fifteen_weeks_and_every_kata():
    written = guides.text("term_plan.md")
    assert re.findall(r"^## Week (\d+): ", written, re.M) == [str(n) for n in range(1, 16)]
    planned = re.findall(r"\d+\.\d+", " ".join(re.findall(r"^Katas: (.*)$", written, re.M)))
    known = {kata.number for kata in KATAS}
    assert len(set(planned)) == len(planned)
    assert set(planned) == known


def test_the_lesson_takes_ninety_minutes():
    written = guides.text("lesson_plan.md")
    parts = re.findall(r"^## (\d+) to (\d+): ", written, re.M)
    assert parts[0][0] == "0"
    assert parts[-1][1] == "90"
    assert [end for _, end in parts[:-1]] == [start for start, _ in parts[1:]]
    rows = re.findall(r"^\| (\d+) to (\d+) \|", written, re.M)
    assert rows == parts


def test_the_quiz_of_the_lesson_is_that_of_the_handout(pages):
    quiz = guides.text("lesson_plan.md").split("each student alone")[1].split("<!--")[0]
    on_paper = guides.text("handout.md").split("## Exit quiz")[1]
    asked = re.findall(r"^\d\. (.*?)$", quiz, re.M)
    assert len(asked) == 5
    assert asked == re.findall(r"^\d\. (.*?)$", on_paper, re.M)
    assert len(pages["lesson-plan.html"].all("details")) == 1
    assert pages["handout.html"].all("details") == []


@pytest.mark.parametrize("name", ["welcome.md", *guides.GUIDES.values()])
def test_commands_of_the_texts_are_understood(name):
    written = guides.text(name)
    fenced = "".join(re.findall(r"^```sh\n(.*?)^```", written, re.M | re.S))
    commands = re.findall(r"^(?:\S*/)?(minilm .*)$", fenced, re.M)
    commands += re.findall(r"`(minilm [^`]+)`", written)
    for command in commands:
        arguments = shlex.split(command, comments=True)[1:]
        assert "--help" not in arguments
        if arguments == ["--version"]:
            continue
        main.build_parser(arguments[0]).parse_args(arguments)  # SystemExit: what it says is printed


def test_the_library_page_has_every_name_and_its_parameters(pages):
    page = pages["api.html"]
    text = page.text()
    assert {name for name in page.identifiers()} >= set(minilm.__all__) - {"__version__"}
    for name, thing in api.exported().items():
        first = (thing.__doc__ or "").strip().partition("\n")[0]
        assert [word for word in words(first) if word not in words(text)] == [], name
    assert "Parameters" in text
    assert "GPT.loss_and_grad" in text


def test_the_data_card_is_whole(pages):
    from minilm import resources

    card = (resources.corpora_dir() / "README.md").read_text(encoding="utf-8")
    said = set(words(pages["texts.html"].text()))
    card = re.sub(r"\]\([^)]*\)", "]", card)
    assert [word for word in words(card) if word not in said] == []


def luminance(color):
    """The relative luminance of a color such as #7a2fe0 (WCAG 2.1)."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_on_its_ground(scheme, folder):
    written = (folder / "index.html").read_text(encoding="utf-8")
    light, dark = re.split(r"@media \(prefers-color-scheme: dark\)", written, maxsplit=1)
    tokens = dict(re.findall(r"--(\w+): (#[0-9a-fA-F]{6})", light))
    if scheme == "dark":
        tokens |= dict(re.findall(r"--(\w+): (#[0-9a-fA-F]{6})", dark.split("@media print")[0]))
        later = written.split("prefers-color-scheme: dark")[2].split("}")[0]
        tokens |= dict(re.findall(r"--(\w+): (#[0-9a-fA-F]{6})", later))
    else:
        own = re.search(r":root \{ --keyword[^}]*\}", written)[0]
        tokens |= dict(re.findall(r"--(\w+): (#[0-9a-fA-F]{6})", own))
    for ground in ("paper", "band"):
        for ink in ("ink", "soft", "link", "keyword", "string", "comment"):
            pair = sorted(luminance(tokens[name]) for name in (ground, ink))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (ink, ground, tokens[ink])
