"""MinHash against the sets that it stands for."""

import numpy as np
import pytest

from minilm.data.quality import minhash


def pairs_of(words):
    return {tuple(words[i : i + 2]) for i in range(len(words) - 1)}


def jaccard(one, other):
    one, other = pairs_of(one), pairs_of(other)
    return len(one & other) / len(one | other)


@pytest.fixture
def documents():
    rng = np.random.default_rng(3)
    words = [f"w{i}" for i in range(500)]
    return [[words[i] for i in rng.integers(500, size=rng.integers(2, 60))] for _ in range(200)]


def test_shingles_are_the_pairs_of_neighbors(documents):
    hashes, starts = minhash.shingles(documents)
    parts = np.split(hashes, starts[1:])
    assert [len(set(part)) for part in parts] == [len(pairs_of(words)) for words in documents]
    # The same pair has the same hash wherever it stands, and in that order only.
    (ab, bc), (first,), (other,) = (
        minhash.shingles([words])[0] for words in (["a", "b", "c"], ["a", "b"], ["b", "a"])
    )
    assert ab == first
    assert len({ab, bc, other}) == 3


def test_resemblance_is_that_of_the_sets(documents):
    base = documents[0] + documents[1]
    for cut in (0, 1, 5, len(base) - 3):
        other = base[cut:]
        sets = [np.unique(minhash.shingles([words])[0]) for words in (base, other)]
        assert minhash.resemblance(*sets) == pytest.approx(jaccard(base, other), abs=1e-12)


def test_keys_do_not_depend_on_the_batch(documents):
    whole = minhash.band_keys(documents)
    assert whole.shape == (200, minhash.BANDS)
    assert (
        np.concatenate([minhash.band_keys(documents[i:][:1]) for i in range(200)]) == whole
    ).all()


@pytest.mark.parametrize(
    ("kept", "least", "most"), [(1.0, 1.0, 1.0), (0.9, 0.99, 1.0), (0.3, 0, 0.1)]
)
def test_as_many_meet_as_the_formula_says(kept, least, most):
    """Two texts that share a part of their words in front."""
    rng = np.random.default_rng(5)
    trials = 200
    documents, expected = [], []
    for _ in range(trials):
        words = [f"w{i}" for i in rng.integers(10**6, size=60)]
        changed = round(60 * (1 - kept))
        other = words[: 60 - changed] + [f"v{i}" for i in rng.integers(10**6, size=changed)]
        documents += [words, other]
        similarity = jaccard(words, other)
        expected.append(1 - (1 - similarity**minhash.ROWS) ** minhash.BANDS)
    pairs = set(map(tuple, minhash.candidates(minhash.band_keys(documents)).tolist()))
    met = np.mean([(2 * i, 2 * i + 1) in pairs for i in range(trials)])
    assert least <= met <= most
    assert met == pytest.approx(np.mean(expected), abs=0.08)
    strangers = len(pairs) - round(met * trials)
    assert strangers == 0  # of 79,600 pairs


def test_candidates_of_one_bucket_hold_together():
    keys = np.zeros((50, minhash.BANDS), np.uint32)
    keys[:, 1:] = np.arange(50 * (minhash.BANDS - 1)).reshape(50, -1)  # they meet in the first band
    pairs = minhash.candidates(keys)
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert set(pairs[:, 1].tolist()) == set(range(1, 50))
    assert len(pairs) == 1 + 2 + 3 + 46 * 4
    assert len(np.unique(pairs, axis=0)) == len(pairs)


def test_nothing_to_compare():
    assert minhash.candidates(np.zeros((0, minhash.BANDS), np.uint32)).shape == (0, 2)
    assert minhash.candidates(minhash.band_keys([["a", "b"]])).shape == (0, 2)
