"""Live code of kata 7.4: a file byte by byte, a GPT on disk, and what a reader notices."""

from __future__ import annotations

import importlib
import importlib.util
import io
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from minilm import drawing
from minilm.course.demos import Course
from minilm.errors import ModelError
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT
from minilm.store import safetensors

CONFIG = GPTConfig(vocab_size=1000, n_positions=64, n_embd=64, n_layer=2, n_head=4)
COLUMNS = 16


def run(course: Course) -> None:
    """Print a file, write and read a model, and damage it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        by_hand()
        model(path)
        damage(path)
        layouts()
        course.picture(draw(), "bytes")
        package(path)


def dumped(tensors: dict[str, np.ndarray]) -> bytes:
    """Return a file as bytes."""
    file = io.BytesIO()
    safetensors.dump(tensors, file)
    return file.getvalue()


def by_hand() -> None:
    """Print the page's example, eight bytes in a line."""
    data = dumped({"b": np.array([1.0, 2.0], np.float32)})
    print(f"one array of two numbers: {len(data)} bytes")
    for start in range(0, len(data), 8):
        line = data[start : start + 8]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in line)
        print(f"  {start:2}  {line.hex(' ')}  |{shown}|")


def model(path: Path) -> None:
    """Save a GPT, and compare the one that comes back."""
    gpt = GPT(CONFIG, rng=np.random.default_rng(0))
    tensors = dict(gpt.parameters)
    safetensors.save(tensors, path)
    numbers = gpt.parameters.count()
    header = path.stat().st_size - 4 * numbers
    print(f"a GPT: {len(tensors)} arrays, {numbers:,} numbers")
    print(f"  4 bytes each: {4 * numbers:,}; all else: {header:,}")
    back = GPT(CONFIG, rng=np.random.default_rng(1))
    for name, tensor in safetensors.load(path).items():
        back.parameters[name][...] = tensor
    ids = [[3, 1, 4, 1, 5, 9]]
    same = np.array_equal(gpt.logits(ids), back.logits(ids))
    print(f"  the logits of the one that comes back are equal: {same}")


def damage(path: Path) -> None:
    """Damage copies of the file, each in one way, and open them."""
    data = path.read_bytes()
    middle = len(data) // 2
    flipped = bytes([data[middle] ^ 255])
    copies = {
        "the last byte is missing": data[:-1],
        "one byte too many": data + b"!",
        "a shape is another": data.replace(b"[64,192]", b"[64,193]", 1),
        "one byte of a weight is another": data[:middle] + flipped + data[middle + 1 :],
    }
    print("damaged copies")
    for name, copy in copies.items():
        path.with_name("copy").write_bytes(copy)
        try:
            safetensors.load(path.with_name("copy"))
            said = "opens"
        except ModelError:
            said = "refused"
        print(f"  {name:33}{said}")


def layouts() -> None:
    """Write the same numbers from three kinds of memory; show the second of them."""
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    kinds = {
        "row after row": matrix,
        "a transposed view": matrix.T.copy().T,
        "big-endian": matrix.astype(">f4"),
    }
    print("the same matrix, its bytes 4 to 8")
    for name, array in kinds.items():
        memory = array.ravel("K").tobytes()[4:8]
        written = bytes(safetensors.tensor_bytes(array)[4:8])
        print(f"  {name:18}memory {memory.hex()}   file {written.hex()}")


def package(path: Path) -> None:
    """Open the file with the package safetensors, where it is installed."""
    if importlib.util.find_spec("safetensors") is None:
        print("the package safetensors is not installed")
        return
    theirs = importlib.import_module("safetensors.numpy").load_file(path)
    ours = safetensors.load(path)
    same = all(np.array_equal(theirs[name], array) for name, array in ours.items())
    print(f"the package safetensors reads the same: {same and len(theirs) == len(ours)}")


def draw() -> Figure:
    """Draw every byte of a small file, colored by what it belongs to."""
    tensors = {
        "weights": np.array([[0.5, -1.0, 2.0], [1.5, 0.0, -0.5]], np.float32),
        "bias": np.array([1.0, 2.0, 3.0], np.float32),
    }
    data = dumped(tensors)
    stop = 8 + int.from_bytes(data[:8], "little")
    text = len(data[8:stop].rstrip()) + 8
    ends = {"length": 8, "header": text, "spaces": stop, "bias": stop + 12, "weights": len(data)}
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    axes = figure.subplots()
    begin = 0
    for (name, end), color in zip(ends.items(), drawing.COLORS, strict=False):
        for i in range(begin, end):
            row, column = divmod(i, COLUMNS)
            label = name if i == begin else None
            box = Rectangle((column, row), 1, 1, facecolor=color, edgecolor="white", label=label)
            box.set_alpha(0.45)
            axes.add_patch(box)
            shown = chr(data[i]) if name == "header" else f"{data[i]:02x}"
            axes.text(column + 0.5, row + 0.5, shown, ha="center", va="center", family="monospace")
        begin = end
    rows = -(-len(data) // COLUMNS)
    axes.set(
        xlim=(0, COLUMNS),
        ylim=(rows, 0),
        title=f"two arrays, {len(data)} bytes",
        yticks=[row + 0.5 for row in range(rows)],
        yticklabels=[str(row * COLUMNS) for row in range(rows)],
        xticks=[],
    )
    figure.legend(loc="outside lower center", ncols=len(ends), frameon=False)
    return figure
