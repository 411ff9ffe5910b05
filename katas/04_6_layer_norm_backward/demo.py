"""Live code of kata 4.6: what goes back through a layer norm, and what does not."""

import numpy as np
from matplotlib.figure import Figure

from minilm.course.demos import Course
from minilm.nn import functional as F


def run(course: Course) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 6))
    gain, bias = rng.standard_normal(6), rng.standard_normal(6)
    y, cache = F.layer_norm(x, gain, bias)
    dy = rng.standard_normal(y.shape)
    dx, _, _ = F.layer_norm_backward(dy, cache)

    print("Each row of dx sums to zero, and has no part along the")
    print("normalized row: layer norm undoes shifts and stretches.")
    print("  row     sum of dy    sum of dx    dx . normalized")
    for row in range(4):
        along = float(dx[row] @ cache[0][row])
        print(f"  {row}     {dy[row].sum():9.3f}    {_zero(dx[row].sum())}        {_zero(along)}")

    print()
    print("A loss that is the plain sum of the outputs, gain 1:")
    ones = np.ones((4, 6))
    _, cache = F.layer_norm(x, np.ones(6), np.zeros(6))
    plain, _, _ = F.layer_norm_backward(ones, cache)
    print(f"  largest entry of dx: {_zero(np.abs(plain).max())}")

    print()
    print("Is the gradient large where x is large? Ten times x:")
    _, cache = F.layer_norm(10 * x, gain, bias)
    tenfold, _, _ = F.layer_norm_backward(dy, cache)
    print(f"  length of dx before: {np.linalg.norm(dx):.3f}")
    print(f"  length of dx after:  {np.linalg.norm(tenfold):.3f}")
    rstd = F.layer_norm(x, gain, bias)[1][1]
    course.picture(_picture(dy * gain, dx / rstd), "gradient")


def _zero(value: float) -> str:
    """Return a number to three decimals; what is only rounding is shown as zero."""
    return f"{abs(value) if abs(value) < 5e-4 else value:9.3f}"


def _picture(d: np.ndarray, left_over: np.ndarray) -> Figure:
    """Draw the gradient that comes in, and what is left of it once both directions are out."""
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    limit = max(np.abs(d).max(), np.abs(left_over).max())
    titles = {"d = dy * gain": d, "what is left: dx / rstd": left_over}
    for axes, (title, array) in zip((left, right), titles.items(), strict=True):
        image = axes.imshow(array, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
        axes.set(title=title, xlabel="channel")
    left.set(ylabel="row", yticks=range(len(d)))
    figure.colorbar(image, ax=(left, right))
    return figure
