"""Katas without a function: predictions, the run, and the two side by side."""

import types
from pathlib import Path

import pytest

from minilm.course import catalog, experiments
from minilm.course.catalog import Kata
from minilm.course.experiments import Question
from minilm.errors import InputError

FILE = Path("mykatas/10_9_trial.py")
QUESTIONS = (
    Question("share", "What share is right?", low=0, high=1),
    Question("count", "How many of ten?", low=0, high=10),
    Question("why", "Why is that?", words=True, answer="Every word is known."),
)
FILLED = 'share = 0.5\ncount = 3\nwhy = "the words are all known"\n'


@pytest.fixture
def kata(tmp_path, monkeypatch):
    about = Kata(tmp_path / "10_9_trial", "10.9", "Trial", 10, 5, 1, (), (), ("a", "b", "c"))
    checks = types.ModuleType("checks")
    checks.QUESTIONS = QUESTIONS
    monkeypatch.setattr(catalog.Kata, "module", lambda kata, name: checks)
    return about


def run_of(source, kata, **measured):
    predictions = experiments.read(kata, source, FILE)
    return {"predictions": predictions, "measured": measured}


def test_the_form_asks_every_question(kata):
    form = experiments.form(kata)
    assert "# 1. What share is right? (a number, 0 to 1)\nshare = None\n" in form
    assert "# 3. Why is that? (in words)\nwhy = None\n" in form
    failure = experiments.check(kata, form, FILE, None).failure
    assert failure.text == "share is not written yet: What share is right?"
    assert form.splitlines()[failure.line - 1] == "share = None"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("0.5", "1.5", "share is 1.5; it must be from 0 to 1"),
        ("0.5", "'half'", "share is 'half'; write a number from 0 to 1"),
        ("0.5", "True", "share is True; write a number"),
        ("0.5", "float('nan')", "share is nan; it must be from 0 to 1"),
        ('"the words are all known"', '"yes"', "why is 'yes'; write a sentence"),
        ("0.5", "1 / 0", "the file does not import: ZeroDivisionError"),
    ],
)
def test_an_answer_that_is_none_is_said(kata, old, new, said):
    failure = experiments.check(kata, FILLED.replace(old, new), FILE, None).failure
    assert said in failure.text


def test_predictions_come_before_the_run(kata):
    failure = experiments.check(kata, FILLED, FILE, None).failure
    assert "has not run yet" in failure.text
    assert failure.stage == "run"
    late = {"predictions": None, "measured": {"share": 1.0, "count": 3.0}}
    failure = experiments.check(kata, FILLED, FILE, late).failure
    assert "ran without your predictions" in failure.text


def test_predictions_stand_beside_what_was_measured(kata):
    run = run_of(FILLED, kata, share=[0.9, 0.8, 0.95], count=7)
    report = experiments.check(kata, FILLED, FILE, run)
    assert report.passed
    assert report.notes == (
        "share: you 0.5, measured 0.9 [0.8, 0.95], yours is outside",
        "count: you 3, measured 7",
        "why; compare yours with: Every word is known.",
    )


def test_a_prediction_that_was_changed_after_the_run_is_told(kata):
    run = run_of(FILLED, kata, share=0.9, count=7)
    report = experiments.check(kata, FILLED.replace("0.5", "0.9"), FILE, run)
    assert "(changed after the run; it was 0.5)" in report.notes[0]


def test_what_a_demo_must_measure(kata):
    returned = {"share": (0.5, 0.4, 0.6), "count": 3}
    assert experiments.measured(kata, returned) == {"share": [0.5, 0.4, 0.6], "count": 3.0}
    with pytest.raises(InputError, match="returns no count"):
        experiments.measured(kata, {"share": 0.5})
