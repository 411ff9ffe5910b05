"""The tokenizers of SmolLM2, Llama 3 and TinyLlama: equal to `tokenizers`, and what is refused."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from minilm.errors import InputError, ModelError, OptionError
from minilm.store import huggingface
from minilm.text import byte_symbols, pretokenize
from minilm.text.bpe import BytePairTokenizer
from minilm.text.bpe_files import Style
from minilm.text.sentencepiece import BLANK, SentencePieceTokenizer

HERE = Path(__file__).parent
TEXTS = [
    "The 2,048 cats' eyes aren't 10 feet apart; they're 12345 miles away!",
    "I'VE SEEN IT'S... (well)\n\n  Don't you?\r\n\tYes: 7.5% of $1000.",
    "été naïf, Ünïcode ſ 'ſt, русский текст 123 日本語 ١٢٣٤٥ ½²Ⅷ 👩‍👩‍👧",
] * 3
BEGIN, END = "<|begin_of_text|>", "<|endoftext|>"


def strings(count: int) -> list[str]:
    """Return the strings by which the GPT-2 tokenizer is compared, and Llama's own cases."""
    spec = importlib.util.spec_from_file_location("bpe_peers", HERE / "test_bpe_peers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    own = [
        "a  1", "  12 345\n", "x!\n\n\r\n y", "?\r\n\r\n", "\n \n", " \t\n x", "'S 'RE 'Ll 'ſx 'ſ",
        "▁a ▁ b▁▁c", f"{END} a{END}b", f" {END} ", "ab\u3000c\x85d \u2028\n", "10000000 1.000",
    ]  # fmt: skip
    corpora = HERE.parent.parent / "corpora"
    real = [path.read_text(encoding="utf-8")[:20000] for path in sorted(corpora.glob("*.txt"))]
    assert real
    return [*own, *real, *TEXTS, *module.HAND_PICKED, *module.random_strings(count)]


def byte_level(style: Style) -> BytePairTokenizer:
    """Return a trained tokenizer of a style; the digits' one lacks bytes, as SmolLM2's does."""
    plain = BytePairTokenizer.train(
        [*TEXTS, "low lower lowest the then them" * 5], 420, [END, BEGIN]
    )
    tokens, merges = list(plain.vocab), plain.merges
    if style.pattern.name == "digits":
        gone = [byte_symbols.SYMBOLS[byte] for byte in (4, 0x16, 0xC0, 0xF1, 0xFF)]
        tokens = [token for token in tokens if token not in gone]
    if style.ignore_merges:  # tokens that no merge gives
        tokens += ["Ġmiles!", "Ġquickly", "Ġfeetyx"]
    vocab = {token: number for number, token in enumerate(tokens)}
    return BytePairTokenizer(vocab, merges, [END, BEGIN], style=style)


STYLES = {
    "gpt2": Style(),
    "digits": Style(pretokenize.DIGITS),
    "llama3": Style(pretokenize.LLAMA3, ignore_merges=True, begins_with=BEGIN),
}


def sentencepiece(prefix: str = "every") -> SentencePieceTokenizer:
    letters = "abcdefghijklmnopqrstuvwxyzABCTIDY',.!é▁▂0123"
    words = [
        "▁t",
        "he",
        "▁the",
        "▁a",
        "re",
        "ca",
        "cat",
        "at",
        "▁c",
        "▁cat",
        "▁▁",
        "▁▁▁▁",
        "12",
        "n'",
        "n't",
    ]
    scores = {"<unk>": 0.0, "<s>": 0.0, "</s>": 0.0}
    scores |= {f"<0x{byte:02X}>": 0.0 for byte in range(256)}
    scores |= {token: -float(i) for i, token in enumerate(words)}
    scores |= {token: -1e9 - i for i, token in enumerate(letters)}
    return SentencePieceTokenizer.from_scores(
        scores, ["<unk>", "<s>", "</s>"], prefix=prefix, begins_with="<s>"
    )


@pytest.mark.peers
@pytest.mark.parametrize("name", STYLES)
def test_byte_level_bpe_is_that_of_tokenizers(name: str, peer: Any, tmp_path: Path) -> None:
    tokenizers = peer("tokenizers")
    ours = byte_level(STYLES[name])
    ours.save(tmp_path)
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    again = huggingface.read_tokenizer(lambda n: tmp_path / n, 10**6)
    assert isinstance(again, BytePairTokenizer)
    assert (again.vocab, again.merges, again.style) == (ours.vocab, ours.merges, STYLES[name])
    for text in strings(5000):
        ids = ours.encode(text)
        assert ids == theirs.encode(text, add_special_tokens=False).ids, repr(text)
        assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=False), repr(text)
    first = theirs.encode("a").ids[0]
    begin = STYLES[name].begins_with
    assert first == (ours.vocab[begin] if begin else ours.encode("a")[0])


@pytest.mark.peers
@pytest.mark.parametrize("prefix", ["every", "first", "never"])
def test_sentencepiece_is_that_of_tokenizers(prefix: str, peer: Any, tmp_path: Path) -> None:
    tokenizers = peer("tokenizers")
    ours = sentencepiece(prefix)
    ours.save(tmp_path)
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    again = huggingface.read_tokenizer(lambda n: tmp_path / n, 10**6)
    assert isinstance(again, SentencePieceTokenizer)
    assert (again.vocab, again.merges, again.prefix) == (ours.vocab, ours.merges, prefix)
    assert again.begins_with == "<s>"
    rest = ["<s>the cat</s>  the <unk>cats", "</s>the", " the", "  the", "▁the ▁▁ the"]
    for text in [*rest, *strings(5000)]:
        ids = ours.encode(text)
        assert ids == theirs.encode(text, add_special_tokens=False).ids, repr(text)
        assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=False), repr(text)
    broken = [ours.vocab[f"<0x{byte:02X}>"] for byte in (0xE2, 0x82, 0x41, 0xFF)]
    assert ours.decode(broken) == theirs.decode(broken, skip_special_tokens=False)


@pytest.mark.peers
def test_tokens_that_reach_across_words_are_found(peer: Any, tmp_path: Path) -> None:
    tokenizers = peer("tokenizers")
    scores = {f"<0x{byte:02X}>": 0.0 for byte in range(256)}
    scores |= {"f▁t": -1.0, "▁t": -2.0, "of": -3.0, "he": -4.0, "▁the": -5.0}
    scores |= {token: -1e9 - i for i, token in enumerate("▁oftheab")}
    scores["f▁"] = -0.5
    ours = SentencePieceTokenizer.from_scores(scores, [])
    ours.save(tmp_path)
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in ("of the boat", "off  the the", "a of t"):
        assert ours.encode(text) == theirs.encode(text).ids


@pytest.mark.parametrize("name", STYLES)
def test_a_stream_gives_the_ids_of_the_whole(name: str) -> None:
    tokenizer = byte_level(STYLES[name])
    text = "".join(strings(400)) * 2
    expected = tokenizer.encode_iterable([text[i : i + 7] for i in range(0, len(text), 7)])
    pieces = pretokenize.split(text, STYLES[name].pattern)
    assert "".join(pieces) == text
    assert list(expected) == tokenizer.encode(text)


def test_pieces_of_each_pattern() -> None:
    text = "It'S 1234  5 (two)\n\nx"
    assert pretokenize.split(text, pretokenize.DIGITS) == [
        "It", "'", "S", " ", "1", "2", "3", "4", "  ", "5", " (", "two", ")", "\n", "\n", "x",
    ]  # fmt: skip
    assert pretokenize.split(text, pretokenize.LLAMA3) == [
        "It", "'S", " ", "123", "4", " ", " ", "5", " (", "two", ")\n\n", "x",
    ]  # fmt: skip


def test_bytes_without_a_token_are_left_out_only_outside_gpt2() -> None:
    tokenizer = byte_level(STYLES["digits"])
    assert tokenizer.encode("a\x04b") == tokenizer.encode("ab")
    with pytest.raises(ModelError, match="no token for the byte 0x04"):
        BytePairTokenizer(tokenizer.vocab, tokenizer.merges, tokenizer.special_tokens)


def test_what_sentencepiece_cannot_do_is_an_error() -> None:
    tokenizer = sentencepiece()
    with pytest.raises(InputError, match=r"lone surrogate, U\+D800"):
        tokenizer.encode("a\ud800")
    with pytest.raises(OptionError, match="no token has the id 99999"):
        tokenizer.decode([99999])
    with pytest.raises(ModelError, match=r"'<0x00>' is not in the vocabulary"):
        SentencePieceTokenizer({"a": 0}, [])
    with pytest.raises(ModelError, match="are not 0 to 1"):
        SentencePieceTokenizer({"a": 0, "b": 2}, [])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"normalizer": {"type": "NFC"}}, "what differs: .*normalizer or pre_tokenizer"),
        (
            {"pre_tokenizer": {"type": "Metaspace", "replacement": BLANK}},
            "what differs: .*pre_tokenizer",
        ),
        ({"decoder": None}, "what differs: decoder"),
        ({"post_processor": {"type": "BertProcessing"}}, "what differs: post_processor"),
    ],
)
def test_other_files_are_refused_by_name(change: Any, fault: str, tmp_path: Path) -> None:
    sentencepiece().save(tmp_path)
    path = tmp_path / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8")) | change
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ModelError, match=fault):
        SentencePieceTokenizer.from_tokenizer_json(path)
