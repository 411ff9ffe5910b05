"""The little English grammar that the corpus generator needs: pronouns, endings, agreement.

It covers what the files in `grammar/` use and no more; what is irregular stands in a table here or
beside its word there. The tags are those of `build.py`: m, f, n, pl, we and i for the kind of
pronoun, `mass` for what has no plural.
"""

import re
from collections.abc import Container

FORMS = ("he", "him", "his", "own", "himself")
PRONOUNS = {
    "m": dict(zip(FORMS, ("he", "him", "his", "his", "himself"), strict=True)),
    "f": dict(zip(FORMS, ("she", "her", "her", "hers", "herself"), strict=True)),
    "n": dict(zip(FORMS, ("it", "it", "its", "its", "itself"), strict=True)),
    "pl": dict(zip(FORMS, ("they", "them", "their", "theirs", "themselves"), strict=True)),
    "we": dict(zip(FORMS, ("we", "us", "our", "ours", "ourselves"), strict=True)),
    "i": dict(zip(FORMS, ("I", "me", "my", "mine", "myself"), strict=True)),
}
ALIASES = {"it": "he", "its": "his", "itself": "himself"}
PLURAL_VERBS = {"is": "are", "was": "were", "has": "have", "does": "do", "goes": "go"}
I_VERBS = {"is": "am", "isn't": "am not", "was": "was", "wasn't": "wasn't"}
IRREGULAR = (
    "man/men woman/women child/children foot/feet tooth/teeth mouse/mice goose/geese leaf/leaves "
    "loaf/loaves knife/knives shelf/shelves half/halves wolf/wolves life/lives wife/wives "
    "calf/calves scarf/scarves thief/thieves person/people potato/potatoes tomato/tomatoes "
    "hero/heroes sheep/sheep fish/fish deer/deer series/series"
)
PLURALS = dict(pair.split("/") for pair in IRREGULAR.split())
VOWEL_SOUND = re.compile(
    r"(?!eu|ewe|one\b|once|uni[^nmd]|us[eu]|ut[eio]|ur[ai]|uk|ug)[aeiou]|hour|hono|hones|heir", re.I
)


def add_s(word: str) -> str:
    """The plural of a noun, or the third person of a verb.

    >>> [add_s(word) for word in ("pan", "frying pan", "berry", "box", "child", "teach")]
    ['pans', 'frying pans', 'berries', 'boxes', 'children', 'teaches']
    """
    rest, last = re.fullmatch(r"(.*?)([^\s-]*)", word).groups()
    if last in PLURALS:
        return rest + PLURALS[last]
    if re.search(r"[^aeiou]y$", word):
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


def gender_of(tags: Container[str]) -> str:
    """The row of PRONOUNS for a word with such tags."""
    return next((gender for gender in PRONOUNS if gender in tags), "n")


def agree(verb: str, tags: Container[str]) -> str:
    """Turn a verb in the third person singular into the form that goes with a word.

    >>> agree("was", ["pl"]), agree("tries", ["we"]), agree("isn't", ["i"]), agree("bakes", ["f"])
    ('were', 'try', 'am not', 'bakes')
    """
    gender = gender_of(tags)
    if gender in "mfn":
        return verb
    if gender == "i" and verb in I_VERBS:
        return I_VERBS[verb]
    stem, negation = (verb[:-3], "n't") if verb.endswith("n't") else (verb, "")
    if stem in PLURAL_VERBS:
        return PLURAL_VERBS[stem] + negation
    if len(verb) > 4 and verb.endswith("ies"):
        return verb[:-3] + "y"
    return verb[:-2] if re.search(r"(ss|sh|ch|x|zz|o)es$", verb) else verb.removesuffix("s")


def inflect(word: str, form: str, tags: Container[str]) -> str | None:
    """The pronoun or the ending that a form such as `his` or `ed` asks for; None if unknown.

    >>> inflect("Maya", "poss", "f"), inflect("Maya", "him", "f"), inflect("flour", "a", ["mass"])
    ("Maya's", 'her', 'some flour')
    """
    gender = gender_of(tags)
    if form in FORMS:
        return PRONOUNS[gender][form]
    if form == "poss":
        return PRONOUNS[gender]["his"] if gender in ("i", "we") else f"{word}'s"
    if form == "a":
        return ("some " if "mass" in tags or gender == "pl" else "a ") + word
    if form in ("ed", "ing"):
        return add_ending(word, form)
    return {"s": add_s(word), "name": word}.get(form)


def polish(sentence: str) -> str:
    """Put spaces, a or an, capitals, and the order of "said I" right.

    >>> polish("a  old man had  a useful idea , she said. so they left.")
    'An old man had a useful idea, she said. So they left.'
    """
    text = re.sub(r"\s+", " ", sentence).strip()
    text = re.sub(r" (?=[,.;:!?])", "", text)
    text = re.sub(r",(?=[,.;:!?])", "", text)
    article = r"\b([Aa])n? (?=[\"']?(\w[\w']*))"
    text = re.sub(article, lambda m: m[1] + ("n " if VOWEL_SOUND.match(m[2]) else " "), text)
    text = re.sub(r"\b(said|asked|called|whispered|cried|shouted) (I|we)\b", r"\2 \1", text)
    return re.sub(r'(^"?|[.!?] "?|\." "?)([a-z])', lambda m: m[1] + m[2].upper(), text)
