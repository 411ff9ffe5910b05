"""The other side of a race: another library in a process of its own, which waits for its turn.

The two sides take turns, so that a noisy machine is noisy for both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, cast

from minilm.errors import MinilmError
from minilm.threads import BLAS_VARIABLES


class Peer:
    """A module of this package, run in a process; it answers each line with a line of JSON.

    Parameters
    ----------
    module : str
        Such as `minilm.bench.torch_train`.
    arguments : str
        Its command line.

    Raises
    ------
    MinilmError
        From `ask`, when the process has ended.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self.module = module
        # What was set for our BLAS must not reach the other's.
        environment = {k: v for k, v in os.environ.items() if k not in BLAS_VARIABLES}
        package = str(Path(__file__).resolve().parents[2])
        paths = [package, *filter(None, [environment.get("PYTHONPATH")])]
        environment["PYTHONPATH"] = os.pathsep.join(paths)
        # -P: a file of the user's folder that is named like a module of the library stays out.
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment,
        )
        self._questions = cast(IO[str], self.process.stdin)
        self._answers = cast(IO[str], self.process.stdout)

    def ask(self, question: object) -> Any:
        """Send a line and return the answer."""
        try:
            print(question, file=self._questions, flush=True)
            return json.loads(self._answers.readline())
        except (OSError, ValueError):
            self.close()
            raise MinilmError(
                f"the process of {self.module} ended early; its own message is above"
            ) from None

    def close(self) -> None:
        """End the process."""
        self.process.communicate()
