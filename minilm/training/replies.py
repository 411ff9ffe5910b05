"""Fine-tuning on conversations: the model learns to write the replies, and only those.

The model's template turns a conversation into a text (`models.chat`). The loss is the mean over the
tokens that the assistant writes, including the token that ends each reply; what the user and the
system say is read and not predicted. The template is saved with the model, where transformers finds
it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from minilm.arrays import Ids
from minilm.data.conversations import Conversation, read_conversations
from minilm.data.documents import counted
from minilm.errors import InputError, OptionError
from minilm.models import chat, scores, texts
from minilm.models.chat import Template
from minilm.models.scores import Score
from minilm.nn import architectures, lora
from minilm.nn.parallel import Shards
from minilm.progress import Say
from minilm.random import generator
from minilm.store import classification, folder
from minilm.store.folder import SavedModel, Stage, Tokenizer
from minilm.training import checkpoint, finetune, loop, text_run, unfreezing
from minilm.training.labelled_task import KIND, load_base, tokenizer_of
from minilm.training.output import new_folder, save_adapter, save_log
from minilm.training.settings import RATE_SHARES, FinetuneSettings

_HELD_OUT = 10  # one conversation in ten is held out, if there are at least twenty


@dataclass(frozen=True)
class Encoded:
    """Conversations as token ids.

    Attributes
    ----------
    ids : list of list of int
    targets : list of list of int
        For each position the token that should follow; -100 if the assistant does not write it.
    cut : int
        How many lost their beginning because the context has no room for all of it.
    """

    ids: list[list[int]]
    targets: list[list[int]]
    cut: int


def run(
    model: str | os.PathLike[str],
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    settings: FinetuneSettings,
    *,
    encoding: str = "utf-8",
    say: Say = print,
) -> None:
    """Fine-tune a language model on the conversations of a file, and save the result.

    The result of LoRA is an adapter; the other methods make a complete model.

    Raises
    ------
    MinilmError
        When model, file, settings or folder cannot be used, or training fails.
    """
    settings.check()
    if settings.method == "probe":
        raise OptionError(
            "--method probe trains the head of a classifier, which replies do not have; use full, "
            "lora, last-n or gradual"
        )
    with new_folder(output) as writer:
        base, head = load_base(model)
        if head is not None:
            classification.require_language_model(model)  # raises, with what to do
        tokenizer = tokenizer_of(base, model)
        template = chat.template_of(tokenizer)
        found = read_conversations(path, encoding=encoding)
        encoded = encode(tokenizer, template, found, Path(path), base.config.n_positions)
        say(_sizes(encoded, template))
        settings = replace(settings, learning_rate=_rate(settings, base.lineage))
        task = _Task(base, encoded, settings)
        rows = loop.fit(task, finetune.plan(settings, task.steps), say)
        recorded = {**asdict(settings), "encoding": encoding, "machine": checkpoint.machine()}
        stage = Stage(KIND, (folder.source(path),), task.steps, task.tokens, recorded)
        lineage = (*base.lineage, stage)
        tokenizer.chat_template = template.source
        if task.model.adapter is None:
            contents = folder.model_files(base.config, task.parameters, tokenizer, base.seen)
            writer.save(contents, lineage)
            kind = "a language model that answers"
        else:
            save_adapter(writer, task.model.adapter, base, model, lineage)
            kind = f"an adapter for {model}"
        save_log(
            writer.path,
            rows,
            kind,
            say,
            title=f"How well the replies of {Path(path).name} are predicted",
            held_out_name="held-out conversations",
        )


def _rate(settings: FinetuneSettings, lineage: Sequence[Stage]) -> float:
    """Return the highest learning rate; by default that of an update, or of LoRA on labels.

    The perplexity of held-out letters of `corpora/advice_letters.txt` (a Llama 96 wide, 400 steps
    on general.txt, then 6 epochs) fell to 56.2 so, and at a full rate of 2e-3 and 5e-3 to 59.1 and
    77.2; with LoRA to 60.7 at 5e-3 and 63.0 at 2e-3. At 5e-3 one step took SmolLM2 from a few
    hundred on short replies to 94 million; at an update's rate three steps took it to 3.
    """
    if settings.learning_rate is not None or settings.method == "lora":
        return settings.peak
    return RATE_SHARES["full"] * text_run.pretraining_rate(lineage)


def encode(
    tokenizer: Tokenizer,
    template: Template,
    found: Sequence[tuple[int, Conversation]],
    path: Path,
    context: int,
) -> Encoded:
    """Return conversations as ids and targets; those longer than the context are cut at the front.

    Raises
    ------
    InputError
        When a message has a special token in it.
    """
    ids, targets, cut = [], [], 0
    for line, messages in found:
        for message in messages:
            try:
                chat.check_content(tokenizer, message.content)
            except OptionError as error:
                raise InputError(str(error), path, line) from None
        tokens, theirs = chat.encode(tokenizer, template.segments(messages))
        cut += len(tokens) - 1 > context
        tokens, theirs = tokens[-context - 1 :], theirs[-context - 1 :]
        ids.append(tokens[:-1])
        pairs = zip(tokens[1:], theirs[1:], strict=True)
        targets.append([token if is_reply else -100 for token, is_reply in pairs])
    return Encoded(ids, targets, cut)


def _sizes(encoded: Encoded, template: Template) -> str:
    learned = sum(target != -100 for row in encoded.targets for target in row)
    total = sum(map(len, encoded.ids))
    cut = f"; {encoded.cut:,} longer than the context, cut at the front" if encoded.cut else ""
    kind = "ChatML" if template.is_chatml else "plain"
    return (
        f"{counted(len(encoded.ids), 'conversation')}{cut}; template: {kind}; {total:,} tokens, "
        f"{learned:,} of them in replies, which are learned"
    )


class _Task(unfreezing.Staged):
    """The task of the loop: batches of conversations."""

    def __init__(self, base: SavedModel, encoded: Encoded, settings: FinetuneSettings) -> None:
        config = base.config.with_dropout(settings.dropout)
        factors = {}
        if settings.method == "lora":
            targets = lora.targets_for(config, settings.targets)
            factors = lora.adapter_shapes(config, settings.rank, targets)
        self.parameters = base.parameters.extended(factors)
        model = architectures.language_model(config, parameters=self.parameters)
        if settings.method == "lora":
            adapter = finetune.adapter(config, settings, self.parameters)
            lora.initialize(adapter, config, rng=generator(settings.seed, "lora"))
            model.use(adapter)
        # Every name, unlike a classifier: here the next-word head is what is trained.
        depths = unfreezing.below_the_head(self.parameters, config)
        groups = unfreezing.stages(depths, settings.method, settings.layers)
        count = len(encoded.ids)
        held = range(0, count, _HELD_OUT) if count >= 2 * _HELD_OUT else range(0)
        rows = list(zip(encoded.ids, encoded.targets, strict=True))
        self.held_out = [rows[i] for i in held]
        self.rows = [row for i, row in enumerate(rows) if i not in held]
        # One rate for all layers, unless a decay is asked for: the head is not a new one.
        decay = settings.layer_decay or 1.0
        super().__init__(model, groups, [len(ids) for ids, _ in self.rows], settings, decay)
        self.tokens = 0

    def batch(self, step: int) -> tuple[Ids, Ids]:
        """Return ids and targets, padded on the right."""
        ids, targets = _padded([self.rows[i] for i in self.chosen(step)])
        self.tokens += int(np.count_nonzero(targets != -100))
        return ids, targets

    def evaluate(self, shards: Shards) -> Score | None:
        """Return the score on the held-out replies."""
        if not self.held_out:
            return None
        batches = (_padded([row]) for row in self.held_out)
        return scores.evaluate(self.model, batches, shards, None)


def _padded(rows: Sequence[tuple[list[int], list[int]]]) -> tuple[Ids, Ids]:
    ids, lengths = texts.pad([ids for ids, _ in rows])
    targets = np.full(ids.shape, -100)
    targets[np.arange(ids.shape[1]) < lengths[:, None]] = np.concatenate([t for _, t in rows])
    return ids, targets
