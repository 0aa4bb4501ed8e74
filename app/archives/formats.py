"""Formats: which one a file is in, told by its content and never by its name, and the records in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from app.archives import ArchiveError
from app.archives.activities import other_file
from app.archives.elements import CONTAINERS, record_of
from app.archives.feeds import feed_records
from app.archives.json_records import ASSIGNMENT, json_records
from app.archives.passages import Split, passages, split_in
from app.archives.records import EXPECTED_COLUMNS, FORMATS, Record, layout_of
from app.archives.source import EXPECTED, Source
from app.archives.table import table_records
from app.archives.table_looks import table_in
from app.archives.xml_items import is_feed

TWEET, PASSAGE = "tweet", "passage"

_ENOUGH = 1000  # rows without a text after which none is expected any more
_LOOKED_AT = 20  # lines that tell whether objects of JSON follow
_EXPORT = re.compile(r"window\.YTD\.(\w+)\.part\d+\s*=")
_EXPORTS_OF_TWEETS = frozenset({"tweet", "tweets", "community_tweet", "deleted_tweets"})
_MARKUP = re.compile(
    r"<(?:!--|(?:!doctype|html|head|body|title|meta|div|p|span|table|script|style|\?xml|svg|rss|feed)\b)", re.IGNORECASE
)
_ELEMENT = re.compile(r"<([A-Za-z][\w:.-]*)(?:\s[^<>]*)?>.*</\1>\s*", re.DOTALL)
_ID_ALONE = re.compile(r"""\s*["']?\d{5,20}["']?,?\s*""")
_PYTHON = re.compile(r"(?:\[\s*)?\{\s*'[^'\n]{1,100}'\s*:")  # a dict, or a list of them, as print writes it
_OPENING = re.compile(r"[\s\ufeff\x1e]*")
_ARRAY = re.compile(r"\[\s*(?:null\s*,\s*)*(?:[{\]]|null\s*\]|\[\s*[\[{\"]|$)")  # null stands for a deleted tweet
_CONTAINER = re.compile(
    rf'\{{\s*"(?:(?:{"|".join(sorted(CONTAINERS | {"meta", "includes"}))})"\s*:\s*[\[{{]|(?:@context|\d+)"\s*:)'
    r"""|\{[^\[{]{0,2000}"orderedItems"\s*:\s*\["""
)
_FIELD = re.compile(r'[\s,]*"((?:[^"\\]|\\.)*)"\s*:\s*')
_OBJECT = re.compile(r"\{\s*(?:[\"}]|$)")


@dataclass(frozen=True)
class Reading:
    """A file that was recognised.

    Attributes:
        format: one of `FORMATS`.
        unit: tweet or passage, what a row of it is.
        asked: somebody said that it is plain text; it was not recognised.
        records: its rows.
        name: the file's.
        found: the names in its first rows, for the error that none is called like a text.
    """

    format: str
    unit: str
    asked: bool
    records: Iterator[Record]
    name: str
    found: tuple[str, ...]

    def check(self, read: int, without_text: int, *, ended: bool) -> None:
        """Refuse a file of which no row has a text, as soon as that is plain.

        Raises:
            ArchiveError: it has none, or no rows at all.
        """
        if ended and read == 0:
            raise ArchiveError(f"no rows in {self.name}: expected tweets in {EXPECTED}")
        if read == without_text and (ended or read >= _ENOUGH):
            if self.format == "feed":
                raise ArchiveError(
                    f"no tweets in {self.name}: expected items with a description, a content or a title; "
                    f"found none in {read:,} items"
                )
            found = ", ".join(self.found)[:200] or "none"
            if named := layout_of(self.found).text:
                raise ArchiveError(
                    f"no tweets in {self.name}: expected words in the field {named[0]}; "
                    f"found none in {read:,} rows (numbers, null, lists and objects are no texts): write an "
                    f"object for each text, with its words in {named[0]} (pandas: orient='records')"
                )
            raise ArchiveError(f"no tweets in {self.name}: expected a field {EXPECTED_COLUMNS}; found {found}")


def open_records(source: Source, format: str = "auto", split: str | None = None) -> Reading:
    """The records of `source`; `format` and `split` as of `app.jobs.importing.import_archive`.

    Raises:
        ArchiveError: the format is none that is known, or asks for what it cannot have.
    """
    if format not in ("auto", *FORMATS):
        raise ArchiveError(f"no format {format[:40]!r}: expected auto, {', '.join(FORMATS)}")
    if split is not None and split not in get_args(Split):
        raise ArchiveError(f"cannot split by {split[:40]!r}: expected {' or '.join(get_args(Split))}")
    if split is not None and format not in ("auto", "text"):
        raise ArchiveError(f"only plain text is split by {split}: leave out --split, or say --format text")
    asked = split is not None or format == "text"
    kind = "text" if asked else recognise(source) if format == "auto" else format
    records, found = _records(source, kind, split)
    return Reading(kind, PASSAGE if kind == "text" else TWEET, asked, records, source.name, found)


def recognise(source: Source) -> str:
    """The format of `source` by its first characters: one of `FORMATS`.

    Raises:
        ArchiveError: it is another file of an export than that of the posts, a page of markup, XML that is no feed, or
            what Python prints.
    """
    head = source.head[_end(_OPENING, source.head) :]
    export = _EXPORT.match(head)
    if export:
        if export.group(1) not in _EXPORTS_OF_TWEETS:
            raise ArchiveError(
                f"{source.name} is the part {export.group(1)[:40]!r} of an X export: expected its tweets.js"
            )
        return "x"
    if ASSIGNMENT.match(head):
        return "x"
    if is_feed(head, source.name):
        return "feed"
    if _MARKUP.match(head) or head.startswith("{\\rtf") or (source.whole and _ELEMENT.fullmatch(head)):
        raise ArchiveError(
            f"{source.name} is a page of markup, beginning with {head[:40]!r}: expected {EXPECTED}; "
            "is it a message that stands for a download? (to read it as plain text say --format text)"
        )
    if _PYTHON.match(head):
        raise ArchiveError(
            f"{source.name} begins with {head[:40]!r}: so Python prints a dict, and JSON is expected; "
            "write it with json.dumps (to read it as plain text say --format text)"
        )
    if _is_array(head):
        return "json"
    if other := other_file(head):
        raise ArchiveError(f"{source.name} is {other}: expected outbox.json of Mastodon's export")
    if _OBJECT.match(head):
        return "jsonl" if _is_one_of_many(head, whole=source.whole) else "json"
    return _of_lines(source, head)


def _of_lines(source: Source, head: str) -> str:
    """What lines that begin like nothing else are: a table or a text.

    Raises:
        ArchiveError: objects of JSON follow, or nothing but ids.
    """
    if table_in(source.head, whole=source.whole):
        return "csv"
    first, *others = head.splitlines() or [""]
    others = [line for line in (others if source.whole else others[:-1]) if line.strip()][:_LOOKED_AT]
    if others and all(_ID_ALONE.fullmatch(line) for line in others):
        raise ArchiveError(
            f"{source.name} holds ids alone, such as {others[0].strip()[:40]!r}, and no texts: expected {EXPECTED}; "
            "have them looked up first (twarc hydrate; to read them as plain text say --format text)"
        )
    if 2 * sum(map(_is_object, others)) > len(others):
        raise ArchiveError(
            f"{source.name} begins with {first[:40]!r}, and objects of JSON follow, one a line: "
            "take out what is none (to read all of it as plain text say --format text)"
        )
    return "text"


def _records(source: Source, kind: str, split: str | None) -> tuple[Iterator[Record], tuple[str, ...]]:
    """The records of `source` as a file of that kind, and the names in its first row."""
    if kind == "text":
        return passages(source, "paragraph" if (split or split_in(source.head)) == "paragraph" else "line"), ()
    if kind == "csv":
        table = table_in(source.head, whole=source.whole, sure=True)
        if table is None:
            raise ArchiveError(f"no table in {source.name}: expected rows of cells under a header")
        return table_records(source, table), table.names
    if kind == "feed":
        return feed_records(source), ()
    start = _end(_OPENING, source.head)
    container = kind == "json" and source.head.startswith("{", start)
    return json_records(source, container=container), _first_names(source.head)


def _is_object(line: str) -> bool:
    if not line.lstrip().startswith("{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_array(head: str) -> bool:
    """Whether a JSON array begins here; "[Exit Hamlet]" is none, nor is "[1] See there"."""
    if _ARRAY.match(head):
        return True
    first = re.match(r"\[\s*(?:null\s*,\s*)*(?=[\[\"])", head)
    if not first:
        return False
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(head, first.end())
    except RecursionError:
        return True  # told as nested too deeply by who reads it
    except ValueError:
        return False
    return head[end:].lstrip()[:1] in (",", "]")


def _is_one_of_many(head: str, *, whole: bool) -> bool:
    """Whether the JSON object that begins here is a record of its own, rather than what holds an array of them."""
    try:
        first, end = json.JSONDecoder(strict=False).raw_decode(head)
    except (ValueError, RecursionError):
        # Too long for the head, or broken: a record unless it opens like a container.
        return not (_CONTAINER.match(head) or _goes_on_in_array(head))
    if head[end:].lstrip()[:1] == "{" or record_of(first).text is not None:
        return True
    by_id = any(name.isdecimal() and isinstance(value, dict) for name, value in first.items())
    return not by_id and not any(isinstance(first.get(name), list) for name in CONTAINERS)


def _goes_on_in_array(head: str) -> bool:
    """Whether the JSON object that begins here, and ends behind `head`, holds an array of tweets, or one that is longer
    than a tweet's can be.
    """
    at, decoder = 1, json.JSONDecoder(strict=False)
    while field := _FIELD.match(head, at):
        at = field.end()
        if head.startswith("[", at) and field.group(1) in CONTAINERS:
            return True
        try:
            _, at = decoder.raw_decode(head, at)
        except (ValueError, RecursionError):
            return head.startswith("[", at)
    return False


def _first_names(head: str) -> tuple[str, ...]:
    """The names in the first object of a JSON text; none where arrays hold it, which are no rows."""
    start = head.find("{")
    if head.count("[", 0, max(start, 0)) > 1:
        return ()
    try:
        first: dict[str, Any] = json.JSONDecoder(strict=False).raw_decode(head, start)[0] if start >= 0 else {}
    except (ValueError, RecursionError):
        return ()
    return tuple(str(name).encode("ascii", "replace").decode() for name in first)


def _end(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0
