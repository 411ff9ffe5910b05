"""The versions of a model: an update never loses the model that was there before.

    DIR/               the current model
    DIR/versions/1/    a complete model's folder: the model before the first update
    DIR/versions/2/    the first update, and so on

An update is trained in its own folder under `versions/`; until it ends, others read the old model.
Then it becomes the current model in a single transaction, or stays beside it. Which version is
current is not recorded anywhere: it is the one with the same checksums as DIR. What a version was
made from, and whether it was kept, is in the last stage of its lineage.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from minilm import files
from minilm.errors import ModelError, OutputError
from minilm.store import classification, folder, manifest, transaction
from minilm.store.folder import Content, OpenModel, Stage, Writer
from minilm.store.manifest import Manifest

FOLDER = "versions"

Verdict = Literal["kept", "held back"]


@dataclass(frozen=True)
class Version:
    """One version of a model.

    Attributes
    ----------
    number : int
    path : Path
        A complete model's folder; before the first update, the current model itself.
    lineage : tuple of Stage
    current : bool
    made_from : int or None
        The version that it continues; None if no update here made it.
    """

    number: int
    path: Path
    lineage: tuple[Stage, ...]
    current: bool = False
    made_from: int | None = None

    @property
    def verdict(self) -> Verdict | None:
        """Whether the update was kept; None while it is unfinished."""
        noted = self.lineage[-1].settings if self.lineage else {}
        if noted.get("version") != self.number:  # complete, from elsewhere
            return "kept"
        found = noted.get("verdict")
        return found if found in ("kept", "held back") else None


class Update:
    """The only process that may update a model, for the length of a `with` block.

    Entering locks the model's folder and copies the current model to `versions/`, if it is not
    there yet. During training the update is saved in its own folder; `finish` makes it the current
    model, or leaves it beside the old one.

    Parameters
    ----------
    path : path-like
        The folder of a model.
    wait : bool
        Wait while another process has the folder, instead of raising OutputError.

    Attributes
    ----------
    path : Path
    base : Version
        What the update is made from: the current model by default, or what `start_from` names; for
        an unfinished update, what it started from.
    number : int
        Of the new version, or of the unfinished one.
    is_begun : bool
        Whether there is an unfinished update.
    stale_pid : int or None
        The process that died holding the folder, if one did.

    Raises
    ------
    OutputError
        When another process has the folder, or it cannot be written to.
    ModelError
        When the current model is damaged, or a classifier.
    """

    def __init__(self, path: str | os.PathLike[str], *, wait: bool = False) -> None:
        self.path = Path(path)
        self._wait = wait
        self._held = contextlib.ExitStack()
        self._own: Writer | None = None

    def __enter__(self) -> Update:
        """Lock the folder and make sure that the current model is among the versions."""
        if not folder.exists(self.path):
            fault = "no model here to update; check the path"
            if folder.can_hold(self.path) and not self.path.is_dir():
                fault = "a GGUF file is not changed; give the result a folder with --output-dir"
            raise ModelError(fault, self.path)
        with contextlib.ExitStack() as stack:
            self._writer = stack.enter_context(_writer(self.path, wait=self._wait))
            self.stale_pid = self._writer.stale_pid
            _finish_copy(self.path)
            self.base = self._secured(self.path)
            begun = unfinished(self.path)
            self.is_begun = begun is not None
            self.number = begun.number if begun else _free_number(self.path)
            if begun is not None and begun.made_from is not None:
                self.base = _find(self.path, begun.made_from)
            self._held = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        """Release the folder."""
        self._held.close()

    @property
    def place(self) -> Path:
        """The folder that the update is saved in."""
        return self.path / FOLDER / str(self.number)

    def prepare(self) -> Path:
        """Make and lock the folder that the update is saved in; return it."""
        if self._own is None:
            self._own = self._held.enter_context(Writer(self.place))
        return self._own.path

    def start_from(self, path: Path) -> None:
        """Make the update from another model, which is copied to `versions/` too."""
        self.base = self._secured(path)
        self.number = _free_number(self.path)

    def discard(self) -> None:
        """Delete the unfinished update; start again from the current model."""
        shutil.rmtree(self.place)
        self.is_begun = False
        self.base = self._secured(self.path)

    def save(self, contents: Mapping[str, Content], lineage: Sequence[Stage]) -> None:
        """Save an unfinished update, as `Writer.save` does, so that it can be resumed."""
        self._own_writer().save(contents, self._noted(lineage, None))

    def finish(
        self, contents: Mapping[str, Content], lineage: Sequence[Stage], verdict: Verdict
    ) -> None:
        """Save a finished update. If it is kept, it becomes the current model, all or nothing.

        Its number, its base and the verdict are added to the settings of the last stage.
        """
        noted = self._noted(lineage, verdict)
        if verdict == "kept":
            self._writer.save(contents, noted)
        self._own_writer().save(contents, noted)

    def _own_writer(self) -> Writer:
        self.prepare()
        assert self._own is not None  # noqa: S101  (`prepare` has set it)
        return self._own

    def _noted(self, lineage: Sequence[Stage], verdict: Verdict | None) -> list[Stage]:
        notes: dict[str, Any] = {"version": self.number, "from": self.base.number}
        if verdict is not None:
            notes["verdict"] = verdict
        *before, last = lineage
        return [*before, replace(last, settings={**last.settings, **notes})]

    def _secured(self, path: Path) -> Version:
        """Return the version that equals a model; copy the model if there is none yet."""
        for version in stored(self.path):
            if _is_copy(version, path):
                return version
        classification.require_language_model(path)
        number = _free_number(self.path)
        target = self.path / FOLDER / str(number)
        with Writer(target) as writer:
            copy(path, writer)
        return Version(number, target, manifest.read(target / manifest.NAME).lineage)


def listed(path: str | os.PathLike[str]) -> list[Version]:
    """Return the versions of a model, oldest first; only the model if it was never updated.

    Raises
    ------
    ModelError
        When there is no model, or its `minilm.json` is damaged.
    """
    here = Path(path)
    if not folder.exists(here):
        raise ModelError("no model here; check the path", here)
    found = stored(here)
    if not any(version.current for version in found):
        known = _manifest(here)
        found.append(
            Version(_free_number(here), here, known.lineage if known else (), current=True)
        )
    return found


def unfinished(path: str | os.PathLike[str]) -> Version | None:
    """Return the unfinished update of a model, if there is one."""
    return next((v for v in reversed(stored(Path(path))) if v.verdict is None), None)


def rollback(
    path: str | os.PathLike[str], number: int | None = None, *, wait: bool = False
) -> Version:
    """Make an earlier version, or any other, the current model, all of it or nothing.

    Parameters
    ----------
    path : path-like
        The model's folder.
    number : int, optional
        Which version (default: the one that the current model was made from).
    wait : bool
        Wait while another process has the folder, instead of raising OutputError.

    Raises
    ------
    OutputError
        When there is no such version, it is not finished, or another process has the folder.
    ModelError
        When that version is damaged.
    """
    here = Path(path)
    if not folder.exists(here) and not stored(here):
        raise ModelError("no model here; check the path", here)
    with _writer(here, wait=wait) as writer:
        _finish_copy(here)
        if number is None:
            kept = stored(here)
            if len(kept) < 2:
                raise OutputError(f"{here}: there is no earlier version to go back to")
            current = next((v for v in kept if v.current), None)
            if current is None or current.made_from is None:
                raise OutputError(
                    f"{here}: no record of what the model here was made from; see --list, and "
                    "name a version with --to"
                )
            number = current.made_from
        target = _find(here, number)
        if target.verdict is None:
            raise OutputError(f"{here}: the update to version {number} is not finished")
        copy(target.path, writer)
    return target


def move_aside(path: Path) -> Path:
    """Rename a folder to the first free of `NAME-old-1`, `NAME-old-2`, ...; return the new path.

    Raises
    ------
    OutputError
        When another process has the folder, or it cannot be renamed.
    """
    with files.FolderLock(path):
        pass  # nobody is saving to it; close the lock, as Windows cannot rename it while open
    full = path.resolve()
    number = 1
    while (target := full.with_name(f"{full.name}-old-{number}")).exists():
        number += 1
    try:
        full.rename(target)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be renamed to {target.name} ({error.strerror or error}); rename it "
            "yourself, or choose another --output-dir"
        ) from None
    return path.with_name(target.name)


def _writer(path: Path, *, wait: bool) -> Writer:
    return Writer(path, wait=math.inf) if wait else Writer(path)


def stored(path: Path) -> list[Version]:
    """Return the versions under `versions/`, by number, without incomplete copies."""
    found: dict[int, Version] = {}
    for number in sorted(_numbers(path)):
        place = path / FOLDER / str(number)
        known = _manifest(place)
        if known is not None:
            version = Version(number, place, known.lineage)
            current, base = _is_copy(version, path), _base(version, found)
            found[number] = replace(version, current=current, made_from=base)
    return list(found.values())


def _base(version: Version, before: Mapping[int, Version]) -> int | None:
    """Return the number of the version that an update was made from, if that is known here."""
    if not version.lineage:
        return None
    *earlier, last = version.lineage
    base = before.get(last.settings.get("from", 0))
    made_here = base is not None and base.lineage == tuple(earlier)
    return base.number if base is not None and made_here else None


def _is_copy(version: Version, path: Path) -> bool:
    """Return whether a version is a copy of the model in a folder."""
    try:
        known = _manifest(path)
    except ModelError:  # damaged, so not a copy; a version may replace it
        return False
    if known is not None:
        return _manifest(version.path) == known
    if version.lineage or not folder.exists(path):
        return False
    # A foreign model was rewritten when it was copied: compare the weights.
    copied, foreign = folder.load(version.path), folder.load(path)
    return copied.config == foreign.config and np.array_equal(
        copied.parameters.flat, foreign.parameters.flat
    )


def _numbers(path: Path) -> Iterator[int]:
    if (path / FOLDER).is_dir():
        for entry in (path / FOLDER).iterdir():
            if entry.name.isdecimal() and entry.is_dir():
                yield int(entry.name)


def _free_number(path: Path) -> int:
    """Return the number after the last; that of an incomplete copy is used again."""
    return max((version.number for version in stored(path)), default=0) + 1


def _finish_copy(path: Path) -> None:
    """Complete a version that became the current model just before its process was killed."""
    try:
        known = _manifest(path)
    except ModelError:  # a damaged model is not copied
        return
    if known is None or not known.lineage:
        return
    *earlier, last = known.lineage
    for version in stored(path):
        if version.verdict is None and version.number == last.settings.get("version"):
            if version.lineage[:-1] != tuple(earlier):
                continue  # from elsewhere: its number means nothing here
            with Writer(version.path) as writer:
                copy(path, writer)


def _find(path: Path, number: int) -> Version:
    found = {version.number: version for version in stored(path)}
    if number not in found:
        known = ", ".join(map(str, found)) or "none, as there was no update yet"
        raise OutputError(f"{path}: there is no version {number}; versions here: {known}")
    return found[number]


def _manifest(path: Path) -> Manifest | None:
    """Return the content of `minilm.json`; None for a folder without one."""
    transaction.settle_if_free(path)
    place = transaction.locate(path, manifest.NAME)
    return manifest.read(place) if place.exists() else None


def copy(path: Path, writer: Writer) -> None:
    """Save a copy of a model: verified bytes, or a foreign model written in our format.

    Raises
    ------
    ModelError
        When the model is damaged; then nothing is replaced.
    """

    def save(opened: OpenModel) -> None:
        if opened.manifest is None:
            saved = opened.read()
            writer.save(folder.model_files(saved.config, saved.parameters, saved.tokenizer))
            return
        state = opened.state_files()
        names = [n for n in opened.manifest.files if not n.startswith(f"{folder.STATE}/")] + state
        contents: dict[str, Content] = {
            name: partial(_pour, transaction.locate(path, name)) for name in names
        }
        writer.save(contents, opened.manifest.lineage)

    folder.reading(path, lambda _: None)  # find damage before replacing anything
    folder.reading(path, save)


def _pour(path: Path, sink: Any) -> None:
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            sink.write(piece)
