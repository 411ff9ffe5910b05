"""The files of a byte-level BPE tokenizer: `vocab.json`, `merges.txt`, `tokenizer.json`.

The formats are those of GPT-2 and of Hugging Face's `tokenizers`. Reading checks form only (is this
JSON, are these strings and numbers, does it ask for something that is not here); whether vocabulary
and merges fit together is for `bpe.BytePairTokenizer` to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from minilm import errors, files
from minilm.errors import ModelError

NAMES = TOKENIZER, VOCAB, MERGES = "tokenizer.json", "vocab.json", "merges.txt"
#: Tokens that older versions of transformers keep beside `vocab.json`, outside it.
ADDED_TOKENS = "added_tokens.json"

# The largest vocabularies in use (260,000 entries) make files of 35 MB.
MAX_BYTES = 1 << 26

_VERSION = "#version: 0.2"

_PRE_TOKENIZER = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": True,
    "use_regex": True,
}


def read_vocab(path: Path, added: Path | None = None) -> dict[str, int]:
    """Return the token ids of a `vocab.json`, and of an `added_tokens.json` beside it.

    Raises
    ------
    ModelError
        When a file is damaged, or the second gives a token of the first another id.
    """
    vocab = _vocab(_read_json(path), path)
    for token, number in (_vocab(_read_json(added), added) if added else {}).items():
        if vocab.setdefault(token, number) != number:
            raise ModelError(
                f"{errors.brief(token)} has the id {number} here and {vocab[token]} in {VOCAB}",
                added,
            )
    return vocab


def read_merges(path: Path) -> list[tuple[str, str]]:
    """Return the pairs of a `merges.txt`: one a line, after an optional line with a version."""
    lines = files.read_text(path, max_bytes=MAX_BYTES, error=ModelError).split("\n")
    merges = []
    for number, line in enumerate(lines, 1):
        line = line.removesuffix("\r")
        if (number == 1 and line.startswith("#version")) or (number == len(lines) and not line):
            continue
        merges.append(_pair(line, path, number))
    return merges


def read_tokenizer(path: Path) -> tuple[dict[str, int], list[tuple[str, str]], list[str]]:
    """Return vocabulary, merges and special tokens of a `tokenizer.json`.

    Tokens that were added outside the model's vocabulary are in the vocabulary that is returned.
    All that were added count as special tokens: they are matched first, whatever their flag says.

    Raises
    ------
    ModelError
        When the file is damaged, or asks for what byte-level BPE as GPT-2 does it has not: another
        model, a normalizer, another way to cut text into pieces.
    """
    content = _read_json(path)
    if not isinstance(content, dict):
        raise ModelError("not a tokenizer: an object was expected", path)
    model = content.get("model")
    if not isinstance(model, dict):
        raise ModelError("not a tokenizer: it has no 'model'", path)
    _check_supported(content, model, path)
    vocab = _vocab(model.get("vocab"), path)
    merges = model.get("merges")
    if not isinstance(merges, list):
        raise ModelError("its model has no list of merges", path)
    special_tokens = []
    for token in _added_tokens(content, path):
        text, number = token["content"], token["id"]
        if vocab.setdefault(text, number) != number:
            raise ModelError(f"{text!r} has the id {vocab[text]} and, as added, {number}", path)
        special_tokens.append(text)
    return vocab, [_pair(merge, path) for merge in merges], special_tokens


def write(
    folder: Path,
    vocab: Mapping[str, int],
    merges: Sequence[tuple[str, str]],
    special_tokens: Sequence[str],
) -> None:
    """Write the three files into a folder that exists, each whole or not at all."""
    files.write_json(folder / VOCAB, dict(vocab))
    with files.atomic_write(folder / MERGES) as file:
        file.write(_VERSION + "\n")
        file.writelines(f"{left} {right}\n" for left, right in merges)
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": vocab[token], "content": token, **flags, "special": True}
            for token in sorted(special_tokens, key=vocab.__getitem__)
        ],
        "normalizer": None,
        "pre_tokenizer": _PRE_TOKENIZER,
        "post_processor": None,
        "decoder": _PRE_TOKENIZER,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": dict(vocab),
            "merges": [f"{left} {right}" for left, right in merges],
        },
    }
    files.write_json(folder / TOKENIZER, content)


def _read_json(path: Path) -> Any:
    return files.read_json(path, max_bytes=MAX_BYTES, error=ModelError)


def _vocab(content: Any, path: Path) -> dict[str, int]:
    if not isinstance(content, dict):
        raise ModelError("no vocabulary: an object from tokens to ids was expected", path)
    for token, number in content.items():
        if type(number) is not int:
            raise ModelError(f"the id of {token!r} is {errors.brief(number)}, not an integer", path)
    return content


def _pair(merge: Any, path: Path, line: int | None = None) -> tuple[str, str]:
    """Return the two parts of a merge, which is "a b" or, in newer files, ["a", "b"]."""
    parts = merge.split(" ") if isinstance(merge, str) else merge
    if isinstance(parts, list) and len(parts) == 2:
        left, right = parts
        if _is_token(left) and _is_token(right):
            return left, right
    raise ModelError(f"{errors.brief(merge)} is not a merge; two tokens were expected", path, line)


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _added_tokens(content: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    tokens = content.get("added_tokens") or []
    if not isinstance(tokens, list):
        raise ModelError("its added_tokens are no list", path)
    for token in tokens:
        if (
            not isinstance(token, dict)
            or not _is_token(token.get("content"))
            or type(token.get("id")) is not int
        ):
            raise ModelError(f"{errors.brief(token)} is no added token with content and id", path)
        for flag in ("single_word", "lstrip", "rstrip"):
            if token.get(flag):
                raise ModelError(
                    f"the added token {token['content']!r} has {flag} set, which minilm has not",
                    path,
                )
    return tokens


def _check_supported(content: dict[str, Any], model: dict[str, Any], path: Path) -> None:
    """Raise ModelError where the file asks for more than GPT-2's byte-level BPE."""

    def kind(part: str) -> Any:
        value = content.get(part)
        return value.get("type", "?") if isinstance(value, dict) else value

    # Older files name no type; merges are what only BPE has.
    if model.get("type", "BPE" if "merges" in model else "?") != "BPE":
        raise ModelError(
            f"a tokenizer of the kind {errors.brief(model.get('type'))}, not BPE", path
        )
    pre_tokenizer = content.get("pre_tokenizer")
    settings = pre_tokenizer if isinstance(pre_tokenizer, dict) else {}
    wrong = {
        "normalizer": kind("normalizer") is not None,
        "pre_tokenizer": kind("pre_tokenizer") != "ByteLevel"
        or settings.get("add_prefix_space", True) is not False
        or settings.get("use_regex", True) is not True,
        "post_processor": not _adds_nothing(content.get("post_processor")),
        "decoder": kind("decoder") != "ByteLevel",
    }
    for option in ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "ignore_merges"):
        wrong[option] = bool(model.get(option))
    asked = [name for name, is_wrong in wrong.items() if is_wrong]
    if asked:
        raise ModelError(
            f"not a tokenizer like GPT-2's, which minilm knows: its {', '.join(asked)} differ", path
        )


def _adds_nothing(post_processor: Any) -> bool:
    """Return whether a post-processor leaves the ids as they are."""
    if not isinstance(post_processor, dict):
        return post_processor is None
    # ByteLevel moves offsets only; transformers writes a template of the text and nothing else.
    alone = [{"Sequence": {"id": "A", "type_id": 0}}]
    return post_processor.get("type") == "ByteLevel" or (
        post_processor.get("type") == "TemplateProcessing" and post_processor.get("single") == alone
    )
