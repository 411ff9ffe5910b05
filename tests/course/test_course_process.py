"""A learner's code in a process of its own: loops, exits, crashes and floods told as they are."""

import pytest

from minilm.course import catalog, process, stubs

KATA = catalog.find("4.6")
BODY = 'raise NotImplementedError("not written yet")'


def checked(tmp_path, body, seconds=20.0):
    """Check the stub with a body put into it."""
    path = tmp_path / f"{KATA.name}.py"
    path.write_text(stubs.stub(KATA).replace(BODY, body), encoding="utf-8")
    request = {"action": "check", "number": "4.6", "file": str(path)}
    ending = process.run(request, seconds=seconds, file=path)
    return process.report(ending, "4.6"), path.read_text(encoding="utf-8").splitlines()


def test_an_endless_loop_is_stopped_and_located(tmp_path):
    report, lines = checked(tmp_path, "while True:\n        dy = dy + 0", seconds=3.0)
    assert report.failure.stage == "time"
    assert "did not finish in 3 s: an endless loop" in report.failure.text
    assert "while" in lines[report.failure.line - 1] or "dy + 0" in lines[report.failure.line - 1]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise SystemExit(3)", "it calls exit (SystemExit: 3)"),
        ("import os; os._exit(4)", "ended Python with exit code 4 before the check was done"),
        ("import faulthandler; faulthandler._sigsegv()", "crashed Python"),
    ],
    ids=["exit", "hard exit", "crash"],
)
def test_an_exit_and_a_crash_are_told_as_what_they_are(tmp_path, body, said):
    report, _ = checked(tmp_path, body)
    assert not report.passed
    assert said in report.failure.text
    assert report.failure.line is not None or "hard" in body or "_exit" in body


def test_a_flood_of_output_is_stopped(tmp_path):
    report, _ = checked(tmp_path, "while True:\n        print('dy' * 500)")
    assert "prints without end" in report.failure.text
    assert len(report.printed) <= 1 << 20


def test_what_a_file_prints_is_kept_apart_from_the_result(tmp_path):
    report, _ = checked(tmp_path, "print('shape', dy.shape)\n    return 1")
    assert report.printed.splitlines()[0] == "shape (5, 7)"
    assert report.failure.text == "returns an int, expected a tuple: dx, dgain, dbias"


def test_threads_that_are_left_running_are_not_waited_for(tmp_path):
    body = "import threading, time\n    threading.Thread(target=time.sleep, args=(600,)).start()"
    report, _ = checked(tmp_path, f"{body}\n    return 1")
    assert report.failure.text.startswith("returns an int")


def test_a_file_named_like_a_library_hides_nothing(tmp_path, monkeypatch):
    for name in ("random", "numpy", "minilm"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('hidden')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    report, _ = checked(tmp_path, "import random\n    return random.random()")
    assert report.failure.text.startswith("returns a float")
