"""From pieces of text to ids by way of bytes, and back."""

import pytest

from minilm.errors import InputError, OptionError
from minilm.text import byte_level

BYTES = {number: bytes([number]) for number in range(256)}


def test_merges_are_applied_to_the_ids_of_bytes():
    reversed_ids = list(range(255, -1, -1))
    found = byte_level.encode("aé", reversed_ids, {(255 - 0xC3, 255 - 0xA9): 0}, [300])
    assert found == [255 - ord("a"), 300]


@pytest.mark.parametrize("text", ["", "tea", "né 茶 👍", "\x00\x7f\xa0"])
def test_text_comes_back(text):
    ids = byte_level.encode(text, range(256), {}, [])
    assert ids == list(text.encode())
    assert byte_level.decode(ids, BYTES) == text


def test_bytes_that_are_not_utf8_are_marked():
    assert byte_level.decode([0xC3], BYTES) == "\ufffd"
    assert byte_level.decode([0x61, 0xFF, 0x62], BYTES) == "a\ufffdb"


def test_what_has_no_bytes_or_no_token_is_refused():
    with pytest.raises(InputError, match="lone surrogate, U\\+D800"):
        byte_level.encode("a\ud800", range(256), {}, [])
    for missing in (256, -1):
        with pytest.raises(OptionError, match=f"the id {missing}; the ids are 0 to 255"):
            byte_level.decode([97, missing], BYTES)
