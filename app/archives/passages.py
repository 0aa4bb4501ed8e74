"""Plain text: a passage is a line, or a paragraph (lines up to an empty one)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from app.archives.records import Record
from app.archives.sift import LONGEST
from app.archives.source import Source

Split = Literal["line", "paragraph"]

_EMPTY_LINES = re.compile(r"\n[ \t\r\f]*\n\s*")
_KEPT = 4 * LONGEST  # characters of a paragraph beyond which it is too long whatever follows


def passages(source: Source, split: Split) -> Iterator[Record]:
    """The passages of `source`, without an id and a date."""
    end = "\r" if "\r" in source.head and "\n" not in source.head else "\n"
    if split == "line":
        for line, _ in source.lines(end):
            if line.strip():
                yield Record(line)
        return
    pending: list[str] = []
    length = 0
    for line, _ in source.lines(end):
        if not line.strip():
            if pending:
                yield Record("".join(pending))
            pending, length = [], 0
        elif length <= _KEPT:
            pending.append(line)
            length += len(line)
    if pending:
        yield Record("".join(pending))


def split_in(head: str) -> Split:
    """How a text is divided: by paragraphs where those hold two lines or more as a rule, else by lines."""
    blocks = [block for block in _EMPTY_LINES.split(head.strip()) if block.strip()]
    lines = sum(block.strip().count("\n") + 1 for block in blocks)
    return "paragraph" if len(blocks) > 1 and lines >= 2 * len(blocks) else "line"
