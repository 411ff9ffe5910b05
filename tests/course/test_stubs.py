"""The stub and the solution of a kata are files; a solution may be the library's own function."""

from pathlib import Path

import pytest

from minilm.course import catalog, loading, stubs

FILE = Path("stub_under_test.py")


def test_a_solution_that_is_a_file_is_read():
    kata = catalog.find("4.6")
    assert stubs.has_own_solution(kata)
    assert stubs.solution(kata) == (kata.folder / "solution.py").read_text(encoding="utf-8")


def test_without_a_file_the_librarys_function_is_in_the_stub():
    kata = catalog.find("3.2")
    assert not stubs.has_own_solution(kata)
    solution = stubs.solution(kata)
    assert "self.classes_ = np.unique(y)" in solution
    assert "not written yet" not in solution
    assert solution.startswith(stubs.stub(kata)[:100])
    mine = loading.load(kata, solution, FILE)["NearestCentroid"]
    assert mine.__module__.startswith("mykatas")
    with pytest.raises(NotImplementedError, match="not written yet"):
        loading.load(kata, stubs.stub(kata), FILE)["NearestCentroid"]().fit(None, None)
