"""The progress line: rewritten on a terminal, a few plain lines elsewhere."""

import io

import pytest

from minilm import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets: `clock[0]` is the time in seconds."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (119.4, "119 s"),
        (119.6, "2 min 0 s"),
        (7199, "119 min 59 s"),
        (7200, "2 h 0 min"),
        (90_061, "25 h 1 min"),
    ],
)
def test_durations(seconds, text):
    assert progress.duration(seconds) == text


def test_a_terminal_sees_one_line_with_the_time_left(clock):
    stream = Terminal()
    with progress.Progress("runs", 4, stream) as bar:
        clock[0] += 10
        bar.advance(note="seed 1")
        assert stream.getvalue() == "\rruns: 1 of 4, 30 s left (seed 1)"
        clock[0] += 10
        bar.advance(2)
        last = stream.getvalue().rsplit("\r", 1)[1]
        # 20 s for three pieces: 7 s for the fourth. Blanks cover the rest of the longer line.
        assert last == "runs: 3 of 4, 7 s left".ljust(len("runs: 1 of 4, 30 s left (seed 1)"))
    assert stream.getvalue().endswith("\r" + " " * len("runs: 3 of 4, 7 s left") + "\r")
    assert "\n" not in stream.getvalue()


def test_a_terminal_is_written_to_ten_times_a_second_at_most_and_at_the_end(clock):
    stream = Terminal()
    bar = progress.Progress("steps", 100, stream)
    for _ in range(99):
        clock[0] += 0.01
        bar.advance()
    assert 9 <= stream.getvalue().count("\r") <= 10
    bar.advance()
    assert stream.getvalue().endswith("\rsteps: 100 of 100, 0 s left")


def test_a_line_fits_into_80_columns(clock):
    stream = Terminal()
    with progress.Progress("a", 2, stream) as bar:
        bar.advance(note="x" * 200)
        assert len(stream.getvalue()) == 1 + 79
    assert stream.getvalue().endswith("\r" + " " * 79 + "\r")


def test_a_log_gets_a_line_for_each_quarter(clock):
    stream = io.StringIO()
    with progress.Progress("runs", 10, stream) as bar:
        for _ in range(10):
            clock[0] += 30
            bar.advance(note="not for a log")
    assert stream.getvalue().splitlines() == [
        "runs: 3 of 10 in 90 s",
        "runs: 5 of 10 in 2 min 30 s",
        "runs: 8 of 10 in 4 min 0 s",
        "runs: 10 of 10 in 5 min 0 s",
    ]


def test_nothing_is_written_when_nothing_was_done(clock, capsys):
    with progress.Progress("runs", 10, Terminal()) as bar:
        pass
    assert bar.stream.getvalue() == ""
    assert progress.Progress("runs", 10).terminal is False
    assert capsys.readouterr().err == ""


def test_nothing_done_yet_is_no_mistake(clock):
    stream = Terminal()
    progress.Progress("runs", 4, stream).advance(0)
    assert "runs: 0 of 4" in stream.getvalue()
