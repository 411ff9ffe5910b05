"""A learner's functions reach every process that a comparison is spread over."""

import numpy as np
import pytest

from minilm.compare import executors
from minilm.course import catalog, comparing, stubs, targets
from minilm.nn import functional as F

KATA = catalog.find("5.3")
BODY = 'raise NotImplementedError("not written yet")'

DY = np.ones((1, 2, 4))
CACHE = (np.zeros((1, 2, 2, 2)),)  # of two heads


@pytest.fixture
def files(tmp_path):
    """A learner's attention whose gradients are all seven."""
    path = tmp_path / f"{KATA.name}.py"
    mine = "return (7 * dy, 7 * dy, 7 * dy)"
    path.write_text(stubs.stub(KATA).replace(BODY, mine), encoding="utf-8")
    return (("5.3", str(path)),)


@pytest.mark.parametrize(
    "place", [executors.Here, lambda: executors.ProcessRunner(1)], ids=["here", "crew"]
)
def test_jobs_see_the_learners_functions_wherever_they_are_done(files, place):
    before = F.attention_backward
    with targets.replaced({KATA.paths[0]: before}):  # so that it is put back here
        plugged = comparing.Plugged(place(), files)
        try:
            jobs = plugged.map(F.multi_head_attention_backward, DY, [[CACHE], [CACHE]])
            results = [result for _, result in jobs]
        finally:
            plugged.close()
    assert len(results) == 2
    for result in results:
        np.testing.assert_array_equal(result, np.full((1, 2, 12), 7.0))
    assert F.attention_backward is before
