"""The race runs, on few words, with the peers and without; what it measures is not tested here."""

from __future__ import annotations

import json

import pytest

from minilm.bench import cooccurrence as race
from minilm.cli import main


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(race, "WORDS", 6_000)
    monkeypatch.setattr(race, "ROUNDS", 1)
    monkeypatch.setattr(race, "RANK", 5)


def test_without_the_peers_it_times_minilm_and_names_what_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(race, "_import", lambda name: None)
    assert main.main(["bench", "cooccurrence", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["missing"] == ["scipy", "sklearn"]
    assert list(result["counting"]["seconds"]) == list(result["svd"]["seconds"]) == ["minilm"]
    assert main.main(["bench", "cooccurrence"]) == 0
    shown = capsys.readouterr().out
    assert "6,000 words" in shown
    assert "without scipy, which is missing: pip install 'minilm[peers]'" in shown


def test_a_generated_text_is_counted_from_a_file(monkeypatch, capsys):
    monkeypatch.setattr(race, "_import", lambda name: None)
    assert main.main(["bench", "cooccurrence", "--json", "--text-gb", "0.0002"]) == 0
    large = json.loads(capsys.readouterr().out)["large_text"]
    assert large["bytes"] >= 200_000
    assert large["words"] > 200_000 / 10
    assert large["vocabulary"] == race.LARGE_TEXT_VOCABULARY
    assert large["pairs_of_words"] > 0
    assert large["peak_gb"] is None or large["peak_gb"] > 0
    assert main.main(["bench", "cooccurrence", "--text-gb", "0"]) == 2
    assert "--text-gb: 0.0; it must be above 0" in capsys.readouterr().err


def test_a_stand_in_is_drawn_where_the_corpus_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(race.resources, "corpora_dir", lambda: tmp_path)
    source, ids, size = race._text()
    assert source == "drawn by Zipf's law"
    assert size == race.STAND_IN_VOCABULARY
    assert (ids >= 0).sum() == pytest.approx(race.WORDS, rel=0.01)
    assert ids.max() < size


def test_exactly_so_many_words_of_the_corpus(monkeypatch, tmp_path):
    (tmp_path / "general.txt").write_text("a b a\nc b\n", encoding="utf-8")
    monkeypatch.setattr(race.resources, "corpora_dir", lambda: tmp_path)
    source, ids, size = race._text()
    assert source.startswith("general.txt")
    assert size == 3
    assert (ids >= 0).sum() == race.WORDS
    assert ids[:7].tolist() == [0, 1, 0, -1, 2, 1, -1]


@pytest.mark.peers
def test_beside_the_peers(peer, capsys):
    peer("scipy")
    peer("sklearn")
    assert main.main(["bench", "cooccurrence", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["missing"] == []
    assert result["counting"]["ratio"] > 0
    assert set(result["svd"]["ratio"]) == {"double precision", "single precision"}
    assert result["svd"]["largest_error"]["minilm"] < 0.2
