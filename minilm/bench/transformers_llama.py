"""The side of transformers in the race `minilm bench llama`, in a process of its own.

    python -m minilm.bench.transformers_llama --part read --size smollm2 --threads 2

For each line on standard input it does its part once and answers with the seconds it took. Texts
are read in batches of 16 of similar length, padded, as people do it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from minilm.bench import llama

_BATCH = 16


def main() -> None:
    """Answer each line of standard input."""
    parser = argparse.ArgumentParser()
    for name in ("--part", "--size"):
        parser.add_argument(name, required=True)
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()

    import torch
    import transformers

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    shape = llama.config_of(options.size, options.part)
    config = transformers.LlamaConfig(**{k: v for k, v in shape.to_dict().items() if v is not None})
    config.eos_token_id = config.bos_token_id = config.pad_token_id = 0
    model = transformers.LlamaForCausalLM(config)
    take = {"generate": _generating, "read": _reading, "train": _training}[options.part]
    once = take(torch, model, config)
    for _ in sys.stdin:
        start = time.perf_counter()
        times = once()
        print(json.dumps((time.perf_counter() - start) / times), flush=True)


def _generating(torch: Any, model: Any, config: Any) -> Callable[[], int]:
    ids = torch.arange(min(llama.PROMPT, config.vocab_size))[None]
    settings = {
        "attention_mask": torch.ones_like(ids),
        "max_new_tokens": llama.NEW,
        "min_new_tokens": llama.NEW,
        "do_sample": False,
        "pad_token_id": 0,
    }
    model.eval()

    def once() -> int:
        with torch.inference_mode():
            model.generate(ids, **settings)
        return 1

    return once


def _reading(torch: Any, model: Any, config: Any) -> Callable[[], int]:
    texts = sorted(llama.texts(), key=len)
    batches = []
    for start in range(0, len(texts), _BATCH):
        part = texts[start : start + _BATCH]
        ids = torch.zeros(len(part), len(part[-1]), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for i, text in enumerate(part):
            ids[i, : len(text)], mask[i, : len(text)] = torch.tensor(text), 1
        batches.append((ids, mask))
    model.eval()

    def once() -> int:
        with torch.inference_mode():
            for ids, mask in batches:
                model.model(ids, attention_mask=mask, output_hidden_states=True, use_cache=False)
        return 1

    return once


def _training(torch: Any, model: Any, config: Any) -> Callable[[], int]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    shape = (llama.BATCH, config.max_position_embeddings + 1)
    ids = torch.randint(config.vocab_size, shape)
    model.train()

    def once() -> int:
        for _ in range(llama.STEPS):
            optimizer.zero_grad(set_to_none=True)
            logits = model(ids[:, :-1], use_cache=False).logits
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        return llama.STEPS

    return once


if __name__ == "__main__":
    main()
