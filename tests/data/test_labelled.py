"""Few labelled texts out of many: in proportion, nested, no class left out."""

import numpy as np

from minilm.data import labelled


def test_draws_are_stratified_nested_and_differ_by_seed():
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    large = labelled.draw(labels, 50, seed=1)
    assert np.bincount(labels[large]).tolist() == [30, 15, 5]
    small = labelled.draw(labels, 10, seed=1)
    assert set(small) < set(large)
    assert len(set(large)) == 50
    assert set(labelled.draw(labels, 10, seed=2)) != set(small)


def test_a_rare_class_is_never_left_out():
    labels = np.array([0] * 500 + [1] * 2)
    for seed in range(20):
        assert set(labels[labelled.draw(labels, 4, seed)]) == {0, 1}
