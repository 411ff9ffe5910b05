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
from functools import cache
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import NamedTuple

HERE = Path(__file__).parent
WORDS = {"general": 640_000, "support_conversations": 66_000}  # at least so many in each file
SHARED_RUN = 12  # no two documents of a file share a longer run of words than this
ATTEMPTS = 40  # at one sentence, before its document is begun again
BEGINNINGS = 100  # of one document, before the topic is said to have run dry

PRONOUNS = {
    "m": {"he": "he", "him": "him", "his": "his", "own": "his", "himself": "himself"},
    "f": {"he": "she", "him": "her", "his": "her", "own": "hers", "himself": "herself"},
    "n": {"he": "it", "him": "it", "his": "its", "own": "its", "himself": "itself"},
    "pl": {"he": "they", "him": "them", "his": "their", "own": "theirs", "himself": "themselves"},
    "we": {"he": "we", "him": "us", "his": "our", "own": "ours", "himself": "ourselves"},
    "i": {"he": "I", "him": "me", "his": "my", "own": "mine", "himself": "myself"},
}
ALIASES = {"it": "he", "its": "his", "itself": "himself"}
PLURAL_VERBS = {"is": "are", "was": "were", "has": "have", "does": "do", "goes": "go"}
I_VERBS = {"is": "am", "isn't": "am not", "was": "was", "wasn't": "wasn't"}
PLURALS = dict(
    pair.split("/")
    for pair in (
        "man/men woman/women child/children foot/feet tooth/teeth mouse/mice goose/geese "
        "leaf/leaves loaf/loaves knife/knives shelf/shelves half/halves wolf/wolves life/lives "
        "wife/wives calf/calves scarf/scarves thief/thieves person/people potato/potatoes "
        "tomato/tomatoes hero/heroes sheep/sheep fish/fish deer/deer series/series"
    ).split()
)
EXPRESSION = re.compile(r"(\^?)(?:(\w+)=)?(\w+)(?:\.(\w+))?(?::([a-z']+))?")
VOWEL_SOUND = re.compile(
    r"(?!eu|ewe|one\b|once|uni[^nmd]|us[eu]|ut[eio]|ur[ai]|uk|ug)[aeiou]|hour|hono|hones|heir", re.I
)


class GrammarError(Exception):
    """A mistake in a grammar file; the message begins with the file and the line."""


class Choice(NamedTuple):
    """Alternatives, with the running total of their weights."""

    options: tuple["Template", ...]
    bounds: tuple[float, ...]


class Slot(NamedTuple):
    """A place to fill: `inner` becomes the expression between the braces."""

    inner: "Template"


Template = tuple[str | Choice | Slot, ...]


class Entry(NamedTuple):
    """One line of a list: its text, its tags, its weight, and the file and line."""

    text: Template
    tags: dict[str, Template]
    weight: float
    where: str


class WordList(NamedTuple):
    """The entries under one `@name`, with the running total of their weights."""

    entries: tuple[Entry, ...]
    bounds: tuple[float, ...]


class Word(NamedTuple):
    """An entry once its text is chosen."""

    text: str
    tags: dict[str, Template]


# ---- reading a grammar --------------------------------------------------------------------------


def parse(text: str, where: str = "") -> Template:
    """Turn notation into nested tuples.

    >>> parse("a [big] {dog}")
    ('a ', Choice(options=(('big',), ()), bounds=(1.0, 2.0)), ' ', Slot(inner=('dog',)))
    """
    return _parse_until("", text, 0, where)[0]


def _parse_until(stops: str, text: str, at: int, where: str) -> tuple[Template, int]:
    """Read from a position to one of `stops`; without any, to the end of the text."""
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
    closing = ")" if text[at] == "(" else "]"
    options: list[Template] = []
    weights: list[float] = []
    while not options or text[at - 1] == "|":
        weight, at = _parse_weight(text, at if options else at + 1)
        option, at = _parse_until("|" + closing, text, at, where)
        options.append(option)
        weights.append(weight)
    if closing == "]":
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
    text, *tags = re.split(r"\s+#(?=\w)", line[at:].strip())
    pairs = (tag.partition("=") for tag in tags)
    facts = {name.strip(): parse(f"({value.strip()})", where) for name, _, value in pairs}
    return Entry(parse(text, where), facts, weight, where)


def read_grammar(path: Path) -> dict[str, WordList]:
    """Read one file: `@name` with an entry a line, or `@name: one, two, three` over lines."""
    found: dict[str, list[Entry]] = {}
    opened: dict[str, str] = {}
    commas = False
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
            if name in found:
                raise GrammarError(f"{where}: the list {name!r} is already there, {opened[name]}")
            found[name], opened[name] = [], where
        elif not found:
            raise GrammarError(f"{where}: text before the first '@name'")
        entries = line.split(",") if commas else [line]
        found[name] += [parse_entry(entry.strip(), where) for entry in entries if entry.strip()]
    for name, entries in found.items():
        if not entries:
            raise GrammarError(f"{opened[name]}: the list {name!r} is empty")
    return {
        name: WordList(tuple(entries), tuple(accumulate(entry.weight for entry in entries)))
        for name, entries in found.items()
    }


def check_slots(own: dict[str, WordList], lists: dict[str, WordList]) -> None:
    """Raise GrammarError for a slot whose source is neither a list nor remembered anywhere."""
    slots = [
        ("".join(part if isinstance(part, str) else r"\w+" for part in slot.inner), entry.where)
        for name in sorted(own)
        for entry in own[name].entries
        for template in (entry.text, *entry.tags.values())
        for slot in _slots(template)
    ]
    remembered = {match[1] for inner, _ in slots if (match := re.match(r"\^?(\w+)=", inner))}
    names = {*lists, *remembered}
    for inner, where in slots:
        source = re.match(r"\^?(?:\w+=)?(\w*(?:\\w\+\w*)*)", inner)[1]
        if not any(re.fullmatch(source, name) for name in names):
            raise GrammarError(f"{where}: no list and no remembered word fits {{{inner}}}")


def _slots(template: Template) -> Iterator[Slot]:
    for part in template:
        if isinstance(part, Slot):
            yield part
            yield from _slots(part.inner)
        elif isinstance(part, Choice):
            for option in part.options:
                yield from _slots(option)


# ---- English ------------------------------------------------------------------------------------


def add_s(word: str) -> str:
    """The plural of a noun, or the third person of a verb.

    >>> [add_s(word) for word in ("pan", "frying pan", "berry", "box", "child", "teach")]
    ['pans', 'frying pans', 'berries', 'boxes', 'children', 'teaches']
    """
    rest, last = re.fullmatch(r"(.*?)([^\s-]*)", word).groups()
    if last in PLURALS:
        return rest + PLURALS[last]
    if re.search(r"([^aeiou]y)$", word):
        return word[:-1] + "ies"
    return word + ("es" if re.search(r"(s|x|z|ch|sh)$", word) else "s")


def add_ending(verb: str, ending: str) -> str:
    """The regular `ed` or `ing` form, on the first word of the verb.

    >>> [add_ending(verb, "ed") for verb in ("chop", "bake", "tidy up", "peel", "visit")]
    ['chopped', 'baked', 'tidied up', 'peeled', 'visited']
    """
    first, space, rest = verb.partition(" ")
    if first.endswith("e") and not (ending == "ing" and first.endswith("ee")):
        first = first[:-1]
    elif ending == "ed" and re.search(r"[^aeiou]y$", first):
        first = first[:-1] + "i"
    elif re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", first):
        first += first[-1]
    return first + ending + space + rest


def agree(verb: str, number: str) -> str:
    """Turn a verb in the third person singular into the form for `i`, `we` or `pl`.

    >>> agree("was", "pl"), agree("tries", "we"), agree("isn't", "i"), agree("bakes", "f")
    ('were', 'try', 'am not', 'bakes')
    """
    if number in "mfn":
        return verb
    if number == "i" and verb in I_VERBS:
        return I_VERBS[verb]
    stem, negation = (verb[:-3], "n't") if verb.endswith("n't") else (verb, "")
    if stem in PLURAL_VERBS:
        return PLURAL_VERBS[stem] + negation
    if len(verb) > 4 and verb.endswith("ies"):
        return verb[:-3] + "y"
    return verb[:-2] if re.search(r"(ss|sh|ch|x|zz|o)es$", verb) else verb.removesuffix("s")


def polish(sentence: str) -> str:
    """Put spaces, a or an, and capitals right.

    >>> polish("a  old man had  a useful idea , she said. so they left.")
    'An old man had a useful idea, she said. So they left.'
    """
    text = re.sub(r"\s+", " ", sentence).strip()
    text = re.sub(r" (?=[,.;:!?])", "", text)
    text = re.sub(r",(?=[,.;:!?])", "", text)
    text = re.sub(
        r"\b([Aa])n? (?=[\"']?(\w[\w']*))",
        lambda match: match[1] + ("n " if VOWEL_SOUND.match(match[2]) else " "),
        text,
    )
    capital = r'(^"?|[.!?] "?|\." "?)([a-z])'
    return re.sub(capital, lambda match: match[1] + match[2].upper(), text)


# ---- choosing -----------------------------------------------------------------------------------


@cache
def read_expression(text: str) -> tuple[str, str, str, str, str] | None:
    """Split `^who=person.he:is` into its five parts; None if it does not read so."""
    match = EXPRESSION.fullmatch(text)
    return match and tuple(part or "" for part in match.groups())


class Draft:
    """One document while it grows: what it remembers and what it has used."""

    def __init__(self, lists: dict[str, WordList], rng: Random) -> None:
        self.lists = lists
        self.rng = rng
        self.remembered: dict[str, Word] = {}
        self.used: dict[str, set[int]] = {}

    def copy(self) -> "Draft":
        """A draft that may be thrown away without a trace (only the random numbers move on)."""
        other = Draft(self.lists, self.rng)
        other.remembered = dict(self.remembered)
        other.used = {name: set(indices) for name, indices in self.used.items()}
        return other

    def pick(self, bounds: Sequence[float]) -> int:
        return bisect(bounds, self.rng.random() * bounds[-1], hi=len(bounds) - 1)

    def draw(self, name: str) -> Entry:
        """Choose an entry of a list that this document has not used yet, if there is one."""
        words = self.lists[name]
        used = self.used.setdefault(name, set())
        if len(used) == len(words.entries):
            used.clear()
        index = self.pick(words.bounds)
        for _ in range(30):
            if index not in used:
                break
            index = self.pick(words.bounds)
        used.add(index)
        return words.entries[index]

    def expand(self, template: Template, where: str) -> str:
        return "".join(
            part
            if isinstance(part, str)
            else self.fill(part, where)
            if isinstance(part, Slot)
            else self.expand(part.options[self.pick(part.bounds)], where)
            for part in template
        )

    def fill(self, slot: Slot, where: str) -> str:
        """Choose what stands in a slot, and remember it if the slot says so."""
        inner = self.expand(slot.inner, where)
        parts = read_expression(inner)
        if parts is None:
            raise GrammarError(f"{where}: cannot read the slot {{{inner}}}")
        capital, name, source, form, verb = parts
        if source in self.remembered:
            word = self.remembered[source]
        elif source in self.lists:
            entry = self.draw(source)
            word = Word(self.expand(entry.text, entry.where), entry.tags)
        else:
            raise GrammarError(f"{where}: nothing is called {source!r} in {{{inner}}}")
        if form:
            word = Word(self.inflect(word, form, f"{where}: {{{inner}}}"), {})
        if name:
            self.remembered[name] = word
        text = word.text
        if verb:
            text = agree(verb, next((tag for tag in PRONOUNS if tag in word.tags), "n"))
        return text[:1].upper() + text[1:] if capital else text

    def inflect(self, word: Word, form: str, where: str) -> str:
        """The form after the dot: a fact of the word, a pronoun, or an ending."""
        form = ALIASES.get(form, form)
        if form in word.tags:
            return self.expand(word.tags[form], where)
        gender = next((tag for tag in PRONOUNS if tag in word.tags), "n")
        if form in PRONOUNS[gender]:
            return PRONOUNS[gender][form]
        if form == "poss":
            return PRONOUNS[gender]["his"] if gender in ("i", "we") else f"{word.text}'s"
        if form == "a":
            some = "mass" in word.tags or gender == "pl"
            return f"some {word.text}" if some else f"a {word.text}"
        if form == "s":
            return add_s(word.text)
        if form in ("ed", "ing"):
            return add_ending(word.text, form)
        raise GrammarError(f"{where}: {word.text!r} has no #{form}")


class Topic:
    """One grammar file, and the stream of random numbers that belongs to it alone."""

    def __init__(self, path: Path, shared: dict[str, WordList], seed: int) -> None:
        own = read_grammar(path)
        self.name = path.stem
        self.lists = shared | own
        check_slots(own, self.lists)
        if "plan" not in own:
            raise GrammarError(f"{path.name}:1: no list 'plan'")
        share = own["share"].entries[0].text[0] if "share" in own else "1"
        self.share = float(share)
        self.rng = Random(f"{self.name} {seed}")

    def write(self, seen: set[str]) -> str:
        """Write a document none of whose sentences, and no long run of words, is in `seen`."""
        for _ in range(BEGINNINGS):
            draft = Draft(self.lists, self.rng)
            plan = draft.draw("plan")
            names = draft.expand(plan.text, plan.where).partition(">")[2].split()
            sentences: list[str] = []
            new: set[str] = set()
            for name in names:
                if name not in self.lists:
                    raise GrammarError(f"{plan.where}: no list is called {name!r}")
                for _ in range(ATTEMPTS):
                    trial = draft.copy()
                    entry = trial.draw(name)
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
                seen |= new
                return " ".join(sentences)
        raise GrammarError(f"{self.name}: {name!r} has run dry; give it more sentences or words")


def _runs(sentences: list[str], sentence: str) -> Iterator[str]:
    """Every run of SHARED_RUN + 1 words that ends in `sentence`, which follows `sentences`."""
    words = re.findall(r"[a-z]+", sentence.lower())
    before = re.findall(r"[a-z]+", " ".join(sentences[-2:]).lower())[-SHARED_RUN:]
    joined = before + words
    for end in range(max(len(before), SHARED_RUN) + 1, len(joined) + 1):
        yield " ".join(joined[end - SHARED_RUN - 1 : end])


def read_topics(folder: Path, seed: int) -> list[Topic]:
    """Read every topic of one folder, with the shared words."""
    shared = read_grammar(HERE / "grammar" / "shared.grammar")
    check_slots(shared, shared)
    return [Topic(path, shared, seed) for path in sorted(folder.glob("*.grammar"))]


def write_documents(topics: Sequence[Topic], words: int, seed: int) -> Iterator[str]:
    """Yield documents, the topics mixed by their shares, until `words` words are reached."""
    chooser = Draft({}, Random(seed))
    bounds = tuple(accumulate(topic.share for topic in topics))
    seen: set[str] = set()
    written = 0
    while written < words:
        document = topics[chooser.pick(bounds)].write(seen)
        written += len(re.findall(r"[A-Za-z]+", document))
        yield document


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, then write the files or show one topic."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--words", type=int, default=WORDS["general"], help="in general.txt")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", metavar="TOPIC", help="print twenty documents, write nothing")
    options = parser.parse_args(arguments)
    folders = [HERE / "grammar" / name for name in WORDS]
    try:
        if options.show:
            paths = [path for f in folders for path in f.glob(f"{options.show}.grammar")]
            if not paths:
                parser.error(f"there is no grammar file for {options.show!r}")
            shared = read_grammar(HERE / "grammar" / "shared.grammar")
            topic, seen = Topic(paths[0], shared, options.seed), set()
            for _ in range(20):
                print(topic.write(seen), end="\n\n")
            return
        for folder in folders:
            if not (topics := read_topics(folder, options.seed)):
                continue
            words = options.words * WORDS[folder.name] // WORDS["general"]
            text = "".join(f"{line}\n" for line in write_documents(topics, words, options.seed))
            (HERE / f"{folder.name}.txt").write_text(text, encoding="utf-8", newline="\n")
    except GrammarError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
