"""PyTorch's side of the race `minilm bench train`, in a process of its own.

    python -m minilm.bench.torch_train --size class --threads 2

The same step on the same shape: forward, cross-entropy, backward, clipping by norm 1, AdamW; eager,
float32, with the fused attention, fused optimizer and tied head that PyTorch offers. For each line
with a number on standard input it takes that many steps, and answers with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from minilm.bench.memory import peak_memory_mb
from minilm.nn.config import SIZES, GPTConfig


def build(torch: Any, config: GPTConfig) -> Any:
    """Return the model as a module whose call gives the loss."""
    nn, F = torch.nn, torch.nn.functional
    width = config.n_embd

    class Layer(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.before_attention, self.before_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.merge = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.widen = nn.Linear(width, config.inner)
            self.narrow = nn.Linear(config.inner, width)

        def forward(self, x: Any) -> Any:
            fused = self.qkv(self.before_attention(x))
            heads = fused.unflatten(-1, (3, config.n_head, -1)).permute(2, 0, 3, 1, 4)
            mixed = F.scaled_dot_product_attention(*heads, is_causal=True)
            x = x + self.merge(mixed.transpose(1, 2).flatten(2))
            wide = F.gelu(self.widen(self.before_mlp(x)), approximate="tanh")
            return x + self.narrow(wide)

    class Model(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(config.vocab_size, width)
            self.positions = nn.Embedding(config.n_positions, width)
            self.layers = nn.Sequential(*(Layer() for _ in range(config.n_layer)))
            self.norm = nn.LayerNorm(width)

        def forward(self, ids: Any, targets: Any) -> Any:
            x = self.words(ids) + self.positions.weight[: ids.shape[1]]
            logits = F.linear(self.norm(self.layers(x)), self.words.weight)
            return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    return Model()


def main() -> None:
    """Answer each line of standard input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=tuple(SIZES), required=True)
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()

    import torch

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    size = SIZES[options.size]
    model = build(torch, size.config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    shape = (size.batch, size.config.n_positions)
    ids, targets = torch.randint(size.config.vocab_size, (2, *shape))

    def step() -> float:
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        model(ids, targets).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return time.perf_counter() - start

    for line in sys.stdin:
        seconds = [step() for _ in range(int(line))]
        answer = {
            "seconds": seconds,
            "parameters": sum(p.numel() for p in model.parameters()),
            "peak_memory_mb": peak_memory_mb(),
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
