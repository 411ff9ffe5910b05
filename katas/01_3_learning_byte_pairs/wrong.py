"""Learning merges as people write it at first."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

from minilm.course.mistakes import mistake


def _count(split: Any, words: Any) -> Counter[Any]:
    counts: Counter[Any] = Counter()
    for word, parts in split.items():
        for pair in pairwise(parts):
            counts[pair] += words[word]
    return counts


def _best(counts: Any, tokens: Any) -> Any:
    return min(counts, key=lambda p: (-counts[p], tokens.index(p[0]), tokens.index(p[1])))


def _join(parts: list[str], pair: Any) -> list[str]:
    joined, i = [], 0
    while i < len(parts):
        if tuple(parts[i : i + 2]) == pair:
            joined.append(parts[i] + parts[i + 1])
            i += 2
        else:
            joined.append(parts[i])
            i += 1
    return joined


def _learn(
    words: Any,
    symbols: Any,
    vocab_size: int,
    *,
    count: Any = _count,
    best: Any = _best,
    join: Any = _join,
    least: int = 1,
) -> Any:
    """Learn merges, with some step done in another way."""
    tokens, merges = list(symbols), []
    split = {word: list(word) for word in words}
    while len(tokens) < vocab_size:
        counts = count(split, words)
        if not counts or max(counts.values()) < least:
            break
        pair = best(counts, tokens)
        merges.append(pair)
        if "".join(pair) not in tokens:
            tokens.append("".join(pair))
        before = split
        split = {word: join(parts, pair) for word, parts in split.items()}
        if split == before:  # it would go on for ever
            break
    return tokens, merges


@mistake("learn")
def first_met_wins(words, symbols, vocab_size):
    """of pairs with equal counts, the one that was met first was taken.

    max(counts, key=counts.get) does so. Then the order of the words decides, and two people with
    the same text get different tokenizers. In a tie the lower id of the left token wins, then the
    lower id of the right one.
    """
    return _learn(words, symbols, vocab_size, best=lambda c, t: max(c, key=c.get))


@mistake("learn")
def ties_by_the_alphabet(words, symbols, vocab_size):
    """of pairs with equal counts, the first in the alphabet was taken.

    Compare ids, not strings: an id is a position in `tokens`. It is the same only as long as the
    symbols are in alphabetical order and nothing was joined yet.
    """
    return _learn(words, symbols, vocab_size, best=lambda c, t: min(c, key=lambda p: (-c[p], p)))


@mistake("learn")
def ties_backwards(words, symbols, vocab_size):
    """of pairs with equal counts, the one with the highest ids was taken.

    max over (count, id, id) turns the ids around too. Use min over (-count, id, id).
    """
    return _learn(
        words,
        symbols,
        vocab_size,
        best=lambda c, t: max(c, key=lambda p: (c[p], t.index(p[0]), t.index(p[1]))),
    )


@mistake("learn")
def only_the_left_id_decides(words, symbols, vocab_size):
    """with equal counts and the same left token, the right token's id must decide.

    The key needs three parts: -count, id of the left token, id of the right one.
    """
    return _learn(
        words,
        symbols,
        vocab_size,
        best=lambda c, t: min(c, key=lambda p: (-c[p], t.index(p[0]))),
    )


@mistake("learn")
def the_right_id_decides_first(words, symbols, vocab_size):
    """with equal counts, the right token's id was compared before the left one's.

    The left token decides first, then the right one.
    """
    return _learn(
        words,
        symbols,
        vocab_size,
        best=lambda c, t: min(c, key=lambda p: (-c[p], t.index(p[1]), t.index(p[0]))),
    )


@mistake("learn")
def sum_of_the_ids_decides(words, symbols, vocab_size):
    """with equal counts, the sum of the two ids was compared; the left one decides first.

    (0, 5) and (2, 3) have the same sum. Compare a tuple: (-count, id of the left, id of the right).
    """

    def best(counts, tokens):
        return min(counts, key=lambda p: (-counts[p], sum(map(tokens.index, p))))

    return _learn(words, symbols, vocab_size, best=best)


@mistake("learn")
def rarest_pair(words, symbols, vocab_size):
    """the rarest pair is joined, not the most frequent one.

    min over the counts needs a minus: (-count, ...).
    """
    return _learn(
        words,
        symbols,
        vocab_size,
        best=lambda c, t: min(c, key=lambda p: (c[p], t.index(p[0]), t.index(p[1]))),
    )


@mistake("learn")
def every_word_once(words, symbols, vocab_size):
    """each word was counted once; how often it occurs was not used.

    "the" is one entry of `words`, but it may be 5 % of the text. A pair's count is the sum of the
    counts of the words that it is in: add words[word], not 1.
    """
    return _learn(words, symbols, vocab_size, count=lambda s, w: _count(s, dict.fromkeys(w, 1)))


@mistake("learn")
def once_for_each_word(words, symbols, vocab_size):
    """a pair that is in a word several times was counted only once for that word.

    "banana" has "an" twice. Go through all neighbors; a set of them forgets repetitions.
    """

    def count(split, words):
        counts: Counter[Any] = Counter()
        for word, parts in split.items():
            for pair in dict.fromkeys(pairwise(parts)):
                counts[pair] += words[word]
        return counts

    return _learn(words, symbols, vocab_size, count=count)


@mistake("learn")
def overlaps_not_counted(words, symbols, vocab_size):
    """in a run such as "aaa" the pair (a, a) was counted once; it is there twice.

    Counting looks at every two neighbors, and of three equal ones there are two such pairs. That
    only one of them can be joined is another matter. (Hugging Face's trainer counts so too.)
    """

    def count(split, words):
        counts: Counter[Any] = Counter()
        for word, parts in split.items():
            end = {}
            for i, pair in enumerate(pairwise(parts)):
                if end.get(pair) == i:
                    continue
                end[pair] = i + 1
                counts[pair] += words[word]
        return counts

    return _learn(words, symbols, vocab_size, count=count)


@mistake("learn")
def last_pair_not_counted(words, symbols, vocab_size):
    """the last pair of every word was not counted: the loop stops one too early.

    n tokens have n - 1 pairs: range(len(parts) - 1), or itertools.pairwise(parts).
    """

    def count(split, words):
        counts: Counter[Any] = Counter()
        for word, parts in split.items():
            for i in range(len(parts) - 2):
                counts[parts[i], parts[i + 1]] += words[word]
        return counts

    return _learn(words, symbols, vocab_size, count=count)


@mistake("learn")
def across_words(words, symbols, vocab_size):
    """pairs were counted across the ends of words.

    Which word follows in `words` is an accident. Count each word by itself.
    """

    def count(split, words):
        counts = _count(split, words)
        for one, other in pairwise([w for w in split if w]):
            counts[split[one][-1], split[other][0]] += words[one]
        return counts

    return _learn(words, symbols, vocab_size, count=count)


@mistake("learn")
def never_counted_again(words, symbols, vocab_size):
    """pairs were counted once, at the start, and not again after a merge.

    Then every token has two letters. After a merge the new token has new neighbors, and the
    pairs that it used up are gone: count again before each merge.
    """
    tokens, merges = list(symbols), []
    counts = _count({word: list(word) for word in words}, words)
    while counts and len(tokens) < vocab_size:
        pair = _best(counts, tokens)
        del counts[pair]
        merges.append(pair)
        if "".join(pair) not in tokens:
            tokens.append("".join(pair))
    return tokens, merges


@mistake("learn")
def replaced_in_a_string(words, symbols, vocab_size):
    """the pair was joined with str.replace in a string with blanks, which also cuts into tokens.

    In "xc b" there is no token "c", but replace("c b", "cb") finds one. Either compare whole
    tokens, in a list, or use a pattern that has a blank or an end on both sides.
    """

    def join(parts, pair):
        return " ".join(parts).replace(" ".join(pair), "".join(pair)).split()

    tokens, merges = list(symbols), []
    split = {word: list(word) for word in words}
    while len(tokens) < vocab_size:
        counts = _count(split, words)
        if not counts:
            break
        pair = _best(counts, tokens)
        merges.append(pair)
        if "".join(pair) not in tokens:
            tokens.append("".join(pair))
        split = {word: join(parts, pair) for word, parts in split.items()}
    return tokens, merges


@mistake("learn")
def joined_with_overlap(words, symbols, vocab_size):
    """joining used a letter twice: "aaa" became "aa", "aa".

    After a pair is joined, go on behind it: step by two. Otherwise the words grow letters that they
    never had, by overlap.
    """

    def join(parts, pair):
        joined = []
        for i in range(len(parts)):
            if tuple(parts[i : i + 2]) == pair:
                joined.append(parts[i] + parts[i + 1])
            elif i == 0 or tuple(parts[i - 1 : i + 1]) != pair:
                joined.append(parts[i])
        return joined

    return _learn(words, symbols, vocab_size, join=join)


@mistake("learn")
def joined_from_the_right(words, symbols, vocab_size):
    """in a run such as "aaa" the pair was joined from the right: "a", "aa".

    From left to right it is "aa", "a", and so does everybody who applies the merges later.
    """

    def join(parts, pair):
        turned = _join([p[::-1] for p in parts[::-1]], (pair[1][::-1], pair[0][::-1]))
        return [p[::-1] for p in turned[::-1]]

    return _learn(words, symbols, vocab_size, join=join)


@mistake("learn")
def joined_once_in_a_word(words, symbols, vocab_size):
    """a pair was joined only at its first place in each word.

    "banana" has "an" twice, and both become tokens: b, an, an, a. Go on to the end of the word.
    """

    def join(parts, pair):
        for i in range(len(parts) - 1):
            if (parts[i], parts[i + 1]) == pair:
                return [*parts[:i], parts[i] + parts[i + 1], *parts[i + 2 :]]
        return parts

    return _learn(words, symbols, vocab_size, join=join)


@mistake("learn")
def last_token_lost(words, symbols, vocab_size):
    """joining loses the last token of a word, if it is not part of the pair.

    A loop over pairs ends one before the last token. Walk over the tokens, while i < len(parts).
    """

    def join(parts, pair):
        joined = _join(parts, pair)
        return joined if tuple(parts[-2:]) == pair and len(joined) < len(parts) else joined[:-1]

    return _learn(words, symbols, vocab_size, join=join)


@mistake("learn")
def as_many_merges_as_the_size(words, symbols, vocab_size):
    """vocab_size was taken as the number of merges.

    It is the number of all tokens, and the symbols are tokens too: stop when len(tokens) reaches
    it.
    """
    return _learn(words, symbols, len(symbols) + vocab_size)


@mistake("learn")
def one_merge_too_many(words, symbols, vocab_size):
    """there is one token too many: the loop goes on at len(tokens) == vocab_size.

    Use `while len(tokens) < vocab_size`, not <=.
    """
    return _learn(words, symbols, vocab_size + 1)


@mistake("learn")
def one_merge_too_few(words, symbols, vocab_size):
    """there is one token too few: the loop stops before vocab_size is reached.

    Go on while len(tokens) < vocab_size.
    """
    return _learn(words, symbols, vocab_size - 1)


@mistake("learn")
def nothing_left_to_join(words, symbols, vocab_size):
    """when no pair is left, the largest of nothing is asked for, which is an error.

    A short text runs out of pairs before vocab_size is reached. Leave the loop when counts is
    empty.
    """
    tokens, merges = list(symbols), []
    split = {word: list(word) for word in words}
    while len(tokens) < vocab_size:
        pair = _best(_count(split, words), tokens)
        merges.append(pair)
        if "".join(pair) not in tokens:
            tokens.append("".join(pair))
        split = {word: _join(parts, pair) for word, parts in split.items()}
    return tokens, merges


@mistake("learn")
def pairs_that_occur_once_left(words, symbols, vocab_size):
    """it stopped when every pair occurred only once.

    Sensible, but not asked for: the size decides, so go on until it is reached or no pair is left.
    """
    return _learn(words, symbols, vocab_size, least=2)


@mistake("learn")
def token_twice(words, symbols, vocab_size):
    """a token that was there already was added a second time.

    A special token may be spelled like a joined pair. Then the two are one: record the merge, but
    append only if the string is not in tokens yet.
    """
    tokens, merges = list(symbols), []
    split = {word: list(word) for word in words}
    while len(tokens) < vocab_size:
        counts = _count(split, words)
        if not counts:
            break
        pair = _best(counts, tokens)
        merges.append(pair)
        tokens.append("".join(pair))
        split = {word: _join(parts, pair) for word, parts in split.items()}
    return tokens, merges


@mistake("learn")
def symbols_left_out(words, symbols, vocab_size):
    """the tokens are only those that were made by merges; the symbols are missing.

    The vocabulary begins with the symbols. Without them a single letter has no id.
    """
    tokens, merges = _learn(words, symbols, vocab_size)
    return tokens[len(symbols) :], merges


@mistake("learn")
def merges_as_strings(words, symbols, vocab_size):
    """the merges are joined strings; they should be pairs.

    "abc" may come from (a, bc) or from (ab, c), and whoever applies the merges must know which
    pair.
    """
    tokens, merges = _learn(words, symbols, vocab_size)
    return tokens, ["".join(pair) for pair in merges]


@mistake("learn")
def merges_as_a_dict(words, symbols, vocab_size):
    """the merges are a dict; asked for is a list of pairs, in the order in which they were joined.

    Append each pair to a list.
    """
    tokens, merges = _learn(words, symbols, vocab_size)
    return tokens, {pair: "".join(pair) for pair in merges}


@mistake("learn")
def merges_alone(words, symbols, vocab_size):
    """only the merges are returned; the tokens belong in front of them.

    Return two lists: `return tokens, merges`.
    """
    return _learn(words, symbols, vocab_size)[1]


@mistake("learn")
def symbols_changed(words, symbols, vocab_size):
    """the caller's list of symbols was appended to.

    `tokens = symbols` is a second name for the same list. Make a new one: list(symbols).
    """
    tokens, merges = _learn(words, symbols, vocab_size)
    symbols[:] = tokens
    return symbols, merges


@mistake("learn")
def merges_counted_for_tokens(words, symbols, vocab_size):
    """merges were counted where tokens should be: a merge may give a token that is there already.

    Two ways lead to "abc": a + bc and ab + c. The second one adds no token. So do not fix the
    number of rounds at the start: go on while len(tokens) < vocab_size.
    """
    rounds = vocab_size - len(symbols)
    tokens, merges = list(symbols), []
    split = {word: list(word) for word in words}
    while len(merges) < rounds and (counts := _count(split, words)):
        pair = _best(counts, tokens)
        merges.append(pair)
        if "".join(pair) not in tokens:
            tokens.append("".join(pair))
        split = {word: _join(parts, pair) for word, parts in split.items()}
    return tokens, merges


@mistake("learn")
def joined_by_the_left_token(words, symbols, vocab_size):
    """a token was joined wherever the left one of the pair is, whatever comes after it.

    Both must fit: parts[i] the left token and parts[i + 1] the right one.
    """

    def join(parts, pair):
        joined, i = [], 0
        while i < len(parts):
            both = parts[i] == pair[0] and i + 1 < len(parts)
            joined.append("".join(pair) if both else parts[i])
            i += 2 if both else 1
        return joined

    return _learn(words, symbols, vocab_size, join=join)


@mistake("learn")
def one_long_stream(words, symbols, vocab_size):
    """all words were put into one stream, and pairs counted and joined across their ends.

    The last letter of a word and the first letter of the next one are no neighbors. Keep a list of
    tokens for each word.
    """
    tokens, merges = list(symbols), []
    stream = [letter for word, n in words.items() for letter in list(word) * n]
    while len(tokens) < vocab_size and (counts := Counter(pairwise(stream))):
        pair = _best(counts, tokens)
        merges.append(pair)
        if "".join(pair) not in tokens:
            tokens.append("".join(pair))
        stream = _join(stream, pair)
    return tokens, merges
