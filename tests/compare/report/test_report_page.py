"""report.html: valid, whole, safe with any text, and what is in the tables."""

import base64
import hashlib
import json
import re
import shutil
from collections import Counter

import pytest
from strict_html import Page

from minilm.compare.report import bets, page, pictures, results
from minilm.compare.report.page import tables

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'


def with_pictures(folder):
    """Put small pictures where the real ones would be; drawing them is tested elsewhere."""
    for one in pictures.plan(results.read(folder)):
        (folder / f"{one.stem}.svg").write_bytes(SVG)
    return folder


@pytest.fixture(scope="module")
def folder(finished, tmp_path_factory):
    copy = tmp_path_factory.mktemp("page") / "copy"
    shutil.copytree(finished, copy)
    bets.write(copy, ["cooccurrence", "tfidf", "random"])
    page.write(with_pictures(copy))
    return copy


@pytest.fixture(scope="module")
def written(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def read(written):
    return Page(written)


def test_the_page_is_well_formed_and_its_references_lead_somewhere(read):
    assert read.errors == []
    identifiers = Counter(a["id"] for _, a in read.elements if "id" in a)
    assert set(identifiers.values()) == {1}
    for tag, attributes in read.elements:
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in identifiers
        if tag == "a":
            assert attributes["href"].removeprefix("#") in identifiers
    assert read.all("html") == [{"lang": "en"}]
    assert len(read.all("h1")) == len(read.all("main")) == 1


def test_nothing_is_fetched_and_only_its_own_script_and_style_may_run(written, read):
    for tag, attributes in read.elements:
        for name in ("src", "href", "srcset", "action"):
            value = attributes.get(name, "#")
            assert value.startswith(("#", "data:image/svg+xml;base64,")), (tag, value[:40])
    (policy,) = [a["content"] for a in read.all("meta") if "http-equiv" in a]
    assert "default-src 'none'" in policy
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", written, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
        assert "http" not in content
        assert "@import" not in content
        assert "url(" not in content


def test_every_picture_is_there_with_its_description_and_caption(folder, read):
    planned = pictures.plan(results.read(folder))
    images = read.all("img")
    # The main picture comes first, before all sections.
    ordered = sorted(planned, key=lambda one: one.picture.name != "text_for_labels")
    assert [image["alt"] for image in images] == [one.alt for one in ordered]
    encoded = base64.b64encode(SVG).decode()
    assert {image["src"] for image in images} == {f"data:image/svg+xml;base64,{encoded}"}
    text = read.text()
    for one in planned:
        assert f"{one.picture.title}." in text
        assert one.picture.caption in text


def test_a_picture_that_is_not_there_is_left_out(make_finished):
    folder = with_pictures(make_finished())
    (folder / "gains.svg").unlink()
    found = Page(page.write(folder).read_text(encoding="utf-8"))
    assert len(found.all("img")) == len(list(folder.glob("*.svg")))


def test_tables_have_heads_captions_and_costs_of_every_cell(folder, read):
    (view,) = results.read(folder)
    tables_found = len(read.all("table"))
    assert len(read.all("caption")) == tables_found
    assert all(a.get("scope") in ("col", "row") for a in read.all("th"))
    boxes = [a for a in read.all("div") if a.get("class") == "scroll"]
    assert len(boxes) == tables_found
    assert all(a["tabindex"] == "0" and a["role"] == "region" for a in boxes)
    values = Counter(a["data-value"] for a in read.all("td") if "data-value" in a)
    for cell in view.cells(main=False):
        assert values[repr(cell["mean"])] >= 1
        assert values[repr(float(cell["money"]))] >= 2  # with accuracies, and with differences
        assert values[repr(float(cell["flops"]))] >= 2


def test_the_sections_are_those_of_a_report(read):
    text = read.text()
    for part in (
        "The question",
        "The design",
        "The reading",
        "The bet",
        "What would change this conclusion",
        "Pictures",
        "Tables",
        "What pretraining learned",
        "river, reeds",
        "How much text is worth how many labels",
        "Settings",
        "cooccurrence > tfidf > random",
        "3 texts stand in both parts",
        "ab" * 32,
    ):
        assert part in text


HOSTILE = '<script>alert("1")</script>&amp;\x07$x$ "é\' 好'


def test_texts_labels_and_names_of_users_are_text_and_nothing_else(make_finished):
    folder = make_finished(
        tasks=(HOSTILE,), domains=("</title><img src=x>",), labels=(HOSTILE, "b")
    )
    with_pictures(folder)
    bets.write(folder, ["random", "tfidf"])
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["settings"] = {HOSTILE: {"corpus": ["</table>", HOSTILE]}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    written = page.write(folder).read_bytes()
    found = Page(written.decode("utf-8"))
    assert found.errors == []
    assert len(found.all("script")) == 1
    assert len(found.all("b")) == 0
    assert {image["src"][:5] for image in found.all("img")} == {"data:"}
    assert b"\x07" not in written
    shown = HOSTILE.replace("\x07", "�")
    assert [data for tag, data in found.texts if tag == "title"] == [
        f"Does pretraining help? {shown}"
    ]
    assert shown in found.text()


def test_two_tasks_stand_in_one_page(make_finished):
    folder = with_pictures(make_finished(tasks=("films", "tickets"), domains=()))
    found = Page(page.write(folder).read_text(encoding="utf-8"))
    assert found.errors == []
    identifiers = Counter(a["id"] for _, a in found.elements if "id" in a)
    assert set(identifiers.values()) == {1}
    assert {"reading-1", "reading-2", "pictures-2", "change-2"} <= set(identifiers)


def test_runs_that_failed_are_shown_with_their_error(make_finished):
    folder = make_finished(domains=())
    path = folder / "summary.json"
    summary = json.loads(path.read_text(encoding="utf-8"))
    key = {"task": "films", "corpus": "", "words": 0, "condition": "random", "budget": 16}
    summary["failed"] = [key | {"seed": 1, "error": "no memory <left>"}]
    costs = ("seconds", "flops", "trainable_parameters", "money", "macro_f1", "low", "high", "mean")
    for cell in summary["conditions"]:
        if cell["condition"] == "tfidf":
            cell |= dict.fromkeys(costs) | {"runs": 0, "failed": 4}
    rest = [row for row in summary["differences"] if row["condition"] != "tfidf"]
    summary["differences"] = rest
    path.write_text(json.dumps(summary), encoding="utf-8")
    text = Page(page.write(folder).read_text(encoding="utf-8")).text()
    assert "no memory <left>" in text
    assert "every run failed" in text


def test_numbers_of_operations_are_read_easily():
    sizes = {0: "0", 999: "999", 1500: "1.5 k", 2e7: "20.0 M", 3e9: "3.0 G", 4e12: "4.0 T"}
    assert {value: tables.flops(value).text for value in sizes} == sizes


def test_a_browser_shows_it_without_complaint_and_sorts_its_tables(folder, browser, tmp_path):
    document, console = browser(folder / "report.html", "--dump-dom")
    assert console == []  # neither an error of the script nor of the policy
    heads = document.count('<th scope="col">')
    assert 0 < document.count('<button type="button">') < heads
    # In a copy without the policy, a second script presses two heads and writes what it sees.
    written = (folder / "report.html").read_text(encoding="utf-8")
    opened = re.sub(r"<meta http-equiv=[^>]*>", "", written)
    press = """<script>
      const table = document.querySelector("table.sortable");
      const column = [...table.tHead.rows[0].cells].findIndex(c => c.textContent === "points");
      const button = table.tHead.rows[0].cells[column].querySelector("button");
      const seen = () => [...table.tBodies[0].rows].map(r => r.cells[column].textContent).join("|");
      button.focus(); button.click();
      const up = seen() + "=" + button.parentNode.getAttribute("aria-sort");
      button.click();
      document.body.dataset.up = up;
      document.body.dataset.down = seen() + "=" + button.parentNode.getAttribute("aria-sort");
      document.body.dataset.wide = document.documentElement.scrollWidth;
    </script>"""
    (tmp_path / "open.html").write_text(opened.replace("</body>", press + "</body>"), "utf-8")
    pressed, console = browser(tmp_path / "open.html", "--dump-dom", "--window-size=500,900")
    assert console == []
    up = re.search(r'data-up="([^"]*)"', pressed).group(1)
    down = re.search(r'data-down="([^"]*)"', pressed).group(1)
    numbers, state = up.split("=")
    points = [float(number) for number in numbers.split("|")]
    assert len(points) == 3
    assert points == sorted(points)
    assert state == "ascending"
    assert down == f"{'|'.join(reversed(numbers.split('|')))}=descending"
    assert "Sorted by points, descending" in pressed
    wide = int(re.search(r'data-wide="(\d+)"', pressed).group(1))
    assert wide <= 500  # only the boxes of wide tables scroll sideways, the page does not


def test_it_prints_with_wide_tables_on_wide_pages(folder, browser, tmp_path):
    browser(folder / "report.html", f"--print-to-pdf={tmp_path / 'report.pdf'}")
    content = (tmp_path / "report.pdf").read_bytes()
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", content)
    shapes = {float(width) > float(height) for width, height in boxes}
    assert content.startswith(b"%PDF")
    assert shapes == {True, False}


def test_the_answer_the_main_picture_and_the_bet_come_first(make_finished):
    folder = with_pictures(make_finished(domains=()))
    bets.write(folder, ["cooccurrence", "tfidf", "random"])
    written = page.write(folder).read_text(encoding="utf-8")
    order = [written.index(part) for part in ('class="answer"', 'class="bet"', "<figure ", "<nav")]
    assert order == sorted(order)
    assert Page(written).errors == []


def test_slides_have_the_answer_first_and_a_screen_for_each_picture(make_finished):
    folder = with_pictures(make_finished(tasks=("films", "tickets"), domains=()))
    written = page.write_slides(folder).read_text(encoding="utf-8")
    found = Page(written)
    assert found.errors == []
    assert written.index('class="answer"') < written.index("<figure ")
    screens, images = found.all("section"), found.all("img")
    assert len(images) == len(list(folder.glob("*.svg")))
    assert len(screens) == len(images) + 3 * 2  # the answer, the reading and the doubts of each
    assert {image["src"][:5] for image in images} == {"data:"}
    assert "http://" not in re.sub(r'src="data:[^"]*"', "", written)


def test_slides_are_turned_by_keys(make_finished, browser, tmp_path):
    folder = with_pictures(make_finished(domains=()))
    written = page.write_slides(folder).read_text(encoding="utf-8")
    opened = re.sub(r"<meta http-equiv=[^>]*>", "", written)
    press = """<script>
      const shown = () => screens.findIndex((screen) => !screen.hidden);
      const press = (key, shiftKey = false) => {
        dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey })); return shown();
      };
      document.body.dataset.seen = [shown(), press("ArrowRight"), press(" "), press(" ", true),
        press("PageUp"), press("ArrowLeft"), press("End") - screens.length, press("Home")].join();
      document.body.dataset.one = screens.filter((screen) => !screen.hidden).length;
    </script>"""
    (tmp_path / "open.html").write_text(opened.replace("</body>", press + "</body>"), "utf-8")
    document, console = browser(tmp_path / "open.html", "--dump-dom")
    assert console == []
    assert 'data-seen="0,1,2,1,0,0,-1,0"' in document
    assert 'data-one="1"' in document


def test_the_first_screen_of_a_projector_holds_the_main_picture(make_finished, browser, tmp_path):
    folder = make_finished(domains=())
    pictures.draw_all(folder)
    bets.write(folder, ["cooccurrence", "tfidf", "random"])
    written = page.write(folder).read_text(encoding="utf-8")
    opened = re.sub(r"<meta http-equiv=[^>]*>", "", written)
    measure = """<script>addEventListener("load", () => {
      const box = document.querySelector(".lead img").getBoundingClientRect();
      document.body.dataset.end = Math.round(box.bottom);
      document.body.dataset.width = Math.round(box.width);
      document.body.dataset.screen = innerHeight;
    });</script>"""
    (tmp_path / "open.html").write_text(opened.replace("</body>", measure + "</body>"), "utf-8")
    document, _ = browser(tmp_path / "open.html", "--dump-dom", "--window-size=1024,768")
    end, width, screen = (
        int(re.search(rf'data-{name}="(\d+)"', document).group(1))
        for name in ("end", "width", "screen")
    )
    assert screen <= 768  # some versions take the window's frame away
    assert end <= screen
    assert width >= 500
