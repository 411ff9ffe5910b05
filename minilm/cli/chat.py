"""`minilm chat DIR`: a conversation with a model; from a pipe, one reply."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from minilm.cli import console
from minilm.cli.options import add_sampling
from minilm.errors import MinilmError, OptionError

if TYPE_CHECKING:
    from minilm.models.chat import Chat


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "model", type=Path, metavar="DIR", help="folder of a model, a GGUF file, or smollm2"
    )
    parser.add_argument(
        "--adapter", type=Path, metavar="DIR", help="folder of an adapter that belongs to it"
    )
    parser.add_argument("--system", metavar="TEXT", help="instructions that the model reads first")
    # The makers of SmolLM2 advise 0.2 and 0.9: at 0.7 it answers some English questions in French.
    add_sampling(parser, max_new_tokens=200, temperature=0.2, top_p=0.9)


def run(options: argparse.Namespace) -> int:
    """Talk until the input ends."""
    import numpy as np

    from minilm.models import adapted, chat
    from minilm.models.generate import Sampling

    adapters = [options.adapter] if options.adapter else []
    ((_, model),) = adapted.load_language_models(options.model, adapters)
    if model.tokenizer is not None and model.tokenizer.chat_template is None and not adapters:
        console.note(
            "chat",
            "this model has no chat template: it may not have learned to answer (minilm finetune "
            "--conversations)",
        )
    conversation = chat.Chat(
        model,
        Sampling(options.temperature, options.top_k, options.top_p),
        max_new_tokens=options.max_new_tokens,
        system=options.system,
        rng=np.random.default_rng(options.seed),
    )
    if sys.stdin.isatty():
        return _talk(conversation)
    content = sys.stdin.read().strip()
    if not content:
        raise OptionError("nothing to answer: the input is empty")
    for piece in conversation.reply(content):
        print(piece, end="", flush=True)
    print()
    return 0


def _talk(conversation: Chat) -> int:
    """Read messages and print the replies until the input ends."""
    print("/reset starts again, /quit or Ctrl-D ends; Ctrl-C stops a reply")
    while True:
        try:
            content = input("> ").strip()
        except EOFError:
            print()
            return 0
        if content == "/quit":
            return 0
        if content == "/reset":
            conversation.reset()
        elif content.startswith("/"):
            print(f"{content.split()[0]} is not a command; use /reset or /quit")
        elif content:
            _answer(conversation, content)


def _answer(conversation: Chat, content: str) -> None:
    before = conversation.forgotten
    pieces = conversation.reply(content)
    try:
        for piece in pieces:
            print(piece, end="", flush=True)
    except MinilmError as error:  # of this message; the conversation goes on
        print(error, end="")
    except KeyboardInterrupt:
        print(" ...", end="")
    finally:
        pieces.close()  # type: ignore[attr-defined]
    print()
    if conversation.forgotten > before:
        print("(the context is full: the oldest turns are forgotten)")
