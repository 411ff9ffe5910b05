"""Text and integers: what a tokenizer is, twice, each written to be read.

Read in this order: `words` (the simplest way: words and a vocabulary), `wordlevel` (the same as a
model uses it, in Hugging Face's format), then GPT-2's byte-level BPE from its parts: `pretokenize`
(where text is cut into pieces), `byte_symbols` (how bytes are spelled), `merges` (the algorithm
itself, learning and applying), `bpe` (the three together) and `bpe_files`.
"""

from minilm.text.bpe import BytePairTokenizer
from minilm.text.wordlevel import WordLevelTokenizer
from minilm.text.words import STOP_WORDS, Vocabulary, WordTokenizer

__all__ = ["STOP_WORDS", "BytePairTokenizer", "Vocabulary", "WordLevelTokenizer", "WordTokenizer"]
