"""Notebooks as files: what is in them, and that a learner's is never overwritten."""

import ast
import json
import re

import pytest

from minilm.course import catalog, predictions, stubs
from minilm.course.notebook import writing

KATAS = catalog.all_katas()


def read(kata):
    return json.loads(writing.text(kata))


def sources(notebook):
    return {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}


@pytest.mark.parametrize("kata", KATAS, ids=lambda kata: kata.number)
def test_a_notebook_has_its_cells_and_folds_the_answers(kata):
    assert writing.text(kata) == writing.text(kata)
    notebook = read(kata)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    found = sources(notebook)
    assert len(found) == len(notebook["cells"]), "two cells have one id"
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in found)
    assert all(text.strip() for text in found.values())
    assert notebook["cells"][0]["id"] == "install"
    assert "# %pip install" in found["install"]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            ast.parse("".join(cell["source"]))
        else:
            assert "```demo" not in "".join(cell["source"])
    begun = [text for name, text in found.items() if re.fullmatch(r"page-\d+", name)]
    assert begun[0].startswith(f"# Kata {kata.number}")
    assert not any("## Live code" in text for text in begun)
    assert found["page-answers"].startswith("<details>\n<summary>")
    assert "## Live code" in found["page-answers"]
    assert found["page-answers"].endswith("</details>")
    assert found["hints"].count("<details>") == 3
    assert found["demo"].startswith(f'minilm.demo("{kata.number}"') or "(\n" in found["demo"]
    if kata.is_experiment:
        assert found["check"] == f'minilm.check("{kata.number}", predictions)'
        return
    assert found["stub"] in stubs.stub(kata)
    for verb in ("check", "plug"):
        call = ast.parse(found[verb]).body[0].value
        assert [a.id for a in call.args[1:]] == [target.name for target in kata.targets]
    if predictions.questions(kata):
        values = {}
        exec(found["predictions"], values)
        assert values["predictions"] == [""] * len(predictions.questions(kata))
    assert f"minilm kata solution {kata.number} --give-up" in found["solution"]


def test_the_page_is_all_there():
    kata = catalog.find("4.6")
    found = sources(read(kata))
    shown = "\n".join(text for name, text in found.items() if name.startswith("page-"))
    for line in kata.lesson().split("\n"):
        if not line.startswith(("```", "<!--")):
            assert line in shown


def test_a_teacher_s_kata_says_where_it_is(tmp_path, monkeypatch):
    from minilm.course import authoring

    kata = catalog.read(authoring.new(tmp_path, "12.1", "A kata of my own"))
    assert "MINILM_KATAS" in sources(read(kata))["install"]
    assert "MINILM_KATAS" not in sources(read(catalog.find("4.6")))["install"]


def changed(path, source="x = 1\n"):
    """Change a cell of a file, as a learner does."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    next(c for c in notebook["cells"] if c["id"] == "stub")["source"] = source
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path.read_bytes()


def test_a_changed_notebook_is_never_overwritten(tmp_path):
    kata = catalog.find("4.6")
    written = writing.write(kata, tmp_path / "out")
    assert not written.is_kept
    mine = changed(written.path)
    assert writing.write(kata, tmp_path / "out").is_kept
    assert written.path.read_bytes() == mine
    again = writing.write(kata, tmp_path / "out", overwrite=True)
    assert again.backup.read_bytes() == mine
    assert again.path.read_text(encoding="utf-8") == writing.text(kata)
    second = changed(again.path, "y = 2\n")
    last = writing.write(kata, tmp_path / "out", overwrite=True)
    assert (again.backup.read_bytes(), last.backup.read_bytes()) == (mine, second)
    assert again.backup != last.backup


def test_a_notebook_that_was_only_run_keeps_its_outputs(tmp_path):
    kata = catalog.find("4.6")
    path = writing.write(kata, tmp_path).path
    notebook = json.loads(path.read_text(encoding="utf-8"))
    check = next(c for c in notebook["cells"] if c["id"] == "check")
    check["execution_count"] = 3
    check["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "hello"}]
    notebook["cells"].append({"cell_type": "code", "id": "x", "source": "", "outputs": []})
    path.write_text(json.dumps(notebook), encoding="utf-8")
    before = path.read_bytes()
    written = writing.write(kata, tmp_path)
    assert (written.is_kept, written.backup) == (False, None)
    assert path.read_bytes() == before


def test_an_older_notebook_that_nobody_changed_is_brought_up_to_date(tmp_path, monkeypatch):
    kata = catalog.find("4.6")
    monkeypatch.setattr(writing, "_NOTE", "Older.")
    path = writing.write(kata, tmp_path).path
    monkeypatch.undo()
    assert path.read_text(encoding="utf-8") != writing.text(kata)
    assert not writing.write(kata, tmp_path).is_kept
    assert path.read_text(encoding="utf-8") == writing.text(kata)


@pytest.mark.parametrize("content", ["", "not JSON", "[]", '{"cells": 3}', '{"cells": []}', "\xff"])
def test_whatever_else_is_there_is_kept(tmp_path, content):
    kata = catalog.find("4.6")
    path = tmp_path / f"{kata.name}.ipynb"
    path.write_bytes(content.encode("latin-1"))
    assert writing.write(kata, tmp_path).is_kept
    assert path.read_bytes() == content.encode("latin-1")
