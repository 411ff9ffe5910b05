"""What is wrong with one text, judged from the text alone: damaged, another alphabet, private."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

# What decoders write for a letter that they cannot read, and half surrogate pairs, which only a
# JSON file can hold.
_LOST = re.compile("[\ufffd\ud800-\udfff]")

# Characters that nobody types: control characters other than tab and line ends.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")


_LETTERS = 1 / 3  # the smallest share of letters among characters that are not white space


def is_text(text: str, letters: int) -> bool:
    """Return whether a text with this many letters is text: enough letters, no control characters.

    >>> is_text("We won 3:2!", 5), is_text("3:2, 4:1 (n/a)", 2)
    (True, False)
    """
    return letters >= _LETTERS * sum(map(len, text.split())) and not has_control(text)


def has_control(text: str) -> bool:
    r"""Return whether there are control characters, as in a binary file.

    >>> has_control("a\tb\r\n"), has_control("PK\x03\x04")
    (False, True)
    """
    return _CONTROL.search(text) is not None


def has_lost_letters(text: str) -> bool:
    r"""Return whether letters were lost when the text was decoded.

    >>> has_lost_letters("caf\ufffd"), has_lost_letters("half of a smile: \ud83d")
    (True, True)
    """
    return _LOST.search(text) is not None


def _bytes_by_character() -> dict[str, int]:
    """Return the byte of each character if UTF-8 was decoded as Windows-1252 or Latin-1."""
    table = {chr(byte): byte for byte in range(0x80, 0x100)}
    for byte in range(0x80, 0xA0):
        character = bytes([byte]).decode("cp1252", "ignore")
        if character:
            table[character] = byte
    return table


_BYTES = _bytes_by_character()
_NEXT = "[" + re.escape("".join(c for c, byte in _BYTES.items() if byte < 0xC0)) + "]"
# UTF-8 marks the first byte of a character by its value; the others are 80-BF. In an undamaged
# text, the characters of these first bytes hardly ever come before those of the others:
_SURE = f"[ÂÃ]{_NEXT}|[âï]{_NEXT}{{2}}|ð{_NEXT}{{3}}"
# These do (a capital before a quotation mark: "SPAÑ»", a letter before French spacing: "été »"), so
# it only counts as damage if two of them follow each other somewhere in the text.
_UNSURE = f"[Î-Ù]{_NEXT}|[à-í]{_NEXT}{{2}}"
_MOJIBAKE = re.compile(f"(?:{_SURE})+")
_TWO_UNSURE = re.compile(f"(?:[Î-Ù]{_NEXT}){{2}}|(?:[à-í]{_NEXT}{{2}}){{2}}")
_ANY_MOJIBAKE = re.compile(f"(?:{_SURE}|{_UNSURE})+")


def repaired(text: str) -> str:
    r"""Return the text with UTF-8 that was decoded as Windows-1252 or Latin-1 repaired.

    If this happened several times, it is undone up to three times. What does not decode stays.

    >>> repaired("MÃ¼llerâ€™s cafÃ©"), repaired("CAFÉ» été\N{NO-BREAK SPACE}»")
    ('Müller’s café', 'CAFÉ» été\xa0»')
    """
    if text.isascii():
        return text
    for _ in range(3):
        pattern = _ANY_MOJIBAKE if _TWO_UNSURE.search(text) else _MOJIBAKE
        before, text = text, pattern.sub(_decoded, text)
        if text == before:
            break
    return text


def _decoded(run: re.Match[str]) -> str:
    try:
        return bytes(_BYTES[character] for character in run[0]).decode("utf-8")
    except UnicodeDecodeError:
        return run[0]


@lru_cache(maxsize=1 << 16)
def _script_of(character: str) -> str | None:
    """Return the first word of a letter's name, which is its script; None if it isn't a letter."""
    if not character.isalpha():
        return None
    name = unicodedata.name(character, "").split(" ")[0]
    return "CJK" if name in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA") else name


def scripts(text: str) -> Counter[str]:
    """Return how many letters of each script are in a text; Japanese counts as Chinese.

    >>> scripts("naïve 42 мир")
    Counter({'LATIN': 5, 'CYRILLIC': 3})
    """
    found: Counter[str] = Counter()
    for character, count in Counter(text).items():
        script = _script_of(character)
        if script is not None:
            found[script] += count
    return found


# Runs are bounded and cannot start inside another run, so that no text takes quadratic time.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])")
_DIGIT = re.compile(r"\d")
_DATE = re.compile(r"\b\d{1,2}[ ./-]\d{1,2}[ ./-](?:19|20)\d\d\b")
_PHONE = re.compile(
    r"""(?<![\w+(.,/-])(?:
        (?:\+|00)\d{1,3}[ ./-]?(?:\(\d{1,4}\)[ ./-]?)?\d(?:[ ./-]?\d){5,12}  # +44 20 7946 0958
      | \(\d{2,5}\)[ ./-]?\d(?:[ ./-]?\d){4,9}                               # (030) 1234567
      | \d{3}[ .-]\d{3}[ .-]\d{4}                                            # 555-123-4567
      | 0\d{1,4}[ ./-]\d(?:[ ./-]?\d){5,8}                                   # 06 12 34 56 78
    )(?![\w]|[.,/-]\d)""",
    re.VERBOSE,
)


def emails(text: str) -> list[str]:
    """Return the e-mail addresses in a text.

    >>> emails("write to jo.doe+x@mail.example.org, not to @home or 3@5")
    ['jo.doe+x@mail.example.org']
    """
    return _EMAIL.findall(text) if "@" in text else []


def phones(text: str) -> list[str]:
    """Return the telephone numbers in a text, in their usual forms; no dates or prices.

    >>> phones("call +1 (555) 123-4567 or 030 1234567, order 12345678 of 01.02.2020, $1,234,567.00")
    ['+1 (555) 123-4567', '030 1234567']
    """
    if not _DIGIT.search(text):
        return []
    return [found[0] for found in _PHONE.finditer(text) if not _DATE.match(found[0])]


def masked(text: str) -> str:
    """Return the text with addresses and numbers replaced by `[e-mail]` and `[phone]`.

    >>> masked("Jo, jo@example.org, 555-123-4567, born 01 02 1990 5")
    'Jo, [e-mail], [phone], born 01 02 1990 5'
    """
    if "@" in text:
        text = _EMAIL.sub("[e-mail]", text)
    if not _DIGIT.search(text):
        return text
    return _PHONE.sub(lambda run: run[0] if _DATE.match(run[0]) else "[phone]", text)
