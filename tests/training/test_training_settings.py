"""Settings: sizes, TOML, and what is refused."""

import pytest

from minilm.errors import InputError, OptionError
from minilm.nn.config import SIZES
from minilm.training import settings
from minilm.training.given import TRAINED_SIZES


@pytest.mark.parametrize("name", TRAINED_SIZES)
def test_a_size_gives_shape_and_batch(name):
    found = settings.complete({"size": name})
    assert settings.model_config(found, found.vocab_size) == SIZES[name].config
    assert found.batch == SIZES[name].batch


def test_the_word_tokenizer_has_its_own_vocabulary():
    assert settings.complete({"tokenizer": "word"}).vocab_size == 10_000
    assert settings.complete({"tokenizer": "word", "vocab_size": 99}).vocab_size == 99


def test_toml_is_read(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('size = "kata"\nn_layer = 3\ndropout = 0.1\nepochs = 2.5\n', encoding="utf-8")
    found = settings.complete(settings.read_toml(path)[0])
    assert (found.n_layer, found.n_embd, found.epochs, found.steps) == (3, 64, 2.5, None)
    assert settings.model_config(found, 50).resid_pdrop == 0.1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("n_layers = 3", "the key 'n_layers' is not known; did you mean n_layer?"),
        ("zzz = 3", "the key 'zzz' is not known; there are size, vocab_size"),
        ("n_layer = 2.5", "n_layer is 2.5; expected a whole number of 1 or more"),
        ("n_layer = true", "n_layer is True; expected a whole number of 1 or more"),
        ("seed = -1", "seed is -1; expected a whole number of 0 or more"),
        ("learning_rate = 0", "learning_rate is 0; expected a number above 0"),
        ("learning_rate = nan", "learning_rate is nan; expected a number above 0"),
        ("save_seconds = inf", "save_seconds is inf; expected a number of 0 or more"),
        ('size = "huge"', "size is 'huge'; expected one of kata, class, large"),
        ("size = []", "size is .*; expected one of kata, class, large"),
        ("encoding = 8", "encoding is 8; expected a text in quotation marks"),
        ("steps = 5\nepochs = 1", "both steps and epochs are given"),
        ("n_layer = ", "not valid TOML"),
    ],
)
def test_what_cannot_work_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "own.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=f"own.toml: {message}"):
        settings.read_toml(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no\.toml: cannot be read"):
        settings.read_toml(tmp_path / "no.toml")


def test_shapes_that_do_not_go_together_are_refused_early():
    with pytest.raises(OptionError, match="n_embd 128 is not divisible by n_head 5"):
        settings.complete({"n_head": 5})
