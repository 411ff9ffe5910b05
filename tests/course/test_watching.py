"""Watching sees every change of content, and nothing else."""

import io
import itertools
import os

import pytest

from minilm.course import watching
from minilm.course.keys import Keys


def test_saved_files_are_seen_one_look_later(tmp_path):
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("1")
    edits = iter(
        [
            lambda: None,
            lambda: two.write_text("new"),
            lambda: one.write_text("2"),  # of the same length as before
            lambda: one.write_text(""),  # an editor in the middle of writing
            lambda: one.write_text("2"),  # nothing has changed after all
            lambda: (one.write_text("3"), two.write_text("3")),
            lambda: one.unlink(),
            lambda: one.write_text("4"),
        ]
    )
    seen = watching.changes(lambda: [one, two], lambda seconds: next(edits)())
    assert list(itertools.islice(seen, 4)) == [[two], [one], [one, two], [one]]


def test_keys_come_between_saves(tmp_path):
    one = tmp_path / "one.py"
    one.write_text("1")
    edits = iter([lambda: one.write_text("2"), lambda: None, lambda: one.write_text("3")])
    keys = iter(["", "h", ""])
    seen = watching.changes(lambda: [one], lambda seconds: next(edits)(), lambda: next(keys))
    assert list(itertools.islice(seen, 3)) == [[one], "h", [one]]


def test_a_file_that_a_key_makes_is_not_a_save(tmp_path):
    paths = [tmp_path / "one.py"]
    paths[0].write_text("1")
    keys = iter(["n", "", ""])
    edits = iter([lambda: None, lambda: None, lambda: paths[1].write_text("2")])
    seen = watching.changes(lambda: paths, lambda seconds: next(edits)(), lambda: next(keys))
    assert next(seen) == "n"
    paths.append(tmp_path / "two.py")
    paths[1].write_text("a stub")
    assert next(seen) == [paths[1]]
    assert paths[1].read_text() == "2"


def test_without_a_terminal_no_key_is_read(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("q"))
    with Keys() as pressed:
        assert (pressed.are_read, pressed.pressed()) == (False, "")


@pytest.mark.skipif(os.name == "nt", reason="a terminal of another kind")
def test_a_key_needs_no_enter(monkeypatch):
    import pty
    import termios

    ours, theirs = pty.openpty()
    with open(theirs, encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        before = termios.tcgetattr(theirs)
        with Keys() as pressed:
            assert pressed.are_read
            assert pressed.pressed() == ""
            os.write(ours, b"Q")
            for _ in range(1000):
                if key := pressed.pressed():
                    break
            assert key == "q"
        assert termios.tcgetattr(theirs) == before
    os.close(ours)


def test_it_looks_often_enough():
    assert watching.PAUSE <= 0.5
