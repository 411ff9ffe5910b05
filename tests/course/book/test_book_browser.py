"""The book in a real browser, if there is one: three widths, no complaint, what the script does."""

import html
import json
import re

import pytest

WIDTHS = (320, 1024, 1920)  # a phone, a laptop, a projector

# Each page is put into a frame of a width, unfolded, and measured there. A frame that is written
# from here may be looked into, which a frame with a file may not.
HARNESS = """<!DOCTYPE html><meta charset="utf-8"><body><script type="application/json" id="pages">
%s</script><script>
const pages = JSON.parse(document.getElementById("pages").textContent);
const found = [];
async function show(width, source) {
  const frame = document.createElement("iframe");
  frame.width = width; frame.height = 900; frame.srcdoc = source;
  const loaded = new Promise((done) => frame.addEventListener("load", done));
  document.body.append(frame);
  await loaded;
  return frame;
}
async function measure() {
  for (const width of %s) for (const [path, source] of Object.entries(pages)) {
    const frame = await show(width, source);
    const page = frame.contentDocument;
    for (const fold of page.querySelectorAll("details")) fold.open = true;
    const root = page.documentElement;
    const small = [...page.querySelectorAll("p, li, td, dd")].filter(
      (one) => parseFloat(frame.contentWindow.getComputedStyle(one).fontSize) < 13);
    found.push({ path, width, inner: frame.contentWindow.innerWidth, scroll: root.scrollWidth,
      small: small.length, copy: page.querySelectorAll("button.copy").length,
      codes: page.querySelectorAll("pre[data-copy]").length,
      folds: page.querySelectorAll("details").length,
      buttons: page.querySelectorAll("button.unfold").length });
    frame.remove();
  }
  document.body.dataset.found = JSON.stringify(found);
}
measure();
</script></body>"""


@pytest.fixture(scope="session")
def measured(folder, browser, tmp_path_factory):
    """What a browser makes of every page at three widths, and what its console said."""
    pages = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.html"))
        if path.parent.name != "source"
    }
    written = json.dumps(pages).replace("</", "<\\/").replace("<!--", "<\\!--")
    path = tmp_path_factory.mktemp("harness") / "all.html"
    path.write_text(HARNESS % (written, json.dumps(WIDTHS)), encoding="utf-8")
    document, console = browser(path, "--dump-dom", "--virtual-time-budget=600000")
    (found,) = re.findall(r'data-found="([^"]*)"', document)
    return len(pages), json.loads(html.unescape(found)), console


@pytest.mark.slow
def test_no_page_scrolls_sideways_at_any_width(measured):
    count, found, console = measured
    assert console == []  # neither an error of a script nor of the policy
    assert len(found) == count * len(WIDTHS)
    assert {one["inner"] for one in found} == set(WIDTHS)
    assert [one for one in found if one["scroll"] > one["width"]] == []
    assert [one for one in found if one["small"]] == []


@pytest.mark.slow
def test_the_script_adds_buttons_where_they_do_something(measured):
    _, found, _ = measured
    for one in found:
        assert one["copy"] == one["codes"]
        assert one["buttons"] == (one["folds"] > 0)


def opened(folder, path, script):
    """Return a page without its policy, with a script of a test at its end."""
    written = (folder / path).read_text(encoding="utf-8")
    written = re.sub(r"<meta http-equiv=[^>]*>", "", written)
    return written.replace("</body>", f"<script>{script}</script></body>")


def test_links_unfold_and_one_button_unfolds_everything(folder, browser, tmp_path):
    script = """
      const state = () => [...document.querySelectorAll("details")].map((d) => +d.open).join("");
      const before = state();
      location.hash = "answers";
      const pressed = document.querySelector("button.unfold");
      pressed.click();
      const all = state();
      pressed.click();
      document.body.dataset.seen = [before, all, state()].join();
      document.body.dataset.tab = [...document.querySelectorAll("pre")].filter(
        (box) => box.tabIndex === 0 && box.scrollWidth <= box.clientWidth).length;"""
    path = tmp_path / "page.html"
    path.write_text(opened(folder, "katas/04_6_layer_norm_backward.html", script), "utf-8")
    document, console = browser(path, "--dump-dom", "--window-size=1200,900")
    assert console == []
    before, everything, after = re.search(r'data-seen="([\d,]*)"', document).group(1).split(",")
    assert set(before) == set(after) == {"0"}
    assert set(everything) == {"1"}
    assert 'data-tab="0"' in document  # a stop of the Tab key leads to what scrolls


def test_a_link_into_a_fold_opens_it(folder, browser, tmp_path):
    script = """
      document.querySelector("details pre").id = "inside";
      location.hash = "inside";
      addEventListener("hashchange", () => setTimeout(() => {
        document.body.dataset.open = document.querySelector("details").open; }, 0));"""
    path = tmp_path / "page.html"
    path.write_text(opened(folder, "katas/04_6_layer_norm_backward.html", script), "utf-8")
    document, console = browser(path, "--dump-dom", "--virtual-time-budget=2000")
    assert console == []
    assert 'data-open="true"' in document


def test_the_real_pages_say_nothing_on_the_console(folder, browser):
    for name in ("index.html", "katas/08_5_full_probe_or_lora.html", "api.html"):
        document, console = browser(folder / name, "--dump-dom")
        assert console == []
        assert ">Skip to the content<" in document
