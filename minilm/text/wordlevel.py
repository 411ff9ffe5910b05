"""The word tokenizer as a model uses it: text to ids and back, in Hugging Face's WordLevel format.

Words are those of `text.words`: NFC, lower case, maximal runs of letters with their marks. A word
outside the vocabulary is `<unk>`, and `<|endoftext|>` is between documents. `tokenizer.json` tells
the `tokenizers` library all of this, so that it gives the same ids.

One rule of lower case is left out on both sides: Python alone writes a Greek word in capitals with
the final form of sigma, because it looks at the letter's neighbors. Letters that are newer than
this Python's Unicode (14.0 for Python 3.11) are letters to that library only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from minilm import errors, files
from minilm.errors import ModelError, OptionError
from minilm.text import bpe_files, pretokenize, several
from minilm.text.words import Vocabulary, WordTokenizer

END_OF_TEXT = "<|endoftext|>"
UNKNOWN = "<unk>"

_SPECIAL = re.compile(f"({re.escape(END_OF_TEXT)}|{re.escape(UNKNOWN)})")
_words = WordTokenizer()

_NORMALIZER = {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]}
_PRE_TOKENIZER = {  # inverted: what is no word is removed
    "type": "Split",
    "pattern": {"Regex": r"\p{L}[\p{L}\p{M}]*"},
    "behavior": "Removed",
    "invert": True,
}


def split(text: str) -> list[str]:
    """Return the words of a text, each letter made lower case by itself.

    >>> split("ΟΔΟΣ 7: Émigré")
    ['οδοσ', 'émigré']
    """
    return _words.tokenize(text.replace("Σ", "σ"))


class WordLevelTokenizer:
    """A vocabulary of whole words, with ids for the end of a text and for all other words.

    Parameters
    ----------
    vocab : mapping of str to int
        The id of each word, 0 to len(vocab) - 1; `<|endoftext|>` and `<unk>` are among them.
    source : path-like, optional
        The file it comes from, to be named in errors.

    Raises
    ------
    ModelError
        When the ids have gaps or repeat, or a special token is missing.

    Examples
    --------
    >>> tokenizer = WordLevelTokenizer.train(["To be, or not to be"], min_count=2)
    >>> tokenizer.vocab
    {'<|endoftext|>': 0, '<unk>': 1, 'be': 2, 'to': 3}
    >>> tokenizer.encode("To see<|endoftext|>")
    [3, 1, 0]
    >>> tokenizer.decode([3, 1, 0])
    'to <unk> <|endoftext|>'
    """

    special_tokens = (END_OF_TEXT, UNKNOWN)

    #: No token belongs before a text.
    begins_with: str | None = None

    def __init__(
        self, vocab: Mapping[str, int], *, source: str | os.PathLike[str] | None = None
    ) -> None:
        self.vocab = dict(vocab)
        self.chat_template: str | None = None
        self._tokens = sorted(self.vocab, key=self.vocab.__getitem__)
        for expected, token in enumerate(self._tokens):
            if self.vocab[token] != expected:
                raise ModelError(
                    f"the word {errors.brief(token)} has the id {self.vocab[token]}, "
                    f"where {expected} comes next; ids are 0, 1, 2, ... each once",
                    source,
                )
        for token in self.special_tokens:
            if token not in self.vocab:
                raise ModelError(f"the token {token} is not in the vocabulary", source)

    def __repr__(self) -> str:
        """Return the size."""
        return f"WordLevelTokenizer({len(self.vocab):,} entries)"

    @classmethod
    def train(
        cls, texts: Iterable[str], *, min_count: int = 2, max_size: int = 10_000
    ) -> WordLevelTokenizer:
        """Take the most frequent words of texts; the two special tokens come first.

        Parameters
        ----------
        texts : iterable of str
        min_count : int
            Rarer words are left out.
        max_size : int
            How many entries there are at most, special tokens included.

        Raises
        ------
        OptionError
            When a count or size cannot work.
        """
        if max_size < len(cls.special_tokens):
            raise OptionError(f"the vocabulary size is {max_size}; it must be 2 or more")
        documents = (split(" ".join(_SPECIAL.split(text)[::2])) for text in several.strings(texts))
        known = Vocabulary.from_documents(
            documents, min_count=min_count, max_size=max_size - 1, unknown=UNKNOWN
        )
        return cls({token: i for i, token in enumerate((END_OF_TEXT, *known.words))})

    @classmethod
    def from_tokenizer_json(cls, path: str | os.PathLike[str]) -> WordLevelTokenizer:
        """Read a `tokenizer.json` that `save` wrote.

        Raises
        ------
        ModelError
            When the file is missing or damaged, or cuts text in another way than minilm does.
        """
        content = files.read_object(Path(path), max_bytes=bpe_files.MAX_BYTES)
        model = content.get("model")
        vocab = model.get("vocab") if isinstance(model, dict) else None
        if not isinstance(vocab, dict) or not all(type(i) is int for i in vocab.values()):
            raise ModelError("no vocabulary: an object from words to ids was expected", path)
        tokenizer = cls(vocab, source=path)
        wrong = [key for key, value in tokenizer._content().items() if content.get(key) != value]
        if wrong:
            raise ModelError(
                f"not the word tokenizer that minilm writes: its {', '.join(wrong)} differ", path
            )
        return tokenizer

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write `tokenizer.json` into an existing folder."""
        files.write_json(Path(folder) / bpe_files.TOKENIZER, self._content())

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text's words and special tokens."""
        return list(self.encode_iterable([text]))

    def encode_iterable(self, chunks: Iterable[str]) -> Iterator[int]:
        """Yield the ids of a text that comes in parts, such as the lines of an open file.

        The ids are those of the whole text, wherever the parts end.
        """
        for block in pretokenize.blocks(chunks, self.special_tokens):
            yield from self._encode_block(block)

    def encode_batch(self, texts: Iterable[str]) -> list[list[int]]:
        """Return the ids of each text."""
        return [self.encode(text) for text in several.strings(texts)]

    def unknown_words(self, text: str) -> list[str]:
        """Return the words of a text that are not in the vocabulary, each once, in order.

        >>> WordLevelTokenizer({END_OF_TEXT: 0, UNKNOWN: 1, "be": 2}).unknown_words("To be, to see")
        ['to', 'see']
        """
        words = split(" ".join(_SPECIAL.split(text)[::2]))
        return list(dict.fromkeys(word for word in words if word not in self.vocab))

    def decode(self, ids: Iterable[int]) -> str:
        """Return the words of ids, with blanks between them.

        Raises
        ------
        OptionError
            When an id is not in the vocabulary.
        """
        return " ".join(map(self._token, ids))

    def _token(self, token_id: int) -> str:
        if not 0 <= token_id < len(self._tokens):
            raise OptionError(
                f"no token has the id {token_id}; the ids are 0 to {len(self._tokens) - 1}"
            )
        return self._tokens[token_id]

    def _encode_block(self, block: str) -> Iterator[int]:
        unknown = self.vocab[UNKNOWN]
        # Text and special tokens take turns, because the pattern is one group.
        parts = _SPECIAL.split(block)
        words = ([part] if i % 2 else split(part) for i, part in enumerate(parts))
        return (self.vocab.get(word, unknown) for word in chain.from_iterable(words))

    def _content(self) -> dict[str, Any]:
        flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": self.vocab[token], "content": token, **flags, "special": True}
                for token in sorted(self.special_tokens, key=self.vocab.__getitem__)
            ],
            "normalizer": _NORMALIZER,
            "pre_tokenizer": _PRE_TOKENIZER,
            "post_processor": None,
            "decoder": None,
            "model": {"type": "WordLevel", "vocab": self.vocab, "unk_token": UNKNOWN},
        }
