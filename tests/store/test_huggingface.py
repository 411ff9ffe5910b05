"""Folders of other programs: read as they are, and each fault named."""

import json
import math

import numpy as np
import pytest

from minilm.errors import ModelError
from minilm.store import folder, safetensors
from minilm.text.bpe import BytePairTokenizer
from minilm.text.wordlevel import WordLevelTokenizer


def edit_config(path, **changes):
    file = path / "config.json"
    content = json.loads(file.read_text(encoding="utf-8")) | changes
    content = {key: value for key, value in content.items() if value is not ...}
    file.write_text(json.dumps(content), encoding="utf-8")


def edit_tensors(path, change):
    file = path / "model.safetensors"
    tensors = safetensors.load(file)
    change(tensors)
    safetensors.save(tensors, file)


def assert_same(loaded, model):
    assert loaded.config == model.config
    assert loaded.parameters.dtype == np.float32
    np.testing.assert_array_equal(loaded.parameters.flat, model.parameters.flat)


@pytest.mark.parametrize("prefix", ["", "transformer."])
@pytest.mark.parametrize("shards", [1, 2, 7])
def test_with_and_without_prefix_and_shards(foreign, tmp_path, model, bpe, prefix, shards):
    path = foreign(tmp_path / "m", model, bpe, prefix=prefix, shards=shards)
    loaded = folder.load(path)
    assert_same(loaded, model)
    assert loaded.tokenizer.vocab == bpe.vocab
    assert loaded.end_of_text == bpe.vocab["<|endoftext|>"]
    assert loaded.lineage == ()


def test_masks_are_skipped_and_a_tied_head_taken(foreign, tmp_path, model):
    tensors = dict(model.parameters)
    mask = np.tril(np.ones((1, 1, 16, 16), np.uint8))
    for layer in range(2):
        tensors[f"h.{layer}.attn.bias"] = mask
        tensors[f"h.{layer}.attn.masked_bias"] = np.float32(-1e4)
    tensors["lm_head.weight"] = model.parameters["wte.weight"]
    path = foreign(tmp_path / "m", model, None, tensors=tensors)
    loaded = folder.load(path)
    assert_same(loaded, model)
    assert loaded.tokenizer is None
    assert loaded.end_of_text == 0  # what config.json says
    edit_tensors(path, lambda t: t["lm_head.weight"].__setitem__((299, 11), 9.0))
    with pytest.raises(ModelError, match=r"lm_head\.weight differs from wte\.weight"):
        folder.load(path)
    edit_tensors(path, lambda t: t.update({"lm_head.weight": t["lm_head.weight"][:4]}))
    with pytest.raises(ModelError, match=r"lm_head\.weight differs from wte\.weight"):
        folder.load(path)


def test_dtypes_are_widened_or_kept(foreign, tmp_path, model):
    values = {n: v.astype(np.float16) for n, v in model.parameters.items()}
    loaded = folder.load(foreign(tmp_path / "half", model, None, tensors=values))
    for name, value in values.items():
        np.testing.assert_array_equal(loaded.parameters[name], value.astype(np.float32))
    values = {n: v.astype(np.float64) + 1e-12 for n, v in model.parameters.items()}
    path = foreign(tmp_path / "double", model, None, tensors=values)
    assert folder.load(path).parameters.dtype == np.float32
    loaded = folder.load(path, dtype=np.float64)
    assert loaded.parameters.dtype == np.float64
    np.testing.assert_array_equal(loaded.parameters["ln_f.bias"], values["ln_f.bias"])


TENSOR_FAULTS = {
    "missing": (
        lambda t: [t.pop("h.1.ln_2.bias"), t.pop("wpe.weight")],
        r"'wpe.weight', 'h.1.ln_2.bias' missing, which config.json asks for",
    ),
    "unexpected": (
        lambda t: t.update({"h.2.ln_1.weight": np.zeros(12, np.float32), "a\nb": np.zeros(2)}),
        r"unexpected 'a\\nb', 'h.2.ln_1.weight'",
    ),
    "shape": (
        lambda t: t.update({"wte.weight": t["wte.weight"].T.copy()}),
        r"wte.weight has the shape \(12, 300\), but config.json asks for \(300, 12\)",
    ),
    "integers": (
        lambda t: t.update({"ln_f.bias": np.zeros(12, np.int64)}),
        "ln_f.bias has the dtype I64, not a float",
    ),
    "NaN": (
        lambda t: t["h.1.mlp.c_fc.weight"].__setitem__((3, 5), math.nan),
        r"h.1.mlp.c_fc.weight\[3, 5\] is nan",
    ),
    "infinity": (lambda t: t["ln_f.bias"].__setitem__(2, -math.inf), r"ln_f.bias\[2\] is -inf"),
    "too large": (
        lambda t: t.update({"ln_f.bias": np.full(12, 1e300)}),
        r"ln_f.bias\[0\] is inf",
    ),
    "name twice": (
        lambda t: t.update({"transformer.ln_f.bias": t["ln_f.bias"]}),
        r"ln_f.bias appears twice, as ln_f.bias and as transformer.ln_f.bias",
    ),
}


@pytest.mark.parametrize("fault", TENSOR_FAULTS)
def test_faults_of_tensors(foreign, tmp_path, model, fault):
    change, message = TENSOR_FAULTS[fault]
    path = foreign(tmp_path / "m", model, None, prefix="")
    edit_tensors(path, change)
    with pytest.raises(ModelError, match=message) as caught:
        folder.load(path)
    assert str(caught.value).startswith(f"{path / 'model.safetensors'}: ")


def test_large_but_finite_weights_are_no_damage(foreign, tmp_path, model):
    path = foreign(tmp_path / "m", model, None, prefix="")
    edit_tensors(path, lambda t: t["ln_f.bias"].__setitem__(2, 3e38))  # its square overflows
    assert folder.load(path).parameters["ln_f.bias"][2] == np.float32(3e38)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_layer": 3}, r"'h.2.ln_1.weight', .* and 9 more missing"),
        ({"n_layer": 1}, r"unexpected .* and 9 more"),
        ({"n_embd": 24}, r"wte.weight has the shape \(300, 12\), but .* \(300, 24\)"),
        ({"vocab_size": 301}, r"but config.json asks for \(301, 12\)"),
        ({"vocab_size": 10**7}, r"asks for \(10000000, 12\)"),
        ({"n_layer": 10**4}, r"missing, which config.json asks for"),
        ({"n_head": 5}, "n_embd 12 is not divisible by n_head 5"),
        ({"n_embd": 10**12}, "n_embd is 1000000000000"),
        ({"n_layer": -1}, "n_layer is -1"),
        ({"n_embd": ...}, "the key n_embd is missing"),
        ({"model_type": "bert"}, "only 'gpt2' and 'llama' are built"),
        ({"activation_function": "relu"}, "activation_function is 'relu'"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings is False"),
    ],
)
def test_a_configuration_that_disagrees_with_the_weights(copy, changes, message):
    path = copy("single")
    edit_config(path, **changes)
    with pytest.raises(ModelError, match=message) as caught:
        folder.load(path)
    assert str(path) in str(caught.value)


def test_shards_with_tricks_in_their_names(copy, kept):
    path = copy("sharded")
    index = path / "model.safetensors.index.json"
    content = json.loads(index.read_text(encoding="utf-8"))
    name = next(iter(content["weight_map"]))
    outside = kept / "single" / "model.safetensors"
    for trick in (
        str(outside),
        "../single/model.safetensors",
        "..\\single\\model.safetensors",
        "sub/model.safetensors",
        "C:model.safetensors",
        ".hidden.safetensors",
        "model.safetensors\x00",
        "model.bin",
        "~/model.safetensors",
        "",
        7,
        ["model.safetensors"],
    ):
        content["weight_map"][name] = trick
        index.write_text(json.dumps(content), encoding="utf-8")
        with pytest.raises(ModelError, match=r"is not the name of a \.safetensors file") as caught:
            folder.load(path)
        assert str(index) in str(caught.value)


def test_faults_of_the_index(copy):
    path = copy("sharded")
    index = path / "model.safetensors.index.json"
    content = json.loads(index.read_text(encoding="utf-8"))
    shards = sorted(set(content["weight_map"].values()))

    def fails_with(message, weight_map):
        index.write_text(json.dumps({"weight_map": weight_map}), encoding="utf-8")
        with pytest.raises(ModelError, match=message):
            folder.load(path)

    good = content["weight_map"]
    swapped = {n: shards[1 - shards.index(s)] for n, s in good.items()}
    first = next(iter(good))
    fails_with("no weight_map", {})
    fails_with("no weight_map", [1])
    fails_with("no tensor 'transformer", swapped)
    fails_with("no tensor 'new', which", {**good, "new": shards[0]})
    fails_with(
        "not where model.safetensors.index.json says", {k: good[k] for k in good if k != first}
    )
    fails_with("the shard x.safetensors that it names is missing", {**good, first: "x.safetensors"})
    index.write_text('{"weight_map": {"a": "x", "a": "y"}}', encoding="utf-8")
    with pytest.raises(ModelError, match="'a' appears twice"):
        folder.load(path)
    index.write_text(json.dumps(content), encoding="utf-8")
    folder.load(path)


def test_added_tokens_beside_the_vocabulary_are_read(copy):
    path = copy("single")
    (path / "tokenizer.json").unlink()
    plain = folder.load(path).tokenizer
    count = len(plain.vocab)
    (path / "added_tokens.json").write_text(f'{{"<pad>": {count}}}', encoding="utf-8")
    read = folder.load(path).tokenizer
    assert read.encode("sea<pad>") == [*plain.encode("sea"), count]
    added = {f"<{i}>": i for i in range(count, 301)}
    (path / "added_tokens.json").write_text(json.dumps(added), encoding="utf-8")
    with pytest.raises(ModelError, match="301 tokens, but the model's vocabulary has 300"):
        folder.load(path)


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
def test_added_tokens_are_those_of_transformers(peer, copy):
    transformers = peer("transformers")
    path = copy("single")
    (path / "tokenizer.json").unlink()
    count = len(folder.load(path).tokenizer.vocab)
    (path / "added_tokens.json").write_text(f'{{"<pad>": {count}}}', encoding="utf-8")
    ours, theirs = folder.load(path).tokenizer, transformers.GPT2Tokenizer.from_pretrained(path)
    for text in ("the sea<pad> low", " <pad> b", "<pad><pad>", "sea<|endoftext|>low"):
        assert ours.encode(text) == theirs(text)["input_ids"]


def test_links_of_a_download_cache_are_followed(copy, tmp_path):
    path = copy("single")
    (tmp_path / "blobs").mkdir()
    (path / "model.safetensors").rename(tmp_path / "blobs" / "abc")
    try:
        (path / "model.safetensors").symlink_to(tmp_path / "blobs" / "abc")
    except OSError:
        pytest.skip("links need a right that Windows does not give to all")
    folder.load(path)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "pytorch_model.bin.index.json"])
def test_a_pickle_is_never_opened_nor_taken_for_nothing(copy, name):
    path = copy("single")
    (path / "model.safetensors").rename(path / name)
    assert folder.exists(path)
    with pytest.raises(ModelError, match="only as a pickle, which can run any code") as caught:
        folder.load(path)
    message, *code = str(caught.value).split("\n")
    assert message.startswith(str(path / name))
    assert len(code) == 2
    compile("\n".join(line.strip() for line in code), "advice", "exec")


def test_what_is_missing_is_named(copy, tmp_path):
    path = copy("single")
    (path / "model.safetensors").unlink()
    assert folder.exists(path)
    with pytest.raises(ModelError, match=r"no weights here: model.safetensors is missing"):
        folder.load(path)
    (path / "config.json").unlink()
    assert not folder.exists(path)
    with pytest.raises(ModelError, match=r"no config.json here"):
        folder.load(path)
    assert not folder.exists(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="no such folder; a model is a folder on this disk"):
        folder.load(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="not a folder"):
        folder.load(path / "vocab.json")


def test_tokenizers_of_all_kinds(copy, words):
    path = copy("single")
    (path / "tokenizer.json").unlink()
    loaded = folder.load(path).tokenizer
    assert isinstance(loaded, BytePairTokenizer)
    (path / "merges.txt").unlink()
    with pytest.raises(ModelError, match=r"vocab\.json: merges\.txt is missing beside it"):
        folder.load(path)
    words.save(path)
    loaded = folder.load(path).tokenizer
    assert isinstance(loaded, WordLevelTokenizer)
    assert loaded.vocab == words.vocab
    (path / "tokenizer.json").write_text('{"model": {"type": "Unigram"}}', encoding="utf-8")
    with pytest.raises(ModelError, match=r"tokenizer\.json: .*Unigram"):
        folder.load(path)
    too_many = WordLevelTokenizer(
        {t: i for i, t in enumerate(["<|endoftext|>", "<unk>", *map(str, range(299))])}
    )
    too_many.save(path)
    with pytest.raises(ModelError, match="301 tokens, but the model's vocabulary has 300"):
        folder.load(path)


# ------------------------------------------------------------------ transformers


def theirs(peer, model):
    """Return transformers' model with the parameters of ours."""
    torch, transformers = peer("torch"), peer("transformers")
    config = transformers.GPT2Config(**model.config.to_dict(), bos_token_id=0, eos_token_id=0)
    other = transformers.GPT2LMHeadModel(config)
    state = {f"transformer.{n}": torch.from_numpy(v.copy()) for n, v in model.parameters.items()}
    state["lm_head.weight"] = state["transformer.wte.weight"]
    other.load_state_dict(state)
    return other.eval()


def logits_of(peer, other, ids):
    torch = peer("torch")
    with torch.no_grad():
        return other(torch.from_numpy(ids)).logits.float().numpy()


@pytest.mark.peers
@pytest.mark.parametrize("shard_size", ["1GB", "5KB"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_we_load_what_transformers_saves(peer, tmp_path, model, shard_size, dtype):
    torch = peer("torch")
    other = theirs(peer, model).to(getattr(torch, dtype))
    other.save_pretrained(tmp_path, max_shard_size=shard_size)
    assert (tmp_path / "model.safetensors").exists() == (shard_size == "1GB")
    loaded = folder.load(tmp_path)
    for name, value in other.transformer.state_dict().items():
        np.testing.assert_array_equal(loaded.parameters[name], value.float().numpy())
    ids = np.random.default_rng(0).integers(0, 300, (3, 16))
    gpt = type(model)(loaded.config, parameters=loaded.parameters)
    expected = logits_of(peer, other.float(), ids)
    np.testing.assert_allclose(gpt.logits(ids), expected, atol=1e-4, rtol=0)


@pytest.mark.peers
def test_transformers_loads_ours_and_logits_agree(peer, tmp_path, model, bpe):
    transformers = peer("transformers")
    folder.save(tmp_path, folder.model_files(model.config, model.parameters, bpe))
    other, report = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not any(report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    ids = np.random.default_rng(1).integers(0, 300, (3, 16))
    difference = np.abs(logits_of(peer, other.eval(), ids) - model.logits(ids)).max()
    assert difference < 1e-4
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    text = "The émigré<|endoftext|> went  lower! 1234 \n\n戦争"
    assert tokenizer(text, verbose=False)["input_ids"] == bpe.encode(text)
    assert tokenizer.decode(bpe.encode(text)) == text
    assert tokenizer.eos_token_id == other.config.eos_token_id == 0


@pytest.mark.peers
def test_a_head_of_its_own_is_refused(peer, tmp_path, model):
    torch = peer("torch")
    other = theirs(peer, model)
    other.config.tie_word_embeddings = False
    other.lm_head.weight = torch.nn.Parameter(other.lm_head.weight.detach() * 2)
    other.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="tie_word_embeddings is False"):
        folder.load(tmp_path)


@pytest.mark.peers
def test_the_two_lines_convert_a_pickle(peer, tmp_path, model):
    torch, _ = peer("torch"), peer("transformers")
    other = theirs(peer, model)
    other.config.save_pretrained(tmp_path)
    torch.save(other.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickle") as caught:
        folder.load(tmp_path)
    code = "\n".join(line.strip() for line in str(caught.value).split("\n")[1:])
    exec(compile(code, "advice", "exec"), {})
    assert_same(folder.load(tmp_path), model)
