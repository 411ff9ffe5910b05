"""Templates as transformers renders them, the mask of the replies, and a conversation."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilm
from minilm.cli.main import main
from minilm.data.conversations import Message, read_conversations
from minilm.errors import InputError, OptionError
from minilm.models import chat
from minilm.models.chat import Chat, template_of
from minilm.models.generate import Sampling
from minilm.nn.llama import Llama
from minilm.nn.llama_config import LlamaConfig
from minilm.store import folder
from minilm.store.folder import Stage
from minilm.text.bpe import BytePairTokenizer
from minilm.text.wordlevel import WordLevelTokenizer
from minilm.training import replies
from minilm.training.settings import FinetuneSettings

END = "<|endoftext|>"
CHATML = ["<|im_start|>", "<|im_end|>"]
SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are kind<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TALK = [
    Message("user", "What is the sum?"),
    Message("assistant", "It is 12."),
    Message("user", "And  now?\nTell me."),
    Message("assistant", "Now it is 30!"),
]
PAIRS = [{"prompt": f"What is {n}?", "completion": f"It is the {n}."} for n in range(24)]


def tokenizer(special: list[str], template: str | None = None) -> BytePairTokenizer:
    made = BytePairTokenizer.train(["What is the sum? It is the low."] * 9, 300, [END, *special])
    made.chat_template = template
    return made


def save(path: Path, words: BytePairTokenizer, context: int = 128) -> Path:
    config = LlamaConfig(
        300, 16, 24, 2, 2, max_position_embeddings=context, tie_word_embeddings=True
    )
    model = Llama(config, rng=np.random.default_rng(0))
    folder.save(path, folder.model_files(config, model.parameters, words))
    return path


@pytest.fixture
def conversations(tmp_path: Path) -> Path:
    path = tmp_path / "talk.jsonl"
    path.write_text("".join(f"{json.dumps(pair)}\n" for pair in PAIRS), encoding="utf-8")
    return path


@pytest.mark.peers
@pytest.mark.parametrize(("special", "template"), [([], None), (CHATML, None), (CHATML, SMOLLM2)])
@pytest.mark.parametrize("system", [[], [Message("system", "Be brief.")]])
def test_a_conversation_is_rendered_as_transformers_does(
    special: list[str], template: str | None, system: list[Message], peer: Any, tmp_path: Path
) -> None:
    transformers = peer("transformers")
    words = tokenizer(special, template)
    found = template_of(words)
    words.chat_template = found.source
    theirs = transformers.AutoTokenizer.from_pretrained(save(tmp_path / "m", words))
    for turns, reply in (([*system, *TALK], False), ([*system, *TALK[:3]], True)):
        segments = found.segments(turns, reply=reply)
        listed = [vars(turn) for turn in turns]
        text = theirs.apply_chat_template(listed, tokenize=False, add_generation_prompt=reply)
        assert "".join(part for part, _ in segments) == text
        ids, _ = chat.encode(words, segments)
        assert ids == theirs(text)["input_ids"]


@pytest.mark.parametrize("special", [[], CHATML])
def test_only_replies_and_their_end_are_learned(special: list[str]) -> None:
    words = tokenizer(special)
    found = template_of(words)
    encoded = replies.encode(words, found, [(1, tuple(TALK))], Path("a"), 200)
    (ids,), (targets,) = encoded.ids, encoded.targets
    assert len(ids) == len(targets)
    learned = words.decode(target for target in targets if target != -100)
    blank = "" if special else " "
    end = found.end
    assert learned == f"{blank}It is 12.{end}{blank}Now it is 30!{end}"
    whole, _ = chat.encode(words, found.segments(TALK))
    for place, target in enumerate(targets):
        assert ids[place] == whole[place]
        assert target in (-100, whole[place + 1])


def test_what_cannot_be_learned_is_an_error() -> None:
    words = tokenizer(CHATML)
    found = template_of(words)
    bad = (Message("user", "a<|im_end|>"), TALK[1])
    with pytest.raises(InputError, match=r"a:7: a message holds '<\|im_end\|>'"):
        replies.encode(words, found, [(7, bad)], Path("a"), 200)


def test_a_conversation_longer_than_the_context_is_cut_at_the_front() -> None:
    words = tokenizer(CHATML)
    found = template_of(words)
    talks = [(1, tuple(TALK)), (2, (Message("user", "a"), Message("assistant", "b")))]
    encoded, whole = (replies.encode(words, found, talks, Path("a"), n) for n in (30, 200))
    assert (encoded.cut, whole.cut) == (1, 0)
    assert encoded.ids == [whole.ids[0][-30:], whole.ids[1]]
    assert encoded.targets == [whole.targets[0][-30:], whole.targets[1]]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (tokenizer(CHATML, "{{ tools }}"), "is not ChatML nor minilm's plain one"),
        (tokenizer([], SMOLLM2), "is not ChatML nor minilm's plain one"),
        (BytePairTokenizer.train(["a"], 256), "no token that can end a reply"),
        (WordLevelTokenizer.train(["a b"]), "needs? a tokenizer that gives text back"),
    ],
)
def test_templates_that_are_not_known_are_refused(words: Any, fault: str) -> None:
    with pytest.raises(OptionError, match=fault):
        template_of(words)


@pytest.mark.parametrize("method", ["full", "lora", "last-n", "gradual"])
def test_fine_tuning_learns_the_replies(
    method: str, conversations: Path, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    base, out = save(tmp_path / "m", tokenizer(CHATML)), tmp_path / "o"
    arguments: list[Any] = ["finetune", base, "--conversations", conversations, "--method", method]
    arguments += ["--output-dir", out, "--epochs", 20, "--learning-rate", 0.01, "--threads", 1]
    assert main([str(a) for a in arguments]) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert "24 conversations; template: ChatML" in said
    losses = [float(x.split(",")[2]) for x in (out / "log.csv").read_text().splitlines()[1:]]
    assert losses[-1] < losses[0] - 0.1
    monkeypatch.setattr("sys.stdin", io.StringIO("What is 3?\n"))
    model = [str(base), "--adapter", str(out)] if method == "lora" else [str(out)]
    assert main(["chat", *model, "--temperature", "0", "--max-new-tokens", "9"]) == 0
    assert capsys.readouterr().out.strip()
    if method != "lora":
        settings = json.loads((out / "tokenizer_config.json").read_text(encoding="utf-8"))
        assert settings["chat_template"] == chat.CHATML.source
        assert minilm.load(out).lineage[-1].settings["method"] == method


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--method", "probe"], "--method probe trains the head of a classifier"),
        (["--no-header"], "--no-header goes with --task"),
    ],
)
def test_options_for_labels_are_refused(
    options: list[str], fault: str, conversations: Path, tmp_path: Path, capsys: Any
) -> None:
    base = save(tmp_path / "m", tokenizer([]))
    arguments = ["finetune", str(base), "--conversations", str(conversations), *options]
    assert main([*arguments, "--output-dir", str(tmp_path / "o")]) == 2
    assert fault in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_the_rate_is_that_of_an_update() -> None:
    ours = (Stage("pretrain", (), 10, 640, {"learning_rate": 1e-3}),)
    for settings, lineage, rate in (
        (FinetuneSettings("full"), (), 4e-4),
        (FinetuneSettings("gradual"), (Stage("convert", (), 0, 0, {}),), 4e-4),
        (FinetuneSettings("full", learning_rate=1e-5), (), 1e-5),
        (FinetuneSettings("lora"), (), FinetuneSettings("lora").peak),
        (FinetuneSettings("full"), ours, 2e-4),
    ):
        assert replies._rate(settings, lineage) == pytest.approx(rate)


def test_gradual_unfreezing_begins_at_the_head(conversations: Path, tmp_path: Path) -> None:
    base = folder.load(save(tmp_path / "m", tokenizer(CHATML)))
    assert base.tokenizer is not None
    encoded = replies.encode(
        base.tokenizer,
        template_of(base.tokenizer),
        read_conversations(conversations),
        conversations,
        128,
    )
    task = replies._Task(base, encoded, FinetuneSettings("gradual", epochs=8))
    for step, layers in ((0, ()), (task.stage_steps, (1,)), (2 * task.stage_steps, (0, 1))):
        task.batch(step)
        trained = [
            i for i in (0, 1) if f"model.layers.{i}.mlp.up_proj.weight" in task.parameters.trainable
        ]
        assert tuple(trained) == layers
    task.batch(task.steps - 1)
    assert task.parameters.trainable == frozenset(task.parameters)


def test_a_conversation_is_kept_reset_and_stopped(tmp_path: Path) -> None:
    model = minilm.load(save(tmp_path / "m", tokenizer(CHATML)))
    talk = Chat(model, Sampling(0.0), max_new_tokens=6, system="Be brief.")
    first = "".join(talk.reply("What?"))
    assert talk.messages == [Message("user", "What?"), Message("assistant", first.strip())]
    pieces = talk.reply("And?")
    next(pieces)
    pieces.close()  # what Ctrl-C does
    assert len(talk.messages) == 4
    with pytest.raises(OptionError, match="a message holds"):
        next(talk.reply("<|im_start|>system"))
    assert len(talk.messages) == 4
    talk.reset()
    assert "".join(talk.reply("What?")) == first
    with pytest.raises(OptionError, match="a message holds"):
        Chat(model, Sampling(0.0), system="<|im_end|>")


def test_the_oldest_turns_are_forgotten_when_the_context_is_full(tmp_path: Path) -> None:
    model = minilm.load(save(tmp_path / "m", tokenizer(CHATML), context=48))
    talk = Chat(model, Sampling(0.0), max_new_tokens=4)
    for _ in range(4):
        "".join(talk.reply("What is the sum?"))
    assert talk.forgotten > 0
    with pytest.raises(OptionError, match="model's context is 48; shorten it"):
        next(talk.reply("x " * 60))
