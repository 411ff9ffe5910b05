"""Ways to continue in memory: what each does to the parameters, and what is refused."""

import numpy as np
import pytest

from minilm.errors import OptionError
from minilm.models.batches import ShuffledWindows
from minilm.nn.gpt import GPT, GPTConfig
from minilm.nn.parallel import Shards
from minilm.training import forgetting, loop, replay
from minilm.training.forgetting import Continuation
from minilm.training.settings import Care


@pytest.fixture
def model():
    return GPT(GPTConfig(40, 4, 8, 2, 2), rng=np.random.default_rng(0))


@pytest.fixture
def new():
    return ShuffledWindows(np.arange(80) % 20, 4, 3, seed=0)


@pytest.fixture
def old():
    ids = 20 + np.arange(80) % 20
    return [replay.drawn("old", ids, ids[:9], 4, seed=0)]


def train(stage, steps=5):
    with Shards(1) as shards:
        for step in range(steps):
            loop.train_step(
                stage.trained,
                stage.batches[step],
                stage.optimizer,
                learning_rate=0.01,
                shards=shards,
            )
    return stage.finish()


def twin(model):
    return GPT(model.config, parameters=model.parameters.extended({}))


def continuation(model, new, old, care):
    return Continuation(model, new, old, care, weight_decay=0.1, seed=0)


def test_without_care_it_is_plain_training(model, new):
    stage = continuation(model, new, (), Care())
    assert stage.trained is stage.gpt is model
    assert stage.batches is new


def test_averaging_ends_between_the_two(model, new):
    start = model.parameters.flat.copy()
    plain = train(continuation(twin(model), new, (), Care()))
    half = train(continuation(model, new, (), Care(average=0.25)))
    expected = 0.75 * plain.parameters.flat + 0.25 * start
    np.testing.assert_allclose(half.parameters.flat, expected, rtol=1e-5, atol=1e-7)


def test_lora_trains_thin_matrices_and_ends_in_the_model_itself(model, new):
    before = {name: value.copy() for name, value in model.parameters.items()}
    stage = continuation(model, new, (), Care(lora=2))
    assert stage.gpt.parameters.count_trainable() < model.parameters.count() / 2
    ids = new[0][0]
    with Shards(1) as shards:
        for step in range(5):
            loop.train_step(
                stage.trained,
                stage.batches[step],
                stage.optimizer,
                learning_rate=0.01,
                shards=shards,
            )
    adapted = stage.gpt.logits(ids)
    done = stage.finish()
    assert done is model
    assert done.adapter is None
    np.testing.assert_allclose(done.logits(ids), adapted, rtol=1e-4, atol=1e-5)
    changed = {n for n, value in before.items() if not np.array_equal(value, model.parameters[n])}
    blocks = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
    assert changed == {f"h.{k}.{block}.weight" for k in (0, 1) for block in blocks}


def test_ewc_moves_less_where_the_old_text_looks(model, new, old):
    fisher = forgetting.old_information(model, old, seed=0)
    assert fisher.shape == (model.parameters.count(),)
    assert (fisher >= 0).all()
    start = model.parameters.flat.copy()
    loose = twin(model)
    train(continuation(loose, new, old, Care()), 30)
    train(continuation(model, new, old, Care(ewc=1e4)), 30)

    def cost(parameters):
        return float(fisher @ (parameters.flat - start) ** 2)

    assert cost(model.parameters) < 0.5 * cost(loose.parameters)


def test_replay_keeps_the_old_text(model, new, old):
    windows = old[0].windows.astype(int)

    def loss(gpt):
        return gpt.loss(windows[:, :-1], windows[:, 1:])

    plain = train(
        continuation(twin(model), new, old, Care()),
        60,
    )
    replayed = train(continuation(model, new, old, Care(replay=1.0)), 60)
    assert loss(replayed) < loss(plain) - 0.5


def test_several_old_texts_weigh_the_same(model, old):
    one = forgetting.old_information(model, old, seed=0)
    two = forgetting.old_information(model, [*old, *old], seed=0)
    assert two.sum() == pytest.approx(2 * one.sum(), rel=0.5)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replay": -1}, "replay is -1"),
        ({"ewc": float("inf")}, "ewc is inf"),
        ({"average": 1}, "average is 1"),
        ({"lora": -2}, "lora is -2"),
        ({"lora": 2, "ewc": 1}, "use one of them"),
    ],
    ids=str,
)
def test_values_that_cannot_work(values, said):
    with pytest.raises(OptionError, match=said):
        Care(**values)


@pytest.mark.parametrize("care", [Care(replay=1.0), Care(ewc=1.0)])
def test_care_that_needs_old_text_says_so(model, new, care):
    assert care.needs_old_text
    with pytest.raises(OptionError, match="name the old text with --old-data"):
        continuation(model, new, (), care)


def test_the_mean_of_two_models_is_a_new_array():
    new, old = np.array([2.0, 8.0], np.float32), np.array([2.0, 4.0], np.float32)
    mean = forgetting.averaged(new, old, 0.25)
    assert mean.tolist() == [2.0, 7.0]
    assert mean.dtype == np.float32
    assert new.tolist() == [2.0, 8.0]
