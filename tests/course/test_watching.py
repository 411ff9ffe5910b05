"""Watching sees every change of content, and nothing else."""

import itertools

from minilm.course import watching


def test_saved_files_are_seen_one_look_later(tmp_path):
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("1")
    edits = iter(
        [
            lambda: None,
            lambda: two.write_text("new"),
            lambda: one.write_text("2"),  # of the same length as before
            lambda: one.write_text(""),  # an editor in the middle of writing
            lambda: one.write_text("2"),  # nothing has changed after all
            lambda: (one.write_text("3"), two.write_text("3")),
            lambda: one.unlink(),
            lambda: one.write_text("4"),
        ]
    )
    seen = watching.changes(lambda: [one, two], lambda seconds: next(edits)())
    assert list(itertools.islice(seen, 4)) == [[two], [one], [one, two], [one]]


def test_it_looks_often_enough():
    assert watching.PAUSE <= 0.5
