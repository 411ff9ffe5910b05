"""A class of thirty: what each handed in gets the grade and the mistake that it was made with."""

import importlib.util
from pathlib import Path

import pytest

from minilm.cli import main
from minilm.compare.executors import ProcessRunner
from minilm.course import catalog, sessions, stubs
from minilm.course.grading import gradebook, outputs, running, submissions


@pytest.fixture(scope="module")
def thirty():
    path = Path(__file__).with_name("thirty.py")
    spec = importlib.util.spec_from_file_location("class_of_thirty", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_kata_of_the_class_has_wrong_answers_to_choose_from(thirty):
    for number in thirty.NUMBERS:
        kata = catalog.find(number)
        found = thirty.wrong_files(kata)
        assert len(found) > 10
        assert set(found) <= {mistake.name for mistake in kata.mistakes()}


@pytest.mark.slow
def test_a_class_of_thirty_is_graded_as_it_was_made(thirty, tmp_path):
    (tmp_path / "class").mkdir()
    kinds = thirty.write(tmp_path / "class")
    handed_in = submissions.find(tmp_path / "class")
    assert len(handed_in.students) == 30
    place = ProcessRunner(2)
    try:
        graded = list(running.grade(handed_in.submissions, place, 60.0))
    finally:
        place.close()
    book = gradebook.make(handed_in, graded)
    found = book.counting()
    assert set(found) == set(kinds)
    for key, kind in kinds.items():
        result = found[key]
        if kind == "solution":
            assert result.passed, (key, result)
        elif kind == "stub":
            assert (result.points, result.message) == (0.0, "not written yet"), key
        else:
            assert result.mistake == kind, (key, result)
            assert result.explanation
            assert result.points < 1
    outputs.write(book, tmp_path / "grades")
    assert len(list((tmp_path / "grades" / "feedback").iterdir())) == 30
    counts = {(kata, mistake): count for kata, mistake, count in book.common_mistakes()}
    made = [(k, kind) for (_, k), kind in kinds.items() if kind not in ("solution", "stub")]
    assert counts == {pair: made.count(pair) for pair in made}


def test_a_class_sent_as_one_zip_is_graded_by_the_command(thirty, tmp_path, monkeypatch, capsys):
    import zipfile

    monkeypatch.setattr(sessions, "CHECK_SECONDS", 60.0)
    monkeypatch.chdir(tmp_path)
    hand_ins = [one for one in thirty.hand_ins() if one[1].number == "4.2"][:4]
    with zipfile.ZipFile("class.zip", "w") as archive:
        for i, (student, kata, source, _) in enumerate(hand_ins):
            folder = f"Homework/{student}_{i}_assignsubmission_file_"
            archive.writestr(f"{folder}/{kata.name}.py", source)
    assert main.main(["kata", "grade", "class.zip", "--workers", "2"]) == 0
    assert capsys.readouterr().out.startswith("4 students, 1 kata")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class.zip", "grades"]


@pytest.mark.slow
def test_every_solution_passes_while_it_is_shut_in(tmp_path):
    katas = [kata for kata in catalog.all_katas() if kata.paths]
    handed_in = [
        submissions.Submission("ada", k.number, f"{k.name}.py", stubs.solution(k).encode())
        for k in katas
    ]
    place = ProcessRunner(2)
    try:
        found = [one.result for one in running.grade(handed_in, place, 60.0)]
    finally:
        place.close()
    assert {r.kata: r.message for r in found if not r.passed} == {}
    assert len(found) == len(katas) > 45
