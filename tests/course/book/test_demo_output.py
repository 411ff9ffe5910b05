"""A demo's output for its page: run with the solution, stored, and compared with a fresh run."""

import dataclasses
import shutil

import pytest

from minilm.course import catalog
from minilm.course.book import demo_output
from minilm.course.book.demo_output import Output, Picture
from minilm.errors import InputError, ModelError

KATAS = catalog.all_katas()
STORED = [kata for kata in KATAS if demo_output.is_stored(kata)]


def copied(kata, folder):
    """Return a kata whose folder may be written into."""
    shutil.copytree(kata.folder, folder / kata.folder.name)
    return dataclasses.replace(kata, folder=folder / kata.folder.name)


@pytest.fixture
def own(tmp_path):
    return copied(catalog.find("4.6"), tmp_path)


def with_demo(kata, source):
    (kata.folder / "demo.py").write_text(source, encoding="utf-8")
    return kata


def test_a_demo_runs_with_the_solution_in_place(own, capsys):
    (own.folder / "solution.py").write_text(
        "def layer_norm_backward(dy, cache):\n    return 'mine', 0, 0\n", encoding="utf-8"
    )
    demo = (
        "from minilm.nn import functional as F\n"
        "def run(course):\n    print(F.layer_norm_backward(0, 0)[0])\n"
    )
    output = demo_output.run(with_demo(own, demo))
    assert output.text == "mine\n"
    assert capsys.readouterr().out == ""
    from minilm.nn import functional

    assert functional.layer_norm_backward.__module__.startswith("minilm.")


def test_pictures_are_kept_with_what_is_written_on_them():
    output = demo_output.run(catalog.find("4.6"))
    (picture,) = output.pictures
    assert picture.name == "gradient"
    assert picture.svg.startswith(b"<?xml")
    assert b"<script" not in picture.svg
    assert (picture.width, picture.height) == (672, 250)
    assert picture.description == (
        "d = dy * gain (across: channel; up: row). what is left: dx / rstd (across: channel)."
    )
    assert "picture:" not in output.text
    assert "largest entry of dx:     0.000" in output.text
    assert demo_output.run(catalog.find("4.6")).pictures == output.pictures  # the same bytes


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def run(course):\n    1 / 0\n", "raises ZeroDivisionError: division by zero; correct it"),
        ("x = 1\n", r"has no function run\(course\)"),
    ],
)
def test_a_demo_that_fails_is_an_error_that_names_its_file(own, source, said):
    with pytest.raises(InputError, match=said) as caught:
        demo_output.run(with_demo(own, source))
    assert str(caught.value.path).endswith("demo.py")


def test_what_is_stored_comes_back_and_is_stale_when_the_demo_changes(own):
    assert not demo_output.is_stored(own)
    picture = Picture("a", b"<svg/>\n", 10, 20, "left.")
    output = Output("one\ntwo 2\n", (picture,), {"x": [1.0, 0.5, 1.5], "y": 2.0}, 4.2)
    demo_output.store(own, output)
    assert demo_output.is_stored(own)
    assert demo_output.read(own) == output
    assert not demo_output.is_stale(own)
    with_demo(own, "def run(course):\n    print('new')\n")
    assert demo_output.is_stale(own)
    demo_output.store(own, Output("new\n"))
    assert sorted(path.name for path in (own.folder / "stored").iterdir()) == [
        "output.txt",
        "record.json",
    ]
    demo_output.forget(own)
    assert not (own.folder / "stored").exists()


def test_damage_is_named_with_what_to_do(own):
    demo_output.store(own, Output("x\n"))
    (own.folder / "stored" / "record.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"is damaged .*; run: minilm book --demos 4\.6"):
        demo_output.read(own)


def test_what_the_page_quotes_must_be_the_same_and_the_rest_only_in_form(own):
    lesson = "## Live code\n\n```demo\nexact 1\n```\n"
    (own.folder / "lesson.md").write_text(lesson, encoding="utf-8")
    stored = Output("exact 1\n  rate  0.5 [0.4, 0.6]\n  The film is\n", measured={"x": 1.0})

    def differences(text, **changes):
        return demo_output.differences(
            own, stored, Output(text, **{"measured": {"x": 2.0}, **changes})
        )

    assert differences("exact 1\n  rate  0.9 [0.7, 0.8]\n  A cat\n  sat there\n") == []
    assert differences("exact 2\n  rate  0.9\n  A cat\n") == ['stored "exact 1", printed "exact"']
    assert differences("exact 1\n  pace  0.9\n  A cat\n") == ['stored "  rate", printed "  pace"']
    assert differences("exact 1\n  rate  0.9\n") == ['stored "  ", printed null']
    assert differences("exact 1\n  rate  1\n  A cat\n", measured={}) == [
        "measured: stored ['x'], now []"
    ]


def test_long_demos_of_the_course_are_stored_and_current():
    missing = [kata.number for kata in KATAS if kata.is_experiment and kata not in STORED]
    assert missing == [], f"run: minilm book --demos {' '.join(missing)}"
    for kata in STORED:
        assert not demo_output.is_stale(kata), f"run: minilm book --demos {kata.number}"
        output = demo_output.read(kata)
        assert output.text
        assert output.pictures
        assert all(len(picture.svg) < 200_000 for picture in output.pictures)
        exact = {
            line
            for quote in demo_output._QUOTED.findall(kata.lesson())
            for line in quote.split("\n")
        }
        assert exact - {"", "..."} <= set(output.text.split("\n")), kata.number


@pytest.mark.slow
@pytest.mark.parametrize("kata", STORED, ids=lambda kata: kata.number)
def test_a_fresh_run_agrees_with_what_is_stored(kata):
    try:
        fresh = demo_output.run(kata)
    except ModelError as error:  # an optional model is not installed
        pytest.skip(str(error))
    assert demo_output.differences(kata, demo_output.read(kata), fresh) == []
