"""Conversations as text: templates, and a model that answers.

A template says how the turns of a conversation become one text. It is in the model's folder, in the
language of transformers (Jinja, a program). That is not run here: the two templates that minilm
writes are recognized, and others refused.

    ChatML    <|im_start|>user / the message <|im_end|>, for models that have these two tokens
    plain     "User: ..." and "Assistant: ..." on lines, a reply ends with the end of a text
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from minilm.data.conversations import Message
from minilm.errors import OptionError, brief
from minilm.models.generate import Sampling
from minilm.models.language_model import LanguageModel
from minilm.store.folder import END_OF_TEXT, Tokenizer
from minilm.text.wordlevel import WordLevelTokenizer

_START, _END = "<|im_start|>", "<|im_end|>"
_CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_PLAIN = (
    "{% for message in messages %}{{ message['role'].capitalize() + ': ' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ 'END' }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
# What ChatML's templates are made of, whatever else they do.
_CHATML_TURN = re.compile(
    r"<\|im_start\|>'\s*\+\s*message\[.role.\]\s*\+\s*'(?:\\n|\n)'\s*\+\s*message\[.content.\]"
    r"\s*\+\s*'<\|im_end\|>'"
)
_DEFAULT_SYSTEM = re.compile(
    r"messages\[0\]\[.role.\] != .system. %\}\{\{ ?'<\|im_start\|>system(?:\\n|\n)"
    r"([^'{}]*)<\|im_end\|>"
)
# Templates that do more than take turns: tools, dates, documents.
_MORE = re.compile(r"\btools?\b|\bdocuments\b|strftime|tool_calls")


@dataclass(frozen=True)
class Template:
    """How a conversation becomes text.

    Attributes
    ----------
    source : str
        What transformers reads.
    end : str
        The token that ends a reply.
    is_chatml : bool
    default_system : str, optional
        The system message of a conversation that has none.
    """

    source: str
    end: str
    is_chatml: bool
    default_system: str | None = None

    def segments(
        self, messages: Sequence[Message], *, reply: bool = False
    ) -> list[tuple[str, bool]]:
        """Return the parts of the text, each with whether an assistant writes it.

        With `reply` the text ends where the next reply begins.

        Examples
        --------
        >>> plain("<|endoftext|>").segments([Message("user", "Hi")], reply=True)
        [('User: Hi\\n', False), ('Assistant:', False)]
        """
        turns = list(messages)
        if self.default_system and (not turns or turns[0].role != "system"):
            turns.insert(0, Message("system", self.default_system))
        parts: list[tuple[str, bool]] = []
        for turn in turns:
            before, blank = self._before(turn.role)
            if turn.role == "assistant":
                parts += [
                    (before, False),
                    (f"{blank}{turn.content}{self.end}", True),
                    ("\n", False),
                ]
            else:
                after = _END if self.is_chatml else ""
                parts.append((f"{before}{blank}{turn.content}{after}\n", False))
        if reply:
            parts.append((self._before("assistant")[0], False))
        return parts

    def _before(self, role: str) -> tuple[str, str]:
        if self.is_chatml:
            return f"{_START}{role}\n", ""
        return f"{role.capitalize()}:", " "


CHATML = Template(_CHATML, _END, True)


def plain(end: str) -> Template:
    """Return the template for models without ChatML's tokens; `end` is their end of a text."""
    return Template(_PLAIN.replace("END", end), end, False)


def template_of(tokenizer: Tokenizer | None) -> Template:
    """Return the template of a tokenizer: its own, or for one without, the one that suits it.

    Raises
    ------
    OptionError
        When its template is not one of those that minilm knows, or its tokens cannot spell a text.
    """
    if tokenizer is None or isinstance(tokenizer, WordLevelTokenizer):
        raise OptionError(
            "conversations need a tokenizer that gives text back; pretrain with --tokenizer bpe"
        )
    special = tokenizer.special_tokens
    is_chatml = _START in special and _END in special
    ends = [token for token in (END_OF_TEXT, "</s>", "<|end_of_text|>") if token in special]
    source = tokenizer.chat_template
    if source is None:
        if is_chatml:
            return CHATML
        if ends:
            return plain(ends[0])
        raise OptionError(
            f"the tokenizer has no token that can end a reply ({_END}, {END_OF_TEXT} or </s>)"
        )
    if is_chatml and _CHATML_TURN.search(source) and not _MORE.search(source):
        default = _DEFAULT_SYSTEM.search(source)
        return Template(source, _END, True, default[1] if default else None)
    for end in ends:
        if source == plain(end).source:
            return plain(end)
    raise OptionError(
        f"the model's chat template ({brief(source)}) is not ChatML nor minilm's plain one; use "
        "transformers, which can run it"
    )


def encode(
    tokenizer: Tokenizer, segments: Sequence[tuple[str, bool]]
) -> tuple[list[int], list[bool]]:
    """Return the ids of a conversation, and which of them an assistant writes."""
    begin = tokenizer.begins_with
    ids = [] if begin is None else [tokenizer.vocab[begin]]
    start, text, theirs = len(ids), "", [False] * len(ids)
    for segment, is_reply in segments:
        text += segment
        longer = ids[:start] + tokenizer.encode(text)
        # Where a token would straddle the boundary, the parts are encoded one by one.
        if longer[: len(ids)] != ids:
            longer = ids + tokenizer.encode(segment)
        theirs += [is_reply] * (len(longer) - len(ids))
        ids = longer
    return ids, theirs


def check_content(tokenizer: Tokenizer, content: str) -> None:
    """Raise OptionError at a text with a special token in it, which would end or begin a turn."""
    for token in tokenizer.special_tokens:
        if token in content:
            raise OptionError(f"a message holds {token!r}, which has a role of its own; rewrite it")


class Chat:
    """A conversation with a model.

    Parameters
    ----------
    model : LanguageModel
    sampling : Sampling
    max_new_tokens : int
        In one reply.
    system : str, optional
        What the model is told before the conversation.
    rng : numpy.random.Generator, optional

    Raises
    ------
    OptionError
        When the model's template is not known, or `system` has a special token in it.

    Attributes
    ----------
    messages : list of Message
    forgotten : int
        Turns that no longer fitted the context.
    """

    def __init__(
        self,
        model: LanguageModel,
        sampling: Sampling,
        *,
        max_new_tokens: int = 200,
        system: str | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.model, self.sampling, self.rng = model, sampling, rng
        self.template = template_of(model.tokenizer)
        self.max_new_tokens = max_new_tokens
        if system is not None and model.tokenizer is not None:
            check_content(model.tokenizer, system)
        self.system = [] if system is None else [Message("system", system)]
        self.reset()

    def reset(self) -> None:
        """Forget what was said."""
        self.messages: list[Message] = []
        self.forgotten = 0

    def reply(self, content: str) -> Iterator[str]:
        """Yield the reply to a message, in pieces as they are made.

        What was yielded is kept as the reply when the caller stops early.

        Raises
        ------
        OptionError
            When the message has a special token in it, or alone fills the context.
        """
        tokenizer = self.model.tokenizer
        assert tokenizer is not None  # noqa: S101  (`template_of` has refused it)
        check_content(tokenizer, content)
        self.messages.append(Message("user", content))
        try:
            ids = self._prompt(tokenizer)
        except OptionError:
            self.messages.pop()
            raise
        chosen = self.model.tokens(
            ids,
            max_new_tokens=self.max_new_tokens,
            sampling=self.sampling,
            rng=self.rng,
            stop=[*self.model.stop_tokens, tokenizer.vocab[self.template.end]],
        )
        said: list[str] = []
        try:
            for piece in self.model.pieces(ids, (token.id for token in chosen)):
                shown = piece.lstrip(" ") if not "".join(said) else piece
                said.append(shown)
                yield shown
        finally:
            self.messages.append(Message("assistant", "".join(said).strip()))

    def _prompt(self, tokenizer: Tokenizer) -> list[int]:
        """Return the ids to continue; the oldest turns are dropped to leave room for a reply."""
        context = self.model.config.n_positions
        room = context - min(self.max_new_tokens, context // 4)
        while True:
            turns = [*self.system, *self.messages]
            ids, _ = encode(tokenizer, self.template.segments(turns, reply=True))
            if len(ids) <= room:
                return ids
            if len(self.messages) == 1:
                break
            del self.messages[:2]
            self.forgotten += 2
        if len(ids) >= context:
            raise OptionError(
                f"the message has {len(ids):,} tokens with its template, and the model's context "
                f"is {context:,}; shorten it"
            )
        return ids
