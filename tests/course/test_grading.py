"""Grading: which files are whose, what each got wrong, and what a submission may not do."""

import csv

import pytest

from minilm.course import catalog, grading, stubs
from minilm.errors import InputError

KATA = catalog.find("4.6")
NAME = f"{KATA.name}.py"
BODY = 'raise NotImplementedError("not written yet")'
WRONG = """\
normalized, rstd, gain = cache
    rows = tuple(range(dy.ndim - 1))
    return dy * gain * rstd, (dy * normalized).sum(axis=rows), dy.sum(axis=rows)"""


def submit(folder, name, source):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")


def test_students_are_folders_or_the_beginnings_of_names(tmp_path):
    submit(tmp_path, f"ada/mykatas/{NAME}", "")
    submit(tmp_path, f"ada/mykatas/.backups/{NAME}", "")
    submit(tmp_path, f"bob_{NAME}", "")
    submit(tmp_path, NAME, "")
    submit(tmp_path, f"cem_{KATA.name} (1).py", "")
    submit(tmp_path, "dora/04_2_linear_final.py", "")
    submit(tmp_path, "notes.py", "")
    submit(tmp_path, "10_1_pretraining_and_fine_tuning.py", "")
    found = [(s.student, s.kata.number) for s in grading.find(tmp_path)]
    assert found == [
        (KATA.name, "4.6"),
        ("ada", "4.6"),
        ("bob", "4.6"),
        ("cem", "4.6"),
        ("dora", "4.2"),
    ]
    assert grading.unrecognized(tmp_path) == [tmp_path / "notes.py"]


def test_a_folder_without_submissions_is_said(tmp_path):
    with pytest.raises(InputError, match="holds no file of a kata"):
        grading.find(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        grading.find(tmp_path / "nowhere")


def test_a_class_is_graded(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    stub = stubs.stub(KATA)
    marker = tmp_path / "written"
    prank = (
        "import os, socket, subprocess\n"
        "    said = [os.environ.get('SECRET_TOKEN')]\n"
        f"    for act in (lambda: open({str(marker)!r}, 'w'),\n"
        "                lambda: socket.create_connection(('127.0.0.1', 9)),\n"
        "                lambda: subprocess.run(['echo']),\n"
        f"                lambda: os.remove({str(tmp_path / 'ada' / NAME)!r})):\n"
        "        try:\n"
        "            act()\n"
        "        except PermissionError:\n"
        "            said.append('refused')\n"
        "    raise ValueError(said)"
    )
    submit(tmp_path, f"ada/{NAME}", stubs.solution(KATA))
    submit(tmp_path, f"bob/{NAME}", stub.replace(BODY, WRONG))
    submit(tmp_path, f"eve/{NAME}", stub.replace(BODY, prank))
    submissions = grading.find(tmp_path)
    results = {r.student: r for r in grading.grade(submissions, 20.0)}
    assert results["ada"].passed
    assert results["bob"].mistake == "statistics_as_constants"
    refused = "[None, 'refused', 'refused', 'refused', 'refused']"
    assert refused in results["eve"].message
    assert not marker.exists()

    grading.write(list(results.values()), tmp_path / "grades.csv")
    with open(tmp_path / "grades.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["student"], row["passed"]) for row in rows] == [
        ("ada", "True"),
        ("bob", "False"),
        ("eve", "False"),
    ]


def test_a_file_that_is_no_text_is_said(tmp_path):
    submit(tmp_path, f"ada/{NAME}", "")
    (tmp_path / "ada" / NAME).write_bytes("naïve".encode("utf-16"))
    [result] = grading.grade(grading.find(tmp_path), 20.0)
    assert result.message == "the file is not UTF-8; save it as UTF-8"


def test_the_most_common_mistakes_stand_first():
    def result(student, mistake):
        return grading.Result(student, "4.6", NAME, not mistake, "", "", "", mistake, "", None)

    results = [result("a", "x"), result("b", "y"), result("c", "y"), result("d", "")]
    assert grading.common_mistakes(results) == [("4.6", "y", 2), ("4.6", "x", 1)]
