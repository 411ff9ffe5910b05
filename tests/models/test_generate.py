"""Generation: the cache changes nothing, the rules of choice are what they say."""

import numpy as np
import pytest
from closeness import assert_close

from minilm.errors import OptionError, TrainingError
from minilm.models import generate
from minilm.models.generate import KeyValueCache, Sampling
from minilm.nn import functional as F
from minilm.nn.gpt import GPT, GPTConfig

CONFIG = GPTConfig(40, 12, 12, 3, 3, initializer_range=0.3)


@pytest.fixture
def model():
    return GPT(CONFIG, rng=np.random.default_rng(0), dtype=np.float64)


@pytest.mark.parametrize("cuts", [(12,), (1,) * 12, (5, 1, 1, 4, 1), (7, 5)])
def test_cached_logits_are_those_without_a_cache(model, cuts):
    ids = np.random.default_rng(1).integers(40, size=(2, 12))
    whole = model.logits(ids)
    cache = KeyValueCache(model, batch=2)
    for cut in cuts:
        logits = model.next_logits(ids[:, cache.length : cache.length + cut], cache)
        np.testing.assert_allclose(logits, whole[:, cache.length - 1], rtol=0, atol=1e-10)
    with pytest.raises(OptionError, match="13 tokens is longer than"):
        model.next_logits(ids[:, :1], cache)


def test_a_learners_operation_is_used(model, monkeypatch):
    calls = []
    monkeypatch.setattr(F, "attention", lambda *a, own=F.attention: calls.append(1) or own(*a))
    model.next_logits(np.array([[1, 2]]), KeyValueCache(model))
    assert len(calls) == CONFIG.n_layer


def uncached(model, ids, count, slide):
    """Take the likeliest token each time, from the whole context again."""
    held, made = list(ids), []
    if len(held) > 12:
        held = held[-6:]
    for _ in range(count):
        if len(held) > 12:
            held = held[-6:]
        made.append(int(model.logits(np.array([held]))[0, -1].argmax()))
        held.append(made[-1])
        if len(held) >= 12 and not slide:
            break
    return made


@pytest.mark.parametrize(
    ("prompt", "slide"), [(3, False), (3, True), (11, False), (12, True), (13, True), (40, True)]
)
def test_greedy_generation_is_the_slow_one(model, prompt, slide):
    ids = np.random.default_rng(2).integers(40, size=prompt).tolist()
    made = list(generate.generate(model, ids, 30, Sampling(0), slide=slide))
    assert [token.id for token in made] == uncached(model, ids, 30, slide)
    assert len(made) == (30 if slide else 12 - prompt)


@pytest.mark.parametrize("prompt", [12, 13])
def test_a_prompt_as_long_as_the_context_needs_sliding(model, prompt):
    with pytest.raises(OptionError, match=f"the prompt has {prompt} tokens, .* context is 12"):
        next(generate.generate(model, [0] * prompt, 5, Sampling(0)))


def test_a_context_of_one_token_slides_too():
    model = GPT(GPTConfig(9, 1, 4, 1, 1), rng=np.random.default_rng(0))
    assert len(list(generate.generate(model, [1], 5, Sampling(0), slide=True))) == 5


def test_generation_ends_at_the_stop_token(model):
    made = [token.id for token in generate.generate(model, [1], 8, Sampling(0))]
    stop = made[3]
    cut = list(generate.generate(model, [1], 8, Sampling(0), stop=stop))
    assert [token.id for token in cut] == made[: made.index(stop)]


def test_a_seed_gives_the_same_text_and_another_one_another(model):
    def sample(seed):
        rng = np.random.default_rng(seed)
        return [t.id for t in generate.generate(model, [1], 10, Sampling(1.5), rng=rng)]

    assert sample(3) == sample(3)
    assert sample(3) != sample(4)


def test_tokens_come_as_often_as_their_probability_says(model):
    rng = np.random.default_rng(0)
    drawn = [next(generate.generate(model, [1, 2], 1, Sampling(), rng=rng)) for _ in range(4000)]
    shares = np.bincount([token.id for token in drawn], minlength=40) / len(drawn)
    expected = F.softmax(model.logits(np.array([[1, 2]]))[0, -1])[0]
    assert_close(drawn[0].probabilities, expected, rtol=1e-12)
    # Four standard deviations of each share.
    assert (np.abs(shares - expected) <= 4 * np.sqrt(expected * (1 - expected) / 4000) + 1e-9).all()


def test_the_rules_of_choice():
    logits = np.log([0.1, 0.4, 0.2, 0.3])
    assert Sampling(0).probabilities(logits).tolist() == [0, 1, 0, 0]
    assert_close(Sampling(0.5).probabilities(logits), np.square([1, 4, 2, 3]) / 30, rtol=1e-12)
    assert_close(Sampling(top_k=2).probabilities(logits), [0, 4 / 7, 0, 3 / 7], rtol=1e-12)
    assert Sampling(top_k=9).probabilities(logits).argmin() == 0
    assert_close(Sampling(top_p=0.75).probabilities(logits), [0, 4 / 9, 2 / 9, 3 / 9], rtol=1e-12)
    assert Sampling(top_p=1e-9).probabilities(logits).tolist() == [0, 1, 0, 0]
    # Scores in float32 and far from zero.
    wide = Sampling().probabilities(np.array([1e4, 1e4, -1e4], np.float32))
    assert wide.tolist() == [0.5, 0.5, 0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperature": -1}, "temperature -1"),
        ({"temperature": float("nan")}, "temperature nan"),
        ({"top_k": 0}, "top-k 0"),
        ({"top_p": 0.0}, "top-p 0.0"),
        ({"top_p": 1.5}, "top-p 1.5"),
    ],
)
def test_values_that_cannot_work(values, message):
    with pytest.raises(OptionError, match=message):
        Sampling(**values)


def test_what_is_missing_is_said(model):
    with pytest.raises(OptionError, match="give a prompt"):
        next(generate.generate(model, [], 1, Sampling(0)))
    with pytest.raises(OptionError, match="needs rng"):
        next(generate.generate(model, [1], 1, Sampling()))


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_broken_model_is_named(model):
    model.parameters["h.1.mlp.c_fc.weight"][2, 3] = np.nan
    with pytest.raises(TrainingError, match=r"h\.1\.mlp\.c_fc\.weight\[2, 3\] is nan"):
        next(generate.generate(model, [1], 1, Sampling(0)))
