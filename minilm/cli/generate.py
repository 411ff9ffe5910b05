"""`minilm generate DIR [PROMPT]`: generate or continue text."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from minilm.cli import console
from minilm.cli.options import add_adapter, add_sampling

if TYPE_CHECKING:
    from minilm.models.generate import Chosen
    from minilm.models.language_model import LanguageModel

_SHOWN = 5  # of the tokens that could have been chosen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", type=Path, metavar="DIR", help="folder of a model")
    parser.add_argument("prompt", nargs="?", default="", metavar="PROMPT", help="text to continue")
    add_sampling(parser, max_new_tokens=100, temperature=0.8, top_p=None)
    add_adapter(parser)
    parser.add_argument("--stream", action="store_true", help="print each token as it is generated")
    parser.add_argument(
        "--show-probabilities",
        action="store_true",
        help="print each token's probability, and the likely alternatives",
    )
    parser.add_argument(
        "--slide",
        action="store_true",
        help="when the context is full, continue from its last half (otherwise the text ends)",
    )


def run(options: argparse.Namespace) -> int:
    """Generate, and print. BLAS keeps all its threads here, because memory is the bottleneck."""
    from minilm.models import adapted

    models = adapted.load_language_models(options.model, options.adapter)
    for name, model in models:
        if len(models) > 1:
            print(f"{name}:")
        _generate(model, options)
    return 0


def _generate(model: LanguageModel, options: argparse.Namespace) -> None:
    """Print the text of one model, and say so if the context ended it."""
    import numpy as np

    from minilm.models.generate import Sampling

    ids = model.encode(options.prompt)
    chosen = model.tokens(
        ids,
        max_new_tokens=options.max_new_tokens,
        sampling=Sampling(options.temperature, options.top_k, options.top_p),
        slide=options.slide,
        rng=np.random.default_rng(options.seed),
    )
    if options.show_probabilities:
        made = _print_table(model, chosen)
    else:
        made = _print_text(model, options.prompt, ids, chosen, options.stream)
    if len(ids) + made >= model.config.n_positions and not options.slide:
        console.note(
            "generate",
            f"the context of {model.config.n_positions} tokens is full; --slide continues",
        )


def _print_text(
    model: LanguageModel, prompt: str, ids: list[int], chosen: Iterator[Chosen], stream: bool
) -> int:
    """Print prompt and continuation, at once or token by token; return the number of tokens."""
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for token in chosen:
            made.append(token.id)
            yield token.id

    pieces = model.pieces(ids, numbers())
    if not stream:
        pieces = iter(["".join(pieces)])
    # Nothing is printed before the first token exists: a bad prompt prints only its error.
    print(prompt + next(pieces, ""), end="", flush=True)
    for piece in pieces:
        print(piece, end="", flush=True)
    print()
    return len(made)


def _print_table(model: LanguageModel, chosen: Iterator[Chosen]) -> int:
    """Print a line per token, with its alternatives; return the number of lines."""
    import numpy as np

    made = 0
    for token in chosen:
        made += 1
        likeliest = np.argsort(-token.probabilities, kind="stable")[:_SHOWN]
        others = "  ".join(
            f"{_shown(model, int(i))} {token.probabilities[i]:.3f}"
            for i in likeliest
            if token.probabilities[i] > 0
        )
        print(f"{_shown(model, token.id):<16} {token.probabilities[token.id]:.3f}   of  {others}")
    return made


def _shown(model: LanguageModel, token: int) -> str:
    return repr(model.tokenizer.decode([token])) if model.tokenizer else str(token)
