"""What a function needs around it, as text."""

import linecache

import numpy as np

from minilm.course import setting
from minilm.nn import functional as F


def defined(source, names, file="cell.py"):
    """Run a source as a cell of a notebook, with names that other cells defined."""
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    exec(compile(source, file, "exec"), names)
    return names


def values_of(text):
    names = {}
    exec(text, names)
    return names


def test_imports_and_constants_of_other_cells_come_with_it():
    names = {"np": np, "softmax": F.softmax, "half": 0.5, "parts": ["a", "b"], "x": np.ones(3)}
    source = "def f(a):\n    return softmax(np.asarray(a))[0] * half, parts\n"
    text = setting.of(defined(source, names)["f"], source)
    made = values_of(text)
    assert made["half"] == 0.5
    assert made["parts"] == ["a", "b"]
    assert made["softmax"] is F.softmax
    assert "x" not in made
    np.testing.assert_array_equal(made["f"]([1.0, 1.0])[0], [0.25, 0.25])


def test_functions_of_other_cells_come_with_what_they_use():
    names = defined("def helper(a):\n    return a + more\n", {"__name__": "__main__", "more": 2})
    names["plus"] = names["helper"]
    source = "def f(a):\n    return helper(a) + plus(a)\n"
    text = setting.of(defined(source, names, "second.py")["f"], source)
    assert values_of(text)["f"](1) == 6


def test_calls_of_the_file_are_not_repeated():
    source = "LOG = []\nalias = len\nlog = print('here')\ndef f():\n    return alias(LOG)\nf()\n"
    text = setting.of(defined(source, {})["f"], source)
    assert "here" not in text
    assert values_of(text)["f"]() == 0


def test_a_class_sees_what_its_methods_see():
    source = "class A:\n    def f(self):\n        return np.ones(many)\n"
    text = setting.of(defined(source, {"np": np, "many": 3})["A"], source)
    assert values_of(text)["A"]().f().sum() == 3


def test_what_does_not_parse_has_none():
    assert setting.of(len, "def f(:") is None
