"""A GitHub Actions file for a classroom repository: each push is graded, with the feedback to read.

In a classroom each student has a repository of their own, made from the teacher's. The workflow
needs no secrets and may only read; what it installs is a line to fill in.
"""

from __future__ import annotations

from pathlib import Path

from minilm import files
from minilm.errors import OutputError

TEXT = """\
# Grades the katas of this repository on every push; the feedback is on the page of the run.
# Keep it at .github/workflows/kata.yml of the repository that students start from.
name: katas

on:
  push:
  workflow_dispatch:

permissions:
  contents: read

concurrency:
  group: katas-${{ github.ref }}
  cancel-in-progress: true

jobs:
  grade:
    runs-on: ubuntu-latest
    timeout-minutes: 20
    steps:
      - uses: actions/checkout@v4
        with:
          persist-credentials: false
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - name: Install minilm
        # Where your class has minilm from: a package index, or git+https://... of your copy.
        run: python -m pip install minilm
      - name: Grade
        env:
          STUDENT: ${{ github.actor }}
        run: minilm kata grade . --student "$STUDENT" --out "$RUNNER_TEMP/grades"
      - name: Show the feedback
        run: |
          {
            echo '```text'
            cat "$RUNNER_TEMP"/grades/feedback/*.txt
            echo '```'
          } >> "$GITHUB_STEP_SUMMARY"
      - uses: actions/upload-artifact@v4
        with:
          name: grades
          path: ${{ runner.temp }}/grades
"""


def write(path: Path) -> None:
    """Write the workflow.

    Raises
    ------
    OutputError
        When there is a file already: it is never overwritten.
    """
    if path.exists():
        raise OutputError(
            f"{path}: is there already, and is kept; remove it first, or print the "
            "workflow with --workflow alone"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.atomic_write(path) as file:
        file.write(TEXT)
