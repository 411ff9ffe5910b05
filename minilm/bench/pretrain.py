"""The race of pretraining: does the model learn as much as PyTorch's from the same text?

Both start from the same weights, see the same batches in the same order, with the same optimizer,
clipping and learning rates; what is compared is the held-out loss in the end. Where the two differ
is rounding, and whatever one of them does wrong.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minilm import resources
from minilm.errors import MissingExtraError
from minilm.threads import set_blas_threads

if TYPE_CHECKING:
    from minilm.models.scores import Score
    from minilm.training.pretrain import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--data-file",
        type=Path,
        nargs="+",
        default=[Path("general.txt")],
        metavar="PATH",
        help="text (default: the corpus that ships with minilm)",
    )
    parser.add_argument(
        "--size", choices=("kata", "class", "large"), default="class", help="(default: class)"
    )
    parser.add_argument("--steps", type=int, default=600, metavar="N", help="(default: 600)")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="(default: 2)")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train ours, then PyTorch's, from the same start."""
    if importlib.util.find_spec("torch") is None:
        raise MissingExtraError("torch", "peers", "minilm bench pretrain")
    set_blas_threads(1)  # before NumPy is loaded, for the surest effect
    from minilm.data.sources import find_files
    from minilm.store import folder
    from minilm.training import loop, pretrain, settings
    from minilm.training.given import check

    given = {"size": options.size, "steps": options.steps, "threads": options.threads}
    check(given, settings.PretrainSettings)
    paths = [resources.find_corpus(path) for path in options.data_file]
    sources = tuple(folder.source(path) for path in find_files(paths))
    with tempfile.TemporaryDirectory() as place, folder.Writer(place) as writer:
        run = pretrain.begin(paths, sources, settings.complete(given), writer, silent)
        other = Torch(run)
        begun = time.perf_counter()
        loop.train(run, run.plan, run.state, writer.path, silent)
        middle = time.perf_counter()
        other.train()
        ended = time.perf_counter()
        ours, theirs = score(run), other.score()
        # A mapped file cannot be removed on Windows.
        del run, other
    return {
        "data": [source.name for source in sources],
        "size": options.size,
        "steps": options.steps,
        "held_out_tokens": ours.tokens,
        "loss": ours.loss,
        "bits_per_byte": ours.bits_per_byte,
        "seconds": middle - begun,
        "torch_loss": theirs.loss,
        "torch_bits_per_byte": theirs.bits_per_byte,
        "torch_seconds": ended - middle,
        "bits_per_byte_ratio": ours.loss / theirs.loss,
    }


def render(result: dict[str, Any]) -> str:
    """Return the lines for a person."""
    return "\n".join(
        [
            f"Pretraining, size {result['size']}, {result['steps']:,} steps on "
            f"{', '.join(result['data'])}; {result['held_out_tokens']:,} tokens held out",
            "",
            f"ours     {result['bits_per_byte']:.4f} bits per byte, loss {result['loss']:.4f}, "
            f"{result['seconds']:.0f} s with looks at the held-out part",
            f"PyTorch  {result['torch_bits_per_byte']:.4f} bits per byte, "
            f"loss {result['torch_loss']:.4f}, {result['torch_seconds']:.0f} s without",
            f"ratio    {result['bits_per_byte_ratio']:.4f} of ours over PyTorch's bits per byte",
        ]
    )


def silent(line: str) -> None:
    """Take a line and say nothing."""


def score(run: Run) -> Score:
    """Return the score of our model on all of the held-out part."""
    from minilm.models import batches, scores
    from minilm.nn.parallel import Shards

    pieces = batches.consecutive(run.held_out.tolist(), run.train.time, run.train.batch)
    with Shards(run.plan.threads) as shards:
        return scores.evaluate(run.model, pieces, shards, run.byte_lengths)


class Torch:
    """PyTorch's model with our weights, trained on a run's batches."""

    def __init__(self, run: Run) -> None:
        import torch

        from minilm.bench import torch_train

        torch.set_num_threads(run.plan.threads)
        self.torch = torch
        self.run = run
        self.model = torch_train.build(torch, run.model.config)
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                value = torch.from_numpy(run.model.parameters[ours_name(name)].copy())
                linear = parameter.ndim == 2 and name.startswith("layers.")
                parameter.copy_(value.T if linear else value)
        matrices = [p for p in self.model.parameters() if p.ndim == 2]
        vectors = [p for p in self.model.parameters() if p.ndim == 1]
        decay = run.optimizer.weight_decay
        groups = [
            {"params": matrices, "weight_decay": decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(
            groups, betas=run.optimizer.betas, eps=run.optimizer.epsilon
        )

    def train(self) -> None:
        """Take the steps of the run's plan."""
        for step in range(self.run.plan.steps):
            for group in self.optimizer.param_groups:
                group["lr"] = self.run.plan.rate(step)
            self.optimizer.zero_grad(set_to_none=True)
            self._loss(self.run.batch(step)).backward()
            self.torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()

    def score(self) -> Score:
        """Return the score on all of the held-out part."""
        from minilm.models import batches
        from minilm.models.scores import Score

        run = self.run
        total, tokens = 0.0, len(run.held_out) - 1
        pieces = batches.consecutive(run.held_out.tolist(), run.train.time, run.train.batch)
        with self.torch.inference_mode():
            for batch in pieces:
                total += float(self._loss(batch)) * int((batch[1] != -100).sum())
        size = None if run.byte_lengths is None else int(run.byte_lengths[run.held_out[1:]].sum())
        return Score(total / tokens, tokens, size)

    def _loss(self, batch: Any) -> Any:
        ids, targets = (self.torch.from_numpy(array.copy()) for array in batch)
        return self.model(ids, targets)


def ours_name(name: str) -> str:
    """Return the name that a parameter of `torch_train.build` has here.

    >>> ours_name("layers.3.qkv.bias"), ours_name("words.weight")
    ('h.3.attn.c_attn.bias', 'wte.weight')
    """
    inside = {
        "before_attention": "ln_1",
        "qkv": "attn.c_attn",
        "merge": "attn.c_proj",
        "before_mlp": "ln_2",
        "widen": "mlp.c_fc",
        "narrow": "mlp.c_proj",
    }
    *place, module, kind = name.split(".")
    if place:
        return f"h.{place[1]}.{inside[module]}.{kind}"
    return {"words": "wte", "positions": "wpe", "norm": "ln_f"}[module] + f".{kind}"
