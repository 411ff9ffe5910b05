"""Wherever runs are done, the numbers are the same; a worker that dies costs one job's time."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from minilm.compare import executors, run
from minilm.compare.executors import Borrowed, Cluster, Here, Lost, ProcessRunner
from minilm.compare.run import Grid
from minilm.errors import MinilmError, OptionError


def outcomes(place, shared, grid):
    try:
        groups = [[key] for key in shared.runs(grid)]
        return dict(place.map(run.run, shared, groups))
    finally:
        place.close()


@pytest.fixture(scope="module")
def few():
    return Grid(("random", "cooccurrence-shuffled", "transformer-finetuned"), (8,), 2)


@pytest.fixture(scope="module")
def alone(shared, few):
    return outcomes(Here(), shared, few)


def check_same(found, alone):
    assert set(found) == set(alone)
    for key, outcome in alone.items():
        assert not outcome.error
        for domain, predicted in outcome.predicted.items():
            assert np.array_equal(predicted, found[key].predicted[domain])


def test_processes_give_the_numbers_of_one(shared, few, alone):
    check_same(outcomes(ProcessRunner(2), shared, few), alone)


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_any_executor_gives_the_numbers_of_one(shared, few, alone, kind):
    import multiprocessing

    # Spawned: this process has threads by now, and a fork of it would warn.
    spawned = {"mp_context": multiprocessing.get_context("spawn")}
    with kind(2, **(spawned if kind is ProcessPoolExecutor else {})) as executor:
        check_same(outcomes(Borrowed(executor), shared, few), alone)
        assert executor.submit(abs, -1).result() == 1  # it is still its owner's


def die_once(folder, job):
    """End the process at job 3 the first time, in the middle of the work."""
    (folder / f"{job}-{os.getpid()}").touch()
    if job == 3 and len(list(folder.glob("3-*"))) == 1:
        os._exit(9)
    return job * job


def test_a_process_that_dies_costs_its_job_and_nothing_else(tmp_path):
    crew = ProcessRunner(2)
    try:
        found = dict(crew.map(die_once, tmp_path, [[0, 1, 2], [3, 4], [5]]))
        assert found == {job: job * job for job in range(6)}
        again = dict(crew.map(die_once, tmp_path, [[6]]))
    finally:
        crew.close()
    assert again == {6: 36}
    assert len(list(tmp_path.glob("3-*"))) == 2
    # All else was done once.
    assert all(len(list(tmp_path.glob(f"{job}-*"))) == 1 for job in (0, 1, 2, 4, 5, 6))


def die(_, job):
    if job == "bad":
        os._exit(9)
    return job


def test_a_job_that_kills_every_worker_is_given_up():
    crew = ProcessRunner(2)
    try:
        found = dict(crew.map(die, None, [["bad", "fine"], ["other"]]))
    finally:
        crew.close()
    assert isinstance(found.pop("bad"), Lost)
    assert found == {"fine": "fine", "other": "other"}


def fail(_, job):
    raise ValueError(f"job {job}")


def test_an_error_in_a_worker_is_said():
    crew = ProcessRunner(2)
    try:
        with pytest.raises(MinilmError, match="ValueError: job 1"):
            dict(crew.map(fail, None, [[1]]))
    finally:
        crew.close()


def test_closing_ends_processes_in_the_middle_of_a_job():
    crew = ProcessRunner(1)
    results = crew.map(_slow, None, [["first", "never ends"]])
    assert next(results) == ("first", "first")
    processes = [worker.process for worker in crew._workers]
    assert all(process.is_alive() for process in processes)
    crew.close()
    assert crew._workers == []


def _slow(_, job):
    if job == "never ends":
        threading.Event().wait()
    return job


ENDLESS = """
import threading
from pathlib import Path
from minilm.compare.executors import ProcessRunner

def endless(folder, job):
    (folder / "begun").touch()
    threading.Event().wait()

if __name__ == "__main__":
    list(ProcessRunner(1).map(endless, Path(__file__).parent, [["job"]]))
"""


def test_a_worker_ends_when_its_parent_is_killed(tmp_path):
    (tmp_path / "parent.py").write_text(ENDLESS, encoding="utf-8")
    command = [sys.executable, tmp_path / "parent.py"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        while not (tmp_path / "begun").exists():
            assert parent.poll() is None
            time.sleep(0.05)
        parent.kill()
        parent.communicate(timeout=60)  # to the end of a pipe that the worker holds too


def test_places_that_cannot_be():
    with pytest.raises(OptionError, match="--workers: 0"):
        executors.place(0)
    assert isinstance(executors.place(1), Here)


def wait_for(condition, seconds=60):
    """Wait until something is so; fail where it never is."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def mark(folder, job):
    """Say which process is at which job, and stay at the first until there is a sign."""
    (folder / f"{job}-{os.getpid()}").touch()
    if job == 0 and len(list(folder.glob("0-*"))) == 1:
        threading.Event().wait()
    return job * job


@pytest.fixture
def cluster(peer, tmp_path):
    """A real scheduler and two worker processes on loopback."""
    distributed = peer("distributed")
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=None,
        host="127.0.0.1",
        local_directory=str(tmp_path / "dask"),
        silence_logs=50,
    ) as cluster:
        yield cluster.scheduler_address


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")  # Dask's own, of other packages
def test_a_dask_cluster_gives_the_same_and_outlives_a_killed_worker(
    cluster, shared, few, alone, tmp_path
):
    check_same(outcomes(Cluster(cluster), shared, few), alone)
    place = Cluster(cluster)
    assert place.width == 2
    marks = tmp_path / "marks"
    marks.mkdir()
    killer = threading.Thread(target=_kill_the_first, args=(marks,))
    killer.start()
    try:
        found = dict(place.map(mark, marks, [[job] for job in range(6)]))
    finally:
        place.close()
        killer.join()
    assert found == {job: job * job for job in range(6)}
    assert len(list(marks.glob("0-*"))) == 2


def _kill_the_first(marks):
    """Kill the process that has begun job 0."""
    wait_for(lambda: list(marks.glob("0-*")))
    os.kill(int(next(marks.glob("0-*")).name.partition("-")[2]), 9)


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
def test_no_scheduler_at_the_address_is_said(peer):
    peer("distributed")
    with pytest.raises(OptionError, match=r"no scheduler at tcp://127\.0\.0\.1:1"):
        Cluster("tcp://127.0.0.1:1", timeout="1s")


def test_dask_without_its_package_names_the_extra(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MinilmError, match=r"--dask needs the package distributed.*cluster"):
        executors.place(2, "tcp://127.0.0.1:1")
