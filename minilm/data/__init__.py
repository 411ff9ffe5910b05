"""The user's files: which are read, how, and what is taken from them.

Read in this order: `lines` (decoding), `sources` (which files of a folder), `quoting` and `tables`
(rows out of CSV, TSV and JSON), `columns` (which of them is the text), `documents` (the one reader
of documents), `labelled` (tables with labels, and samples of them) and `labels` (variants of one
label). `quality` checks texts, and `rewrite` writes a cleaned copy.
"""

from __future__ import annotations

import importlib
from typing import Any

# Looked up on first use (PEP 562): documents are read without NumPy, labelled tables are not.
_EXPORTED = {
    "LabelledData": "labelled",
    "read_documents": "documents",
    "read_labelled": "labelled",
    "read_records": "documents",
}

__all__ = ["LabelledData", "read_documents", "read_labelled", "read_records"]


def __getattr__(name: str) -> Any:
    """Import the module behind an exported name."""
    if name not in _EXPORTED:
        raise AttributeError(f"module 'minilm.data' has no attribute {name!r}")
    return getattr(importlib.import_module(f"minilm.data.{_EXPORTED[name]}"), name)
