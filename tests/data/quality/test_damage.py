"""Faults of a single text: found where they are, and not where a text only looks like it."""

import time

import pytest

from minilm.data.quality import damage


@pytest.mark.parametrize("wrong", ["cp1252", "latin-1"])
@pytest.mark.parametrize(
    "text",
    [
        "café",
        "Müller’s “quoted” text…",
        "naïve — 20 €",
        "🔄 done",
        "мир и труд",
        "Ελλάδα",
        "日本語の本",
    ],
)
def test_what_was_read_wrongly_is_read_again(text, wrong):
    data = text.encode("utf-8")
    # Programs that take text for Windows-1252 keep the five bytes which that has not.
    garbled = "".join(bytes([byte]).decode(wrong, "ignore") or chr(byte) for byte in data)
    assert garbled != text
    assert damage.repaired(garbled) == text
    assert damage.repaired(f"a {garbled} b") == f"a {text} b"


def test_what_was_read_wrongly_twice():
    text = "café"
    garbled = text.encode("utf-8").decode("cp1252").encode("utf-8").decode("cp1252")
    assert damage.repaired(garbled) == text


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "Ünïcödé ça va Ångström São Paulo ñandú",
        "CAFÉ» été\xa0» là\xa0» «\xa0ça\xa0» GROß… SPAß“ ESPAÑA»",
        "10°, 5 ½, Â, Ã, â, © 2020, l’été…",
        "мир Ελλάδα 日本語 العربية עברית 한국어 हिन्दी",
        "\ufffd",
        "Ã\xff",
    ],
)
def test_what_is_meant_as_it_stands(text):
    assert damage.repaired(text) == text


def test_control_characters():
    assert not damage.has_control("a\tb\r\nc\u2028d é\x85")
    for character in "\0\x01\x0b\x1b\x7f\x9b":
        assert damage.has_control(f"a{character}b")


def test_letters_by_script():
    assert damage.scripts("Tokyo 東京 とうきょう トーキョー") == {"LATIN": 5, "CJK": 12}
    assert damage.scripts("١٢٣ 123 — …") == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a@b.co and First.Last@sub.example.museum.", ["a@b.co", "First.Last@sub.example.museum"]),
        ("jürgen@müller.de", ["jürgen@müller.de"]),
        ("@name, a@b, user@localhost, 5@3.50, a@b.c1", []),
    ],
)
def test_emails(text, found):
    assert damage.emails(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "+44 20 7946 0958",
        "+1 (555) 123-4567",
        "+49-30-1234567",
        "0049 30 1234567",
        "(030) 1234567",
        "555-123-4567",
        "555.123.4567",
        "06 12 34 56 78",
        "020 7946 0958",
        "030/1234567",
    ],
)
def test_phones(text):
    assert damage.phones(f"call {text}, please") == [text]
    assert damage.masked(f"call {text}.") == "call [phone]."


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-01", "01.02.2020", "01 02 2020 10:30", "1,234,567.00", "12345678", "3.14159265",
        "192.168.100.200", "10:30:00", "1990-2020", "007", "0.123456789", "978-3-16-148410-0",
        "order 00123", "pp. 100-200",
    ],
)  # fmt: skip
def test_numbers_that_are_no_phones(text):
    assert damage.phones(f"see {text} there") == []
    assert damage.masked(f"see {text} there") == f"see {text} there"


@pytest.mark.parametrize("character", ["a", "a.", "@", "0", "0 ", "+1", "(1)", "Ã", "ð", "1-", "."])
def test_no_text_takes_quadratic_time(character):
    """A tenth of the length would take a hundredth of the time; then a megabyte takes minutes."""
    text = character * (1_000_000 // len(character))
    begun = time.process_time()
    damage.masked(damage.repaired(text))
    assert time.process_time() - begun < 20
