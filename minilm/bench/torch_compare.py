"""PyTorch's side of the race `minilm bench compare`, in a process of its own.

    python -m minilm.bench.torch_compare

The same steps on the same shapes: lean modules with the fused attention, the fused optimizer and
the tied head that PyTorch offers; eager, float32, one thread. For each line with a part and a
number of updates on standard input it does them, and answers with the seconds of one.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

from minilm.bench.compare import (
    BATCH,
    CONTEXT,
    HEADS,
    LAYERS,
    TEXTS,
    VOCABULARY,
    WIDTH,
    WINDOWS,
    texts,
)


def body(torch: Any, dropout: float) -> Any:
    """Return the transformer without a head: ids (B, T) -> states (B, T, C)."""
    nn, F = torch.nn, torch.nn.functional

    class Layer(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.before_attention, self.before_mlp = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
            self.qkv, self.merge = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.widen, self.narrow = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
            self.drop = nn.Dropout(dropout)

        def forward(self, x: Any) -> Any:
            fused = self.qkv(self.before_attention(x))
            heads = fused.unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
            mixed = F.scaled_dot_product_attention(*heads, is_causal=True, dropout_p=dropout)
            x = x + self.drop(self.merge(mixed.transpose(1, 2).flatten(2)))
            wide = F.gelu(self.widen(self.before_mlp(x)), approximate="tanh")
            return x + self.drop(self.narrow(wide))

    class Body(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.words, self.positions = (
                nn.Embedding(VOCABULARY, WIDTH),
                nn.Embedding(CONTEXT, WIDTH),
            )
            self.drop = nn.Dropout(dropout)
            self.layers = nn.Sequential(*(Layer() for _ in range(LAYERS)))
            self.norm = nn.LayerNorm(WIDTH)

        def forward(self, ids: Any) -> Any:
            x = self.words(ids) + self.positions.weight[: ids.shape[1]]
            return self.norm(self.layers(self.drop(x)))

    return Body()


class Steps:
    """The three parts, each a function that does updates."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        rng = np.random.default_rng(0)
        ids = torch.tensor(rng.integers(0, VOCABULARY, (WINDOWS, CONTEXT + 1)))
        self.inputs, self.targets = ids[:, :-1], ids[:, 1:].flatten()
        self.texts, labels = texts(rng)
        self.labels = torch.tensor(labels)
        self.rng = rng
        self.language_model = body(torch, 0.0)
        self.classifier = body(torch, 0.1)
        self.head, self.probe_head = torch.nn.Linear(WIDTH, 2), torch.nn.Linear(WIDTH, 2)
        self.all = [*self.classifier.parameters(), *self.head.parameters()]
        adamw = torch.optim.AdamW
        self.pretrainer = adamw(self.language_model.parameters(), lr=1e-3, fused=True)
        self.finetuner = adamw(self.all, lr=5e-4, fused=True)
        self.prober = adamw(self.probe_head.parameters(), lr=5e-4, fused=True)

    def pretraining(self, count: int) -> None:
        """Predict the next word of the same windows."""
        model = self.language_model
        for _ in range(count):
            logits = model(self.inputs) @ model.words.weight.T
            loss = self.torch.nn.functional.cross_entropy(logits.flatten(0, 1), self.targets)
            self._update(loss, self.pretrainer, model.parameters())

    def finetuning(self, count: int) -> None:
        """Learn the labels of shuffled batches, with all parameters."""
        for chosen in self._batches(count):
            scores = self.head(self._pooled(self.classifier, chosen))
            loss = self.torch.nn.functional.cross_entropy(scores, self.labels[chosen])
            self._update(loss, self.finetuner, self.all)

    def probe(self, count: int) -> None:
        """Read each batch with the frozen body, and train the head on what was read."""
        parameters = list(self.probe_head.parameters())
        for chosen in self._batches(count):
            with self.torch.no_grad():
                states = self._pooled(self.language_model, chosen)
            scores = self.probe_head(states)
            loss = self.torch.nn.functional.cross_entropy(scores, self.labels[chosen])
            self._update(loss, self.prober, parameters)

    def _batches(self, count: int) -> list[Any]:
        epochs = -(-count * BATCH // TEXTS)
        order = np.concatenate([self.rng.permutation(TEXTS) for _ in range(epochs)])
        return [self.torch.from_numpy(order[i * BATCH : (i + 1) * BATCH]) for i in range(count)]

    def _pooled(self, model: Any, chosen: Any) -> Any:
        """Return the mean states of texts, padded to the longest of them."""
        found = [self.texts[i] for i in chosen.tolist()]
        longest = max(map(len, found))
        ids = np.zeros((len(found), longest), np.int64)
        keep = np.zeros((len(found), longest, 1), np.float32)
        for row, text in enumerate(found):
            ids[row, : len(text)], keep[row, : len(text)] = text, 1
        mask = self.torch.from_numpy(keep)
        return (model(self.torch.from_numpy(ids)) * mask).sum(1) / mask.sum(1)

    def _update(self, loss: Any, optimizer: Any, parameters: Any) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()


def main() -> None:
    """Answer each line of standard input."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    steps = Steps(torch)
    for line in sys.stdin:
        part, count = line.split()
        start = time.perf_counter()
        getattr(steps, part.replace("-", ""))(int(count))
        print(json.dumps((time.perf_counter() - start) / int(count)), flush=True)


if __name__ == "__main__":
    main()
