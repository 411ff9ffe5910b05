"""The word tokenizer and its vocabulary: the simplest way from text to integers.

Words are lower case and maximal runs of letters; digits and punctuation only separate. A combining
mark (an accent typed after its letter, a vowel sign of Hindi) belongs to the letter before it. What
this loses (case, numbers, the pieces of a rare word) is what byte-level BPE in `bpe.py` keeps.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from minilm import files
from minilm.errors import InputError, OptionError

# The function words that the first lesson leaves out before counting.
STOP_WORDS = frozenset(
    "a an the is it in on of to and for with that this are was be at by or from but not we all "
    "had has have".split()
)

_ASCII_WORD = re.compile("[a-z]+")
# Everything but long stretches of characters that have no marks among them: Latin, Greek, Cyrillic,
# punctuation and symbols, Chinese, Japanese, Korean.
_BLOCKS_WITH_MARKS = re.compile(
    "[^\0-\u02ff\u0370-\u0482\u048a-\u0590\u1e00-\u20cf\u2100-\u2cee\u3040-\u3098\u309b-\ua66e"
    "\uac00-\ud7ff]"
)
# \w without decimal digits and the underscore: the letters, and a few numerals such as "²".
_WORD_LIKE = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class WordTokenizer:
    """Lower case, maximal runs of letters of any script (`str.isalpha`), nothing else.

    Text is brought to Unicode's form NFC first, so that an é has one spelling. The marks that then
    still follow a letter stay with it.

    Parameters
    ----------
    stop_words : frozenset of str
        Words to leave out; `STOP_WORDS` is the list of the first lesson.

    Examples
    --------
    >>> WordTokenizer().tokenize("It's 3 o'clock: the Émigré sleeps.")
    ['it', 's', 'o', 'clock', 'the', 'émigré', 'sleeps']
    >>> WordTokenizer().tokenize("cafe\N{COMBINING ACUTE ACCENT} हिन्दी")
    ['café', 'हिन्दी']
    >>> WordTokenizer(STOP_WORDS).tokenize("All was not well in the garden")
    ['well', 'garden']
    """

    stop_words: frozenset[str] = frozenset()

    def tokenize(self, text: str) -> list[str]:
        """Return the words of `text`, in order."""
        if text.isascii():
            words = _ASCII_WORD.findall(text.lower())
        else:
            words = _words_of_any_script(unicodedata.normalize("NFC", text).lower())
        if self.stop_words:
            return [word for word in words if word not in self.stop_words]
        return words


def _words_of_any_script(lowered: str) -> list[str]:
    """Return the words of a text in lower case and NFC.

    Letters, marks and everything else become three kinds of characters, of which a pattern makes
    words: those of the text at the same places.
    """
    if not _BLOCKS_WITH_MARKS.search(lowered):  # the fast way, for most texts
        words = _WORD_LIKE.findall(lowered)
        if "".join(words).isalpha():
            return words
    shape = lowered.translate(_shape)
    return [lowered[match.start() : match.end()] for match in _SHAPE_WORD.finditer(shape)]


_LETTER, _MARK, _OTHER = "a", "'", " "
_SHAPE_WORD = re.compile("a[a']*")


class _Shape(dict[int, str]):
    """The kind of each code point, found when it is first met (what `str.translate` reads)."""

    LIMIT = 1 << 16  # entries; no language has more characters than that

    def __missing__(self, code: int) -> str:
        if len(self) >= self.LIMIT:
            self.clear()
        character = chr(code)
        if character.isalpha():
            kind = _LETTER
        else:
            kind = _MARK if unicodedata.category(character)[0] == "M" else _OTHER
        self[code] = kind
        return kind


_shape = _Shape()


def is_word(text: str) -> bool:
    """Return whether a text is one word of the tokenizer, in whatever case.

    >>> is_word("Émigré"), is_word("हिन्दी"), is_word("it's"), is_word("")
    (True, True, False, False)
    """
    return _SHAPE_WORD.fullmatch(text.translate(_shape)) is not None


class Vocabulary:
    """Words and their ids, with the counts they had when the vocabulary was made.

    Parameters
    ----------
    words : sequence of str
        The words; a word's id is its position.
    counts : sequence of int
        How often each occurred.
    unknown : str, optional
        The word (one of `words`) that means every word outside the vocabulary. Without one,
        `encode` leaves such words out.

    Raises
    ------
    OptionError
        When a word is there twice, the lengths differ or `unknown` is not among the words.

    Examples
    --------
    >>> vocabulary = Vocabulary.from_documents([["to", "be", "or", "not", "to", "be"]])
    >>> vocabulary.words
    ('be', 'to', 'not', 'or')
    >>> vocabulary.encode(["to", "see", "or", "not"])
    [1, 3, 2]
    >>> vocabulary.decode([1, 0])
    ['to', 'be']
    """

    def __init__(
        self, words: Sequence[str], counts: Sequence[int], unknown: str | None = None
    ) -> None:
        self.words = tuple(words)
        self.counts = tuple(counts)
        self.unknown = unknown
        if len(self.words) != len(self.counts):
            raise OptionError(f"{len(self.words)} words but {len(self.counts)} counts")
        if len(self.index) != len(self.words):
            twice = next(w for w, n in Counter(self.words).items() if n > 1)
            raise OptionError(f"the word {twice!r} is in the vocabulary twice")
        if unknown is not None and unknown not in self.index:
            raise OptionError(f"the unknown token {unknown!r} is not in the vocabulary")

    @cached_property
    def index(self) -> dict[str, int]:
        """The id of each word."""
        return {word: i for i, word in enumerate(self.words)}

    @classmethod
    def from_counts(
        cls,
        counts: Counter[str],
        *,
        min_count: int = 1,
        max_size: int | None = None,
        unknown: str | None = None,
    ) -> Vocabulary:
        """Keep the most frequent words; equal counts are in alphabetical order.

        Parameters
        ----------
        counts : Counter
            How often each word occurs.
        min_count : int
            Words that occur less often are left out.
        max_size : int, optional
            How many entries there may be at most, the unknown token included.
        unknown : str, optional
            A token to put first (id 0); its count is that of all the words left out.
        """
        if min_count < 1:
            raise OptionError(f"the minimum count is {min_count}; it must be 1 or more")
        if max_size is not None and max_size < 1:
            raise OptionError(f"the vocabulary size is {max_size}; it must be 1 or more")
        kept = [(w, n) for w, n in counts.items() if n >= min_count and w != unknown]
        kept.sort(key=lambda item: (-item[1], item[0]))
        if max_size is not None:
            kept = kept[: max_size - (unknown is not None)]
        if unknown is not None:
            left_out = sum(counts.values()) - sum(n for _, n in kept)
            kept.insert(0, (unknown, left_out))
        return cls([w for w, _ in kept], [n for _, n in kept], unknown)

    @classmethod
    def from_documents(
        cls,
        documents: Iterable[Iterable[str]],
        *,
        min_count: int = 1,
        max_size: int | None = None,
        unknown: str | None = None,
    ) -> Vocabulary:
        """Count the words of tokenized documents, then as `from_counts`."""
        counts: Counter[str] = Counter()
        for words in documents:
            if isinstance(words, str):  # its letters would be taken for words
                raise OptionError(f"a document is the string {words[:20]!r}; cut it into words")
            counts.update(words)
        return cls.from_counts(counts, min_count=min_count, max_size=max_size, unknown=unknown)

    def __repr__(self) -> str:
        """Return the size and the unknown token."""
        unknown = "" if self.unknown is None else f", unknown={self.unknown!r}"
        return f"Vocabulary({len(self):,} words{unknown})"

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        """Return whether the word has its own id."""
        return word in self.index

    def encode(self, words: Iterable[str]) -> list[int]:
        """Return the ids of words; others become the unknown token, or are left out without one."""
        index = self.index
        if self.unknown is None:
            return [index[word] for word in words if word in index]
        default = index[self.unknown]
        return [index.get(word, default) for word in words]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the words of ids.

        Raises
        ------
        OptionError
            When an id is outside the vocabulary (negative ids too).
        """
        words = []
        for i in ids:
            if not 0 <= i < len(self.words):
                raise OptionError(f"id {i} is outside the vocabulary of {len(self.words)} words")
            words.append(self.words[i])
        return words

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the vocabulary as JSON, atomically."""
        content = {"words": self.words, "counts": self.counts, "unknown": self.unknown}
        files.write_json(path, content)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocabulary:
        """Read a vocabulary that `save` wrote.

        Raises
        ------
        InputError
            When the file is not such a vocabulary.
        """
        content = files.read_json(path)
        if not (
            isinstance(content, dict)
            and _is_list_of(content.get("words"), str)
            and _is_list_of(content.get("counts"), int)
            and isinstance(content.get("unknown"), str | None)
        ):
            raise InputError("not a vocabulary: it needs lists of words and of counts", path)
        try:
            return cls(content["words"], content["counts"], content["unknown"])
        except OptionError as error:
            raise InputError(f"not a vocabulary: {error}", path) from None


def _is_list_of(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(type(item) is kind for item in value)
