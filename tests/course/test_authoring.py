"""`minilm kata new` writes a kata that works."""

import os
import shutil

import pytest

from minilm.course import authoring, catalog, checking
from minilm.course.book import teaching
from minilm.errors import InputError, OptionError


@pytest.fixture
def teacher(tmp_path, monkeypatch):
    """A teacher's folder with one new kata, beside the shipped ones."""
    monkeypatch.setenv("MINILM_KATAS", "")  # so that it is put back
    folder = authoring.new(tmp_path / "katas", "12.1", "Rows of length one")
    catalog.use_folder(tmp_path / "katas")
    yield folder
    os.environ["MINILM_KATAS"] = ""
    catalog.all_katas.cache_clear()


def test_a_new_kata_stands_beside_the_shipped_ones(teacher):
    kata = catalog.find("12.1")
    assert (kata.folder.name, kata.title) == ("12_1_rows_of_length_one", "Rows of length one")
    assert catalog.all_katas()[-1] is kata
    assert catalog.find("4.6").title == "Layer norm, backward"


def test_a_new_kata_keeps_every_promise(teacher, promises):
    kata = catalog.find("12.1")
    for promise in promises:
        promise(kata)


@pytest.mark.parametrize("name", ["error", "structure", "modified"])
def test_a_result_may_have_any_name(teacher, name):
    path = teacher / "checks.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(', name="', f', returns="{name}", name="'), encoding="utf-8")
    kata = catalog.find("12.1")
    [wrong] = kata.mistakes()
    failure = checking.check_functions(kata, wrong.functions).failure
    assert (failure.output, failure.mistake) == (name, "lengths_of_columns")
    assert failure.text.startswith(f"{name} is wrong at")
    assert checking.check_functions(kata, {}).passed


def test_a_new_kata_has_three_questions_to_discuss(teacher):
    assert len(teaching.questions(catalog.find("12.1"))) == 3


def test_a_number_that_is_taken_is_refused(teacher):
    text = (teacher / "kata.toml").read_text(encoding="utf-8")
    (teacher / "kata.toml").write_text(text.replace('"12.1"', '"4.6"'), encoding="utf-8")
    catalog.all_katas.cache_clear()
    with pytest.raises(InputError, match=r"04_6_layer_norm_backward has the number 4\.6 too"):
        catalog.all_katas()
    shutil.rmtree(teacher)


def test_what_cannot_be_written_is_refused(tmp_path):
    authoring.new(tmp_path, "12.1", "Title")
    with pytest.raises(InputError, match="exists already"):
        authoring.new(tmp_path, "12.1", "Title")
    for number, title in (("12", "Title"), ("0.1", "Title"), ("12.1", "?"), ("12.1", 'a "b"')):
        with pytest.raises(OptionError):
            authoring.new(tmp_path, number, title)
    with pytest.raises(InputError, match="has no kata"):
        catalog.use_folder(tmp_path / "nothing")
