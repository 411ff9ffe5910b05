"""Submissions in processes that are shut in: what they get, and what they may not do."""

import concurrent.futures
import json
import os
import re

import pytest

from minilm.compare.executors import Borrowed, Here, Lost, ProcessRunner
from minilm.course import catalog, experiments, stubs
from minilm.course.grading import gradebook, outputs, running, submissions
from minilm.course.notebook import writing
from minilm.course.reports import Failure, Report

KATA = catalog.find("4.6")
NAME = f"{KATA.name}.py"
WRONG = """\
normalized, rstd, gain = cache
    rows = tuple(range(dy.ndim - 1))
    return dy * gain * rstd, (dy * normalized).sum(axis=rows), dy.sum(axis=rows)"""


def by_student(book):
    return {result.student: result for result in book.results}


def test_a_class_is_graded(submit, graded, answer, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    marker = tmp_path / "written"
    ada = submit(f"ada/{NAME}", stubs.solution(KATA))
    prank = (
        "import os, socket, subprocess\n"
        "    said = [os.environ.get('SECRET_TOKEN')]\n"
        f"    for act in (lambda: open({str(marker)!r}, 'w'),\n"
        "                lambda: socket.create_connection(('127.0.0.1', 9)),\n"
        "                lambda: subprocess.run(['echo']),\n"
        f"                lambda: os.remove({str(ada)!r})):\n"
        "        try:\n"
        "            act()\n"
        "        except PermissionError:\n"
        "            said.append('refused')\n"
        "    raise ValueError(said)"
    )
    submit(f"bob/{NAME}", answer(WRONG))
    submit(f"eve/{NAME}", answer(prank))
    submit(f"fay/{NAME}", stubs.stub(KATA))
    submit("gus/essay.txt", "x")
    before = sorted(tmp_path.rglob("*"))
    results = by_student(graded())
    assert sorted(tmp_path.rglob("*")) == before
    assert results["ada"].passed
    assert results["ada"].points == 1.0
    assert results["bob"].mistake == "statistics_as_constants"
    assert results["bob"].explanation.startswith("Looks like: mean and variance were taken for")
    assert results["bob"].points == 0.33
    assert "[None, 'refused', 'refused', 'refused', 'refused']" in results["eve"].message
    assert (results["fay"].points, results["fay"].message) == (0.0, "not written yet")
    assert results["gus"].message == "no file of a kata: essay.txt"
    assert not marker.exists()


BOMBS = {
    "recursion": ("return layer_norm_backward(dy, cache)", "RecursionError"),
    "deep recursion": (
        "import sys; sys.setrecursionlimit(10**9)\n    f = lambda n: sorted([n], key=f)\n    f(0)",
        "crashed Python|RecursionError",
    ),
    "memory": ("x = bytearray(64 << 30)", "MemoryError"),
    "memory by and by": ("x = []\n    while True: x.append(bytearray(64 << 20))", "MemoryError"),
    "fork": ("import os\n    while True: os.fork()", "may not do this while it is graded: os.fork"),
    "output": ("while True: print('#' * 9999)", "prints without end"),
    "exit": ("import os; os._exit(0)", "ended Python with exit code 0"),
    "disk": ("open('x', 'wb').write(bytes(64 << 20))", "File too large"),
    "kill": ("import os, signal; os.kill(os.getppid(), signal.SIGKILL)", "os.kill"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_a_row_with_its_reason(name, submit, graded, answer):
    body, reason = BOMBS[name]
    submit(f"eve/{NAME}", answer(body))
    [result] = graded().results
    assert not result.passed
    assert re.search(reason, result.message)


def test_an_endless_loop_ends(submit, graded, answer):
    submit(f"eve/{NAME}", answer("while True: pass"))
    [result] = graded(seconds=3.0).results
    assert (result.stage, result.points) == ("time", 0.0)
    assert "did not finish in 3 s" in result.message


NO_PYTHON = {
    "prose": (b"Dear teacher, my computer is broken.", "the file does not import: SyntaxError"),
    "binary": (b"\x7fELF\x02\x01\x01" + bytes(99), "the file does not import"),
    "another encoding": ("naïve".encode("utf-16"), "the file is not UTF-8; save it as UTF-8"),
    "nothing": (b"", "the file has no function layer_norm_backward"),
    "nested": (b"(" * 99_999, "the file does not import"),
}


@pytest.mark.parametrize("name", NO_PYTHON)
def test_what_is_no_python_is_a_row_with_its_reason(name, submit, graded):
    content, reason = NO_PYTHON[name]
    submit(f"eve/{NAME}", content)
    [result] = graded().results
    assert (result.passed, result.points) == (False, 0.0)
    assert reason in result.message


def test_what_no_file_can_hold_is_replaced(submit, graded, answer, tmp_path):
    submit(f"eve/{NAME}", answer("raise ValueError('\\ud800\\x1b[31m' + 99999 * 'x')"))
    try:
        submit(os.fsdecode(b"\xff/04_6.py"), "")
    except OSError:
        pytest.skip("this system has no such names")
    book = graded()
    [eve, other] = sorted(book.results, key=lambda r: len(r.student))[::-1]
    assert eve.message.startswith("raises ValueError: ��[31mxxx")
    assert len(eve.message) < 5000
    assert other.student == "?"
    outputs.write(book, tmp_path / "grades")


def test_the_function_cell_of_a_notebook_is_taken(submit, graded):
    solution = stubs.solution(KATA)
    cells = [
        "%pip install minilm",
        "import minilm\nfigure = minilm.nothing()",
        solution,
        "print(layer_norm_backward(None))\nraise ValueError",
    ]
    notebook = {"cells": [{"cell_type": "code", "source": cell} for cell in cells]}
    submit(f"ada/{KATA.name}.ipynb", json.dumps(notebook))
    submit(f"bob/{KATA.name}.ipynb", "{}")
    notebook["cells"][2]["source"] = "x = 1"
    submit(f"cem/{KATA.name}.ipynb", json.dumps(notebook))
    results = by_student(graded())
    assert results["ada"].passed, results["ada"].message
    assert results["bob"].message == "the notebook cannot be read, or has no cell with code"
    assert results["cem"].message == "no cell of the notebook defines 'layer_norm_backward'"


def test_the_notebooks_of_the_course_are_graded(submit, graded):
    for kata in (KATA, EXPERIMENT):
        notebook = json.loads(writing.text(kata))
        for cell in notebook["cells"]:
            text = "".join(cell["source"])
            if kata is EXPERIMENT:
                for question in experiments.questions(kata):
                    given = "'because of this'" if question.words else "0.5"
                    text = text.replace(f"{question.name}=None", f"{question.name}={given}")
            elif "not written yet" in text and cell["cell_type"] == "code":
                text = stubs.solution(kata)
            cell["source"] = text
        submit(f"ada/{kata.name}.ipynb", json.dumps(notebook))
    results = graded().results
    assert [(r.kata, r.passed, r.message) for r in results] == [
        ("4.6", True, ""),
        ("10.1", True, ""),
    ]


def test_a_module_beside_the_file_is_there(submit, graded):
    submit("ada/parts.py", stubs.solution(KATA))
    submit("ada/" + NAME, "from parts import layer_norm_backward")
    [result] = graded().results
    assert result.passed, result.message


# ---------------------------------------------------------------------- experiments


EXPERIMENT = catalog.find("10.1")


def predictions(value=0.5):
    text = experiments.form(EXPERIMENT)
    for question in experiments.questions(EXPERIMENT):
        given = "'because of this'" if question.words else str(value)
        text = text.replace(f"\n{question.name} = None", f"\n{question.name} = {given}")
    return text


def state(value):
    asked = experiments.questions(EXPERIMENT)
    run = {
        "predictions": {q.name: "because of this" if q.words else value for q in asked},
        "measured": {q.name: 0.5 for q in asked if not q.words},
    }
    return json.dumps({"version": 1, "katas": {"10.1": {"run": run}}})


def test_experiments_are_graded_by_predictions_and_run(submit, graded):
    name = f"{EXPERIMENT.name}.py"
    submit(f"ada/{name}", predictions())
    submit("ada/.state.json", state(0.5))
    submit(f"bob/{name}", predictions())
    submit("bob/.state.json", json.dumps({"katas": {"4.6": {"hints": 1}}}))
    submit(f"cem/{name}", predictions())
    submit(f"dora/{name}", experiments.form(EXPERIMENT))
    submit(f"eli/{name}", predictions())
    submit("eli/.state.json", state(0.25))
    submit(f"fay/{name}", predictions())
    submit("fay/.state.json", json.dumps({"katas": {"10.1": {"run": {"predictions": 3}}}}))
    book = graded()
    results = by_student(book)
    assert {s: r.points for s, r in results.items()} == {
        "ada": 1.0,
        "bob": 0.5,
        "cem": 1.0,
        "dora": 0.0,
        "eli": 1.0,
        "fay": 0.0,
    }
    assert results["bob"].message == "the experiment has not run yet"
    assert "was not handed in" in results["cem"].note
    assert "random_on_six" in results["dora"].message
    assert [(m.student, m.kind) for m in book.marks] == [("eli", "changed predictions")]


# ---------------------------------------------------------------------- points and tries


@pytest.mark.parametrize(
    ("stage", "points"),
    [("import", 0.0), ("time", 0.0), ("structure", 0.11), ("gradients", 0.33), ("refusals", 0.89)],
)
def test_points_are_the_share_of_stages_passed(stage, points):
    assert running.points(Report("4.6", False, failure=Failure(stage, "x"))) == points


def test_every_stage_of_a_check_is_counted(answer):
    listed = {name for names in running.STAGES for name in names}
    told = set("import structure finite values gradients properties model inputs dtype".split())
    assert listed == told | {"refusals"}


def result(student, points, number, kata="4.6"):
    one = running.Result(student, kata, f"{number}.py", points == 1, points=points)
    return running.Graded(one, order=("", number, 0.0, ""))


def test_the_best_or_the_last_try_counts():
    tries = [result("a", p, n) for n, p in enumerate((0.5, 1.0, 0.5))]
    tries += [result("b", p, n) for n, p in enumerate((0.5, 0.5))]
    tries.append(running.Graded(running.Result("a", "4.6", "z", False, running.REFUSED)))
    best = [g.result.file for g in running.counted(tries[::-1], best=True) if g.result.counts]
    last = [g.result.file for g in running.counted(tries[::-1], best=False) if g.result.counts]
    assert best == ["1.py", "1.py"]
    assert last == ["2.py", "1.py"]


def test_a_file_that_kills_its_worker_has_its_reason():
    class Dying(Here):
        def map(self, function, shared, groups):
            for group in groups:
                yield from ((job, Lost()) for job in group)

    one = submissions.Submission("eve", "4.6", NAME)
    [found] = running.grade([one], Dying(), 1.0)
    assert "died" in found.result.message


@pytest.mark.parametrize("kind", ["processes", "executor"])
def test_it_is_the_same_wherever_it_runs(kind, submit, tmp_path, answer):
    submit(f"ada/{NAME}", stubs.solution(KATA))
    submit(f"bob/{NAME}", answer(WRONG))
    submit(f"cem/{NAME}", "")
    handed_in = submissions.find(tmp_path / "class")
    here = gradebook.make(handed_in, list(running.grade(handed_in.submissions, Here(), 20.0)))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        place = ProcessRunner(2) if kind == "processes" else Borrowed(pool)
        try:
            there = list(running.grade(handed_in.submissions, place, 20.0))
        finally:
            place.close()
    assert gradebook.make(handed_in, there) == here


@pytest.mark.peers
def test_it_is_the_same_on_a_cluster(peer, submit, tmp_path, answer):
    distributed = peer("distributed")
    from minilm.compare.executors import Cluster

    submit(f"ada/{NAME}", stubs.solution(KATA))
    submit(f"bob/{NAME}", answer(WRONG))
    handed_in = submissions.find(tmp_path / "class")
    here = gradebook.make(handed_in, list(running.grade(handed_in.submissions, Here(), 20.0)))
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        place = Cluster(cluster.scheduler_address)
        try:
            there = list(running.grade(handed_in.submissions, place, 20.0))
        finally:
            place.close()
    assert gradebook.make(handed_in, there) == here
