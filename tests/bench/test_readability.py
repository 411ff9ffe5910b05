"""Readability: what a generated or careless text fails."""

import numpy as np
import pytest

from minilm.bench import readability


def longest_shared_run_slowly(documents):
    best = 0
    for i, first in enumerate(documents):
        for second in documents[i + 1 :]:
            for a in range(len(first)):
                for b in range(len(second)):
                    n = 0
                    while (
                        a + n < len(first) and b + n < len(second) and first[a + n] == second[b + n]
                    ):
                        n += 1
                    best = max(best, n)
    return best


def test_the_longest_shared_run_is_that_of_the_double_loop():
    rng = np.random.default_rng(0)
    for _ in range(30):
        documents = [rng.integers(0, 4, rng.integers(1, 12)).tolist() for _ in range(5)]
        assert readability.longest_shared_run(documents) == longest_shared_run_slowly(documents)


def test_sentences_end_where_a_reader_would_end_them():
    text = 'It rained. "Are you in?" asked Tom. Nobody was! 3.5 miles.'
    assert readability.sentences([text]) == [
        "It rained.",
        '"Are you in?',
        "asked Tom.",
        "Nobody was!",
        "3.5 miles.",
    ]


def test_shared_runs_are_those_of_sets():
    rng = np.random.default_rng(1)
    for length in (1, 2, 3):
        documents = [rng.integers(0, 3, rng.integers(1, 9)).tolist() for _ in range(4)]
        owners: dict[tuple[int, ...], set[int]] = {}
        for i, document in enumerate(documents):
            for k in range(len(document) - length + 1):
                owners.setdefault(tuple(document[k : k + length]), set()).add(i)
        expected = sum(len(who) > 1 for who in owners.values())
        assert readability.shared_runs(documents, length) == expected


def test_frames_and_people_differ_in_every_figure():
    """Twelve sentences by hand, and twelve from one frame."""
    framed = [f"I bought the {n} and the {n} was good.".split() for n in "abcdefghijkl"]
    written = [
        "Lovely pan, heavy, and nothing sticks to it.",
        "My sister borrowed this drill and never gave it back, so it must be all right.",
        "Too small for two people.",
        "After a week the strap broke.",
        "Does what the box promises and costs half as much as the other one.",
        "We hated the smell.",
        "Nobody told me that it comes without a lid!",
        "Works.",
        "The blue is greener than in the picture, which suits the kitchen.",
        "It took four phone calls to get a refund.",
        "An honest, plain chair.",
        "Would anyone really call that a tent?",
    ]
    people = [sentence.split() for sentence in written]
    assert readability.commonest_opening(framed) == 1.0
    assert readability.commonest_opening(people) == pytest.approx(1 / 12)
    assert readability.types_per_10_000(people) > 2 * readability.types_per_10_000(framed)
    assert readability.commonest_first_words(framed, 1) == [("I", 1.0)]


def test_near_copies_are_found_between_the_two_lists_alone():
    text = "the film was long and the seats were hard but we stayed until the end of it".split()
    almost = [*text[:-1], "everything"]
    other = "nothing of that is in here at all".split()
    assert readability.near_copies([text, other], [other[::-1], almost]) == [(0, 1)]
    assert readability.near_copies([text, text], [other]) == []
    assert readability.near_copies([["one"]], [["one"]]) == []


def test_a_sorted_file_shows():
    labels = ["yes", "no"] * 50
    rng = np.random.default_rng(0)
    assert readability.label_changes(sorted(labels)) < 0.05
    assert readability.label_changes(rng.permutation(labels)) == pytest.approx(1, abs=0.3)
