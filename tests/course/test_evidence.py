"""A page of evidence: each claim that its run does not support is told its own cause."""

import json

import pytest

from minilm.course import catalog, evidence, experiments, learner
from minilm.course.evidence import claims
from minilm.course.evidence.claims import ClaimError
from minilm.course.learner import Learner

KATA = catalog.find("10.4")
TEMPLATE = evidence.template(KATA)
RIGHT = "CLAIM: vectors better than counts at 40 labels"


def row(condition, baseline, budget, difference, half, verdict, domain="tickets"):
    return {
        "task": "tickets",
        "domain": domain,
        "condition": condition,
        "baseline": baseline,
        "budget": budget,
        "difference": difference,
        "low": difference - half,
        "high": difference + half,
        "verdict": verdict,
        "main": True,
    }


NAMES = ("random", "counts", "vectors", "transformer-lora", "transformer-scratch")
SUMMARY = {
    "tasks": ["tickets"],
    "budgets": [40, 160],
    "seeds": 3,
    "pretrainings": 2,
    "test_items": {"tickets": {"tickets": 505}},
    "conditions": [{"condition": name} for name in NAMES],
    "differences": [
        row("vectors", "counts", 40, 0.113, 0.045, "better"),
        row("vectors", "counts", 160, 0.052, 0.048, "cannot tell"),
        row("counts", "random", 40, 0.104, 0.042, "better"),
        row("counts", "random", 160, 0.242, 0.051, "better"),
        row("transformer-lora", "transformer-scratch", 40, 0.037, 0.07, "cannot tell"),
        row("transformer-lora", "transformer-scratch", 160, 0.022, 0.07, "cannot tell"),
        row("transformer-lora", "counts", 40, -0.04, 0.06, "cannot tell"),
        row("transformer-lora", "counts", 160, -0.105, 0.058, "worse"),
        row("vectors", "counts", 160, -0.2, 0.1, "worse", domain="emails"),
    ],
}


def filled(*lines):
    """Return a page that is written but for these claims and settings."""
    text = TEMPLATE.replace("- SETTINGS:\n", "").replace("- CLAIM:\n", "")
    text = text.replace("## What I make", "\n".join([*lines, "", "## What I make"]))
    for title in ("The question", "What I make of it", "What this cannot say"):
        text = text.replace(f"## {title}\n", f"## {title}\n\nA sentence.\n")
    return text


@pytest.fixture
def folder(tmp_path):
    run = tmp_path / "mykatas" / evidence.run_name(KATA)
    run.mkdir(parents=True)
    (run / "summary.json").write_text(json.dumps(SUMMARY), encoding="utf-8")
    return run.parent


def checked(folder, text):
    page = folder / evidence.file_name(KATA)
    page.write_text(text, encoding="utf-8")
    return evidence.check(KATA, page, folder)


@pytest.mark.parametrize(
    "claim",
    [
        "vectors better than counts at 40 labels",
        "counts worse than vectors at 40 labels",
        "cannot tell vectors from counts at 160 labels",
        "counts cannot be told from vectors at 160 labels",
        "cannot tell counts and vectors apart at 160 labels",
        "`vectors` is clearly better than `counts` with 40 labels on tickets.csv, by 0.113.",
        "vectors better than counts at 40 labels, by 11 points [7, 16]",
        "vectors better than counts at 40 labels (+0.11 [+0.068, +0.158])",
        "transformer-lora worse than counts at 160 labels, by 0.105 [0.047, 0.163]",
        "transformer-lora worse than counts at 160 labels: \u22120.105 [\u22120.163, \u22120.047]",
        "transformer lora against counts at 160 labels: worse",
        "At 160 labels, Counts better than Random",
        "vectors worse than counts at 160 labels on emails",
    ],
)
def test_claims_that_agree(folder, claim):
    report = checked(folder, filled(f"- CLAIM: {claim}"))
    assert report.passed, report.failure
    assert report.ok == ("1 claim agrees with the run",)


WRONG = {
    "vectors better than counts at 160 labels": ("mixed_budgets", "verdict at 40 labels"),
    "cannot tell transformer-lora from counts at 160 labels": ("mixed_budgets", "at 40 labels"),
    "transformer-lora better than transformer-scratch at 40 labels": (
        "claims_too_much",
        'write "cannot tell transformer-lora from transformer-scratch"',
    ),
    "cannot tell counts from random at 160 labels": ("claims_too_little", "you may claim it"),
    "counts better than vectors at 40 labels": ("swapped", "Swap the two names"),
    "random better than counts at 160 labels": ("swapped", "random is worse than counts"),
    "vectors better than counts at 40 labels, by 0.3": ("number_outside", "+0.113 [+0.068"),
    "vectors better than counts at 40 labels, by 0.09": ("number_differs", "+0.113 [+0.068"),
    "transformer-lora worse than counts at 160 labels, by +0.105": ("number_outside", "-0.105"),
    "vectors better than counts at 40 labels [0.01, 0.2]": ("interval_differs", "[+0.068"),
    "vectors better than transformer-scratch at 40 labels": (
        "pair_not_compared",
        "it compared vectors with counts and transformer-lora with transformer-scratch",
    ),
    "cooccurrence better than random at 40 labels": ("not_run", "was not run; this run has"),
    "lora better than counts at 40 labels": ("unknown_condition", "mean transformer-lora?"),
    "vecotrs better than counts at 40 labels": ("unknown_condition", "did you mean vectors?"),
    "vectors better than vectors at 40 labels": ("same_condition", "with itself"),
    "vectors better than counts": ("no_budget", 'write "at 64 labels"'),
    "vectors better than counts at 64 labels": ("budget_not_run", "the run has 40 and 160"),
    "counts better than random at 40 and 160 labels": ("several_budgets", "a line for each"),
    "vectors better than counts at 40 labels on movies": ("file_not_run", "has tickets and emails"),
    "transformer-lora as good as counts at 40 labels": ("equal", "has not shown"),
    "transformer-lora is not better than counts at 40 labels": ("no_verdict", "not a verdict"),
    "vectors help at 40 labels": ("no_verdict", "CLAIM: A better than B"),
    "": ("empty_claim", "is empty"),
    "...": ("empty_claim", "is empty"),
}


@pytest.mark.parametrize("claim", WRONG)
def test_a_wrong_claim_is_told_its_line_its_cause_and_what_to_do(folder, claim):
    kind, said = WRONG[claim]
    text = filled(f"- {RIGHT}", f"- CLAIM: {claim}")
    report = checked(folder, text)
    assert not report.passed
    assert report.ok == ("1 claim agrees with the run",)
    failure = report.failure
    assert (failure.stage, failure.mistake, failure.file) == ("evidence", kind, "10_4_report.md")
    line = text.splitlines().index(f"- CLAIM: {claim}") + 1
    assert failure.line == line
    assert failure.text.startswith(f"line {line}: ")
    assert said in failure.text


def test_every_wrong_line_is_named(folder):
    lines = [f"- CLAIM: {claim}" for claim in WRONG]
    report = checked(folder, filled(*lines))
    assert len(report.notes) == len(WRONG) - 1
    assert len({note.partition(":")[0] for note in report.notes}) == len(WRONG) - 1


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("", "empty_page", "empty"),
        ("<!-- only a note -->\n", "empty_page", "empty"),
        (TEMPLATE, "empty_page", "still the template"),
        (TEMPLATE.replace("\n", "\r\n"), "empty_page", "still the template"),
        (filled(), "no_claim", "makes no claim"),
        (filled(f"- {RIGHT}", "- RUN: elsewhere"), None, None),
        ("- RUN: elsewhere\n- " + RIGHT, "no_run", "the run elsewhere has no summary.json"),
        (filled(f"- {RIGHT}") + "\n## And now\n\n", "section_empty", 'under "And now"'),
    ],
)
def test_a_page_that_is_not_written(folder, text, kind, said):
    report = checked(folder, text)
    if kind is None:
        assert report.passed  # the first RUN counts
        return
    assert report.failure.mistake == kind
    assert said in report.failure.text


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ("3 draws, 2 pretrainings, 505 test items, 40 and 160 labels", None),
        ("draws: 3; pretrainings = 2", None),
        ("three seeds, two pretrainings", None),
        ("4 draws, 2 pretrainings", "settings_differ"),
        ("3 draws, three pretrainings", "settings_differ"),
        ("3 draws, 1,024 test items", "settings_differ"),
        ("3 draws, 64 labels", "settings_differ"),
        ("as in the lesson", "settings_unreadable"),
        ("", "settings_unreadable"),
    ],
)
def test_settings_are_those_of_the_run(folder, settings, kind):
    page = filled(f"- {RIGHT}").replace(
        "- RUN: 10_4_comparison", f"- RUN: 10_4_comparison\n- SETTINGS: {settings}"
    )
    page += "\nWith 9 pretrainings we could see more.\n"  # a plan, in another section
    report = checked(folder, page)
    assert report.passed if kind is None else report.failure.mistake == kind


def test_the_page_may_name_another_run(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other = {**SUMMARY, "budgets": [8], "differences": [row("a", "b", 8, 0.5, 0.1, "better")]}
    other["conditions"] = [{"condition": "a"}, {"condition": "b"}]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "summary.json").write_text(json.dumps(other), encoding="utf-8")
    for name in ("mine", "`mine/summary.json`", str(tmp_path / "mine")):
        page = filled("- CLAIM: a better than b at 8 labels").replace("10_4_comparison", name)
        assert checked(folder, page).passed
    page_file = folder / "10_4_report.md"
    for name in ("../mine", str(tmp_path / "mine")):  # not with somebody else's page
        page_file.write_text(page.replace(str(tmp_path / "mine"), name), encoding="utf-8")
        report = evidence.check(KATA, page_file, folder, elsewhere=False)
        assert report.failure.mistake == "no_run"
    damaged = [
        "[]",
        "{}",
        json.dumps({**SUMMARY, "differences": [{}]}),
        json.dumps({**SUMMARY, "differences": [{**SUMMARY["differences"][0], "low": None}]}),
        json.dumps({**SUMMARY, "budgets": ["forty"]}),
        "no JSON",
    ]
    for text in damaged:
        (tmp_path / "mine" / "summary.json").write_text(text, encoding="utf-8")
        report = checked(folder, page)
        assert report.failure.mistake == "no_run"
        assert report.failure.line == page.splitlines().index(f"- RUN: {tmp_path / 'mine'}") + 1


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "~", "C:\\nowhere", "🦊"])
def test_a_run_may_have_any_name_and_need_not_exist(folder, name):
    page = filled(f"- {RIGHT}").replace("10_4_comparison", name)
    assert "no summary.json" in checked(folder, page).failure.text


def test_of_several_tasks_a_claim_names_one():
    two = {**SUMMARY, "differences": [*SUMMARY["differences"]]}
    two["differences"].append({**SUMMARY["differences"][0], "task": "films", "domain": "films"})
    _, [problem] = evidence.read([RIGHT], two)
    assert problem.kind == "no_file"
    good, problems = evidence.read([f"{RIGHT} on films"], two)
    assert (len(good), problems) == (1, [])


def test_what_cannot_be_read_raises():
    with pytest.raises(ClaimError) as caught:
        claims.parse("a beats b at 8 labels")
    assert caught.value.kind == "no_verdict"


def test_prose_about_claims_is_not_a_claim():
    lines = [
        "The claim is easy.",
        "Claims: three",
        "I claim: nothing",
        "1. **Claim 2:** a",
        "> CLAIM: b",
    ]
    found = [(number, label) for number, label, _ in claims.labelled(lines)]
    assert found == [(4, "CLAIM"), (5, "CLAIM")]


def test_the_page_is_written_once_and_counts_as_the_learners_work(tmp_path):
    who = Learner(tmp_path / "mykatas")
    who.start(KATA)
    page = who.page(KATA)
    assert page.read_text(encoding="utf-8") == TEMPLATE
    who.note_result(KATA, who.source(KATA), True)
    assert who.state(KATA) == learner.PASSED
    page.write_text("mine", encoding="utf-8")
    assert who.state(KATA) == learner.STARTED
    who.start(KATA)
    assert page.read_text(encoding="utf-8") == "mine"
    page.unlink()
    who.start(KATA)
    assert page.read_text(encoding="utf-8") == TEMPLATE
    assert who.files(KATA) == [who.file(KATA), page]
    assert who.page(catalog.find("4.6")) is None


def test_predictions_then_run_then_page(folder):
    source = experiments.form(KATA)
    for name, value in (("vectors", 0.6), ("lora", 0.5), ("decided", 6)):
        source = source.replace(f"{name} = None", f"{name} = {value}")
    source = source.replace("surest = None", 'surest = "vectors against random, if unlucky"')
    path = folder / f"{KATA.name}.py"
    run = {
        "predictions": experiments.read(KATA, source, path),
        "measured": {"vectors": 0.6, "lora": 0.5, "decided": 7.0},
    }
    report = experiments.check(KATA, source, path, run)
    assert report.failure.mistake == "no_page"
    assert report.ok == ("predictions written", "experiment run")
    (folder / "10_4_report.md").write_text(filled(f"- {RIGHT}"), encoding="utf-8")
    report = experiments.check(KATA, source, path, run)
    assert report.passed
    assert report.notes[2] == "decided: you 6, measured 7"
    assert "vectors is better than counts" in report.notes[4]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a better than b at 40 labels, by 0,11 [0,07; 0,16]", "decimal_comma"),
        ("a better than b at 40 labels, by 11,3 %", "decimal_comma"),
        ("a better than b at 40 labels, by 0.11 [0.07\u20130.16]", "interval_unread"),
        ("a better than b at 40 labels, by 0.11\u00b10.05", "interval_unread"),
        (f"a better than b at 40 labels, by {'9' * 5000}", "long_claim"),
    ],
)
def test_numbers_that_would_be_read_wrongly_or_not_at_all(text, kind):
    with pytest.raises(ClaimError) as caught:
        claims.parse(text)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "a better than b at 40 labels, by 0.11, 95 % interval [0.07, 0.16]",
        "a better than b at 40 labels (p < 0.05), by 0.11 (95% CI 0.07 to 0.16)",
    ],
)
def test_the_level_and_p_are_not_the_difference(text):
    claim = claims.parse(text)
    assert claim.difference[0] == pytest.approx(0.11)
    assert [number for number, _ in claim.interval] == pytest.approx([0.07, 0.16])


def test_the_apostrophe_of_a_word_processor():
    claim = claims.parse("We can\u2019t tell a from b at 40 labels")
    assert (claim.a, claim.verdict, claim.b) == ("a", "cannot tell", "b")


@pytest.mark.parametrize(
    "line", ["\u2022 CLAIM: x", "- [x] CLAIM: x", "\u2013 CLAIM\uff1a x", "`CLAIM`: x"]
)
def test_lines_that_are_claims_in_other_marks(line):
    assert list(claims.labelled([line])) == [(1, "CLAIM", "x")]


@pytest.mark.parametrize("line", [f"| CLAIM | {RIGHT} |", "CLAIM - x", "<b>CLAIM</b>: x"])
def test_a_claim_that_is_not_read_is_reported(folder, line):
    report = checked(folder, filled(RIGHT, line))
    assert report.failure.mistake == "unread_claim"
