"""Fine-tuning in memory: what each method trains, repeatability, rates by layer, what cannot be."""

import math

import numpy as np
import pytest

from minilm.errors import OptionError, TrainingError
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT, initial_parameters
from minilm.nn.heads import SequenceClassifier
from minilm.nn.optim import AdamW
from minilm.store.huggingface import SCORE
from minilm.training import finetune, unfreezing
from minilm.training.given import METHODS
from minilm.training.settings import FINETUNE_RATES, FinetuneSettings

CONFIG = GPTConfig(50, 16, 12, 3, 3)
BODY = sum(
    math.prod(s) for s in initial_parameters(CONFIG, rng=np.random.default_rng(0)).shapes.values()
)


def task(count=48):
    """Texts with token 3 in them, and texts without."""
    rng = np.random.default_rng(1)
    labels = np.arange(count) % 2
    texts = []
    for label in labels:
        ids = rng.integers(4, 50, size=rng.integers(2, 16))
        if label:
            ids[rng.integers(len(ids))] = 3
        texts.append(ids.tolist())
    return texts, labels


TEXTS, LABELS = task()


@pytest.fixture(scope="module")
def base():
    return initial_parameters(CONFIG, rng=np.random.default_rng(0))


def fit(base, **settings):
    chosen = FinetuneSettings(**{"updates": 6, "batch": 8, **settings})
    return finetune.fit(CONFIG, base, TEXTS, LABELS, classes=2, settings=chosen)


def changed(fitted, base):
    parameters = fitted.model.parameters
    return {name for name in base if not np.array_equal(parameters[name], base[name])}


@pytest.mark.parametrize(
    ("method", "patterns"),
    [
        ("full", ["wte", "wpe", "h.0.", "h.1.", "h.2.", "ln_f"]),
        ("probe", []),
        ("lora", []),
        ("last-n", ["h.1.", "h.2.", "ln_f"]),
        ("gradual", ["wte", "wpe", "h.0.", "h.1.", "h.2.", "ln_f"]),
    ],
)
def test_each_method_changes_its_own_names_and_the_base_never(base, method, patterns):
    before = base.flat.copy()
    fitted = fit(base, method=method, layers=2)
    np.testing.assert_array_equal(base.flat, before)
    expected = {name for name in base if name.startswith(tuple(patterns))} if patterns else set()
    assert changed(fitted, base) == expected
    assert fitted.model.parameters[SCORE].any()


def test_the_same_seed_gives_the_same_bits_and_another_other_ones(base):
    for method in METHODS:
        once, twice = (fit(base, method=method, lm_weight=0.3 * (method != "probe")) for _ in "12")
        np.testing.assert_array_equal(once.model.parameters.flat, twice.model.parameters.flat)
        other = fit(base, method=method, seed=1)
        assert not np.array_equal(once.model.parameters.flat, other.model.parameters.flat)


def test_threads_differ_in_rounding_only(base):
    one, two = (fit(base, threads=n, lm_weight=0.5, dropout=0.0) for n in (1, 2))
    np.testing.assert_allclose(
        one.model.parameters.flat, two.model.parameters.flat, atol=1e-5, rtol=1e-3
    )
    assert [row.loss for row in one.rows] == pytest.approx([row.loss for row in two.rows], abs=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns(base, method):
    rates = {"probe": 0.3, "lora": 0.02, "last-n": 0.02}
    fitted = fit(
        base,
        method=method,
        updates=120,
        layers=2,
        layer_decay=1.0,
        learning_rate=rates.get(method, 0.01),
        dropout=0.0,
    )
    losses = [row.loss for row in fitted.rows]
    assert len(losses) == fitted.updates == 120
    assert losses[0] == pytest.approx(math.log(2), abs=0.02)
    assert np.mean(losses[-10:]) < 0.6


def test_what_is_trained_is_counted_and_said(base):
    lora = fit(base, method="lora", rank=1, targets=("attn.c_attn",))
    assert lora.trained == 3 * (12 + 36) + 2 * 12
    assert lora.base_count == BODY
    assert str(lora) == f"LoRA rank 1: {100 * 168 / BODY:.1f} % of {BODY:,} parameters"
    assert str(fit(base)) == f"full fine-tuning: 100 % of {BODY:,} parameters"
    assert fit(base, method="probe").trained == 24
    last = fit(base, method="last-n", layers=1)
    one_layer = sum(v.size for n, v in base.items() if n.startswith("h.2."))
    assert last.trained == one_layer + 24 + 24


def test_lora_leaves_the_adapter_beside_the_base(base):
    fitted = fit(base, method="lora", rank=2)
    ids = np.array([[1, 2, 3]])
    body = GPT(CONFIG, parameters=base).hidden_states(ids)[-1]
    adapted = fitted.model.body.hidden_states(ids)[-1]
    assert not np.allclose(adapted, body)
    fitted.model.use(None)
    np.testing.assert_array_equal(fitted.model.body.hidden_states(ids)[-1], body)


def test_a_probe_is_the_classifier_with_a_frozen_body(base):
    """The slow way: the whole model, everything frozen but the head, the same batches."""
    settings = FinetuneSettings("probe", updates=5, batch=8, dropout=0.0)
    fitted = finetune.fit(CONFIG, base, TEXTS, LABELS, classes=2, settings=settings)
    store = base.extended({SCORE: (2, 12)})
    drawn = finetune.generator(0, "head").normal(0.0, CONFIG.initializer_range, (2, 12))
    store[SCORE][...] = drawn
    store.freeze("*")
    store.unfreeze(SCORE)
    model = SequenceClassifier(CONFIG, parameters=store, pooling="mean")
    optimizer = AdamW(store, weight_decay=settings.weight_decay)
    order = finetune.texts.ShuffledTexts([len(t) for t in TEXTS], 8, 0)
    plan = finetune.plan(settings, 5)
    for step in range(5):
        chosen = order[step]
        batch = (*finetune.texts.pad([TEXTS[i] for i in chosen]), LABELS[chosen])
        _, gradient = model.loss_and_grad(*batch)
        optimizer.update(gradient, learning_rate=plan.rate(step))
    np.testing.assert_allclose(fitted.model.parameters[SCORE], store[SCORE], atol=1e-6)


def test_layers_below_move_less(base):
    """At the first step Adam moves every number by the learning rate, whatever its gradient."""
    fitted = fit(base, updates=1, layer_decay=0.5, learning_rate=1e-3, dropout=0.0, weight_decay=0)
    moved = {
        name: np.abs(fitted.model.parameters[name] - base[name]).max()
        for name in ("ln_f.bias", "h.2.mlp.c_proj.bias", "h.0.mlp.c_proj.bias", "wpe.weight")
    }
    expected = {
        "ln_f.bias": 1.0,
        "h.2.mlp.c_proj.bias": 0.5,
        "h.0.mlp.c_proj.bias": 0.125,
        "wpe.weight": 0.0625,
    }
    for name, share in expected.items():
        assert moved[name] == pytest.approx(1e-3 * share, rel=0.02)


def test_gradual_unfreezing_goes_down_a_layer_an_epoch(base):
    chosen = FinetuneSettings("gradual", epochs=6, batch=16)
    store = base.extended({SCORE: (2, 12)})
    model = SequenceClassifier(CONFIG, parameters=store, pooling="mean")
    run = finetune._Run(model, TEXTS, LABELS, chosen, None, lambda: model)
    trained = []
    for step in range(run.steps):
        run.batch(step)
        trained.append({name.split(".")[1] for name in store.trainable if name.startswith("h.")})
    assert run.order.count == 3
    lowest = [3 - len(layers) for layers in trained]
    assert lowest == [3] * 3 + [2] * 3 + [1] * 3 + [0] * 9
    share = FINETUNE_RATES["gradual"].embeddings
    assert FinetuneSettings("gradual").decay(3) ** 4 == pytest.approx(share)
    # In a short run each stage has an equal part.
    short = finetune._Run(
        model, TEXTS, LABELS, FinetuneSettings("gradual", updates=10), None, lambda: model
    )
    assert short.stage_steps == 2


LEVELS = {SCORE: 0, "ln_f.bias": 0, "h.1.w": 1, "h.0.w": 2, "h.0.w.lora_A": 2, "wte.weight": 3}


@pytest.mark.parametrize(
    ("method", "counts"),
    [("full", [6]), ("probe", [1]), ("lora", [2]), ("last-n", [3]), ("gradual", [2, 3, 5, 6])],
)
def test_the_stages_of_each_method(method, counts):
    found = unfreezing.stages(LEVELS, method, 1)
    assert [len(names) for names in found] == counts
    assert all(SCORE in names for names in found)
    for names in found:
        assert names == [name for name in LEVELS if name in names]
    assert unfreezing.stages(LEVELS, "lora") == [[SCORE, "h.0.w.lora_A"]]
    assert len(unfreezing.stages(LEVELS, "last-n", 2)[0]) == 5
    with pytest.raises(OptionError, match="the last 3 layers are to be trained, but there are 2"):
        unfreezing.stages(LEVELS, "last-n", 3)


def test_a_head_that_is_there_is_trained_further(base):
    first = fit(base, method="probe", updates=3)
    again = finetune.fit(
        CONFIG,
        first.model.parameters,
        TEXTS,
        LABELS,
        classes=2,
        settings=FinetuneSettings("probe", updates=1, learning_rate=1e-9),
    )
    head = first.model.parameters[SCORE]
    np.testing.assert_allclose(again.model.parameters[SCORE], head, atol=1e-7)
    with pytest.raises(OptionError, match="the head has 2 labels and the task 3"):
        finetune.fit(
            CONFIG, first.model.parameters, TEXTS, LABELS, classes=3, settings=FinetuneSettings()
        )


def test_the_development_part_is_looked_at_and_changes_nothing(base):
    settings = FinetuneSettings(updates=10, batch=8)
    arguments = (CONFIG, base, TEXTS, LABELS)
    seen = finetune.fit(*arguments, classes=2, settings=settings, dev=(TEXTS, LABELS))
    blind = finetune.fit(*arguments, classes=2, settings=settings)
    np.testing.assert_array_equal(seen.model.parameters.flat, blind.model.parameters.flat)
    assert all(row.held_out_accuracy is not None for row in seen.rows)
    scores = finetune.texts.apply(seen.model.logits, TEXTS)
    assert seen.rows[-1].held_out_accuracy == np.mean(scores.argmax(axis=1) == LABELS).round(5)
    assert all(row.held_out_loss is None for row in blind.rows)


def test_dropout_is_for_training_only(base):
    fitted = fit(base, dropout=0.5)
    assert fitted.model.config == CONFIG


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"method": "magic"}, "method is 'magic'; expected one of full, probe"),
        ({"pooling": "max"}, "pooling is 'max'; expected one of last, mean"),
        ({"method": "lora", "rank": 13}, "a LoRA rank of 13 does not fit"),
        ({"rank": 0}, "rank is 0; expected a whole number"),
        ({"method": "last-n", "layers": 4}, "the last 4 layers are to be trained, but there are 3"),
        ({"epochs": 0.0}, "epochs is 0.0; expected a number above 0"),
        ({"learning_rate": math.nan}, "learning_rate is nan"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"lm_weight": -1.0}, "lm_weight is -1.0; expected a number of 0 or more"),
        ({"method": "probe", "lm_weight": 0.5}, "lm_weight trains the body"),
    ],
)
def test_settings_that_cannot_work(base, settings, says):
    with pytest.raises(OptionError, match=says):
        fit(base, **settings)


@pytest.mark.parametrize(
    ("texts", "labels", "says"),
    [
        ([[1], [2]], [0], "2 texts and labels of shape"),
        ([], [], "at least one text"),
        ([[1], [2]], [0, 2], "labels go from 0 to 2; use 0 to 1"),
        ([[1], []], [0, 1], "text 1 has no token"),
        ([[1], [2]], [0.0, 1.0], "dtype float64"),
        ([[1], [2, 50]], [0, 1], "text 1 has an id outside the vocabulary of 50; use the tok"),
        ([[-1], [2]], [0, 1], "text 0 has an id outside"),
    ],
)
def test_texts_that_cannot_be(base, texts, labels, says):
    with pytest.raises(OptionError, match=says):
        finetune.fit(CONFIG, base, texts, np.array(labels), classes=2, settings=FinetuneSettings())


def test_a_loss_that_is_not_finite_is_an_error_and_not_a_warning(base):
    with pytest.raises(TrainingError, match=r"Nothing is saved; .*--learning-rate 3.3e\+29"):
        fit(base, learning_rate=1e30, updates=50)
