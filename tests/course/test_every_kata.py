"""What is promised of every kata: its check, its wrong answers, its page, its demo."""

import ast
import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from minilm.course import cases, catalog, checking, demos, loading, stubs, targets, trials, values
from minilm.errors import ModelError
from minilm.store import packaged

KATAS = catalog.all_katas()
WITH_TARGETS = [kata for kata in KATAS if not kata.is_experiment]
FILE = Path("mykatas/answer.py")
LONG = {"6.5"}  # its demo trains for a minute
NOT_WRITTEN = 'raise NotImplementedError("not written yet")'


def load_mutations():
    path = Path(__file__).with_name("mutations.py")
    spec = importlib.util.spec_from_file_location("kata_mutations", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


mutations = load_mutations()
every_kata = pytest.mark.parametrize("kata", KATAS, ids=lambda kata: kata.number)
every_target = pytest.mark.parametrize("kata", WITH_TARGETS, ids=lambda kata: kata.number)


@every_target
def test_the_solution_passes_and_the_stub_is_not_written_yet(kata):
    solved = checking.check_source(kata, stubs.solution(kata), FILE)
    assert solved.passed, solved.failure
    begun = checking.check_source(kata, stubs.stub(kata), FILE)
    assert not begun.passed
    assert begun.failure.text == "not written yet"
    assert begun.failure.line is not None
    again = checking.check_source(kata, stubs.solution(kata), FILE)
    assert again.passed


@every_target
def test_stub_and_solution_have_the_librarys_signature(kata):
    for source in (stubs.stub(kata), stubs.solution(kata)):
        functions = loading.load(kata, source, FILE)  # raises where a signature differs
        assert list(functions) == [target.name for target in kata.targets]
    head = f"Kata {kata.number}  {kata.title}"
    stub = ast.get_docstring(ast.parse(stubs.stub(kata)))
    assert stub.startswith(f"{head}\n")
    assert f"minilm kata check {kata.number} " in stub
    assert stubs.stub(kata).count(NOT_WRITTEN) >= len(kata.targets)
    if stubs.has_own_solution(kata):
        assert ast.get_docstring(ast.parse(stubs.solution(kata))) == f"{head}: a solution."
        assert kata.library.endswith("."), "kata.toml: say what the library does differently"


@every_target
def test_the_solution_is_the_librarys_function(kata):
    functions = loading.load(kata, stubs.solution(kata), FILE)
    material = trials.material(kata)
    compared = 0
    for case, right in zip(material.cases, material.right, strict=True):
        mine = cases.run(case, functions[case.target])
        assert type(mine.error) is type(right.error)
        for name, expected in right.results.items():
            single = getattr(expected, "dtype", None) == np.float32
            tolerance = case.tolerance if single else 1e-10
            found = values.difference(expected, mine.results[name], tolerance)
            assert found is None, f"{case.name}: {name} {found.text}"
            compared += 1
    assert compared


@every_target
def test_the_first_case_of_a_target_is_a_plain_one(kata):
    for target in kata.targets:
        case, _ = trials.material(kata).of(target.name)[0]
        assert case.raises is None
        arrays = [v for v in case.inputs.values() if isinstance(v, np.ndarray)]
        assert all(a.dtype != np.float32 for a in arrays)


@every_target
def test_every_wrong_answer_is_diagnosed_by_its_own_name(kata):
    wrong = kata.mistakes()
    assert len(wrong) >= (8 if kata.phase in range(1, 12) else 1)
    for mistake in wrong:
        report = checking.check_functions(kata, mistake.functions)
        assert not report.passed, f"{mistake.name} passes"
        assert report.failure.mistake == mistake.name, report.failure
        first = mistake.explanation.splitlines()[0]
        assert len(mistake.explanation) > 60, f"{mistake.name}: explain it"
        assert first.rstrip()[-1] in ".,:;?" or len(mistake.explanation.splitlines()) > 1


@pytest.mark.slow
@every_target
def test_no_mutation_of_the_solution_passes_unless_it_changes_nothing(kata):
    survivors, tried = mutations.survivors(kata)
    listed = mutations.equivalent(kata)
    found = {(m.target, m.change) for m in survivors}
    assert found - set(listed) == set()
    assert set(listed) - found == set(), "listed as equivalent, but killed or gone"
    assert all(listed.values()), "a reason is missing"
    assert tried > 2 * len(found)


@every_target
def test_every_function_is_a_part_of_the_whole_model(kata):
    def unusable(*arguments, **options):
        raise RuntimeError("it was called")

    assert trials.model_problem(kata, {}) is None
    for target in kata.targets:
        part = unusable
        if target.is_class:
            part = type("Part", (), dict.fromkeys(targets.methods(target.reference), unusable))
        said = trials.model_problem(kata, {target.name: part})
        assert said == "inside the whole model it raises RuntimeError: it was called"


@pytest.mark.slow
def test_there_are_two_hundred_mutations():
    pairs = [(kata, target) for kata in WITH_TARGETS for target in kata.targets]
    assert sum(1 for kata, target in pairs for _ in mutations.mutations(kata, target)) >= 200


@every_kata
def test_the_page_has_its_parts(kata):
    text = kata.lesson()
    assert text.startswith(f"# Kata {kata.number}  {kata.title}\n")
    wanted = [
        "## Concept and intuition",
        "### What problem are we solving?",
        "### Why earlier methods fail",
        "### Mental models",
        "### A diagram",
        "### In symbols",
        "## Hands-on exploration",
        "## Live code",
        "## In real models",
        "## Key takeaways",
        "## Exercises",
    ]
    headings = [line for line in text.splitlines() if re.match("#{2,3} ", line)]
    assert [h for h in headings if h in wanted] == wanted
    before, marker, after = text.partition("\n<!-- answers below -->\n")
    assert marker, "the page has no marker between the predictions and their answers"
    assert before.rsplit("\n## ", 1)[1].startswith("Hands-on exploration")
    assert after.startswith("\n## Live code")
    exploration = text.split("## Hands-on exploration")[1].split("\n## ")[0]
    words = sum(any(letter.isalpha() for letter in word) for word in before.split())
    limit = 600 if kata.phase == 1 else 900
    assert words < limit, f"{words} words before the live code"
    numbers = re.findall(r"^(\d)\. ", exploration, re.M)
    assert numbers[:3] == ["1", "2", "3"]
    diagram = text.split("### A diagram")[1].split("\n##")[0]
    assert re.search(r"^(    \S|```)", diagram, re.M)
    too_wide = [line for line in block_lines(text) if len(line) > 60]
    assert too_wide == []


def block_lines(text):
    """Yield the lines of indented and fenced blocks, as they are shown."""
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced:
            yield line
        elif line.startswith("    "):
            yield line[4:]


def slow(kata):
    """Return a kata as a parameter, marked where its demo takes minutes."""
    marks = [pytest.mark.slow] if kata.is_experiment or kata.number in LONG else []
    return pytest.param(kata, marks=marks, id=kata.number)


@pytest.mark.parametrize("kata", [slow(kata) for kata in KATAS])
def test_the_page_quotes_what_the_demo_prints(kata, tmp_path, monkeypatch, capsys):
    if kata.needs:
        try:
            packaged.find(kata.needs)
        except ModelError as error:
            pytest.skip(str(error))
    monkeypatch.chdir(tmp_path)
    demos.run(kata, {}, Path("mykatas"))
    printed = capsys.readouterr().out.splitlines()
    quotes = re.findall(r"^```demo\n(.*?)^```", kata.lesson(), re.M | re.S)
    assert quotes, "quote what the demo prints"
    assert all(len(line) <= 60 for line in printed)
    at = 0
    for quote in quotes:
        for piece in re.split(r"^\.\.\.\n", quote, flags=re.M):
            lines = piece.splitlines()
            places = [
                i
                for i in range(at, len(printed) - len(lines) + 1)
                if printed[i : i + len(lines)] == lines
            ]
            assert places, f"the demo does not print {lines}"
            at = places[0] + len(lines)


@every_kata
def test_kata_toml(kata):
    assert kata.folder.name.startswith("{:02d}_{}_".format(*kata.order)), (
        "the folder has the number in its name"
    )
    assert kata.phase == kata.order[0]
    assert 1 <= kata.difficulty <= 5
    assert 5 <= kata.minutes <= 90
    assert all(len(hint) > 20 for hint in kata.hints)


def test_numbers_are_unique():
    numbers = [kata.number for kata in KATAS]
    assert len(set(numbers)) == len(numbers)
