"""Probes: what is measured of word vectors without labels."""

import numpy as np
import pytest

from minilm.compare import material, probes
from minilm.compare.material import Settings


@pytest.fixture(scope="module")
def shared(world, tmp_path_factory):
    """The small world, with words of three probe groups that keep their own company."""
    folder = tmp_path_factory.mktemp("probes")
    rng = np.random.default_rng(0)
    kinds = {
        "colors": ["red", "blue", "green", "yellow"],
        "tools": ["hammer", "drill", "saw", "axe"],
        "family": ["mother", "father", "sister", "brother"],
    }
    lines = (world / "corpus.txt").read_text(encoding="utf-8").splitlines()
    for name, words in kinds.items():
        for _ in range(200):
            lines.append(" ".join(rng.choice([*words, f"{name}x", f"{name}y", f"{name}z"], 6)))
    (folder / "corpus.txt").write_text("\n".join(lines), encoding="utf-8")
    settings = Settings(world / "task.csv", (folder / "corpus.txt",), dimensions=10)
    return material.prepare(settings, (8,))


def test_groups_are_alike_within_in_pretrained_vectors_and_not_in_random_ones(shared):
    found = probes.measure(shared, ("random", "cooccurrence"))
    assert {row["vectors"] for row in found["similarity"]} == {"random", "cooccurrence"}
    for row in found["similarity"]:
        apart = row["within"] - row["between"]
        assert apart > 0.5 if row["vectors"] == "cooccurrence" else abs(apart) < 0.5
    # Between: over the pairs with words of the other groups, from the vectors themselves.
    red = shared.vectors[shared.vocabulary.encode(["red", "blue", "green", "yellow"])]
    others = [["hammer", "drill", "saw", "axe"], ["mother", "father", "sister", "brother"]]
    means = [np.mean(red @ shared.vectors[shared.vocabulary.encode(o)].T) for o in others]
    colors = next(
        row
        for row in found["similarity"]
        if (row["vectors"], row["group"]) == ("cooccurrence", "colors")
    )
    assert colors["between"] == pytest.approx(np.mean(means), abs=1e-5)


def test_the_map_holds_the_words_of_its_groups(shared):
    points = probes.measure(shared, ("random",))["map"]
    assert {point["group"] for point in points} == {"colors", "tools", "family"}
    assert len(points) == 12


def test_principal_components_keep_distances_as_the_exact_svd_does():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((20, 5)) * [5, 3, 0.1, 0.1, 0.1]
    points = probes.principal_components(rows)
    values = np.linalg.eigvalsh(np.cov(rows.T))[::-1]
    np.testing.assert_allclose(points.var(axis=0, ddof=1), values[:2], rtol=1e-9)
    assert np.all(points.max(axis=0) == np.abs(points).max(axis=0))
    np.testing.assert_allclose(points, probes.principal_components(rows + 7), atol=1e-9)
