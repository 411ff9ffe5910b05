"""Token files: what they hold, and that damage to them is noticed."""

import numpy as np
import pytest

from minilm.store.folder import END_OF_TEXT
from minilm.text.bpe import BytePairTokenizer
from minilm.text.wordlevel import WordLevelTokenizer
from minilm.training import tokens

DOCUMENTS = [f"document {number} é\n" for number in range(45)]


@pytest.fixture(params=["bpe", "word"])
def tokenizer(request):
    if request.param == "bpe":
        return BytePairTokenizer.train(DOCUMENTS, 300, [END_OF_TEXT])
    return WordLevelTokenizer.train(DOCUMENTS)


def test_every_twentieth_document_is_held_out(tmp_path, tokenizer):
    found = tokens.write(tmp_path / "t", DOCUMENTS, tokenizer, 0, "x")
    held_out = [DOCUMENTS[19], DOCUMENTS[39]]
    train = [document for document in DOCUMENTS if document not in held_out]
    for part, expected in (("train", train), ("held_out", held_out)):
        ids = [0]
        for document in expected:
            ids += [*tokenizer.encode(document), 0]
        np.testing.assert_array_equal(found.open(part), ids)
    assert found.documents == 45
    assert found.dtype == np.uint16


def test_few_documents_give_their_last_tokens(tmp_path, tokenizer):
    found = tokens.write(tmp_path, ["document 1 " * 100], tokenizer, 0, "x")
    whole = np.array([0, *tokenizer.encode("document 1 " * 100), 0])
    train, held_out = found.open("train"), found.open("held_out")
    assert len(held_out) == len(whole) // 20 + 1
    # Every token is a target once: the first of the held-out part is the last one trained on.
    np.testing.assert_array_equal(np.concatenate((train, held_out[1:])), whole)
    assert held_out[0] == train[-1]


def test_files_are_found_again_if_all_is_as_it_was(tmp_path, tokenizer):
    made = tokens.write(tmp_path, DOCUMENTS, tokenizer, 0, {"text": "a"})
    assert tokens.find(tmp_path, {"text": "a"}) == made
    assert tokens.find(tmp_path, {"text": "b"}) is None


@pytest.mark.parametrize("name", ["train.tokens", "held_out.tokens", "tokens.json"])
@pytest.mark.parametrize("damage", ["flipped", "short", "missing"])
def test_damage_is_noticed(tmp_path, tokenizer, name, damage):
    tokens.write(tmp_path, DOCUMENTS, tokenizer, 0, "x")
    path = tmp_path / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x15
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content if damage == "flipped" else content[:-1])
    assert tokens.find(tmp_path, "x") is None
    again = tokens.write(tmp_path, DOCUMENTS, tokenizer, 0, "x")
    assert tokens.find(tmp_path, "x") == again


def test_removing_leaves_other_files(tmp_path, tokenizer):
    tokens.write(tmp_path, DOCUMENTS, tokenizer, 0, "x")
    (tmp_path / "state.json").touch()
    (tmp_path / ".train.tokens.abc.tmp").touch()  # of a process that was killed
    tokens.remove(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    tokens.remove(tmp_path / "nowhere")


def test_large_vocabularies_take_four_bytes(tmp_path):
    words = {f"w{i}": i for i in range(2, 70_000)}
    tokenizer = WordLevelTokenizer({END_OF_TEXT: 0, "<unk>": 1, **words})
    assert tokens.write(tmp_path, ["a"], tokenizer, 0, "x").dtype == np.uint32
