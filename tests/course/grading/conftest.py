"""What several tests of grading need."""

import pytest

from minilm.compare.executors import Here
from minilm.course import catalog, stubs
from minilm.course.grading import gradebook, running, submissions

BODY = 'raise NotImplementedError("not written yet")'


@pytest.fixture
def submit(tmp_path):
    """Write a file of a class; the folder is `tmp_path / "class"`."""

    def write(name, content):
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def graded(tmp_path):
    """Grade the class, and return its gradebook."""

    def grade(seconds=20.0, **options):
        handed_in = submissions.find(tmp_path / "class")
        found = running.grade(handed_in.submissions, Here(), seconds)
        return gradebook.make(handed_in, list(found), **options)

    return grade


@pytest.fixture
def answer():
    """Return a file of kata 4.6 with a body of one's choice."""
    stub = stubs.stub(catalog.find("4.6"))
    return lambda body: stub.replace(BODY, body)
