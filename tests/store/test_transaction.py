"""Killed at every step, the disk full at every step: the folder is the old one or the new one."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import minilm
from minilm import files
from minilm.errors import ModelError, OptionError, OutputError
from minilm.nn.parameters import Parameters
from minilm.store import folder, huggingface, ledger, manifest, transaction
from minilm.store.ledger import Ledger
from minilm.text.wordlevel import WordLevelTokenizer

OLD, NEW = b'{"step": 15}', b'{"step": 30}'


class Steps:
    """Counts what a save asks of the system, and calls `act` at a chosen one."""

    def __init__(self, monkeypatch, act):
        self.count, self.at, self.act = 0, None, act
        monkeypatch.setattr(os, "fsync", lambda file: None)  # a kill does not stop the disk
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
    loaded = folder.load(path)
    saved = transaction.locate(path, "training/state.json").read_bytes()
    assert saved in (OLD, NEW)
    assert len(loaded.lineage) == (2 if saved == OLD else 0)
    assert (loaded.seen.hashes == Ledger.of([str(saved)]).hashes).all()
    return json.loads(saved)["step"]


def visible(path):
    return sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())


@pytest.fixture
def new(model, words, contents):
    """The next save: other weights, another kind of tokenizer with fewer files."""
    return contents(model, words, NEW)


def test_a_save_replaces_and_removes(copy, new, model, bpe):
    path = copy("ours")
    (path / "log.csv").write_text("kept\n", encoding="utf-8")
    assert {"merges.txt", "vocab.json"} <= set(visible(path))
    folder.save(path, new)
    assert state(path) == 30
    assert visible(path) == [
        ".lock", "config.json", "log.csv", "minilm.json", "model.safetensors", "seen.hashes",
        "tokenizer.json", "tokenizer_config.json", "training/optimizer.safetensors",
        "training/state.json",
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to die without cleaning up")
def test_killed_at_every_step(kept, tmp_path, model, words, contents, monkeypatch):
    folder.save(tmp_path / "new", contents(model, words, NEW))
    dying = run("die_at_every_step", kept / "ours", tmp_path / "new", tmp_path / "died")
    dying.communicate()
    assert dying.returncode == 0
    monkeypatch.setattr(os, "fsync", lambda file: None)
    seen = []
    for path in sorted((tmp_path / "died").iterdir(), key=lambda p: int(p.name)):
        with monkeypatch.context() as patch:  # a reader that may not settle
            patch.setattr(transaction, "settle_if_free", lambda folder: None)
            seen.append(state(path))
        assert state(path) == seen[-1]
        hidden = [name for name in visible(path) if name.startswith(".")]
        assert hidden == [".lock"], f"step {path.name}: {hidden}"
        assert ("merges.txt" in visible(path)) == (seen[-1] == 15)
        folder.save(path, files_of(tmp_path / "new"))
        assert state(path) == 30
    committed = seen.index(30)
    assert seen == [15] * committed + [30] * (len(seen) - committed)
    assert committed > 20
    assert len(seen) - committed > 15


def run(function, *paths):
    """Start a function of this file in a process of its own, which is small and forks fast."""
    return subprocess.Popen(
        [sys.executable, __file__, function, *paths],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(minilm.__file__).parent.parent)},
    )


def files_of(path):
    """Return what `save` saved, as it is to be given to it again."""
    names = manifest.read(path / manifest.NAME).files
    return {name: (path / name).read_bytes() for name in names}


def die_at_every_step(old, new, died):
    """Save the new over copies of the old, ending at the first, second, ... step of it."""
    contents = files_of(new)
    for at in range(1, 1000):
        path = shutil.copytree(old, died / str(at))
        child = os.fork()
        if child == 0:
            with (
                pytest.MonkeyPatch.context() as patch,
                folder.Writer(path) as writer,
            ):
                steps = Steps(patch, lambda: os._exit(9))
                steps.at = at
                writer.save(contents)
                os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code != 9:
            sys.exit(code)  # 0: it came to the end


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS])
def test_a_write_error_at_every_step_leaves_a_whole_model(kept, tmp_path, new, monkeypatch, fault):
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
                writer.save(new)
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
    assert (
        f"m: cannot be saved; the last good files in it are whole ({os.strerror(fault)})"
        in said.pop()
    )


def test_the_next_save_of_a_writer_finishes_what_failed(copy, new, monkeypatch, lineage):
    path = copy("ours")
    with folder.Writer(path) as writer:
        with monkeypatch.context() as patch:
            patch.setattr(transaction, "_replace", lambda *_: os.rename("nowhere", "nothing"))
            with pytest.raises(OutputError, match="No such file"):
                writer.save(new)
        assert (path / transaction.RECORD).exists()
        assert state(path) == 30  # as if it were finished
        seen = Ledger.of([str(OLD)]).to_bytes()
        writer.save({**new, "training/state.json": OLD, ledger.NAME: seen}, lineage)
        assert not (path / transaction.RECORD).exists()
        assert state(path) == 15


def test_an_unfinished_save_is_read_where_nothing_can_be_written(copy, new, monkeypatch):
    path = copy("ours")
    with folder.Writer(path) as writer, monkeypatch.context() as patch:
        patch.setattr(transaction, "_replace", lambda *_: os.rename("nowhere", "nothing"))
        with pytest.raises(OutputError):
            writer.save(new)

    class ReadOnly:
        def __init__(self, folder, wait=0.0):
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


def test_a_folder_that_was_made_for_nothing_is_removed(tmp_path):
    path = tmp_path / "new"
    with pytest.raises(ValueError, match="stop"), transaction.FolderWriter(path):
        raise ValueError("stop")
    assert not path.exists()
    path.mkdir()
    with pytest.raises(ValueError, match="stop"), transaction.FolderWriter(path):
        raise ValueError("stop")
    assert path.is_dir()  # a person made it
    with pytest.raises(OptionError, match="the output folder is ''; give its path"):
        transaction.FolderWriter("")


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match=r"file: cannot be written to"):
        folder.Writer(tmp_path / "file").__enter__()
    with pytest.raises(OutputError, match="cannot be the name of a file"):
        folder.save(tmp_path / "new", {"../outside": b""})
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "record",
    [
        "",
        "{}",
        "[]",
        '{"remove": ["../../etc/passwd"]}',
        '{"remove": ["config.json", "/etc/passwd"]}',
        '{"remove": [7]}',
        '{"remove": "config.json"}',
        '{"remove": [], "remove": []}',
    ],
)
def test_a_damaged_record_is_named_and_not_followed(copy, record):
    path = copy("ours")
    (path / transaction.STAGING).mkdir()
    (path / transaction.RECORD).write_text(record, encoding="utf-8")
    before = visible(path)
    for act in (folder.load, folder.exists, lambda p: folder.Writer(p).__enter__()):
        with pytest.raises(ModelError, match=r"\.commit\.json"):
            act(path)
    assert visible(path) == before


@pytest.mark.parametrize("saves", [1, 2, 1000])
def test_a_save_in_the_middle_of_reading_is_noticed(copy, new, monkeypatch, saves):
    path = copy("ours")
    open_weights = huggingface.open_weights
    left = [saves]

    def open_late(*arguments):  # after the configuration, before the tokenizer
        if left[0]:
            left[0] -= 1
            folder.save(path, new)
        return open_weights(*arguments)

    monkeypatch.setattr(huggingface, "open_weights", open_late)
    monkeypatch.setattr(folder, "_WAIT", 0.0)
    if saves == 1000:
        with pytest.raises(ModelError, match=r"keeps saving to it|minilm\.json says"):
            folder.load(path)
        return
    loaded = folder.load(path)
    assert isinstance(loaded.tokenizer, WordLevelTokenizer)
    assert loaded.lineage == ()
    assert left == [0]


def test_a_change_that_is_finished_while_a_file_is_being_opened(copy, new, monkeypatch):
    path = copy("ours")
    with monkeypatch.context() as patch:  # as if the process died here
        patch.setattr(transaction, "_finish", lambda *_: None)
        folder.save(path, new)
    assert transaction.is_changing(path)
    read_tokenizer, settle = huggingface.read_tokenizer, transaction.settle_if_free

    def read_late(locate, size):  # the paths are known, then the other process renames the files
        found = {name: locate(name) for name in ("tokenizer.json", "vocab.json", "merges.txt")}
        settle(path)
        return read_tokenizer(found.get, size)

    monkeypatch.setattr(transaction, "settle_if_free", lambda _: None)  # the other has the lock
    monkeypatch.setattr(huggingface, "read_tokenizer", read_late)
    assert isinstance(folder.load(path).tokenizer, WordLevelTokenizer)


def save_for_ever(path, *sources):
    """Save one after the other until the process is killed, with pauses that a reader needs."""
    versions = [files_of(source) for source in sources]
    print("ready", flush=True)
    while True:
        for version in versions:
            folder.save(path, version)
            time.sleep(0.1)


def test_reading_while_another_process_saves_until_it_is_killed(tmp_path, model, bpe, contents):
    once = {**contents(model, bpe, OLD)}
    twice = Parameters(model.parameters.shapes, np.float32)
    twice.flat[...] = model.parameters.flat * 2
    double = {**once, **folder.model_files(model.config, twice, bpe), "training/state.json": NEW}
    folder.save(tmp_path / "once", once)
    folder.save(tmp_path / "double", double)
    path = shutil.copytree(tmp_path / "once", tmp_path / "m")
    once_flat = model.parameters.flat

    def factor_of(saved):
        factor = int(saved.parameters.flat[0] / once_flat[0])
        assert (saved.parameters.flat == once_flat * factor).all()
        return factor

    for _ in range(4):
        seen = []
        with run("save_for_ever", path, tmp_path / "once", tmp_path / "double") as process:
            try:
                assert process.stdout.readline().strip() == b"ready"
                while len(seen) < 40 or {1, 2} != set(seen):
                    assert process.poll() is None, "the process that saves has ended"
                    # A slow machine may find no moment to read in; it must never read a mixture.
                    try:
                        seen.append(factor_of(folder.load(path)))
                    except ModelError as error:
                        assert "keeps saving to it" in str(error)  # noqa: PT017
            finally:
                process.kill()
        settled = factor_of(folder.load(path))
        assert {1: OLD, 2: NEW}[settled] == (path / "training" / "state.json").read_bytes()


if __name__ == "__main__":
    globals()[sys.argv[1]](*map(Path, sys.argv[2:]))
