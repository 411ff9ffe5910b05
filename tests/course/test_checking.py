"""The stages of a check, each with a file that fails there and nowhere before."""

import inspect
from pathlib import Path

import numpy as np
import pytest

from minilm.course import catalog, checking, composed, stubs
from minilm.nn import functional as F

KATA = catalog.find("4.6")
FILE = Path("mykatas") / f"{KATA.name}.py"
RIGHT = """\
normalized, rstd, gain = cache
    d = dy * gain
    rows = tuple(range(dy.ndim - 1))
    dgain = (dy * normalized).sum(axis=rows)
    dbias = dy.sum(axis=rows)
    mean_d = d.mean(axis=-1, keepdims=True)
    mean_dn = (d * normalized).mean(axis=-1, keepdims=True)
    dx = rstd * (d - mean_d - normalized * mean_dn)
    return dx, dgain, dbias"""
STUB = stubs.stub(KATA)
BODY = 'raise NotImplementedError("not written yet")'


def check(body, stub=STUB):
    return checking.check_source(KATA, stub.replace(BODY, body), FILE)


def edited(old, new):
    assert old in RIGHT
    return RIGHT.replace(old, new)


def test_another_right_answer_than_the_librarys_passes():
    report = check(RIGHT)
    assert report.passed
    assert report.ok[-1] == "inputs untouched"
    assert report.ok == ("dx", "dgain", "dbias", "in the model", "inputs untouched")


@pytest.mark.parametrize(
    ("source", "text", "line"),
    [
        ("def f(:", "the file does not import: SyntaxError: invalid syntax", 1),
        ("import nothing_such", "the file does not import: ModuleNotFoundError", 1),
        ("\nexit(2)", "the file does not import: it calls exit (SystemExit: 2)", 2),
        ("x = 1", "the file has no function layer_norm_backward; write it", None),
        ("layer_norm_backward = 3", "is not a function", None),
        (
            "def layer_norm_backward(dy):\n    return dy",
            "takes (dy), expected (dy, cache)",
            1,
        ),
        (
            "def layer_norm_backward(dy, cache=None):\n    return dy",
            "has the default cache=None, expected no default for cache",
            1,
        ),
    ],
)
def test_a_file_that_cannot_be_checked(source, text, line):
    failure = checking.check_source(KATA, source, FILE).failure
    assert failure.stage == "import"
    assert text in failure.text
    assert failure.line == line


@pytest.mark.parametrize(
    ("body", "stage", "text"),
    [
        ("return dy", "structure", "returns an array of shape (5, 7), float64, expected a tuple"),
        ("return dy, dy", "structure", "returns 2 values, expected 3: dx, dgain, dbias"),
        (
            edited("dy.sum(axis=rows)", "dy.sum()"),
            "structure",
            "dbias has shape (), expected (7,)",
        ),
        (
            edited("return dx,", "return dx.astype('f4'),"),
            "dtype",
            "dx has dtype float32, expected float64",
        ),
        (
            edited("dx = rstd", "dx = np.nan * rstd"),
            "finite",
            "dx is not finite at 35 of 35 entries; first [0, 0]: nan",
        ),
        (
            edited("return", "normalized[0] = 0\n    return"),
            "inputs",
            "writes to its input cache",
        ),
        (edited("mean_d -", "0.999 * mean_d -"), "gradients", "dx is wrong at"),
    ],
)
def test_the_first_stage_that_fails_is_named(body, stage, text):
    failure = check(body).failure
    assert failure.stage == stage
    assert text in failure.text


def test_a_small_error_anywhere_is_seen():
    failure = check(edited("dbias = dy.sum(axis=rows)", "dbias = dy.sum(axis=rows) * (1 + 1e-6)"))
    assert failure.failure.text.startswith("dbias is wrong at 7 of 7 entries")


def test_the_line_is_that_of_the_wrong_result():
    source = STUB.replace(BODY, edited("dy * normalized", "dy + normalized"))
    failure = checking.check_source(KATA, source, FILE).failure
    assert failure.output == "dgain"
    assert source.splitlines()[failure.line - 1].strip().startswith("dgain =")


def test_the_line_of_an_exception_is_the_learners():
    source = STUB.replace(BODY, edited("mean_d = d.mean(axis=-1", "mean_d = d.mean(axis=9"))
    failure = checking.check_source(KATA, source, FILE).failure
    assert "raises AxisError: axis 9 is out of bounds" in failure.text
    assert "axis=9" in source.splitlines()[failure.line - 1]
    assert failure.case.endswith("; d (5,7)")


def test_the_first_wrong_local_variable_is_named():
    failure = check(edited("d = dy * gain", "d = dy * gain * 1.5")).failure
    assert failure.step.startswith("your d is wrong at 35 of 35 entries")


@pytest.mark.parametrize(
    ("body", "suspicion"),
    [
        (edited("dx = rstd", "dx = -rstd"), "a sign: the minus"),
        (edited("dx = rstd", "dx = rstd / 7"), "`/ 7` should not be there"),
        (
            edited("dx = rstd", "seven = float(len(gain))\n    dx = rstd / seven / 1.5 / 1.5"),
            "a constant factor: it is 0.0634921 times",
        ),
        (
            edited("dbias = dy.sum(axis=rows)", "dbias = dy.sum(axis=rows, keepdims=True)"),
            "keepdims=True in `dy.sum(axis=rows, keepdims=True)` keeps an axis",
        ),
        (
            edited("dbias = dy.sum(axis=rows)", "dbias = dy.sum(axis=rows)[None, :, None]"),
            "has an axis that does not belong there",
        ),
        (
            edited("dbias = dy.sum(axis=rows)", "dbias = dy.reshape(-1, dy.shape[-1])[-1]"),
            "assignment in place of accumulation",
        ),
    ],
)
def test_generic_suspicions(body, suspicion):
    assert suspicion in check(body).failure.looks_like


def test_a_named_mistake_is_found_in_code_of_ones_own():
    body = edited("d.mean(axis=-1, keepdims=True)", "d.sum(axis=-1, keepdims=True)").replace(
        "(d * normalized).mean", "(d * normalized).sum"
    )
    assert check(body).failure.mistake == "sums_for_means"
    swapped = edited("dx, dgain, dbias", "dx, dbias, dgain")
    assert check(swapped).failure.mistake == "results_in_another_order"


def test_two_mistakes_are_told_one_after_the_other():
    body = edited("dbias = dy.sum(axis=rows)", "dbias = -dy.sum(axis=rows)")
    body = body.replace("- mean_d -", "-")
    assert check(body).failure.mistake == "without_the_way_through_the_mean"
    assert "a sign" in check(edited("dbias = dy", "dbias = -dy")).failure.looks_like


def test_checking_leaves_the_library_as_it_was():
    before = F.layer_norm_backward
    check(RIGHT)
    check("return dy")
    assert F.layer_norm_backward is before
    assert np.isfinite(F.layer_norm(np.ones((2, 3)), np.ones(3), np.ones(3))[0]).all()


@pytest.mark.parametrize(
    "source",
    [
        STUB.replace(BODY, "return F.layer_norm_backward(dy, cache)"),
        STUB.replace(
            BODY,
            "from minilm.nn.functional import layer_norm_backward as f\n    return f(dy, cache)",
        ),
        "from minilm.nn.functional import layer_norm_backward\n",
        "from minilm.nn import functional as F\nlayer_norm_backward = F.layer_norm_backward\n",
    ],
)
def test_the_librarys_function_is_no_answer(source):
    source = source.replace(
        "import numpy as np", "import numpy as np\nfrom minilm.nn import functional as F"
    )
    before = F.layer_norm_backward
    failure = checking.check_source(KATA, source, FILE).failure
    assert failure.stage == "import"
    assert failure.text == "layer_norm_backward here is the library's function; write your own"
    assert F.layer_norm_backward is before


@pytest.mark.parametrize("room", ["nn.functional", "nn.functional.llama", "course.composed"])
@pytest.mark.parametrize("number", ["11.1", "11.2", "11.3"])
def test_the_librarys_function_is_no_answer_from_whatever_room(number, room):
    kata = catalog.find(number)
    for target in kata.targets:
        if room == "course.composed" and not hasattr(composed, target.name):
            continue
        body = f"import minilm.{room} as room\n    return room.{target.name}"
        names = [n for n in inspect.signature(target.reference).parameters]
        source = stubs.solution(kata) + (
            f"\n\ndef {target.name}{inspect.signature(target.reference)}:\n"
            f"    {body}({', '.join(names)})\n"
        )
        source = source.replace("F.Cache", "Cache")
        failure = checking.check_source(kata, source, FILE).failure
        assert failure.text == f"{target.name} here is the library's function; write your own"


@pytest.mark.parametrize(
    "source",
    [
        "from minilm.text.words import WordTokenizer\n",
        "from minilm.text import words\nclass WordTokenizer(words.WordTokenizer): pass\n",
        stubs.stub(catalog.find("1.1")).replace(
            BODY,
            "from minilm.text import words\n        return words.WordTokenizer().tokenize(text)",
        ),
    ],
)
def test_the_librarys_class_is_no_answer(source):
    failure = checking.check_source(catalog.find("1.1"), source, FILE).failure
    assert failure.text == "WordTokenizer here is the library's function; write your own"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            edited("return dx, dgain, dbias", "print(dx, dgain, dbias)"),
            "printed instead of returned",
        ),
        (edited("return dx, dgain, dbias", "dx, dgain, dbias"), "no `return`"),
        (
            edited("return dx, dgain, dbias", "if dx is None:\n        return dx, dgain, dbias"),
            "does not reach",
        ),
        (
            edited("return dx, dgain, dbias", "return dx, dgain, dbiss"),
            "a name that is not defined",
        ),
        (
            edited("d = dy * gain", "d = (dy @ dy) @ (gain @ dy)"),
            "a matrix product whose inner sizes",
        ),
        (edited("(axis=-1, keepdims=True)", "(axis=-1)"), "loses the axis that it goes over"),
        (edited("(axis=-1, keepdims=True)", "(dim=-1, keepdim=True)"), "NumPy says axis="),
        (edited("d = dy * gain", "d = dy.unsqueeze(0) * gain"), "NumPy has no `unsqueeze`"),
        (
            edited("d = dy * gain", "d = np.einsum('...c,...c->c', dy, dy) * gain"),
            "does not sum over `...`",
        ),
    ],
)
def test_slips_that_any_code_may_have(body, said):
    assert said in check(body).failure.looks_like


def test_two_named_mistakes_at_once():
    # In two results.
    body = edited("dx, dgain, dbias", "dx, dgain / len(dy), dbias").replace("- mean_d -", "-")
    body = body.replace("dgain / len(dy)", "dgain * gain")
    failure = check(body).failure
    assert failure.mistake == "without_the_way_through_the_mean"
    assert failure.also == "dgain_with_the_gain"
    assert "two things at once" in failure.looks_like
    # In one: the effects on dx multiply.
    body = edited("dx = rstd * (d - mean_d - normalized", "dx = (d - mean_d + normalized")
    failure = check(body).failure
    assert {failure.mistake, failure.also} == {"rstd_left_out", "variance_added"}


def test_a_mistake_that_fits_only_where_it_fails_is_probable():
    def layer_norm_backward(dy, cache):
        normalized, rstd, gain = cache
        axis, rows = (0 if dy.ndim == 2 else -1), tuple(range(dy.ndim - 1))
        d = dy * gain
        means = d.mean(axis, keepdims=True), (d * normalized).mean(axis, keepdims=True)
        dx = rstd * (d - means[0] - normalized * means[1])
        return dx, (dy * normalized).sum(rows), dy.sum(rows)

    failure = checking.check_functions(KATA, {"layer_norm_backward": layer_norm_backward}).failure
    assert (failure.certainty, failure.mistake) == ("Probably", "means_over_the_batch")


def test_memory_that_was_never_written_is_seen():
    report = check(edited("return dx,", "dx = np.empty_like(dx)\n    return dx,"))
    assert report.failure.stage == "finite"
    assert np.empty.__module__ == "numpy"
    assert not hasattr(np.empty, "__wrapped__")
