"""What in a student's code is not the student's, and who is not accused."""

import re
from pathlib import Path

import pytest

from minilm.course import catalog, stubs
from minilm.course.grading import marks

KATAS = [kata for kata in catalog.all_katas() if not kata.is_experiment]
ATTEMPTS = Path(__file__).parents[1] / "attempts"


def of(*files, states=None):
    """Return the marks of files, (student, kata, source)."""
    seen = [(s, n, marks.seen(catalog.find(n), source)) for s, n, source in files]
    return [(m.student, m.kind, m.text) for m in marks.of_class(seen, states or {})]


def renamed(source):
    """Return a solution as somebody hides that it is one: names, comments, docstrings, types."""
    for old, new in (("dweights", "a"), ("dscores", "b"), ("weights", "w"), ("keep", "mask")):
        source = re.sub(rf"\b{old}\b", new, source)
    source = re.sub(r'"""Return.*?"""', '"""Mine, all mine."""\n    # yes', source, flags=re.S)
    return source.replace("(dy: Array, cache: Cache) -> tuple[Array, Array, Array]", "(dy, cache)")


def test_a_copy_of_the_solution_is_seen_under_other_names():
    solution = stubs.solution(catalog.find("5.3"))
    assert renamed(solution) != solution
    said = "the same code as the solution's (attention_backward)"
    assert of(("ada", "5.3", solution), ("bob", "5.3", renamed(solution))) == [
        ("ada", "solution", said),
        ("bob", "solution", said),
    ]


def test_a_copy_of_another_student_is_seen_and_the_stub_is_nobodys():
    kata = catalog.find("5.3")
    own = (
        stubs.solution(kata).replace("np.sqrt", "math.sqrt").replace("return", "x = 1\n    return")
    )
    found = of(
        ("ada", "5.3", own),
        ("bob", "5.3", own.replace("dscores", "d")),
        ("bob", "5.3", own),
        ("cem", "5.3", own.replace("x = 1", "x = 2")),
        ("dora", "5.3", stubs.stub(kata)),
        ("eli", "5.3", stubs.stub(kata)),
        ("fay", "5.3", "no Python at all ("),
    )
    assert found == [
        ("ada", "same code", "the same code as bob's (attention_backward)"),
        ("bob", "same code", "the same code as ada's (attention_backward)"),
    ]


@pytest.mark.parametrize("number", ["4.2", "4.3", "4.5", "4.6", "6.1"])
def test_short_plain_functions_accuse_nobody(number):
    source = stubs.solution(catalog.find(number))
    found = of(("ada", number, source), ("bob", number, source))
    assert found == []


def test_independent_attempts_accuse_nobody():
    """Attempts written without the solution at hand: what is the same is below the threshold."""
    counted = 0
    for path in sorted(ATTEMPTS.glob("[0-9][0-9]_[0-9].txt")):  # others are varied from one
        kata = catalog.find("{}.{}".format(*map(int, path.stem.split("_"))))
        files = []
        for part in re.split(r"^#: ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
            head, _, code = part.partition("\n")
            files.append((head, kata.number, code))
            counted += 1
        assert [text for text in of(*files) if text[1] != marks.LIBRARY] == [], kata.number
    assert counted > 300


@pytest.mark.parametrize("kata", KATAS, ids=lambda kata: kata.number)
def test_stub_and_solution_use_nothing_of_the_library_that_they_should_write(kata):
    for source in (stubs.stub(kata), stubs.solution(kata)):
        assert marks.seen(kata, source)["library"] == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("from minilm.nn.functional import attention_backward", "imports the library's"),
        ("from minilm.nn.functional import *", "imports everything from"),
        ("from minilm.nn import functional as F\nx = F.attention_backward", "uses the library's"),
        ("import minilm.nn.functional\nminilm.nn.functional.attention_backward", "uses the lib"),
        ("from minilm.course import stubs", "imports minilm.course.stubs, which knows"),
        ("import minilm.course.catalog", "imports minilm.course.catalog, which knows"),
        ("import minilm.nn\ngetattr(minilm.nn, 'attention_backward')", "looks attention_backward"),
    ],
)
def test_uses_of_the_library_are_seen(source, said):
    [(student, kind, text)] = of(("ada", "5.3", source))
    assert (student, kind) == ("ada", "library")
    assert text.startswith(said)


def test_a_name_of_ones_own_is_no_use_of_the_library():
    source = "class A: ...\nattention = A()\nattention.attention_backward = 1\n"
    source += "from minilm.nn import functional as F\nF.softmax\nprint('attention_backward')"
    assert of(("ada", "5.3", source)) == []


def test_a_copy_of_the_library_is_seen_where_it_differs_from_the_solution():
    import inspect

    for kata in KATAS:
        for target in kata.targets:
            source = inspect.getsource(target.reference)
            found = marks.seen(kata, source)["functions"].get(target.name, ("", 0))
            if stubs.has_own_solution(kata) and found[1] >= marks.SMALLEST:
                kinds = {kind for _, kind, _ in of(("ada", kata.number, source))}
                assert kinds & {"library", "solution"}, target.path


def test_solutions_taken_are_marked():
    states = {
        "ada": {"4.6": {"solution": "given up"}},
        "bob": {"4.6": {"solution": "after passing"}},
    }
    assert of(states=states) == [("ada", "gave up", "took the solution before passing (--give-up)")]
