"""The gradebook as files: tables, page, feedback, JSON, Gradescope; and in a browser."""

import csv
import dataclasses
import json
import re

import pytest
from strict_html import Page

from minilm.course import catalog
from minilm.course.grading import feedback, gradebook, outputs, page, running
from minilm.course.grading.gradebook import Gradebook
from minilm.course.grading.marks import Mark
from minilm.course.grading.running import Result
from minilm.errors import OutputError

HOSTILE = "=cmd|' /C calc'!A0 <script>alert(1)</script>\x07"
EXPLAINED = (
    "Looks like: mean and variance were taken for constants.\n\nThey are made of the same x."
)


def results():
    wrong = Result(
        HOSTILE,
        "4.6",
        "a/x.py",
        False,
        "gradients",
        "",
        "dx",
        "statistics_as_constants",
        "dx is wrong at 35 of 35 entries",
        41,
        0.33,
        EXPLAINED,
        "five rows",
        "d in the cache is wrong",
    )
    right = Result("Ada", "4.6", "Ada/4.6.py", True, points=1.0)
    return [
        wrong,
        dataclasses.replace(wrong, file="a/old.py", points=0.11, counts=False),
        right,
        dataclasses.replace(right, student="Bob", counts=False),
        Result("Bob", "4.6", "Bob/b.py", False, "model", message="the loss", points=0.56),
        Result("Ada", "10.1", "Ada/10.1.py", True, points=1.0, note="why; compare yours with: x"),
        Result("Cem", "", "Cem", False, running.REFUSED, message="the folder is empty"),
    ]


@pytest.fixture
def book():
    katas = [catalog.find("4.6"), catalog.find("10.1")]
    marks = [Mark("Ada", "4.6", "same code", "the same code as Bob's (layer_norm_backward)")]
    students = [HOSTILE, "Ada", "Bob", "Cem"]
    return Gradebook(students, katas, results(), marks, ["<b>notes.py"])


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_tables_have_a_row_for_each_student_and_file(book, tmp_path):
    outputs.write(book, tmp_path / "grades")
    grades = table(tmp_path / "grades" / "grades.csv")
    assert [list(row.values())[1:] for row in grades] == [
        ["0.33", "2", "0", "0.33", ""],
        ["2.0", "2", "2", "1.0", "1.0"],
        ["0.56", "2", "0", "0.56", ""],
        ["0", "2", "0", "", ""],
    ]
    assert list(grades[0]) == ["student", "points", "of", "passed", "4.6", "10.1"]
    rows = table(tmp_path / "grades" / "results.csv")
    assert len(rows) == len(book.results)
    assert rows[0]["mistake"] == "statistics_as_constants"
    assert (rows[0]["counts"], rows[1]["counts"]) == ("True", "False")
    assert rows[-1]["message"] == "the folder is empty"
    assert table(tmp_path / "grades" / "marks.csv")[0]["kind"] == "same code"
    # What a spreadsheet would compute is text in every table.
    for name in ("grades.csv", "results.csv"):
        assert table(tmp_path / "grades" / name)[0]["student"] == f"'{HOSTILE}"
    assert sorted(p.name for p in (tmp_path / "grades").iterdir()) == [
        "feedback",
        "grades.csv",
        "grades.html",
        "marks.csv",
        "results.csv",
    ]


def test_the_feedback_is_in_words(book):
    said = " ".join(feedback.text(book, HOSTILE).split())
    assert "0 of 2 katas passed, 0.33 of 2 points." in said
    assert "x.py, line 41" in said
    assert "What is wrong: dx is wrong at 35 of 35 entries. In the case: five rows." in said
    assert "The mistake: statistics as constants. Looks like: mean and variance" in said
    assert "statistics_as_constants" not in said
    assert "You handed in 2 tries; the best one counts." in said
    assert f"{catalog.find('10.1').title} not handed in: 0 points" in said
    assert "\x07" not in said
    ada = feedback.text(book, "Ada")
    assert "passed: 1 point\n" in ada
    assert "Bob" not in ada  # what a teacher should look at is not for students
    assert "Not graded:\n  Cem: the folder is empty" in feedback.text(book, "Cem")
    assert max(map(len, feedback.text(book, HOSTILE).splitlines()[1:])) <= 79


def test_feedback_has_a_safe_file_for_everybody(book, tmp_path):
    outputs.write(book, tmp_path)
    names = sorted(p.name for p in (tmp_path / "feedback").iterdir())
    assert names == ["Ada.txt", "Bob.txt", "Cem.txt", "cmd_C_calc_A0_script_alert_1_script.txt"]


def test_the_feedback_of_an_earlier_class_is_removed_and_a_teachers_text_kept(book, tmp_path):
    texts = tmp_path / outputs.FEEDBACK
    texts.mkdir()
    (texts / "zoe.txt").write_text("Feedback for zoe\n", encoding="utf-8")
    (texts / "notes.txt").write_text("Ask Bob about 4.6\n", encoding="utf-8")
    outputs.write(book, tmp_path)
    names = {path.name for path in texts.iterdir()}
    assert names == {"notes.txt", *feedback.file_names(book.students).values()}


def test_common_mistakes_count_students(book):
    assert book.common_mistakes() == [("4.6", "statistics_as_constants", 1)]


def test_the_page_is_valid_and_safe(book):
    text = page.render(book)
    found = Page(text)
    assert found.errors == []
    assert len(found.all("script")) == 1
    assert found.all("b") == []
    assert found.levels() == [1, *[2] * (len(found.levels()) - 1)]
    assert len(set(found.identifiers())) == len(found.identifiers())
    assert {"#" + i for i in found.identifiers()} >= {a["href"] for a in found.all("a")}
    shown = " ".join(found.text().split())
    assert "4 students, 2 katas: 2 of 8 passed, 4 handed in." in shown
    assert "1 student, kata 4.6 Layer norm, backward: statistics as constants." in shown
    assert "the same code as Bob's" in shown
    assert "the folder is empty" in shown
    assert "<b>notes.py" in shown
    assert "An experiment has two stages, predictions and run" in shown
    assert "\x07" not in text
    # The class may look at the first screen: no names are on it.
    first = text[: text.index('id="grades"')]
    assert not any(name in first for name in ("Ada", "Bob", "Cem", "/C calc"))


def test_the_page_fits_a_phone(book, browser, tmp_path):
    book = dataclasses.replace(book, katas=list(catalog.all_katas()))
    (tmp_path / "grades.html").write_text(page.render(book), encoding="utf-8")
    _, console = browser(tmp_path / "grades.html", "--dump-dom")
    assert console == []
    opened = re.sub(r"<meta http-equiv=[^>]*>", "", page.render(book))
    frame = """<script>
      for (const one of document.querySelectorAll("details")) one.open = true;
      document.body.style.width = "320px";
      const left = document.body.getBoundingClientRect().left;
      const ends = [...document.querySelectorAll("body *")]
        .filter((one) => !one.closest(".scroll table, .unseen, .skip"))
        .map((one) => one.getBoundingClientRect().right - left);
      document.body.dataset.end = Math.max(...ends);
    </script>"""
    (tmp_path / "open.html").write_text(opened.replace("</body>", frame + "</body>"), "utf-8")
    document, console = browser(tmp_path / "open.html", "--dump-dom", "--window-size=320,700")
    assert console == []
    assert 0 < float(re.search(r'data-end="([\d.]+)"', document).group(1)) <= 320


def test_json_has_everything(book):
    found = json.loads(json.dumps(outputs.as_json(book)))
    assert set(found["results"][0]) == {field.name for field in dataclasses.fields(Result)}
    [mistake] = found["common_mistakes"]
    assert (mistake["kata"], mistake["count"]) == ("4.6", 1)
    assert mistake["explanation"].startswith("mean and variance were taken for constants")
    assert found["students"][1] == {"student": "Ada", "points": 2.0, "of": 2}
    assert found["marks"][0]["student"] == "Ada"


def test_gradescope_has_a_test_for_each_kata(book):
    mine = [result for result in book.results if result.student == "Ada"]
    one = Gradebook(["Ada"], book.katas, mine, book.marks)
    found = outputs.gradescope(one, 1.6)
    assert set(found) <= {  # what its documentation names
        *("score", "execution_time", "output", "output_format", "visibility"),
        *("stdout_visibility", "extra_data", "tests", "leaderboard"),
    }
    assert found["execution_time"] == 2
    first, second, hidden = found["tests"]
    assert (first["name"], first["number"]) == ("Kata 4.6: Layer norm, backward", "4.6")
    assert (first["score"], first["max_score"], first["status"]) == (1.0, 1.0, "passed")
    assert second["score"] == 1.0
    assert (hidden["visibility"], hidden["score"], hidden["max_score"]) == ("hidden", 0.0, 0.0)
    assert "Bob" in hidden["output"]
    assert "Bob" not in found["output"] + first["output"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    nothing = outputs.gradescope(Gradebook(["Ada"], [], [], []), 0.0)
    assert (nothing["score"], nothing["tests"]) == (0.0, [])


def test_the_folder_is_checked_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="--out is the folder of the grades"):
        outputs.check(tmp_path / "file")
    with pytest.raises(OutputError, match=r"leave out \.csv"):
        outputs.check(tmp_path / "grades.csv")
    outputs.check(tmp_path / "grades")


def test_assigned_katas_count_though_nobody_handed_them_in(submit, graded):
    submit("ada/04_6_layer_norm_backward.py", "")
    submit("ada/04_2_linear.py", "")
    katas = [catalog.find("4.2"), catalog.find("5.1")]
    book = graded(assigned=katas)
    assert isinstance(book, gradebook.Gradebook)
    assert [kata.number for kata in book.katas] == ["4.2", "5.1"]
    assert set(book.counting()) == {("ada", "4.2")}


@pytest.mark.parametrize("name", [outputs.GRADES, outputs.RESULTS, outputs.MARKS])
def test_a_table_of_the_teacher_is_not_replaced(tmp_path, book, name):
    (tmp_path / name).write_text("name,mark\nAda,1\n", encoding="utf-8")
    with pytest.raises(OutputError, match=rf"{name}: is there already, not from minilm kata grade"):
        outputs.check(tmp_path)
    (tmp_path / name).unlink()
    outputs.write(book, tmp_path)
    outputs.check(tmp_path)
