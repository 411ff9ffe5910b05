"""Against PyTorch's autograd and optimizer, and Hugging Face's GPT-2 with random weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from minilm.nn import optim
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT
from minilm.nn.heads import SequenceClassifier
from minilm.nn.parallel import Shards
from minilm.nn.parameters import Parameters, param_shapes
from minilm.training.loop import train_step

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

Peer = Callable[[str], ModuleType]

CONFIG = GPTConfig(vocab_size=67, n_positions=13, n_embd=24, n_layer=3, n_head=4)
RNG = np.random.default_rng(8)
IDS, TARGETS = RNG.integers(0, 67, (5, 11)), RNG.integers(0, 67, (5, 11))
TARGETS[1, 6:] = -100
LENGTHS = np.array([11, 4, 1, 7, 10])


@pytest.fixture
def torch(peer: Peer) -> Iterator[Any]:
    """Give PyTorch on one thread: on sizes this small its threads would mostly wait."""
    module = peer("torch")
    threads = module.get_num_threads()
    module.set_num_threads(1)
    yield module
    module.set_num_threads(threads)


def random_parameters(config: GPTConfig = CONFIG, dtype: Any = np.float64) -> Parameters:
    """Return parameters of which none is special: gains and biases are random too."""
    parameters = GPT(config, rng=np.random.default_rng(0), dtype=dtype).parameters
    draw = np.random.default_rng(1).standard_normal(parameters.count())
    parameters.flat[:] += (0.1 * draw).astype(dtype)
    return parameters


def torch_logits(torch: Any, p: dict[str, Any], config: GPTConfig, ids: Any) -> Any:
    """The same model in PyTorch's operations, so that autograd has the backward."""
    F = torch.nn.functional
    batch, time = ids.shape
    width = config.n_embd

    def norm(x: Any, name: str) -> Any:
        return F.layer_norm(x, (width,), p[f"{name}.weight"], p[f"{name}.bias"], 1e-5)

    def linear(x: Any, name: str) -> Any:
        return x @ p[f"{name}.weight"] + p[f"{name}.bias"]

    x = p["wte.weight"][ids] + p["wpe.weight"][:time]
    for layer in range(config.n_layer):
        block = f"h.{layer}."
        q, k, v = (
            part.view(batch, time, config.n_head, -1).transpose(1, 2)
            for part in linear(norm(x, block + "ln_1"), block + "attn.c_attn").split(width, dim=2)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2)
        x = x + linear(mixed.reshape(batch, time, width), block + "attn.c_proj")
        wide = F.gelu(linear(norm(x, block + "ln_2"), block + "mlp.c_fc"), approximate="tanh")
        x = x + linear(wide, block + "mlp.c_proj")
    return norm(x, "ln_f") @ p["wte.weight"].T


def torch_parameters(torch: Any, parameters: Parameters) -> dict[str, Any]:
    return {n: torch.tensor(v.copy(), requires_grad=True) for n, v in parameters.items()}


def torch_loss(torch: Any, p: dict[str, Any]) -> Any:
    logits = torch_logits(torch, p, CONFIG, torch.tensor(IDS))
    return torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), torch.tensor(TARGETS).flatten(), ignore_index=-100
    )


def test_loss_logits_and_every_gradient_are_autograds(torch: Any) -> None:
    parameters = random_parameters()
    model = GPT(CONFIG, parameters=parameters)
    p = torch_parameters(torch, parameters)
    loss = torch_loss(torch, p)
    loss.backward()
    ours, gradient = model.loss_and_grad(IDS, TARGETS)
    assert ours == pytest.approx(float(loss), rel=1e-12)
    logits = torch_logits(torch, p, CONFIG, torch.tensor(IDS)).detach().numpy()
    np.testing.assert_allclose(model.logits(IDS), logits, atol=1e-11)
    whole = np.sqrt(sum(float((t.grad**2).sum()) for t in p.values()))
    for name, tensor in p.items():
        expected = tensor.grad.numpy()
        unit = max(float(np.linalg.norm(expected)), whole)
        assert np.linalg.norm(gradient[name] - expected) < 1e-10 * unit, name
        # And by its own norm wherever there is one: only a key bias has none.
        if not name.endswith("c_attn.bias"):
            distance = np.linalg.norm(gradient[name] - expected)
            assert distance < 1e-10 * np.linalg.norm(expected), name


def test_one_hundred_steps_of_adamw_with_clipping_and_schedule(torch: Any) -> None:
    parameters = random_parameters()
    model = GPT(CONFIG, parameters=parameters)
    p = torch_parameters(torch, parameters)
    groups = [
        {"params": [t for t in p.values() if t.ndim == 2], "weight_decay": 0.1},
        {"params": [t for t in p.values() if t.ndim == 1], "weight_decay": 0.0},
    ]
    theirs = torch.optim.AdamW(groups, lr=3e-3, betas=(0.9, 0.95), eps=1e-8)
    schedule = torch.optim.lr_scheduler
    rise = schedule.LinearLR(theirs, start_factor=1 / 10, total_iters=9)
    fall = schedule.CosineAnnealingLR(theirs, T_max=90)
    rates = schedule.SequentialLR(theirs, [rise, fall], milestones=[10])
    ours = optim.AdamW(parameters, betas=(0.9, 0.95), weight_decay=0.1)
    clipped = 0
    with Shards(2) as shards:
        for step in range(100):
            rate = optim.warmup_decay(step, peak=3e-3, warmup=10, total=100)
            assert rate == pytest.approx(rates.get_last_lr()[0], rel=1e-12)
            theirs.zero_grad()
            loss = torch_loss(torch, p)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(p.values(), 0.5)
            theirs.step()
            rates.step()
            our_loss, our_norm = train_step(
                model, (IDS, TARGETS), ours, learning_rate=rate, shards=shards, clip=0.5
            )
            assert our_loss == pytest.approx(float(loss), rel=1e-9)
            assert our_norm == pytest.approx(float(norm), rel=1e-8)
            clipped += our_norm > 0.5
    assert clipped > 10
    for name, tensor in p.items():
        np.testing.assert_allclose(parameters[name], tensor.detach().numpy(), atol=1e-9)


def test_sgd_is_pytorchs(torch: Any) -> None:
    parameters = random_parameters()
    model = GPT(CONFIG, parameters=parameters)
    p = torch_parameters(torch, parameters)
    theirs = torch.optim.SGD(p.values(), lr=0.05, momentum=0.9)
    ours = optim.SGD(parameters, momentum=0.9)
    for _ in range(20):
        theirs.zero_grad()
        torch_loss(torch, p).backward()
        theirs.step()
        ours.update(model.loss_and_grad(IDS, TARGETS)[1], learning_rate=0.05)
    for name, tensor in p.items():
        np.testing.assert_allclose(parameters[name], tensor.detach().numpy(), atol=1e-10)


def hugging_face_config(transformers: Any, **more: Any) -> Any:
    return transformers.GPT2Config(
        vocab_size=67, n_positions=13, n_embd=24, n_layer=3, n_head=4, n_inner=40, **more
    )


def randomize(torch: Any, module: Any) -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        for tensor in module.parameters():
            tensor += 0.1 * torch.randn_like(tensor)


def parameters_from(module: Any, config: GPTConfig, dtype: Any, *more: str) -> Parameters:
    """Copy by name, as a loader does: `transformer.` off, everything else as it is."""
    state = {n.removeprefix("transformer."): t.numpy() for n, t in module.state_dict().items()}
    shapes = param_shapes(config) | {name: state[name].shape for name in more}
    parameters = Parameters(shapes, dtype)
    for name in parameters:
        parameters[name][...] = state[name]
    return parameters


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-10)])
def test_language_model_is_hugging_faces(
    peer: Peer, torch: Any, dtype: str, tolerance: float
) -> None:
    transformers = peer("transformers")
    theirs = transformers.GPT2LMHeadModel(hugging_face_config(transformers)).eval()
    theirs = theirs.to(getattr(torch, dtype))
    randomize(torch, theirs)
    config = GPTConfig.from_dict(theirs.config.to_dict())
    assert (config.inner, config.resid_pdrop) == (40, 0.1)
    ours = GPT(config, parameters=parameters_from(theirs, config, dtype))
    with torch.no_grad():
        output = theirs(torch.tensor(IDS), output_hidden_states=True)
    np.testing.assert_allclose(ours.logits(IDS), output.logits.numpy(), atol=tolerance, rtol=0)
    states = ours.hidden_states(IDS)
    assert len(states) == len(output.hidden_states)
    for one, other in zip(states, output.hidden_states, strict=True):
        np.testing.assert_allclose(one, other.numpy(), atol=tolerance, rtol=0)


def test_attention_maps_are_hugging_faces(peer: Peer, torch: Any) -> None:
    transformers = peer("transformers")
    settings = hugging_face_config(transformers, attn_implementation="eager")
    theirs = transformers.GPT2LMHeadModel(settings).eval().double()
    randomize(torch, theirs)
    config = GPTConfig.from_dict(theirs.config.to_dict())
    ours = GPT(config, parameters=parameters_from(theirs, config, np.float64))
    with torch.no_grad():
        expected = theirs(torch.tensor(IDS), output_attentions=True).attentions
    for one, other in zip(ours.attention_maps(IDS), expected, strict=True):
        np.testing.assert_allclose(one, other.numpy(), atol=1e-10)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-10)])
def test_classifier_is_hugging_faces(peer: Peer, torch: Any, dtype: str, tolerance: float) -> None:
    transformers = peer("transformers")
    settings = hugging_face_config(transformers, num_labels=3, pad_token_id=66)
    theirs = transformers.GPT2ForSequenceClassification(settings).eval()
    theirs = theirs.to(getattr(torch, dtype))
    randomize(torch, theirs)
    config = GPTConfig.from_dict(theirs.config.to_dict())
    ours = SequenceClassifier(
        config, parameters=parameters_from(theirs, config, dtype, "score.weight")
    )
    ids = np.where(np.arange(11) < LENGTHS[:, None], IDS % 66, 66)
    with torch.no_grad():
        expected = theirs(torch.tensor(ids)).logits.numpy()
    np.testing.assert_allclose(ours.logits(ids, LENGTHS), expected, atol=tolerance, rtol=0)


def test_our_config_is_taken_by_hugging_face(peer: Peer, torch: Any) -> None:
    transformers = peer("transformers")
    theirs = transformers.GPT2LMHeadModel(transformers.GPT2Config(**CONFIG.to_dict()))
    shapes = {n: tuple(t.shape) for n, t in theirs.transformer.named_parameters()}
    assert shapes == param_shapes(CONFIG)
