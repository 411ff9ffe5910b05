"""Bets: how they are read, and that their score is what the obvious way of scoring gives."""

import io

import numpy as np
import pytest

from minilm.compare import statistics, store
from minilm.compare.report import bets, results
from minilm.errors import InputError, OptionError

NAMES = ("random", "tfidf", "cooccurrence")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def view(finished):
    (only,) = results.read(finished)
    return only


@pytest.mark.parametrize("text", ["cooccurrence > tfidf>random", " 3 > 2 > 1\n", "3>tfidf>random"])
def test_a_bet_names_conditions_or_their_numbers(text):
    assert bets.parse(text, NAMES) == ["cooccurrence", "tfidf", "random"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("random > magic", "'magic' is not one of random, tfidf, cooccurrence"),
        ("random > 4", "'4' is not one of"),
        ("random > random", "random appears twice"),
        ("random", "two conditions or more"),
        ("random > ", "'' is not one of"),
    ],
)
def test_a_bet_that_cannot_be_read_says_why(text, problem):
    with pytest.raises(OptionError, match=problem):
        bets.parse(text, NAMES)


def test_the_class_is_asked_again_until_its_answer_is_a_bet(capsys):
    order = bets.ask(NAMES, terminal=Terminal("best one?\n2 > 1\n"))
    assert order == ["tfidf", "random"]
    asked = capsys.readouterr()
    assert asked.out == ""
    assert "3  cooccurrence" in asked.err
    assert "'best one?' is not one of" in asked.err
    assert asked.err.count("Your order") == 2


def test_nobody_is_asked_where_nobody_can_answer():
    with pytest.raises(OptionError, match="asks on a terminal") as caught:
        bets.ask(NAMES, terminal=io.StringIO("1 > 2\n"))
    assert "\n" not in str(caught.value)
    with pytest.raises(OptionError, match="no bet was given"):
        bets.ask(NAMES, terminal=Terminal(""))


def test_a_bet_is_made_before_the_first_run(tmp_path):
    bets.check(tmp_path)
    bets.write(tmp_path, ["b", "a"])
    assert bets.read(tmp_path) == ["b", "a"]
    with pytest.raises(OptionError, match="already"):
        bets.check(tmp_path)
    (tmp_path / store.BET).unlink()
    assert bets.read(tmp_path) is None
    (tmp_path / store.RESULTS).write_text("", encoding="utf-8")
    with pytest.raises(OptionError, match="before the first run"):
        bets.check(tmp_path)
    (tmp_path / store.BET).write_text('{"order": "a > b"}', encoding="utf-8")
    with pytest.raises(InputError, match="is not a bet"):
        bets.read(tmp_path)


def test_every_pair_is_scored_as_the_paired_bootstrap_has_it(view):
    order = ["transformer-finetuned", "random", "cooccurrence", "tfidf"]
    score = bets.score(view, order)
    runs = view.main_runs(64)
    right = {name: one.right for name, one in runs.items()}
    pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    nested, plain = (runs[name].keys for name in ("transformer-finetuned", "random"))
    found = [
        statistics.paired_difference(
            right[a],
            right[b],
            rng=np.random.default_rng(0),
            keys=nested if "transformer-finetuned" in (a, b) else plain,
        )
        for a, b in pairs
    ]
    adjusted = statistics.holm([difference.p for difference in found])
    assert [(pair.better, pair.worse) for pair in score.pairs] == pairs
    for pair, difference, p in zip(score.pairs, found, adjusted, strict=True):
        assert pair.difference == pytest.approx(difference.difference)
        assert (pair.low, pair.high) == pytest.approx((difference.low, difference.high))
        told = {"better": "right", "worse": "wrong"}
        verdict = statistics.verdict(difference, p)
        assert pair.outcome == told.get(verdict, verdict)
    assert {pair.outcome for pair in score.pairs} == {"right", "wrong", "cannot tell"}
    outcomes = [pair.outcome for pair in score.pairs]
    wrong = outcomes.count("wrong")
    assert score.right == outcomes.count("right")
    assert score.tau == pytest.approx((score.right - wrong) / (score.right + wrong))
    assert score.actual == ["transformer-finetuned", "cooccurrence", "tfidf", "random"]
    assert f"the bet had {score.right} right" in bets.sentence(score)


def test_a_bet_turned_round_scores_the_opposite(view):
    order = ["transformer-finetuned", "random", "cooccurrence", "tfidf"]
    there, back = bets.score(view, order), bets.score(view, order[::-1])
    assert back.tau == pytest.approx(-there.tau)
    assert back.decided == there.decided


def test_where_nothing_can_be_told_nobody_was_right(view):
    score = bets.score(view, ["random", "cooccurrence-shuffled"])
    assert score.tau is None
    assert "nobody was right" in bets.sentence(score)


def test_conditions_without_results_are_left_out(view):
    score = bets.score(view, ["gone", "cooccurrence", "random"])
    assert score.order == ["cooccurrence", "random"]
    assert bets.score(view, ["gone", "random"]) is None
