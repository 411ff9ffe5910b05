"""The line of a learner's file that a result comes from."""

from pathlib import Path

import pytest

from minilm.course import locate

FUNCTION = """\
def helper(x):
    return x

def f(x):
    a = x
    a = a + 1
    if x:
        return None
    b = helper(x)
    b *= 2
    return a, b, x + 3
"""
CLASS = """\
class Model:
    def fit(self, x):
        self.means_ = x
        return self

    def predict(self, x):
        return x
"""


def test_results_of_a_function():
    lines = [locate.line_of(FUNCTION, "f", name, i, 3) for i, name in enumerate("abc")]
    assert lines == [6, 10, 11]
    assert locate.line_of(FUNCTION, "f") == 11
    assert locate.line_of(FUNCTION, "f", "a", 0, 2) == 11
    assert locate.line_of(FUNCTION, "g") is None
    assert locate.line_of("def f(:", "f") is None
    assert locate.line_of("def f(x):\n    pass", "f", "y", 0, 1) == 1


def test_results_of_a_class():
    assert locate.line_of(CLASS, "Model", "means") == 3
    assert locate.line_of(CLASS, "Model", "predicted", 1, 2) == 7
    assert locate.definition(CLASS, "Model") == 1


def test_the_line_of_an_error_is_the_innermost_one_of_the_file():
    path = Path("learner.py")
    source = "def g():\n    return [][1]\n\ndef f():\n    return g()\n"
    names = {}
    exec(compile(source, str(path), "exec"), names)
    with pytest.raises(IndexError) as caught:
        names["f"]()
    assert locate.line_of_error(caught.value, path) == 2
    assert locate.line_of_error(caught.value, Path("other.py")) is None
