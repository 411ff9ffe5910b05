"""Applying merges, and going to bytes and back, as people write it at first."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from minilm.course.mistakes import mistake
from minilm.errors import InputError, OptionError


def _found(tokens: Any, ranks: Any) -> list[tuple[int, int]]:
    return [(ranks[pair], i) for i, pair in enumerate(pairwise(tokens)) if pair in ranks]


def _apply(ids: Any, ranks: Any, joined: Any) -> list[int]:
    tokens = list(ids)
    while found := _found(tokens, ranks):
        rank, i = min(found)
        tokens[i : i + 2] = [joined[rank]]
    return tokens


def _bytes(piece: str) -> bytes:
    try:
        return piece.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"{piece!a} has a lone surrogate") from None


def _of(token_bytes: Any, i: int) -> Any:
    if i not in token_bytes:
        raise OptionError(f"no token has the id {i}")
    return token_bytes[i]


@mistake("apply")
def from_left_to_right(ids, ranks, joined):
    """pairs were joined from left to right, whatever their rank.

    Which pair comes first in the word does not matter. Of all pairs that can be joined, take the
    one with the lowest rank: it was learned first. The leftmost only decides between equals.
    """
    tokens = list(ids)
    while found := _found(tokens, ranks):
        rank, i = found[0]
        tokens[i : i + 2] = [joined[rank]]
    return tokens


@mistake("apply")
def left_to_right_in_one_pass(ids, ranks, joined):
    """the word was walked through once, joining whatever can be joined at that place.

    Ranks were only looked up, not compared, and the new tokens were never joined again. Look at all
    pairs, take the lowest rank, and start over.
    """
    tokens, i = [], 0
    while i < len(ids):
        pair = tuple(ids[i : i + 2])
        tokens.append(joined[ranks[pair]] if pair in ranks else ids[i])
        i += 2 if pair in ranks else 1
    return tokens


@mistake("apply")
def last_learned_first(ids, ranks, joined):
    """the merge that was learned last was applied first.

    The earliest learned goes first: the lowest rank, min and not max.
    """
    tokens = list(ids)
    while found := _found(tokens, ranks):
        rank, i = max(found, key=lambda item: (item[0], -item[1]))
        tokens[i : i + 2] = [joined[rank]]
    return tokens


@mistake("apply")
def rightmost_of_equals(ids, ranks, joined):
    """of equal pairs, the rightmost was joined first.

    It shows in runs: "aaa" is "aa", "a", as it was while the merges were learned. Of equal ranks,
    the leftmost position goes first.
    """
    tokens = list(ids)
    while found := _found(tokens, ranks):
        rank, i = min(found, key=lambda item: (item[0], -item[1]))
        tokens[i : i + 2] = [joined[rank]]
    return tokens


@mistake("apply")
def one_merge_only(ids, ranks, joined):
    """one merge was applied, and then it stopped.

    After a merge the new token has new neighbors. Do it again until no pair can be joined.
    """
    tokens = list(ids)
    if found := _found(tokens, ranks):
        rank, i = min(found)
        tokens[i : i + 2] = [joined[rank]]
    return tokens


@mistake("apply")
def each_merge_once(ids, ranks, joined):
    """each merge was applied at one place only, and then the next one followed.

    A pair can be in a word several times. Join it at all its places before you go on.
    """
    tokens = list(ids)
    for pair in sorted(ranks, key=ranks.get):
        places = [i for i, found in enumerate(pairwise(tokens)) if found == pair]
        if places:
            tokens[places[0] : places[0] + 2] = [joined[ranks[pair]]]
    return tokens


@mistake("apply")
def new_tokens_not_joined(ids, ranks, joined):
    """pairs of the original symbols were joined, but the new tokens never were.

    Most tokens are made of tokens. Look at the neighbors again after each merge.
    """
    tokens = list(ids)
    while found := [(r, i) for r, i in _found(tokens, ranks) if {*tokens[i : i + 2]} <= {*ids}]:
        rank, i = min(found)
        tokens[i : i + 2] = [joined[rank]]
    return tokens


@mistake("apply")
def rank_as_id(ids, ranks, joined):
    """the rank was put in place of the pair; the id belongs there.

    The rank is the pair's place in the list of merges. The id that it becomes is joined[rank].
    """
    tokens = list(ids)
    for _ in ids:
        if found := _found(tokens, ranks):
            rank, i = min(found)
            tokens[i : i + 2] = [rank]
    return tokens


@mistake("apply")
def neighbor_not_removed(ids, ranks, joined):
    """the left token was replaced, but the right one was not removed.

    Two tokens become one: tokens[i : i + 2] = [joined[rank]].
    """
    tokens = list(ids)
    while found := _found(tokens, ranks):
        rank, i = min(found)
        tokens[i] = joined[rank]
    return tokens


@mistake("apply")
def overlapping_pairs_joined(ids, ranks, joined):
    """pairs that overlap were joined at the same time: "aaa" became "aa", "aa".

    Each symbol goes into one token. Join one pair, then look again.
    """
    tokens = list(ids)
    for pair in sorted(ranks, key=ranks.get):
        hits = {i for i, found in enumerate(pairwise(tokens)) if found == pair}
        new = [joined[ranks[pair]] if i in hits else t for i, t in enumerate(tokens)]
        tokens = [t for i, t in enumerate(new) if i in hits or i - 1 not in hits]
    return tokens


@mistake("apply")
def not_applied(ids, ranks, joined):
    """no merge was applied: the symbols came back as they were.

    Look for pairs of neighbors, as tuples, in ranks: (tokens[i], tokens[i + 1]) in ranks.
    """
    return list(ids)


@mistake("apply")
def tokens_as_a_tuple(ids, ranks, joined):
    """the tokens are a tuple; asked for is a list.

    Start with tokens = list(ids), and return it.
    """
    return tuple(_apply(ids, ranks, joined))


@mistake("apply")
def ids_changed(ids, ranks, joined):
    """the caller's list of ids was changed.

    `tokens = ids` is a second name for the same list. Work on a copy: list(ids).
    """
    ids[:] = _apply(ids, ranks, joined)
    return ids


@mistake("encode")
def characters_not_bytes(piece, byte_ids, ranks, joined):
    """ord(character) was looked up in byte_ids; a character is not a byte.

    There are more than 100,000 characters and 256 bytes. Below 128 the two are equal, so English
    hides the mistake. piece.encode("utf-8") gives the bytes: one to four for each character.
    """
    return _apply([byte_ids[ord(character)] for character in piece], ranks, joined)


@mistake("encode")
def latin_1(piece, byte_ids, ranks, joined):
    """the bytes are those of Latin-1, which has one for each of 256 characters and no others.

    Use piece.encode("utf-8"): it has bytes for every character.
    """
    return _apply([byte_ids[byte] for byte in piece.encode("latin-1")], ranks, joined)


@mistake("encode")
def only_ascii(piece, byte_ids, ranks, joined):
    """characters outside ASCII were dropped, or replaced.

    Nothing may be lost: piece.encode("utf-8") has bytes for all of them.
    """
    return _apply([byte_ids[byte] for byte in piece.encode("ascii", "ignore")], ranks, joined)


@mistake("encode")
def bytes_as_ids(piece, byte_ids, ranks, joined):
    """the bytes themselves were used as ids.

    A vocabulary may begin with something else, such as special tokens. The id of a byte is
    byte_ids[byte].
    """
    return _apply(list(_bytes(piece)), ranks, joined)


@mistake("encode")
def merges_left_out(piece, byte_ids, ranks, joined):
    """the merges were not applied: there is one token for each byte.

    Hand the ids of the bytes to apply.
    """
    return [byte_ids[byte] for byte in _bytes(piece)]


@mistake("encode")
def surrogates_raise_unicode_errors(piece, byte_ids, ranks, joined):
    """a lone surrogate raises UnicodeEncodeError; InputError was asked for.

    The person who reads the message has a file that was read with the wrong encoding. Catch the
    error, and raise InputError with a sentence about the text.
    """
    return _apply([byte_ids[byte] for byte in piece.encode("utf-8")], ranks, joined)


@mistake("encode")
def surrogates_pass(piece, byte_ids, ranks, joined):
    """a lone surrogate got ids, by errors="replace", "ignore" or "surrogatepass".

    Then another text comes back than went in, without a word. Raise InputError.
    """
    return _apply([byte_ids[b] for b in piece.encode("utf-8", "replace")], ranks, joined)


@mistake("decode")
def each_token_by_itself(ids, token_bytes):
    """each token was decoded by itself, so characters that are cut in two were lost.

    One half of an é is not UTF-8, and becomes U+FFFD. Join the bytes of all tokens first, and
    decode them together.
    """
    return "".join(_of(token_bytes, i).decode("utf-8", errors="replace") for i in ids)


@mistake("decode")
def broken_bytes_raise(ids, token_bytes):
    """bytes that are not UTF-8 raise UnicodeDecodeError; they should become U+FFFD.

    A model writes one token at a time, and may stop inside a character. Use errors="replace".
    """
    return b"".join(_of(token_bytes, i) for i in ids).decode("utf-8")


@mistake("decode")
def broken_bytes_vanish(ids, token_bytes):
    """bytes that are not UTF-8 vanish, by errors="ignore"; they should become U+FFFD.

    Something was there, and the reader should see it. Use errors="replace".
    """
    return b"".join(_of(token_bytes, i) for i in ids).decode("utf-8", errors="ignore")


@mistake("decode")
def decoded_as_latin_1(ids, token_bytes):
    """the bytes were decoded as Latin-1: é comes back as two characters.

    encode made UTF-8, so decode must read UTF-8.
    """
    return b"".join(_of(token_bytes, i) for i in ids).decode("latin-1")


@mistake("decode")
def blanks_between(ids, token_bytes):
    """there are blanks between the tokens.

    A blank is a byte like any other, and is inside the tokens. Join them with nothing between.
    """
    return b" ".join(_of(token_bytes, i) for i in ids).decode("utf-8", errors="replace")


@mistake("decode")
def still_bytes(ids, token_bytes):
    """bytes were returned; asked for is text.

    Decode the joined bytes: .decode("utf-8", errors="replace").
    """
    return b"".join(_of(token_bytes, i) for i in ids)


@mistake("decode")
def ids_without_tokens_skipped(ids, token_bytes):
    """an id that has no token was skipped.

    Such an id means that text and tokenizer do not belong together. Raise OptionError.
    """
    return b"".join(token_bytes.get(i, b"") for i in ids).decode("utf-8", errors="replace")


@mistake("decode")
def ids_without_tokens_raise_key_errors(ids, token_bytes):
    """an id that has no token raises KeyError; OptionError was asked for.

    Check `i in token_bytes` first, and raise OptionError with a sentence that names the id.
    """
    return b"".join(token_bytes[i] for i in ids).decode("utf-8", errors="replace")
