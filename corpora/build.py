"""Write the unlabelled text that ships with the course: the same bytes every time.

    python corpora/build.py [--words N] [--seed N]    write general.txt and its siblings
    python corpora/build.py --show food               print twenty documents of one topic

Each folder of `grammar/` makes one text file of its name, each `*.grammar` file in it is one
topic, and `grammar/shared.grammar` holds the words that every topic may use. All the English
stands in those files, written by hand; this file only chooses. A document is one line.

The notation, in short (`@name` opens a list; each line below it is one entry):

    {dish}             a random entry of the list `dish`
    {d=dish} ... {d}   the same, remembered as `d` for the rest of the document
    {d.smell} {d.s}    a fact of the remembered entry (written `#smell=...`); its plural
    {who.he} {who:is}  a pronoun and a verb that agree with the remembered person or thing
    {{mood}_adj}       a list whose name is put together from another choice
    [perhaps]          an optional part; (this|that) alternatives; *3 before one: thrice as likely

What is left out on purpose: no syntax trees and no model of meaning. Sense comes from narrow
lists, and from facts that stand beside the word they belong to.
"""

import argparse
import re
import sys
from bisect import bisect
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from english import ALIASES, agree, inflect, polish

HERE = Path(__file__).parent
WORDS = {"general": 660_000}  # at least this many in each file
MOST_SENTENCES = {"general": 8}  # in one document, of 3 or more
SHARED_RUN = 12  # no two documents of a file share a longer run of words than this
ATTEMPTS = 40  # at one sentence, before its document is begun again
BEGINNINGS = 100  # of one document, before the topic is said to have run dry

SENTENCE_END = re.compile(r"[.!?][\"']?(?= [\"A-Z]|$)")
SLOT = re.compile(r"(\^?)(?:(\w+)=)?(\w+)(?:\.(\w+))?(?::([a-z']+))?")


class GrammarError(Exception):
    """A mistake in a grammar file; the message begins with the file and the line."""


class Choice(NamedTuple):
    """Alternatives (templates or entries), and the running total of their weights."""

    options: tuple[Any, ...]
    bounds: tuple[float, ...]


class Slot(NamedTuple):
    """A place to fill: `inner` becomes the expression between the braces."""

    inner: "Template"


Template = tuple[str | Choice | Slot, ...]


class Entry(NamedTuple):
    """One line of a list: its text, its facts and marks, its weight, and the file and line."""

    text: Template
    tags: dict[str, Choice]
    weight: float
    where: str


class Word(NamedTuple):
    """An entry once its text is chosen."""

    text: str
    tags: dict[str, Choice]


# ---- reading a grammar --------------------------------------------------------------------------


def parse(text: str, where: str = "") -> Template:
    """Turn notation into nested tuples.

    >>> parse("a [big] {dog}")
    ('a ', Choice(options=(('big',), ()), bounds=(1.0, 2.0)), ' ', Slot(inner=('dog',)))
    """
    return _parse_until("", text, 0, where)[0]


def _parse_until(stops: str, text: str, at: int, where: str) -> tuple[Template, int]:
    """Read from a position to one of `stops` or the end of the text; return where to go on."""
    parts: list[str | Choice | Slot] = []
    begin = max(at - 1, 0)
    while at < len(text) and text[at] not in stops:
        if text[at] in "([":
            part, at = _parse_choice(text, at, where)
            parts.append(part)
        elif text[at] == "{":
            inner, at = _parse_until("}", text, at + 1, where)
            parts.append(Slot(inner))
        elif text[at] in ")]}|":
            raise GrammarError(f"{where}: {text[at]!r} without its partner, after {text[:at]!r}")
        else:
            plain = re.compile(r"[^()\[\]{}|]+").match(text, at)
            parts.append(plain[0])
            at = plain.end()
    if stops and at == len(text):
        raise GrammarError(f"{where}: a bracket that is not closed, before {text[begin:]!r}")
    return tuple(parts), at + 1


def _parse_choice(text: str, at: int, where: str) -> tuple[Choice, int]:
    """Read `(this|*2 that)` or `[this]`, which may also come to nothing."""
    optional = text[at] == "["
    options, weights = [], []
    while not options or text[at - 1] == "|":
        weight, at = _parse_weight(text, at if options else at + 1)
        option, at = _parse_until("|]" if optional else "|)", text, at, where)
        options.append(option)
        weights.append(weight)
    if optional:
        options.append(())
        weights.append(sum(weights))
    return Choice(tuple(options), tuple(accumulate(weights))), at


def _parse_weight(text: str, at: int) -> tuple[float, int]:
    """Read `*3 ` if it stands there; return the weight and the position after it."""
    match = re.compile(r"\*([\d.]+) ").match(text, at)
    return (float(match[1]), match.end()) if match else (1.0, at)


def parse_entry(line: str, where: str) -> Entry:
    """Read a line such as `*2 goose #s=geese #eats=grass|clover`: weight, text, tags."""
    weight, at = _parse_weight(line, 0)
    text, *tags = re.split(r"(?:^|\s+)#(?=\w)", line[at:].strip())
    if not text:
        raise GrammarError(f"{where}: #{tags[0]} has no word before it")
    pairs = (tag.partition("=") for tag in tags)
    facts = {name: _parse_choice(f"({value.strip()})", 0, where)[0] for name, _, value in pairs}
    return Entry(parse(text, where), facts, weight, where)


def read_grammar(path: Path) -> dict[str, Choice]:
    """Read one file: `@name` with an entry a line, or `@name: one, two, three` over lines."""
    lists: dict[str, list[Entry]] = {}
    opened: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        where = f"{path.name}:{number}"
        line = line.strip()
        if not line or line.startswith("# "):
            continue
        if line.startswith("@"):
            header = re.fullmatch(r"@(\w+)(:?)(.*)", line)
            if header is None or (header[3] and not header[2]):
                raise GrammarError(f"{where}: write '@name', or '@name: word, word'")
            name, commas, line = header[1], bool(header[2]), header[3]
            if name in lists:
                raise GrammarError(f"{where}: the list {name!r} is already there, {opened[name]}")
            lists[name], opened[name] = [], where
        elif not lists:
            raise GrammarError(f"{where}: text before the first '@name'")
        entries = line.split(",") if commas else [line]
        lists[name] += [parse_entry(entry.strip(), where) for entry in entries if entry.strip()]
    for name, entries in lists.items():
        if not entries:
            raise GrammarError(f"{opened[name]}: the list {name!r} is empty")
    return {
        name: Choice(tuple(entries), tuple(accumulate(entry.weight for entry in entries)))
        for name, entries in lists.items()
    }


def check_slots(own: dict[str, Choice], known: dict[str, Choice]) -> None:
    """Raise GrammarError for a slot whose source is neither a list nor remembered anywhere."""
    slots = [
        ("".join(part if isinstance(part, str) else r"\w+" for part in slot.inner), entry.where)
        for choice in own.values()
        for entry in choice.options
        for template in (entry.text, *entry.tags.values())
        for slot in _slots(template)
    ]
    names = {*known, *(match[1] for inner, _ in slots if (match := re.match(r"\^?(\w+)=", inner)))}
    for inner, where in slots:
        source = re.match(r"\^?(?:\w+=)?(\w*(?:\\w\+\w*)*)", inner)[1]
        if not any(re.fullmatch(source, name) for name in names):
            raise GrammarError(f"{where}: no list and no remembered word fits {{{inner}}}")


def _slots(template: Template | Choice) -> Iterator[Slot]:
    """Every slot of a template, at any depth."""
    for part in template.options if isinstance(template, Choice) else template:
        if isinstance(part, Slot):
            yield part
        if not isinstance(part, str):
            yield from _slots(part.inner if isinstance(part, Slot) else part)


# ---- choosing -----------------------------------------------------------------------------------


def pick(rng: Random, bounds: Sequence[float]) -> int:
    """An index, by weight. Only `random()` is used: its numbers are the same everywhere."""
    return bisect(bounds, rng.random() * bounds[-1], hi=len(bounds) - 1)


class Draft:
    """One document while it grows: what it remembers, has mentioned and has used."""

    def __init__(self, lists: dict[str, Choice], rng: Random) -> None:
        self.lists = lists
        self.rng = rng
        self.remembered: dict[str, Word] = {}
        self.mentioned: set[str] = set()
        self.used: dict[str, list[int]] = {}

    def copy(self) -> "Draft":
        """A draft that may be thrown away without a trace (only the random numbers move on)."""
        other = Draft(self.lists, self.rng)
        other.remembered = dict(self.remembered)
        other.mentioned = set(self.mentioned)
        other.used = {name: list(indices) for name, indices in self.used.items()}
        return other

    def draw(self, name: str, choice: Choice) -> Any:
        """Choose an option that this document has not used yet, if one is left."""
        used = self.used.setdefault(name, [])
        if len(used) == len(choice.options):  # begin again, though not with the last one
            del used[: max(len(used) - 1, 1)]
        index = pick(self.rng, choice.bounds)
        while index in used:
            index = pick(self.rng, choice.bounds)
        used.append(index)
        return choice.options[index]

    def expand(self, template: Template, where: str) -> str:
        """Choose everything in a template."""
        text = ""
        for part in template:
            if isinstance(part, Slot):
                text += self.fill(part, where)
            elif isinstance(part, Choice):
                text += self.expand(part.options[pick(self.rng, part.bounds)], where)
            else:
                text += part
        return text

    def fill(self, slot: Slot, where: str) -> str:
        """Choose what stands in a slot, and remember it if the slot says so."""
        inner = self.expand(slot.inner, where)
        match = SLOT.fullmatch(inner)
        if match is None:
            raise GrammarError(f"{where}: cannot read the slot {{{inner}}}")
        capital, name, source, form, verb = match.groups()
        if source in self.remembered:
            word = self.remembered[source]
        elif source in self.lists:
            entry = self.draw(source, self.lists[source])
            word = Word(self.expand(entry.text, entry.where), entry.tags)
        else:
            raise GrammarError(f"{where}: nothing is called {source!r} in {{{inner}}}")
        form = ALIASES.get(form, form)
        if source not in self.mentioned and word.tags.keys() & {"m", "f"}:
            # A name comes before its pronouns.
            form = {"he": "name", "him": "name", "his": "poss"}.get(form, form)
        if form in word.tags:
            fact = self.draw(f"{word.text} {form}", word.tags[form])
            word = Word(self.expand(fact, where), {})
        elif form:
            if (inflected := inflect(word.text, form, word.tags)) is None:
                raise GrammarError(f"{where}: {word.text!r} has no #{form} for {{{inner}}}")
            word = Word(inflected, {})
        if name:
            self.remembered[name] = word
        if form in ("poss", "name") or not (form or verb):
            self.mentioned.add(name or source)
        text = agree(verb, word.tags) if verb else word.text
        return text[:1].upper() + text[1:] if capital else text


class Topic:
    """One grammar file, and the stream of random numbers that belongs to it alone."""

    def __init__(self, path: Path, shared: dict[str, Choice], seed: int) -> None:
        own = read_grammar(path)
        self.name = path.stem
        self.most_sentences = MOST_SENTENCES[path.parent.name]
        self.lists = shared | own
        check_slots(own, self.lists)
        if "plan" not in own:
            raise GrammarError(f"{path.name}:1: no list 'plan'")
        self.share = float(own["share"].options[0].text[0]) if "share" in own else 1.0
        self.rng = Random(f"{self.name} {seed}")

    def write(self, seen: set[str]) -> str:
        """Write a document none of whose sentences, and no long run of words, is in `seen`."""
        for _ in range(BEGINNINGS):
            draft = Draft(self.lists, self.rng)
            plan = draft.draw("plan", self.lists["plan"])
            names = draft.expand(plan.text, plan.where).partition(">")[2].split()
            draft.mentioned.clear()
            sentences: list[str] = []
            new: set[str] = set()
            for name in names:
                if name not in self.lists:
                    raise GrammarError(f"{plan.where}: no list is called {name!r}")
                for _ in range(ATTEMPTS):
                    trial = draft.copy()
                    entry = trial.draw(name, self.lists[name])
                    sentence = polish(trial.expand(entry.text, entry.where))
                    marks = {sentence, *_runs(sentences, sentence)}
                    if marks.isdisjoint(seen) and marks.isdisjoint(new):
                        break
                else:
                    break
                draft = trial
                sentences.append(sentence)
                new |= marks
            else:
                document = " ".join(sentences)
                if 3 <= len(SENTENCE_END.findall(document)) <= self.most_sentences:
                    seen |= new
                    return document
        raise GrammarError(f"{self.name}: {name!r} has run dry; give it more sentences or words")


def _runs(sentences: list[str], sentence: str) -> Iterator[str]:
    """Every run of SHARED_RUN + 1 words that ends in `sentence`, which follows `sentences`."""
    words = re.findall(r"[a-z]+", sentence.lower())
    before = re.findall(r"[a-z]+", " ".join(sentences).lower())[-SHARED_RUN:]
    joined = before + words
    for end in range(max(len(before), SHARED_RUN) + 1, len(joined) + 1):
        yield " ".join(joined[end - SHARED_RUN - 1 : end])


def write_documents(topics: Sequence[Topic], words: int, seed: int) -> Iterator[str]:
    """Yield documents, the topics mixed by their shares, until `words` words are reached."""
    rng = Random(seed)
    bounds = tuple(accumulate(topic.share for topic in topics))
    seen: set[str] = set()
    written = 0
    while written < words:
        document = topics[pick(rng, bounds)].write(seen)
        written += len(re.findall(r"[A-Za-z]+", document))
        yield document


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, then write the files or show one topic."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--words", type=int, default=WORDS["general"], help="in general.txt")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", metavar="TOPIC", help="print twenty documents, write nothing")
    options = parser.parse_args(arguments)
    try:
        shared = read_grammar(HERE / "grammar" / "shared.grammar")
        check_slots(shared, shared)
        for name, words in WORDS.items():
            paths = sorted((HERE / "grammar" / name).glob(f"{options.show or '*'}.grammar"))
            topics = [Topic(path, shared, options.seed) for path in paths]
            seen: set[str] = set()
            for topic in topics if options.show else ():
                print("\n\n".join(topic.write(seen) for _ in range(20)))
            if topics and not options.show:
                words = options.words * words // WORDS["general"]
                lines = write_documents(topics, words, options.seed)
                text = "".join(f"{line}\n" for line in lines)
                (HERE / f"{name}.txt").write_text(text, encoding="utf-8", newline="\n")
    except GrammarError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
