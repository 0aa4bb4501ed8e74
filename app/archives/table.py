"""Tables: CSV and its relatives with tabs, semicolons or bars, with a header or without, read row by row.

How one is written is told by `table_looks.py` from its first rows.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

from app.archives import ArchiveError
from app.archives.markup import unmarked
from app.archives.records import EXPECTED_COLUMNS, Record, layout_of, record_from
from app.archives.source import LONGEST_RECORD, Source

# A cell may be as long as a record: of a page that stands in a column beside the text only the cell is too long. A
# quotation mark that is not closed is told by the lines that it swallows.
csv.field_size_limit(LONGEST_RECORD)
MOST_LINES = 1000  # of one row; more are what follows a quotation mark that is not closed

_RULE = re.compile(r":?-{2,}:?")
_LONE_CR = re.compile(r"\r(?!\n)")


@dataclass(frozen=True)
class Table:
    """How a table is written.

    Attributes:
        delimiter: between cells.
        names: of the columns; of a table without header those that could be told (text, id, date), else empty.
        headed: whether the first row holds the names.
        dialect: the options of `csv.reader`.
        end: of lines.
        skip: lines before the table.
    """

    delimiter: str
    names: tuple[str, ...]
    headed: bool
    dialect: tuple[tuple[str, Any], ...]
    end: str = "\n"
    skip: int = 0

    @property
    def has_text(self) -> bool:
        """Whether a column is called like a text."""
        return bool(layout_of(self.names).text)


def table_records(source: Source, table: Table) -> Iterator[Record]:
    """The records in the rows of `source`.

    Raises:
        ArchiveError: no column holds a text, or the rows cannot be told apart.
    """
    if not table.has_text:
        found = ", ".join(name.strip() or "(no name)" for name in table.names) or "no names"
        raise ArchiveError(
            f"no tweets in {source.name}: expected a column {EXPECTED_COLUMNS}; found {found[:200]} "
            "(is it plain text? then say --format text)"
        )
    layout = layout_of(table.names)
    text_at = table.names.index(layout.text[0])
    rows = (row for row in _rows(source, table) if any(row))
    for row in islice(rows, 1 if table.headed else 0, None):
        if table.headed and (_repeats_header(row, table) or _is_rule(row)):
            continue
        yield unmarked(record_from(dict(zip(table.names, _fitted(row, table, text_at), strict=False)), layout))


def _repeats_header(row: Sequence[str], table: Table) -> bool:
    """Whether a row names the columns again: the file was put together from several."""
    cells = [cell.strip("\ufeff \t\r\n") for cell in row]
    return len(cells) == len(table.names) and all(map(lambda cell, name: name in ("", cell), cells, table.names))


def _is_rule(row: Sequence[str]) -> bool:
    """Whether a row is the line below the header of a table in Markdown."""
    cells = [cell.strip() for cell in row if cell.strip()]
    return len(cells) > 1 and all(_RULE.fullmatch(cell) for cell in cells)


def _rows(source: Source, table: Table) -> Iterator[list[str]]:
    at = 0

    def lines() -> Iterator[str]:
        nonlocal at
        for line, at in islice(source.lines(table.end), table.skip, None):  # noqa: B007 (kept for the error)
            yield line

    try:
        yield from parsed(lines(), table.delimiter, dict(table.dialect))
    except csv.Error as error:
        raise ArchiveError(
            f"broken table in {source.name} near byte {at}: {error}; "
            "probably a quotation mark before it is not closed; nothing was imported"
        ) from None


def parsed(lines: Iterable[str], delimiter: str, dialect: dict[str, Any]) -> Iterator[list[str]]:
    """The rows in `lines`.

    Raises:
        csv.Error: they cannot be told apart.
    """
    pending = width = 0
    # Where backslashes escape, \N is no N but nothing (MySQL).
    null = _null_cells(delimiter) if dialect.get("escapechar") else None

    def clean() -> Iterator[str]:
        nonlocal pending
        for each in lines:
            line = null.sub("", each) if null and "\\N" in each else each
            pending += 1
            if pending > MOST_LINES:
                raise csv.Error(f"a row of more than {MOST_LINES:,} lines")
            if pending == 1 and _LONE_CR.search(line.rstrip("\r\n")):
                yield from _rows_in(line, width, delimiter, dialect) or [_clean(line)]
            else:
                yield _clean(line)

    for row in csv.reader(clean(), delimiter=delimiter, **dialect):
        pending, width = 0, width or len(row)
        yield row


def _rows_in(line: str, width: int, delimiter: str, dialect: dict[str, Any]) -> list[str]:
    """The rows that lone carriage returns part a line into, each as wide as the table; none where they are part of a
    text. `width` is 0 before the first row.
    """
    pieces = [piece + "\n" for piece in _LONE_CR.split(line.rstrip("\r\n")) if piece]
    widths = {len(row) for piece in pieces for row in csv.reader([piece], delimiter=delimiter, **dialect)}
    found = max(widths, default=0)
    return pieces if len(widths) == 1 and found > 1 and found == (width or found) else []


def _fitted(row: list[str], table: Table, text_at: int) -> list[str]:
    """`row` with the width of the table: cells too many come from delimiters in a text that was not quoted."""
    surplus = len(row) - len(table.names)
    if surplus <= 0:
        return row
    text = table.delimiter.join(row[text_at : text_at + surplus + 1])
    return [*row[:text_at], text, *row[text_at + surplus + 1 :]]


def _clean(line: str) -> str:
    """`line` as `csv.reader` wants it: a carriage return within it is part of a text, and no end of a row."""
    if "\r" not in line:
        return line
    if line.endswith("\r"):
        return line[:-1] + "\n"
    return _LONE_CR.sub(" ", line)


@cache
def _null_cells(delimiter: str) -> re.Pattern[str]:
    apart = re.escape(delimiter)
    return re.compile(rf"(?:^|(?<={apart}))\\N(?={apart}|\r?\n|$)")
