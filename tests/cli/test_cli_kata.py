"""`minilm kata`, as a learner meets it."""

import json
import re

import pytest

from minilm.cli import kata_output as output
from minilm.cli import main as cli
from minilm.course import (
    catalog,
    learner,
    phases,
    plugging,
    process,
    sessions,
    stubs,
    watching,
)
from minilm.course.reports import Failure, Report
from minilm.store import packaged

KATA = catalog.find("4.6")
BODY = 'raise NotImplementedError("not written yet")'
BUDGET = {"words": 4000, "vocabulary": 300, "steps": 8, "seconds": 60.0}
WRONG = """\
normalized, rstd, gain = cache
    d = dy * gain
    rows = tuple(range(dy.ndim - 1))
    dx = rstd * (d - d.mean(axis=0) - normalized * (d * normalized).mean(axis=0))
    return dx, (dy * normalized).sum(axis=rows), dy.sum(axis=rows)"""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sessions, "CHECK_SECONDS", 60.0)  # however busy the machine is
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def file(desk):
    path = desk / "mykatas" / f"{KATA.name}.py"
    path.parent.mkdir()
    path.write_text(stubs.stub(KATA), encoding="utf-8")
    return path


def run(capsys, *arguments):
    code = cli.main(["kata", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_where_am_i(desk, capsys):
    code, out, _ = run(capsys)
    first = catalog.all_katas()[0]
    assert code == 0
    assert f"0 of {len(catalog.all_katas())} katas passed; 0 of " in out
    assert f"minilm kata start {first.number}" in out


def test_list(desk, capsys):
    code, out, _ = run(capsys, "list")
    assert code == 0
    phases = {kata.phase for kata in catalog.all_katas()}
    assert len(out.splitlines()) == len(catalog.all_katas()) + len(phases)
    assert out.startswith("Phase 1: Text\n   1.1  Words from text")
    assert max(map(len, out.splitlines())) < 80
    rows = json.loads(run(capsys, "list", "--json")[1])
    row = next(row for row in rows if row["number"] == "4.6")
    assert row == {
        "number": "4.6",
        "title": "Layer norm, backward",
        "phase": 4,
        "phase_name": "Layers",
        "minutes": 20,
        "difficulty": 3,
        "prerequisites": ["4.5"],
        "targets": ["minilm.nn.functional.layer_norm_backward"],
        "state": "new",
    }


def test_start_writes_shows_and_says_what_stands_in(desk, capsys):
    code, out, _ = run(capsys, "start", "4.6")
    assert code == 0
    assert "Hands-on exploration" in out
    assert "mykatas/04_6_layer_norm_backward.py is ready: write it" in out
    assert "You haven't passed 4.5 yet, so the library's version is used." in out
    again = run(capsys, "start", "4.6")[1]
    assert "was there already; it is unchanged" in again


def test_check_names_the_mistake_and_follows_the_file(file, capsys):
    code, out, _ = run(capsys, "check")
    assert code == 1
    assert "layer_norm_backward: not written yet" in out
    file.write_text(stubs.stub(KATA).replace(BODY, WRONG), encoding="utf-8")
    code, out, _ = run(capsys, "check", "4.6")
    assert code == 1
    assert "ok  dgain" in out
    assert "dx is wrong at 35 of 35 entries; worst [" in out
    assert "the means were taken over the batch (axis 0)" in out
    line = 1 + file.read_text(encoding="utf-8").splitlines().index(
        "    dx = rstd * (d - d.mean(axis=0) - normalized * (d * normalized).mean(axis=0))"
    )
    assert f"mykatas/04_6_layer_norm_backward.py:{line}      next: minilm kata hint 4.6" in out
    assert max(map(len, out.splitlines())) < 80
    assert len(out.splitlines()) < 23
    file.write_text(stubs.solution(KATA), encoding="utf-8")
    code, out, _ = run(capsys, "check", "--all")
    assert (code, out.splitlines()[-1]) == (0, "1 of 1 started katas pass")
    assert "1 of " in run(capsys)[1]


def test_watch_checks_on_every_save(file, capsys, monkeypatch):
    def changes(paths, key):
        assert [path.name for path in paths()] == [file.name]
        file.write_text(stubs.solution(KATA), encoding="utf-8")
        yield paths()
        yield "h"
        yield "x"
        yield "n"
        yield "d"
        yield "q"
        raise AssertionError("q ends it")

    monkeypatch.setattr(watching, "changes", changes)
    code, out, _ = run(capsys, "watch")
    assert code == 0
    before, after = out.split("was saved")
    assert "not written yet" in before
    assert "  passed in" in after
    assert "watching; Ctrl-C to quit" in after
    _, hint = after.split("  1. ")
    assert "next hint: minilm kata hint 4.6" in hint
    following = next(k for k in catalog.all_katas() if k.order > KATA.order)
    assert f"the page: minilm kata read {following.number}" in hint
    assert (file.parent / f"{following.name}.py").exists()
    assert "with the library's " in hint


def test_check_as_json(file, capsys):
    code, out, _ = run(capsys, "check", "4.6", "--json")
    report = json.loads(out)
    assert code == 1
    assert report["passed"] is False
    assert report["failure"]["text"] == "not written yet"


def test_hints_come_one_by_one(file, capsys):
    assert [run(capsys, "hint", "4.6")[1].count("  1. ") for _ in range(2)] == [1, 1]
    third = run(capsys, "hint", "4.6")[1]
    assert "  3. " in third
    assert "that was the last" in third


def test_the_solution_is_shown_after_passing_or_giving_up(file, capsys):
    code, _, err = run(capsys, "solution", "4.6")
    assert code == 2
    assert "add --give-up" in err
    code, out, _ = run(capsys, "solution", "4.6", "--give-up")
    assert '-    raise NotImplementedError("not written yet")' in out
    assert "+    d = dy * gain" in out
    assert file.read_text(encoding="utf-8") == stubs.stub(KATA)
    run(capsys, "solution", "4.6", "--give-up", "--write")
    assert file.read_text(encoding="utf-8") == stubs.solution(KATA)
    assert "letter for letter" in run(capsys, "solution", "4.6", "--give-up")[1]
    run(capsys, "undo", "4.6")
    assert file.read_text(encoding="utf-8") == stubs.stub(KATA)


def test_reset_keeps_the_old_file(file, capsys):
    file.write_text("mine = 1\n", encoding="utf-8")
    _, out, _ = run(capsys, "reset", "4.6")
    assert f"mykatas/.backups/{KATA.name}.1.py" in out
    assert file.read_text(encoding="utf-8") == stubs.stub(KATA)
    run(capsys, "undo", "4.6")
    assert file.read_text(encoding="utf-8") == "mine = 1\n"


def test_the_demo_runs_with_what_is_written(file, capsys):
    file.write_text(stubs.stub(KATA).replace(BODY, WRONG), encoding="utf-8")
    code, out, _ = run(capsys, "demo", "4.6")
    assert code == 0
    assert out.startswith("with your layer_norm_backward:")
    assert "picture: mykatas/pictures/04_6_gradient.png" in out
    assert (file.parent / "pictures" / "04_6_gradient.png").stat().st_size > 5000


def test_plug_refuses_what_does_not_pass(file, capsys):
    code, out, _ = run(capsys, "plug", "4.6")
    assert code == 1
    assert "not written yet" in out


def test_plug_trains_with_the_learners_function(file, capsys, monkeypatch):
    monkeypatch.setattr(sessions, "PLUG_ONE", BUDGET)
    file.write_text(stubs.solution(KATA), encoding="utf-8")
    code, out, _ = run(capsys, "plug", "4.6")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("1 of ")
    assert lines[:2] == [lines[0], "  4.6 layer_norm_backward"]
    assert lines[0].endswith("parts is yours:")
    assert max(map(len, lines)) < 80
    last = next(line.split() for line in lines if "loss of step 8" in line)
    assert last[-2] == last[-1]
    said, written = " ".join(out.split()).split("and writes:")
    assert re.search(r"this model ran on your layer_norm_backward, called \d[\d,]+ times", said)
    assert said.endswith("parts is yours), ")
    assert len(written.split()) > 5


def test_plug_all_lists_by_kata_what_is_yours_and_what_is_not(file, capsys, monkeypatch):
    monkeypatch.setattr(sessions, "PLUG_ALL", BUDGET)
    found = {"conditions": [], "differences": []}
    trained = plugging.train({}, BUDGET)
    ending = process.Ending({**trained, "calls": {"a.b": 5}, "comparison": found}, "")
    monkeypatch.setattr(process, "run", lambda request, **about: ending)
    file.write_text(stubs.solution(KATA), encoding="utf-8")
    who = learner.Learner(file.parent)
    who.note_result(KATA, who.source(KATA), True)
    code, out, _ = run(capsys, "plug", "--all")
    assert code == 0
    mine, _, others = out.partition("not yours yet, so the library's are used:\n")
    assert mine.splitlines()[1] == "  4.6 layer_norm_backward"
    listed = " ".join(others.split()).partition(" the small comparison")[0].split("; ")
    assert "4.5 layer_norm" in listed
    assert not any(one.startswith("4.6 ") for one in listed)
    assert len(listed) == sum(bool(kata.paths) for kata in catalog.all_katas()) - 1
    assert max(map(len, out.splitlines())) < 80


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plug", "4.6", "--prompt", "Why?"], "add --real"),
        (["plug", "7.5"], "All of your functions: minilm kata plug --all\n"),
        (["plug", "--all", "--real"], "get it (94 MB) with: pip install it"),
        (["demo", "11.4", "--anyway"], "get it (94 MB) with: pip install it"),
    ],
)
def test_what_plug_cannot_do_is_said_in_one_line(desk, capsys, monkeypatch, arguments, said):
    monkeypatch.setitem(packaged.NAMES, "smollm2", ("no_such_module", "pip install it"))
    code, out, err = run(capsys, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_the_table_of_the_model_that_others_trained():
    result = {
        "tokens": 20,
        "seconds": 2.0,
        "calls": {"a.rms_norm": 1220, "a.rotary_backward": 0},
        "places": 50,
        "same": 50,
        "parameters": 1000,
        "layers": 30,
    }
    lines = output.answer_table(result).splitlines()
    assert "1,000 parameters in 30 layers" in lines[0]
    assert lines[2].split() == ["rms_norm", "1,220"]
    assert lines[3].endswith("rotary_backward")
    assert lines[4].endswith("at each of 50 places: the library's at 50")
    result["same"] = 49
    assert "the library's at 49; look at what differs" in output.answer_table(result)
    result["calls"] = {"a.layer_norm": 0}
    assert "it calls none of these functions" in output.answer_table(result)


def test_the_table_of_the_small_comparison():
    common = {"condition": "cooccurrence-finetuned", "task": "reviews", "domain": "reviews"}
    rows = [
        {**common, "budget": 16, "mean": 0.5, "low": 0.4, "high": 0.6},
        {**common, "budget": 64, "mean": None, "low": 0, "high": 0},
        {**common, "budget": 16, "domain": "elsewhere"},
    ]
    verdicts = [
        {**common, "baseline": "random", "budget": 16, "verdict": "better"},
        {**common, "baseline": "random", "budget": 64, "verdict": "cannot tell"},
    ]
    found = {"conditions": rows, "differences": verdicts}
    lines = output.comparison_table(found).splitlines()
    assert lines[1].split() == ["16", "labels", "64", "labels"]
    assert lines[2].split() == ["cooccurrence-finetuned", "0.500", "[0.400,", "0.600]", "failed"]
    assert lines[3] == "  cooccurrence-finetuned is better than random at 16 labels"
    assert lines[4] == "  in 1 of 2 comparisons it cannot tell"
    assert max(map(len, lines)) < 80


def test_what_is_unknown_is_said_in_one_line(desk, capsys):
    code, _, err = run(capsys, "check", "4.66")
    assert (code, err.count("\n")) == (2, 1)
    assert "there is no kata '4.66'; Phase 4: Layers has" in err
    code, _, err = run(capsys, "check", "4.6")
    assert (code, err.count("\n")) == (2, 1)
    assert "minilm kata start 4.6" in err
    assert "begin with: minilm kata start" in run(capsys, "check")[2]


def test_no_color_in_a_pipe_and_none_with_no_color(desk, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in run(capsys, "list")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run(capsys, "list")[1]


def test_the_page_stops_until_the_predictions_are_written(desk, capsys):
    out = run(capsys, "read", "4.6")[1]
    assert "Key takeaways" not in out
    path = desk / "mykatas" / "predictions" / f"{KATA.name}.txt"
    assert "no answer to question 1" in out
    assert "Key takeaways" in run(capsys, "read", "4.6", "--anyway")[1]
    form = path.read_text(encoding="utf-8")
    assert form.count("\n> ") == 3
    path.write_text(form.replace("> ", "> none", 1), encoding="utf-8")
    assert "no answer to question 2" in run(capsys, "read", "4.6")[1]
    for answer in ("> a long one,\n  on two lines", "> 3"):
        form = path.read_text(encoding="utf-8").replace("> \n", f"{answer}\n", 1)
        path.write_text(form, encoding="utf-8")
    out = run(capsys, "read", "4.6")[1]
    assert "Key takeaways" in out
    after = out.split("You expected:")[1]
    assert "Live code" in after
    assert "a long one, on two lines" in after
    assert (
        "you expected:\n  1. none\n  2. a long one, on two lines\n  3. 3\n"
        in (run(capsys, "demo", "4.6")[1])
    )


def test_an_experiment_is_refused_until_the_predictions_are_right(desk, capsys):
    code, out, _ = run(capsys, "demo", "10.1")
    assert (code, "write your predictions first. not started" in out) == (1, True)
    run(capsys, "start", "10.1")
    path = desk / "mykatas" / "10_1_pretraining_and_fine_tuning.py"
    text = path.read_text(encoding="utf-8").replace("why = None", "why = 'too short'")
    for name in ("plan", "contradiction"):
        text = text.replace(f"{name} = None", f"{name} = 'this is a plan'")
    text = text.replace("= None", "= 0.5")
    path.write_text(text, encoding="utf-8")
    code, out, _ = run(capsys, "demo", "10.1")
    assert code == 1
    assert "why is 'too short'; write a sentence in quotation marks" in " ".join(out.split())
    assert "--anyway" in out
    assert "answers are in the rest" in run(capsys, "read", "10.1")[1]
    path.write_text(text.replace("too short", "long enough for me"), encoding="utf-8")
    assert "Key takeaways" in run(capsys, "read", "10.1")[1]


def test_it_works_inside_the_folder_too(file, capsys, monkeypatch):
    file.write_text(stubs.solution(KATA), encoding="utf-8")
    monkeypatch.chdir(file.parent)
    assert run(capsys, "check", "4.6")[0] == 0
    assert not (file.parent / "mykatas").exists()
    assert "Continue" not in run(capsys)[1]
    (file.parent / "pictures").mkdir()
    monkeypatch.chdir(file.parent / "pictures")
    assert "1 of " in run(capsys)[1]


def test_a_file_that_cannot_be_read_stops_nothing(file, capsys):
    file.write_bytes(b"\xff\xfe\x00")
    other = file.with_name("04_2_linear.py")
    other.write_text(stubs.solution(catalog.find("4.2")), encoding="utf-8")
    code, out, _ = run(capsys, "check", "--all")
    assert code == 1
    assert "1 of 2 started katas pass" in out
    assert "not UTF-8; save it as UTF-8" in run(capsys, "check", "4.6")[1]
    assert "unreadable" in run(capsys, "list")[1]
    assert "this file cannot be read" in run(capsys)[1]
    assert run(capsys, "demo", "4.6")[0] == 0


def test_the_end_of_a_phase_is_a_milestone(file, capsys):
    for kata in catalog.all_katas():
        if kata.phase == 4:
            path = file.with_name(f"{kata.name}.py")
            path.write_text(stubs.solution(kata), encoding="utf-8")
            out = run(capsys, "check", kata.number)[1]
    assert "Phase 4: Layers is complete: every layer's gradient" in " ".join(out.split())
    out = run(capsys)[1]
    assert "ok   4 Layers: every layer's gradient is yours" in out
    assert out.count("see it: minilm kata plug --all") == 1


def test_an_experiment_can_complete_a_phase(desk, capsys, monkeypatch):
    monkeypatch.setattr(sessions, "completed_phases", lambda who: [7])
    kata = catalog.find("7.5")
    output.report(learner.Learner(desk), kata, Report("7.5", True))
    out = capsys.readouterr().out
    assert "Phase 7: A language model is complete: your model writes" in out


def test_a_phase_ends_with_a_command_that_there_is():
    for phase, known in phases.PHASES.items():
        if not known.command.startswith("minilm kata plug --all"):
            assert catalog.find(known.command.split()[-1]).phase == phase


def test_a_teachers_katas_stand_beside_the_shipped_ones(desk, capsys, monkeypatch):
    monkeypatch.setenv("MINILM_KATAS", "")
    code, out, _ = run(capsys, "new", "teacher", "12.1", "Rows of length one")
    assert (code, "teacher/12_1_rows_of_length_one is written" in out) == (0, True)
    try:
        assert "Phase 12: My katas" in run(capsys, "list", "--katas", "teacher")[1]
        run(capsys, "start", "12.1", "--katas", "teacher")
        code, out, _ = run(capsys, "--katas", "teacher", "check", "12.1")
        assert (code, "not written yet" in out) == (1, True)
        assert run(capsys, "list", "--katas", "nowhere")[0] == 2
    finally:
        monkeypatch.setenv("MINILM_KATAS", "")
        catalog.all_katas.cache_clear()


def test_an_experiment_has_no_solution_to_point_to(desk, capsys):
    out = [run(capsys, "hint", "10.4")[1] for _ in range(3)][-1]
    assert out.rstrip().endswith("that was the last one")
    assert run(capsys, "solution", "10.4", "--give-up")[0] == 2
    assert "All of your functions: minilm kata plug --all" in run(capsys, "plug", "10.4")[2]


def test_a_solution_that_was_shown_first_is_marked(file, capsys):
    assert run(capsys, "solution", "4.6")[0] == 2
    run(capsys, "solution", "4.6", "--give-up", "--write")
    run(capsys, "check", "4.6")
    run(capsys, "solution", "4.6")  # now that it passes; what was before is not forgotten
    lines = run(capsys, "list")[1].splitlines()
    assert next(line for line in lines if "  4.6 " in line).endswith("passed*")
    assert lines[-1].startswith("* the solution was shown before")
    assert "1 of " in run(capsys)[1]
    assert "passed (1 with the solution)" in run(capsys)[1]


def test_the_capstones_page(desk, capsys):
    out = run(capsys, "start", "10.4")[1]
    assert "mykatas/10_4_report.md is for your page of evidence" in " ".join(out.split())
    page = desk / "mykatas" / "10_4_report.md"
    assert "- CLAIM:" in page.read_text(encoding="utf-8")
    report = Report(
        "10.4",
        False,
        failure=Failure("evidence", "line 7: no", line=7, file=page.name),
        notes=("line 9: neither",),
    )
    output.report(learner.Learner(learner.FOLDER), catalog.find("10.4"), report)
    out = capsys.readouterr().out
    assert "      mykatas/10_4_report.md:7      next: minilm kata check 10.4\n" in out
    assert "line 9: neither" in out
