"""`minilm.check`, `demo` and `plug` with functions as objects."""

import importlib.util
import sys
import threading
import time

import pytest

import minilm
from minilm.course import catalog, notebook, plugging, repairs, sessions, stubs, targets
from minilm.course.notebook import limits
from minilm.errors import OptionError
from minilm.nn import functional as F

NOT_WRITTEN = 'raise NotImplementedError("not written yet")'


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setattr(sessions, "CHECK_SECONDS", 60.0)  # however busy the machine is


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Make a module of a source."""

    def make(source, name="mine"):
        path = tmp_path / f"{name}.py"
        path.write_text(source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, path)
        made = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, made)
        spec.loader.exec_module(made)
        return made

    monkeypatch.chdir(tmp_path)
    return make


@pytest.fixture
def backward(module):
    """Return layer_norm_backward with a body, and what stands before it in its module."""

    def make(body, before=""):
        source = stubs.stub(catalog.find("4.6")).replace(NOT_WRITTEN, body)
        imports = "from minilm.arrays import Array\n"
        return module(source.replace(imports, imports + before)).layer_norm_backward

    return make


def test_a_solution_in_a_module_passes(module):
    made = module(stubs.solution(catalog.find("4.6")))
    found = minilm.check("4.6", made.layer_norm_backward)
    assert found.passed
    assert "in the model" in found.report.ok
    assert 'next: minilm.plug("4.6", layer_norm_backward)' in repr(found)
    assert "passed" in found._repr_html_()


def test_a_class_and_several_functions_pass(module):
    made = module(stubs.solution(catalog.find("1.2")))
    assert minilm.check("1.2", made.Vocabulary).passed
    kata = catalog.find("4.3")
    made = module(stubs.solution(kata))
    assert minilm.check("4.3", made.gelu_backward, made.gelu).passed


def test_a_small_change_is_found(module, monkeypatch):
    monkeypatch.setattr(repairs, "_MORE_SECONDS", 60.0)
    right = stubs.solution(catalog.find("4.6"))
    found = minilm.check(
        "4.6", module(right.replace("dx = rstd", "dx = -rstd")).layer_norm_backward
    )
    assert found.report.failure.looks_like.startswith("a sign: the minus")


def test_a_wrong_answer_is_named_and_located(module):
    right = stubs.solution(catalog.find("4.6"))
    wrong = right.replace(".mean(axis=-1, keepdims=True)", ".mean(axis=0, keepdims=True)")
    assert wrong != right
    found = minilm.check("4.6", module(wrong).layer_norm_backward)
    line = wrong.splitlines()[found.report.failure.line - 1]
    assert "the means were taken over the batch" in repr(found)
    assert f"mine.py:{found.report.failure.line}" in repr(found)
    page = found._repr_html_()
    assert "the means were taken over the batch" in page
    assert line.strip() in page


def test_the_line_is_in_the_file_of_the_function_that_is_wrong(module):
    source = stubs.solution(catalog.find("4.3"))
    first = module(source, "first")
    second = module(source + "\ndef gelu_backward(dy, cache):\n    return 1 / 0\n", "second")
    found = minilm.check("4.3", first.gelu, second.gelu_backward)
    assert "raises ZeroDivisionError" in repr(found)
    assert "return 1 / 0" in found._repr_html_()
    assert "second.py:" in repr(found)


def test_an_endless_loop_is_stopped(backward, monkeypatch):
    monkeypatch.setattr(sessions, "CHECK_SECONDS", 0.5)
    body = "while True:\n        try:\n            dy = dy + 0\n        except:\n            pass"
    found = minilm.check("4.6", backward(body))
    assert found.report.failure.stage == "time"
    assert "did not finish in 0.5 s" in repr(found)
    assert found.code in ("while True:", "try:", "dy = dy + 0", "except:", "pass")


def test_a_time_limit_works_in_any_thread_and_leaves_nothing_behind():
    seen = []
    names = {}
    exec("def loop():\n    while True:\n        pass\n", names)

    def run():
        try:
            with limits.time_limit(0.05, [names]):
                names["loop"]()
        except limits.LateError:
            seen.append("late")
        with limits.time_limit(30, [names]):
            seen.append("in time")
        with limits.time_limit(0.05, [names]):
            time.sleep(0.2)  # not the learner's code
            seen.append("not interrupted")
        # An eval breaker that stays set would hang here in Python 3.11.
        sys.setprofile(lambda *_: None)
        sorted([2, 1], key=lambda x: x)
        sys.setprofile(None)
        seen.append("alive")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(30)
    assert seen == ["late", "in time", "not interrupted", "alive"]


def test_output_is_kept_and_a_flood_is_stopped(backward, capsys):
    found = minilm.check("4.6", backward("print('shape', dy.shape)\n    return 1"))
    assert found.report.printed.startswith("shape (5, 7)")
    assert "returns an int" in repr(found)
    assert "shape (5, 7)" in found._repr_html_()
    flooded = minilm.check("4.6", backward("while True:\n        print('dy' * 500)"))
    assert "prints without end" in repr(flooded)
    assert len(flooded._repr_html_()) < 10_000
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("before", "body"),
    [
        ("from minilm.nn import functional as F\n", "return F.layer_norm_backward(dy, cache)"),
        (
            "from minilm.nn.functional import layer_norm_backward as theirs\n",
            "return theirs(dy, cache)",
        ),
        (
            "from minilm.nn import functional as F\n\ndef helper(*given):\n"
            "    return F.layer_norm_backward(*given)\n",
            "return helper(dy, cache)",
        ),
    ],
    ids=["by its module", "imported before", "by a helper"],
)
def test_the_library_s_own_function_is_refused(backward, before, body):
    reference = F.layer_norm_backward
    written = backward(body, before)
    assert "is the library's function; write your own" in repr(minilm.check("4.6", written))
    assert F.layer_norm_backward is reference
    names = written.__globals__
    assert names.get("theirs", reference) is reference


def test_the_library_s_function_itself_is_refused():
    found = minilm.check("4.6", F.layer_norm_backward)
    assert "is the library's function; write your own" in repr(found)


def layer_norm_bakward(dy, cache):
    return dy


@pytest.mark.parametrize(
    ("number", "given", "said"),
    [
        ("4.6", [layer_norm_bakward], "layer_norm_bakward is not a name of this kata; call it"),
        ("4.6", [], 'layer_norm_backward is missing: minilm.check("4.6", layer_norm_backward)'),
        ("4.6", ["layer_norm_backward"], "'layer_norm_backward' is not a function or class"),
        ("1.2", [3], "3 is not a function or class"),
    ],
    ids=["another name", "none", "a name as text", "a number"],
)
def test_what_cannot_be_checked_is_told(number, given, said):
    found = minilm.check(number, *given)
    assert not found.passed
    assert said in " ".join(repr(found).split())
    assert "!!" in found._repr_html_()


def test_a_signature_and_an_exception_are_told_as_in_the_terminal(backward, module):
    made = module("def layer_norm_backward(dy):\n    return dy\n", "short")
    found = minilm.check("4.6", made.layer_norm_backward)
    assert "takes (dy), expected (dy, cache)" in repr(found)
    assert "short.py:1" in repr(found)
    found = minilm.check("4.6", backward("raise ValueError('no such axis')"))
    assert "raises ValueError: no such axis" in repr(found)
    found = minilm.check("4.6", backward("raise SystemExit(3)"))
    assert "it calls exit (SystemExit: 3)" in repr(found)


def test_a_function_without_source_is_checked():
    names = {}
    exec("def layer_norm_backward(dy, cache):\n    return dy, dy, dy\n", names)
    found = minilm.check("4.6", names["layer_norm_backward"])
    assert "dx" in repr(found)
    assert found.report.failure.line is None


def test_an_unknown_kata_is_refused():
    with pytest.raises(OptionError, match=r"there is no kata '4\.66'"):
        minilm.check("4.66")


# ---------------------------------------------------------------------- demos and plug


def test_a_demo_runs_with_the_learner_s_function(module, capsys, tmp_path):
    made = module(stubs.solution(catalog.find("4.6")))
    minilm.demo("4.6", made.layer_norm_backward, predictions=["zero", "", "a tenth"])
    out = capsys.readouterr().out
    assert out.startswith("with your layer_norm_backward:")
    assert "length of dx after:  0.478" in out
    assert out.endswith("you expected:\n  1. zero\n  2. a tenth\n")
    assert (tmp_path / "mykatas" / "pictures" / "04_6_gradient.png").exists()


def test_a_demo_of_a_stub_runs_with_the_library_s(backward, capsys):
    minilm.demo("4.6", backward(NOT_WRITTEN))
    assert capsys.readouterr().out.startswith("with the library's layer_norm_backward:")


def test_a_demo_that_fails_is_told_in_one_line(backward, capsys):
    minilm.demo("4.6", backward("raise ValueError('no')"))
    said = " ".join(capsys.readouterr().out.split())
    assert "!! the demo did not finish: it raises ValueError: no (mine.py:" in said


def test_constants_of_a_demo_can_be_changed_and_come_back(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = catalog.find("4.3").module("demo")
    minilm.demo("4.3", STEPS=3)
    assert module.STEPS == 200
    with pytest.raises(OptionError, match="has no constant STEP; it has: STEPS, RATE"):
        minilm.demo("4.3", STEP=3)


def test_an_experiment_wants_predictions_and_compares_them(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(notebook, "_runs", {})
    measured = {"fresh": 4.2, "trained": 2.3, "tenth": 2.4, "words_at_low": 0.5}
    measured["words_at_high"] = 0.3
    demo = catalog.find("7.5").module("demo")
    monkeypatch.setattr(demo, "run", lambda course: measured)
    predictions = dict.fromkeys(measured, 0.5) | {"why": None}
    minilm.demo("7.5", predictions=predictions)
    assert "!!  write your predictions first. why is not written yet" in capsys.readouterr().out
    predictions["why"] = "It has read them too often."
    found = minilm.check("7.5", predictions)
    assert "has not run yet" in repr(found)
    assert 'next: minilm.demo("7.5", predictions=predictions)' in repr(found)
    minilm.demo("7.5", predictions=predictions)
    found = minilm.check("7.5", {**predictions, "fresh": 1.0})
    assert found.passed
    said = " ".join(repr(found).split())
    assert "fresh: you 1 (changed after the run; it was 0.5), measured 4.2" in said
    minilm.demo("7.5", anyway=True)
    assert "ran without your predictions" in repr(minilm.check("7.5", predictions))
    assert "give your predictions" in repr(minilm.check("7.5"))
    assert "predictions are missing" in repr(minilm.check("7.5", 3))
    with pytest.raises(OptionError, match="has nothing to plug in"):
        minilm.plug("7.5")


def test_plug_checks_first(backward):
    found = minilm.plug("4.6", backward("return 1"))
    assert not found.passed
    assert "returns an int" in repr(found)
    with pytest.raises(OptionError, match="both must be 1 or more"):
        minilm.plug("4.6", backward("return 1"), steps=0)


def test_a_training_that_fails_is_told_in_one_line(module, monkeypatch, capsys):
    made = module(stubs.solution(catalog.find("4.6")))
    monkeypatch.setattr(plugging, "train", lambda *_: 1 / 0)
    assert minilm.plug("4.6", made.layer_norm_backward) is None
    said = capsys.readouterr().out
    assert "!!  the training did not finish: it raises ZeroDivisionError" in said


def test_plug_trains_the_real_model(module):
    made = module(stubs.solution(catalog.find("4.6")))
    found = minilm.plug("4.6", made.layer_norm_backward, steps=2, words=10_000)
    assert found.yours["losses"] == pytest.approx(found.library["losses"], rel=1e-4)
    assert len(found.yours["losses"]) == 2
    assert "your layer_norm_backward" in repr(found)
    page = found._repr_html_()
    assert 'src="data:image/png;base64,' in page
    assert "<table>" in page
    path = "minilm.nn.functional.layer_norm_backward"
    assert F.layer_norm_backward is targets.find(path).reference


def test_a_number_without_its_quotes():
    assert minilm.check(4.6).kata.number == "4.6"


@pytest.mark.parametrize("number", [None, F.gelu, ["4.6"], b"4.6"])
def test_what_is_no_number_of_a_kata(number):
    with pytest.raises(OptionError, match=r'name a kata by its number, such as "4\.6"'):
        minilm.check(number)


def test_predictions_of_another_type(capsys):
    with pytest.raises(OptionError, match="predictions=5: expected texts in a list"):
        minilm.demo("4.3", predictions=5)
    assert capsys.readouterr().out == ""


def test_one_prediction_is_not_taken_for_its_letters(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    minilm.demo("4.3", predictions="it falls")
    assert "  1. it falls" in capsys.readouterr().out
