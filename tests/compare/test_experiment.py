"""Draws, conditions and runs: pure functions of their keys, with the properties they promise."""

from dataclasses import replace

import numpy as np
import pytest

from minilm.compare import conditions, executors, experiment, material
from minilm.compare.experiment import Grid, Key
from minilm.embeddings import cooccurrence, factorise
from minilm.errors import OptionError


@pytest.fixture(scope="module")
def shared(settings, grid):
    return material.prepare(settings, grid.budgets)


def test_draws_are_stratified_nested_and_differ_by_seed():
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    large = experiment.draw(labels, 50, seed=1)
    assert np.bincount(labels[large]).tolist() == [30, 15, 5]
    small = experiment.draw(labels, 10, seed=1)
    assert set(small) < set(large)
    assert len(set(large)) == 50
    assert set(experiment.draw(labels, 10, seed=2)) != set(small)


def test_a_rare_class_is_never_left_out():
    labels = np.array([0] * 500 + [1] * 2)
    for seed in range(20):
        assert set(labels[experiment.draw(labels, 4, seed)]) == {0, 1}


def test_shuffling_keeps_lengths_and_frequencies(shared, monkeypatch):
    seen = {}
    monkeypatch.setattr(
        conditions, "count_vectors", lambda settings, ids, size: seen.setdefault("ids", ids)
    )
    conditions.shuffled_vectors.__wrapped__(shared, 0)
    before, after = shared.corpus_ids, seen["ids"]
    assert np.array_equal(before < 0, after < 0)
    assert np.array_equal(np.bincount(before[before >= 0]), np.bincount(after[after >= 0]))
    assert np.mean(before[before >= 0] == after[after >= 0]) < 0.1


def test_labels_only_counts_the_drawn_sentences_and_nothing_else(shared):
    shared = replace(shared, settings=replace(shared.settings, dimensions=None))
    chosen = experiment.draw(shared.train.labels, 8, seed=0)
    vectors = conditions.labels_only_vectors(shared, chosen)
    words = np.unique(np.concatenate([shared.train.ids[i] for i in chosen]))
    assert set(np.flatnonzero(np.abs(vectors).sum(axis=1))) == set(words)
    # The same from counts over the whole vocabulary: equal similarities.
    ids = np.concatenate([np.append(shared.train.ids[i], -1) for i in chosen])
    counts = cooccurrence.count(ids, shared.settings.window, len(shared.vocabulary))
    whole = factorise.word_vectors(counts, dimensions=None, rng=np.random.default_rng(0))
    np.testing.assert_allclose(vectors @ vectors.T, whole @ whole.T, atol=1e-6)


def test_random_vectors_are_unit_rows_for_the_words_of_pretraining(shared):
    drawn = conditions.random_vectors(shared, 5)
    assert drawn.shape == shared.vectors.shape
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1, rtol=1e-5)
    assert np.array_equal(drawn, conditions.random_vectors(shared, 5))
    assert not np.array_equal(drawn, conditions.random_vectors(shared, 6))


@pytest.mark.parametrize("name", conditions.CONDITIONS)
def test_a_run_is_a_pure_function_of_its_key(shared, name):
    key = Key(name, 16, 2)
    first, second = experiment.run(shared, key), experiment.run(shared, key)
    for domain in shared.domains:
        assert np.array_equal(first.predicted[domain], second.predicted[domain])
    assert first.trainable_parameters == second.trainable_parameters


def test_trainable_parameters(shared):
    def count(name):
        return experiment.run(shared, Key(name, 16, 0)).trainable_parameters

    chosen = experiment.draw(shared.train.labels, 16, seed=0)
    words = {word for i in chosen for word in shared.train.tokens[i]}
    known = [word for word in words if word in shared.vocabulary]
    assert count("cooccurrence") == count("random") == (10 + 1) * 2
    assert count("tfidf") == (len(words) + 1) * 2
    assert count("cooccurrence-finetuned") == (10 + 1) * 2 + 10 * len(known)


def test_pretraining_helps_where_company_carries_the_label(shared):
    domain = "task"

    def mean(name):
        keys = [Key(name, 8, seed) for seed in range(5)]
        return np.mean([experiment.run(shared, key).accuracy(shared, domain) for key in keys])

    assert mean("cooccurrence") > 0.95
    assert mean("random") < 0.8
    assert mean("cooccurrence-shuffled") < 0.8


@pytest.mark.parametrize("name", ["tfidf", "cooccurrence", "cooccurrence-finetuned"])
def test_with_many_labels_every_condition_that_can_learns_the_small_world(shared, name):
    assert experiment.run(shared, Key(name, 60, 0)).accuracy(shared, "task") > 0.9


def test_drawn_texts_without_a_known_word_give_zero_vectors(shared):
    unknown = replace(shared.train, ids=[np.array([], np.int32) for _ in shared.train.ids])
    bare = replace(shared, train=unknown)
    vectors = conditions.labels_only_vectors(bare, np.arange(4))
    assert vectors.shape == shared.vectors.shape
    assert not vectors.any()


def test_each_seed_shuffles_anew(shared):
    first, second = (conditions.shuffled_vectors(shared, seed) for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_outcomes_are_paired_by_seed_whatever_order_they_came_in(shared):
    outcomes = [experiment.run(shared, Key("random", 8, seed)) for seed in (2, 0, 1)]
    rows = experiment.correct(shared, outcomes, "task")["random", 8]
    in_order = [outcomes[i].predicted["task"] == shared.domains["task"].labels for i in (1, 2, 0)]
    assert np.array_equal(rows, np.stack(in_order))


def test_settings_reach_what_they_are_about(settings, world):
    words = len(material.prepare(settings, (8,)).vocabulary)
    assert len(material.prepare(replace(settings, min_count=75), (8,)).vocabulary) < words
    few = material.prepare(replace(settings, max_words=30), (8,))
    assert len(few.vocabulary) == 30
    assert any("30 most frequent have vectors" in note for note in few.notes)
    with pytest.raises(OptionError, match="--window: 1001"):
        material.prepare(replace(settings, window=1001), (8,))


def test_a_transfer_file_gives_its_test_part(shared):
    assert len(shared.domains["other"].labels) == 40


def test_test_texts_in_the_corpus_and_unknown_words_are_noted(settings, world, tmp_path):
    texts = [line.split(",")[0] for line in (world / "task.csv").read_text("utf-8").splitlines()]
    (tmp_path / "corpus.txt").write_text("\n".join(texts[-20:]), encoding="utf-8")
    notes = material.prepare(replace(settings, corpus=(tmp_path / "corpus.txt",)), (8,)).notes
    assert any(note.startswith("20 documents of the corpus are test texts") for note in notes)
    (tmp_path / "corpus.txt").write_text("fillerab gooda nothing else", encoding="utf-8")
    notes = material.prepare(replace(settings, corpus=(tmp_path / "corpus.txt",)), (8,)).notes
    assert any("of the words of the labelled texts (train)" in note for note in notes)


def test_workers_do_not_change_the_numbers(shared, grid):
    alone = {o.key: o for o in executors.run_all(shared, grid.runs(), workers=1)}
    pooled = {o.key: o for o in executors.run_all(shared, grid.runs(), workers=2)}
    assert set(alone) == set(pooled) == set(grid.runs())
    for key, outcome in alone.items():
        for domain, predicted in outcome.predicted.items():
            assert np.array_equal(predicted, pooled[key].predicted[domain])


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (Grid(("randm",), (8,), 1), "'randm' is not one of tfidf, random"),
        (Grid(("random",), (), 1), "each need one or more"),
        (Grid(("random",), (0, 8), 1), "each need one or more"),
        (Grid(("random",), (8,), 0), "each need one or more"),
        (Grid(("random",), (8,), 10**20), "at most 10,000"),
    ],
)
def test_a_grid_that_cannot_be(grid, message):
    with pytest.raises(OptionError, match=message):
        grid.check()
