"""What transfers: gains by field and text, as a picture, in words and as a table."""

import json

import numpy as np
from matplotlib.figure import Figure

from minilm.compare.report import page, pictures, results, terminal, transfers
from minilm.compare.report.page import tables
from minilm.compare.report.pictures import fields


def views(make_finished):
    """Return two tasks, the second with a text of its own beside the common one."""
    folder = make_finished(tasks=("films", "tickets"), domains=())
    path = folder / "summary.json"
    summary = json.loads(path.read_text(encoding="utf-8"))
    summary["corpora"] += ["conversations"]
    summary["words"]["conversations"] = [20000]
    other = {"corpus": "conversations", "main": False}
    for part, more in (
        ("conditions", other),
        ("differences", other | {"difference": 0.2, "verdict": "better"}),
    ):
        summary[part] += [
            row | more
            for row in summary[part]
            if row["task"] == "tickets" and row["words"] == 20000
        ]
    path.write_text(json.dumps(summary), encoding="utf-8")
    return results.read(folder)


def test_each_task_and_text_is_a_cell_with_its_verdict(make_finished):
    first, _ = views(make_finished)
    assert transfers.has_fields(first)
    found = transfers.rows(first)
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


def test_the_terminal_has_the_table_and_the_page_begins_with_the_picture(make_finished):
    first, _ = views(make_finished)
    text = terminal.render(first.summary)
    assert max(map(len, text.splitlines())) <= 80
    table = text[text.index("What transfers: points gained, 64 labels") :].splitlines()
    assert table[0].endswith(", 20,000 words of each text")
    assert table[1].split() == ["cooccurrence", "over", "random", "general", "conversations"]
    (row,) = [
        row
        for row in transfers.rows(first)
        if (row["condition"], row["task"]) == ("cooccurrence", "films")
    ]
    assert table[2].split("films")[1].strip() == f"{100 * row['difference']:+.1f} {row['verdict']}"
    assert table[3].strip().endswith("+20.0 better")
    pictures.draw_all(first.folder)
    page.write(first.folder)
    html = (first.folder / page.REPORT).read_text(encoding="utf-8")
    assert html.count("a column for each text") == 1
    assert html.index("a column for each text") < html.index('id="question"')
    assert "films, after 20,000 words of general: " in html


def test_one_task_with_one_text_has_no_such_picture(finished):
    (view,) = results.read(finished)
    assert not transfers.has_fields(view)
    assert "what_transfers" not in {one.picture.name for one in pictures.plan([view])}


def test_cells_without_a_run_stay_empty(make_finished):
    first, _ = views(make_finished)
    figure = Figure()
    fields.draw_fields(figure, first)
    drawn = figure.axes[0].images[0].get_array()
    assert np.ma.count(np.ma.masked_invalid(drawn)) == 3
