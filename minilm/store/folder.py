"""A model's folder: ours, which keeps a lineage and checksums, or a Hugging Face model's.

Ours is a Hugging Face folder plus `minilm.json`, with the files for resuming under `training/`. All
of them change in one transaction, so that a kill at any moment leaves the last good model. Other
files in the folder (a log, pictures) are left alone and have no checksum.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from minilm import files
from minilm.errors import ModelError, OutputError, TrainingError
from minilm.nn.llama_config import LlamaConfig
from minilm.nn.parameters import Config, Parameters, param_shapes
from minilm.store import (
    huggingface,
    ledger,
    llamacpp,
    manifest,
    opened,
    packaged,
    safetensors,
    transaction,
)
from minilm.store.huggingface import Tokenizer
from minilm.store.ledger import Ledger
from minilm.store.manifest import Manifest, Source, Stage, source
from minilm.store.opened import STATE, OpenModel, SavedModel
from minilm.store.transaction import Content, Digest
from minilm.text.wordlevel import END_OF_TEXT, UNKNOWN

__all__ = [
    "END_OF_TEXT",
    "STATE",
    "Content",
    "OpenModel",
    "SavedModel",
    "Source",
    "Stage",
    "Tokenizer",
    "Writer",
    "can_hold",
    "convert",
    "exists",
    "load",
    "model_files",
    "reading",
    "render_json",
    "save",
    "source",
    "verify",
]

GGUF = ".gguf"
TOKENIZER_CONFIG = "tokenizer_config.json"
CHAT_TEMPLATE = "chat_template.jinja"
_MAX_TEMPLATE = 1 << 24

_TRIES, _WAIT = 20, 0.02  # seconds between two attempts to read while another process saves
T = TypeVar("T")


class Writer(transaction.FolderWriter):
    """The only process that may save to a folder, for the length of a `with` block.

    A training process holds one for its whole run. Parameters, attributes and errors are those of
    `FolderWriter`.
    """

    def save(self, contents: Mapping[str, Content], lineage: Sequence[Stage] = ()) -> None:
        """Replace the model, and everything saved with it, by these files.

        Parameters
        ----------
        contents : mapping of str to bytes or callable
            All files of the model, as `model_files` returns them, and those under `training/`.
            Other files of the last save are removed.
        lineage : sequence of Stage

        Raises
        ------
        OutputError
            When they cannot be written; the last good model is then unchanged.
        """
        self.settle()
        try:
            last = set(manifest.read(self.path / manifest.NAME).files)
        except ModelError:  # missing or damaged: nothing is known of the last save
            last = set()
        self.write(
            contents,
            remove=last - set(contents),
            seal=lambda digests: {manifest.NAME: manifest.render(digests, lineage)},
        )


def save(
    path: str | os.PathLike[str], contents: Mapping[str, Content], lineage: Sequence[Stage] = ()
) -> None:
    """Save once to a folder that no process holds; see `Writer.save`."""
    with Writer(path) as writer:
        writer.save(contents, lineage)


def model_files(
    config: Config,
    parameters: Parameters,
    tokenizer: Tokenizer | None,
    seen: Ledger | None = None,
) -> dict[str, Content]:
    """Return the files of a model, as transformers reads them, to be saved.

    Parameters
    ----------
    config : GPTConfig or LlamaConfig
    parameters : Parameters
        Those of the configuration are saved, in their dtype; others are ignored.
    tokenizer : BytePairTokenizer, WordLevelTokenizer or None
    seen : Ledger, optional
        The documents it has learned from.

    Raises
    ------
    TrainingError
        When a parameter is not finite; such a model is never saved.
    """
    weights = {name: parameters[name] for name in param_shapes(config)}
    if fault := huggingface.not_finite(parameters):
        raise TrainingError(f"{fault}; this model is not saved; go back to the last good save")
    end = tokenizer.vocab.get(END_OF_TEXT) if tokenizer else None
    ids = {} if end is None else {"bos_token_id": end, "eos_token_id": end}
    name = "GPT2LMHeadModel"
    if isinstance(config, LlamaConfig):
        name = "LlamaForCausalLM"
        if config.eos_token_id is not None:  # it has its own, as `to_dict` writes them
            ids = {}
    settings = {"architectures": [name], **config.to_dict(), **ids}
    return {
        huggingface.CONFIG: render_json(settings),
        huggingface.WEIGHTS: partial(safetensors.dump, weights, metadata={"format": "pt"}),
        **(tokenizer_files(tokenizer, config) if tokenizer else {}),
        **({} if seen is None else {ledger.NAME: seen.to_bytes()}),
    }


def tokenizer_files(tokenizer: Tokenizer, config: Config) -> dict[str, Content]:
    """Return a tokenizer's own files, and the one that tells transformers to take them as is."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save(folder)
        contents: dict[str, Content] = {p.name: p.read_bytes() for p in Path(folder).iterdir()}
    roles: dict[str, str | None] = {"bos_token": END_OF_TEXT, "eos_token": END_OF_TEXT}
    if isinstance(config, LlamaConfig):
        token_of = {number: token for token, number in tokenizer.vocab.items()}
        for role, ids in (("bos", config.bos_token_id), ("eos", config.eos_token_id)):
            if ids is not None:
                first = ids[0] if isinstance(ids, tuple) else ids
                roles[f"{role}_token"] = token_of.get(first)
    roles["unk_token"] = UNKNOWN
    contents[TOKENIZER_CONFIG] = render_json(
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": config.n_positions,
            "clean_up_tokenization_spaces": False,
            **{role: token for role, token in roles.items() if token in tokenizer.special_tokens},
            **({"chat_template": tokenizer.chat_template} if tokenizer.chat_template else {}),
        }
    )
    return contents


def exists(path: str | os.PathLike[str]) -> bool:
    """Return whether there is a model here, good or damaged: `load` reads it or says why not.

    Raises
    ------
    ModelError
        When an unfinished save left a damaged record.
    """
    folder = Path(path)
    transaction.settle_if_free(folder)
    signs = (manifest.NAME, *huggingface.SIGNS)
    return any(transaction.locate(folder, name).exists() for name in signs)


def can_hold(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is of a kind that `load` reads: a folder, a GGUF file, or its name."""
    return packaged.is_name(path) or Path(path).is_dir() or Path(path).suffix.lower() == GGUF


def load(path: str | os.PathLike[str], *, dtype: DTypeLike = np.float32) -> SavedModel:
    """Read a model's folder: ours, with every checksum, or a Hugging Face GPT-2's or Llama's.

    It may be a GGUF file too, or the name of a packaged one.

    Parameters
    ----------
    path : path-like
    dtype : float dtype
        Of the parameters; half precision is widened.

    Raises
    ------
    ModelError
        When something is missing, damaged or does not fit together; it names the file.
    """
    return reading(path, lambda folder: folder.read(dtype))


def convert(path: str | os.PathLike[str], output: str | os.PathLike[str]) -> SavedModel:
    """Write a model, of a GGUF file for instance, as a folder that transformers reads too.

    The lineage says which file it was, by name and hash, and under which license.

    Raises
    ------
    ModelError
        As for `load`.
    OutputError
        When the folder holds a model already, or cannot be written.
    """
    if exists(output):
        raise OutputError(f"{output}: holds a model; choose another --output-dir")
    saved = load(path)
    save(output, model_files(saved.config, saved.parameters, saved.tokenizer), saved.lineage)
    return saved


def reading(path: str | os.PathLike[str], use: Callable[[OpenModel], T]) -> T:
    """Open a folder, verify it while `use` reads from it, and return what `use` returned.

    If another process saves meanwhile, files of two saves may be mixed; then reading starts again.
    """
    folder = packaged.resolve(path)
    if folder.suffix.lower() == GGUF:
        with llamacpp.opened(folder) as found:
            return use(found)
    if not folder.is_dir():
        what = "not a folder" if folder.exists() else "no such folder"
        raise ModelError(f"{what}; a model is a folder on this disk: download it first", folder)
    for _ in range(_TRIES):
        transaction.settle_if_free(folder)
        before, was_changing = _version(folder), transaction.is_changing(folder)
        try:
            with _verified(folder) as found:
                result = use(found)
            if _version(folder) == before:
                return result
        except ModelError as error:
            fault = error
        except OSError as error:
            fault = ModelError(
                f"cannot be read: {error.strerror or error}", error.filename or folder
            )
        is_changing = transaction.is_changing(folder)
        if _version(folder) != before:
            fault = ModelError("another process keeps saving to it; read it later", folder)
        elif not was_changing and not is_changing:
            # The same save before and after, and no file was moved: the damage is real.
            raise fault
        time.sleep(_WAIT)
    raise fault


@contextmanager
def _verified(folder: Path) -> Iterator[OpenModel]:
    """Open a folder and verify its checksums in a second thread; raise at the end of the block."""
    path = transaction.locate(folder, manifest.NAME)
    listed = manifest.read(path) if path.exists() else None
    with ThreadPoolExecutor(1) as pool:
        verified = [pool.submit(verify, folder, *item) for item in _to_verify(folder, listed)]
        try:
            yield _open(folder, listed)
        finally:
            # A wrong checksum says more about the cause than a reader's error.
            for check in verified:
                check.result()


def _open(folder: Path, listed: Manifest | None) -> OpenModel:
    def locate(name: str) -> Path | None:
        if listed is not None:
            return transaction.locate(folder, name) if name in listed.files else None
        return folder / name if (folder / name).is_file() else None

    config, settings = huggingface.read_config(locate, folder)
    stored = huggingface.open_weights(locate, folder, param_shapes(config))
    tokenizer = huggingface.read_tokenizer(locate, config.vocab_size)
    if tokenizer is not None:
        tokenizer.chat_template = _chat_template(locate)
    end = opened.end_of_text(tokenizer, settings.get("eos_token_id"), config)
    lineage = listed.lineage if listed else ()
    return OpenModel(folder, config, settings, stored, tokenizer, end, listed, lineage)


def _chat_template(locate: huggingface.Locate) -> str | None:
    """Return the template of conversations, from the file of its own or the tokenizer's settings.

    Of several templates in one folder, the one that is named "default" is meant.
    """
    alone = locate(CHAT_TEMPLATE)
    if alone is not None:
        return files.read_text(alone, max_bytes=_MAX_TEMPLATE, error=ModelError)
    settings = locate(TOKENIZER_CONFIG)
    if settings is None:
        return None
    found = files.read_object(settings, max_bytes=_MAX_TEMPLATE).get("chat_template")
    if isinstance(found, list):
        named = [entry for entry in found if isinstance(entry, dict)]
        found = next((e.get("template") for e in named if e.get("name") == "default"), None)
    return found if isinstance(found, str) else None


def _to_verify(folder: Path, listed: Manifest | None) -> list[tuple[str, Digest]]:
    """Return the files that must be unchanged."""
    if listed is None:
        return []
    state = opened.present_state(folder, listed)
    return [(n, d) for n, d in listed.files.items() if not opened.is_state(n) or n in state]


def verify(folder: Path, name: str, expected: Digest) -> None:
    """Raise ModelError unless a file has the size and checksum in the manifest."""
    path = transaction.locate(folder, name)
    try:
        size = path.stat().st_size
        if size == expected.bytes and files.sha256(path) == expected.sha256:
            return
    except FileNotFoundError:
        raise ModelError(f"missing, though {manifest.NAME} lists it", path) from None
    found = "its checksum differs" if size == expected.bytes else f"{size:,} bytes"
    raise ModelError(
        f"{found} where {manifest.NAME} says {expected.bytes:,} bytes: it was changed or damaged; "
        f"restore it from a copy, or delete {manifest.NAME} to read it unverified",
        path,
    )


def _version(folder: Path) -> tuple[int, ...]:
    """Return what differs between two saves, but not while staged files are renamed."""
    try:
        status = transaction.locate(folder, manifest.NAME).stat()
    except OSError:
        return ()
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def render_json(content: Mapping[str, Any]) -> bytes:
    """Return the bytes of a JSON file of the folder."""
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
