"""The ledger: what it knows, its file, and files that are damaged or made to do harm."""

import numpy as np
import pytest

from minilm.data.quality import fingerprints
from minilm.errors import ModelError
from minilm.store import describe, folder, ledger
from minilm.store.ledger import Ledger

TEXTS = [f"text number {i}" for i in range(50)]


def hashes_of(texts):
    return [fingerprints.fingerprint(text) for text in texts]


def test_it_knows_what_it_was_given_and_nothing_else():
    seen = Ledger.of(TEXTS[:30] * 2)
    assert len(seen) == 30
    assert seen.knows(hashes_of(TEXTS)).tolist() == [True] * 30 + [False] * 20
    assert not Ledger.of([]).knows(hashes_of(TEXTS)).any()
    assert seen.knows([0, 2**64 - 1]).tolist() == [False, False]
    both = seen.extended(Ledger.of(TEXTS[20:40]))
    assert len(both) == 40
    assert both.knows(hashes_of(TEXTS)).tolist() == [True] * 40 + [False] * 10


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("two words\n", "  two \t words", True),
        ("caf\u00e9", "cafe\u0301", True),  # composed, and a letter with an accent after it
        ("Two words", "two words", False),
        ("a b", "ab", False),
        ("\ud800 half a character", "\ud801 half a character", False),
    ],
)
def test_what_counts_as_the_same_text(one, other, same):
    assert (fingerprints.fingerprint(one) == fingerprints.fingerprint(other)) is same


def test_fingerprints_are_those_of_every_system_and_version():
    assert fingerprints.fingerprint("The cat sat on the mat.") == EXPECTED
    assert 0 <= fingerprints.fingerprint("") < 2**64


EXPECTED = int.from_bytes(
    # `printf 'The cat sat on the mat.' | b2sum --length 64`, read as little-endian
    bytes.fromhex("5faf202d3c0e9c32"),
    "little",
)


@pytest.mark.parametrize("count", [0, 1, 50])
def test_written_and_read(tmp_path, count):
    seen = Ledger.of(TEXTS[:count])
    path = tmp_path / ledger.NAME
    path.write_bytes(seen.to_bytes())
    assert path.stat().st_size == 16 + 8 * count
    again = ledger.read(path)
    assert again.hashes.dtype == np.uint64
    assert (again.hashes == seen.hashes).all()


GOOD = Ledger.of(TEXTS).to_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it begins with something else"),
        (GOOD[:12], "it begins with something else"),
        (b"MLMSEEN1" + GOOD[8:], "it begins with something else"),
        (GOOD[:-1], "415 bytes cannot hold 50 fingerprints"),
        (GOOD + b"\0", "417 bytes cannot hold 50"),
        (GOOD[:8] + b"\xff" * 8 + GOOD[16:], "416 bytes cannot hold 18,446,744,073,709,551,615"),
        (GOOD[:16] + GOOD[24:] + GOOD[16:24], "not in order"),
        (GOOD[:16] + GOOD[16:24] * 50, "not in order"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, content, message):
    path = tmp_path / ledger.NAME
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        ledger.read(path)
    assert str(path) in str(caught.value)


def test_a_ledger_that_is_not_there(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        ledger.read(tmp_path / "none")


def test_it_goes_with_the_model(tmp_path, model, bpe, copy):
    seen = Ledger.of(TEXTS)
    path = tmp_path / "m"
    folder.save(path, folder.model_files(model.config, model.parameters, bpe, seen))
    assert (folder.load(path).seen.hashes == seen.hashes).all()
    folder.save(path, folder.model_files(model.config, model.parameters, bpe))
    assert not (path / ledger.NAME).exists()
    assert folder.load(path).seen is None
    assert folder.load(copy("single")).seen is None


def test_a_changed_byte_is_found(tmp_path, model, bpe):
    path = tmp_path / "m"
    seen = Ledger.of(TEXTS)
    folder.save(path, folder.model_files(model.config, model.parameters, bpe, seen))
    content = bytearray((path / ledger.NAME).read_bytes())
    content[-1] ^= 1
    (path / ledger.NAME).write_bytes(content)
    with pytest.raises(ModelError, match=r"seen\.hashes: its checksum differs"):
        folder.load(path)


def test_a_foreign_file_of_that_name_is_nobody_s_ledger(copy):
    path = copy("single")
    (path / ledger.NAME).write_bytes(b"something else")
    assert folder.load(path).seen is None


def test_inspecting_tells_how_much_was_seen(tmp_path, model, bpe, copy):
    path = tmp_path / "m"
    seen = Ledger.of(TEXTS)
    folder.save(path, folder.model_files(model.config, model.parameters, bpe, seen))
    assert describe.describe(path)["documents_seen"] == 50
    assert describe.describe(copy("single"))["documents_seen"] is None
