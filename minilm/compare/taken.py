"""What a comparison takes of the user's files: columns, rows, what to look at in the labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minilm import resources
from minilm.compare.data import CompareSettings
from minilm.data import documents
from minilm.data.labelled import read_labelled


def lines(tasks: Iterable[CompareSettings]) -> list[str]:
    """Return a line for each thing to know of files that do not ship with minilm.

    Labels are looked at file by file, before tasks and transfers are compared.
    """
    found: dict[str, None] = {}
    for settings in tasks:
        reading: dict[str, Any] = {
            "encoding": settings.encoding,
            "text_column": settings.text_column,
            "no_header": settings.no_header,
        }
        for path in (settings.task, *settings.transfers, *settings.others):
            if not resources.is_shipped(path):
                data = read_labelled(
                    path, **reading, label_column=settings.label_column, evaluation_only=True
                )
                found.update(dict.fromkeys(data.report()))
        texts = [path for paths in settings.corpora for path in paths]
        texts = [path for path in texts if not resources.is_shipped(path)]
        found.update(dict.fromkeys(documents.describe(texts, **reading)))
    return list(found)
