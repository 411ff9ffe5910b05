"""Killed at every step, the disk full at every step: the folder is the old one or the new one."""

import contextlib
import errno
import json
import os
import shutil
import subprocess
import sys
import warnings

import pytest

from minilm import files
from minilm.errors import ModelError, OutputError
from minilm.interop import folder, transaction

OLD, NEW = b'{"step": 15}', b'{"step": 30}'
HAS_FORK = hasattr(os, "fork")


class Steps:
    """Counts what a save asks of the system, and calls `act` at a chosen one."""

    def __init__(self, monkeypatch, act):
        self.count, self.at, self.act = 0, None, act
        for name in ("open", "mkdir", "fsync", "replace", "unlink", "rmdir"):
            monkeypatch.setattr(os, name, self.watched(getattr(os, name)))
        write = transaction._Digesting.write
        monkeypatch.setattr(transaction._Digesting, "write", self.watched(write))

    def watched(self, function):
        def call(*arguments, **options):
            self.count += 1
            if self.count == self.at:
                self.act()
            return function(*arguments, **options)

        return call


def state(path):
    """Read everything and return the step that the folder is at, 15 or 30."""
    model = folder.load(path)
    saved = transaction.locate(path, "training/state.json").read_bytes()
    assert saved in (OLD, NEW)
    assert len(model.lineage) == (2 if saved == OLD else 1)
    return json.loads(saved)["step"]


def visible(path):
    return sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())


@pytest.fixture
def new(model, words, contents):
    """The next save: other weights, another kind of tokenizer with fewer files."""
    return contents(model, words, NEW)


def test_a_save_replaces_and_removes(copy, new, model, bpe, lineage):
    path = copy("ours")
    (path / "log.csv").write_text("kept\n", encoding="utf-8")
    assert {"merges.txt", "vocab.json"} <= set(visible(path))
    folder.save(path, new, lineage[:1])
    assert state(path) == 30
    assert visible(path) == [
        ".lock", "config.json", "log.csv", "minilm.json", "model.safetensors", "tokenizer.json",
        "tokenizer_config.json", "training/optimizer.safetensors", "training/state.json",
    ]  # fmt: skip
    folder.save(path, folder.model_files(model.config, model.parameters, bpe))
    assert not (path / "training").exists()
    assert folder.load(path).lineage == ()


def test_the_same_save_leaves_the_same_bytes(tmp_path, model, bpe, contents, lineage):
    for name in ("a", "b"):
        folder.save(tmp_path / name, contents(model, bpe), lineage)
    names = visible(tmp_path / "a")
    assert names == visible(tmp_path / "b")
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.skipif(not HAS_FORK, reason="needs fork to die without cleaning up")
def test_killed_at_every_step(kept, tmp_path, new, monkeypatch, lineage):
    seen = []
    for at in range(1, 1000):
        path = tmp_path / "m"
        shutil.copytree(kept / "ours", path)
        if not dies_while_saving(path, new, at, lineage):
            break
        with monkeypatch.context() as patch:  # a reader that may not settle
            patch.setattr(transaction, "settle_if_free", lambda folder: None)
            seen.append(state(path))
        assert state(path) == seen[-1]
        hidden = [name for name in visible(path) if name.startswith(".")]
        assert hidden == [".lock"], f"step {at}: {hidden}"
        assert ("merges.txt" in visible(path)) == (seen[-1] == 15)
        folder.save(path, new, lineage[:1])
        assert state(path) == 30
        shutil.rmtree(path)
    assert state(path) == 30
    committed = seen.index(30)
    assert seen == [15] * committed + [30] * (len(seen) - committed)
    assert committed > 20
    assert len(seen) - committed > 15


def dies_while_saving(path, new, at, lineage):
    """Save in a child process that ends at its step `at`; return whether it came so far."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of BLAS, which sleep
        child = os.fork()
    if child == 0:
        with pytest.MonkeyPatch.context() as patch, contextlib.suppress(BaseException):
            steps = Steps(patch, lambda: os._exit(9))
            with folder.Writer(path) as writer:
                steps.count, steps.at = 0, at
                writer.save(new, lineage[:1])
                os._exit(0)
        os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9)
    return code == 9


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS])
def test_a_write_error_at_every_step_leaves_a_whole_model(
    kept, tmp_path, new, monkeypatch, fault, lineage
):
    seen, said = [], set()

    def fail():
        raise OSError(fault, os.strerror(fault))

    for at in range(1, 1000):
        path = tmp_path / "m"
        shutil.copytree(kept / "ours", path)
        with monkeypatch.context() as patch, folder.Writer(path) as writer:
            steps = Steps(patch, fail)
            steps.at = steps.count + at
            message = None
            try:
                writer.save(new, lineage[:1])
            except OutputError as error:
                message = str(error)
            reached = steps.count >= steps.at
        if message is not None:
            said.add(message)
            seen.append(state(path))
        else:  # nothing failed, or nothing that matters
            assert state(path) == 30
        shutil.rmtree(path)
        if not reached:
            break
    assert not reached
    assert {15, 30} == set(seen)
    assert seen == sorted(seen)
    assert len(said) == 1
    assert f"m: cannot be saved ({os.strerror(fault)}); the last good files" in said.pop()


def test_the_next_save_of_a_writer_finishes_what_failed(copy, new, monkeypatch, lineage):
    path = copy("ours")
    with folder.Writer(path) as writer:
        with monkeypatch.context() as patch:
            patch.setattr(transaction, "_replace", lambda *_: os.rename("nowhere", "nothing"))
            with pytest.raises(OutputError, match="No such file"):
                writer.save(new, lineage[:1])
        assert (path / transaction.RECORD).exists()
        assert state(path) == 30  # as if it were finished
        writer.save({**new, "training/state.json": OLD}, lineage)
        assert not (path / transaction.RECORD).exists()
        assert state(path) == 15


def test_an_unfinished_save_is_read_where_nothing_can_be_written(copy, new, monkeypatch, lineage):
    path = copy("ours")
    with folder.Writer(path) as writer, monkeypatch.context() as patch:
        patch.setattr(transaction, "_replace", lambda *_: os.rename("nowhere", "nothing"))
        with pytest.raises(OutputError):
            writer.save(new, lineage[:1])

    class ReadOnly:
        def __init__(self, folder):
            pass

        def __enter__(self):
            raise PermissionError(errno.EACCES, "Permission denied")

        def __exit__(self, *exception):
            raise NotImplementedError

    monkeypatch.setattr(files, "FolderLock", ReadOnly)
    assert folder.exists(path)
    assert state(path) == 30
    assert (path / transaction.RECORD).exists()
    with pytest.raises(OutputError, match=r"cannot be written to \(Permission denied\)"):
        folder.Writer(path).__enter__()


def test_one_writer_at_a_time(copy):
    path = copy("ours")
    with folder.Writer(path) as writer:
        assert writer.stale_pid is None
        with pytest.raises(OutputError, match=f"in use by process {os.getpid()}"):
            folder.Writer(path).__enter__()
        assert state(path) == 15  # reading is free
    (path / ".lock").write_text("4194304\n", encoding="ascii")
    with folder.Writer(path) as writer:
        assert writer.stale_pid == 4194304


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match=r"file: cannot be written to"):
        folder.Writer(tmp_path / "file").__enter__()
    with pytest.raises(OutputError, match="cannot be the name of a file"):
        folder.save(tmp_path / "new", {"../outside": b""})
    assert sorted(os.listdir(tmp_path)) == ["file", "new"]


@pytest.mark.parametrize(
    "record",
    [
        "",
        "{}",
        '{"rename": ["../../etc/passwd"], "remove": []}',
        '{"rename": [], "remove": ["/etc/passwd"]}',
        '{"rename": [], "remove": [7]}',
        '{"rename": "config.json", "remove": []}',
        '{"rename": [], "remove": [], "rename": []}',
    ],
)
def test_a_damaged_record_is_named_and_not_followed(copy, record):
    path = copy("ours")
    (path / transaction.RECORD).write_text(record, encoding="utf-8")
    before = visible(path)
    for act in (folder.load, folder.exists, lambda p: folder.Writer(p).__enter__()):
        with pytest.raises(ModelError, match=r"\.commit\.json"):
            act(path)
    assert visible(path) == before


SAVE_FOR_EVER = """
import sys
from pathlib import Path
from minilm.interop import folder

target, *sources = map(Path, sys.argv[1:])
versions = [
    {p.relative_to(s).as_posix(): p.read_bytes() for p in s.rglob("*.*") if p.name[0] in "cmtvs"
     and p.name != "minilm.json" and p.is_file()}
    for s in sources
]
print("ready", flush=True)
while True:
    for version in versions:
        folder.save(target, version)
"""


def test_reading_while_another_process_saves_until_it_is_killed(tmp_path, model, bpe, contents):
    once = {**contents(model, bpe, OLD)}
    twice = {n: value * 2 for n, value in model.parameters.items()}
    double = {**once, **folder.model_files(model.config, twice, bpe), "training/state.json": NEW}
    folder.save(tmp_path / "once", once)
    folder.save(tmp_path / "double", double)
    path = shutil.copytree(tmp_path / "once", tmp_path / "m")

    def check():
        loaded = folder.load(path)
        factor = int(loaded.parameters.flat[0] / model.parameters.flat[0])
        assert (loaded.parameters.flat == model.parameters.flat * factor).all()
        return factor

    seen = []
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVE_FOR_EVER, path, tmp_path / "once", tmp_path / "double"],
            stdout=subprocess.PIPE,
        )
        assert process.stdout.readline().strip() == b"ready"
        seen += [check() for _ in range(40)]
        process.kill()
        process.communicate()
        settled = check()
        assert {1: OLD, 2: NEW}[settled] == (path / "training" / "state.json").read_bytes()
    assert {1, 2} <= set(seen)
