"""The tokenizer of GPT-2: byte-level byte-pair encoding, trained and applied by hand.

Any text is bytes, so nothing is ever unknown; a frequent run of bytes is one token, a rare word is
several. Text is cut into pieces (`pretokenize`), and the learned merges (`merges`) are applied to
the bytes of each (`byte_level`), which files spell in symbols (`byte_symbols`). Here these come
together, with a cache of the pieces that were met before. Files are in `bpe_files`.

How text is cut is GPT-2's way, SmolLM2's or Llama 3's. Left out on purpose: normalization, dropout,
and all other ways.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from minilm import errors
from minilm.errors import InputError, ModelError, OptionError
from minilm.text import bpe_files, byte_level, byte_symbols, pretokenize, several
from minilm.text import merges as bpe_merges
from minilm.text.bpe_files import Style

_GPT2 = Style()

# Ids are characters while merges are learned, and Python has no more of those.
_MAX_VOCAB = 0x110000


class BytePairTokenizer:
    """A byte-level BPE tokenizer, equal to GPT-2's where it has GPT-2's files.

    Parameters
    ----------
    vocab : mapping of str to int
        The id of each token, spelled in GPT-2's byte symbols (special tokens: as they are). The ids
        are 0 to len(vocab) - 1, and the 256 single bytes are among the tokens.
    merges : sequence of (str, str)
        The pairs of tokens to join, the earliest learned first.
    special_tokens : sequence of str
        Tokens that are found as they are, before anything else, and never cut.
    style : Style
        What else it does; by default what GPT-2's does.
    sources : pair of Path, optional
        The files of vocabulary and merges, to be named in errors.

    Attributes
    ----------
    chat_template : str or None
        How a conversation becomes text, in transformers' words; for whoever loads it to set.

    Raises
    ------
    ModelError
        When vocabulary and merges do not fit together, naming the first entry that does not.

    Examples
    --------
    >>> tokenizer = BytePairTokenizer.train(["low lower lowest"], 260, ["<|end|>"])
    >>> tokenizer.merges
    [('l', 'o'), ('lo', 'w'), ('Ġ', 'low')]
    >>> tokenizer.encode("slow<|end|>")
    [83, 258, 0]
    >>> tokenizer.decode([83, 258, 0])
    'slow<|end|>'
    """

    def __init__(
        self,
        vocab: Mapping[str, int],
        merges: Sequence[tuple[str, str]],
        special_tokens: Sequence[str] = (),
        *,
        style: Style = _GPT2,
        sources: tuple[Path | None, Path | None] = (None, None),
    ) -> None:
        vocab_source, merges_source = sources
        self.vocab = dict(vocab)
        self.merges = list(merges)
        self.special_tokens = tuple(dict.fromkeys(special_tokens))
        self.style = style
        self.chat_template: str | None = None
        _check_vocab(self.vocab, self.special_tokens, vocab_source)
        if style == _GPT2:
            _check_bytes(self.vocab, vocab_source)
        ranks, joined = bpe_merges.rank(self.vocab, self.merges, merges_source)
        self._bytes = _bytes_by_id(self.vocab, self.special_tokens, joined, vocab_source)
        # The longest first, so that of two that begin at one place the longer is found.
        longest_first = sorted(self.special_tokens, key=len, reverse=True)
        self._special = re.compile(f"({'|'.join(map(re.escape, longest_first))})")
        self._with_space = [token for token in longest_first if re.search(r"\s", token)]
        whole = self.vocab if style.ignore_merges else {}
        self._tokens_of = _Memory(self.vocab, self.special_tokens, ranks, joined, whole)

    def __repr__(self) -> str:
        """Return the size."""
        special = f", {len(self.special_tokens)} special" if self.special_tokens else ""
        return (
            f"BytePairTokenizer({len(self.vocab):,} entries, {len(self.merges):,} merges{special})"
        )

    @classmethod
    def train(
        cls, texts: Iterable[str], vocab_size: int, special_tokens: Sequence[str] = ()
    ) -> BytePairTokenizer:
        """Learn merges from texts; equal to Hugging Face's `BpeTrainer` entry for entry.

        Ids are given to the special tokens first, then to the 256 bytes, then to the merges. As in
        Hugging Face's, special tokens inside `texts` are text like any other.

        Parameters
        ----------
        texts : iterable of str
            The texts; pieces, and so tokens, never reach across two of them.
        vocab_size : int
            The number of entries to stop at. Short texts give fewer, when no pair is left.
        special_tokens : sequence of str
            Tokens with a role, such as the end of a text.

        Raises
        ------
        OptionError
            When `vocab_size` has no room for bytes and special tokens.
        """
        if isinstance(special_tokens, str):
            raise OptionError("special_tokens is one string; pass a list: [token]")
        for token in special_tokens:
            if token == "" or token in byte_symbols.SYMBOLS or special_tokens.count(token) > 1:
                raise OptionError(f"special token {token!r}: empty, a single byte, or given twice")
        symbols = [*special_tokens, *sorted(byte_symbols.SYMBOLS)]
        if not len(symbols) <= vocab_size <= _MAX_VOCAB:
            raise OptionError(
                f"a vocabulary of {vocab_size:,} entries; it takes {len(symbols)} for bytes and "
                f"special tokens, and {_MAX_VOCAB:,} at most"
            )
        counts: Counter[str] = Counter()
        for text in several.strings(texts):
            for block in pretokenize.blocks([text]):
                counts.update(pretokenize.split(block))
        words = {
            byte_symbols.spell(byte_level.utf8(piece)): count for piece, count in counts.items()
        }
        tokens, merges = bpe_merges.learn(words, symbols, vocab_size)
        vocab = {token: number for number, token in enumerate(tokens)}
        return cls(vocab, merges, special_tokens)

    @classmethod
    def from_files(
        cls,
        vocab: str | os.PathLike[str],
        merges: str | os.PathLike[str],
        added: str | os.PathLike[str] | None = None,
    ) -> BytePairTokenizer:
        """Read a `vocab.json` and a `merges.txt`, such as GPT-2's; also an `added_tokens.json`.

        Special tokens are the entries that no byte and no merge produces.

        Raises
        ------
        ModelError
            When a file is missing or damaged, naming it.
        """
        sources = Path(vocab), Path(merges)
        ids = bpe_files.read_vocab(sources[0], Path(added) if added else None)
        pairs = bpe_files.read_merges(sources[1])
        given = {*byte_symbols.SYMBOLS, *(left + right for left, right in pairs)}
        special_tokens = [token for token in ids if token not in given]
        found = cls(ids, pairs, special_tokens, sources=sources)
        beside = bpe_files.read_vocab(Path(added)) if added else {}
        _check_derived([t for t in special_tokens if t not in beside], found, sources[1])
        return found

    @classmethod
    def from_tokenizer_json(cls, path: str | os.PathLike[str]) -> BytePairTokenizer:
        """Read a `tokenizer.json` of Hugging Face's, where it holds a byte-level BPE like GPT-2's.

        Raises
        ------
        ModelError
            When the file is missing or damaged, or asks for something else than GPT-2 does.
        """
        path = Path(path)
        ids, pairs, special_tokens, style = bpe_files.read_tokenizer(path)
        found = cls(ids, pairs, special_tokens, style=style, sources=(path, path))
        if not style.ignore_merges:
            given = {*byte_symbols.SYMBOLS, *special_tokens, *(a + b for a, b in pairs)}
            _check_derived([token for token in ids if token not in given], found, path)
        return found

    @classmethod
    def from_folder(cls, folder: str | os.PathLike[str]) -> BytePairTokenizer:
        """Read a model folder's `tokenizer.json` or, where there is none, the other two files."""
        tokenizer, vocab, merges = (Path(folder) / name for name in bpe_files.NAMES)
        if tokenizer.exists():
            return cls.from_tokenizer_json(tokenizer)
        if not vocab.exists() and not merges.exists():
            raise ModelError(f"no tokenizer here: none of {', '.join(bpe_files.NAMES)}", folder)
        added = Path(folder) / bpe_files.ADDED_TOKENS
        return cls.from_files(vocab, merges, added if added.exists() else None)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write `vocab.json`, `merges.txt` and `tokenizer.json` into an existing folder."""
        bpe_files.write(Path(folder), self.vocab, self.merges, self.special_tokens, self.style)

    @property
    def begins_with(self) -> str | None:
        """The token that belongs before a text; `encode` leaves it out."""
        return self.style.begins_with

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text's tokens.

        Special tokens are matched first: from left to right, the longest of those that begin at one
        place.

        Raises
        ------
        InputError
            When the text has a lone surrogate, which UTF-8 has no bytes for.
        """
        ids: list[int] = []
        for block in pretokenize.blocks([text], self._with_space, self.style.pattern):
            ids += self._encode_block(block)
        return ids

    def encode_iterable(self, chunks: Iterable[str]) -> Iterator[int]:
        """Yield the ids of a text that comes in parts, such as the lines of an open file.

        The ids are those of the whole text, wherever the parts end. Parts are taken as they are
        needed, and what is in memory does not grow with the text (see `pretokenize.blocks`).
        """
        for block in pretokenize.blocks(chunks, self._with_space, self.style.pattern):
            yield from self._encode_block(block)

    def pieces(self, text: str) -> list[str]:
        """Cut a text, all at once, into special tokens and the pieces that merges are applied to.

        >>> BytePairTokenizer.train([], 257, ["<|end|>"]).pieces("It's<|end|>10 km")
        ['It', "'s", '<|end|>', '10', ' km']
        """
        if not any(token in text for token in self.special_tokens):
            return pretokenize.split(text, self.style.pattern)
        pieces: list[str] = []
        # Text and special tokens take turns, because the pattern is one group.
        for number, part in enumerate(self._special.split(text)):
            pieces += [part] if number % 2 else pretokenize.split(part, self.style.pattern)
        return pieces

    def encode_batch(self, texts: Iterable[str]) -> list[list[int]]:
        """Return the ids of each text."""
        return [self.encode(text) for text in several.strings(texts)]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of tokens; bytes that are no UTF-8 become U+FFFD, as in GPT-2.

        Raises
        ------
        OptionError
            When an id is not in the vocabulary.
        """
        return byte_level.decode(ids, self._bytes)

    def token_bytes(self, token_id: int) -> bytes:
        """Return the bytes of a token."""
        try:
            return self._bytes[token_id]
        except KeyError:
            raise OptionError(
                f"no token has the id {token_id}; the ids are 0 to {len(self.vocab) - 1}"
            ) from None

    def _encode_block(self, block: str) -> list[int]:
        return list(chain.from_iterable(map(self._tokens_of.__getitem__, self.pieces(block))))


class _Memory(dict[str, tuple[int, ...]]):
    """The tokens of each piece, worked out when it is first met."""

    ENTRIES = 1 << 16
    LENGTH = 1 << 7  # characters; longer pieces are hardly ever met again

    def __init__(
        self,
        vocab: Mapping[str, int],
        special_tokens: Sequence[str],
        ranks: Mapping[tuple[int, int], int],
        joined: Sequence[int],
        whole: Mapping[str, int],
    ) -> None:
        self.special_ids = {token: vocab[token] for token in special_tokens}
        self.byte_ids = [vocab.get(symbol) for symbol in byte_symbols.SYMBOLS]
        self.whole = whole
        self.ranks = ranks
        self.joined = joined

    def __missing__(self, piece: str) -> tuple[int, ...]:
        if piece in self.special_ids:
            return (self.special_ids[piece],)
        if self.whole and (token := byte_symbols.spell(byte_level.utf8(piece))) in self.whole:
            return (self.whole[token],)
        ids = tuple(byte_level.encode(piece, self.byte_ids, self.ranks, self.joined))
        if len(piece) <= self.LENGTH:
            if len(self) >= self.ENTRIES:
                self.clear()
            self[piece] = ids
        return ids


def _check_derived(others: Sequence[str], found: BytePairTokenizer, source: Path) -> None:
    """Raise ModelError at so many tokens that no merge gives that merges must be missing."""
    if len(others) > max(16, len(found.vocab) // 50):
        raise ModelError(
            f"its {len(found.merges):,} merges do not give {len(others):,} of the "
            f"{len(found.vocab):,} tokens, such as {errors.brief(others[-1])}; it is cut short, or "
            "belongs to another vocabulary; copy it again",
            source,
        )


def _check_vocab(
    vocab: Mapping[str, int], special_tokens: Sequence[str], source: Path | None
) -> None:
    """Raise ModelError unless the ids are 0 to n - 1 and all bytes and special tokens are there."""
    if "" in vocab:
        raise ModelError("a token without characters", source)
    token_of: dict[int, str] = {}
    for token, number in vocab.items():
        if token_of.setdefault(number, token) != token:
            raise ModelError(
                f"{token_of[number]!r} and {token!r} both have the id {number}", source
            )
    if vocab and (lowest := min(token_of)) < 0:
        raise ModelError(f"{token_of[lowest]!r} has the id {lowest}; ids begin at 0", source)
    if vocab and (highest := max(token_of)) >= len(vocab):
        missing = next(number for number in range(len(vocab)) if number not in token_of)
        raise ModelError(
            f"no token has the id {missing}, but {token_of[highest]!r} has {highest}; "
            "ids have no gaps",
            source,
        )
    for token in special_tokens:
        if token not in vocab:
            raise ModelError(f"the special token {token!r} is not in the vocabulary", source)


def _check_bytes(vocab: Mapping[str, int], source: Path | None) -> None:
    """Raise ModelError unless all 256 bytes have a token, as GPT-2's and ours have.

    SmolLM2's lacks those that its training text never had.
    """
    for byte, symbol in enumerate(byte_symbols.SYMBOLS):
        if symbol not in vocab:
            raise ModelError(
                f"no token for the byte 0x{byte:02X} ({symbol!r}), so some text has no tokens; "
                "byte-level BPE has all 256 bytes",
                source,
            )


def _bytes_by_id(
    vocab: Mapping[str, int],
    special_tokens: Sequence[str],
    joined: Sequence[int],
    source: Path | None,
) -> dict[int, bytes]:
    """Return the bytes of every token; raise ModelError at a token that is spelled wrongly."""
    special = set(special_tokens)
    made = {*joined, *(vocab[symbol] for symbol in byte_symbols.SYMBOLS if symbol in vocab)}
    table = {}
    for token, number in vocab.items():
        try:
            # A special token may be spelled like a byte or a merge: then it means those bytes.
            plain = token in special and number not in made
            table[number] = byte_level.utf8(token) if plain else byte_symbols.unspell(token)
        except (KeyError, InputError):
            raise ModelError(
                f"{token!r} is neither spelled in byte symbols nor a special token of whole "
                "characters",
                source,
            ) from None
        if token in special and table[number] != byte_level.utf8(token):
            raise ModelError(
                f"the special token {token!r} also spells the bytes {table[number]!r}; rename it",
                source,
            )
    return table
