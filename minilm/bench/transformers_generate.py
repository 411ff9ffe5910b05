"""The side of transformers in the race `minilm bench generate`, in a process of its own.

    python -m minilm.bench.transformers_generate --size gpt2 --threads 2 --prompt 32 --new 64

For each line on standard input it generates once, greedily and with its cache, and answers with the
seconds it took.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from minilm.nn.config import SIZES


def main() -> None:
    """Answer each line of standard input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=tuple(SIZES), required=True)
    for name in ("--threads", "--prompt", "--new"):
        parser.add_argument(name, type=int, required=True)
    options = parser.parse_args()

    import torch
    import transformers

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    shape = SIZES[options.size].config
    sizes = {key: getattr(shape, key) for key in ("vocab_size", "n_positions", "n_embd")}
    config = transformers.GPT2Config(
        **sizes, n_layer=shape.n_layer, n_head=shape.n_head, bos_token_id=0, eos_token_id=0
    )
    model = transformers.GPT2LMHeadModel(config).eval()
    ids = torch.arange(options.prompt)[None]
    settings = {
        "attention_mask": torch.ones_like(ids),
        "max_new_tokens": options.new,
        "min_new_tokens": options.new,
        "do_sample": False,
        "pad_token_id": 0,
    }
    for _ in sys.stdin:
        start = time.perf_counter()
        with torch.inference_mode():
            model.generate(ids, **settings)
        print(json.dumps(time.perf_counter() - start), flush=True)


if __name__ == "__main__":
    main()
