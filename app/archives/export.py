"""The zip of an export as X (before: Twitter) sends it, read where it lies: nothing is unpacked to the disk.

Of a new export the tweets are read, those to communities too (everybody sees them), the long texts that they were cut
from, and the handle; of one before 2019 the months, or else its table. Nothing else in it is opened: no messages, no
deleted tweets, no media. Of Mastodon's export the outbox is read, and the handle; of a zip that holds one file that
file, as sites for data sets pack them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from app.archives import ArchiveError
from app.archives.formats import Reading, open_records
from app.archives.json_records import ASSIGNMENT, json_rows
from app.archives.records import Record
from app.archives.source import Source
from app.archives.tarred import OUTBOX
from app.archives.zipped import check, guarded, open_member, open_zip, read_member

MOST_ACCOUNT = 1 << 20  # bytes of the file that names the account
MOST_LONG_TEXTS = 200_000
SHARED = 100  # characters in which a tweet that was cut and its long text agree

_TWEETS = re.compile(r"(?:.*/)?data/(?:community-)?tweets?(?:-part\d+)?\.js")
_MONTHS = re.compile(r"(?:.*/)?data/js/tweets/\d{4}_\d{2}\.js")
_TABLE = re.compile(r"(?:[^/]*/)?tweets\.csv")
# The folder data alone, or what is in it.
_PACKED_ANEW = re.compile(r"(?:[^/]*/)?(?:community-)?tweets?(?:-part\d+)?\.js")
_KINDS = (_TWEETS, _MONTHS, _TABLE, OUTBOX, _PACKED_ANEW)
_ASIDE = re.compile(r"__MACOSX/.*|(?:.*/)?\.[^/]*")  # what systems put beside the files of a person
_LONG_TEXTS = re.compile(r"(?:(?:.*/)?data/|[^/]*/)?note-tweet(?:-part\d+)?\.js")
_ACCOUNT = re.compile(r"(?:(?:.*/)?data/|[^/]*/)?(?:account|js/user_details)\.js|(?:[^/]*/)?actor\.json")
_NAMES = ("username", "screen_name", "preferredUsername")
_NUMBER = re.compile(r"\d+")
_SPACE = re.compile(r"\s+")
_CUT = re.compile(r"\s*(?:…|\.\.\.)?\s*(?:https?://\S+)?\s*$")


@dataclass
class Export:
    """A zip that is being read.

    Attributes:
        name: the zip's.
        size: bytes of all that will be read, unpacked.
        reading: its records, file after file.
    """

    name: str
    size: int
    reading: Reading
    read_before: int = 0  # bytes of the files that are done
    at: Source | None = None  # the file that is being read

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, unpacked."""
        return self.read_before + (self.at.bytes_read if self.at else 0)


@contextmanager
def open_export(path: Path, encoding_errors: str = "strict") -> Iterator[Export]:
    """The export in the zip at `path`, open while the block runs.

    Raises:
        ArchiveError: it is damaged, locked or swollen, or holds no tweets.
    """
    with open_zip(path) as packed:
        members = _wanted(packed, path.name)
        first = open_records(open_member(packed, members[0], encoding_errors))
        export = Export(path.name, sum(member.file_size for member in members), first)
        rows = guarded(_rows(packed, members, export, encoding_errors), path.name)
        handle, long_texts = _handle(packed, path.name), _long_texts(packed, path.name)
        records = (_completed(record, handle, long_texts) for record in rows)
        export.reading = Reading(first.format, first.unit, False, records, path.name, first.found)
        yield export


def _rows(packed: ZipFile, members: Sequence[ZipInfo], export: Export, encoding_errors: str) -> Iterator[Record]:
    for member in members:
        export.at = open_member(packed, member, encoding_errors)
        yield from open_records(export.at).records
        export.read_before, export.at = export.read_before + member.file_size, None


def _wanted(packed: ZipFile, name: str) -> list[ZipInfo]:
    """The files of tweets, in the order of their numbers: of the first kind that is there, or the only file."""
    members = packed.infolist()
    for kind in _KINDS:
        found = [member for member in members if member.file_size and kind.fullmatch(member.filename)]
        if found:
            check(found, name)
            return sorted(found, key=lambda member: [int(number) for number in _NUMBER.findall(member.filename)])
    if any(member.filename.startswith("xl/") for member in members):
        raise ArchiveError(f"{name} is a spreadsheet: expected a table as text; save it as CSV (UTF-8)")
    files = [each for each in members if each.file_size and not _ASIDE.fullmatch(each.filename)]
    if len(files) == 1:
        check(files, name)
        return files
    inside = ", ".join(sorted({member.filename.split("/")[0] for member in members})[:5]) or "nothing"
    raise ArchiveError(
        f"no tweets in {name}: expected an export of X or Twitter with data/tweets.js, data/js/tweets or tweets.csv,"
        f" Mastodon's outbox.json, or one file alone; found {inside[:200]}; unpack it and import the file of tweets"
    )


def _handle(packed: ZipFile, name: str) -> str | None:
    """The account's handle, where a file tells it."""
    for member in packed.infolist():
        if _ACCOUNT.fullmatch(member.filename) and member.file_size <= MOST_ACCOUNT:
            check([member], name)
            text = read_member(packed, member).decode("utf-8-sig", "replace").strip()
            found = ASSIGNMENT.match(text)
            try:
                return _handle_in(json.loads(text[found.end() if found else 0 :].rstrip("; \n")))
            except (ValueError, RecursionError):
                return None
    return None


def _handle_in(told: object) -> str | None:
    row = told[0] if isinstance(told, list) and told else told
    fields = row.get("account", row) if isinstance(row, dict) else None
    handle = next((fields[name] for name in _NAMES if fields.get(name)), None) if isinstance(fields, dict) else None
    return handle if isinstance(handle, str) and re.fullmatch(r"\w{1,30}", handle) else None


def _long_texts(packed: ZipFile, name: str) -> Mapping[str, str]:
    """Texts that were too long for the row of a tweet, by their beginning."""
    members = [member for member in packed.infolist() if member.file_size and _LONG_TEXTS.fullmatch(member.filename)]
    check(members, name)
    found: dict[str, str] = {}
    for member in members:
        for row in guarded(json_rows(open_member(packed, member, "replace")), name):
            text = _long_text(row)
            if text is not None and len(_plain(text)) > SHARED and len(found) < MOST_LONG_TEXTS:
                found[_plain(text)[:SHARED]] = text
    return found


def _long_text(row: object) -> str | None:
    for name in ("noteTweet", "core", "text"):
        row = row.get(name) if isinstance(row, dict) else None
    return row if isinstance(row, str) else None


def _completed(record: Record, handle: str | None, long_texts: Mapping[str, str]) -> Record:
    if record.handle is None and handle is not None:
        record = record._replace(handle=handle)
    if not long_texts or record.text is None or len(record.text) <= SHARED:
        return record
    # Spaces are single by then: among many the pattern would look for its end for ever.
    cut = _CUT.sub("", _plain(record.text))
    longer = long_texts.get(cut[:SHARED])
    # Two long tweets may begin alike: all that the row holds must be the beginning.
    return record._replace(text=longer) if longer is not None and _plain(longer).startswith(cut) else record


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")).strip()
