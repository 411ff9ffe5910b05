"""A condition of your own, as the README shows it."""

import re
from pathlib import Path

import pytest

from minilm.compare import comparison

README = Path(__file__).parents[2] / "README.md"
[SNIPPET] = re.findall(r"```python\n(from pathlib.*?)```", README.read_text("utf-8"), re.S)


@pytest.mark.usefixtures("undrawn")
def test_the_readmes_condition_joins_the_table(world, tmp_path, monkeypatch):
    names = {
        "corpora/movie_reviews.csv": world / "task.csv",
        "corpora/general.txt": world / "corpus.txt",
        "runs/centroid": tmp_path / "run",
    }
    code = SNIPPET
    for name, path in names.items():
        assert f'Path("{name}")' in code
        code = code.replace(f'Path("{name}")', f"Path({str(path)!r})")
    results = []
    compare = comparison.compare
    monkeypatch.setattr(comparison, "compare", lambda *a, **k: results.append(compare(*a, **k)))
    exec(compile(code, "README.md", "exec"), {})
    found = results[0].summary
    (cell,) = [c for c in found["conditions"] if c["condition"] == "centroid"]
    assert cell["budget"] == 16  # there are no 64 examples
    assert cell["mean"] > 0.9
    columns = 76  # one a word, of at most a hundred
    assert cell["trainable_parameters"] == 2 * columns
    pairs = {(d["condition"], d["baseline"]) for d in found["differences"]}
    assert pairs == {("centroid", "cooccurrence")}
