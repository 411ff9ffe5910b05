"""Pictures: whole files, the same each time, in the one style."""

import os
import subprocess
import sys

import matplotlib as mpl
import pytest

from minilm import drawing
from minilm.errors import OptionError


def draw(figure):
    axes = figure.add_subplot()
    axes.plot([1, 2], label="映画")  # letters that the font may lack
    axes.legend()
    assert mpl.rcParams["font.size"] == drawing.STYLE["font.size"]


@pytest.mark.parametrize(("name", "begin"), [("a.png", b"\x89PNG"), ("a.SVG", b"<?xml")])
def test_a_picture_is_the_same_each_time(name, begin, tmp_path):
    path = tmp_path / name
    before = mpl.rcParams["font.size"]
    drawing.write(path, draw)
    first = path.read_bytes()
    assert first.startswith(begin)
    drawing.write(path, draw)
    assert path.read_bytes() == first
    assert mpl.rcParams["font.size"] == before


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.png"
    drawing.write(path, draw)
    first = path.read_bytes()

    def fail(figure):
        raise OptionError("no")

    with pytest.raises(OptionError, match="no"):
        drawing.write(path, fail)
    assert path.read_bytes() == first
    with pytest.raises(OptionError, match=r"a\.pdf: a picture's name ends in \.png or \.svg"):
        drawing.write(tmp_path / "a.pdf", draw)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


TRAIN = """
import sys
from pathlib import Path
from minilm.training import log
folder = Path(sys.argv[1])
(folder / "log.csv").write_text(Path(sys.argv[2]).read_text(encoding="utf-8"), encoding="utf-8")
log.draw(folder)
from minilm.compare.report import pictures
assert "matplotlib.pyplot" not in sys.modules
"""


@pytest.mark.parametrize(
    "backend",
    [
        "module://matplotlib_inline.backend_inline",  # Jupyter, Colab since 2024
        "module://ipykernel.pylab.backend_inline",  # older ones
        "module://absent.backend",
        "tkagg",  # needs a display
    ],
)
def test_a_backend_of_the_surroundings_does_no_harm(backend, tmp_path):
    """`minilm` started from a cell inherits MPLBACKEND, and may run in another environment."""
    rows = tmp_path / "rows.csv"
    rows.write_text("step,learning_rate,loss,gradient_norm,tokens_per_second\n1,0.1,2,1,9\n")
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, str(tmp_path), str(rows)],
        env={**environment, "MPLBACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
