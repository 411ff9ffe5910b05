"""Is this text fit to learn from? Every check counts what it finds, and has a limit.

The files are read several times instead of being held in memory: first words and alphabets are
counted, then each document is checked, then documents that may be nearly the same are compared.
About 150 bytes are kept of each document.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minilm.data import documents, labels
from minilm.data.documents import Record
from minilm.data.quality import damage, findings, fingerprints, minhash
from minilm.data.quality.findings import EXAMPLES, Findings, Seen
from minilm.data.quality.verdict import (
    BIT,
    MAX_WORDS,
    MIN_WORDS,
    RULES,
    Check,
    Example,
    Report,
    Rule,
)
from minilm.errors import InputError
from minilm.progress import Progress
from minilm.text.bpe import BytePairTokenizer
from minilm.text.words import WordTokenizer, is_word

_JUDGED_WORDS = 10  # the fewest words of a document whose language is judged
_JUDGED_DOCUMENTS = 50  # the fewest documents of that length that show which words are usual
_BALANCE = 0.1  # the smallest size of a class, as a share of the largest
_LEAST_VOCABULARY = 100  # the fewest words of a model's vocabulary that show which are usual
_NEAR_WORDS = 5  # the fewest words of a document that is compared with others

_EXCERPT = 60  # characters of an example
_LOOKED_AT = 10_000  # characters that are masked to make an excerpt
_BATCH = 1 << 16  # words that MinHash hashes at a time
_VOCABULARY = 1 << 20  # the most different words that are counted
# Scripts, as `damage.scripts` calls them, that do not put spaces between words.
_WITHOUT_SPACES = {
    "CJK": "Chinese or Japanese",
    "THAI": "Thai",
    "LAO": "Lao",
    "KHMER": "Khmer",
    "MYANMAR": "Burmese",
    "TIBETAN": "Tibetan",
    "JAVANESE": "Javanese",
    "BALINESE": "Balinese",
    "TAI": "Tai",
}
_SURVEYED = 10_000  # documents whose words are all counted; after them, every tenth document
_SHOW_PROGRESS = 20_000  # the fewest documents for which progress is shown


def validate(
    paths: Iterable[str | os.PathLike[str]],
    *,
    seen: Seen | None = None,
    vocabulary: Collection[str] | None = None,
    unit: str | None = None,
    encoding: str = "utf-8",
    text_column: str | None = None,
    label_column: str | None = None,
    no_header: bool = False,
) -> Report:
    """Check files of text or labelled tables.

    Parameters
    ----------
    paths : iterable of path-like
        As for `documents.read_records`; so are `unit`, `encoding`, the columns and `no_header`.
    seen : Seen, optional
        What a model has learned from.
    vocabulary : collection of str, optional
        The known words in lower case, as from `known_words`. By default, and if they are fewer than
        100, the words that are in at least one document in a hundred, and in at least three.

    Raises
    ------
    InputError
        When a file is not what its name says, or there are no records at all.
    """
    sources = [Path(path) for path in paths]
    read = partial(
        documents.read_records,
        sources,
        unit=unit,
        encoding=encoding,
        text_column=text_column,
        label_column=label_column,
        no_header=no_header,
    )
    taken = documents.describe(
        sources,
        encoding=encoding,
        text_column=text_column,
        label_column=label_column,
        no_header=no_header,
    )
    if vocabulary is not None and len(vocabulary) < _LEAST_VOCABULARY:
        vocabulary = None
    survey = _Survey(read(), count_words=vocabulary is None)
    if survey.documents == 0:
        raise InputError("no record in it", sources[0] if sources else None)
    known = survey.usual_words() if vocabulary is None else vocabulary
    found = _judge(read(), survey, known)
    findings.compare(found, seen)
    findings.compare_near(found, read())
    report = _report(sources, found, read())
    remarks = [*labels.findings(report.labels), *survey.remarks()]
    return replace(report, taken=tuple(taken), remarks=tuple(remarks))


def known_words(tokenizer: Any) -> frozenset[str]:
    """Return the words, in lower case, that are single entries of a tokenizer.

    >>> tokenizer = BytePairTokenizer.train(["the cat sat, the cat ate"] * 9, 264)
    >>> sorted(known_words(tokenizer))
    ['at', 'cat', 'the']
    """
    if isinstance(tokenizer, BytePairTokenizer):
        entries = (tokenizer.token_bytes(i) for i in range(len(tokenizer.vocab)))
        words = (entry[1:].decode("utf-8", "ignore") for entry in entries if entry[:1] == b" ")
    else:
        words = iter(tokenizer.vocab)
    return frozenset(word.lower() for word in words if is_word(word))


class _Survey:
    """What is usual in the files: their words and their alphabet."""

    def __init__(self, found: Iterator[Record], *, count_words: bool) -> None:
        self.documents = 0
        self._counted = 0  # documents whose words were counted
        self._long = 0  # those that are long enough to judge their language
        self._counts: Counter[str] = Counter()
        scripts: Counter[str] = Counter()
        tokenize = WordTokenizer().tokenize
        for record in found:
            self.documents += 1
            if record.text.isascii():  # nearly all of it is letters
                scripts["LATIN"] += len(record.text)
            else:
                scripts.update(damage.scripts(record.text))
            if count_words and (self.documents <= _SURVEYED or self.documents % 10 == 0):
                self._counted += 1
                words = tokenize(record.text)
                self._long += len(words) >= _JUDGED_WORDS
                self._counts.update(set(words))
                if len(self._counts) > _VOCABULARY:
                    self._counts = Counter({w: n for w, n in self._counts.items() if n > 1})
        self.script = max(scripts, key=lambda name: scripts[name], default="LATIN")

    def remarks(self) -> list[str]:
        """Return what a person should know about the script, as lines."""
        name = _WITHOUT_SPACES.get(self.script)
        if name is None:
            return []
        return [
            f"most letters are {name}, a script without spaces between words: word vectors and the "
            "word tokenizer would treat a whole phrase as a word; use byte-pair encoding for it"
        ]

    def usual_words(self) -> frozenset[str] | None:
        """Return the words of many documents; None if there are too few documents to tell."""
        if self._long < _JUDGED_DOCUMENTS:
            return None
        least = max(3, self._counted / 100)
        return frozenset(word for word, count in self._counts.items() if count >= least)


def _judge(found: Iterator[Record], survey: _Survey, known: Collection[str] | None) -> Findings:
    """Check each document by itself, and keep the fingerprints that comparing needs."""
    kept = Findings()
    tokenize = WordTokenizer().tokenize
    batch: list[list[str]] = []
    waiting = 0

    def take() -> None:
        if batch:
            kept.keys.append(minhash.band_keys(batch))
            batch.clear()

    is_long = survey.documents >= _SHOW_PROGRESS
    with Progress("checking documents", survey.documents) as shown:
        for i, record in enumerate(found):
            repaired = damage.repaired(record.text)
            words = tokenize(repaired)
            kept.words += len(words)
            kept.add(
                record,
                raw=fingerprints.fingerprint(record.text),
                hash=fingerprints.fingerprint(repaired),
                unknown=_unknown_share(words, known),
                faults=_faults(record, repaired, words, survey.script),
            )
            if len(words) >= _NEAR_WORDS:
                kept.near.append(i)
                batch.append(words)
                waiting += len(words)
                if waiting >= _BATCH:
                    take()
                    waiting = 0
            if is_long and i % 1000 == 999:
                shown.advance(1000)
        take()
    if known is not None:
        shares = kept["unknown"]
        judged = shares[~np.isnan(shares)]
        if len(judged):
            # Halfway between what is usual in these files and no known word, but at most 0.8.
            limit = min(0.8, (1 + float(np.median(judged))) / 2)
            kept.mark("unknown words", np.flatnonzero(shares > limit))
    return kept


def _unknown_share(words: list[str], known: Collection[str] | None) -> float:
    if known is None or len(words) < _JUDGED_WORDS:
        return float("nan")
    return 1 - sum(map(known.__contains__, words)) / len(words)


def _faults(record: Record, repaired: str, words: list[str], script: str) -> int:
    """Return the bits of the checks that a document fails by itself."""
    text = record.text
    if not text or text.isspace():
        return BIT["empty"]
    faults = 0
    if record.label is not None and not record.label.strip():
        faults |= BIT["no label"]
    if len(words) < MIN_WORDS:
        faults |= BIT["too short"]
    elif len(words) > MAX_WORDS:
        faults |= BIT["too long"]
    letters = sum(map(len, words))
    if not damage.is_text(repaired, letters):
        faults |= BIT["not text"]
    if not text.isascii():
        if repaired != text:
            faults |= BIT["mojibake"]
        if damage.has_lost_letters(repaired):
            faults |= BIT["lost letters"]
        found = damage.scripts(repaired)
        if 2 * found[script] < found.total():
            faults |= BIT["other alphabet"]
    elif script != "LATIN" and letters:
        faults |= BIT["other alphabet"]
    if damage.emails(text):
        faults |= BIT["e-mail addresses"]
    if damage.phones(text):
        faults |= BIT["phone numbers"]
    return faults


def _report(sources: list[Path], found: Findings, again: Iterator[Record]) -> Report:
    faults = found["faults"].copy()
    firsts = {
        rule.name: np.flatnonzero(faults & BIT[rule.name])[:EXAMPLES].tolist() for rule in RULES
    }
    last = max((i for numbers in firsts.values() for i in numbers), default=-1)
    wanted = {i for numbers in firsts.values() for i in numbers}
    texts = {i: r for i, r in zip(range(last + 1), again, strict=False) if i in wanted}
    paths, names = list(found.paths), list(labels.without_blanks(found.labels).values())
    file, number, label = found["path"], found["number"], found["label"]

    def example(rule: str, i: int) -> Example:
        note = ""
        if (other := found.first.get(rule, {}).get(i)) is not None:
            where = documents.place(paths[file[other]], int(number[other]), paths[file[i]])
            note = f"as {where}"
            if rule == "contradictory labels":
                note = f"{names[label[i]]}; {where} {names[label[other]]}"
        elif rule == "unknown words":
            note = f"{100 * found['unknown'][i]:.0f} % unknown"
        excerpt = fingerprints.normalized(damage.masked(texts[i].text[:_LOOKED_AT]))
        return Example(texts[i].place, excerpt[:_EXCERPT], note)

    counts = dict(
        zip(names, np.bincount(label[label >= 0], minlength=len(names)).tolist(), strict=True)
    )
    judged = {
        "seen before": found.asked,
        "unknown words": bool((~np.isnan(found["unknown"])).any()),
        "no label": bool(names),
        "contradictory labels": bool(names),
        "leaks": bool((found["part"] >= 0).any()),
    }
    checks = []
    for rule in RULES:
        if rule.name == "rare labels":
            checks.append(_balance(rule, counts))
            continue
        count = int(np.count_nonzero(faults & BIT[rule.name]))
        examples = tuple(example(rule.name, i) for i in firsts[rule.name])
        known = judged.get(rule.name, True)
        checks.append(Check(rule, count if known else None, count / len(faults), examples))
    return Report(tuple(sources), len(faults), found.words, counts, tuple(checks), faults)


def _balance(rule: Rule, counts: dict[str, int]) -> Check:
    """Return the check of the sizes of classes; its share is a share of the classes."""
    if not counts:
        return Check(rule, None, 0.0, ())
    largest = max(counts.values())
    rare = sorted((n, name) for name, n in counts.items() if n < _BALANCE * largest)
    examples = tuple(Example("", name, f"{n:,}, largest {largest:,}") for n, name in rare)
    return Check(rule, len(rare), len(rare) / len(counts), examples[:EXAMPLES])
