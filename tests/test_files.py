"""Whole files or none; one writer for a folder; strict JSON."""

import errno
import json
import os
import subprocess
import sys

import pytest

from minilm import files
from minilm.errors import InputError, OutputError


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(ZeroDivisionError), files.atomic_write(path) as file:
        file.write(f"new {1 / 0}")
    assert path.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_write_replaces_and_ends_lines_with_lf(tmp_path):
    path = tmp_path / "a.txt"
    for content in ("one\n", "zwei ü\n"):
        with files.atomic_write(path) as file:
            file.write(content)
    assert path.read_bytes() == "zwei ü\n".encode()
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_a_file_gets_the_usual_rights_not_those_of_a_temporary_one(tmp_path):
    for mask, rights in ((0o022, 0o644), (0o027, 0o640)):
        before = os.umask(mask)
        try:
            with files.atomic_write(tmp_path / "a.txt") as file:
                file.write("x")
            assert os.umask(mask) == mask  # it was asked for, and is as it was
        finally:
            os.umask(before)
        assert (tmp_path / "a.txt").stat().st_mode & 0o777 == rights


def full(*arguments):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_an_error_of_the_system_names_the_file_that_was_asked_for(tmp_path, monkeypatch):
    path = tmp_path / "gone" / "a.txt"
    with pytest.raises(FileNotFoundError) as caught, files.atomic_write(path):
        pass
    assert caught.value.filename == str(path)
    path = tmp_path / "a.txt"
    with pytest.raises(FileNotFoundError) as caught, files.atomic_write(path):
        (tmp_path / "other.txt").read_bytes()
    assert caught.value.filename == str(tmp_path / "other.txt")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError) as caught, files.atomic_write(tmp_path / "folder"):  # noqa: PT011
        pass
    assert caught.value.filename == str(tmp_path / "folder")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught, files.atomic_write(path) as file:
        file.write("x")
    assert caught.value.filename == str(path)
    assert os.listdir(tmp_path) == ["folder"]


def test_json_round_trip_and_no_nan(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, {"a": [1, "ü"]})
    assert files.read_json(path) == {"a": [1, "ü"]}
    with pytest.raises(ValueError, match="Out of range"):
        files.write_json(path, float("nan"))
    assert files.read_json(path) == {"a": [1, "ü"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1, "b": 2, "a": 3}', "'a' appears twice"),
        (b"[NaN]", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b'{\n"a": 1,\n}', r"a\.json:3: not valid JSON"),
        (b'"\xff"', "not UTF-8 at byte 1"),
        (b"[" * 200_000, "nested too deeply"),
        (b"1" * 10_000, "not valid JSON"),
    ],
)
def test_json_is_read_strictly(tmp_path, content, message):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        files.read_json(path)


def test_json_larger_than_allowed_is_not_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps("x" * 100), encoding="utf-8")
    with pytest.raises(InputError, match="102 bytes; minilm reads at most 50"):
        files.read_json(path, max_bytes=50)


HOLD = """
import sys, time
from minilm.files import FolderLock
lock = FolderLock(sys.argv[1]).__enter__()
print("held", flush=True)
time.sleep(60)
"""


def test_a_folder_has_one_writer_and_a_dead_one_is_said(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline().strip() == b"held"
        with pytest.raises(OutputError, match=f"in use by process {holder.pid};"):
            files.FolderLock(tmp_path).__enter__()
    finally:
        holder.kill()
        holder.communicate()
    with files.FolderLock(tmp_path) as lock:
        assert lock.stale_pid == holder.pid
    with files.FolderLock(tmp_path) as lock:
        assert lock.stale_pid is None


def test_a_lock_on_a_file_that_was_removed_is_no_lock(tmp_path, monkeypatch):
    removed = []

    def acquire_and_lose(self, file):
        if not removed:
            (tmp_path / files.FolderLock.NAME).unlink()
            removed.append(True)

    monkeypatch.setattr(files.FolderLock, "_acquire", acquire_and_lose)
    with files.FolderLock(tmp_path):
        assert removed == [True]
        text = (tmp_path / files.FolderLock.NAME).read_text(encoding="ascii")
        assert text == f"{os.getpid()}\n"


def test_waiting_for_another_to_let_go(tmp_path, monkeypatch):
    first, waited = files.FolderLock(tmp_path).__enter__(), []

    def sleep(seconds):
        waited.append(seconds)
        if len(waited) == 3:
            first.__exit__()

    monkeypatch.setattr(files.time, "sleep", sleep)
    with files.FolderLock(tmp_path, wait=60) as second:
        assert len(waited) == 3
        assert second.stale_pid is None


@pytest.mark.parametrize("content", [b"\xff\xfe\x00 12", "١٢\n".encode(), b"12\n34\n", b"-5"])
def test_a_lock_file_with_anything_in_it_can_be_taken(tmp_path, content):
    (tmp_path / ".lock").write_bytes(content)
    with files.FolderLock(tmp_path) as lock:
        assert lock.stale_pid is None
        assert (tmp_path / ".lock").read_bytes() == f"{os.getpid()}\n".encode()


@pytest.mark.parametrize(
    ("number", "text", "message"),
    [
        (errno.EWOULDBLOCK, "busy", "in use by process unknown; wait"),
        (errno.EACCES, "busy", "in use by process unknown; wait"),
        (errno.ENOLCK, "No locks available", r"cannot be locked \(No locks available\); choose"),
    ],
)
def test_a_lock_that_cannot_be_had_says_why(tmp_path, monkeypatch, number, text, message):
    (tmp_path / ".lock").write_bytes(b"some\nbody \xff")

    def refuse(lock, file):
        raise OSError(number, text)

    monkeypatch.setattr(files.FolderLock, "_acquire", refuse)
    with pytest.raises(OutputError, match=message) as caught:
        files.FolderLock(tmp_path).__enter__()
    assert "\n" not in str(caught.value)
    assert (tmp_path / ".lock").read_bytes() == b"some\nbody \xff"
