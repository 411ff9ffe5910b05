"""Generation and training next to transformers and PyTorch."""

import argparse

import numpy as np
import pytest

import minilm
from minilm.bench import pretrain as race
from minilm.models.generate import Sampling
from minilm.nn.gpt import GPT, GPTConfig
from minilm.store import folder
from minilm.text.bpe import BytePairTokenizer

pytestmark = pytest.mark.peers


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": 0.7},
        {"temperature": 1.3, "top_k": 5},
        {"temperature": 1.0, "top_p": 0.6},
        {"temperature": 0.9, "top_k": 20, "top_p": 0.8},
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_rules_of_choice_are_those_of_transformers(peer, values):
    torch, transformers = peer("torch"), peer("transformers")
    generation = transformers.generation
    logits = np.random.default_rng(0).normal(size=(20, 300)) * 2
    warpers = [generation.TemperatureLogitsWarper(values["temperature"])]
    if "top_k" in values:
        warpers.append(generation.TopKLogitsWarper(values["top_k"]))
    if "top_p" in values:
        warpers.append(generation.TopPLogitsWarper(values["top_p"]))
    theirs = torch.from_numpy(logits)
    for warper in warpers:
        theirs = warper(None, theirs)
    theirs = torch.softmax(theirs, -1).numpy()
    ours = np.stack([Sampling(**values).probabilities(row) for row in logits])
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-15)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_transformers_takes_the_same_likeliest_tokens(peer, tmp_path):
    torch, transformers = peer("torch"), peer("transformers")
    config = GPTConfig(300, 40, 24, 2, 3, initializer_range=0.2)
    gpt = GPT(config, rng=np.random.default_rng(0))
    tokenizer = BytePairTokenizer.train(["the cat sat"] * 9, 300, [folder.END_OF_TEXT])
    folder.save(tmp_path / "m", folder.model_files(config, gpt.parameters, tokenizer))
    model = transformers.GPT2LMHeadModel.from_pretrained(tmp_path / "m").eval()
    prompt = torch.tensor([[5, 17, 200]])
    theirs = model.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        max_length=40,
        do_sample=False,
        pad_token_id=0,
    )
    own = minilm.load(tmp_path / "m")
    ours = own.tokens([5, 17, 200], max_new_tokens=99, sampling=Sampling(0))
    made = [token.id for token in ours]
    assert theirs[0, 3:].tolist()[: len(made)] == made
    assert len(made) >= 5


def test_pytorch_learns_the_same(peer, tmp_path):
    peer("torch")
    path = tmp_path / "t.txt"
    rng = np.random.default_rng(0)
    words = ["cat", "dog", "sat", "ran", "the", "a", "mat", "hill", "on", "to"]
    lines = [" ".join(rng.choice(words, 9)) + ".\n" for _ in range(400)]
    path.write_text("".join(lines), encoding="utf-8")
    options = argparse.Namespace(data_file=[path], size="kata", steps=80, threads=2)
    result = race.run(options)
    assert result["loss"] < 5
    assert result["torch_loss"] == pytest.approx(result["loss"], rel=1e-3)
    assert result["torch_bits_per_byte"] == pytest.approx(result["bits_per_byte"], rel=1e-3)


def test_real_text_within_three_percent_of_pytorch(peer, real_data):
    peer("torch")
    path = real_data("tinyshakespeare.txt")
    options = argparse.Namespace(data_file=[path], size="class", steps=60, threads=2)
    result = race.run(options)
    assert result["bits_per_byte"] < 3.2
    assert result["bits_per_byte_ratio"] == pytest.approx(1, abs=0.03)
    assert str(result["steps"]) in race.render(result)
