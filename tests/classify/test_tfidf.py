"""TF-IDF: by hand, and equal to scikit-learn's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from closeness import assert_close

from minilm.classify import tfidf
from minilm.errors import InputError, OptionError

DOCUMENTS = [["b", "a", "b", "b"], ["a", "c"], []]


def test_weights_worked_by_hand():
    model = tfidf.TfidfVectorizer().fit(DOCUMENTS)
    assert model.vocabulary_ == {"a": 0, "b": 1, "c": 2}
    # Three documents; a is in two of them, b and c in one each.
    idf_a, idf_b = math.log(4 / 3) + 1, math.log(4 / 2) + 1
    assert_close(model.idf_, [idf_a, idf_b, idf_b], rtol=1e-15)
    a, b = idf_a, (1 + math.log(3)) * idf_b
    length = math.hypot(a, b)
    expected = [[a / length, b / length, 0], [0, 0, 0]]
    result = model.transform([DOCUMENTS[0], []])
    assert result.dtype == np.float64
    assert_close(result, expected, rtol=1e-15)


def test_unknown_words_are_left_out():
    model = tfidf.TfidfVectorizer().fit(DOCUMENTS)
    np.testing.assert_array_equal(
        model.transform([["a", "zebra"], ["zebra", "zebra"]]), [[1, 0, 0], [0, 0, 0]]
    )
    assert model.transform([]).shape == (0, 3)


def test_documents_may_come_from_a_generator():
    model = tfidf.TfidfVectorizer().fit(d for d in DOCUMENTS)
    np.testing.assert_array_equal(model.transform(d for d in DOCUMENTS), model.transform(DOCUMENTS))


@pytest.mark.parametrize("documents", [[], [[], []]])
def test_no_words_at_all_is_refused(documents):
    with pytest.raises(InputError, match="no words"):
        tfidf.TfidfVectorizer().fit(documents)


def test_a_string_is_not_taken_for_a_list_of_letters():
    with pytest.raises(OptionError, match="'good film'; split it"):
        tfidf.TfidfVectorizer().fit(["good film"])
    with pytest.raises(OptionError, match="split it"):
        tfidf.TfidfVectorizer().fit(DOCUMENTS).transform(["a"])


def test_a_result_too_large_is_refused_before_it_is_made(monkeypatch):
    model = tfidf.TfidfVectorizer().fit(DOCUMENTS)
    monkeypatch.setattr(tfidf, "MAX_BYTES", 2 * 3 * 8)
    assert model.transform(DOCUMENTS[:2]).shape == (2, 3)
    monkeypatch.setattr(np, "zeros", lambda *_: pytest.fail("memory was taken"))
    with pytest.raises(OptionError, match="TF-IDF of 3 documents and 3 terms"):
        model.transform(DOCUMENTS)


@pytest.mark.peers
def test_equals_scikit_learn(peer):
    text = peer("sklearn.feature_extraction.text")
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(300)])
    share = 1 / np.arange(1, 301)
    documents = [
        words[rng.choice(300, size=rng.integers(0, 40), p=share / share.sum())].tolist()
        for _ in range(200)
    ]
    ours = tfidf.TfidfVectorizer().fit(documents[:120])
    theirs = text.TfidfVectorizer(sublinear_tf=True, analyzer=lambda tokens: tokens)
    theirs.fit(documents[:120])
    assert list(ours.vocabulary_) == list(theirs.get_feature_names_out())
    np.testing.assert_allclose(ours.idf_, theirs.idf_, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        ours.transform(documents), theirs.transform(documents).toarray(), rtol=0, atol=1e-12
    )
