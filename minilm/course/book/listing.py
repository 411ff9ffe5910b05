"""Python as HTML: keywords, strings and comments marked, every line with a number to link to."""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Iterator

from minilm.compare.report.page.markup import escape

_KINDS = {tokenize.COMMENT: "c", tokenize.STRING: "s"}
# Since Python 3.12 the pieces of an f-string are tokens of their own.
_KINDS |= {
    getattr(tokenize, name): "s"
    for name in ("FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END")
    if hasattr(tokenize, name)
}


def listing(source: str, label: str, *, copy: bool = False, numbered: bool = False) -> str:
    """Return a listing.

    Parameters
    ----------
    source : str
        Python.
    label : str
        What it is, for screen readers.
    copy : bool
        Whether the script may offer to copy it.
    numbered : bool
        Whether its lines are numbered, from 1, and can be linked to as `#L1`.
    """
    lines = _marked(source)
    if numbered:
        lines = [f'<span id="L{number}">{line}</span>' for number, line in enumerate(lines, 1)]
    kind = "code numbered" if numbered else "code"
    body = "\n".join(lines)
    return (
        f'<pre class="{kind}" role="group" tabindex="0" aria-label="{escape(label)}"'
        f"{' data-copy' if copy else ''}><code>{body}</code></pre>"
    )


def _marked(source: str) -> list[str]:
    """Return the lines of a source, each with its marks closed."""
    lines, parts = list[str](), list[str]()
    for text, kind in _pieces(source.rstrip("\n")):
        for number, piece in enumerate(text.split("\n")):
            if number:
                lines.append("".join(parts))
                parts = []
            if piece:
                shown = escape(piece)
                parts.append(f'<span class="{kind}">{shown}</span>' if kind else shown)
    return [*lines, "".join(parts)]


def _pieces(source: str) -> Iterator[tuple[str, str]]:
    """Yield the source in pieces, each with the kind of token that it is, or none."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    at = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = _KINDS.get(token.type, "")
        if token.type == tokenize.NAME and keyword.iskeyword(token.string):
            kind = "k"
        if not kind:
            continue
        begin, end = (starts[row - 1] + column for row, column in (token.start, token.end))
        yield source[at:begin], ""
        yield source[begin:end], kind
        at = end
    yield source[at:], ""
