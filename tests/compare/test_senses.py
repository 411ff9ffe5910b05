"""Two senses of a word, and the two dimensions that they are looked at in."""

from dataclasses import replace

import numpy as np
import pytest
from closeness import assert_close

from minilm.compare import classifiers, data, pretraining, probes, transformer
from minilm.compare.data import CompareSettings
from minilm.compare.probes import Axes

PROBES = {"two_senses": [{"word": "bank", "senses": [["river", "reeds"], ["money", "loan"]]}]}


@pytest.fixture(scope="module")
def banks(world, tmp_path_factory):
    """A text in which "bank" stands in two kinds of company, and what pretraining makes of it."""
    folder = tmp_path_factory.mktemp("senses")
    rng = np.random.default_rng(0)
    kinds = (["river", "reeds", "otter", "boat"], ["money", "loan", "teller", "coin"])
    lines = (world / "corpus.txt").read_text(encoding="utf-8").splitlines()
    for i in range(600):
        near = rng.permutation(kinds[i % 2])
        lines.append(" ".join([*near[:3], "bank", *rng.permutation(kinds[i % 2])]))
    (folder / "corpus.txt").write_text("\n".join(lines), encoding="utf-8")
    settings = CompareSettings(
        world / "task.csv",
        ((folder / "corpus.txt",),),
        transformer=transformer.TransformerSettings(
            n_embd=16, n_layer=1, n_positions=16, steps=150, batch=8, learning_rate=1e-2
        ),
    )
    (main,) = data.prepare(settings, (8,))
    main.text.made["model 0"] = pretraining.make(main.text, settings, "model")
    return main


def test_the_transformer_parts_what_a_fixed_vector_cannot(banks):
    (found,) = probes.measure_senses(banks.text, classifiers.pretrained_body(banks), PROBES)
    assert found["word"] == "bank"
    assert found["contextual"]["accuracy"] > 0.9
    assert found["contextual"]["within"] > 0.5 > -0.5 > found["contextual"]["between"]
    assert found["static"] == {"within": 0.0, "between": 0.0, "accuracy": 0.5}
    assert len(found["points"]) == 80
    for point in found["points"]:
        words = point["sentence"].split()
        assert words[-1] == "bank"
        # What is to come does not tell: the model has not read it.
        assert bool(set(words) & {"river", "reeds"}) == (point["sense"] == 0)


def test_a_random_transformer_knows_less_of_it(banks):
    config = classifiers.pretrained_body(banks).config
    apart = []
    for seed in range(5):
        body = transformer.random_body(config, seed)
        (found,) = probes.measure_senses(banks.text, body, PROBES)
        apart.append(found["contextual"]["within"] - found["contextual"]["between"])
    trained = probes.measure_senses(banks.text, classifiers.pretrained_body(banks), PROBES)[0][
        "contextual"
    ]
    # In texts as short as these, a random transformer's states carry the words before it too.
    learned = trained["within"] - trained["between"]
    assert max(apart) < learned
    assert np.mean(apart) < 0.8 * learned


def test_words_without_both_senses_are_left_out(banks):
    body = classifiers.pretrained_body(banks)
    asked = {
        "two_senses": [
            {"word": "bank", "senses": [["river"], ["snow"]]},
            {"word": "unheard", "senses": [["river"], ["money"]]},
        ]
    }
    assert probes.measure_senses(banks.text, body, asked) == []


def test_occurrences_end_at_the_word_and_begin_with_its_document(banks):
    word = banks.text.vocabulary.index["bank"]
    small = replace(banks.text, ids=np.array([5, word, -1, 6, 7, word, 8, word, -1]))
    found = list(probes._occurrences(small.ids, word, longest=3))
    assert found == [[5, word], [6, 7, word], [word, 8, word]]


def test_axes_keep_distances_as_the_exact_decomposition_does():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((20, 5)) * [5, 3, 0.1, 0.1, 0.1]
    points = Axes.of(rows).place(rows)
    values = np.linalg.eigvalsh(np.cov(rows.T))[::-1]
    assert_close(points.var(axis=0, ddof=1), values[:2], rtol=1e-9)
    assert np.all(points.max(axis=0) == np.abs(points).max(axis=0))
    np.testing.assert_allclose(points, Axes.of(rows + 7).place(rows + 7), atol=1e-9)
    # Other rows are placed on the same axes.
    assert_close(Axes.of(rows).place(rows[3:5]), points[3:5])
