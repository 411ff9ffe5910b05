"""SentencePiece's way of byte-pair encoding, as Llama 1 and 2 and TinyLlama use it.

It differs from GPT-2's in three points. Tokens are made of characters, and a character that has no
token is spelled by its UTF-8 bytes, each a token `<0xE2>` ("byte fallback"). A blank is the
character `▁`, an ordinary part of tokens. And text is not cut into pieces: merges may reach across
words, and a `▁` is put before the text, so that its first word is spelled like all others.

References
----------
.. [1] T. Kudo and J. Richardson, "SentencePiece: A simple and language independent subword
   tokenizer and detokenizer for Neural Text Processing", EMNLP 2018.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from minilm.errors import InputError, ModelError, OptionError
from minilm.text import bpe_files, several
from minilm.text import merges as bpe_merges

BLANK = "▁"
#: Where a blank is put before text: before each part between special tokens, before the first part
#: unless it begins with a blank, or nowhere.
PREFIXES = ("every", "first", "never")

_BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
_WORD = re.compile(f"{BLANK}+[^{BLANK}]*|[^{BLANK}]+")
_CROSSING = re.compile(f"[^{BLANK}]{BLANK}")
_REMEMBERED = 1 << 16  # words


class SentencePieceTokenizer:
    """A BPE tokenizer over characters, with byte fallback.

    Parameters
    ----------
    vocab : mapping of str to int
        The id of each token; the 256 tokens `<0x00>` to `<0xFF>` are among them.
    merges : sequence of (str, str)
        The pairs of tokens to join, the best first.
    special_tokens : sequence of str
        Tokens that are found as they are, before anything else.
    prefix : {"every", "first", "never"}
        Where a blank is put before text; see `PREFIXES`.
    begins_with : str, optional
        The token that belongs before a text. `encode` leaves it out; a prompt begins with it.
    source : Path, optional
        The file to name in errors.

    Attributes
    ----------
    chat_template : str or None
        How a conversation becomes text, in transformers' words; for whoever loads it to set.

    Raises
    ------
    ModelError
        When vocabulary and merges do not fit together.

    Examples
    --------
    >>> tokens = [*_BYTES, "▁", "a", "b", "▁a"]
    >>> vocab = {token: number for number, token in enumerate(tokens)}
    >>> tokenizer = SentencePieceTokenizer(vocab, [("▁", "a")])
    >>> tokenizer.encode("ab a!")
    [259, 258, 259, 33]
    >>> tokenizer.decode([259, 258, 259, 33])
    'ab a!'
    """

    def __init__(
        self,
        vocab: Mapping[str, int],
        merges: Sequence[tuple[str, str]],
        special_tokens: Sequence[str] = (),
        *,
        prefix: str = "every",
        begins_with: str | None = None,
        source: Path | None = None,
    ) -> None:
        if prefix not in PREFIXES:
            raise OptionError(f"prefix is {prefix!r}; expected {' or '.join(PREFIXES)}")
        self.vocab = dict(vocab)
        self.merges = list(merges)
        self.special_tokens = tuple(dict.fromkeys(special_tokens))
        self.prefix = prefix
        self.begins_with = begins_with
        self.chat_template: str | None = None
        self._token_of = _by_id(self.vocab, source)
        for token in (*_BYTES, *self.special_tokens, *([begins_with] if begins_with else [])):
            if token not in self.vocab:
                raise ModelError(f"{token!r} is not in the vocabulary", source)
        self._ranks, self._joined = bpe_merges.rank(self.vocab, self.merges, source)
        longest_first = sorted(self.special_tokens, key=len, reverse=True)
        self._special = re.compile(f"({'|'.join(map(re.escape, longest_first))})")
        self._byte_ids = [self.vocab[token] for token in _BYTES]
        self._byte_of = {number: byte for byte, number in enumerate(self._byte_ids)}
        # Words can be encoded by themselves, and remembered, if no token reaches across two.
        self._is_by_word = not any(_CROSSING.search(left + right) for left, right in self.merges)
        self._words: dict[str, list[int]] = {}

    @classmethod
    def from_scores(
        cls, scores: Mapping[str, float], special_tokens: Sequence[str], **options: Any
    ) -> SentencePieceTokenizer:
        """Make a tokenizer of SentencePiece's own table: tokens in the order of ids, with scores.

        Of two neighbors that make a token, those of the highest score are joined first. So each way
        to split a token into two tokens is a merge, and merges go by falling score.
        """
        vocab = {token: number for number, token in enumerate(scores)}
        plain = {token for token in vocab if token not in special_tokens}.difference(_BYTES)
        found = [
            (-scores[token], vocab[token[:i]], vocab[token[i:]], token[:i], token[i:])
            for token in plain
            for i in range(1, len(token))
            if token[:i] in plain and token[i:] in plain
        ]
        merges = [(left, right) for *_, left, right in sorted(found)]
        return cls(vocab, merges, special_tokens, **options)

    @classmethod
    def from_tokenizer_json(cls, path: str | os.PathLike[str]) -> SentencePieceTokenizer:
        """Read a `tokenizer.json` of Hugging Face's.

        Raises
        ------
        ModelError
            When the file is damaged, or asks for what is not built.
        """
        path = Path(path)
        content, model = bpe_files.read_parts(path)
        prefix = _prefix(content)
        wrong = {
            "normalizer or pre_tokenizer": prefix is None,
            "post_processor": not bpe_files.is_template(content.get("post_processor")),
            "decoder": content.get("decoder") != _decoder(prefix or "every"),
            "ignore_merges": bool(model.get("ignore_merges")),
            "added_tokens": any(
                isinstance(token, dict) and token.get("normalized") is True
                for token in content.get("added_tokens") or []
            ),
        }
        bpe_files.check_options(model, wrong, path)
        vocab, merges, special_tokens = bpe_files.read_model(content, model, path)
        begins_with = bpe_files.begin_of(content.get("post_processor"))
        return cls(
            vocab,
            merges,
            special_tokens,
            prefix=prefix or "every",
            begins_with=begins_with,
            source=path,
        )

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write `tokenizer.json` into an existing folder."""
        replace = {"type": "Replace", "pattern": {"String": " "}, "content": BLANK}
        prepend = {"type": "Prepend", "prepend": BLANK}
        metaspace = {"type": "Metaspace", "replacement": BLANK, "split": False}
        parts = {
            "normalizer": {"type": "Sequence", "normalizers": [prepend, replace]}
            if self.prefix == "every"
            else None,
            "pre_tokenizer": None
            if self.prefix == "every"
            else {**metaspace, "prepend_scheme": self.prefix},
            "post_processor": bpe_files.template(self.begins_with, self.vocab),
            "decoder": _decoder(self.prefix),
        }
        unknown = "<unk>" if "<unk>" in self.vocab else None
        options = {"byte_fallback": True, "fuse_unk": True, "unk_token": unknown}
        bpe_files.write_json(
            Path(folder), self.vocab, self.merges, self.special_tokens, parts, options
        )

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text's tokens.

        Raises
        ------
        InputError
            When the text has a lone surrogate, which UTF-8 has no bytes for.
        """
        parts = self._special.split(text) if self.special_tokens else [text]
        ids: list[int] = []
        for number, part in enumerate(parts):
            if number % 2:
                ids.append(self.vocab[part])
            elif part:
                ids += self._encode_part(self._spell(part, is_first=number == 0))
        return ids

    def encode_iterable(self, chunks: Iterable[str]) -> Iterator[int]:
        """Yield the ids of a text that comes in parts; all of it is held in memory."""
        yield from self.encode("".join(chunks))

    def encode_batch(self, texts: Iterable[str]) -> list[list[int]]:
        """Return the ids of each text."""
        return [self.encode(text) for text in several.strings(texts)]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of tokens.

        A blank at the very beginning is the one that `encode` put there. Bytes that are no UTF-8
        become U+FFFD, one for each byte.

        Raises
        ------
        OptionError
            When an id is not in the vocabulary.
        """
        text = "".join(self.decoded_parts(ids))
        return text.removeprefix(" ") if self.prefix != "never" else text

    def decoded_parts(self, ids: Iterable[int]) -> Iterator[str]:
        """Yield the text of tokens as they come; a run of byte tokens is one part."""
        for is_byte, run in groupby(ids, self._byte_of.__contains__):
            if not is_byte:
                yield from (self._text(number) for number in run)
                continue
            data = bytes(self._byte_of[number] for number in run)
            try:
                yield data.decode()
            except UnicodeDecodeError:
                yield "\ufffd" * len(data)

    def token_bytes(self, token_id: int) -> bytes:
        """Return the bytes that a token stands for, the `▁` as a blank."""
        byte = self._byte_of.get(token_id)
        return self._text(token_id).encode() if byte is None else bytes([byte])

    def _text(self, token_id: int) -> str:
        try:
            return self._token_of[token_id].replace(BLANK, " ")
        except KeyError:
            raise OptionError(
                f"no token has the id {token_id}; the ids are 0 to {len(self.vocab) - 1}"
            ) from None

    def _spell(self, part: str, *, is_first: bool) -> str:
        spelled = part.replace(" ", BLANK)
        if self.prefix == "every":
            return BLANK + spelled
        if self.prefix == "first" and is_first and not spelled.startswith(BLANK):
            return BLANK + spelled
        return spelled

    def _encode_part(self, part: str) -> list[int]:
        if not self._is_by_word:
            return self._merge(part)
        ids: list[int] = []
        for word in _WORD.findall(part):
            found = self._words.get(word)
            if found is None:
                found = self._merge(word)
                if len(self._words) >= _REMEMBERED:
                    self._words.clear()
                self._words[word] = found
            ids += found
        return ids

    def _merge(self, word: str) -> list[int]:
        symbols: list[int] = []
        for character in word:
            number = self.vocab.get(character)
            if number is not None:
                symbols.append(number)
                continue
            try:
                symbols += [self._byte_ids[byte] for byte in character.encode()]
            except UnicodeEncodeError:
                raise InputError(
                    f"the text has a lone surrogate, U+{ord(character):04X}, and UTF-8 has no "
                    "bytes for it; read the text again with its right encoding"
                ) from None
        return bpe_merges.apply(symbols, self._ranks, self._joined)


def _by_id(vocab: Mapping[str, int], source: Path | None) -> dict[int, str]:
    """Return the token of each id; raise ModelError unless ids are 0 to n - 1."""
    token_of = {number: token for token, number in vocab.items()}
    if "" in vocab or set(token_of) != set(range(len(vocab))):
        raise ModelError(
            f"the ids of {len(vocab):,} tokens are not 0 to {len(vocab) - 1:,}, one for each",
            source,
        )
    return token_of


def _prefix(content: dict[str, Any]) -> str | None:
    """Return where a blank is put before text; None where the file asks for something else."""
    normalizer, pre_tokenizer = content.get("normalizer"), content.get("pre_tokenizer")
    if pre_tokenizer is None and isinstance(normalizer, dict):
        parts = normalizer.get("normalizers")
        known = [
            {"type": "Prepend", "prepend": BLANK},
            {"type": "Replace", "pattern": {"String": " "}, "content": BLANK},
        ]
        is_sequence = normalizer.get("type") == "Sequence"
        if is_sequence and parts == known:
            return "every"
        return "never" if (is_sequence and parts == known[1:]) or normalizer == known[1] else None
    if normalizer is not None or not isinstance(pre_tokenizer, dict):
        return None
    known_keys = (pre_tokenizer.get("type"), pre_tokenizer.get("replacement"))
    if known_keys != ("Metaspace", BLANK) or pre_tokenizer.get("split", True) is not False:
        return None
    scheme = pre_tokenizer.get("prepend_scheme")
    return scheme if scheme in ("first", "never") else None


def _decoder(prefix: str) -> dict[str, Any]:
    """Return the decoder that `decode` is, in Hugging Face's words."""
    back = {"type": "Replace", "pattern": {"String": BLANK}, "content": " "}
    strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
    parts = [back, {"type": "ByteFallback"}, {"type": "Fuse"}]
    return {"type": "Sequence", "decoders": parts + ([strip] if prefix != "never" else [])}
