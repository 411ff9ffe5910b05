"""The bets of a class: which rows are bets, and that the scores are those of single bets."""

import pytest

from minilm.compare import report
from minilm.compare.report import bets, page, results, scoreboard, terminal
from minilm.errors import InputError, OptionError

NAMES = ("random", "tfidf", "cooccurrence")


@pytest.fixture
def view(finished):
    (only,) = results.read(finished)
    return only


def table(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "bets.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_rows_that_are_no_bets_are_named_with_line_and_reason(tmp_path):
    path = table(
        tmp_path,
        "Order,when,Student\r\n"
        "tfidf > random,9:00,Ada\r\n"
        ",,\r\n"
        "magic > random,9:01,Bob\r\n"
        "2 > 1 > 3,9:02,  Cem \r\n"
        "tfidf,9:03,Dora\r\n"
        "random > tfidf,9:04,Ada\r\n"
        "random > tfidf,9:05,\r\n"
        '"",9:06,"Eli\r\nthe second"\r\n'
        "tfidf > tfidf,9:07,Fay\r\n"
        "random",
        "utf-8-sig",
    )
    found = scoreboard.from_table(path, NAMES)
    assert found.orders == {"Ada": ["tfidf", "random"], "Cem": ["tfidf", "random", "cooccurrence"]}
    assert found.unreadable == [
        "line 4: 'magic' is not one of random, tfidf, cooccurrence",
        'line 6: a bet needs two conditions or more, such as "a > b"',
        "line 7: Ada has bet already; the first bet counts",
        "line 8: names no student",
        "line 9: Eli the second gives no order",
        "line 11: tfidf appears twice; name each condition once",
        "line 12: names no student",
    ]
    assert not found.after


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_spreadsheets_separate_in_several_ways(tmp_path, separator):
    path = table(tmp_path, f"student{separator}order\nAda{separator}1 > 2\n")
    assert scoreboard.from_table(path, NAMES).orders == {"Ada": ["random", "tfidf"]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", 'columns "student" and "order"'),
        ("name,bet\nAda,1 > 2\n", 'columns "student" and "order"'),
        ("student,order\n", "no row is a bet; write one like"),
        ("student,order\nAda,x > y\n", r"no row is a bet \(line 2: 'x' is not one of"),
    ],
)
def test_a_table_without_bets_is_refused(tmp_path, text, problem):
    with pytest.raises(InputError, match=problem):
        scoreboard.from_table(table(tmp_path, text), NAMES)


def test_a_table_in_another_encoding_is_refused(tmp_path):
    with pytest.raises(InputError, match="not UTF-8"):
        scoreboard.from_table(table(tmp_path, "student,order\nZoë,1 > 2\n", "cp1252"), NAMES)


ORDERS = {
    "best": ["transformer-finetuned", "cooccurrence", "tfidf", "random"],
    "worst": ["random", "tfidf", "cooccurrence", "transformer-finetuned"],
    "tie": ["transformer-finetuned", "cooccurrence", "tfidf", "random"],
    "half": ["transformer-finetuned", "random"],
    "gone": ["gone", "cooccurrence", "random"],
}


def test_a_bet_scores_as_it_does_alone(view):
    found = scoreboard.ClassBets(ORDERS, [])
    board = scoreboard.score(view, found)
    alone = bets.score(view, ORDERS["best"])
    decided = len(board.decided)
    rows = {row.student: row for row in board.rows}
    assert decided == alone.decided > 2
    assert len(board.pairs) == 6
    assert all(pair.difference > 0 for pair in board.decided)
    assert (rows["best"].right, rows["best"].wrong) == (alone.right, alone.decided - alone.right)
    assert rows["worst"].right == rows["best"].wrong
    assert (rows["half"].right, rows["half"].left_out) == (1, decided - 1)
    assert rows["gone"].right + rows["gone"].wrong + rows["gone"].left_out == decided
    assert rows["best"].rank == rows["tie"].rank == 1
    assert [row.student for row in board.rows[:2]] == ["best", "tie"]
    assert {row.rank for row in board.rows if row.student in ("half", "gone")} == {3}
    assert rows["worst"].rank == 5
    said = scoreboard.sentences(found, board)
    assert said[0].startswith(
        f"best and tie have the most pairs right: {alone.right} of {decided}."
    )


def test_of_equally_many_right_who_has_fewer_wrong_is_ahead(view):
    careful = ["transformer-finetuned", "random"]
    bold = ["random", "cooccurrence", "transformer-finetuned"]
    found = scoreboard.ClassBets({"bold": bold, "careful": careful}, [])
    rows = {row.student: row for row in scoreboard.score(view, found).rows}
    assert rows["careful"].rank == 1
    assert rows["bold"].rank == 2


def test_where_nothing_is_decided_or_comparable_it_says_so(view):
    found = scoreboard.ClassBets({"Ada": ["random", "cooccurrence-shuffled"]}, [])
    board = scoreboard.score(view, found)
    assert board.rows[0].rank == 1
    assert "nobody was right, and nobody wrong" in scoreboard.sentences(found, board)[0]
    found = scoreboard.ClassBets({"Ada": ["random", "gone"]}, [], after=True)
    assert scoreboard.score(view, found) is None
    assert "could not be scored" in scoreboard.sentences(found, None)[0]


def test_report_slides_and_terminal_have_the_scoreboard(make_finished):
    folder = make_finished(domains=())
    orders = {f"<b>{student}</b>\x07": order for student, order in ORDERS.items()}
    found = scoreboard.ClassBets(orders, ["line 6: <i>"], after=True)
    scoreboard.write(folder, found)
    assert scoreboard.read(folder) == found
    page.write(folder)
    page.write_slides(folder)
    for name in ("report.html", "slides.html"):
        written = (folder / name).read_text(encoding="utf-8")
        assert "&lt;b&gt;best&lt;/b&gt;" in written
        assert "<b>" not in written
        assert "<i>" not in written
        assert "These bets were added after the runs." in written
    assert 'id="scores-table"' in (folder / "report.html").read_text(encoding="utf-8")
    printed = terminal.class_bets(folder, found)
    assert "\x07" not in printed
    assert "line 6: <i>" in printed
    assert max(map(len, printed.splitlines())) <= 79


def test_damaged_bets_are_refused(tmp_path):
    assert scoreboard.read(tmp_path) is None
    (tmp_path / "bets.json").write_text('{"bets": [{}]}', encoding="utf-8")
    with pytest.raises(InputError, match="not the bets of a class"):
        scoreboard.read(tmp_path)


def test_a_page_with_a_scoreboard_says_who_is_ahead_first(make_finished):
    folder = make_finished(domains=())
    scoreboard.write(folder, scoreboard.ClassBets({"Ada": ORDERS["best"]}, ["line 3: no"]))
    written = page.write(folder).read_text(encoding="utf-8")
    assert written.index("bets: Ada has the most pairs right") < written.index("<nav")
    assert "line 3: no" in written
    assert "after the runs" not in written
    assert "Ada" in terminal.class_bets(folder, scoreboard.read(folder))


def test_conditions_in_capitals_and_orders_that_a_comma_cuts(tmp_path):
    path = table(
        tmp_path,
        "student,order\nAda,Random > TFIDF\nBob,random > tfidf, cooccurrence\nCem,tfidf>random,\n",
    )
    found = scoreboard.from_table(path, NAMES)
    assert found.orders == {"Ada": ["random", "tfidf"], "Cem": ["tfidf", "random"]}
    assert found.unreadable == [
        'line 3: has 3 values, and the first line names 2; quote the order, as in Ada,"a > b"'
    ]


def test_a_spreadsheet_is_no_table(tmp_path):
    with pytest.raises(OptionError, match=r"'bets.xlsx': save the bets of a class as a file .csv"):
        bets.parse("bets.xlsx", NAMES)


def test_nobody_right_is_no_victory():
    pair = bets.Pair("a", "b", 0.2, 0.1, 0.3, "right")
    board = scoreboard.Scoreboard(
        [scoreboard.Row(1, "Ada", ["b", "a"], 0, 1, 0)], [pair], budget=16
    )
    found = scoreboard.ClassBets({"Ada": ["b", "a"]}, [])
    assert scoreboard.sentences(found, board) == ["Nobody has a pair right, of 1."]


def test_bets_made_before_the_runs_are_not_replaced(finished, tmp_path):
    made = scoreboard.ClassBets({"Ada": ["tfidf", "random"]}, [])
    scoreboard.write(finished, made)
    try:
        with pytest.raises(InputError, match=r"bets.json: bets made before the runs"):
            report.rewrite(finished, class_bets=table(tmp_path, "student,order\nBob,1 > 2\n"))
        assert scoreboard.read(finished) == made
    finally:
        (finished / "bets.json").unlink()
