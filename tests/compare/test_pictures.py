"""Probes and pictures: what is measured for them, and that they show what is in the tables."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from minilm.compare import conditions, material, plots, probes
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


SUMMARY = {
    "domains": ["films", "products"],
    "task": "films",
    "names": ["random", "cooccurrence"],
    "budgets": [16, 64],
    "chance": {"films": 0.5, "products": 0.55},
    "conditions": [
        {
            "condition": name,
            "budget": budget,
            "domain": domain,
            "mean": 0.5 + shift,
            "low": 0.45 + shift,
            "high": 0.58 + shift,
        }
        for domain in ("films", "products")
        for name, gain in (("random", 0), ("cooccurrence", 0.1))
        for budget, more in ((16, 0), (64, 0.05))
        for shift in (gain + more,)
    ],
}


def test_learning_curves_show_means_with_both_ends_of_their_intervals():
    figure = Figure()
    plots._learning_curves(figure, SUMMARY)
    (axes,) = figure.axes
    curve = axes.containers[1]
    np.testing.assert_allclose(np.asarray(curve.lines[0].get_ydata(), float), [0.6, 0.65])
    ends = [segment[:, 1] for segment in curve.lines[2][0].get_segments()]
    np.testing.assert_allclose(np.array(ends, float), [[0.55, 0.68], [0.60, 0.73]])
    assert axes.get_xlabel() == "labelled examples"
    assert "accuracy" in axes.get_ylabel()


def test_pictures_are_those_that_the_tables_allow(tmp_path):
    nothing = {"similarity": [], "map": []}
    assert plots.draw_all(tmp_path, SUMMARY, nothing) == [
        "accuracy.png",
        "learning_curves.png",
        "transfer.png",
    ]
    alone = SUMMARY | {"domains": ["films"]}
    something = {
        "similarity": [
            {"vectors": "random", "group": "colors", "within": 0.1, "between": 0.0},
            {"vectors": "random", "group": "tools", "within": 0.2, "between": 0.0},
        ],
        "map": [{"word": "red", "group": "colors", "x": 0.0, "y": 1.0}],
    }
    drawn = plots.draw_all(tmp_path, alone, something)
    assert drawn == ["accuracy.png", "learning_curves.png", "similarity.png", "word_map.png"]
    assert {name.removesuffix(".png") for name in drawn} <= set(plots.PICTURES)


def test_every_condition_has_a_look_of_its_own():
    assert set(plots._LOOK) == set(conditions.CONDITIONS)
    assert len(set(plots._LOOK.values())) == len(plots._LOOK)
