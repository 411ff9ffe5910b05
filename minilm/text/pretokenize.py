r"""Pre-tokenization: where byte-pair encoding may never join, text is cut into pieces.

GPT-2's published pattern [1]_, for engines that know Unicode's classes L (letters) and N (numbers):

    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

SmolLM2 cuts every digit off first, then does the same with what is between the digits. Llama 3's
pattern [2]_ keeps up to three digits together, knows capital contractions, lets any sign begin a
word, and leaves line ends with the signs before them:

    (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*
    |\s*[\r\n]+|\s+(?!\S)|\s+

Python's `re` knows no `\p{L}`, and its `\s` also takes U+001C to U+001F. So the pattern here is the
one for ASCII, and text outside ASCII is matched by its *shape*: the same text with every character
outside ASCII replaced by an ASCII one of the same class. The pieces of the shape are as long as
those of the text.

References
----------
.. [1] Radford et al., "Language Models are Unsupervised Multitask Learners", 2019; `encoder.py` of
   the code that was published with it.
.. [2] A. Dubey et al., "The Llama 3 Herd of Models", 2024; `tokenizer.py` of the published code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

# Whatever follows, a piece begins where white space begins. Here Python's wider idea of white space
# is on the safe side: `\S` leaves out U+001C to U+001F, which are no white space to GPT-2.
_BEFORE_SPACE = re.compile(r"(?<=\S)[ \t\n\r]")


@dataclass(frozen=True)
class Pattern:
    """A way to cut text into pieces.

    Attributes
    ----------
    name : str
    pieces : re.Pattern
        Matches one piece of a text in ASCII.
    cut : re.Pattern
        Matches at places where a text can be cut without changing its pieces.
    ignores_case : bool
        Whether contractions are known in capitals too.
    """

    name: str
    pieces: re.Pattern[str]
    cut: re.Pattern[str] = _BEFORE_SPACE
    ignores_case: bool = False


GPT2 = Pattern(
    "gpt2",
    re.compile(
        r"'(?:[stmd]|re|ve|ll)| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+", re.ASCII
    ),
)
#: GPT-2's, with each digit a piece of its own; before one, text is cut as at its end.
DIGITS = Pattern(
    "digits",
    re.compile(
        r"'(?:[stmd]|re|ve|ll)| ?[A-Za-z]+|[0-9]| ?[^\sA-Za-z0-9]+|\s+(?![^\s0-9])|\s+", re.ASCII
    ),
)
LLAMA3 = Pattern(
    "llama3",
    re.compile(
        r"'(?:[stmdSTMD]|[rR][eE]|[vV][eE]|[lL][lL])|[^\r\nA-Za-z0-9]?[A-Za-z]+|[0-9]{1,3}"
        r"| ?[^\sA-Za-z0-9]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        re.ASCII,
    ),
    cut=re.compile(r"(?<=\S)[ \t]"),  # a line end may belong to the signs before it
    ignores_case=True,
)
PATTERNS = {pattern.name: pattern for pattern in (GPT2, DIGITS, LLAMA3)}

# The stand-ins of a shape. The letter is in no contraction; the white space is neither the blank
# that a word may begin with nor a line end; the sign is no apostrophe: those roles are ASCII's own.
_LETTER, _NUMBER, _SPACE, _SIGN = map(ord, "A0\t.")

# Letters and numbers of Unicode 15.0 to 16.0. Python 3.11 knows 14.0, and the same text must give
# the same tokens under every Python; 16.0 is what the crates of tokenizers and tiktoken know.
_LATER_LETTERS = (
    (0x1C89, 0x1C8A), (0xA7CB, 0xA7CD), (0xA7DA, 0xA7DC), (0x105C0, 0x105F3), (0x10D4A, 0x10D65),
    (0x10D6F, 0x10D85), (0x10EC2, 0x10EC4), (0x1123F, 0x11240), (0x11380, 0x11389),
    (0x1138B, 0x1138B), (0x1138E, 0x1138E), (0x11390, 0x113B5), (0x113B7, 0x113B7),
    (0x113D1, 0x113D1), (0x113D3, 0x113D3), (0x11BC0, 0x11BE0), (0x11F02, 0x11F02),
    (0x11F04, 0x11F10), (0x11F12, 0x11F33), (0x1342F, 0x1342F), (0x13441, 0x13446),
    (0x13460, 0x143FA), (0x16100, 0x1611D), (0x16D40, 0x16D6C), (0x18CFF, 0x18CFF),
    (0x1B132, 0x1B132), (0x1B155, 0x1B155), (0x1DF25, 0x1DF2A), (0x1E030, 0x1E06D),
    (0x1E4D0, 0x1E4EB), (0x1E5D0, 0x1E5ED), (0x1E5F0, 0x1E5F0), (0x2B739, 0x2B739),
    (0x2EBF0, 0x2EE5D), (0x31350, 0x323AF),
)  # fmt: skip
_LATER_NUMBERS = (
    (0x10D40, 0x10D49), (0x116D0, 0x116E3), (0x11BF0, 0x11BF9), (0x11F50, 0x11F59),
    (0x16130, 0x16139), (0x16D70, 0x16D79), (0x1CCF0, 0x1CCF9), (0x1D2C0, 0x1D2D3),
    (0x1E4F0, 0x1E4F9), (0x1E5F1, 0x1E5FA),
)  # fmt: skip
_LATER = {
    code: kind
    for kind, ranges in ((_LETTER, _LATER_LETTERS), (_NUMBER, _LATER_NUMBERS))
    for first, last in ranges
    for code in range(first, last + 1)
}

# Blocks of about this many characters are cut into pieces at a time: a list of all the pieces of a
# long text takes twenty times its memory.
BLOCK = 1 << 14


class _Shape(dict[int, int]):
    """The stand-in of each code point, found when it is first met (what `str.translate` reads)."""

    LIMIT = 1 << 16  # entries; text of more different characters than that is no language

    def __missing__(self, code: int) -> int:
        if len(self) >= self.LIMIT:
            self.clear()
        stand_in = self[code] = code if code < 128 else _stand_in(code)
        return stand_in


def _stand_in(code: int) -> int:
    if code in _LATER:
        return _LATER[code]
    character = chr(code)
    kind = unicodedata.category(character)[0]
    if kind in "LN":
        return _LETTER if kind == "L" else _NUMBER
    return _SPACE if character.isspace() else _SIGN


_shape = _Shape()


def split(text: str, pattern: Pattern = GPT2) -> list[str]:
    """Cut text into the pieces that byte-pair encoding works on; joined, they are the text.

    Parameters
    ----------
    text : str
        Any text; lone surrogates count as signs.
    pattern : Pattern

    Returns
    -------
    list of str
        A contraction's end; letters, digits or signs, each with the blank before them; white space.

    Examples
    --------
    >>> split("I've read  2 books… très")
    ['I', "'ve", ' read', ' ', ' 2', ' books', '…', ' très']
    """
    if text.isascii():
        return pattern.pieces.findall(text)
    # The long s is the only letter outside ASCII that is another case of one in a contraction.
    shape = (text.replace("ſ", "s") if pattern.ignores_case else text).translate(_shape)
    ends = accumulate(map(len, pattern.pieces.findall(shape)), initial=0)
    return [text[start:end] for start, end in pairwise(ends)]


def blocks(
    chunks: Iterable[str], uncut: Sequence[str] = (), pattern: Pattern = GPT2
) -> Iterator[str]:
    """Cut a stream of text into blocks that have the same pieces as the whole.

    Parameters
    ----------
    chunks : iterable of str
        The text, in parts that may end anywhere.
    uncut : sequence of str
        Strings that are not to be cut, either.
    pattern : Pattern

    Yields
    ------
    str
        Text of `BLOCK` characters and a little more: up to the next place where it may be cut.
        What is held in memory is one chunk, one block, and what cannot be cut.
    """
    held: list[str] = []
    size, wanted = 0, BLOCK
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size < wanted:
            continue
        text = "".join(held)
        start = 0
        while (cut := _find_cut(text, start + BLOCK, uncut, pattern)) is not None:
            yield text[start:cut]
            start = cut
        held = [text[start:]]
        size = len(held[0])
        # Where text cannot be cut, twice as much is awaited before it is looked through again.
        wanted = max(BLOCK, 2 * size)
    if size:
        yield "".join(held)


def _find_cut(text: str, start: int, uncut: Sequence[str], pattern: Pattern) -> int | None:
    for match in pattern.cut.finditer(text, start):
        cut = match.start()
        # What would straddle the cut may reach beyond the text that is there yet.
        reach = max(map(len, uncut), default=1) - 1
        if cut + reach <= len(text) and not any(
            string in text[max(0, cut - len(string) + 1) : cut + len(string) - 1]
            for string in uncut
        ):
            return cut
    return None
