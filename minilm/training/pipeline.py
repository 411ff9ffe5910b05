"""A whole session: check the data, look at what is there, train, measure, export.

What is there decides what happens:

    nothing                      a new model is pretrained
    a complete model             it is updated
    a model and an export        it is updated, and the export is renewed
    an export alone              a new model: an export cannot be trained
    an incomplete model          a new one in its place; the old folder is moved aside first
    weights only as a pickle     refused: minilm does not open files that can run code
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from minilm.data.quality import validate
from minilm.data.sources import find_files
from minilm.errors import MissingExtraError, OptionError, OutputError
from minilm.progress import Say
from minilm.store import classification, folder, huggingface, manifest, onnx, transaction, versions
from minilm.text.bpe import BytePairTokenizer
from minilm.training import checkpoint, log, new_documents, pretrain, text_run, update
from minilm.training.given import check
from minilm.training.outcome import Outcome, Result
from minilm.training.settings import RATE_SHARES, PretrainSettings, UpdateSettings

Kind = Literal["nothing", "model", "model and export", "export only", "incomplete"]


@dataclass(frozen=True)
class Session:
    """What a session is asked for.

    Attributes
    ----------
    paths : sequence of path-like
        Files or folders of text.
    output, export : Path
        The folders of the model and of its ONNX graph.
    given : mapping
        Fields of `PretrainSettings` and `UpdateSettings`. A field that only one of them has
        applies when that one is used.
    base, old_data, resume, discard, wait
        As in `update.update`.
    from_scratch : bool
        Move the existing model aside, and train a new one.
    anyway : bool
        Train even if the data has not passed its checks.
    say : callable
        Takes lines for the person who waits.
    """

    paths: Sequence[str | os.PathLike[str]]
    output: Path
    export: Path
    given: Mapping[str, Any]
    base: Path | None = None
    old_data: Sequence[str | os.PathLike[str]] = ()
    from_scratch: bool = False
    anyway: bool = False
    resume: bool = False
    discard: bool = False
    wait: bool = False
    say: Say = print


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
    """What a session did.

    Attributes
    ----------
    found : Found
    update : Result or None
        None if a new model was trained, or nothing was new.
    perplexity : float or None
        Of a new model on the held-out part of its text.
    export : Path or None
        The exported file.
    """

    found: Found
    update: Result | None
    perplexity: float | None
    export: Path | None


def detect(output: Path, export: Path) -> Found:
    """Return what a model's folder and an export's folder hold.

    Raises
    ------
    ModelError
        When the weights exist only as a pickle, or the folder is an adapter's; the message says
        what to do.
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
    """Return one line that says what was found and what happens next."""
    standard = f"the standard learning rate ({PretrainSettings.learning_rate:g})"
    new = f"a new model is trained at {_rate(given, standard)}"
    updated = base if base is not None else output if found.has_model else None
    gentle = "" if updated is None else _rate(given, _update_rate(updated, given))
    if base is not None:
        new = f"{base} is updated at {gentle}"
    what = {
        "nothing": f"found no model in {output}: {new}",
        "model": f"found a complete model in {output}: it is updated at {gentle}",
        "model and export": f"found a complete model in {output} and an export in {export}: the "
        f"model is updated at {gentle}, and the export is renewed",
        "export only": f"found an export in {export} but no model in {output}; an export cannot be "
        f"trained (keep the model's folder): {new}",
        "incomplete": f"found an incomplete model in {output} ({', '.join(found.missing)} missing):"
        f" the folder is moved aside, and {new}",
    }[found.kind]
    if base is not None and found.has_model:
        what += f", but from {base}"
    return what


def _rate(given: Mapping[str, Any], default: str) -> str:
    if "learning_rate" in given:
        return f"the learning rate you asked for ({given['learning_rate']:g})"
    return default


def _update_rate(model: Path, given: Mapping[str, Any]) -> str:
    """Return the default rate of an update of a model, in words."""
    lineage = folder.reading(model, lambda opened: opened.lineage)
    share = RATE_SHARES["lora" if given.get("lora") else "full"]
    rate = share * text_run.pretraining_rate(lineage)
    return f"{share:g} times the learning rate of its pretraining ({rate:g})"


def run(session: Session) -> Report | None:
    """Run a session; see the module.

    Returns
    -------
    Report or None
        None if the data has not passed its checks.

    Raises
    ------
    MinilmError
        When something cannot be used or done; what was there before is then unchanged.
    """
    output, export, base, say = session.output, session.export, session.base, session.say
    if session.from_scratch and (base is not None or session.resume):
        raise OptionError("--from-scratch starts again; leave out --model-name and --resume")
    new, further, shape = _divided(session.given)
    if base is not None:
        classification.require_language_model(base)
    _check_export(export, output)
    session = replace(session, paths=find_files(session.paths, output=output, say=say))
    found = detect(output, export)
    if not session.resume and not _passes(session, found):
        return None
    if session.from_scratch and folder.exists(output):
        say(f"--from-scratch: {output} is moved aside to {versions.move_aside(output)}")
        found = Found("export only" if found.kind == "model and export" else "nothing")
    finishing = found.has_model and _is_pretraining(session)
    if session.resume and found.has_model and (finishing or versions.unfinished(output)):
        what = "pretraining" if finishing else "update"
        decision = f"found an interrupted {what} in {output}: it is finished as it was started"
    else:
        decision = line(found, output, export, session.given, base)
    say(decision)
    if found.kind == "incomplete":
        _move_incomplete_aside(output, found, say)
    if importlib.util.find_spec("onnx") is None:
        say(f"no export will be made: {MissingExtraError('onnx', 'onnx', 'the export to ONNX')}")
    result = perplexity = None
    if base is None and (finishing or not found.has_model):
        pretrain.pretrain(session.paths, output, new, resume=session.resume, say=say)
        perplexity = _perplexity(output, session.given)
    else:
        _check_shape(base or output, shape)
        result = _update(session, further, found).result
    return Report(found, result, perplexity, _export(output, export, result, say))


def _update(session: Session, further: Mapping[str, Any], found: Found) -> Outcome:
    """Update the model in the folder, or a copy of the base if the folder has none."""
    base, begun = session.base, found.has_model
    if base is not None and not found.has_model:
        with folder.Writer(session.output) as writer:
            versions.copy(base, writer)
        base = None
    return update.update(
        session.paths,
        session.output,
        further,
        base=base,
        old_data=session.old_data,
        resume=session.resume and begun,
        discard=session.discard and begun,
        wait=session.wait,
        say=session.say,
    )


def _divided(
    given: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Check settings; return those of pretraining, of an update, and of the model's shape."""
    new, further = (
        {k: v for k, v in given.items() if k in {field.name for field in fields(kind)}}
        for kind in (PretrainSettings, UpdateSettings)
    )
    check({k: v for k, v in given.items() if k not in further}, PretrainSettings)
    check(further, UpdateSettings)
    shape = {k: v for k, v in new.items() if k not in further or k == "n_positions"}
    return new, further, shape


def _check_shape(model: Path, shape: Mapping[str, Any]) -> None:
    """Raise OptionError if the model has another shape or tokenizer than the one asked for."""
    config, tokenizer = folder.reading(model, lambda opened: (opened.config, opened.tokenizer))
    if shape.get("n_positions", config.n_positions) < config.n_positions:  # shorter windows
        shape = {**shape, "n_positions": config.n_positions}
    kind = "bpe" if isinstance(tokenizer, BytePairTokenizer) else "word"
    changes = new_documents.shape_changes(config, shape)
    if shape.get("tokenizer", kind) != kind:
        changes.append(f"tokenizer {kind} to {shape['tokenizer']}")
    if changes:
        raise OptionError(
            f"{model}: this model does not have the shape you ask for ({', '.join(changes)}); "
            "leave that out, or train a new model with --from-scratch"
        )


def _check_export(export: Path, output: Path) -> None:
    """Refuse, before training, a place where the export cannot be written afterwards."""
    if export.exists() and not export.is_dir():
        raise OutputError(f"{export}: a file with that name exists; choose another --onnx-output")
    if export.resolve() == output.resolve() or (export / manifest.NAME).exists():
        raise OutputError(f"{export}: a model's folder; choose another --onnx-output")


def _passes(session: Session, found: Found) -> bool:
    """Check the data, print the findings, and return whether to continue."""
    given, seen = session.given, None
    if found.has_model:
        seen = folder.reading(session.output, lambda opened: opened.seen())
    report = validate.validate(
        session.paths,
        seen=seen,
        unit=given.get("documents"),
        encoding=given.get("encoding", "utf-8"),
        text_column=given.get("text_column"),
        no_header=given.get("no_header", False),
    )
    for text in report.lines():
        session.say(text)
    if not report.passed and not session.anyway:
        session.say(
            "nothing was trained; clean the data with minilm validate --data-file FILE --fix OUT, "
            "or train on it as it is with --anyway"
        )
    return report.passed or session.anyway


def _move_incomplete_aside(output: Path, found: Found, say: Say) -> None:
    """Move an incomplete model aside, unless one of its versions is complete."""
    if whole := [version for version in versions.stored(output) if version.verdict == "kept"]:
        number = whole[-1].number
        raise OutputError(
            f"{output}: {', '.join(found.missing)} missing, but version {number} is complete; "
            f"bring it back with minilm rollback {output} --to {number}, or start again with "
            "--from-scratch"
        )
    say(f"{output} is now {versions.move_aside(output)}")


def _is_pretraining(session: Session) -> bool:
    """Return whether to finish the interrupted pretraining in the folder instead of updating."""
    output = session.output
    if versions.unfinished(output) is not None or not (output / checkpoint.STATE_FILE).exists():
        return False
    state = checkpoint.read_state(output)
    if state.finished or session.discard:
        return False
    if not session.resume:
        raise OutputError(
            f"{output}: its training was interrupted at step {state.step:,}; finish it with "
            "--resume, or update the model as it is with --discard"
        )
    return True


def _perplexity(output: Path, given: Mapping[str, Any]) -> float | None:
    """Return the held-out perplexity of a model that was just trained, from its log."""
    rows = log.read(output / log.NAME)
    found = [row.held_out_perplexity for row in rows if row.held_out_perplexity is not None]
    if not found:
        return None
    return min(found) if "patience" in given else found[-1]


def _export(output: Path, export: Path, result: Result | None, say: Say) -> Path | None:
    """Write the model as an ONNX graph, unless it is unchanged."""
    if result is not None and result.verdict == "held back":
        say(f"no new export: the model in {output} is unchanged")
        return None
    try:
        onnx.export(folder.load(output), export)
    except MissingExtraError as error:
        stale = (export / onnx.MODEL).exists()
        say(f"no export: {error}" + (f"; {export} is from an older model" if stale else ""))
        return None
    return export / onnx.MODEL


def summary(report: Report) -> list[str]:
    """Return the last lines about a session, after those of the update itself."""
    lines = []
    if report.perplexity is not None:
        lines.append(f"new model: perplexity {report.perplexity:,.2f} on held-out text")
    if report.export is not None:
        lines.append(f"exported: {report.export}")
    return lines


def to_json(report: Report) -> dict[str, Any]:
    """Return a report as JSON holds it."""
    return {
        "found": report.found.kind,
        "perplexity": report.perplexity,
        "export": None if report.export is None else str(report.export),
        "update": None if report.update is None else report.update.to_json(),
    }
