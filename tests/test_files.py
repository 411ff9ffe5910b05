"""Whole files or none; one writer for a folder; strict JSON."""

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
        (b'{"a": 1, "b": 2, "a": 3}', "'a' stands twice"),
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
    with pytest.raises(InputError, match="102 bytes of JSON; at most 50"):
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
