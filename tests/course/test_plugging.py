"""The real model on a learner's functions, on byte pairs too."""

from minilm.course import plugging
from minilm.text import merges

BUDGET = {"words": 4000, "steps": 3, "seconds": 60.0}


def test_byte_pairs_have_their_own_path(monkeypatch):
    monkeypatch.setattr(plugging, "_BYTE_PAIR_DOCUMENTS", 5)
    called = []

    def learn(*arguments, **options):
        called.append("learn")
        return original(*arguments, **options)

    original = merges.learn
    result = plugging.train({"minilm.text.merges.learn": learn}, BUDGET)
    assert called == ["learn"]
    assert len(result["byte_pairs"]["tokens"]) == 12
    assert len(result["byte_pairs"]["losses"]) == 3
    assert result["byte_pairs"]["text"].startswith("The")
    assert result["yours"]["losses"] == result["library"]["losses"]
    assert result["yours"]["text"] == result["library"]["text"]


def test_without_them_there_is_none():
    assert plugging.train({}, BUDGET)["byte_pairs"] is None
