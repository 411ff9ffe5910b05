"""A run that is killed, again and again, ends as one that was not."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

import minilm
from minilm.training import log

KILLS = 20
# The saves are most of the work here, so that most kills fall into the middle of one.
STEPS = 150

# A process that has loaded everything, and forks one child for each line it gets: such a child
# needs no second to begin. Only one thread, so a fork is safe.
NURSERY = textwrap.dedent(
    """
    import os, signal, sys, time
    from minilm.models import generate
    from minilm.training import pretrain

    def child(folder, seconds, resume):
        given = {"size": "kata", "n_embd": 8, "n_layer": 1, "n_head": 1, "n_positions": 8,
                 "vocab_size": 300, "batch": 2, "steps": int(sys.argv[2]), "threads": 1, "seed": 3,
                 "patience": 1000, "dropout": 0.1, "save_seconds": float(seconds)}
        begun = os.path.isdir(os.path.join(folder, "training"))
        pretrain.pretrain([sys.argv[1]], folder, given, resume=resume == "resume" and begun,
                          say=lambda line: print(line, file=sys.stderr, flush=True))

    for line in sys.stdin:
        folder, seconds, resume, kill_after = line.split("|")
        pid = os.fork()
        if pid == 0:
            try:
                child(folder, seconds, resume)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        deadline = time.monotonic() + float(kill_after)
        while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
            if time.monotonic() >= deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.001)
        print(os.waitstatus_to_exitcode(ended[1]), flush=True)
    """
)

TEXT = "The cat sat on the mat.\nA dog ran to the hill, and the cat ran too.\n" * 60


class Nursery:
    """Starts children of a process that has loaded everything."""

    def __init__(self, folder):
        text = folder / "text.txt"
        text.write_text(TEXT, encoding="utf-8")
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
        environment["PYTHONPATH"] = str(Path(minilm.__file__).parent.parent)
        self.errors = (folder / "stderr.txt").open("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-c", NURSERY, str(text), str(STEPS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=environment,
        )

    def run(self, folder, seconds, resume, kill_after="inf"):
        """Run a child to its end, or kill it after so many seconds; return its exit code."""
        print(f"{folder}|{seconds}|{resume}|{kill_after}", file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def close(self):
        self.process.communicate()
        self.errors.close()


@pytest.fixture
def nursery(tmp_path):
    if not hasattr(os, "fork"):
        pytest.skip("needs fork, which keeps twenty starts quick")
    nursery = Nursery(tmp_path)
    yield nursery
    nursery.close()


def model_files(folder):
    """Return the bytes of everything that belongs to the model."""
    names = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    ours = [name for name in names if name not in ("log.csv", "loss.png", ".lock")]
    return {name: (folder / name).read_bytes() for name in sorted(ours)}


def test_twenty_kills_do_not_change_a_bit(nursery, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert nursery.run(whole, 60, "afresh") == 0, nursery.said()
    # A run that saves after every step takes this long here and now; kills fall anywhere in it.
    start = time.monotonic()
    assert nursery.run(tmp_path / "timed", 0, "afresh") == 0, nursery.said()
    longest = time.monotonic() - start
    (killed / "training").mkdir(parents=True)  # as a kill before the first save leaves it
    rng = random.Random(7)
    in_save = deaths = 0
    while deaths < KILLS:
        code = nursery.run(killed, 0, "resume", kill_after=rng.uniform(0.0, longest))
        assert code in (0, -signal.SIGKILL), nursery.said()
        if code == 0:  # finished before its end: from the beginning again
            for path in sorted(killed.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            continue
        deaths += 1
        in_save += (killed / ".staging").exists()
    assert in_save >= 3  # of twenty
    assert nursery.run(killed, 0, "resume") == 0, nursery.said()
    assert model_files(killed) == model_files(whole)
    assert "nothing is saved here yet; starting again" in nursery.said()
    assert "died holding the lock; taken over" in nursery.said()
    assert log_without_speed(killed) == log_without_speed(whole)
    assert len(log_without_speed(whole)) == STEPS


def log_without_speed(folder):
    return [replace(row, tokens_per_second=0) for row in log.read(folder / "log.csv")]
