"""Pretraining as a whole: what it starts from, resuming, and what it refuses."""

import os
import re
import shutil
import string
import tracemalloc

import numpy as np
import pytest
from closeness import assert_close

from minilm.data.documents import read_documents
from minilm.embeddings import cooccurrence, svd
from minilm.errors import InputError, MinilmError, ModelError, OptionError, OutputError
from minilm.files import FolderLock
from minilm.models.batches import ShuffledWindows
from minilm.store import folder, ledger, manifest
from minilm.store.ledger import Ledger
from minilm.training import checkpoint, log, pretrain, settings, tokens, word_start


def silent(line):
    """Take a line and say nothing."""


@pytest.fixture
def copy(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "model")


def bytes_of(path):
    names = [p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()]
    return {n: (path / n).read_bytes() for n in names if n not in ("log.csv", "loss.png", ".lock")}


def test_what_a_finished_run_leaves(trained, text):
    names = {p.relative_to(trained).as_posix() for p in trained.rglob("*") if p.is_file()}
    assert names == {
        *("config.json", "model.safetensors", "minilm.json", ".lock", "log.csv", "loss.png"),
        *("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"),
        *("seen.hashes", "training/state.json", "training/replay.safetensors"),
    }
    (stage,) = folder.load(trained).lineage
    assert (stage.kind, stage.steps, stage.tokens) == ("pretrain", 30, 30 * 4 * 16)
    assert stage.data == (folder.source(text),)
    assert stage.settings["learning_rate"] == 2e-3
    assert stage.settings["machine"] == checkpoint.machine()
    assert "save_seconds" not in stage.settings
    rows = log.read(trained / "log.csv")
    assert rows[-1].held_out_loss < rows[0].loss - 0.8
    assert rows[-1].held_out_bits_per_byte > 0


def test_two_runs_are_equal_to_the_bit_and_the_seed_matters(trained, text, tiny, tmp_path):
    pretrain.pretrain([text], tmp_path / "again", tiny, say=silent)
    assert bytes_of(tmp_path / "again") == bytes_of(trained)
    pretrain.pretrain([text], tmp_path / "other", {**tiny, "seed": 1}, say=silent)
    assert bytes_of(tmp_path / "other") != bytes_of(trained)


@pytest.mark.parametrize(("tokenizer", "window", "length"), [("bpe", 2, 0.2), ("word", 15, 1.0)])
def test_word_embeddings_start_from_cooccurrence(
    text, tiny, tmp_path, tokenizer, window, length, monkeypatch
):
    started = []
    monkeypatch.setattr(pretrain.loop, "train", lambda run, *rest: started.append(run))
    monkeypatch.setattr(pretrain.log, "draw", lambda path: path)
    given = {**tiny, "tokenizer": tokenizer, "n_embd": 8}
    pretrain.pretrain([text], tmp_path / "a", given, say=silent)
    pretrain.pretrain([text], tmp_path / "b", {**given, "init": "random"}, say=silent)
    ours, random = (run.model.parameters["wte.weight"] for run in started)
    ids = started[0].train.tokens.astype(np.int64)
    counts = cooccurrence.count(np.where(ids == 0, -1, ids), window, len(ours))
    vectors = svd.word_vectors(counts, dimensions=8, rng=pretrain.generator(0, "svd"))
    met = vectors.any(axis=1)
    assert 0 < met.sum() < len(met)  # `<|endoftext|>` at least meets nobody
    np.testing.assert_array_equal(ours[met], vectors[met] * np.float32(length))
    np.testing.assert_array_equal(ours[~met], random[~met])
    assert_close(np.linalg.norm(ours[met], axis=1), length, rtol=1e-5)
    np.testing.assert_array_equal(
        started[0].model.parameters["wpe.weight"], started[1].model.parameters["wpe.weight"]
    )


def test_pieces_and_narrow_vocabularies_are_counted_too(monkeypatch):
    monkeypatch.setattr(word_start, "_PIECE", 7)
    table = np.full((5, 9), 7.0, np.float32)
    ids = np.array([0, 1, 2, 1, 2, 0, 3, 1, 2, 3, 0], np.uint16)
    word_start.from_cooccurrence(
        table, ids, window=2, length=0.3, end=0, rng=np.random.default_rng(0)
    )
    assert (table[:, 5:] == 7).all()  # as wide as there are tokens, and no wider
    assert (table[[0, 4]] == 7).all()  # the end of text, and what does not occur
    assert_close(np.linalg.norm(table[1:4, :5], axis=1), 0.3, rtol=1e-5)
    lonely = np.full((3, 2), 7.0, np.float32)
    word_start.from_cooccurrence(
        lonely, np.array([0, 1, 0, 2, 0]), window=2, length=1, end=0, rng=np.random.default_rng(0)
    )
    assert (lonely == 7).all()


def test_the_tokenizer_has_not_seen_the_held_out_part(tmp_path, tiny):
    path = tmp_path / "t.txt"
    lines = ["the cat sat\n"] * 60
    lines[19] = lines[39] = lines[59] = "zyzzyva " * 60 + "\n"
    path.write_text("".join(lines), encoding="utf-8")
    pretrain.pretrain([path], tmp_path / "m", {**tiny, "steps": 1}, say=silent)
    vocab = folder.load(tmp_path / "m").tokenizer.vocab
    assert "Ġcat" in vocab
    assert not any("zy" in token for token in vocab)


def test_epochs_count_windows(text, tiny, tmp_path):
    given = {**{k: v for k, v in tiny.items() if k != "steps"}, "epochs": 0.5}
    pretrain.pretrain([text], tmp_path / "m", given, say=silent)
    (stage,) = folder.load(tmp_path / "m").lineage
    count = stage.settings["steps"] * 4
    rows = log.read(tmp_path / "m" / "log.csv")
    assert len(rows) == stage.steps == stage.settings["steps"]
    assert stage.settings["epochs"] == 0.5
    train = (stage.tokens / 16 / 4) * 4
    assert count == train


def test_several_files_and_a_table(tmp_path, tiny):
    (tmp_path / "a.txt").write_text("the cat sat on the mat\n" * 50, encoding="utf-8")
    (tmp_path / "b.csv").write_text("text,x\n" + "a dog ran far,1\n" * 50, encoding="utf-8")
    said = []
    pretrain.pretrain(
        [tmp_path / "a.txt", tmp_path / "b.csv"],
        tmp_path / "m",
        {**tiny, "steps": 2, "tokenizer": "word"},
        say=said.append,
    )
    (stage,) = folder.load(tmp_path / "m").lineage
    assert [source.name for source in stage.data] == ["a.txt", "b.csv"]
    assert said[1].startswith("100 documents, tokenizer of 11 entries; ")
    assert "bits per byte" not in "".join(said)  # the word tokenizer loses some of the text


# ---------------------------------------------------------------------- resuming


class Stop(Exception):
    """Stands for the end of a process."""


def stop_at(monkeypatch, step):
    """Let the next run die after it has saved this step."""
    save = pretrain.Run.save

    def save_and_die(self, state):
        save(self, state)
        if state.step >= step and not state.finished:
            raise Stop

    monkeypatch.setattr(pretrain.Run, "save", save_and_die)


@pytest.fixture
def stopped(text, tiny, tmp_path):
    """Return the folder of a run that ended after ten steps."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        stop_at(monkeypatch, 10)
        with pytest.raises(Stop):
            pretrain.pretrain([text], tmp_path / "m", {**tiny, "save_seconds": 0.0}, say=silent)
    return tmp_path / "m"


def test_a_resumed_run_ends_as_the_whole_one(stopped, trained, text, tiny):
    said = []
    pretrain.pretrain([text], stopped, {}, resume=True, say=said.append)
    assert said[0] == f"{stopped}: continuing after step 10 of 30"
    assert bytes_of(stopped) == bytes_of(trained)
    assert [row.step for row in log.read(stopped / "log.csv")] == list(range(1, 31))


@pytest.mark.parametrize("name", ["train.tokens", "tokens.json"])
def test_damaged_token_files_are_made_again(stopped, trained, text, name):
    path = stopped / "training" / name
    path.write_bytes(path.read_bytes()[:-3])
    pretrain.pretrain([text], stopped, {}, resume=True, say=silent)
    assert bytes_of(stopped) == bytes_of(trained)


def test_token_files_are_used_again(stopped, text, monkeypatch):
    monkeypatch.setattr(tokens, "write", None)
    pretrain.pretrain([text], stopped, {}, resume=True, say=silent)


def test_nothing_to_do(copy, text, tiny):
    before, said = bytes_of(copy), []
    pretrain.pretrain([text], copy, tiny, resume=True, say=said.append)
    assert said == [f"{copy}: finished at step 30; nothing to do"]
    assert bytes_of(copy) == before


def test_a_run_that_was_killed_before_its_first_save_begins_again(text, tiny, trained, tmp_path):
    (tmp_path / "m" / "training").mkdir(parents=True)
    said = []
    pretrain.pretrain([text], tmp_path / "m", tiny, resume=True, say=said.append)
    assert said[0] == f"{tmp_path / 'm'}: nothing is saved here yet; starting again"
    assert bytes_of(tmp_path / "m") == bytes_of(trained)


def test_resuming_where_nothing_was_begun_is_an_error(stopped, text, tiny):
    nowhere = stopped.parent / "n"
    message = rf"--resume: nothing was begun in .*n; did you mean {re.escape(str(stopped))}\? To"
    with pytest.raises(OptionError, match=message):
        pretrain.pretrain([text], nowhere, tiny, resume=True, say=silent)
    assert not nowhere.exists()


def test_a_renamed_text_resumes(stopped, trained, text, tmp_path):
    renamed = tmp_path / "other name.md"
    shutil.copy(text, renamed)
    pretrain.pretrain([renamed], stopped, {}, resume=True, say=silent)
    weights = "model.safetensors"
    assert (stopped / weights).read_bytes() == (trained / weights).read_bytes()


def test_the_output_is_no_data(text, tiny, tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    shutil.copy(text, folder / "a.txt")
    pretrain.pretrain([folder], folder / "m", tiny, say=silent)
    said = []
    pretrain.pretrain([folder], folder / "m", tiny, resume=True, say=said.append)
    assert said[-1].endswith("nothing to do")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"learning_rate": 0.5},
            r"--resume: learning_rate is 0.5, but the run .* began with 0.002",
        ),
        ({"threads": 2}, "--resume: threads is 2, but the run .* began with 1"),
        ({"epochs": 3.0}, "--resume: epochs is 3.0, but the run .* began with None"),
    ],
)
def test_a_resumed_run_keeps_its_settings(stopped, text, given, message):
    with pytest.raises(OptionError, match=message):
        pretrain.pretrain([text], stopped, given, resume=True, say=silent)


def test_a_resumed_run_keeps_its_text(stopped, tmp_path):
    other = tmp_path / "cats.txt"
    other.write_text("another text\n" * 100, encoding="utf-8")
    with pytest.raises(OptionError, match=r"the text is not the one that .* \(cats\.txt\)"):
        pretrain.pretrain([other], stopped, {}, resume=True, say=silent)


def test_another_machine_is_mentioned(stopped, text, monkeypatch):
    said = []
    monkeypatch.setattr(checkpoint, "machine", lambda: {"numpy": "9.9"})
    pretrain.pretrain([text], stopped, {}, resume=True, say=said.append)
    assert "here is {'numpy': '9.9'}: the last bits" in said[0]


def test_a_model_is_not_overwritten(copy, text, tiny):
    before = bytes_of(copy)
    with pytest.raises(OutputError, match="holds a model already; continue with --resume"):
        pretrain.pretrain([text], copy, tiny, say=silent)
    assert bytes_of(copy) == before


def test_a_model_without_state_cannot_be_resumed(copy, text):
    shutil.rmtree(copy / "training")
    with pytest.raises(ModelError, match="has no training state"):
        pretrain.pretrain([text], copy, {}, resume=True, say=silent)


def test_a_damaged_state_is_found(stopped, text):
    path = stopped / "training" / "optimizer.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"optimizer\.safetensors: its checksum differs"):
        pretrain.pretrain([text], stopped, {}, resume=True, say=silent)


def test_one_process_trains_into_a_folder(copy, text, tiny):
    with FolderLock(copy), pytest.raises(OutputError, match=f"in use by process {os.getpid()}"):
        pretrain.pretrain([text], copy, tiny, resume=True, say=silent)


def test_a_full_disk_leaves_the_last_good_model(stopped, text, monkeypatch):
    before = bytes_of(stopped)

    def full(tensors, file, metadata=None):
        file.write(b"a beginning")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.safetensors, "dump", full)
    with pytest.raises(OutputError, match=r"cannot be saved.*\(No space left on device\)"):
        pretrain.pretrain([text], stopped, {"save_seconds": 0.0}, resume=True, say=silent)
    assert bytes_of(stopped) == before
    assert folder.load(stopped).lineage[0].steps == 10


def test_diverging_keeps_the_last_good_model(text, tiny, tmp_path):
    given = {**tiny, "learning_rate": 1e30, "warmup": 0, "save_seconds": 0.0}
    with pytest.raises(
        MinilmError, match=r"after step \d+: .* The last good model, from step \d+, is"
    ):
        pretrain.pretrain([text], tmp_path / "m", given, say=silent)
    assert np.isfinite(folder.load(tmp_path / "m").parameters.flat).all()


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("a few words\n", InputError, r"t\.txt: \d+ tokens of text are too few for a context"),
        (
            string.ascii_letters[:39],
            InputError,
            r"t\.txt: there is too little text to hold some out",
        ),
        ("\n\n", InputError, "no text in it"),
        ("", InputError, "the file is empty"),
    ],
)
def test_too_little_text(tmp_path, tiny, content, error, message):
    path = tmp_path / "t.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(error, match=message):
        pretrain.pretrain([path], tmp_path / "m", tiny, say=silent)
    assert not (tmp_path / "m").exists()


def test_a_text_larger_than_memory_is_not_read_at_once(tmp_path):
    """Forty megabytes of tokens are trained on with a few of memory."""
    rng = np.random.default_rng(0)
    with open(tmp_path / "train.tokens", "wb") as file:
        for _ in range(10):
            file.write(rng.integers(300, size=2_000_000, dtype=np.uint16).tobytes())
    span = tokens.Span("train.tokens", 0, 20_000_000)
    found = tokens.TokenFiles(tmp_path, np.dtype("<u2"), {"train": span}, 1)
    tracemalloc.start()
    try:
        windows = ShuffledWindows(found.open("train"), 64, 16, seed=0)
        total = sum(int(windows[step][1].sum()) for step in range(20))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 140 < total / (20 * 16 * 64) < 160
    assert peak < 6e6  # 312,000 windows have 2.5 MB of order


def test_what_is_said_is_for_people(text, tiny, tmp_path, capsys):
    pretrain.pretrain([text], tmp_path / "m", {**tiny, "patience": 5}, say=print)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "reading cats.txt; the tokenizer (bpe) is trained first"
    assert re.fullmatch(
        r"120 documents, tokenizer of 2\d\d entries; "
        r"[\d,]+ tokens to train on, \d+ held out",
        said[1],
    )
    assert said[2].startswith("step 0  ")
    assert any(
        re.fullmatch(r"step 30  held out: perplexity [\d.]+, [\d.]+ bits .*", s) for s in said
    )
    assert said[-3].startswith("stopped at step 30; the model of step ")
    assert said[-1] == f"{tmp_path / 'm'}: model, log.csv and loss.png"


def test_what_was_read_stands_in_the_ledger(trained, text):
    seen = folder.load(trained).seen
    assert (seen.hashes == Ledger.of(read_documents([text])).hashes).all()
    assert len(seen) == 2


def test_a_run_begun_before_there_were_ledgers_gets_one(trained, text, tiny, tmp_path):
    path = tmp_path / "m"
    with folder.Writer(path) as writer:
        sources = (folder.source(text),)
        run = pretrain.begin([text], sources, settings.complete(tiny), writer, silent)
        contents = {n: (path / n).read_bytes() for n in manifest.read(path / manifest.NAME).files}
        del contents[ledger.NAME], run
        writer.save(contents, folder.load(path).lineage)
    assert folder.load(path).seen is None
    pretrain.pretrain([text], path, tiny, resume=True, say=silent)
    assert bytes_of(path) == bytes_of(trained)
