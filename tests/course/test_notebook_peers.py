"""Every notebook, run as Jupyter runs it: with its solution in place, and without."""

import asyncio
import importlib.util
import os
import re
from pathlib import Path

import pytest

import minilm
from minilm.course import catalog, experiments, stubs
from minilm.course.notebook import writing
from minilm.errors import ModelError
from minilm.store import packaged

pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("default"),  # what Jupyter's own packages warn of is not ours
]
# The capstone compares whole models for minutes, with parts from files.
APART = ("10.4",)
KATAS = [kata for kata in catalog.all_katas() if kata.number not in APART]
KERNELS = 2
PLUG = "steps=2, words=10_000"
# Fewer steps and texts for the demos that take long.
SHORTER = {
    "1.3": "CHARACTERS=20_000",
    "3.2": "DRAWS=2",
    "6.5": "SECONDS=1.0",
    "7.5": "STEPS=20, EVERY=10",
    "8.4": "DRAWS=1",
    "8.5": "DRAWS=2",
    "9.3": "SEEDS=1, BASE_STEPS=5, EPOCHS=1, RESAMPLES=99",
    "10.1": "DRAWS=2",
}
# Before each notebook: nothing is left of the one before. Checks may take as long as a busy machine
# needs, and the plug fine-tunes for a few steps only.
FRESH = """\
%reset -f
from minilm.course import plugging, sessions
getattr(plugging, "reviewing", plugging)._UPDATES = 4
sessions.CHECK_SECONDS = 60
"""
WRONG = (
    'raise NotImplementedError("not written yet")',
    (
        "normalized, rstd, gain = cache\n    d = dy * gain\n"
        "    return rstd * d, (dy * normalized).sum(axis=tuple(range(dy.ndim - 1))), dy.sum(axis=0)"
    ),
)


def cells(nb):
    """Return the cells of a notebook by their ids."""
    return {cell["id"]: cell for cell in nb.cells}


def with_solution(kata, nb):
    found = cells(nb)
    if kata.is_experiment:
        values = {
            q.name: "for one of many reasons" if q.words else (q.low + q.high) / 2
            for q in experiments.questions(kata)
        }
        found["predictions"].source = f"predictions = {values!r}"
    else:
        found["stub"].source = writing.without_docstring(stubs.solution(kata))
        found["plug"].source = added(found["plug"].source, PLUG)
    if kata.number in SHORTER:
        found["demo"].source = added(found["demo"].source, SHORTER[kata.number])
    return nb


def added(call, arguments):
    """Return a call with more arguments."""
    return f"{call.rstrip().removesuffix(')').rstrip().removesuffix(',')}, {arguments})"


async def run_in_one_kernel(notebooks, folder):
    """Run notebooks one after another; their cells get the outputs."""
    import nbformat
    from nbclient import NotebookClient

    joined = nbformat.v4.new_notebook()
    joined.cells = [cell for nb in notebooks for cell in nb.cells]
    # Warnings of the kernel itself are about the machine that this runs on.
    quiet = ["--log-level=40"]
    client = NotebookClient(joined, timeout=300, allow_errors=True, extra_arguments=quiet)
    await client.async_execute(cwd=str(folder))


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Return every notebook after it ran, by number; the ones with names are not solved."""
    if not all(importlib.util.find_spec(n) for n in ("nbclient", "nbformat", "ipykernel")):
        if os.environ.get("MINILM_REQUIRE_PEERS"):
            pytest.fail("the peers stage needs the packages of the extra notebook")
        pytest.skip("needs the packages of the extra notebook")
    import nbformat

    def read(number):
        nb = nbformat.reads(writing.text(catalog.find(number)), as_version=4)
        nbformat.validate(nb)
        return nb

    found = {kata.number: with_solution(kata, read(kata.number)) for kata in KATAS}
    found |= {"stub": read("4.6"), "wrong": read("4.6"), "empty": read("10.1")}
    stub = cells(found["wrong"])["stub"]
    stub.source = stub.source.replace(*WRONG)
    found["unknown"] = read("4.6")
    cells(found["unknown"])["check"].source = 'minilm.check("4.66")'
    for nb in found.values():
        cells(nb)["install"].source = FRESH + cells(nb)["install"].source
    folder = tmp_path_factory.mktemp("notebooks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(minilm.__file__).parent.parent))
        patch.setenv("OPENBLAS_NUM_THREADS", "1")
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        for variable in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(variable, str(tmp_path_factory.mktemp("jupyter")))
        notebooks = list(found.values())

        async def run_all():
            shares = [notebooks[i::KERNELS] for i in range(KERNELS)]
            await asyncio.gather(*(run_in_one_kernel(share, folder) for share in shares))

        asyncio.run(run_all())
    assert not list(folder.iterdir()), "a notebook has written something"
    return found


def outputs(nb, name):
    """Return what a cell gave: its outputs as plain text, and all of their kinds."""
    found = cells(nb)[name]["outputs"]
    kinds = {kind for output in found for kind in output.get("data", {})}
    said = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in found]
    return "\n".join(said), kinds


def errors(nb):
    return [
        f"{cell['id']}: {output['ename']}: {output['evalue']}"
        for cell in nb.cells
        for output in cell.get("outputs", ())
        if output["output_type"] == "error"
    ]


@pytest.mark.parametrize("kata", KATAS, ids=lambda kata: kata.number)
def test_a_notebook_runs_with_its_solution(executed, kata):
    if kata.needs:
        try:
            packaged.find(kata.needs)
        except ModelError as error:
            pytest.skip(str(error))
    nb = executed[kata.number]
    assert errors(nb) == []
    said, kinds = outputs(nb, "check")
    assert "passed in" in said
    assert "!!" not in said
    assert "text/html" in kinds
    said, kinds = outputs(nb, "demo")
    assert "!!" not in said
    assert "image/png" in kinds or "course.picture" not in (kata.folder / "demo.py").read_text()
    if kata.is_experiment:
        assert "compare yours with" in outputs(nb, "check")[0]
    else:
        assert f"with your {kata.targets[0].name}" in said
        said, kinds = outputs(nb, "plug")
        assert "loss, held out" in said
        assert "text/html" in kinds


def test_a_stub_fails_without_a_traceback(executed):
    nb = executed["stub"]
    assert errors(nb) == []
    said, kinds = outputs(nb, "check")
    assert "not written yet" in said
    assert re.search(r"line \d+ of your cell", said)
    assert "text/html" in kinds
    assert "with the library's layer_norm_backward" in outputs(nb, "demo")[0]
    assert "not written yet" in outputs(nb, "plug")[0]


def test_a_wrong_answer_is_named_with_the_line_of_its_cell(executed):
    nb = executed["wrong"]
    assert errors(nb) == []
    said, _ = outputs(nb, "check")
    assert "Looks like:" in said
    html = cells(nb)["check"]["outputs"][0]["data"]["text/html"]
    assert "of your cell: <code>return rstd * d" in html
    assert "with your layer_norm_backward" in outputs(nb, "demo")[0]
    assert "Looks like:" in outputs(nb, "plug")[0]


def test_an_experiment_without_predictions_does_not_run(executed):
    nb = executed["empty"]
    assert errors(nb) == []
    assert "write your predictions first. random_on_six is not written" in outputs(nb, "demo")[0]
    assert "random_on_six is not written yet" in outputs(nb, "check")[0]


def test_a_mistake_in_a_call_is_told_in_one_line(executed):
    [error] = [o for o in cells(executed["unknown"])["check"]["outputs"] if "ename" in o]
    assert len(error["traceback"]) == 1
    assert error["traceback"][0].startswith("OptionError: there is no kata '4.66'; ")
