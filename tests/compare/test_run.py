"""Draws, conditions and runs: pure functions of their keys, with the properties they promise."""

from dataclasses import replace

import numpy as np
import pytest
from closeness import assert_close

from minilm.compare import classifiers, conditions, data, pretraining, transformer
from minilm.compare import run as runs
from minilm.compare.conditions import Condition
from minilm.compare.run import Grid, Key, Shared
from minilm.data import labelled
from minilm.embeddings import cooccurrence, svd
from minilm.errors import OptionError


@pytest.fixture(scope="module")
def main(shared):
    return next(iter(shared.data.values()))


def key(shared, name, budget, seed):
    """Return the key of a run on the main text, or on none."""
    task, corpus, words = next(iter(shared.data))
    text = (corpus, words) if shared.conditions[name].needs else ("", 0)
    return Key(task, *text, name, budget, seed)


def run(shared, name, budget=16, seed=0):
    outcome = runs.run(shared, key(shared, name, budget, seed))
    assert not outcome.error
    return outcome


def test_shuffling_keeps_lengths_and_frequencies(main):
    before = main.text.ids
    after = pretraining.shuffled(before, rng=np.random.default_rng(0))
    assert np.array_equal(before < 0, after < 0)
    assert np.array_equal(np.bincount(before[before >= 0]), np.bincount(after[after >= 0]))
    assert np.mean(before[before >= 0] == after[after >= 0]) < 0.1


def test_labels_only_counts_the_drawn_sentences_and_nothing_else(main):
    bare = replace(main, settings=replace(main.settings, dimensions=None))
    chosen = labelled.draw(bare.train.labels, 8, seed=0)
    vectors = classifiers.labels_only_vectors(bare, chosen)
    words = np.unique(np.concatenate([bare.train.ids[i] for i in chosen]))
    assert set(np.flatnonzero(np.abs(vectors).sum(axis=1))) == set(words)
    # The same from counts over the whole vocabulary: equal similarities.
    ids = np.concatenate([np.append(bare.train.ids[i], -1) for i in chosen])
    counts = cooccurrence.count(ids, bare.settings.window, len(bare.text.vocabulary))
    whole = svd.word_vectors(counts, dimensions=None, rng=np.random.default_rng(0))
    np.testing.assert_allclose(vectors @ vectors.T, whole @ whole.T, atol=1e-6)


def test_random_vectors_are_unit_rows_for_the_words_of_pretraining(main):
    drawn = classifiers.random_vectors(main, 5)
    assert drawn.shape == main.text.vectors.shape
    assert_close(np.linalg.norm(drawn, axis=1), 1, rtol=1e-5)
    assert np.array_equal(drawn, classifiers.random_vectors(main, 5))
    assert not np.array_equal(drawn, classifiers.random_vectors(main, 6))


@pytest.mark.parametrize("name", conditions.CONDITIONS)
def test_a_run_is_a_pure_function_of_its_key(shared, main, name):
    first, second = run(shared, name, seed=2), run(shared, name, seed=2)
    for domain in main.domains:
        assert np.array_equal(first.predicted[domain], second.predicted[domain])
    assert first.trainable_parameters == second.trainable_parameters
    assert first.flops == second.flops > 0


def test_trainable_parameters(shared, main):
    chosen = labelled.draw(main.train.labels, 16, seed=0)
    words = {word for i in chosen for word in main.train.tokens[i]}
    known = [word for word in words if word in main.text.vocabulary]

    def count(name):
        return run(shared, name).trainable_parameters

    assert count("cooccurrence") == count("random") == (10 + 1) * 2
    assert count("tfidf") == (len(words) + 1) * 2
    assert count("cooccurrence-finetuned") == (10 + 1) * 2 + 10 * len(known)
    assert count("transformer-probe") == count("transformer-random-frozen") == (16 + 1) * 2
    whole = main.text.made["model 0"].details["parameters"] + 16 * 2
    assert count("transformer-scratch") == count("transformer-finetuned") == whole
    assert 16 * 2 < count("transformer-lora") < whole / 2


def test_pretraining_helps_where_company_carries_the_label(shared, main):
    def mean(name):
        found = [run(shared, name, 8, seed) for seed in range(5)]
        return np.mean([outcome.accuracy(main, "task") for outcome in found])

    assert mean("cooccurrence") > 0.95
    assert mean("random") < 0.8
    assert mean("cooccurrence-shuffled") < 0.8
    assert mean("transformer-probe") > 0.9
    assert mean("transformer-random-frozen") < 0.8


@pytest.mark.parametrize(
    "name",
    [
        "tfidf",
        "cooccurrence",
        "cooccurrence-finetuned",
        "transformer-finetuned",
        "llama-finetuned",
    ],
)
def test_with_many_labels_every_condition_that_can_learns_the_small_world(shared, main, name):
    assert run(shared, name, 60).accuracy(main, "task") > 0.9


MANY_UPDATES = [
    "transformer-scratch",
    "transformer-finetuned",
    "transformer-lora",
    "transformer-lora-8",
    "transformer-last-n",
    "transformer-gradual",
    "llama-finetuned",
]


def test_a_transformer_from_scratch_has_at_least_the_updates_of_the_others(shared, monkeypatch):
    asked = []

    def note(config, base, texts, labels, *, classes, settings):
        asked.append(settings)
        raise RuntimeError("enough")

    monkeypatch.setattr(classifiers.finetune, "fit", note)
    for name in MANY_UPDATES:
        assert runs.run(shared, key(shared, name, 60, 0)).error == "RuntimeError: enough"
    scratch, *others = asked
    assert scratch.updates == classifiers.updates(60, classifiers.WAYS["scratch"]) == 80
    assert [one.updates for one in others] == [60] * 6
    assert [one.method for one in others] == ["full", "lora", "lora", "last-n", "gradual", "full"]


@pytest.mark.parametrize("words", [60, 4_000, 50_000])
@pytest.mark.parametrize(("width", "layers"), [(16, 1), (64, 2), (128, 4)])
def test_the_llama_has_as_many_parameters_and_another_architecture(words, width, layers):
    shape = transformer.TransformerSettings(n_embd=width, n_layer=layers)
    bodies = [transformer.random_body(one, 0) for one in (shape.config(words), shape.llama(words))]
    gpt, llama = (body.parameters.count() for body in bodies)
    assert llama == pytest.approx(gpt, rel=0.02)
    assert "wpe.weight" in bodies[0].parameters
    assert "model.layers.0.mlp.gate_proj.weight" in bodies[1].parameters


def test_the_llama_is_pretrained_in_the_same_steps(main):
    gpt, llama = (main.made(kind).details for kind in ("model", "llama"))
    assert llama["parameters"] == pytest.approx(gpt["parameters"], rel=0.02)
    assert [at[:2] for at in llama["loss"]] == [at[:2] for at in gpt["loss"]]
    assert gpt["flops"] < llama["flops"] < 1.2 * gpt["flops"]  # of biases and positions: matrices
    start, *_, end = (look[2] for look in llama["held_out"])
    assert end < start


def test_drawn_texts_without_a_known_word_give_zero_vectors(main):
    unknown = replace(main.train, ids=[np.array([], np.int32) for _ in main.train.ids])
    vectors = classifiers.labels_only_vectors(replace(main, train=unknown), np.arange(4))
    assert len(vectors) == len(main.text.vocabulary)
    assert not vectors.any()


def test_pretrainings_differ_and_share_their_initial_parameters_with_training_from_scratch(main):
    bodies = [replace(main, pretraining=number) for number in (0, 1)]
    for kind in ("model", "llama", "shuffled model", "shuffled vectors"):
        first, second = (next(iter(one.made(kind).arrays.values())) for one in bodies)
        assert not np.array_equal(first, second)
    assert bodies[0].made("vectors") is bodies[1].made("vectors")
    none = replace(main.settings.transformer, steps=0)
    for number, one in enumerate(bodies):
        body, _ = transformer.pretrain(main.text.ids, len(main.text.vocabulary), none, number)
        scratch = classifiers.random_body(one).parameters
        for name in scratch:
            if name != "wte.weight":  # which starts from co-occurrences
                assert np.array_equal(body.parameters[name], scratch[name])


def test_a_condition_without_a_text_is_run_once(settings):
    twice = replace(settings, pretrain_words=(500, None))
    places = {(m.task, m.text.corpus, m.text.words): m for m in data.prepare(twice, (8,))}
    shared = Shared(places, conditions.CONDITIONS)
    runs = list(shared.runs(Grid(("tfidf", "cooccurrence"), (8,), 2)))
    assert [one.condition for one in runs] == ["tfidf"] * 2 + ["cooccurrence"] * 4
    assert len(set(runs)) == 6
    assert {one.words for one in runs} == {0, *(words for _, _, words in places)}


def test_amounts_of_text_are_its_beginning_in_whole_documents(settings, shared, main):
    few, none = (
        data.prepare(replace(settings, pretrain_words=(most,)), (8,))[0] for most in (500, 3)
    )
    assert 490 < few.text.words <= 500
    first = few.text.vocabulary.decode(few.text.ids[:7])
    assert first == main.text.vocabulary.decode(main.text.ids[:7])
    # One document at least, however long it is.
    assert none.text.words == 7


def broken(data, seed, chosen):
    """A condition that goes wrong at some seeds."""
    if seed == 1:
        raise ValueError("no\nluck")
    return conditions.train_tfidf(data, seed, chosen)


def test_what_goes_wrong_in_a_run_is_its_outcome(shared):
    own = Shared(shared.data, {"broken": Condition("", (), "mine", broken)})
    fine, wrong = (runs.run(own, key(own, "broken", 8, seed)) for seed in (0, 1))
    assert not fine.error
    assert wrong.error == "ValueError: no luck"
    assert wrong.predicted == {}


def test_a_text_of_a_transfer_file_gives_its_test_part(main):
    assert len(main.domains["other"].labels) == 40


def test_files_with_other_labels_are_no_domain_of_a_task(settings, world, tmp_path):
    foreign = tmp_path / "stars.csv"
    foreign.write_text("text,label\n" + "gooda fillerab,five\nbada fillerab,one\n" * 3, "utf-8")
    several = replace(settings, transfers=(), others=(foreign, world / "other.csv"))
    assert list(data.prepare(several, (8,))[0].domains) == ["task", "other"]


def test_a_small_vocabulary_is_noted_and_a_wide_window_refused(settings):
    few = data.prepare(replace(settings, max_words=30), (8,))[0]
    assert len(few.text.vocabulary) == 30
    assert any("30 most frequent have vectors" in note for note in few.notes)
    with pytest.raises(OptionError, match="--window: 1001"):
        data.prepare(replace(settings, window=1001), (8,))


def test_test_texts_in_the_corpus_and_unknown_words_are_noted(settings, world, tmp_path):
    texts = [line.split(",")[0] for line in (world / "task.csv").read_text("utf-8").splitlines()]
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(texts[-20:]), encoding="utf-8")
    notes = data.prepare(replace(settings, corpora=((corpus,),)), (8,))[0].notes
    assert any(" test texts of task are in the corpus; " in note for note in notes)
    corpus.write_text("fillerab gooda nothing else", encoding="utf-8")
    notes = data.prepare(replace(settings, corpora=((corpus,),)), (8,))[0].notes
    assert any("of the words of the labelled texts (train)" in note for note in notes)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (Grid(("random",), (), 1), "each need one or more"),
        (Grid(("random",), (0, 8), 1), "each need one or more"),
        (Grid(("random",), (8,), 0), "each need one or more"),
        (Grid(("random",), (8,), 10**20), "at most 10,000"),
    ],
)
def test_a_grid_that_cannot_be(grid, message):
    with pytest.raises(OptionError, match=message):
        grid.check()
