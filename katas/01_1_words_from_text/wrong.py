"""How people cut a text into words at first."""

from __future__ import annotations

import re
import string
import unicodedata

from minilm.course.mistakes import mistake
from minilm.text.words import STOP_WORDS

_LETTERS = re.compile(r"[^\W\d_]+")


def _right(text: str) -> list[str]:
    return "".join(c if c.isalpha() else " " for c in text.lower()).split()


class _Tokenizer:
    """Everything but the words."""

    def __init__(self, stop_words=frozenset()):
        self.stop_words = stop_words

    def words(self, text):
        return _right(text)

    def tokenize(self, text):
        return [word for word in self.words(text) if word not in self.stop_words]


@mistake("WordTokenizer")
class SplitAtSpaces(_Tokenizer):
    """the text was only split at spaces: punctuation stays on the words.

    "sea," and "sea;" and "sea!" are then three different words, and each is rare. Every character
    that isn't a letter ends a word.
    """

    def words(self, text):
        return text.lower().split()


@mistake("WordTokenizer")
class OnlySplit(_Tokenizer):
    """the text was split at spaces and nothing else: capitals and punctuation stay.

    "The" and "the", "sea" and "sea!" are then different words. Lower case first; and every
    character that isn't a letter ends a word.
    """

    def words(self, text):
        return text.split()


@mistake("WordTokenizer")
class PunctuationStrippedFromTheEnds(_Tokenizer):
    """punctuation was taken off the ends of words only; what is inside them stayed.

    strip() does not look inside "well-known" or "tea—milk", and turns "..." into an empty
    word. Every character that isn't a letter ends a word, wherever it is.
    """

    def words(self, text):
        return [word.strip(string.punctuation) for word in text.lower().split()]


@mistake("WordTokenizer")
class PunctuationDeleted(_Tokenizer):
    """what isn't a letter was deleted, and words grew together: "o'clock" became "oclock".

    "and/or" is then "andor", a word that nobody wrote. Put a *space* in the place of such a
    character, and split afterwards.
    """

    def words(self, text):
        return "".join(c for c in text.lower() if c.isalpha() or c.isspace()).split()


@mistake("WordTokenizer")
class CapitalsKept(_Tokenizer):
    """capitals were kept: "The", "the" and "THE" are three words.

    At the head of a sentence every word has a capital, which says nothing about the word. Begin
    with text.lower().
    """

    def words(self, text):
        return "".join(c if c.isalpha() else " " for c in text).split()


@mistake("WordTokenizer")
class CapitalsSeparate(_Tokenizer):
    """capital letters were treated as if they were punctuation: "Sea" became "ea".

    The pattern [a-z]+ knows no capitals. Make the text lower case *before* you look for words.
    """

    def words(self, text):
        return [word.lower() for word in re.findall("[a-z]+", text)]


@mistake("WordTokenizer")
class OnlyAscii(_Tokenizer):
    """only a to z were taken for letters: "émigré" became "migr".

    The alphabet of English is one of many. str.isalpha knows the letters of every script, and so
    does the pattern [^\\W\\d_], nearly.
    """

    def words(self, text):
        return re.findall("[a-z]+", text.lower())


@mistake("WordTokenizer")
class AccentsRemoved(_Tokenizer):
    """accents were taken off, and other scripts with them: "émigré" became "emigre".

    Encoding to ASCII throws away whatever it does not know, whole languages too. An é is a letter:
    leave it.
    """

    def words(self, text):
        decomposed = unicodedata.normalize("NFKD", text.lower())
        plain = decomposed.encode("ascii", "ignore").decode()
        return re.findall("[a-z]+", plain)


@mistake("WordTokenizer")
class DigitsKept(_Tokenizer):
    """digits were taken for letters: "3", "2024" and "covid19" are words.

    isalnum() means letters *or* numbers. Here digits only separate, so ask isalpha().
    """

    def words(self, text):
        return "".join(c if c.isalnum() else " " for c in text.lower()).split()


@mistake("WordTokenizer")
class WordCharacters(_Tokenizer):
    """\\w+ was used, which takes digits and the underscore too: "file_name", "b2".

    "Word characters" are those that may be in the name of a variable. The letters among them are
    [^\\W\\d_], nearly, or, exactly, those of str.isalpha.
    """

    def words(self, text):
        return re.findall(r"\w+", text.lower())


@mistake("WordTokenizer")
class NumeralsKept(_Tokenizer):
    """numerals that are neither digits nor letters were kept: ², ½, Ⅷ.

    [^\\W\\d_] leaves out the decimal digits, but "²" is a word character and no decimal digit.
    str.isalpha has the last word.
    """

    def words(self, text):
        return _LETTERS.findall(text.lower())


@mistake("WordTokenizer")
class ApostrophesKept(_Tokenizer):
    """an apostrophe inside a word was kept: "it's" and "isn't" are one word each.

    A good idea in English, and NLTK's; but then the tokenizer must know about quotes, French, and
    four kinds of apostrophe. This one keeps one rule: letters, nothing else.
    """

    def words(self, text):
        return re.findall(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*", text.lower())


@mistake("WordTokenizer")
class HyphensKept(_Tokenizer):
    """a hyphen inside a word was kept: "well-known" is one word.

    Then "tea-milk" is a word nobody has seen before. Letters, nothing else: the two parts are words
    that we know.
    """

    def words(self, text):
        return re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", text.lower())


@mistake("WordTokenizer")
class EmptyStrings(_Tokenizer):
    """there are empty strings among the words.

    re.split, and split(" ") with an argument, give the nothing between two separators, and before
    the first and after the last one. Use findall, or split() without an argument.
    """

    def words(self, text):
        spaced = "".join(c if c.isalpha() else " " for c in text.lower())
        return spaced.split(" ")


@mistake("WordTokenizer")
class SplitAtRunsOfSeparators(_Tokenizer):
    """there is an empty string at the beginning or at the end.

    re.split gives what is between the separators: nothing, before a first or after a last one.
    Look for the words, with findall, not for what separates them; or leave empty ones out.
    """

    def words(self, text):
        return re.split(" +", "".join(c if c.isalpha() else " " for c in text.lower()))


@mistake("WordTokenizer")
class ShortWordsLeftOut(_Tokenizer):
    """words of a single letter were left out.

    scikit-learn's vectorizers do so by default. Here "a" and "I" are words; who does not want them
    lists them as stop words.
    """

    def words(self, text):
        return [word for word in _right(text) if len(word) > 1]


@mistake("WordTokenizer")
class EachWordOnce(_Tokenizer):
    """each word is there only once: repetitions were dropped.

    A set, or the keys of a dict, forget how often a word came. The words come in the order of the
    text, as often as they stand there.
    """

    def words(self, text):
        return list(dict.fromkeys(_right(text)))


@mistake("WordTokenizer")
class SortedSet(_Tokenizer):
    """the words are sorted, each once: that is the vocabulary, not the text.

    The next steps look at who stands beside whom. Return the words in the order of the text.
    """

    def words(self, text):
        return sorted(set(_right(text)))


@mistake("WordTokenizer")
class CaseFolded(_Tokenizer):
    """casefold() was used: "ß" became "ss".

    It is made for comparing without regard to case, and changes letters to do so. Lower case is
    lower().
    """

    def words(self, text):
        return "".join(c if c.isalpha() else " " for c in text.casefold()).split()


@mistake("WordTokenizer")
class StopWordsKept(_Tokenizer):
    """the stop words are still there.

    The tokenizer was made with a set of words to leave out: self.stop_words.
    """

    def tokenize(self, text):
        return _right(text)


@mistake("WordTokenizer")
class StopWordsBeforeLowerCase(_Tokenizer):
    """stop words with a capital stayed: they were compared before the lower case.

    "The" is not "the". Lower case first, then leave out.
    """

    def tokenize(self, text):
        words = "".join(c if c.isalpha() else " " for c in text).split()
        return [word.lower() for word in words if word not in self.stop_words]


@mistake("WordTokenizer")
class StopWordsCutOutOfTheText(_Tokenizer):
    """stop words were cut out of the text, and out of the middle of longer words.

    "theory" without "the" is "ory". Compare whole words, once there are words.
    """

    def tokenize(self, text):
        text = text.lower()
        for word in sorted(self.stop_words):
            text = text.replace(word, "")
        return _right(text)


@mistake("WordTokenizer")
class AlwaysTheSameStopWords(_Tokenizer):
    """the list STOP_WORDS was left out, whatever the tokenizer was made with.

    Which words to leave out is for the caller to say: self.stop_words, and by default none.
    """

    def tokenize(self, text):
        return [word for word in _right(text) if word not in STOP_WORDS]


@mistake("WordTokenizer")
class OnlyTheStopWords(_Tokenizer):
    """the stop words were kept, and all the others left out.

    It is `not in`.
    """

    def tokenize(self, text):
        return [word for word in _right(text) if word in self.stop_words]


@mistake("WordTokenizer")
class OneString(_Tokenizer):
    """the words are one string; a list of strings was asked for.

    " ".join(words) undoes the work: leave it out.
    """

    def tokenize(self, text):
        return " ".join(super().tokenize(text))


@mistake("WordTokenizer")
class AsciiPunctuationOnly(_Tokenizer):
    """only the marks of string.punctuation end a word: digits stayed, and marks like ’ and —.

    Those are the 32 marks of ASCII, and a text has others. Do not list what is no letter: ask
    isalpha() what is one.
    """

    def words(self, text):
        return text.lower().translate({ord(mark): " " for mark in string.punctuation}).split()


@mistake("WordTokenizer")
class WordsBesideDigitsLost(_Tokenizer):
    """a word that touches a digit or an underscore was left out as a whole: "rd" of "3rd".

    \\w+ takes letters, digits and underscores together, and then isalpha() refuses all of it. Take
    runs of letters alone.
    """

    def words(self, text):
        return [word for word in re.findall(r"\w+", text.lower()) if word.isalpha()]


@mistake("WordTokenizer")
class WordsBesideMarksLost(_Tokenizer):
    """a word that touches anything but a space was left out as a whole: "sea" of "sea,".

    The text was split at spaces, and then isalpha() refused every piece with a mark in it. Every
    character that isn't a letter ends a word.
    """

    def words(self, text):
        return [word for word in text.lower().split() if word.isalpha()]


@mistake("WordTokenizer")
class LatinOnly(_Tokenizer):
    """only a to z and the accented letters à to ÿ were taken for letters.

    Greek, Cyrillic and Chinese have none of these, and even "Straße" falls apart. isalpha() knows
    the letters of all scripts.
    """

    def words(self, text):
        return re.findall("[a-zà-ÿ]+", text.lower())
