"""Text in, token ids out: readers, tokenizers, vocabularies."""
