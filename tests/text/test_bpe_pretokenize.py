"""Pre-tokenization: the published pattern's rules, every code point, and cutting a stream."""

import hashlib
import random
import unicodedata

import pytest

from minilm.text import pretokenize

# Unicode's White_Space property (PropList.txt), which is what \s means in GPT-2's pattern.
WHITE_SPACE = [
    *range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B),
    0x2028, 0x2029, 0x202F, 0x205F, 0x3000,
]  # fmt: skip


def random_text(rng, length):
    pools = [
        "ab'stdmvrel 19.!?-", " \t\n\r\x0b\x0c", "\x1c\x1d\x1e\x1f\x85\xa0\u3000\u2028",
        "äßΩжאب語한", "²½٣Ⅷ〇", "…—‘’👍\u200d\u0301\u200b\ufeff",
    ]  # fmt: skip
    return "".join(rng.choice(rng.choice(pools)) for _ in range(length))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("Hello world", ["Hello", " world"]),
        ("we'll they've he'd I'm", ["we", "'ll", " they", "'ve", " he", "'d", " I", "'m"]),
        ("it's can't you're", ["it", "'s", " can", "'t", " you", "'re"]),
        ("WE'LL 'sun '", ["WE", "'", "LL", " '", "sun", " '"]),
        ("abc123def", ["abc", "123", "def"]),
        ("x  = 3.14;", ["x", " ", " =", " 3", ".", "14", ";"]),
        ("a \n b\n\nc  ", ["a", " \n", " b", "\n", "\n", "c", "  "]),
        ("\tx", ["\t", "x"]),
        ("a\u00a0b \u00a0c", ["a", "\u00a0", "b", " ", "\u00a0", "c"]),
        ("naïve Ünïcode", ["naïve", " Ünïcode"]),
        ("e\u0301a", ["e", "\u0301", "a"]),  # a combining mark is neither letter nor number
        ("日本語3つ²½", ["日本語", "3", "つ", "²½"]),
        ("ok👍🏽!", ["ok", "👍🏽!"]),
        ("a\x1cb", ["a", "\x1c", "b"]),
        ("’s 's", ["’", "s", " '", "s"]),  # only a straight apostrophe, at a piece's start
    ],
)
def test_split_follows_the_published_pattern(text, pieces):
    assert pretokenize.split(text) == pieces


def test_white_space_is_unicodes_and_not_pythons():
    # After a line feed, white space goes on with its piece and all else begins another.
    assert [c for c in range(128) if len(pretokenize.split("\n" + chr(c))) == 1] == WHITE_SPACE[:6]
    stand_ins = map(pretokenize._stand_in, range(128, 0x110000))
    assert [c for c, kind in enumerate(stand_ins, 128) if kind == 0x09] == WHITE_SPACE[6:]


def test_pieces_joined_are_the_text_and_a_piece_is_one_piece():
    rng = random.Random(5)
    for _ in range(500):
        text = random_text(rng, rng.randrange(60))
        pieces = pretokenize.split(text)
        assert "".join(pieces) == text
        assert all(pretokenize.split(piece) == [piece] for piece in pieces)


def test_the_class_of_every_code_point_is_the_same_under_every_python():
    if tuple(map(int, unicodedata.unidata_version.split("."))) > (16, 0, 0):
        pytest.skip("this Python knows letters that Unicode 16.0 has not")
    kinds = bytes(pretokenize._stand_in(code) for code in range(0x110000))
    assert kinds.count(b"A") == 141_028
    assert kinds.count(b"0") == 1_911
    assert (
        hashlib.sha256(kinds).hexdigest()
        == "1bbf71d7d5d7e6e423956c229a2c68426ee05cb8ebf2813e8beace627db70e0a"
    )


def test_table_of_shapes_stays_small(monkeypatch):
    monkeypatch.setattr(pretokenize._Shape, "LIMIT", 10)
    monkeypatch.setattr(pretokenize, "_shape", pretokenize._Shape())
    text = "".join(map(chr, range(0x400, 0x440))) + "…"
    assert pretokenize.split(text) == [text[:-1], "…"]
    assert len(pretokenize._shape) <= 10


@pytest.mark.parametrize("uncut", [(), ("ab c", "\n\n", "b <e n d> a")])
def test_blocks_have_the_pieces_of_the_whole_wherever_the_chunks_end(monkeypatch, uncut):
    monkeypatch.setattr(pretokenize, "BLOCK", 8)
    rng = random.Random(1)
    several = 0
    for _ in range(400):
        text = "".join(
            rng.choice([random_text(rng, 5), "ab c", "b <e n d> a", " ab ", "'s "])
            for _ in range(12)
        )
        chunks, rest = [], text
        while rest:
            size = rng.choice([1, 2, 7, 30])
            chunks.append(rest[:size])
            rest = rest[size:]
        blocks = list(pretokenize.blocks(chunks, uncut))
        several += len(blocks) > 1
        assert "".join(blocks) == text
        assert [p for b in blocks for p in pretokenize.split(b)] == pretokenize.split(text)
        starts = [sum(map(len, blocks[:i])) for i in range(1, len(blocks))]
        for token in uncut:
            inside = {
                at + i
                for at in range(len(text))
                if text.startswith(token, at)
                for i in range(1, len(token))
            }
            assert not inside & set(starts)
    assert several > 300


def test_blocks_are_short_and_come_before_the_stream_ends():
    def endless():
        while True:
            yield "some words without end\n"

    stream = pretokenize.blocks(endless())
    assert all(len(next(stream)) < pretokenize.BLOCK + 10 for _ in range(3))


def test_a_stream_without_a_place_to_cut_is_joined_in_linear_time(monkeypatch):
    monkeypatch.setattr(pretokenize, "BLOCK", 64)
    searched = 0
    find_cut = pretokenize._find_cut

    def counting(text, start, uncut, pattern):
        nonlocal searched
        searched += len(text) - start
        return find_cut(text, start, uncut, pattern)

    monkeypatch.setattr(pretokenize, "_find_cut", counting)
    assert list(pretokenize.blocks("x" for _ in range(10_000))) == ["x" * 10_000]
    assert searched < 20_000


@pytest.mark.peers
def test_every_code_point_splits_as_in_tokenizers(peer):
    byte_level = peer("tokenizers").pre_tokenizers.ByteLevel(add_prefix_space=False)
    # All that is assigned or may be soon, and some of the rest of the planes 4 to 16.
    for first in [*range(0, 0x34000, 0x80), *range(0x34000, 0x110000, 0x1000)]:
        codes = [c for c in range(first, first + 0x80) if not 0xD800 <= c < 0xE000]
        text = "".join(f"a{chr(c)}1{chr(c)}.{chr(c)}\n{chr(c)} {chr(c)}" for c in codes)
        ends = [end for _, (_, end) in byte_level.pre_tokenize_str(text)]
        pieces = pretokenize.split(text)
        assert [len(piece) for piece in pieces] == [
            end - start for start, end in zip([0, *ends], ends, strict=False)
        ], f"between U+{first:04X} and U+{first + 0x7F:04X}"
