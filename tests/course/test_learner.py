"""The learner's folder: files, backups, state, and what an update of the library does to them."""

import json

import pytest

from minilm.course import catalog, learner, stubs
from minilm.course.learner import Learner
from minilm.errors import InputError, OptionError

KATA = catalog.find("4.6")


@pytest.fixture
def who(tmp_path):
    return Learner(tmp_path / "mykatas")


def test_starting_writes_the_stub_and_never_overwrites(who):
    assert who.state(KATA) == "new"
    assert who.start(KATA)
    assert who.source(KATA) == stubs.stub(KATA)
    who.file(KATA).write_text("mine", encoding="utf-8")
    assert not who.start(KATA)
    assert who.source(KATA) == "mine"
    assert who.state(KATA) == "started"


def test_passing_is_of_what_was_checked(who):
    who.start(KATA)
    who.note_result(KATA, who.source(KATA), True)
    assert who.state(KATA) == "passed"
    who.note_result(KATA, "a failing edit", False)
    assert who.state(KATA) == "passed"
    who.file(KATA).write_text("an edit", encoding="utf-8")
    assert who.state(KATA) == "started"


def test_the_end_of_line_of_an_editor_does_not_matter(who):
    who.start(KATA)
    who.note_result(KATA, who.source(KATA), True)
    who.file(KATA).write_bytes(who.source(KATA).replace("\n", "\r\n").encode())
    assert who.state(KATA) == "passed"


def test_a_kata_that_has_changed_is_stale_and_its_file_is_left_alone(who, monkeypatch):
    who.start(KATA)
    who.note_result(KATA, who.source(KATA), True)
    before = who.file(KATA).read_bytes()
    monkeypatch.setattr(catalog.Kata, "fingerprint", lambda kata: "another library")
    assert who.state(KATA) == "stale"
    assert who.file(KATA).read_bytes() == before
    who.note_result(KATA, who.source(KATA), True)
    assert who.state(KATA) == "passed"


def test_the_fingerprint_is_of_the_function_and_the_checks_and_not_of_the_page(tmp_path):
    import dataclasses
    import shutil

    copy = tmp_path / KATA.name
    shutil.copytree(KATA.folder, copy)
    moved = dataclasses.replace(KATA, folder=copy)
    assert moved.fingerprint() == KATA.fingerprint()
    (copy / "lesson.md").write_text("another page", encoding="utf-8")
    assert moved.fingerprint() == KATA.fingerprint()
    (copy / "checks.py").write_text("another check", encoding="utf-8")
    assert moved.fingerprint() != KATA.fingerprint()


def test_reset_and_undo_lose_nothing(who):
    who.start(KATA)
    who.file(KATA).write_text("mine", encoding="utf-8")
    first = who.put(KATA, "fresh")
    second = who.put(KATA, "fresher")
    assert [first.name, second.name] == [f"{KATA.name}.1.py", f"{KATA.name}.2.py"]
    assert first.read_text(encoding="utf-8") == "mine"
    who.undo(KATA)
    assert who.source(KATA) == "fresh"
    who.undo(KATA)
    assert who.source(KATA) == "fresher"


def test_there_may_be_nothing_to_undo(who):
    with pytest.raises(OptionError, match="nothing to undo"):
        who.undo(KATA)


def test_the_state_is_plain_json(who):
    who.start(KATA)
    who.update(KATA, hints=2)
    content = json.loads((who.folder / ".state.json").read_text(encoding="utf-8"))
    assert content["katas"]["4.6"]["hints"] == 2
    assert [p.name for p in who.folder.glob(".state*")] == [".state.json"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"katas": 3}',
        "{",
        '{"katas": {"4.6": 1}}',
        '{"katas": {"4.6": {"hints": "x"}}}',
    ],
)
def test_a_damaged_state_is_said_in_one_line(who, content):
    who.start(KATA)
    (who.folder / ".state.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"\.state\.json: .*delete it \(your own files stay\)"):
        who.record(KATA)


def test_a_file_that_is_no_utf8_is_said(who):
    who.start(KATA)
    who.file(KATA).write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        who.source(KATA)


def test_what_is_next(who):
    states = {kata.number: "new" for kata in catalog.all_katas()}
    first = catalog.all_katas()[0]
    assert learner.next_kata(states) == first
    assert learner.next_kata(states | {KATA.number: "started"}) == KATA
    assert learner.next_kata(dict.fromkeys(states, "passed")) is None
