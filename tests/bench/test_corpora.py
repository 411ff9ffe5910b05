"""The shipped corpora keep the promises of their data card."""

import json
import subprocess
import sys

import pytest

from minilm import resources
from minilm.bench import corpora

FOLDER = resources.corpora_dir()


@pytest.fixture(scope="module")
def measured():
    return corpora.measure(FOLDER)


def test_every_promise_is_kept(measured):
    figures, _ = measured
    broken = [(f.file, f.name, f.value) for f in figures if not f.kept]
    assert broken == []
    assert sum(f.least is not None or f.most is not None for f in figures) >= 20


def test_the_data_card_holds_the_figures(measured):
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for line in corpora.table(measured[0]).splitlines():
        if not line.startswith("| vectors"):
            assert line in card


def test_the_data_card_holds_the_figures_of_the_vectors(measured):
    """To a hundredth: the last digit of a cosine is the processor's."""
    card = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [line.split(" | ") for line in card if line.startswith("| vectors | ")]
    stated = {(row[0], row[1]): row[2] for row in rows}
    figures = [figure for figure in measured[0] if figure.file == "vectors"]
    for figure in figures:
        value = float(stated["| vectors", figure.name])
        assert value == pytest.approx(figure.value, abs=0.02)


def test_a_broken_promise_shows():
    assert corpora.Figure("f", "n", 3, least=3).kept
    assert not corpora.Figure("f", "n", 2.9, least=3).kept
    assert not corpora.Figure("f", "n", 1, most=0).kept


@pytest.mark.parametrize("name", ["general"])
def test_the_generator_makes_the_same_bytes_again(name, tmp_path):
    """Into a copy of the folder, under another hash seed."""
    import shutil

    shutil.copytree(FOLDER, tmp_path / "corpora")
    (tmp_path / "corpora" / f"{name}.txt").unlink()
    subprocess.run(
        [sys.executable, tmp_path / "corpora" / "build.py"],
        check=True,
        capture_output=True,
        env={"PYTHONHASHSEED": "7", "PATH": ""},
    )
    made = (tmp_path / "corpora" / f"{name}.txt").read_bytes()
    assert made == (FOLDER / f"{name}.txt").read_bytes()


def test_probes_have_what_measurements_use():
    probes = json.loads((FOLDER / "probes.json").read_text(encoding="utf-8"))
    assert len(probes["groups"]) >= 12
    assert len(probes["neighbors"]) == 10
    assert all(group in probes["groups"] for group in probes["neighbors"].values())
    for words in probes["groups"].values():
        assert len(set(words)) == len(words) >= 5
    assert not set(probes["opinion_words"]["positive"]) & set(probes["opinion_words"]["negative"])
