"""What a classifier says of texts, and how it did: worked through with known probabilities."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from minilm.data.labelled import LabelledData
from minilm.errors import InputError
from minilm.models import predictions
from minilm.models.texts import Encoded
from minilm.store.folder import Source, Stage
from minilm.text.wordlevel import WordLevelTokenizer

TEXTS = ("a cat", "a zebra", "a dog", "a mat")
ROWS = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]])


@pytest.fixture
def judge():
    """Return a classifier whose probabilities are those of ROWS."""
    return SimpleNamespace(
        labels=("bad", "good"),
        config=SimpleNamespace(n_positions=16),
        tokenizer=WordLevelTokenizer.train(["a cat a dog on a mat"], min_count=1),
        encode=lambda texts: Encoded([[0]] * len(texts), truncated=1, empty=0),
        probabilities=lambda encoded: ROWS[: len(encoded.ids)],
    )


def labelled(*labels):
    lines = tuple(range(2, 2 + len(labels)))
    return LabelledData(Path("t.csv"), TEXTS[: len(labels)], labels, lines)


def test_predictions_name_the_words_that_are_not_known(judge):
    found, reading = predictions.predict(judge, TEXTS)
    assert [prediction.label for prediction in found] == ["bad", "good", "bad", "bad"]
    assert [prediction.unknown_words for prediction in found] == [[], ["zebra"], [], []]
    assert found[1].probabilities.tolist() == [0.2, 0.8]
    assert reading == predictions.Reading(4, 1, 16, known=0.0)  # of four ends of texts
    long, unknown = reading.remarks()
    assert (
        long == "1 of 4 texts is longer than the context of 16 tokens; only the beginning is used"
    )
    assert "none of these words" in unknown


def test_an_evaluation_worked_by_hand(judge):
    found = predictions.evaluate(judge, labelled("bad", "bad", "good", "good"))
    assert found.confusion.tolist() == [[1, 1], [2, 0]]
    assert found.accuracy == 0.25
    assert found.macro_f1 == pytest.approx((2 / 5 + 0) / 2)
    assert found.calibration.counts.sum() == 4
    shown = [(m.text, m.line, m.label, m.predicted, m.probability) for m in found.mistakes]
    assert shown == [
        ("a zebra", 3, "bad", "good", 0.8),
        ("a dog", 4, "good", "bad", 0.7),
        ("a mat", 5, "good", "bad", 0.6),
    ]
    assert found.reading.truncated == 1


def test_a_label_of_another_task_is_refused_with_its_line(judge):
    with pytest.raises(InputError, match=r"t\.csv:3: the label 'so so' is not one of the model's"):
        predictions.evaluate(judge, labelled("bad", "so so"))


def test_what_was_learned_from_is_known_by_its_checksum():
    lineage = (Stage("pretrain", (Source("a", 1, "x"),), 1, 1, {}),)
    assert predictions.has_learned_from(lineage, "x")
    assert not predictions.has_learned_from(lineage, "y")
