"""`minilm kata grade` and `progress`, as a teacher meets them."""

import json

import pytest

from minilm.cli import main as cli
from minilm.course import catalog, sessions, stubs
from minilm.course.grading import workflow

KATA = catalog.find("4.6")
BODY = 'raise NotImplementedError("not written yet")'
WRONG = """\
normalized, rstd, gain = cache
    rows = tuple(range(dy.ndim - 1))
    return dy * gain * rstd, (dy * normalized).sum(axis=rows), dy.sum(axis=rows)"""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sessions, "CHECK_SECONDS", 60.0)  # however busy the machine is
    return tmp_path


@pytest.fixture
def school(desk):
    sources = {"ada": stubs.solution(KATA), "bob": stubs.stub(KATA).replace(BODY, WRONG)}
    for student, source in sources.items():
        path = desk / "class" / student / f"{KATA.name}.py"
        path.parent.mkdir(parents=True)
        path.write_text(source, encoding="utf-8")
    (desk / "class" / "notes.py").write_text("", encoding="utf-8")
    (desk / "class" / "cem").mkdir()
    return desk


def run(capsys, *arguments):
    code = cli.main(["kata", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_class_is_graded_into_a_folder(school, capsys):
    code, out, _ = run(capsys, "grade", "class", "--workers", "1")
    assert code == 0
    assert out.startswith("3 students, 1 kata: 1 of 3 passed; 2 files graded in ")
    assert "    1   4.6  statistics as constants" in out
    assert "Not graded:\n  cem: the folder is empty" in out
    assert "No kata is in these names:\n  notes.py" in out
    assert "run strangers' code in a container" in out
    assert max(map(len, out.splitlines())) < 90
    said = (school / "grades" / "feedback" / "bob.txt").read_text(encoding="utf-8")
    assert "The mistake: statistics as constants" in said
    assert (school / "grades" / "grades.html").exists()


def test_grades_as_json_and_of_what_is_assigned(school, capsys):
    code, out, _ = run(
        capsys, "grade", "class", "--json", "--workers", "1", "--assigned", "4.6, 5.1"
    )
    found = json.loads(out)
    assert (code, found["katas"]) == (0, ["4.6", "5.1"])
    assert found["students"][0] == {"student": "ada", "points": 1.0, "of": 2}
    assert [m["mistake"] for m in found["common_mistakes"]] == ["statistics_as_constants"]


def test_one_student_for_gradescope(school, capsys):
    code, out, _ = run(
        capsys, "grade", "class/bob", "--gradescope", "--out", "results", "--workers", "1"
    )
    assert (code, out) == (0, "results/results.json is written.\n")
    found = json.loads((school / "results" / "results.json").read_text(encoding="utf-8"))
    assert [(t["number"], t["score"]) for t in found["tests"]] == [("4.6", 0.33)]
    assert [path.name for path in (school / "results").iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["grade"], "name the folder or zip of submissions"),
        (["grade", "nowhere"], "no such folder or zip"),
        (["grade", "class", "--out", "class/notes.py"], "--out is the folder of the grades"),
        (["grade", "class", "--assigned", "4.66"], "there is no kata '4.66'"),
        (["grade", "class", "--workers", "0"], "--workers: 0; use 1 or more"),
        (["progress", "class"], "holds no .state.json"),
    ],
)
def test_mistakes_are_told_in_one_line(school, capsys, arguments, said):
    code, _, err = run(capsys, *arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert said in err
    assert not (school / "grades").exists()


def test_the_workflow_is_printed_or_written_and_never_overwrites(desk, capsys):
    code, out, _ = run(capsys, "grade", "--workflow")
    assert (code, out) == (0, workflow.TEXT)
    assert run(capsys, "grade", "--workflow", ".github/workflows/kata.yml")[0] == 0
    path = desk / ".github" / "workflows" / "kata.yml"
    assert path.read_text(encoding="utf-8") == workflow.TEXT
    path.write_text("mine", encoding="utf-8")
    code, _, err = run(capsys, "grade", "--workflow", ".github/workflows/kata.yml")
    assert code == 2
    assert "is there already" in err
    assert path.read_text(encoding="utf-8") == "mine"


def test_the_workflow_uses_options_that_exist_and_gives_nothing_away(school, capsys):
    # A name that anybody may choose gets into the shell by the environment only.
    lines = workflow.TEXT.splitlines()
    assert not any("${{" in line for line in lines if "run:" in line or "minilm kata" in line)
    assert "permissions:\n  contents: read\n" in workflow.TEXT
    [command] = [line.split("run: ")[1] for line in lines if "minilm kata grade" in line]
    arguments = command.replace('"', "").split()[2:]
    at = {"$STUDENT": "ada", ".": "class/ada", "$RUNNER_TEMP/grades": "out"}
    assert run(capsys, *[at.get(a, a) for a in arguments])[0] == 0
    assert [p.name for p in (school / "out" / "feedback").iterdir()] == ["ada.txt"]


def test_where_a_class_is(desk, capsys, monkeypatch):
    for student in ("ada", "bob"):
        folder = desk / "class" / student
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        run(capsys, "start", "4.6")
        if student == "ada":
            path = folder / "mykatas" / f"{KATA.name}.py"
            path.write_text(stubs.stub(KATA).replace(BODY, WRONG), encoding="utf-8")
        run(capsys, "check", "4.6")
    monkeypatch.chdir(desk)
    code, out, _ = run(capsys, "progress", "class")
    assert code == 0
    rows = [line.split() for line in out.splitlines()[1:3]]
    assert [row[:3] for row in rows] == [["ada", "0", "4.6"], ["bob", "0", "4.6"]]
    assert "    1    4.6  statistics as constants: mean and variance" in out
    found = json.loads(run(capsys, "progress", "class", "--json")[1])
    assert found["katas"] == [{"kata": "4.6", "students": 2}]
    assert [one["checks"] for one in found["students"]] == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("class", "--assigned", ","), "--assigned: names no kata"),
        (("class", "--workflow"), "--workflow grades nothing; leave out class"),
        (("class", "--student", ""), "--student: the name is empty"),
    ],
)
def test_options_that_would_have_no_effect(school, capsys, arguments, said):
    code, _, err = run(capsys, "grade", *arguments)
    assert code == 2
    assert said in err
