"""Probes: what is measured of word vectors without labels."""

import numpy as np
import pytest

from minilm.compare import data, pretraining, probes
from minilm.compare.data import CompareSettings


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
    settings = CompareSettings(world / "task.csv", ((folder / "corpus.txt",),), dimensions=10)
    (main,) = data.prepare(settings, (8,))
    main.text.made["vectors"] = pretraining.make(main.text, settings, "vectors")
    return main


def test_groups_are_alike_within_in_pretrained_vectors_and_not_in_random_ones(shared):
    found = probes.measure(shared, ("random", "cooccurrence"), (8,))
    assert {row["vectors"] for row in found["similarity"]} == {"random", "cooccurrence"}
    for row in found["similarity"]:
        apart = row["within"] - row["between"]
        assert apart > 0.5 if row["vectors"] == "cooccurrence" else abs(apart) < 0.5
    # Between: over the pairs with words of the other groups, from the vectors themselves.
    red = shared.text.vectors[shared.text.vocabulary.encode(["red", "blue", "green", "yellow"])]
    others = [["hammer", "drill", "saw", "axe"], ["mother", "father", "sister", "brother"]]
    means = [np.mean(red @ shared.text.vectors[shared.text.vocabulary.encode(o)].T) for o in others]
    colors = next(
        row
        for row in found["similarity"]
        if (row["vectors"], row["group"]) == ("cooccurrence", "colors")
    )
    assert colors["between"] == pytest.approx(np.mean(means), abs=1e-5)


def test_the_map_holds_the_words_of_its_groups(shared):
    points = probes.measure(shared, ("random",), (8,))["map"]
    assert {point["group"] for point in points} == {"colors", "tools", "family"}
    assert len(points) == 12


def test_words_that_labels_never_show_stay_where_they_are_on_the_map(shared):
    found = probes.measure(shared, ("cooccurrence-finetuned",), (8,))
    before, after = found["map"], found["map_finetuned"]
    assert [point["word"] for point in before] == [point["word"] for point in after]
    for one, other in zip(before, after, strict=True):
        assert (one["x"], one["y"]) == pytest.approx((other["x"], other["y"]), abs=1e-5)


def test_words_of_the_labelled_texts_move_on_the_map(shared, monkeypatch):
    probe = {"groups": {"good": ["gooda", "goodb", "goodc"], "bad": ["bada", "badb", "badc"]}}
    monkeypatch.setattr(probes, "read", lambda folder: {**probe, "map": [], "two_senses": []})
    found = probes.measure(shared, ("cooccurrence-finetuned",), (60,))
    moved = [
        abs(one["x"] - other["x"]) + abs(one["y"] - other["y"])
        for one, other in zip(found["map"], found["map_finetuned"], strict=True)
    ]
    assert max(moved) > 1e-4
