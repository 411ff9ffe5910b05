"""Where a class is: from the states of its learners, whole or damaged."""

import datetime
import json

import pytest

from minilm.course import catalog
from minilm.course.grading import standing
from minilm.course.learner import Learner
from minilm.course.reports import Failure
from minilm.errors import InputError

KATA = catalog.find("4.6")


def put(folder, student, katas):
    path = folder / student / "mykatas" / ".state.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"version": 1, "katas": katas}), encoding="utf-8")


def at(minute):
    return datetime.datetime(2026, 3, 2, 9, minute, tzinfo=datetime.UTC).isoformat()


FAILED = {"result": "failed", "started": at(1), "mistake": "statistics_as_constants"}


def test_who_is_where_stuck_how_long_and_on_what(tmp_path):
    passed = {"result": "passed", "checked": at(5), "passed": at(4), "checks": 2}
    stuck = {**FAILED, "failing": at(10), "checked": at(40), "checks": 9}
    put(tmp_path, "ada", {"4.5": passed, "4.6": stuck, "1.1": {"started": at(0)}})
    put(tmp_path, "bob", {"4.5": passed, "4.6": {**passed, "solution": "given up"}})
    put(tmp_path, "cem", {"4.6": {"started": at(3), "hints": 0}})
    put(tmp_path, "dora", {k.number: passed for k in catalog.all_katas()})
    put(tmp_path, "eli", {"4.6": {"result": 7, "failing": "never", "checked": [], "mistake": {}}})
    (tmp_path / "fay").mkdir()
    (tmp_path / "gus").mkdir()
    (tmp_path / "gus" / ".state.json").write_text("{", encoding="utf-8")
    found = {one.student: one for one in standing.of_class(tmp_path)}
    ada = found["ada"]
    assert (ada.kata, ada.state, ada.passed, ada.checks) == ("4.6", "stuck", 1, 9)
    assert (ada.failing, ada.mistake, ada.last) == (1800.0, "statistics_as_constants", at(40))
    assert (found["bob"].kata, found["bob"].state, found["bob"].solutions) == ("4.7", "next", 1)
    assert (found["cem"].kata, found["cem"].state) == ("4.6", "started")
    assert (found["dora"].kata, found["dora"].state) == ("", "done")
    assert (found["eli"].kata, found["eli"].failing, found["eli"].mistake) == ("4.6", None, "")
    assert found["fay"].problem == "the folder is empty"
    assert found["gus"].problem == "not the state of a course; it was left out"
    text = standing.render(list(found.values()))
    first = text.splitlines()[1]
    assert first.split()[:6] == ["ada", "1", "4.6", "30", "min", "0"]
    assert "statistics as constants" in text
    assert max(map(len, text.splitlines())) <= 79
    assert standing.as_json(list(found.values()))["katas"] == [
        {"kata": "4.6", "students": 3},
        {"kata": "4.7", "students": 1},
    ]


def test_the_learners_folder_keeps_what_is_needed(tmp_path, monkeypatch):
    times = iter(f"2026-03-02T09:{minute:02d}:00+00:00" for minute in range(60))
    monkeypatch.setattr("minilm.course.learner._now", lambda: next(times))
    who = Learner(tmp_path / "ada" / "mykatas")
    who.start(KATA)
    failure = Failure("gradients", "dx is wrong", mistake="statistics_as_constants")
    for _ in range(3):
        who.note_result(KATA, "wrong", False, failure)
    [one] = standing.of_class(tmp_path)
    assert (one.state, one.checks, one.failing) == ("stuck", 3, 120.0)
    assert one.mistake == "statistics_as_constants"
    who.note_result(KATA, "right", True)
    record = who.record(KATA)
    assert (record["checks"], record["failing"], record["mistake"]) == (4, None, None)
    passed = record["passed"]
    who.note_result(KATA, "wrong again", False, failure)
    who.note_result(KATA, "right", True)
    assert who.record(KATA)["passed"] == passed
    [one] = standing.of_class(tmp_path)
    assert (one.state, one.passed, one.kata) == ("next", 1, "4.7")


def test_a_folder_without_states_says_what_to_collect(tmp_path):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / f"{KATA.name}.py").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"holds no \.state\.json"):
        standing.of_class(tmp_path)


def test_states_that_are_all_damaged_are_named(tmp_path):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / ".state.json").write_text("{", encoding="utf-8")
    (found,) = standing.of_class(tmp_path)
    assert (found.student, found.problem) == ("ada", "not the state of a course; it was left out")


def test_files_without_a_state(tmp_path):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "notes.py").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"holds no \.state\.json of a learner"):
        standing.of_class(tmp_path)
