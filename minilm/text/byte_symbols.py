"""GPT-2's spelling of bytes: one printable character for each, so that tokens are JSON strings.

Bytes that are printable in Latin-1 are their own symbols; the other 68, in order, are U+0100 and
the characters after it. So a blank is written Ġ and a line feed Ċ.
"""

from __future__ import annotations

_PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_OTHERS = [byte for byte in range(256) if byte not in _PRINTABLE]

#: The symbol of each byte: `SYMBOLS[0x20]` is "Ġ".
SYMBOLS: tuple[str, ...] = tuple(
    chr(byte) if byte in _PRINTABLE else chr(0x100 + _OTHERS.index(byte)) for byte in range(256)
)

_TO_SYMBOL = str.maketrans({chr(byte): symbol for byte, symbol in enumerate(SYMBOLS)})
_BYTES = {symbol: byte for byte, symbol in enumerate(SYMBOLS)}


def spell(data: bytes) -> str:
    """Write bytes as symbols.

    >>> spell(" né".encode())
    'ĠnÃ©'
    """
    return data.decode("latin-1").translate(_TO_SYMBOL)


def unspell(symbols: str) -> bytes:
    """Return the bytes of symbols; KeyError at a character that is no symbol.

    >>> unspell("ĠnÃ©").decode()
    ' né'
    """
    return bytes(map(_BYTES.__getitem__, symbols))
