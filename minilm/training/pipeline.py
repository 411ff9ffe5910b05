"""The whole way of a session: look at the data and at what is there, train, measure, export.

What is there decides what follows:

    nothing                      a new model, at the standard learning rate
    a complete model             it is continued, at a fifth of that rate
    a model and an export        likewise, and the export is renewed
    an export alone              a new model: an export cannot be trained
    an incomplete model          a new one in its place, the old folder is moved aside first
    weights as a pickle alone    refused: minilm does not open what can run code
"""

from __future__ import annotations

import importlib.util
import os
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from minilm.data.quality import validate
from minilm.data.sources import find_files
from minilm.errors import MissingExtraError, OptionError, OutputError
from minilm.store import classification, folder, huggingface, manifest, onnx, transaction, versions
from minilm.training import checkpoint, log, pretrain, update_settings, updating
from minilm.training.settings import PretrainSettings
from minilm.training.updating import Measured, Result

Say = Callable[[str], None]
Kind = Literal["nothing", "model", "model and export", "export only", "incomplete"]


@dataclass(frozen=True)
class Found:
    """What is in the two folders.

    Attributes
    ----------
    kind : str
    missing : tuple of str
        Files that an incomplete model lacks.
    """

    kind: Kind
    missing: tuple[str, ...] = ()

    @property
    def has_model(self) -> bool:
        """Whether there is a complete model."""
        return self.kind in ("model", "model and export")


@dataclass(frozen=True)
class Report:
    """What a session has done.

    Attributes
    ----------
    found : Found
    update : Result or None
        None where a new model was trained.
    perplexity : float or None
        Of a new model, on what was held out of its text; None where it was trained before.
    export : Path or None
        What was written; None where nothing was.
    """

    found: Found
    update: Result | None
    perplexity: float | None
    export: Path | None


def detect(output: Path, export: Path) -> Found:
    """Say what a model's folder and an export's folder hold.

    Raises
    ------
    ModelError
        When the weights are there only as a pickle, or the folder is an adapter's; the message
        says what to do.
    """
    exported = (export / onnx.MODEL).exists()

    def locate(name: str) -> Path | None:
        place = transaction.locate(output, name)
        return place if place.exists() else None

    if locate(huggingface.ADAPTER_CONFIG) and not locate(huggingface.CONFIG):
        huggingface.read_config(locate, output)  # raises, with the reason
    if not folder.exists(output):
        return Found("export only" if exported else "nothing")
    if not locate(huggingface.WEIGHTS) and not locate(huggingface.INDEX):
        pickles = [name for name in huggingface.SIGNS if name.startswith("pytorch_model")]
        if any(map(locate, pickles)):
            huggingface.open_weights(locate, output, {})  # raises, with the reason
    needed = [huggingface.CONFIG]
    if not locate(huggingface.INDEX):
        needed.append(huggingface.WEIGHTS)
    if listing := locate(manifest.NAME):
        listed = manifest.read(listing).files
        needed += [name for name in listed if not name.startswith(f"{folder.STATE}/")]
    missing = tuple(sorted({name for name in needed if not locate(name)}))
    if missing:
        return Found("incomplete", missing)
    return Found("model and export" if exported else "model")


def line(
    found: Found, output: Path, export: Path, given: Mapping[str, Any], base: Path | None
) -> str:
    """Return one line that says what was found and what follows from it."""
    new = (
        f"a new model is trained at {_rate(given, PretrainSettings.learning_rate, 'the standard')}"
    )
    gentle = _rate(given, update_settings.LEARNING_RATE, "a fifth of the standard")
    if base is not None:
        new = f"{base} is continued at {gentle}"
    what = {
        "nothing": f"found no model in {output}: {new}",
        "model": f"found a complete model in {output}: it is continued at {gentle}",
        "model and export": f"found a complete model in {output} and an export in {export}: the "
        f"model is continued at {gentle}, and the export renewed",
        "export only": f"found an export in {export} but no model in {output}; an export cannot be "
        f"trained (keep the model's folder): {new}",
        "incomplete": f"found an incomplete model in {output} ({', '.join(found.missing)} missing):"
        f" the folder is moved aside, and {new}",
    }[found.kind]
    if base is not None and found.has_model:
        what += f", but from {base}"
    return what


def _rate(given: Mapping[str, Any], default: float, name: str) -> str:
    if "learning_rate" in given:
        return f"the learning rate asked for ({given['learning_rate']:g})"
    return f"{name} learning rate ({default:g})"


def run(
    paths: Sequence[str | os.PathLike[str]],
    output: Path,
    export: Path,
    given: Mapping[str, Any],
    *,
    base: Path | None = None,
    old_data: Sequence[str | os.PathLike[str]] = (),
    from_scratch: bool = False,
    anyway: bool = False,
    resume: bool = False,
    discard: bool = False,
    wait: bool = False,
    say: Say = print,
) -> Report | None:
    """Do a session; see the module.

    Parameters
    ----------
    paths : sequence of path-like
        Files or folders of text.
    output, export : Path
        The folders of the model and of its ONNX graph.
    given, base, old_data, resume, discard, wait
        As for `updating.update`; settings of a model's shape are for a new one.
    from_scratch : bool
        Move what is there aside, and train a new model.
    anyway : bool
        Train although the data has not passed its checks.
    say : callable

    Returns
    -------
    Report or None
        None where the data has not passed.

    Raises
    ------
    MinilmError
        When something cannot be used or done; what was there is then as it was.
    """
    if from_scratch and (base is not None or resume):
        raise OptionError("--from-scratch begins anew; leave out --model-name and --resume")
    update_settings.check(given)
    if base is not None:
        classification.require_language_model(base)
    _check_export(export, output)
    paths = find_files(paths, output=output, say=say)
    found = detect(output, export)
    if not resume and not _passes(paths, output, found, given, anyway, say):
        return None
    if from_scratch and folder.exists(output):
        say(f"--from-scratch: {output} is moved aside to {versions.move_aside(output)}")
        found = Found("export only" if found.kind == "model and export" else "nothing")
    finishing = found.has_model and _is_pretraining(output, resume=resume, discard=discard)
    if resume and found.has_model and (finishing or versions.unfinished(output)):
        what = "pretraining" if finishing else "update"
        decision = f"found an interrupted {what} in {output}: it is finished as it was begun"
    else:
        decision = line(found, output, export, given, base)
    say(textwrap.fill(decision, 79, break_long_words=False, break_on_hyphens=False))
    if found.kind == "incomplete":
        _move_incomplete_aside(output, found, say)
    if importlib.util.find_spec("onnx") is None:
        say(f"no export will be made: {MissingExtraError('onnx', 'onnx', 'the export to ONNX')}")
    result, perplexity = None, None
    if found.has_model and not finishing:
        result = updating.update(
            paths,
            output,
            given,
            base=base,
            old_data=old_data,
            resume=resume,
            discard=discard,
            wait=wait,
            say=say,
        )
    elif base is not None:
        with folder.Writer(output) as writer:
            versions.copy(base, writer)
        result = updating.update(paths, output, given, old_data=old_data, say=say)
    else:
        pretrain.pretrain(paths, output, _of_a_new_model(given), resume=resume, say=say)
        perplexity = _perplexity(output, given)
    written = _export(output, export, result, say)
    return Report(found, result, perplexity, written)


def _check_export(export: Path, output: Path) -> None:
    """Refuse before the training what the export could not be written to after it."""
    if export.exists() and not export.is_dir():
        raise OutputError(f"{export}: a file of that name is there; choose another --onnx-output")
    if export.resolve() == output.resolve() or (export / manifest.NAME).exists():
        raise OutputError(f"{export}: a model's folder; choose another --onnx-output")


def _passes(
    paths: Sequence[str | os.PathLike[str]],
    output: Path,
    found: Found,
    given: Mapping[str, Any],
    anyway: bool,
    say: Say,
) -> bool:
    """Check the data, say what was found, and return whether to go on."""
    seen = folder.reading(output, lambda opened: opened.seen()) if found.has_model else None
    report = validate.validate(
        paths,
        seen=seen,
        unit=given.get("documents"),
        encoding=given.get("encoding", "utf-8"),
        text_column=given.get("text_column"),
        no_header=given.get("no_header", False),
    )
    for text in report.lines():
        say(text)
    if not report.passed and not anyway:
        say(
            "nothing was trained; clean the data with minilm validate --data-file FILE --fix OUT, "
            "or train on it as it is with --anyway"
        )
    return report.passed or anyway


def _move_incomplete_aside(output: Path, found: Found, say: Say) -> None:
    """Move an incomplete model aside, unless a whole version of it can be brought back."""
    if whole := [version for version in versions.stored(output) if version.verdict == "kept"]:
        number = whole[-1].number
        raise OutputError(
            f"{output}: {', '.join(found.missing)} missing, but version {number} is whole; bring "
            f"it back with minilm rollback {output} --to {number}, or begin anew with "
            "--from-scratch"
        )
    say(f"{output} is now {versions.move_aside(output)}")


def _is_pretraining(output: Path, *, resume: bool, discard: bool) -> bool:
    """Return whether to finish the pretraining that a folder holds, instead of continuing."""
    if versions.unfinished(output) is not None or not (output / checkpoint.STATE_FILE).exists():
        return False
    state = checkpoint.read_state(output)
    if state.finished or discard:
        return False
    if not resume:
        raise OutputError(
            f"{output}: its training was interrupted at step {state.step:,}; finish it with "
            "--resume, or continue the model as it is with --discard"
        )
    return True


def _of_a_new_model(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a new model can have: there is nothing yet to be forgotten."""
    names = {field.name for field in fields(PretrainSettings)}
    return {key: value for key, value in given.items() if key in names}


def _perplexity(output: Path, given: Mapping[str, Any]) -> float | None:
    """Return the held-out perplexity of a model that was just trained, as its log has it."""
    rows = log.read(output / log.NAME)
    found = [row.held_out_perplexity for row in rows if row.held_out_perplexity is not None]
    if not found:
        return None
    return min(found) if "patience" in given else found[-1]


def _export(output: Path, export: Path, result: Result | None, say: Say) -> Path | None:
    """Write the model as an ONNX graph, unless it is as it was."""
    if result is not None and result.verdict == "held back":
        say(f"no new export: the model in {output} is as it was")
        return None
    try:
        onnx.export(folder.load(output), export)
    except MissingExtraError as error:
        stale = (export / onnx.MODEL).exists()
        say(f"no export: {error}" + (f"; {export} is of an older model" if stale else ""))
        return None
    return export / onnx.MODEL


def summary(report: Report, output: Path) -> list[str]:
    """Return the lines that tell how it went, each of 80 columns at most where paths are short."""
    lines = []
    if report.perplexity is not None:
        lines.append(f"new model: perplexity {report.perplexity:,.2f} on held-out text")
    if report.update is not None:
        lines += update_lines(report.update, output)
    if report.export is not None:
        lines.append(f"exported: {report.export}")
    return lines


def update_lines(result: Result, output: Path) -> list[str]:
    """Return the table of an update, the verdict, and what to try where it was held back."""
    lines = [f"{'perplexity on held-out text':<44}{'before':>10}{'after':>10}{'change':>12}"]
    lines += [_row("old", measured) for measured in result.old]
    lines.append(_row("new", result.new))
    if not result.old:
        lines.append("old text: no sample of it is kept here; name it with --old-data to measure")
    place = f"version {result.version}, made from version {result.made_from}"
    if result.verdict == "kept":
        lines.append(f"{place}, is now the model in {output}")
        lines.append(f"go back with: minilm rollback {output}")
        return lines
    worst = max(result.old, key=lambda measured: measured.rise)
    lines += [
        f"{place}, is held back: {worst.name} got {worst.rise:.0%} worse",
        f"the model in {output} is as it was; the update is in {result.path}",
        "try half the --learning-rate, fewer --epochs, or --replay 0.5;",
        f"or take it all the same: minilm rollback {output} --to {result.version}",
    ]
    return lines


def _row(age: str, measured: Measured) -> str:
    name = measured.name if len(measured.name) <= 38 else measured.name[:37] + "…"
    before, after = measured.before.perplexity, measured.after.perplexity
    return f"{age}  {name:<39}{before:>10,.2f}{after:>10,.2f}{measured.rise:>+12.1%}"


def to_json(report: Report) -> dict[str, Any]:
    """Return a report as JSON can hold it."""
    result = report.update
    return {
        "found": report.found.kind,
        "perplexity": report.perplexity,
        "export": None if report.export is None else str(report.export),
        "update": result
        and {
            "version": result.version,
            "made_from": result.made_from,
            "verdict": result.verdict,
            "path": str(result.path),
            "steps": result.steps,
            "seconds": round(result.seconds, 3),
            "old": [_figures(measured) for measured in result.old],
            "new": _figures(result.new),
        },
    }


def _figures(measured: Measured) -> dict[str, Any]:
    return {
        "name": measured.name,
        "before": measured.before.perplexity,
        "after": measured.after.perplexity,
        "rise": measured.rise,
    }
