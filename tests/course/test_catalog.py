"""Discovery of katas, and what is said of one that is not put together rightly."""

import pytest

from minilm.course import catalog, mistakes, whole
from minilm.errors import InputError, OptionError

TOML = """\
number = "4.10"
title = "Title"
phase = 4
minutes = 20
difficulty = 3
prerequisites = []
targets = ["minilm.nn.functional.gelu"]
hints = ["one", "two", "three"]
"""


def read(tmp_path, text):
    folder = tmp_path / "04_10_title"
    folder.mkdir()
    (folder / "kata.toml").write_text(text, encoding="utf-8")
    return catalog.read(folder)


def test_a_kata_is_read(tmp_path):
    kata = read(tmp_path, TOML)
    assert (kata.number, kata.name, kata.order) == ("4.10", "04_10_title", (4, 10))
    assert kata.targets[0].name == "gelu"
    assert not kata.is_experiment


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('number = "4.10"', "number = 4.10", "number is missing or is not a str"),
        ('"4.10"', '"four"', "the number 'four' is not like"),
        ("minutes = 20\n", "", "minutes is missing"),
        ("phase", "faze", "phase is missing"),
        ('title = "Title"', 'title = "Title"\nlevel = 3', "the key 'level' is unknown"),
        (', "three"', "", "there are 2 hints; write three"),
        ("[", "[[", "not valid TOML"),
    ],
)
def test_a_kata_that_is_not_right_is_said_with_its_file(tmp_path, old, new, said):
    with pytest.raises(InputError, match=r"kata\.toml") as caught:
        read(tmp_path, TOML.replace(old, new))
    assert said in str(caught.value)


def test_katas_stand_in_order_and_are_found_by_their_whole_number():
    katas = catalog.all_katas()
    assert [k.order for k in katas] == sorted(k.order for k in katas)
    assert catalog.find("4.6").title == "Layer norm, backward"
    for number in ("4.60", "04.6", "4"):
        with pytest.raises(OptionError, match="there is no kata"):
            catalog.find(number)


def test_a_missing_file_of_a_kata_is_said(tmp_path):
    with pytest.raises(InputError, match=r"wrong\.py"):
        read(tmp_path, TOML).module("wrong")


def test_the_whole_model_is_that_of_the_room_unless_the_kata_has_its_own(tmp_path):
    kata = read(tmp_path, TOML)
    (kata.folder / "checks.py").write_text("", encoding="utf-8")
    assert whole.default(kata) is whole.language_model
    own = tmp_path / "other"
    own.mkdir()
    kata = read(own, TOML.replace("nn.functional.gelu", "embeddings.ppmi.ppmi"))
    (kata.folder / "checks.py").write_text("def whole_model():\n    return {}\n", encoding="utf-8")
    assert whole.default(kata)() == {}


def test_the_small_whole_models_give_the_same_twice():
    for model in (whole.language_model, whole.word_vectors):
        assert repr(model()) == repr(model())


def test_a_wrong_answer_needs_its_explanation(tmp_path):
    kata = read(tmp_path, TOML)
    (kata.folder / "wrong.py").write_text(
        "from minilm.course.mistakes import mistake\n\n"
        '@mistake("gelu")\ndef silent(x):\n    return x\n',
        encoding="utf-8",
    )
    with pytest.raises(OptionError, match="silent has no docstring"):
        kata.mistakes()


def test_a_wrong_answer_may_take_the_place_of_several_functions(tmp_path):
    kata = read(tmp_path, TOML)
    (kata.folder / "wrong.py").write_text(
        "from minilm.course.mistakes import mistake\n\n"
        '@mistake("f", "g")\nclass both:\n    """both are wrong."""\n'
        "    def f(x):\n        return 1\n    def g(x):\n        return 2\n",
        encoding="utf-8",
    )
    (found,) = mistakes.collect(kata.module("wrong"))
    assert (found.name, found.explanation) == ("both", "both are wrong.")
    assert [found.functions[name](0) for name in ("f", "g")] == [1, 2]
