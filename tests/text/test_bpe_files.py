"""The tokenizer's files: there and back, and every way in which they can be damaged."""

import json
import random

import pytest

from minilm.errors import ModelError
from minilm.text import bpe_files
from minilm.text.bpe import BytePairTokenizer

TEXT = "a tokenizer's files are read back as they were written, to the last byte: ein Wörterbuch"


@pytest.fixture(scope="module")
def tokenizer():
    return BytePairTokenizer.train([TEXT] * 2, 300, ["<|end|>", "<é>"])


@pytest.fixture
def folder(tokenizer, tmp_path):
    tokenizer.save(tmp_path)
    return tmp_path


def same(one, other):
    return (one.vocab, one.merges, set(one.special_tokens)) == (
        other.vocab,
        other.merges,
        set(other.special_tokens),
    )


def read_from(folder, name):
    if name == "tokenizer.json":
        return BytePairTokenizer.from_tokenizer_json(folder / name)
    return BytePairTokenizer.from_files(folder / "vocab.json", folder / "merges.txt")


def change(path, edit):
    """Apply `edit` to a JSON file's content."""
    content = json.loads(path.read_text(encoding="utf-8"))
    edit(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_what_is_saved_is_read_back_in_each_way(tokenizer, folder):
    assert same(BytePairTokenizer.from_tokenizer_json(folder / "tokenizer.json"), tokenizer)
    assert same(BytePairTokenizer.from_folder(str(folder)), tokenizer)
    (folder / "tokenizer.json").unlink()
    assert same(BytePairTokenizer.from_folder(folder), tokenizer)
    assert same(
        BytePairTokenizer.from_files(folder / "vocab.json", folder / "merges.txt"), tokenizer
    )


def test_saving_twice_gives_the_same_bytes(tokenizer, folder, tmp_path):
    again = tmp_path / "again"
    again.mkdir()
    BytePairTokenizer.from_folder(folder).save(again)
    for name in bpe_files.NAMES:
        assert (again / name).read_bytes() == (folder / name).read_bytes()


def test_merges_are_read_with_and_without_version_and_with_windows_line_ends(tokenizer, folder):
    path = folder / "merges.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#version: 0.2"
    for kept in (lines[1:], ["\ufeff" + lines[0], *lines[1:]]):
        path.write_bytes("\r\n".join(kept).encode())
        assert BytePairTokenizer.from_files(folder / "vocab.json", path).merges == tokenizer.merges


@pytest.mark.parametrize("kept", [0, 30])
def test_merges_that_were_cut_short_are_refused(tmp_path, kept):
    """Without them their tokens would be taken for special ones, or never be used."""
    text = "The captain sold the wooden boat; nobody asked about money, weather or the long road. "
    BytePairTokenizer.train([text * 3], 340, ["<|endoftext|>"]).save(tmp_path)
    path = tmp_path / "merges.txt"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    assert len(lines) > kept + 20
    path.write_text("".join(lines[: kept + 1]), encoding="utf-8", newline="")
    message = rf"merges.txt: its {kept} merges do not give \d+ of the \d+ tokens, .*; copy it again"
    with pytest.raises(ModelError, match=message):
        BytePairTokenizer.from_files(tmp_path / "vocab.json", path)
    change(
        tmp_path / "tokenizer.json", lambda c: c["model"]["merges"].__delitem__(slice(kept, None))
    )
    with pytest.raises(ModelError, match=message.replace("merges.txt", "tokenizer.json")):
        BytePairTokenizer.from_tokenizer_json(tmp_path / "tokenizer.json")


def test_merges_as_lists_and_tokens_added_outside_the_model(tokenizer, folder):
    path = folder / "tokenizer.json"

    def edit(content):
        model = content["model"]
        model["merges"] = [merge.split(" ") for merge in model["merges"]]
        content["added_tokens"].append({"id": 300, "content": "<pad>", "special": True})
        content["post_processor"] = {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}],
        }

    change(path, edit)
    read = BytePairTokenizer.from_tokenizer_json(path)
    assert read.merges == tokenizer.merges
    assert read.encode("a<pad>") == [*tokenizer.encode("a"), 300]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("vocab.json", b'{"a": 0, "b"', "vocab.json:1: not valid JSON"),
        ("vocab.json", b"\xff\xfe", "not UTF-8 at byte 0"),
        ("vocab.json", b'{"a": 0, "a": 1}', "the JSON key 'a' appears twice"),
        ("vocab.json", b"[]", "no vocabulary: an object"),
        ("vocab.json", b'{"a": "0"}', "the id of 'a' is '0', not an integer"),
        ("vocab.json", b'{"a": true}', "the id of 'a' is True"),
        ("vocab.json", b'{"a": NaN}', "NaN is not JSON"),
        ("vocab.json", b"[" * 100_000, "JSON nested too deeply"),
        ("vocab.json", b'{"a": ' + b"9" * 10_000 + b"}", "not valid JSON"),
        ("vocab.json", b"", "not valid JSON"),
        ("merges.txt", b"#version: 0.2\nt h\nt h e\n", "merges.txt:3: 't h e' is not a merge"),
        ("merges.txt", b"t h\n\nt h\n", "merges.txt:2: '' is not a merge"),
        ("merges.txt", b"t \n", "merges.txt:1: 't ' is not a merge"),
        ("merges.txt", b"t qqq\n", "merges.txt: merge 1, 't' 'qqq': 'qqq' is not in the vo"),
        ("merges.txt", b"\x80", "merges.txt: not UTF-8"),
        ("tokenizer.json", b"[]", "an object was expected"),
        ("tokenizer.json", b"{}", "it has no 'model'"),
        ("tokenizer.json", b'{"model": {"type": "WordLevel"}}', "kind 'WordLevel', not BPE"),
    ],
)
def test_damaged_files_are_named(folder, name, content, message):
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        read_from(folder, name)


def set_in(*keys):
    """Return an edit that sets content[keys[0]]... to the last of `keys`."""

    def edit(content):
        *path, last, value = keys
        for key in path:
            content = content[key]
        content[last] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (set_in("normalizer", {"type": "NFC"}), "what differs: normalizer"),
        (set_in("pre_tokenizer", "add_prefix_space", True), "what differs: pre_tokenizer"),
        (set_in("pre_tokenizer", {"type": "Whitespace"}), "what differs: pre_tokenizer"),
        (set_in("decoder", None), "what differs: decoder"),
        (set_in("post_processor", {"type": "RobertaProcessing"}), "what differs: post_processor"),
        (set_in("model", "end_of_word_suffix", "</w>"), "what differs: end_of_word_suffix"),
        (set_in("model", "merges", None), "no list of merges"),
        (set_in("model", "merges", 0, ["a"]), "is not a merge"),
        (set_in("model", "merges", 0, ["a", 1]), "is not a merge"),
        (set_in("model", "vocab", "<|end|>", 299), "has the id 299 and, as added, 0"),
        (set_in("added_tokens", 0, "lstrip", True), "has lstrip set"),
        (set_in("added_tokens", 0, "id", 5_000_000_000), "has the id 0 and, as added, 5000000000"),
        (set_in("added_tokens", 0, {"content": ""}), "is not an added token"),
        (
            set_in("added_tokens", 0, {"content": "\udcff", "id": 300}),
            "nor a special token of whole",
        ),
        (set_in("added_tokens", {"id": 1}), "added_tokens are not a list"),
        (set_in("model", "vocab", "\ud800", 300), "is neither spelled in byte symbols"),
    ],
)
def test_a_tokenizer_json_that_asks_for_something_else_is_refused(folder, edit, message):
    path = folder / "tokenizer.json"
    change(path, edit)
    with pytest.raises(ModelError, match=message) as raised:
        BytePairTokenizer.from_tokenizer_json(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_a_file_of_five_gigabytes_is_refused_unread(folder):
    with open(folder / "vocab.json", "r+b") as file:
        file.truncate(5_000_000_000)  # a hole, no disk space
    with pytest.raises(ModelError, match="5,000,000,000 bytes"):
        BytePairTokenizer.from_files(folder / "vocab.json", folder / "merges.txt")


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"no tokenizer here: none of tokenizer\.json, vo"):
        BytePairTokenizer.from_folder(tmp_path)
    with pytest.raises(ModelError, match=r"vocab\.json: no such file"):
        BytePairTokenizer.from_files(tmp_path / "vocab.json", tmp_path / "merges.txt")
    with pytest.raises(ModelError, match="a folder; name a file in it"):
        BytePairTokenizer.from_tokenizer_json(tmp_path)


@pytest.mark.parametrize("name", bpe_files.NAMES)
def test_damage_anywhere_is_an_error_of_ours_or_harmless(tokenizer, folder, name):
    path = folder / name
    whole = path.read_bytes()
    rng = random.Random(11)
    complaints = []
    for _ in range(150):
        data = bytearray(whole)
        where = rng.randrange(len(data))
        kind = rng.randrange(5)
        if kind == 0:
            del data[where:]
        elif kind == 1:
            data[where] ^= 1 << rng.randrange(8)
        elif kind == 2:
            del data[where : where + rng.randrange(1, 200)]
        elif kind == 3:
            data[where:where] = data[rng.randrange(len(data)) :][: rng.randrange(1, 200)]
        else:
            data[where:where] = rng.choice(
                [b'"', b"{", b"9999999999", b"null", b"\n", b" ", b"\x00"]
            )
        path.write_bytes(data)
        try:
            read = read_from(folder, name)
        except ModelError as error:
            complaints.append(str(error))
        else:
            assert read.decode(read.encode(TEXT)) == TEXT
    assert len(complaints) > 50
    assert all(str(folder) in complaint and "\n" not in complaint for complaint in complaints)


def test_tokens_added_beside_the_vocabulary_are_read(folder, tokenizer):
    (folder / "tokenizer.json").unlink()
    added = folder / "added_tokens.json"
    added.write_text('{"<pad>": 300, "<|end|>": 0}', encoding="utf-8")
    read = BytePairTokenizer.from_folder(folder)
    assert read.vocab == {**tokenizer.vocab, "<pad>": 300}
    assert read.encode("a<pad>") == [*tokenizer.encode("a"), 300]
    assert read.decode([300]) == "<pad>"
    for content, message in (
        ('{"<pad>": 301}', "no token has the id 300"),
        (
            '{"<|end|>": 5}',
            r"added_tokens\.json: '<\|end\|>' has the id 5 here and 0 in vocab.json",
        ),
        ('{"<pad>": 7}', "both have the id 7"),
        ("[]", r"added_tokens\.json: no vocabulary"),
    ):
        added.write_text(content, encoding="utf-8")
        with pytest.raises(ModelError, match=message):
            BytePairTokenizer.from_folder(folder)
