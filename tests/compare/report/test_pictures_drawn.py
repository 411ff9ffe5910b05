"""Pictures of a finished comparison: that they show what is in its folder, and say it in words."""

import json
import shutil

import matplotlib.image
import numpy as np
import pytest
from closeness import assert_close
from matplotlib.figure import Figure

from minilm.compare.report import pictures, results, worth
from minilm.compare.report.pictures import accuracy, costs, mistakes, style, vectors
from minilm.errors import InputError


@pytest.fixture(scope="module")
def view(finished):
    (only,) = results.read(finished)
    return only


def change(folder, name, **parts):
    """Replace parts of one of the folder's JSON files."""
    path = folder / f"{name}.json"
    value = json.loads(path.read_text(encoding="utf-8")) | parts
    path.write_text(json.dumps(value), encoding="utf-8")


def texts(axes):
    return [text.get_text() for text in axes.texts]


def mean(view, condition, budget, domain="films"):
    (cell,) = [c for c in view.cells(condition, domain) if c["budget"] == budget]
    return cell["mean"]


def test_a_view_holds_the_main_cells_only(view):
    cells = view.cells("cooccurrence")
    assert [(c["budget"], c["words"]) for c in cells] == [(16, 20000), (64, 20000)]
    assert len(view.cells("cooccurrence", main=False)) == 4
    assert view.home == "films"
    assert view.chance() == 0.5
    assert view.families()["transformer"] == [
        "transformer-scratch",
        "transformer-finetuned",
        "transformer-pretrained-on-shuffled",
    ]


def test_the_best_condition_is_no_control(finished, make_finished):
    folder = make_finished()
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    for cell in summary["conditions"]:
        if cell["condition"] == "cooccurrence-shuffled":
            cell["mean"] = 0.99
    change(folder, "summary", conditions=summary["conditions"])
    (view,) = results.read(folder)
    assert view.best()["condition"] == results.read(finished)[0].best()["condition"]


def test_accuracy_shows_means_and_both_ends_of_their_intervals(view):
    figure = Figure()
    accuracy.draw_accuracy(figure, view)
    axes = figure.axes[0]
    names = [label.get_text().replace("\n", "") for label in axes.get_yticklabels()]
    assert names == view.names
    for container, budget in zip(axes.containers, view.budgets, strict=True):
        assert_close(
            np.asarray(container.lines[0].get_xdata(), float),
            [mean(view, name, budget) for name in names],
        )
        ends = np.array([s[:, 0] for s in container.lines[2][0].get_segments()], float)
        cells = [c for name in names for c in view.cells(name) if c["budget"] == budget]
        assert_close(ends, [[c["low"], c["high"]] for c in cells])


def test_learning_curves_stand_in_the_panel_of_their_family_with_intervals(view):
    figure = Figure()
    accuracy.draw_learning_curves(figure, view)
    words, transformer = figure.axes
    assert (words.get_title(), transformer.get_title()) == ("word vectors", "transformer")
    curves = {drawn.get_label(): drawn.lines for drawn in transformer.containers}
    curve, _, (bars,) = curves["transformer-finetuned"]
    expected = [mean(view, "transformer-finetuned", budget) for budget in (16, 64)]
    assert_close(curve.get_ydata().astype(float), expected)
    ends = [list(path.vertices[:, 1]) for path in bars.get_paths()]
    assert_close(ends, [[c["low"], c["high"]] for c in view.cells("transformer-finetuned")])
    control, _, _ = curves["transformer-pretrained-on-shuffled"]
    assert control.get_linestyle() == "--"
    assert control.get_markerfacecolor() == "white"


def test_gains_are_written_in_points_and_bold_where_the_interval_leaves_out_zero(view):
    figure = Figure()
    accuracy.draw_gains(figure, view)
    rows = {(r["condition"], r["budget"]): r for r in view.rows("gains")}
    names = [name for name in view.names if name != "random"]
    written = figure.axes[0].texts
    assert len(written) == len(rows) == 2 * len(names)
    for text in written:
        column, row = text.get_position()
        gain = rows[names[row], view.budgets[column]]
        assert text.get_text() == f"{100 * gain['gain']:+.1f}"
        clear = gain["low"] > 0 or gain["high"] < 0
        assert (text.get_fontweight() == "bold") is clear
    assert {text.get_fontweight() for text in written} == {"bold", "normal"}


def test_costs_show_a_run_and_the_pretraining_beside_it(view):
    figure = Figure()
    costs.draw_costs(figure, view)
    left, right = figure.axes
    marks = {line.get_label(): line for line in left.lines}
    assert set(view.names) <= set(marks)
    (x,), (y,) = marks["cooccurrence"].get_data()
    assert (x, y) == (pytest.approx(0.64), mean(view, "cooccurrence", 64))
    bars = [line for line in left.lines if len(line.get_xdata()) == 2]
    found = next(b for b in bars if b.get_ydata()[0] == y)
    assert_close(found.get_xdata(), [0.64, 2.14])
    assert {line.get_xdata()[0] for line in right.lines} == {101}


def test_text_is_drawn_beside_the_baselines_without_text(view):
    figure = Figure()
    costs.draw_text_for_labels(figure, view)
    assert [axes.get_title().replace("\n", "") for axes in figure.axes] == [
        "cooccurrence",
        "transformer-finetuned",
    ]
    curves = figure.axes[1].containers
    labels = [curve.get_label() for curve in curves]
    assert labels == ["no text (transformer-scratch)", "1,000 words", "20,000 words"]
    assert_close(
        np.asarray(curves[2].lines[0].get_ydata(), float),
        [mean(view, "transformer-finetuned", b) for b in (16, 64)],
    )


def test_text_is_worth_the_labels_at_which_its_baseline_is_as_good(view):
    assert worth.conditions(view) == ["cooccurrence", "transformer-finetuned"]
    curve = view.cells("transformer-scratch")
    found = worth.labels(curve, mean(view, "transformer-finetuned", 16))
    sentences = worth.sentences(view)
    assert len(sentences) == 4
    assert f"transformer-scratch needs about {found:.0f} labels" in sentences[3]
    assert "more than random with any number of labels up to 64" in sentences[1]
    assert worth.labels(curve, 0.0) is None
    assert worth.labels(curve, curve[1]["mean"]) == pytest.approx(64)
    halfway = (curve[0]["mean"] + curve[1]["mean"]) / 2
    assert worth.labels(curve, halfway) == pytest.approx(32)


def test_transfer_has_a_column_for_each_domain(view):
    figure = Figure()
    mistakes.draw_transfer(figure, view)
    names = view.names
    expected = [f"{mean(view, n, 64, d):.3f}" for n in names for d in ("films", "products")]
    assert texts(figure.axes[0]) == expected


def test_confusion_counts_every_draw_of_the_best_condition(view):
    best, found = view.best(), view.predictions
    expected = np.zeros((2, 2), int)
    for run, given in zip(found.runs, found.predicted, strict=True):
        if run[:4] == (best["condition"], best["corpus"], best["words"], best["budget"]):
            for right, taken in zip(found.truth, given, strict=True):
                expected[right, taken] += 1
    assert expected.sum() == 4 * 60
    assert np.array_equal(mistakes.confusion(view), expected)
    figure = Figure()
    mistakes.draw_confusion(figure, view)
    assert texts(figure.axes[0])[0] == f"{expected[0, 0] / expected[0].sum():.0%}"


def test_shared_errors_are_counted_item_by_item(view):
    names, missed = mistakes.misses(view)
    assert "cooccurrence-shuffled" not in names
    runs = view.main_runs(64)
    counts = np.zeros(len(names) + 1, int)
    for item in range(len(view.predictions.truth)):
        wrong = [np.count_nonzero(~runs[name].right[:, item]) > 2 for name in names]
        counts[sum(wrong)] += 1
        assert list(missed[:, item]) == wrong
    figure = Figure()
    mistakes.draw_shared_errors(figure, view)
    assert [bar.get_height() for bar in figure.axes[0].patches] == counts.tolist()
    curve = figure.axes[0].lines[0].get_ydata()
    assert sum(curve) == pytest.approx(60)
    # Independent conditions miss, on average, as many together as they do here.
    weighted = float(np.dot(curve, np.arange(len(curve))))
    assert weighted == pytest.approx(float(np.dot(counts, np.arange(len(counts)))))


def test_the_hardest_items_are_those_that_all_conditions_miss(make_finished):
    folder = make_finished()
    with np.load(folder / "predictions.npz") as file:
        arrays = dict(file)
    truth = arrays["films/films/truth"]
    for item in (7, 11):
        arrays["films/films/predicted"][:, item] = 1 - truth[item]
    np.savez(folder / "predictions.npz", **arrays)
    (view,) = results.read(folder)
    rows = mistakes.hardest(view)
    assert [row["line"] for row in rows[:2]] == ["9", "13"]
    assert rows[0]["text"].startswith("text 7 of films </script>")
    assert (rows[0]["is"], rows[0]["taken for"], rows[0]["missed"]) == ("good", "bad", "100%")


def test_loss_is_drawn_for_models_only(view):
    figure = Figure()
    costs.draw_loss(figure, view)
    lines = figure.axes[0].lines
    records = view.summary["pretraining"][1:]
    assert len(lines) == 2 * len(records) == 4
    for record, training, held_out in zip(records, lines[::2], lines[1::2], strict=True):
        assert_close(training.get_data(), np.array(record["loss"]).T[1:])
        assert_close(held_out.get_data(), np.array(record["held_out"]).T[1:])
    # All pretrainings of a kind have one color, and one entry in the legend.
    assert len({line.get_color() for line in lines}) == 1
    assert len(figure.legends[0].get_texts()) == 2
    assert "transformer on 20,000 words" in costs.describe_loss(view)


def test_maps_before_and_after_share_their_axes(view):
    figure = Figure()
    vectors.draw_maps(figure, view)
    before, after = figure.axes
    assert before.get_xlim() == after.get_xlim()
    trails = [line.get_xdata() for line in after.lines]
    assert len(trails) == 4
    for start, end in trails:
        assert end - start == pytest.approx(0.3)
    assert texts(before)


def test_senses_show_both_cosines_of_each_word(view):
    figure = Figure()
    vectors.draw_senses(figure, view)
    left, right = figure.axes
    bars = [line.get_xdata() for line in left.lines if len(line.get_xdata()) == 2]
    assert_close(bars, [[-0.4, 0.3], [0.1, 0.3]])
    assert "bank" in right.get_title()
    assert [len(c.get_offsets()) for c in right.collections] == [5, 5]
    assert "bank 0.30 and -0.40, the nearest is of the same sense in 90%" in (
        vectors.describe_senses(view)
    )


def test_similarity_has_a_panel_for_each_kind_of_vectors(view):
    figure = Figure()
    vectors.draw_similarity(figure, view)
    assert [axes.get_title() for axes in figure.axes] == ["cooccurrence", "random"]
    assert [bar.get_width() for bar in figure.axes[0].patches] == [0.6, 0.6, 0.1, 0.1]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, finished):
    """A folder with its pictures, drawn once, and their names."""
    folder = tmp_path_factory.mktemp("drawn")
    for path in finished.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "accuracy_guide.png").write_bytes(b"the user's own")
    (folder / "accuracy_7.png").write_bytes(b"of an earlier summary")
    return folder, pictures.draw_all(folder)


def test_every_picture_is_written_as_png_and_svg_with_its_description(drawn, view):
    folder, names = drawn
    # One task has nothing to transfer to.
    every = [picture.name for picture in pictures.PICTURES if picture.name != "what_transfers"]
    assert names == [f"{name}.png" for name in every]
    for one in pictures.plan([view]):
        pixels = matplotlib.image.imread(folder / f"{one.stem}.png")
        assert pixels.shape[:2] == (682, 1210)
        assert pixels[0, 0].tolist() == [1, 1, 1, 1]  # light in dark rooms too
        assert one.alt.encode("latin-1")[:60] in (folder / f"{one.stem}.png").read_bytes()
        svg = (folder / f"{one.stem}.svg").read_text(encoding="utf-8")
        assert "<dc:description>" in svg
        assert "http" not in one.alt
        assert len(one.alt) > 60


def test_drawing_removes_earlier_pictures_and_nothing_else(drawn, tmp_path):
    assert not (drawn[0] / "accuracy_7.png").exists()
    folder = tmp_path / "copy"
    shutil.copytree(drawn[0], folder)
    pictures.remove(folder)
    left = {path.name for path in folder.iterdir()}
    assert left == {
        "accuracy_guide.png",
        "manifest.json",
        "predictions.npz",
        "probes.json",
        "summary.json",
        "test_items.csv",
    }


def test_what_is_not_in_the_folder_is_not_drawn(make_finished):
    folder = make_finished(domains=())
    (folder / "predictions.npz").unlink()
    (folder / "probes.json").unlink()
    change(folder, "summary", pretraining=[], gains=[])
    names = [one.stem for one in pictures.plan(results.read(folder))]
    assert names == ["accuracy", "learning_curves", "costs", "text_for_labels"]


def test_a_second_task_has_pictures_of_its_own(make_finished):
    labels = ("$a", "b_$", "好")
    folder = make_finished(tasks=("films", "tickets"), domains=(), labels=labels)
    planned = pictures.plan(results.read(folder))
    stems = [one.stem for one in planned]
    assert "confusion" in stems
    assert "confusion_2" in stems
    assert "word_map_2" not in stems
    second = planned[stems.index("confusion_2")]
    assert second.view.task == "tickets"
    with style.context():  # warnings are errors here: of a formula, of a missing letter
        figure = style.figure()
        second.picture.draw(figure, second.view)
        style.save(figure, folder, second.stem, "title", second.alt)
    assert "好" in second.alt


def test_many_classes_leave_out_what_would_be_too_small_to_read(make_finished):
    folder = make_finished(domains=(), labels=tuple(f"class {k}" for k in range(30)))
    (view,) = results.read(folder)
    figure = Figure()
    mistakes.draw_confusion(figure, view)
    assert texts(figure.axes[0]) == []
    assert "class 29" not in [label.get_text() for label in figure.axes[0].get_xticklabels()]


def test_conditions_have_looks_that_differ_without_color():
    names = ["mine", "tfidf", "random", "probe:model", "finetuned:model"]
    found = style.looks({name: {"control": name == "random"} for name in names})
    assert len({look.marker for look in found.values()}) == len(names)
    assert found["random"].line()["markerfacecolor"] == "white"
    known = style.looks({name: {"control": False} for name in style._LOOKS})
    assert len({look.marker for look in known.values()}) == len(known)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("summary.json", b"{}", "not the summary"),
        ("summary.json", b'{"tasks": 3', "not valid JSON"),
        ("predictions.npz", b"PK", "damaged"),
        ("test_items.csv", b"task,domain\nfilms,films\n", "damaged"),
    ],
)
def test_damaged_files_are_named(make_finished, name, content, expected):
    folder = make_finished()
    (folder / name).write_bytes(content)

    def use_all():
        return [(mistakes.misses(view), view.texts) for view in results.read(folder)]

    with pytest.raises(InputError, match=expected) as caught:
        use_all()
    assert caught.value.path == folder / name


def test_a_folder_without_a_summary_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        results.read(tmp_path)
