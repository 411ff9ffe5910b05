"""A class of thirty, made of the course's own solutions, stubs and named wrong answers.

    python tests/course/grading/thirty.py FOLDER

Ten students hand in through Moodle, ten through Canvas, and ten send a zip.
"""

import ast
import random
import sys
import zipfile
from pathlib import Path

from minilm.course import catalog, stubs

NUMBERS = ("1.2", "2.3", "3.2", "4.2", "4.4", "4.6", "5.1", "5.3")
FIRST = "Ada Bob Cem Dora Eli Fay Gus Hana Ivo Jun".split()
LAST = ("Lovelace", "Noether", "Hopper")


def wrong_files(kata):
    """Return files of a kata that are wrong in a way that has a name: by that name."""
    given = ast.parse((kata.folder / "wrong.py").read_text(encoding="utf-8")).body
    solved = ast.parse(stubs.solution(kata)).body
    targets = {target.name for target in kata.targets}
    named = {node.name: node for node in given if _wanted(node)}
    common = [n for n in given if n not in named.values() and not _is_of_course(n)]
    found = {}
    for name, node in named.items():
        wanted = _wanted(node)
        others = [named[other] for other in sorted(_names(node) & set(named) - {name})]
        uses = {n.attr for part in (node, *common) for n in ast.walk(part) if _is_library(n)}
        if uses & targets or any(_names(other) & set(named) for other in others):
            continue  # it calls the library's function, which a submission may not
        written = _written(node, wanted)
        for other in others:
            other.decorator_list = []
        kept = [n for n in solved if getattr(n, "name", "") not in wanted]
        parts = [ast.unparse(n) for n in (*kept, *common, *others, *written)]
        future = "from __future__ import annotations"
        found[name] = "\n\n".join([future, *(p for p in parts if p != future)]) + "\n"
    return found


def _wanted(node):
    """Return the targets that a definition of wrong.py takes the place of."""
    for call in getattr(node, "decorator_list", []):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "mistake":
            return [argument.value for argument in call.args]
    return []


def _is_of_course(node):
    return isinstance(node, ast.ImportFrom) and node.module.startswith("minilm.course")


def _is_library(node):
    return isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "F"


def _names(node):
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _written(node, wanted):
    """Return a wrong answer under the names of what it takes the place of."""
    if len(wanted) == 1:
        copy = ast.parse(ast.unparse(node)).body[0]
        copy.name, copy.decorator_list = wanted[0], []
        return [copy]
    methods = [n for n in ast.parse(ast.unparse(node)).body[0].body if hasattr(n, "name")]
    for method in methods:
        method.decorator_list = []
    return methods


def hand_ins(seed=0):
    """Yield (student, kata, source, what it is) for the class."""
    rng = random.Random(seed)
    katas = [catalog.find(number) for number in NUMBERS]
    wrong = {kata.number: wrong_files(kata) for kata in katas}
    for last in LAST:
        for first in FIRST:
            for kata in katas:
                kind = rng.choices(("solution", "wrong", "stub", ""), (50, 35, 10, 5))[0]
                if kind == "wrong":
                    kind = rng.choice(sorted(wrong[kata.number]))
                    yield f"{first} {last}", kata, wrong[kata.number][kind], kind
                elif kind:
                    source = getattr(stubs, "solution" if kind == "solution" else "stub")(kata)
                    yield f"{first} {last}", kata, source, kind


def write(folder):
    """Write the class into a folder; return what each student handed in for each kata."""
    kinds = {}
    for i, (student, kata, source, kind) in enumerate(hand_ins()):
        first, last = student.split()
        name = f"{kata.name}.py"
        if last == "Lovelace":
            place = folder / f"{student}_{1000 + FIRST.index(first)}_assignsubmission_file_"
            place.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(source, encoding="utf-8")
        elif last == "Noether":
            student = f"{last}{first}".lower()
            place = folder / f"{student}_{2000 + FIRST.index(first)}_{50000 + i}_{kata.name}-1.py"
            place.write_text(source, encoding="utf-8")
        else:
            student = f"{first}-{last}"
            with zipfile.ZipFile(folder / f"{student}.zip", "a") as archive:
                archive.writestr(f"mykatas/{name}", source)
        kinds[student, kata.number] = kind
    return kinds


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.mkdir(parents=True)
    print(f"{len(write(place))} files in {place}")
