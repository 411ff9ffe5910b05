"""The files of a byte-level BPE tokenizer: `vocab.json`, `merges.txt`, `tokenizer.json`.

The formats are those of GPT-2 and of Hugging Face's `tokenizers`. Reading checks form only (is this
JSON, are these strings and numbers, does it ask for something that is not here); whether vocabulary
and merges fit together is for `bpe.BytePairTokenizer` to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minilm import errors, files
from minilm.errors import ModelError
from minilm.text import pretokenize
from minilm.text.pretokenize import Pattern

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
# How each pattern is asked for. Regular expressions are compared as text, not understood.
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_PRE_TOKENIZERS: dict[str, dict[str, Any]] = {
    "gpt2": _PRE_TOKENIZER,
    "digits": {
        "type": "Sequence",
        "pretokenizers": [{"type": "Digits", "individual_digits": True}, _PRE_TOKENIZER],
    },
    "llama3": {
        "type": "Sequence",
        "pretokenizers": [
            {
                "type": "Split",
                "pattern": {"Regex": _LLAMA3},
                "behavior": "Isolated",
                "invert": False,
            },
            {**_PRE_TOKENIZER, "use_regex": False},
        ],
    },
}


@dataclass(frozen=True)
class Style:
    """What a byte-level BPE does beside applying its merges; by default as GPT-2 does.

    Attributes
    ----------
    pattern : Pattern
        How text is cut into pieces.
    ignore_merges : bool
        Whether a piece that is a token as it is needs no merges, as in Llama 3.
    begins_with : str, optional
        The token that belongs before a text. `encode` leaves it out; a prompt begins with it.
    """

    pattern: Pattern = pretokenize.GPT2
    ignore_merges: bool = False
    begins_with: str | None = None


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
    text = files.read_text(path, max_bytes=MAX_BYTES, error=ModelError)
    lines = text.removeprefix("\ufeff").split("\n")
    merges = []
    for number, line in enumerate(lines, 1):
        line = line.removesuffix("\r")
        if (number == 1 and line.startswith("#version")) or (number == len(lines) and not line):
            continue
        merges.append(_pair(line, path, number))
    return merges


def read_tokenizer(path: Path) -> tuple[dict[str, int], list[tuple[str, str]], list[str], Style]:
    """Return vocabulary, merges, special tokens and style of a `tokenizer.json`.

    Tokens that were added outside the model's vocabulary are in the vocabulary that is returned.
    All that were added count as special tokens: they are matched first, whatever their flag says.

    Raises
    ------
    ModelError
        When the file is damaged, or asks for what is not built: another model, a normalizer,
        another way to cut text into pieces.
    """
    content, model = read_parts(path)
    style = _style(content, model, path)
    return *read_model(content, model, path), style


def read_parts(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a `tokenizer.json` holds, and the model in it.

    Raises
    ------
    ModelError
        When the file is damaged, or the model is of another kind than BPE.
    """
    content = _read_json(path)
    if not isinstance(content, dict):
        raise ModelError("not a tokenizer: an object was expected", path)
    model = content.get("model")
    if not isinstance(model, dict):
        raise ModelError("not a tokenizer: it has no 'model'", path)
    # Older files name no type; merges are what only BPE has.
    if model.get("type", "BPE" if "merges" in model else "?") != "BPE":
        raise ModelError(
            f"a tokenizer of the kind {errors.brief(model.get('type'))}, not BPE", path
        )
    return content, model


def read_model(
    content: dict[str, Any], model: dict[str, Any], path: Path
) -> tuple[dict[str, int], list[tuple[str, str]], list[str]]:
    """Return vocabulary, merges and special tokens; see `read_tokenizer`."""
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
    style: Style,
) -> None:
    """Write the files into a folder that exists, each whole or not at all.

    The first two know no style: only a tokenizer like GPT-2's has them.
    """
    if style == Style():
        files.write_json(folder / VOCAB, dict(vocab))
        with files.atomic_write(folder / MERGES) as file:
            file.write(_VERSION + "\n")
            file.writelines(f"{left} {right}\n" for left, right in merges)
    parts = {
        "normalizer": None,
        "pre_tokenizer": _PRE_TOKENIZERS[style.pattern.name],
        "post_processor": template(style.begins_with, vocab),
        "decoder": _PRE_TOKENIZER,
    }
    options = {"ignore_merges": style.ignore_merges}
    write_json(folder, vocab, merges, special_tokens, parts, options)


def write_json(
    folder: Path,
    vocab: Mapping[str, int],
    merges: Sequence[tuple[str, str]],
    special_tokens: Sequence[str],
    parts: Mapping[str, Any],
    options: Mapping[str, Any],
) -> None:
    """Write a `tokenizer.json` of a BPE model, given its other parts and the model's options."""
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": vocab[token], "content": token, **flags, "special": True}
            for token in sorted(special_tokens, key=vocab.__getitem__)
        ],
        **parts,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            **options,
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
        raise ModelError("its added_tokens are not a list", path)
    for token in tokens:
        if (
            not isinstance(token, dict)
            or not _is_token(token.get("content"))
            or type(token.get("id")) is not int
        ):
            raise ModelError(
                f"{errors.brief(token)} is not an added token with content and id", path
            )
        for flag in ("single_word", "lstrip", "rstrip"):
            if token.get(flag):
                raise ModelError(
                    f"the added token {token['content']!r} has {flag} set, which is not built",
                    path,
                )
    return tokens


def _style(content: dict[str, Any], model: dict[str, Any], path: Path) -> Style:
    """Return what a byte-level BPE asks for; raise ModelError where that is not built."""
    pre_tokenizer, post = content.get("pre_tokenizer"), content.get("post_processor")
    found = [
        pretokenize.PATTERNS[name]
        for name, known in _PRE_TOKENIZERS.items()
        if _asks_for(pre_tokenizer, known)
    ]
    decoder = content.get("decoder")
    wrong = {
        "normalizer": content.get("normalizer") is not None,
        "pre_tokenizer": not found,
        "post_processor": not is_template(post),
        "decoder": not isinstance(decoder, dict) or decoder.get("type") != "ByteLevel",
    }
    check_options(model, wrong, path)
    return Style(found[0], bool(model.get("ignore_merges")), begin_of(post))


def check_options(model: dict[str, Any], wrong: dict[str, bool], path: Path) -> None:
    """Raise ModelError if any part is wrong, or the model has an option that is not built."""
    for option in ("dropout", "continuing_subword_prefix", "end_of_word_suffix"):
        wrong[option] = bool(model.get(option))
    asked = [name for name, is_wrong in wrong.items() if is_wrong]
    if asked:
        raise ModelError(
            "not a tokenizer that minilm knows (GPT-2's, SmolLM2's, Llama's); what differs: "
            f"{', '.join(asked)}",
            path,
        )


def _asks_for(pre_tokenizer: Any, known: dict[str, Any]) -> bool:
    """Return whether a pre-tokenizer is a known one; `trim_offsets` touches no ids."""
    if not isinstance(pre_tokenizer, dict):
        return False
    if known["type"] == "Sequence":
        parts = pre_tokenizer.get("pretokenizers")
        if pre_tokenizer.get("type") != "Sequence" or not isinstance(parts, list):
            return False
        wanted = known["pretokenizers"]
        return len(parts) == len(wanted) and all(map(_asks_for, parts, wanted))
    # A key that is left out has the value that the library gives it.
    defaults = {"add_prefix_space": True, "use_regex": True, "invert": False}
    return all(
        pre_tokenizer.get(key, defaults.get(key)) == value
        for key, value in known.items()
        if key != "trim_offsets"
    )


_TEXT = {"Sequence": {"id": "A", "type_id": 0}}


def template(begins_with: str | None, vocab: Mapping[str, int]) -> dict[str, Any] | None:
    """Return the post-processor that puts a token before a text; None for no token."""
    if begins_with is None:
        return None
    token = {"SpecialToken": {"id": begins_with, "type_id": 0}}
    second = {"Sequence": {"id": "B", "type_id": 1}}
    again = {"SpecialToken": {"id": begins_with, "type_id": 1}}
    entry = {"id": begins_with, "ids": [vocab[begins_with]], "tokens": [begins_with]}
    return {
        "type": "TemplateProcessing",
        "single": [token, _TEXT],
        "pair": [token, _TEXT, again, second],
        "special_tokens": {begins_with: entry},
    }


def is_template(post_processor: Any) -> bool:
    """Return whether a post-processor leaves the ids as they are, or puts one token before them."""
    return post_processor is None or _begin(post_processor) is not False


def begin_of(post_processor: Any) -> str | None:
    """Return the token that a post-processor puts before a text, if any."""
    found = _begin(post_processor)
    return found if isinstance(found, str) else None


def _begin(post: Any) -> str | bool | None:
    """Return the token before a text, None for none, and False where something else is added."""
    if not isinstance(post, dict):
        return None if post is None else False
    kind = post.get("type")
    if kind == "ByteLevel":  # which moves offsets only
        return None
    if kind == "Sequence" and isinstance(post.get("processors"), list):
        found = [_begin(part) for part in post["processors"]]
        return False if False in found else next((f for f in found if f is not None), None)
    single = post.get("single")
    if kind != "TemplateProcessing" or not isinstance(single, list) or not single:
        return False
    if single == [_TEXT]:
        return None
    first = single[0].get("SpecialToken") if isinstance(single[0], dict) else None
    name = first.get("id") if isinstance(first, dict) else None
    return name if isinstance(name, str) and name and single[1:] == [_TEXT] else False
