"""What several tests of the course need."""

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture
def promises(tmp_path, monkeypatch, capsys):
    """The tests of `test_every_kata.py`, each as a function of a kata."""
    name = "promises_of_katas"
    path = Path(__file__).with_name("test_every_kata.py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    whole = [
        value
        for value in vars(module).values()
        if callable(value)
        and any(m.name == "parametrize" for m in getattr(value, "pytestmark", ()))
    ]
    assert len(whole) > 6
    quotes = module.test_the_page_quotes_what_the_demo_prints
    # Mutations that change nothing are listed for shipped katas only.
    apart = (quotes, module.test_no_mutation_of_the_solution_passes_unless_it_changes_nothing)
    others = [test for test in whole if test not in apart]
    return [*others, lambda kata: quotes(kata, tmp_path, monkeypatch, capsys)]
