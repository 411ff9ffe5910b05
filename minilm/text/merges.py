"""Byte-pair encoding itself: learning merges from counted words, and applying them to one word.

Nothing here knows bytes, files or Unicode: words are made of symbols, whatever they represent.

References
----------
.. [1] Gage, "A New Algorithm for Data Compression", The C Users Journal, 1994.
.. [2] Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units",
   ACL 2016, algorithm 1.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from operator import add
from pathlib import Path

from minilm.errors import ModelError


def learn(
    words: Mapping[str, int], symbols: Sequence[str], vocab_size: int
) -> tuple[list[str], list[tuple[str, str]]]:
    """Learn merges: again and again, the most frequent pair of neighbors becomes one token.

    Equal counts are decided as Hugging Face's `BpeTrainer` does: the lower id of the left token,
    then of the right one, goes first.

    Parameters
    ----------
    words : mapping of str to int
        How often each word occurs. Merges never reach across words.
    symbols : sequence of str
        The tokens to begin with, in the order of their ids; every character of a word is among
        them. Longer strings (special tokens) only take up their ids.
    vocab_size : int
        How many tokens to stop at; there are fewer when no pair is left.

    Returns
    -------
    tokens : list of str
        All tokens in the order of their ids, `symbols` first.
    merges : list of (str, str)
        The pairs in the order in which they were joined.

    Examples
    --------
    >>> learn({"hug": 10, "pug": 5, "hugs": 5}, list("ghpsu"), 8)
    (['g', 'h', 'p', 's', 'u', 'ug', 'hug', 'pug'], [('u', 'g'), ('h', 'ug'), ('p', 'ug')])
    """
    tokens = list(symbols)
    ids = {token: number for number, token in enumerate(tokens)}
    # A word is a string with one character for each token, the character whose code point is the
    # token's id. So a pair is a string of two, joining it is `str.replace`, and comparing two pairs
    # compares their ids.
    coded = ["".join([chr(ids[symbol]) for symbol in word]) for word in words]
    counts = list(words.values())
    pair_counts, places = count_pairs(coded, counts)
    heap = [(-pair_counts[pair], pair, where) for pair, where in places.items()]
    heapq.heapify(heap)
    merges: list[tuple[str, str]] = []
    while heap and len(tokens) < vocab_size:
        count, pair, where = heapq.heappop(heap)
        if -count != pair_counts[pair]:
            # Merges since have used up some of these pairs: back in, with the count of today.
            heapq.heappush(heap, (-pair_counts[pair], pair, where))
            continue
        if count == 0:
            break
        left, right = tokens[ord(pair[0])], tokens[ord(pair[1])]
        merges.append((left, right))
        joined = left + right
        # A special token may be spelled like the new one. Then they are one, as in Hugging Face's.
        if joined not in ids:
            ids[joined] = len(tokens)
            tokens.append(joined)
        new_places = _join(pair, chr(ids[joined]), where, coded, counts, pair_counts)
        for new_pair, new_where in new_places.items():
            if pair_counts[new_pair]:
                heapq.heappush(heap, (-pair_counts[new_pair], new_pair, new_where))
    return tokens, merges


def count_pairs(
    words: Sequence[str], counts: Sequence[int]
) -> tuple[defaultdict[str, int], dict[str, list[int]]]:
    """Count neighbors over all words, and note the words in which each pair is.

    Parameters
    ----------
    words : sequence of str
        Words of one character a token.
    counts : sequence of int
        How often each occurs.

    Returns
    -------
    pair_counts : defaultdict of str to int
        How often each two characters are neighbors. Of three equal ones, two overlapping pairs.
    places : dict of str to list of int
        The numbers of the words that have the pair, each once. A run without a blank (a genome, a
        picture in base64) is one word of a million characters: to look through it once for each of
        its pairs, instead of once in all, would take quadratic time.

    Examples
    --------
    >>> pair_counts, places = count_pairs(["hug", "mum"], [10, 1])
    >>> dict(pair_counts)
    {'hu': 10, 'ug': 10, 'mu': 1, 'um': 1}
    >>> places["um"]
    [1]
    """
    pair_counts: defaultdict[str, int] = defaultdict(int)
    places: defaultdict[str, list[int]] = defaultdict(list)
    for number, word in enumerate(words):
        for pair in map(add, word, word[1:]):
            pair_counts[pair] += counts[number]
            _note(places[pair], number)
    return pair_counts, places


def _note(where: list[int], number: int) -> None:
    """Add the number of a word to a list of them, if it was not the last to be added."""
    if not where or where[-1] != number:
        where.append(number)


def _join(
    pair: str,
    token: str,
    where: Sequence[int],
    words: list[str],
    counts: Sequence[int],
    pair_counts: defaultdict[str, int],
) -> dict[str, list[int]]:
    """Join a pair in the words that have it; keep `words` and `pair_counts` up to date.

    Returns
    -------
    dict of str to list of int
        The pairs that are new, and the words in which each is.
    """
    left, right = pair[0], pair[1]
    places: defaultdict[str, list[int]] = defaultdict(list)
    for number in where:
        parts = words[number].split(pair)
        words[number] = token.join(parts)
        count = counts[number]
        first = True
        for before, after in pairwise(parts):
            # One joined pair: its neighbors lose a pair with a half of it and gain one with it.
            if before:
                pair_counts[before[-1] + left] -= count
                pair_counts[new := before[-1] + token] += count
                _note(places[new], number)
            elif not first:  # two in a row
                pair_counts[right + left] -= count
                pair_counts[new := token + token] += count
                _note(places[new], number)
            if after:
                pair_counts[right + after[0]] -= count
                pair_counts[new := token + after[0]] += count
                _note(places[new], number)
            first = False
    return places


def apply(
    ids: Sequence[int], ranks: Mapping[tuple[int, int], int], joined: Sequence[int]
) -> list[int]:
    """Apply merges to one word: the earliest learned first, and of equal ones the leftmost.

    A heap of the pairs that can be joined and links between what is left make this n log n for n
    symbols, also where a "word" is a million of them.

    Parameters
    ----------
    ids : sequence of int
        The word, as ids of single symbols.
    ranks : mapping of (int, int) to int
        The place of each pair of ids in the list of merges.
    joined : sequence of int
        For each rank, the id that the pair becomes.

    Returns
    -------
    list of int
        The word's tokens.

    Examples
    --------
    >>> apply([0, 1, 2, 0, 1], ranks={(1, 2): 0, (0, 1): 1}, joined=[3, 4])
    [0, 3, 4]
    """
    tokens = list(ids)
    size = len(tokens)
    # One integer encodes (rank, position): it compares faster than a pair.
    heap = [
        rank * size + position
        for position, pair in enumerate(pairwise(tokens))
        if (rank := ranks.get(pair)) is not None
    ]
    heapq.heapify(heap)
    following = list(range(1, size + 1))
    previous = list(range(-1, size - 1))
    while heap:
        rank, position = divmod(heapq.heappop(heap), size)
        other = following[position]
        # Skip what was joined with another neighbor since; -1 marks what is gone.
        if other == size or ranks.get((tokens[position], tokens[other])) != rank:
            continue
        tokens[position], tokens[other] = joined[rank], -1
        after = following[position] = following[other]
        if after < size:
            previous[after] = position
            new = ranks.get((tokens[position], tokens[after]))
            if new is not None:
                heapq.heappush(heap, new * size + position)
        before = previous[position]
        if before >= 0:
            new = ranks.get((tokens[before], tokens[position]))
            if new is not None:
                heapq.heappush(heap, new * size + before)
    return [token for token in tokens if token >= 0]


def rank(
    vocab: Mapping[str, int], merges: Sequence[tuple[str, str]], source: Path | None
) -> tuple[dict[tuple[int, int], int], list[int]]:
    """Return what `apply` takes: the rank of each pair of ids, and the id that it becomes.

    Raises
    ------
    ModelError
        When a merge is not of tokens of the vocabulary, or appears twice; it names the merge.
    """
    ranks: dict[tuple[int, int], int] = {}
    joined = []
    for rank, (left, right) in enumerate(merges):
        try:
            pair = vocab[left], vocab[right]
            joined.append(vocab[left + right])
        except KeyError as error:
            raise ModelError(
                f"merge {rank + 1}, {left!r} {right!r}: {error.args[0]!r} is not in the vocabulary",
                source,
            ) from None
        if ranks.setdefault(pair, rank) != rank:
            raise ModelError(
                f"merge {rank + 1}, {left!r} {right!r}, is merge {ranks[pair] + 1} again", source
            )
    return ranks, joined
