"""Training the used rows of the word table equals training the whole table."""

import numpy as np
import pytest

from minilm.nn.config import GPTConfig
from minilm.nn.gpt import initial_parameters
from minilm.nn.llama_config import LlamaConfig
from minilm.training import finetune
from minilm.training.settings import FinetuneSettings
from minilm.training.used_rows import AllRows, UsedRows

CONFIG = GPTConfig(60, 12, 8, 2, 2)
TABLE = CONFIG.table
TEXTS = [[3, 59, 3], [7], [7, 40, 41, 3, 0], [12, 59], [40, 40], [5, 6, 7, 8, 9]]
LABELS = np.array([0, 1, 0, 1, 1, 0])
USED = sorted({i for text in TEXTS for i in text})
OTHER_WORDS = [[20, 21, 22], [3, 30]], np.array([0, 1])


@pytest.fixture(scope="module")
def base():
    return initial_parameters(CONFIG, rng=np.random.default_rng(0), dtype=np.float64)


def fit(base, **settings):
    chosen = FinetuneSettings(
        **{"updates": 12, "batch": 3, "weight_decay": 0.5, "learning_rate": 0.01, **settings}
    )
    return finetune.fit(CONFIG, base, TEXTS, LABELS, classes=2, settings=chosen, dev=OTHER_WORDS)


@pytest.mark.parametrize(
    "settings",
    [{"method": "full"}, {"method": "full", "threads": 2}]
    + [{"method": method} for method in ("gradual", "lora", "last-n", "probe")],
)
def test_the_result_is_that_of_training_the_whole_table(base, monkeypatch, settings):
    used = fit(base, **settings)
    monkeypatch.setattr(finetune, "UsedRows", AllRows)
    whole = fit(base, **settings)
    assert used.model.config == whole.model.config
    assert used.model.parameters.trainable == whole.model.parameters.trainable
    for name, values in whole.model.parameters.items():
        found = used.model.parameters[name]
        np.testing.assert_allclose(found, values, rtol=1e-9, atol=1e-12, err_msg=name)
    for one, other in zip(used.rows, whole.rows, strict=True):
        assert one.held_out_accuracy == other.held_out_accuracy
        assert one.loss == pytest.approx(other.loss, rel=1e-9)
        assert one.held_out_loss == pytest.approx(other.held_out_loss, rel=1e-9)


@pytest.mark.parametrize("tied", [True, False])
def test_llama_trains_the_used_rows_where_the_head_is_the_table(monkeypatch, tied):
    config = LlamaConfig(60, 8, 12, 1, 2, 1, max_position_embeddings=12, tie_word_embeddings=tied)
    base = initial_parameters(config, rng=np.random.default_rng(0), dtype=np.float64)
    settings = FinetuneSettings(updates=4, batch=3, weight_decay=0.5)

    def table():
        fitted = finetune.fit(config, base, TEXTS, LABELS, classes=2, settings=settings)
        return fitted.model.parameters[config.table]

    used = table()
    monkeypatch.setattr(finetune, "UsedRows", AllRows)
    np.testing.assert_allclose(used, table(), rtol=1e-9, atol=1e-12)


def test_rows_without_a_text_decay_together(base):
    fitted = fit(base, layer_decay=1.0)
    rates = [row.learning_rate for row in fitted.rows]
    decay = np.prod([1 - 0.5 * rate for rate in rates])
    others = np.setdiff1d(np.arange(60), USED)
    table = fitted.model.parameters[TABLE]
    np.testing.assert_allclose(table[others], base[TABLE][others] * decay, rtol=1e-6)
    assert np.abs(table[USED] - base[TABLE][USED] * decay).max() > 1e-3


def test_the_auxiliary_loss_trains_every_row(base):
    fitted = fit(base, lm_weight=0.5, weight_decay=0.0)
    assert (fitted.model.parameters[TABLE] != base[TABLE]).any(axis=1).all()


def test_the_rows_are_put_back_as_often_as_asked(base):
    whole = base.extended({})
    used = UsedRows(CONFIG, whole, TEXTS)
    assert used.parameters[TABLE].shape == (len(USED) + 1, 8)
    assert [USED[i] for i in used.texts[2]] == TEXTS[2]
    used.parameters["ln_f.bias"][...] = 3.0
    used.parameters[TABLE][...] *= 0.5
    for _ in range(2):
        used.put_back()
        np.testing.assert_array_equal(whole[TABLE], base[TABLE] * 0.5)
        assert (whole["ln_f.bias"] == 3.0).all()
