"""Learning and applying merges, against the textbook's slow loops."""

import random
from itertools import pairwise

import pytest

from minilm.text import merges as bpe_merges


def learn_slowly(words, symbols, vocab_size):
    """Sennrich, Haddow and Birch's algorithm 1: count all pairs again before each merge."""
    tokens = list(symbols)
    merges = []
    split = {word: list(word) for word in words}
    while len(tokens) < vocab_size:
        counts = {}
        for word, count in words.items():
            for pair in pairwise(split[word]):
                counts[pair] = counts.get(pair, 0) + count
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], *map(tokens.index, pair)))
        merges.append(best)
        if "".join(best) not in tokens:
            tokens.append("".join(best))
        split = {word: join_slowly(parts, best) for word, parts in split.items()}
    return tokens, merges


def join_slowly(parts, pair):
    joined, i = [], 0
    while i < len(parts):
        if tuple(parts[i : i + 2]) == pair:
            joined.append(parts[i] + parts[i + 1])
            i += 2
        else:
            joined.append(parts[i])
            i += 1
    return joined


def apply_slowly(ids, ranks, joined):
    """Look at all pairs before each merge; the lowest rank, then the leftmost."""
    ids = list(ids)
    while True:
        found = [(ranks[p], i) for i, p in enumerate(pairwise(ids)) if p in ranks]
        if not found:
            return ids
        rank, i = min(found)
        ids[i : i + 2] = [joined[rank]]


@pytest.mark.parametrize("alphabet", ["ab", "abc", "aab", "abcdefgh"])
def test_learning_equals_the_textbooks_loop(alphabet):
    rng = random.Random(3)
    for _ in range(60):
        words = {}
        for _ in range(rng.randrange(30)):
            runs = (rng.choice(alphabet) * rng.choice([1, 1, 4]) for _ in range(rng.randrange(9)))
            words["".join(runs)] = rng.choice([1, 2, 50])
        symbols = ["<end>", *sorted(set(alphabet)), "ab"]
        size = len(symbols) + rng.choice([0, 1, 5, 40])
        assert bpe_merges.learn(words, symbols, size) == learn_slowly(words, symbols, size)


def test_equal_counts_are_decided_by_the_lower_ids():
    words = {"zy": 1, "ba": 1, "bc": 1}
    assert bpe_merges.learn(words, list("zyabc"), 99)[1] == [("z", "y"), ("b", "a"), ("b", "c")]


def test_learning_stops_when_no_pair_is_left():
    tokens, merges = bpe_merges.learn({"abab": 3, "c": 1, "": 2}, list("abc"), 1000)
    assert (tokens, merges) == (["a", "b", "c", "ab", "abab"], [("a", "b"), ("ab", "ab")])


def test_a_token_that_is_there_already_takes_no_new_id():
    tokens, merges = bpe_merges.learn({"the": 2}, ["he", "e", "h", "t"], 6)
    assert tokens == ["he", "e", "h", "t", "the"]
    assert merges == [("h", "e"), ("t", "he")]


def test_ids_in_the_range_of_surrogates_are_ids_like_others():
    symbols = ["a", "b", "c", *(f"<{i}>" for i in range(0xD7FD))]
    tokens, merges = bpe_merges.learn({"abcab": 1}, symbols, 0xE000)
    assert (tokens[0xD800:], merges[-1]) == (["ab", "cab", "abcab"], ("ab", "cab"))


def test_applying_equals_looking_at_all_pairs_each_time():
    rng = random.Random(4)
    for _ in range(400):
        # Any table of merges, also ones that no training gives: later merges may feed earlier ones.
        size = rng.choice([2, 3, 6])
        pairs = list({(rng.randrange(size + 8), rng.randrange(size + 8)) for _ in range(12)})
        rng.shuffle(pairs)
        ranks = {pair: rank for rank, pair in enumerate(pairs)}
        joined = [size + rng.randrange(8) for _ in pairs]
        ids = [rng.randrange(size) for _ in range(rng.randrange(40))]
        assert bpe_merges.apply(ids, ranks, joined) == apply_slowly(ids, ranks, joined)


@pytest.mark.parametrize("alphabet", [1, 2, 30])
def test_applying_looks_up_a_bounded_number_of_pairs_for_each_symbol(alphabet):
    class Counting(dict):
        lookups = 0

        def get(self, key, default=None):
            self.lookups += 1
            return super().get(key, default)

    rng = random.Random(alphabet)
    for size in (1_000, 64_000):
        ranks = Counting()
        for _ in range(200):
            limit = alphabet + len(ranks)
            ranks.setdefault((rng.randrange(limit), rng.randrange(limit)), len(ranks))
        ids = [rng.randrange(alphabet) for _ in range(size)]
        bpe_merges.apply(ids, ranks, list(range(alphabet, alphabet + len(ranks))))
        # One for each neighbor at first; two for each merge, of which there are fewer than symbols;
        # one for each pair that was found by any of these.
        assert size - 1 <= ranks.lookups <= 6 * size


def test_a_long_run_is_looked_through_once_for_each_merge(monkeypatch):
    rng = random.Random(0)
    run = "".join(rng.choice("acgt") for _ in range(5_000))
    looked_through = []
    join = bpe_merges._join

    def counted(pair, token, where, *rest):
        looked_through.append(len(where))
        return join(pair, token, where, *rest)

    monkeypatch.setattr(bpe_merges, "_join", counted)
    bpe_merges.learn({run: 1, "cat": 3}, list("acgt"), 200)
    assert len(looked_through) == 196
    assert max(looked_through) <= 2  # words; not the times that a pair is in them
