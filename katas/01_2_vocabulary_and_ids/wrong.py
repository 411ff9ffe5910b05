"""Vocabularies as people write them at first."""

from __future__ import annotations

import os
from collections import Counter
from functools import cached_property
from typing import Any

from minilm import files
from minilm.course.mistakes import mistake
from minilm.errors import OptionError


class _Vocabulary:
    """All as it should be; each mistake below changes one thing."""

    def __init__(self, words, counts, unknown=None):
        self.words, self.counts, self.unknown = tuple(words), tuple(counts), unknown
        if len(self.words) != len(self.counts):
            raise OptionError(f"{len(self.words)} words but {len(self.counts)} counts")
        if len(self.index) != len(self.words):
            raise OptionError("a word is in the vocabulary twice")
        if unknown is not None and unknown not in self.index:
            raise OptionError(f"the unknown token {unknown!r} is not in the vocabulary")

    @cached_property
    def index(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    @classmethod
    def from_counts(cls, counts, *, min_count=1, max_size=None, unknown=None):
        cls.check(min_count, max_size)
        kept = cls.in_order(cls.selected(counts, min_count, unknown))
        kept = cls.cut(kept, max_size, unknown)
        if unknown is not None:
            kept = cls.with_unknown(kept, unknown, cls.left_out(counts, kept, min_count, unknown))
        return cls([w for w, _ in kept], [n for _, n in kept], unknown)

    @classmethod
    def from_documents(cls, documents, *, min_count=1, max_size=None, unknown=None):
        counts: Counter[str] = Counter()
        for words in documents:
            counts.update(words)
        return cls.from_counts(counts, min_count=min_count, max_size=max_size, unknown=unknown)

    @staticmethod
    def check(min_count: int, max_size: int | None) -> None:
        if min_count < 1 or (max_size is not None and max_size < 1):
            raise OptionError("it must be 1 or more")

    @staticmethod
    def selected(counts: Any, min_count: int, unknown: str | None) -> list[tuple[str, int]]:
        return [(w, n) for w, n in counts.items() if n >= min_count and w != unknown]

    @staticmethod
    def in_order(kept: Any) -> list[tuple[str, int]]:
        return sorted(kept, key=lambda item: (-item[1], item[0]))

    @staticmethod
    def cut(kept: Any, max_size: int | None, unknown: str | None) -> list[tuple[str, int]]:
        return kept if max_size is None else kept[: max_size - (unknown is not None)]

    @staticmethod
    def left_out(counts: Any, kept: Any, min_count: int, unknown: str) -> int:
        return sum(counts.values()) - sum(n for _, n in kept)

    @staticmethod
    def with_unknown(kept: Any, unknown: str, count: int) -> list[tuple[str, int]]:
        return [(unknown, count), *kept]

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self.index

    def encode(self, words):
        if self.unknown is None:
            return [self.index[word] for word in words if word in self.index]
        return [self.index.get(word, self.index[self.unknown]) for word in words]

    def decode(self, ids):
        return [self.word(i) for i in ids]

    def word(self, i: int) -> str:
        if not 0 <= i < len(self.words):
            raise OptionError(f"id {i} is outside the vocabulary of {len(self.words)} words")
        return self.words[i]

    def save(self, path: str | os.PathLike[str]) -> None:
        content = {"words": self.words, "counts": self.counts, "unknown": self.unknown}
        files.write_json(path, content)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Any:
        content = files.read_json(path)
        return cls(content["words"], content["counts"], content["unknown"])


@mistake("Vocabulary")
class TiesInTheOrderOfTheText(_Vocabulary):
    """words with equal counts are in the order in which they were met, not the alphabet's.

    Counter.most_common, or a sort by the count alone, leaves equals as they came. Then two texts
    with the same counts give different ids, and a model saved with one is useless with the other.
    Sort by two things: (-count, word).
    """

    @staticmethod
    def in_order(kept):
        return sorted(kept, key=lambda item: -item[1])


@mistake("Vocabulary")
class TiesBackwards(_Vocabulary):
    """words with equal counts are in reverse alphabetical order.

    reverse=True turns both parts of the key around. Keep the sort ascending and negate the count:
    (-count, word).
    """

    @staticmethod
    def in_order(kept):
        return sorted(kept, key=lambda item: (item[1], item[0]), reverse=True)


@mistake("Vocabulary")
class RarestFirst(_Vocabulary):
    """the rarest words come first: the count in the sort key has no minus.

    A limit on the size then keeps the words that say least, and id 0 is a word that occurs once.
    """

    @staticmethod
    def in_order(kept):
        return sorted(kept, key=lambda item: (item[1], item[0]))


@mistake("Vocabulary")
class AlphabeticalOrder(_Vocabulary):
    """the words are in alphabetical order, whatever their counts.

    Ids would be as good, but a limit on the size then cuts off the end of the alphabet instead of
    the rare words. The count decides first; the alphabet only decides between equals.
    """

    @staticmethod
    def in_order(kept):
        return sorted(kept)


@mistake("Vocabulary")
class OrderOfTheText(_Vocabulary):
    """the words are in the order in which they were first met; nothing was sorted.

    The most frequent word belongs at id 0, so that a limit on the size cuts the rare ones.
    """

    @staticmethod
    def in_order(kept):
        return list(kept)


@mistake("Vocabulary")
class MinimumLeftOut(_Vocabulary):
    """words that occur exactly min_count times were left out.

    "Words that occur less often are left out": n >= min_count stays. With `>` and the default of 1,
    every word that occurs once is gone.
    """

    @staticmethod
    def selected(counts, min_count, unknown):
        return [(w, n) for w, n in counts.items() if n > min_count and w != unknown]


@mistake("Vocabulary")
class MinimumIgnored(_Vocabulary):
    """min_count is not used: rare words are still there.

    Keep a word only if its count is at least min_count.
    """

    @staticmethod
    def selected(counts, min_count, unknown):
        return [(w, n) for w, n in counts.items() if w != unknown]


@mistake("Vocabulary")
class SizeIgnored(_Vocabulary):
    """max_size is not used: there are more entries than it allows.

    After sorting, keep the first max_size words; one fewer if an unknown token needs a place.
    """

    @staticmethod
    def cut(kept, max_size, unknown):
        return kept


@mistake("Vocabulary")
class NoRoomForUnknown(_Vocabulary):
    """there is one entry too many: the unknown token got no room within max_size.

    max_size counts all entries, as the table of a model has exactly that many rows. With an unknown
    token, only max_size - 1 words fit.
    """

    @staticmethod
    def cut(kept, max_size, unknown):
        return kept[:max_size]


@mistake("Vocabulary")
class OneWordTooFew(_Vocabulary):
    """one place was kept free for an unknown token even where there is none.

    Without an unknown token all max_size places are for words.
    """

    @staticmethod
    def cut(kept, max_size, unknown):
        return kept if max_size is None else kept[: max_size - 1]


@mistake("Vocabulary")
class CutBeforeSorting(_Vocabulary):
    """the list was cut to max_size before it was sorted.

    That keeps the words that were met first, not the most frequent ones. Sort, then cut.
    """

    @classmethod
    def from_counts(cls, counts, *, min_count=1, max_size=None, unknown=None):
        cls.check(min_count, max_size)
        kept = cls.cut(cls.selected(counts, min_count, unknown), max_size, unknown)
        kept = cls.in_order(kept)
        if unknown is not None:
            kept = cls.with_unknown(kept, unknown, cls.left_out(counts, kept, min_count, unknown))
        return cls([w for w, _ in kept], [n for _, n in kept], unknown)


@mistake("Vocabulary")
class UnknownLast(_Vocabulary):
    """the unknown token is last; it belongs first, with id 0.

    Insert it at position 0 after the words are sorted and cut.
    """

    @staticmethod
    def with_unknown(kept, unknown, count):
        return [*kept, (unknown, count)]


@mistake("Vocabulary")
class UnknownSortedIn(_Vocabulary):
    """the unknown token was sorted in among the words by its count.

    It has a fixed place, id 0, so that everybody knows where to find it. Add it after sorting.
    """

    @staticmethod
    def with_unknown(kept, unknown, count):
        return sorted([*kept, (unknown, count)], key=lambda item: (-item[1], item[0]))


@mistake("Vocabulary")
class UnknownCountsZero(_Vocabulary):
    """the unknown token has the count 0.

    It means every word that was left out, so its count is theirs: the sum of all counts minus the
    sum of those you kept. The counts then add up to the length of the text.
    """

    @staticmethod
    def left_out(counts, kept, min_count, unknown):
        return 0


@mistake("Vocabulary")
class UnknownCountsDifferentWords(_Vocabulary):
    """the unknown token's count is the number of different words that were left out.

    Asked for is how often they occurred: the sum of their counts. A word that was left out and
    occurs twice counts two.
    """

    @staticmethod
    def left_out(counts, kept, min_count, unknown):
        return len(counts) - len(kept)


@mistake("Vocabulary")
class UnknownCountsRareWordsOnly(_Vocabulary):
    """the unknown token's count lacks the words that max_size cut off.

    Words are left out for two reasons, too rare or no room; both become the unknown token. Take the
    sum of all counts minus the sum of those you kept.
    """

    @staticmethod
    def left_out(counts, kept, min_count, unknown):
        return sum(n for w, n in counts.items() if n < min_count or w == unknown)


@mistake("Vocabulary")
class UnknownsOwnCountLost(_Vocabulary):
    """the text has the unknown token itself, and those occurrences were not counted.

    Its count is that of everything without an id, the token itself included.
    """

    @staticmethod
    def left_out(counts, kept, min_count, unknown):
        return sum(counts.values()) - sum(n for _, n in kept) - counts[unknown]


@mistake("Vocabulary")
class UnknownTwice(_Vocabulary):
    """the unknown token is there twice when the text has it as a word.

    A file may have been through another tokenizer and contain "<unk>" itself. Leave it out of the
    words (w != unknown), and put it in front once.
    """

    @staticmethod
    def selected(counts, min_count, unknown):
        return [(w, n) for w, n in counts.items() if n >= min_count]


@mistake("Vocabulary")
class UnknownNotPassedOn(_Vocabulary):
    """the vocabulary does not know its unknown token: it was not passed to cls(...).

    The word is in the list, but `self.unknown` is None, so encode would leave unknown words out.
    Return cls(words, counts, unknown).
    """

    @classmethod
    def from_counts(cls, counts, *, min_count=1, max_size=None, unknown=None):
        made = super().from_counts(counts, min_count=min_count, max_size=max_size, unknown=unknown)
        made.unknown = None
        return made


@mistake("Vocabulary")
class UnknownForgotten(_Vocabulary):
    """the unknown token was not put into the vocabulary.

    When `unknown` is given it is one of the words: the first, with id 0.
    """

    @staticmethod
    def with_unknown(kept, unknown, count):
        return kept

    def __init__(self, words, counts, unknown=None):
        super().__init__(words, counts, unknown if unknown in words else None)


@mistake("Vocabulary")
class UnknownWordsLeftOut(_Vocabulary):
    """unknown words are left out even if there is an unknown token.

    The ids are then of a shorter sentence, and words stand side by side that never did. Without an
    entry, use the id of self.unknown.
    """

    def encode(self, words):
        return [self.index[word] for word in words if word in self.index]


@mistake("Vocabulary")
class UnknownIsAlwaysZero(_Vocabulary):
    """unknown words became id 0, but the unknown token has another id here.

    from_counts puts it first; a vocabulary from elsewhere may not. Look it up:
    self.index[self.unknown].
    """

    def encode(self, words):
        if self.unknown is None:
            return [self.index[word] for word in words if word in self.index]
        return [self.index.get(word, 0) for word in words]


@mistake("Vocabulary")
class ZeroWithoutUnknown(_Vocabulary):
    """without an unknown token, words that are not there became id 0: the most frequent word.

    Then "soup" reads as "the". Without an unknown token such words are left out.
    """

    def encode(self, words):
        default = 0 if self.unknown is None else self.index[self.unknown]
        return [self.index.get(word, default) for word in words]


@mistake("Vocabulary")
class MinusOneWithoutUnknown(_Vocabulary):
    """without an unknown token, words that are not there became -1.

    -1 is an index in Python, that of the last word. Such words are left out.
    """

    def encode(self, words):
        default = -1 if self.unknown is None else self.index[self.unknown]
        return [self.index.get(word, default) for word in words]


@mistake("Vocabulary")
class NoneWithoutUnknown(_Vocabulary):
    """without an unknown token, words that are not there became None.

    dict.get gives None where there is nothing. Leave such words out: `if word in self.index`.
    """

    def encode(self, words):
        default = None if self.unknown is None else self.index[self.unknown]
        return [self.index.get(word, default) for word in words]


@mistake("Vocabulary")
class UnknownWordsRaise(_Vocabulary):
    """a word that is not in the vocabulary raises KeyError.

    Any text but the one you counted has such words. Without an unknown token leave them out: `if
    word in self.index`.
    """

    def encode(self, words):
        if self.unknown is None:
            return [self.index[word] for word in words]
        return [self.index.get(word, self.index[self.unknown]) for word in words]


@mistake("Vocabulary")
class IdsFromOne(_Vocabulary):
    """the ids start at 1; they start at 0.

    An id is a position in self.words, and later a row of a table. self.index has the right ones.
    """

    def encode(self, words):
        return [i + 1 for i in super().encode(words)]


@mistake("Vocabulary")
class EachWordOnce(_Vocabulary):
    """repeated words are there only once.

    The ids are the sentence, in order, with its repetitions: one id for each word.
    """

    def encode(self, words):
        return list(dict.fromkeys(super().encode(words)))


@mistake("Vocabulary")
class SortedIds(_Vocabulary):
    """the ids are sorted; they should be in the order of the words.

    encode turns a sentence into numbers, and its order is part of it.
    """

    def encode(self, words):
        return sorted(super().encode(words))


@mistake("Vocabulary")
class OneString(_Vocabulary):
    """decode returns one string; asked for is a list of words.

    Leave it to the caller how to join them: " ".join(vocabulary.decode(ids)).
    """

    def decode(self, ids):
        return " ".join(super().decode(ids))


@mistake("Vocabulary")
class LastIdRefused(_Vocabulary):
    """the last id is refused, but V words have the ids 0 to V - 1.

    An id is outside if it is below 0 or at least len(self.words).
    """

    def word(self, i):
        if not 0 <= i < len(self.words) - 1:
            raise OptionError(f"id {i} is outside the vocabulary of {len(self.words)} words")
        return self.words[i]


@mistake("Vocabulary")
class NegativeIdsAccepted(_Vocabulary):
    """a negative id is accepted, and gives a word counted from the end.

    That is what Python's indexing does. Here -1 often marks "no word", and "the last word of the
    vocabulary" is the wrong answer without a warning. Raise OptionError.
    """

    def word(self, i):
        if i >= len(self.words):
            raise OptionError(f"id {i} is outside the vocabulary of {len(self.words)} words")
        return self.words[i]


@mistake("Vocabulary")
class NoIdRefused(_Vocabulary):
    """ids are not checked: large ones raise IndexError, and negative ones give a word from the end.

    Raise OptionError unless 0 <= i < len(self.words).
    """

    def word(self, i):
        return self.words[i]


@mistake("Vocabulary")
class OneIdTooManyAccepted(_Vocabulary):
    """the id V is let through, and raises IndexError: V words have the ids 0 to V - 1.

    The check needs i < len(self.words), not <=.
    """

    def word(self, i):
        if not 0 <= i <= len(self.words):
            raise OptionError(f"id {i} is outside the vocabulary of {len(self.words)} words")
        return self.words[i]


@mistake("Vocabulary")
class AnyOptionAccepted(_Vocabulary):
    """min_count and max_size are not checked.

    A limit of 0 makes a vocabulary without words, and a negative one cuts from the end. Raise
    OptionError for both when they are below 1.
    """

    @staticmethod
    def check(min_count, max_size):
        pass


@mistake("Vocabulary")
class AnySizeAccepted(_Vocabulary):
    """max_size is not checked: a limit of 0, or below, is accepted.

    kept[:-3] cuts the last three off, which is not what anybody asked for. Raise OptionError when
    it is given and below 1.
    """

    @staticmethod
    def check(min_count, max_size):
        if min_count < 1:
            raise OptionError("it must be 1 or more")
