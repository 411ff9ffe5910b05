"""Everything about a graded class in one place: students by katas, mistakes, marks, refusals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from minilm.course import catalog
from minilm.course.catalog import Kata
from minilm.course.grading import marks, running
from minilm.course.grading.marks import Mark
from minilm.course.grading.running import Graded, Result
from minilm.course.grading.submissions import HandedIn


@dataclass(frozen=True)
class Gradebook:
    """A graded class.

    Attributes
    ----------
    students : list of str
    katas : list of Kata
        Those that count: each is worth a point.
    results : list of Result
        Of every file, by student, kata and try.
    marks : list of Mark
    unrecognized : list of str
        Files of code that belong to no kata.
    tries : str
        Which try counts: "best" or "last".
    """

    students: list[str]
    katas: list[Kata]
    results: list[Result]
    marks: list[Mark]
    unrecognized: list[str] = field(default_factory=list)
    tries: str = "best"

    def counting(self) -> dict[tuple[str, str], Result]:
        """Return the result that counts, by student and number of the kata."""
        numbers = {kata.number for kata in self.katas}
        return {(r.student, r.kata): r for r in self.results if r.counts and r.kata in numbers}

    def total(self, student: str) -> float:
        """Return a student's points."""
        return round(sum(r.points for (who, _), r in self.counting().items() if who == student), 2)

    def passed(self) -> int:
        """Return how many katas all students together have passed."""
        return sum(result.passed for result in self.counting().values())

    def refused(self) -> list[Result]:
        """Return what could not be checked at all."""
        return [result for result in self.results if result.stage == running.REFUSED]

    def common_mistakes(self) -> list[tuple[str, str, int]]:
        """Return (kata, mistake, how many students), the most common first.

        All tries are looked at: what many got wrong at first is worth a minute in class too.
        """
        students: dict[tuple[str, str], set[str]] = defaultdict(set)
        for result in self.results:
            if result.mistake:
                students[result.kata, result.mistake].add(result.student)
        counts = Counter({key: len(who) for key, who in students.items()})
        return [(kata, mistake, count) for (kata, mistake), count in counts.most_common()]

    def of_student(self, student: str) -> list[Result]:
        """Return everything of one student."""
        return [result for result in self.results if result.student == student]


def make(
    handed_in: HandedIn,
    graded: Sequence[Graded],
    *,
    assigned: Sequence[Kata] = (),
    best: bool = True,
) -> Gradebook:
    """Return the gradebook of a class.

    Parameters
    ----------
    handed_in : HandedIn
    graded : sequence of Graded
        Of all its submissions, in any order.
    assigned : sequence of Kata
        The katas that count; by default those that anybody handed in.
    best : bool
        Whether a student's best try counts, or the last.
    """
    ordered = running.counted(graded, best=best)
    numbers = {one.result.kata for one in ordered if one.result.kata}
    found = marks.of_class(
        [(one.result.student, one.result.kata, one.seen) for one in ordered if one.result.kata],
        handed_in.states,
    )
    found += [
        Mark(
            one.result.student, one.result.kata, marks.CHANGED, "changed predictions after the run"
        )
        for one in ordered
        if "(changed after the run" in one.result.note
    ]
    order = {student: i for i, student in enumerate(handed_in.students)}
    return Gradebook(
        handed_in.students,
        list(assigned) or [kata for kata in catalog.all_katas() if kata.number in numbers],
        [one.result for one in ordered],
        sorted(found, key=lambda m: (order.get(m.student, -1), catalog.find(m.kata).order)),
        handed_in.unrecognized,
        "best" if best else "last",
    )
