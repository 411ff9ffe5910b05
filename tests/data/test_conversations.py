"""Conversations in every shape that is read, and each fault with its file and line."""

import json

import pytest

from minilm import resources
from minilm.data.conversations import Message, read_conversations
from minilm.errors import InputError

ASKED, ANSWERED = Message("user", "Hi?"), Message("assistant", "Hello.")
TURNS = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]


def turns(*pairs):
    return {"messages": [{"role": role, "content": content} for role, content in pairs]}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"messages": TURNS}, (ASKED, ANSWERED)),
        ({"prompt": "Hi?", "completion": "Hello."}, (ASKED, ANSWERED)),
        ({"question": "Hi?", "answer": "Hello.", "id": 3}, (ASKED, ANSWERED)),
        ({"instruction": "Hi?", "output": "Hello."}, (ASKED, ANSWERED)),
        ({"instruction": "Hi?", "input": "", "output": "Hello."}, (ASKED, ANSWERED)),
        (
            {"instruction": "Add.", "input": "1 2", "output": "3"},
            (Message("user", "Add.\n\n1 2"), Message("assistant", "3")),
        ),
        (
            {"system": "Be kind.", "prompt": "Hi?", "completion": "Hello."},
            (Message("system", "Be kind."), ASKED, ANSWERED),
        ),
        (
            turns(("system", "Be kind."), ("user", "Hi?"), ("assistant", "Hello.")),
            (Message("system", "Be kind."), ASKED, ANSWERED),
        ),
    ],
)
@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_every_shape_is_read(tmp_path, item, expected, ending):
    path = tmp_path / f"a{ending}"
    text = json.dumps([item, item]) if ending == ".json" else f"{json.dumps(item)}\n\n" * 2
    path.write_text(text, encoding="utf-8")
    found = read_conversations(path)
    assert [messages for _, messages in found] == [expected] * 2
    assert [line for line, _ in found] == ([1, 2] if ending == ".json" else [1, 3])


@pytest.mark.parametrize(("ending", "separator"), [(".csv", ","), (".tsv", "\t"), (".csv", ";")])
@pytest.mark.parametrize("names", ["Prompt completion", "question answer", "instruction output"])
def test_the_rows_of_a_table(tmp_path, names, ending, separator):
    path = tmp_path / f"a{ending}"
    rows = ["id", *names.split()], ["1", "Hi?", "Hello."], ["2", "Who?", "Me."]
    path.write_text("".join(separator.join(row) + "\n" for row in rows), encoding="utf-8")
    second = Message("user", "Who?"), Message("assistant", "Me.")
    assert read_conversations(path) == [(2, (ASKED, ANSWERED)), (3, second)]


def test_a_table_with_an_empty_answer_or_other_columns(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("question,answer\nHi?,Hello.\nWho?,\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.csv:3: an empty message of the assistant"):
        read_conversations(path)
    path.write_text("text,label\nfine,good\nbad,bad\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.csv:2: the names \['text', 'label'\] are not"):
        read_conversations(path)


def test_paragraphs_of_questions_and_answers(tmp_path):
    path = tmp_path / "a.txt"
    text = "Question: Hi?\nAnswer: Hello.\n\n\nQuestion: A\nb\nAnswer: C\nQuestion: D\nAnswer: E\n"
    path.write_text(text, encoding="utf-8")
    first, second = read_conversations(path)
    assert first == (1, (ASKED, ANSWERED))
    assert second[0] == 5
    assert [m.content for m in second[1]] == ["A\nb", "C", "D", "E"]


def test_the_shipped_letters_are_conversations():
    found = read_conversations(resources.corpora_dir() / "advice_letters.txt")
    assert len(found) == 48
    assert {len(messages) for _, messages in found} == {2}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "damaged JSON"),
        ("[1]", "expected an object"),
        ('{"text": "a"}', "the names .* are not those of a conversation"),
        (
            '{"prompt": "a", "completion": "b", "question": "c", "answer": "d"}',
            "it has prompt and completion and question and answer",
        ),
        ('{"messages": "a"}', "messages is not a list of objects"),
        ('{"messages": []}', "its turns are none"),
        ('{"messages": [{"content": "a"}]}', "role is None; expected a text"),
        ('{"prompt": 3, "completion": "a"}', "prompt is 3; expected a text"),
        ('{"prompt": "a", "completion": " "}', "an empty message of the assistant"),
        ('{"prompt": "a", "completion": "\\ud800"}', "a lone surrogate"),
        (json.dumps(turns(("tool", "a"))), "the role 'tool'; expected system, user, assistant"),
        (json.dumps(turns(("user", "a"))), "user and assistant must alternate"),
        (json.dumps(turns(("user", "a"), ("user", "b"))), "user and assistant must alternate"),
        (json.dumps(turns(("assistant", "a"), ("user", "b"))), "must alternate"),
        (
            json.dumps(turns(("user", "a"), ("system", "b"), ("assistant", "c"))),
            "a system message after the first place",
        ),
    ],
)
def test_each_fault_is_named_with_its_line(tmp_path, line, fault):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"messages": TURNS}) + f"\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=fault) as raised:
        read_conversations(path)
    assert str(raised.value).startswith(f"{path}:2: ")
    assert "\n" not in str(raised.value)


def test_files_of_other_kinds(tmp_path):
    path = tmp_path / "a.docx"
    path.write_text("a,b\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"read from \.jsonl, \.json, \.csv, \.tsv, \.txt files"):
        read_conversations(path)
    path = tmp_path / "a.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="a list of conversations was expected"):
        read_conversations(path)
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="no conversation in it"):
        read_conversations(path)
    path = tmp_path / "a.txt"
    path.write_text("Hello\n", encoding="utf-8")
    with pytest.raises(InputError, match=':1: a line that begins with "Question:" was expected'):
        read_conversations(path)
