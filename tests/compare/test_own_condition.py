"""A condition of one's own, as the README shows it."""

import pytest

from minilm.compare import comparison

# The lines of the README; here with other files.
SNIPPET = """
from pathlib import Path
from minilm.classify.centroid import NearestCentroid
from minilm.compare import classifiers, comparison, conditions, experiment, material
from minilm.embeddings import documents

def train(data, seed, chosen):
    mean = lambda examples: documents.mean_vectors(examples.ids, data.text.vectors)
    model = NearestCentroid().fit(mean(data.train)[chosen], data.train.labels[chosen])
    return classifiers.Classifier(lambda new: model.predict(mean(new)), model.centroids_.size)

mine = conditions.Condition("nearest mean", ("cooccurrence",), "mine", train, needs=("vectors",))
data = material.Settings(Path("movie_reviews.csv"), ((Path("general.txt"),),))
grid = experiment.Grid(("cooccurrence", "centroid"), budgets=(16, 64), seeds=5)
comparison.compare(data, grid, Path("runs/centroid"), own={"centroid": mine})
"""


@pytest.mark.usefixtures("undrawn")
def test_the_readmes_condition_joins_the_table(world, tmp_path, monkeypatch):
    names = {
        "movie_reviews.csv": world / "task.csv",
        "general.txt": world / "corpus.txt",
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
