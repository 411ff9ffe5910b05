"""What transfers: gains by field and text, as a picture, in words and as a table."""

import json

import numpy as np
from matplotlib.figure import Figure

from minilm.compare.report import pictures, results
from minilm.compare.report.page import tables
from minilm.compare.report.pictures import fields


def views(make_finished):
    """Return two tasks, the second with a text of its own beside the common one."""
    folder = make_finished(tasks=("films", "tickets"), domains=())
    path = folder / "summary.json"
    summary = json.loads(path.read_text(encoding="utf-8"))
    summary["corpora"] += ["conversations"]
    summary["words"]["conversations"] = [20000]
    more = [
        row | {"corpus": "conversations", "difference": 0.2, "verdict": "better"}
        for row in summary["differences"]
        if row["task"] == "tickets" and row["words"] == 20000
    ]
    summary["differences"] += more
    path.write_text(json.dumps(summary), encoding="utf-8")
    return results.read(folder)


def test_each_task_and_text_is_a_cell_with_its_verdict(make_finished):
    first, _ = views(make_finished)
    assert fields.has_fields(first)
    found = fields.rows(first)
    assert {row["budget"] for row in found} == {64}
    assert {row["words"] for row in found} == {20000}
    assert len(found) == 2 * 3  # two families; films with one text, tickets with two
    figure = Figure()
    fields.draw_fields(figure, first)
    shown = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert sorted(shown) == sorted(
        f"{100 * row['difference']:+.1f}\n{row['verdict']}" for row in found
    )
    words = fields.describe_fields(first)
    for row in found:
        assert f"{100 * row['difference']:+.1f} over {row['baseline']}" in words
    table = tables.fields(first)
    assert table.count("<tr>") == 1 + len(found)
    assert "conversations" in table


def test_one_task_with_one_text_has_no_such_picture(finished):
    (view,) = results.read(finished)
    assert not fields.has_fields(view)
    assert "what_transfers" not in {one.picture.name for one in pictures.plan([view])}


def test_cells_without_a_run_stay_empty(make_finished):
    first, _ = views(make_finished)
    figure = Figure()
    fields.draw_fields(figure, first)
    drawn = figure.axes[0].images[0].get_array()
    assert np.ma.count(np.ma.masked_invalid(drawn)) == 3
