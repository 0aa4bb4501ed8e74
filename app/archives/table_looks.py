"""What a table looks like, told from its first rows. Quotation marks are believed only where that makes rows more even:
some programs write them, some leave those of the text as they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Any

from app.archives.dates import is_date
from app.archives.records import TEXT_COLUMNS, layout_of, plain_name
from app.archives.table import Table, parsed

_DELIMITERS = ",\t;|"
_SAMPLE = 200  # rows that a table is recognised by
_EVEN = 0.9  # share of rows that must be as wide as the first
_TITLE = "tweets"
_MOST_BEFORE = 5  # lines of a title or of comments before the header

_SEP_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d][\w .:/#()-]{0,39}")
_NUMBER = re.compile(r"[+-]?\d[\d.,]*(?:[eE][+-]?\d+)?%?|true|false|t|f", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"\d{5,20}")
_TWEET_ID = re.compile(r"\d{17,19}")
_COUNTER = re.compile(r"\d{1,7}")
_ENCLOSED = re.compile(r'"(?:[^"]|"")*"')
_LINE_END = re.compile(r"\r\n?")


def table_in(head: str, *, whole: bool, sure: bool = False) -> Table | None:
    """The table that `head`, the beginning of a file, belongs to; None where it is none.

    `whole`: nothing follows. `sure`: somebody said that it is a table, so that a header alone is enough.
    """
    end = "\r" if "\r" in head and "\n" not in head else "\n"
    announced = _SEP_LINE.match(head)
    lines = head.split(end)
    if not whole and len(lines) > 1:
        lines.pop()  # it may be cut
    lines = [line + end for line in lines][1 if announced else 0 :]
    delimiters = announced.group(1) if announced else _DELIMITERS
    looks = [look for delimiter in delimiters for look in _looks(lines, delimiter, whole)]
    found = _with_text_column(looks) or _without_names(looks) or _without_text_column(looks)
    if found is None and not announced:
        found = _behind_other_lines(lines, whole) or _one_enclosed_column(lines)
    if found is None and sure and looks:
        found = looks[0].table
    return found and replace(found, end=end, skip=found.skip + (1 if announced else 0))


@dataclass(frozen=True)
class _Look:
    """The first rows as one reading of the file gives them."""

    table: Table
    rows: list[list[str]]

    @property
    def width(self) -> int:
        return len(self.rows[0])

    @property
    def evenness(self) -> float:
        """The share of rows as wide as the first."""
        return sum(1 for row in self.rows if len(row) == self.width) / len(self.rows)

    def column(self, place: int, *, headed: bool) -> list[str]:
        """The filled cells of a column."""
        cells = (row[place].strip() for row in self.rows[1 if headed else 0 :] if len(row) == self.width)
        return [cell for cell in cells if cell]

    def is_typed(self, place: int, *, headed: bool) -> bool:
        """Whether a column holds numbers or dates."""
        cells = self.column(place, headed=headed)
        return _mostly(cells, lambda cell: bool(_NUMBER.fullmatch(cell)) or is_date(cell))


def _looks(lines: Sequence[str], delimiter: str, whole: bool) -> list[_Look]:
    """The likeliest reading of the first lines with this delimiter, if there is any."""
    first = next((line for line in lines if line.strip()), "")
    spaced = f"{delimiter} " in first and delimiter != "\t"

    def look(**quoting: Any) -> _Look | None:
        dialect = {"skipinitialspace": spaced, **quoting}
        rows = _with_name_of_counter(_first_rows(lines, delimiter, dialect, whole))
        return _Look(Table(delimiter, _names(rows[0]), True, tuple(dialect.items())), rows) if rows else None

    text = "".join(lines)
    likeliest = look()
    if '\\"' in text and not _doubled_marks(delimiter).search(text):
        escaped = look(doublequote=False, escapechar="\\")
        if escaped and (likeliest is None or escaped.evenness >= likeliest.evenness):
            return [escaped]
    literal = look(quoting=csv.QUOTE_NONE) if '"' in text else None
    if literal and (likeliest is None or literal.evenness > likeliest.evenness):
        return [literal]
    if (
        literal
        and likeliest
        and literal.evenness == likeliest.evenness
        and not _marks_enclose(text, literal, likeliest)
    ):
        return [literal]
    return [likeliest] if likeliest else []


def _with_name_of_counter(rows: list[list[str]]) -> list[list[str]]:
    """`rows` with an empty name before the others, where R counted the rows in a column without one."""
    if len(rows) < 2:
        return rows
    header, *below = rows
    counters = [row[0] for row in below if len(row) == len(header) + 1 and _COUNTER.fullmatch(row[0])]
    is_counted = len(counters) >= _EVEN * len(below) and len(set(counters)) == len(counters)
    return [["", *header], *below] if is_counted and _is_header(header) else rows


def _names(header: Sequence[str]) -> tuple[str, ...]:
    """The names of columns; of several with one name, the first bears it."""
    names = [cell.strip() for cell in header]
    return tuple(name if names.index(name) == place else "" for place, name in enumerate(names))


def _marks_enclose(text: str, literal: _Look, likeliest: _Look) -> bool:
    """Whether quotation marks enclose cells, rather than belong to their texts; either way rows are as even."""
    delimiter = likeliest.table.delimiter
    left = _enclosed_cells(delimiter).sub("", _LINE_END.sub("\n", text)).count('"')
    if any("\n" in cell for row in likeliest.rows for cell in row):
        return left == 0  # else two marks of two texts swallow the rows between them
    if literal.width > 1 and delimiter == "\t" and _some_enclosed_needlessly(literal):
        return False
    return 2 * left <= text.count('"')


def _some_enclosed_needlessly(literal: _Look) -> bool:
    """Whether marks stand around some texts of a column where a program would write none: they are quotes of others."""
    columns = [literal.column(place, headed=True) for place in range(literal.width)]
    enclosed = [[cell for cell in cells if _ENCLOSED.fullmatch(cell)] for cells in columns]
    if any('""' in cell[1:-1] for cells in enclosed for cell in cells):
        return False  # a program doubled a mark within
    return any(0 < len(some) < len(cells) for some, cells in zip(enclosed, columns, strict=True))


@cache
def _doubled_marks(delimiter: str) -> re.Pattern[str]:
    """Two marks that stand for one: not an empty cell, nor an escaped mark before the one that ends its cell."""
    apart = re.escape(delimiter)
    return re.compile(rf'(?<![\\\n{apart}])""(?![\r\n{apart}]|$)')


@cache
def _enclosed_cells(delimiter: str) -> re.Pattern[str]:
    apart = re.escape(delimiter)
    return re.compile(rf'(?:^|(?<={apart})) *"(?:[^"]|"")*" *(?={apart}|$)', re.MULTILINE)


def _first_rows(lines: Iterable[str], delimiter: str, dialect: dict[str, Any], whole: bool) -> list[list[str]]:
    try:
        rows = [row for row in islice(parsed(lines, delimiter, dialect), _SAMPLE) if any(row)]
    except csv.Error:
        return []
    if not whole and 1 < len(rows) < _SAMPLE:
        rows.pop()  # its last cell may be cut
    return rows


def _with_text_column(looks: Sequence[_Look]) -> Table | None:
    """The widest reading whose first row names a text column."""
    named = [look for look in looks if look.table.has_text and (_is_plainly_header(look) or _is_sure(look))]
    if not named:
        return None
    return max(named, key=lambda look: (look.width, look.evenness)).table


def _is_plainly_header(look: _Look) -> bool:
    """Whether the first row is a header, whatever stands below; "Tweets, of mine" may as well be a title."""
    named = {plain_name(name) for name in layout_of(look.table.names).text}
    return named != {_TITLE} and _is_header(look.rows[0])


def _is_sure(look: _Look) -> bool:
    """Whether the rows below prove that the first is a header, even one that gives two columns the same name."""
    if look.width < 2 or len(look.rows) < 2 or look.evenness < _EVEN or any(len(cell) > 60 for cell in look.rows[0]):
        return False
    return any(look.is_typed(place, headed=True) for place in range(look.width))


def _behind_other_lines(lines: Sequence[str], whole: bool) -> Table | None:
    """The table below a title or comments: one with a column of texts, and rows that prove it."""
    for skip in range(1, min(_MOST_BEFORE, len(lines) - 1) + 1):
        if not lines[skip].strip():
            continue
        looks = (look for delimiter in _DELIMITERS for look in _looks(lines[skip:], delimiter, whole))
        found = _with_text_column([look for look in looks if _is_sure(look)])
        if found is not None:
            return replace(found, skip=skip)
    return None


def _one_enclosed_column(lines: Sequence[str]) -> Table | None:
    """A table of texts alone, enclosed in quotation marks: each, and then a header may be missing, or below a header
    those that need it.
    """
    filled = [line for line in lines if line.strip()][:_SAMPLE]
    headed = bool(filled) and plain_name(filled[0]) in TEXT_COLUMNS
    texts, enclosed = _LINE_END.sub("\n", "".join(filled[1 if headed else 0 :])), _enclosed_cells("\n")
    cells, left = len(enclosed.findall(texts)), enclosed.sub("", texts).split("\n")
    if headed and _some_enclosed_by_need(texts):
        return Table(",", ("text",), headed, ())
    if cells < 2 or sum(1 for line in left if line.strip()) > (1 - _EVEN) * cells:
        return None
    return Table(",", ("text",), headed, (("skipinitialspace", True),))


def _some_enclosed_by_need(texts: str) -> bool:
    """Whether a program that encloses what it must would write these texts so, some of them enclosed."""
    written = io.StringIO()
    try:
        rows = [row for row in csv.reader(io.StringIO(texts)) if row][:-1]  # the last one may be cut
    except csv.Error:
        return False
    csv.writer(written, lineterminator="\n").writerows(rows)
    return '"' in written.getvalue() and {len(row) for row in rows} == {1} and texts.startswith(written.getvalue())


def _is_header(cells: Sequence[str]) -> bool:
    names = [plain_name(cell) for cell in cells]
    named = [name for name in names if name]
    if len(cells) == 1:
        return names[0] in TEXT_COLUMNS
    return bool(named) and len(named) == len(set(named)) and all(len(cell) <= 60 for cell in cells)


def _without_names(looks: Sequence[_Look]) -> Table | None:
    """A table whose first row is a tweet like the others: some column holds numbers or dates from the first row on."""
    for look in _even(looks):
        typed = [place for place in range(look.width) if look.is_typed(place, headed=False)]
        # Links without a space may be longer than the texts beside them.
        others = (place for place in range(look.width) if place not in typed)
        prose = [place for place in others if any(" " in cell for cell in look.column(place, headed=False))]
        first = [look.rows[0][place].strip() for place in typed]
        if not prose or not any(_NUMBER.fullmatch(cell) or is_date(cell) for cell in first):
            continue
        text = max(prose, key=lambda place: sum(map(len, look.column(place, headed=False))))
        return replace(look.table, names=_told_names(look, typed, text), headed=False)
    return None


def _told_names(look: _Look, typed: Sequence[int], text: int) -> tuple[str, ...]:
    """Names for the columns that can be told without a header: the text, the id and the date."""
    names = [""] * look.width
    names[text] = "text"
    numbers = {place: look.column(place, headed=False) for place in typed}
    # Read as billionths of a second, the ids of tweets are moments before there were any.
    tweets = [place for place in typed if _mostly(numbers[place], lambda cell: bool(_TWEET_ID.fullmatch(cell)))]
    dates = [place for place in typed if place not in tweets and _mostly(numbers[place], is_date)]
    ids = [
        place
        for place in typed
        if _mostly(numbers[place], lambda cell: bool(_LONG_NUMBER.fullmatch(cell)))
        and len(set(numbers[place])) == len(numbers[place])
    ]
    if ids:
        longest = max(ids, key=lambda place: len(numbers[place][0]))
        names[longest] = "id"
        dates = [place for place in dates if place != longest]
    if dates:
        names[dates[0]] = "date"
    return tuple(names)


def _without_text_column(looks: Sequence[_Look]) -> Table | None:
    """A table for certain, but none of its columns is called like a text."""
    for look in _even(looks):
        if len(look.rows) < 2 or not all(_NAME.fullmatch(cell.strip()) for cell in look.rows[0][1:]):
            continue
        typed = any(look.is_typed(place, headed=True) for place in range(look.width))
        unspaced = all(cell == cell.strip() for cell in look.rows[0])
        if _is_header(look.rows[0]) and (typed or (unspaced and look.evenness == 1)):
            return look.table
    return None


def _even(looks: Sequence[_Look]) -> list[_Look]:
    """The readings with as wide rows throughout, the widest first."""
    even = [look for look in looks if look.width > 1 and look.evenness >= _EVEN]
    return sorted(even, key=lambda look: -look.width)


def _mostly(cells: Sequence[str], test: Any) -> bool:
    return bool(cells) and sum(1 for cell in cells if test(cell)) >= _EVEN * len(cells)
