"""The learner's folder: the files that are written there, what is known of them, and backups.

    mykatas/04_6_layer_norm_backward.py     the learner's; overwritten only on request
    mykatas/predictions/                    what the learner expects before a demo runs
    mykatas/10_4_report.md                  the learner's page of evidence
    mykatas/.state.json                     what passed, how many hints were read, the last mistake
    mykatas/.backups/                       what `reset` and `solution --write` put aside

A file that passed and was edited since counts as started. One that passed what the library then
asked for, and not what it asks for now, is stale: to be checked again, and otherwise left alone.
One that cannot be read is marked, and stops nothing.
"""

from __future__ import annotations

import datetime
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from minilm import files
from minilm.course import catalog, evidence, experiments, stubs
from minilm.course.catalog import Kata
from minilm.course.reports import Failure
from minilm.errors import InputError, OptionError

FOLDER = Path("mykatas")
_STATE = ".state.json"
_BACKUPS = ".backups"

_PREDICTIONS = "predictions"

NEW, STARTED, PASSED, STALE = "new", "started", "passed", "stale"
UNREADABLE = "unreadable"


def find_folder() -> Path:
    """Return the learner's folder: the one this is run in or under, else `mykatas`."""
    here = Path.cwd()
    if not FOLDER.is_dir():
        for place in (here, *here.parents):
            if place.name == FOLDER.name:
                return Path(os.path.relpath(place, here))
    return FOLDER


class Learner:
    """A learner's folder.

    Parameters
    ----------
    folder : Path
        Made when something is first written.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    def file(self, kata: Kata) -> Path:
        """Return where the learner's file of a kata is, or will be."""
        return self.folder / f"{kata.name}.py"

    def source(self, kata: Kata) -> str:
        """Return what is in the learner's file.

        Raises
        ------
        InputError
            When there is none, or it cannot be read.
        """
        path = self.file(kata)
        try:
            return path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise InputError(
                f"kata {kata.number} is not started; run: minilm kata start {kata.number}"
            ) from None
        except UnicodeDecodeError:
            raise InputError("not UTF-8; save it as UTF-8", path) from None
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", path) from None

    def predictions_file(self, kata: Kata) -> Path:
        """Return where the learner's predictions are, or will be."""
        if kata.is_experiment:
            return self.file(kata)
        return self.folder / _PREDICTIONS / f"{kata.name}.txt"

    def page(self, kata: Kata) -> Path | None:
        """Return where the learner's page of evidence is, or will be; None for most katas."""
        return None if evidence.template(kata) is None else self.folder / evidence.file_name(kata)

    def files(self, kata: Kata) -> list[Path]:
        """Return the files that a check reads, as many of them as are there."""
        found = [self.file(kata), self.page(kata)]
        return [path for path in found if path is not None and path.exists()]

    def started(self) -> list[Kata]:
        """Return the katas that have a file, in order."""
        return [kata for kata in catalog.all_katas() if self.file(kata).exists()]

    # ------------------------------------------------------------------ what is known

    def record(self, kata: Kata) -> dict[str, Any]:
        """Return what is kept about a kata; empty for one that is new."""
        found: dict[str, Any] = self._read().get(kata.number, {})
        return found

    def update(self, kata: Kata, **fields: Any) -> None:
        """Keep something about a kata."""
        records = self._read()
        records[kata.number] = {**records.get(kata.number, {}), **fields}
        self.folder.mkdir(exist_ok=True)
        files.write_json(self.folder / _STATE, {"version": 1, "katas": records})

    def gave_up(self, kata: Kata) -> bool:
        """Return whether the solution was shown before the learner's own had passed."""
        return self.record(kata).get("solution") == "given up"

    def note_result(
        self, kata: Kata, source: str, passed: bool, failure: Failure | None = None
    ) -> None:
        """Keep the result of a check of a source.

        Kept are also how many checks there were, since when it has been failing, what the last
        failure was, and when the kata passed first.
        """
        now, before = _now(), self.record(kata)
        fields: dict[str, Any] = {"checked": now, "result": "passed" if passed else "failed"}
        fields["checks"] = before.get("checks", 0) + 1
        if passed:
            fields |= {"source": self._digest(kata, source), "fingerprint": kata.fingerprint()}
            fields |= {"passed": before.get("passed", now), "failing": None}
        else:
            fields["failing"] = before.get("failing") or now
        fields["mistake"] = failure.mistake if failure else None
        fields["stage"] = failure.stage if failure else None
        self.update(kata, **fields)

    def state(self, kata: Kata) -> str:
        """Return "new", "started", "passed", "stale" or "unreadable"."""
        if not self.file(kata).exists():
            return NEW
        record = self.record(kata)
        try:
            digest = self._digest(kata, self.source(kata))
        except InputError:
            return UNREADABLE
        if record.get("source") != digest:
            return STARTED
        return PASSED if record["fingerprint"] == kata.fingerprint() else STALE

    def _digest(self, kata: Kata, source: str) -> str:
        """Return a digest of what a check reads, whatever the line ends."""
        page = self.page(kata)
        if page is not None and page.exists():
            source += page.read_text(encoding="utf-8", errors="replace")
        return hashlib.sha256(source.replace("\r\n", "\n").encode()).hexdigest()[:16]

    def states(self) -> dict[str, str]:
        """Return the state of every kata, by number."""
        return {kata.number: self.state(kata) for kata in catalog.all_katas()}

    def _read(self) -> dict[str, Any]:
        path = self.folder / _STATE
        if not path.exists():
            return {}
        return records_of(path.read_bytes(), path)

    # ------------------------------------------------------------------ files

    def start(self, kata: Kata) -> bool:
        """Write the file that a kata begins with; return whether it was written.

        One that is there already is left as it is, and so is a page of evidence.
        """
        path, page = self.file(kata), self.page(kata)
        if page is not None and not page.exists():
            self.write(page, evidence.template(kata) or "")
        if path.exists():
            return False
        self.write(path, first_file(kata))
        self.update(kata, started=_now(), hints=0)
        return True

    def put(self, kata: Kata, source: str) -> Path | None:
        """Replace the learner's file; return where the old one was put aside."""
        path = self.file(kata)
        backup = None
        if path.exists():
            backup = self._free_backup(kata)
            self.write(backup, self.source(kata))
        self.write(path, source)
        return backup

    def undo(self, kata: Kata) -> Path:
        """Swap the learner's file and its last backup; return the backup's path."""
        backups = self._backups(kata)
        if not backups:
            raise OptionError(f"kata {kata.number} has nothing to undo: it has no backup")
        last = backups[-1]
        before = last.read_text(encoding="utf-8")
        if self.file(kata).exists():
            self.write(last, self.source(kata))
        self.write(self.file(kata), before)
        return last

    def _backups(self, kata: Kata) -> Sequence[Path]:
        """Return the backups of a kata's file, the oldest first."""
        found = (self.folder / _BACKUPS).glob(f"{kata.name}.*.py")
        return sorted(found, key=lambda path: int(path.name.split(".")[1]))

    def _free_backup(self, kata: Kata) -> Path:
        backups = self._backups(kata)
        number = int(backups[-1].name.split(".")[1]) + 1 if backups else 1
        return self.folder / _BACKUPS / f"{kata.name}.{number}.py"

    def write(self, path: Path, text: str) -> None:
        """Write a file of the learner's folder, atomically."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.atomic_write(path) as file:
            file.write(text)


def records_of(data: bytes, path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a state keeps of each kata, by number, given the content of its file.

    Raises
    ------
    InputError
        When it is damaged.
    """
    damaged = InputError("not the state of a course; delete it (your own files stay)", path)
    try:
        content = files.parse_json(data.decode("utf-8-sig"), path)
    except (InputError, UnicodeDecodeError):
        raise damaged from None
    records = content.get("katas") if isinstance(content, Mapping) else None
    if not isinstance(records, dict) or not all(map(_is_record, records.values())):
        raise damaged
    return records


def _is_record(record: Any) -> bool:
    """Return whether this is what `Learner.update` keeps about a kata."""
    return isinstance(record, dict) and all(
        isinstance(record.get(name, 0), int) for name in ("hints", "checks")
    )


def first_file(kata: Kata) -> str:
    """Return what a learner begins a kata with."""
    return experiments.form(kata) if kata.is_experiment else stubs.stub(kata)


def next_kata(states: Mapping[str, str]) -> Kata | None:
    """Return the kata to continue with: one that is stale or started, else the next new one."""
    katas = catalog.all_katas()
    for wanted in ((STALE, STARTED, UNREADABLE), (NEW,)):
        for kata in katas:
            if states[kata.number] in wanted:
                return kata
    return None


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
