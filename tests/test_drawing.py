"""Pictures: whole files, the same each time, in the one style."""

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
