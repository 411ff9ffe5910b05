"""Sentences and the terminal's tables follow from the figures."""

import copy
import re
from dataclasses import replace

import numpy as np
import pytest

from minilm.compare.report import reading, results, sensitivity, terminal

CLAIMS = (("cooccurrence", "random"), ("transformer-finetuned", "transformer-scratch"))


@pytest.fixture
def edit(finished):
    """Give a view of the finished comparison, its differences changed by a function."""

    def make(function=lambda row: {}, **parts):
        (view,) = results.read(finished)
        summary = copy.deepcopy(view.summary) | parts
        for row in summary["differences"]:
            row |= {"verdict": "cannot tell", "p_adjusted": 0.4, "items_needed": 900} | function(
                row
            )
        return replace(view, summary=summary)

    return make


def is_claim(row):
    return (row["condition"], row["baseline"]) in CLAIMS


def verdict_of(condition, budget, verdict):
    """Return a change that gives one verdict to one condition at one budget, or at all."""

    def function(row):
        if row["condition"] == condition and budget in (None, row["budget"]):
            return {"verdict": verdict, "difference": 0.07, "p_adjusted": 0.001}
        return {}

    return function


def test_claims_are_those_of_text_against_the_same_without(edit):
    assert {(r["condition"], r["baseline"]) for r in reading.claims(edit())} == set(CLAIMS)


def test_the_answer_follows_from_the_verdicts(edit):
    assert "cannot tell" in reading.answer(edit())
    some = reading.answer(edit(verdict_of("cooccurrence", 64, "better")))
    assert some == (
        "Yes, in part. Points of accuracy gained by pretraining: cooccurrence 7.0 at 64 labels."
    )
    both = edit(
        lambda row: {
            "verdict": {"cooccurrence": "worse", "transformer-finetuned": "better"}.get(
                row["condition"], "cannot tell"
            ),
            "difference": 0.03,
        }
    )
    assert reading.answer(both) == (
        "Yes, in part. Points of accuracy gained by pretraining: transformer-finetuned 3.0 at "
        "every budget. Lost: cooccurrence 3.0 at every budget."
    )
    every = edit(lambda row: {"verdict": "better"} if is_claim(row) else {})
    assert reading.answer(every).startswith("Yes. Points of accuracy gained by pretraining: cooc")
    assert reading.answer(every).count(" at every budget") == len({name for name, _ in CLAIMS})
    assert reading.answer(edit(verdict_of("cooccurrence", None, "worse"))).startswith("No:")
    controls = edit(
        lambda row: {"verdict": "better"} if row["condition"] != "cooccurrence-finetuned" else {}
    )
    assert "a control that should gain nothing gains too" in reading.answer(controls)
    assert "No condition with pretraining" in reading.answer(edit(differences=[]))


def test_the_reading_names_what_was_told_and_lists_what_was_not(edit):
    sentences = reading.sentences(edit(verdict_of("cooccurrence", 64, "better")))
    assert sentences[0] == (
        "Word vectors learned from unlabelled text, against random ones: "
        "better at 64 labels (by 0.070), cannot tell at 16 labels."
    )
    assert sentences[1].startswith("Cannot tell at any budget: ")
    assert "receive no gradient" in sentences[1]
    assert "; transformer-finetuned from transformer-scratch" in sentences[1]
    assert sentences[2] == "No control is better than its baseline, as it should be."
    tuned = reading.sentences(edit(verdict_of("cooccurrence-finetuned", None, "better")))
    assert not any("receive no gradient" in sentence for sentence in tuned)


def test_a_control_that_gains_is_not_hidden(edit):
    sentences = reading.sentences(edit(verdict_of("cooccurrence-shuffled", 16, "better")))
    assert "cooccurrence-shuffled is better than random at 16 labels (by 0.070)" in sentences[-1]
    assert "not all due to which words occur together" in sentences[-1]


def test_what_would_change_it_begins_with_what_can_be_seen(edit):
    view = edit()
    sentences = sensitivity.sentences(view)
    assert "60 test items and 4 draws can show a difference of about 9.0 points" in sentences[0]
    assert any("about 900" in sentence for sentence in sentences)
    assert any("The controls stayed null" in sentence for sentence in sentences)
    few = replace(view, summary=view.summary | {"seeds": 2})
    assert any("at least 4 are needed" in sentence for sentence in sensitivity.sentences(few))


def test_pretraining_is_named_as_a_source_of_variation(edit):
    view = edit()
    (found,) = [one for one in sensitivity.sentences(view) if "Pretraining is a source" in one]
    assert "there were 2, with other orders" in found
    assert "2 are few, so the intervals are wider" in found
    # What the most variable condition's two pretrainings came to, from the predictions.
    name, low, high = re.search(r"to ([a-z-]+): .* were ([\d.]+) to ([\d.]+),", found).groups()
    runs = view.main_runs(64)[name]
    own = np.array([p for _, p in runs.keys])
    means = sorted(runs.right[own == p].mean() for p in (0, 1))
    assert (float(low), float(high)) == pytest.approx(means, abs=5e-4)
    alone = replace(view, summary=view.summary | {"pretrainings": 1})
    assert any("There was one pretraining" in one for one in sensitivity.sentences(alone))


def test_undecided_differences_say_how_many_test_items_they_need(edit):
    def needed(row):
        return {"items_needed": 500 if is_claim(row) and row["budget"] == 16 else 200_000}

    (sentence,) = sensitivity.too_few_items(edit(needed))
    assert sentence.count("about 500") == 2
    assert "200,000" not in sentence
    assert sentence.endswith("; others need more.")
    (none,) = sensitivity.too_few_items(edit(lambda row: {"items_needed": 200_000}))
    assert "more than 100,000 test items" in none
    assert sensitivity.too_few_items(edit(lambda row: {"verdict": "better"})) == []


def test_where_test_items_would_do_it_is_draws_that_are_missing(edit):
    def needed(row):
        return {"items_needed": 40 if is_claim(row) and row["budget"] == 16 else None}

    (sentence,) = sensitivity.too_few_items(edit(needed))
    assert "60 test items are enough to tell these apart" in sentence
    assert "--seeds, --pretrainings" in sentence
    assert sentence.count("at 16 labels") == 2


def test_thin_verdicts_and_gaining_controls_and_other_domains_are_doubts(edit):
    def thin(row):
        if row["condition"] == "cooccurrence" and row["domain"] == "films":
            return {"verdict": "better", "p_adjusted": 0.03}
        if row["condition"] == "cooccurrence-shuffled":
            return {"verdict": "better"}
        return {}

    text = " ".join(sensitivity.sentences(edit(thin)))
    assert "verdicts are fragile" in text
    assert "cooccurrence against random at 16 labels (corrected p 0.030)" in text
    assert "A control gains" in text
    assert 'Tested on products: cooccurrence at 16 labels is "cannot tell" there' in text


def test_other_amounts_of_text_and_failed_runs_are_doubts(edit):
    def less(row):
        better = row["condition"] == "cooccurrence" and row["words"] == 20000
        return {"verdict": "better"} if better else {}

    failed = [{"task": "films", "condition": "tfidf"}, {"task": "other", "condition": "random"}]
    text = " ".join(sensitivity.sentences(edit(less, failed=failed)))
    assert 'cooccurrence at 16 labels with 1,000 words of general: "cannot tell"' in text
    assert "1 run failed (tfidf)" in text
    assert "every verdict about pretraining is the same" in " ".join(sensitivity.sentences(edit()))


def test_runs_that_are_not_done_are_said_to_be_missing(edit):
    view = edit()
    assert sensitivity.missing(view) == []
    cells = [
        cell | {"runs": 3}
        if (cell["condition"], cell["budget"], cell["main"]) == ("random", 16, True)
        else cell
        for cell in view.summary["conditions"]
        if (cell["condition"], cell["budget"]) != ("tfidf", 64)
    ]
    (sentence,) = sensitivity.missing(replace(view, summary=view.summary | {"conditions": cells}))
    assert "5 runs are missing" in sentence
    assert "--resume" in sentence


def test_without_controls_or_a_second_domain_that_is_said(edit):
    view = edit()
    rows = [row for row in view.summary["differences"] if "shuffled" not in row["condition"]]
    summary = view.summary | {"differences": rows, "domains": {"films": ["films"]}}
    text = " ".join(sensitivity.sentences(replace(view, summary=summary)))
    assert "No control was run" in text
    assert "--transfer FILE" in text


def test_the_terminal_shows_every_figure_in_80_columns(edit):
    view = edit(verdict_of("cooccurrence", 64, "better"))
    text = terminal.render(view.summary)
    assert max(map(len, text.splitlines())) <= 80
    for cell in view.cells():
        shown = f"{cell['mean']:.3f} [{cell['low']:.2f},{cell['high']:.2f}]"
        assert shown in text
        if cell["budget"] == 64:
            assert f"{cell['seconds']:>9.3f}{cell['flops'] / 1e9:>9.3f}" in text
            assert f"{cell['money']:>10.6f}" in text
    for row in view.rows("differences", "products"):
        assert f"{row['budget']:>6}  {row['difference']:+.3f} [{row['low']:+.3f}" in text
    assert "products, a new domain: trained on films, not again" in text
    assert "Note: 3 texts stand in both parts." in text
    words = " ".join(text.split())
    assert "better at 64 labels (by 0.070), cannot tell at 16 labels." in words


def test_the_terminal_stays_in_80_columns_with_long_names_and_many_budgets(edit):
    long = "probe:" + "a/very/long/path" * 8
    view = edit()

    def renamed(row):
        return {
            key: long if value == "cooccurrence" else "t" * 60 if value == "films" else value
            for key, value in row.items()
        }

    summary = {
        "tasks": ["t" * 60],
        "domains": {"t" * 60: ["t" * 60, "products"]},
        "names": [long if name == "cooccurrence" else name for name in view.summary["names"]],
        "about": {
            long if name == "cooccurrence" else name: renamed(about)
            for name, about in view.summary["about"].items()
        },
        "conditions": [renamed(row) for row in view.summary["conditions"]],
        "differences": [renamed(row) for row in view.summary["differences"]],
    }
    for part in ("test_items", "chance", "resolvable"):
        inner = view.summary[part]["films"]
        summary[part] = {"t" * 60: {"t" * 60: inner["films"], "products": inner["products"]}}
    budgets = []
    for number in (16, 64, 256, 1024, 100_000):
        budgets += [
            cell | {"budget": number} for cell in summary["conditions"] if cell["budget"] == 16
        ]
    summary |= {"conditions": budgets, "budgets": [16, 64, 256, 1024, 100_000]}
    text = terminal.render(view.summary | summary)
    assert "100000 labels" in text
    assert max(map(len, text.splitlines())) <= 80
