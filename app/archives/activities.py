"""Activities: what a server of the Fediverse lists in an account's outbox.json (ActivityStreams 2.0; Mastodon's
export).

Public notes are the account's posts. Boosts are somebody else's, and what was sent to followers or to one person alone
is no text of the game: it goes on from here without its words.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.archives.records import Record, handle_in
from app.archives.sift import LONGEST

_PUBLIC = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})
_BREAK = re.compile(r"<br\s*/?>|</p>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_MOST_MARKED = 10 * LONGEST  # characters of a text with its markup; longer ones are too long whatever it is


def is_activity(row: Mapping[str, Any]) -> bool:
    """Whether a row of JSON is an activity rather than a post."""
    return isinstance(row.get("actor"), str) and isinstance(row.get("type"), str) and "object" in row


def activity_record(row: Mapping[str, Any]) -> Record:
    """The record in an activity: of a public note its text; of a boost none, and of what was not public."""
    handle = handle_in(row["actor"].rstrip("/").rpartition("/")[2])
    note = row["object"]
    if row["type"] == "Announce":
        return Record("", handle=handle, reposted=True)
    if row["type"] != "Create" or not isinstance(note, dict) or not isinstance(note.get("content"), str):
        return Record(None, handle=handle)
    if not _PUBLIC & {*_addressees(note), *_addressees(row)}:
        return Record("", handle=handle, private=True)
    return Record(
        plain(note["content"]),
        _id(note.get("id")),
        note.get("published") if isinstance(note.get("published"), str) else None,
        handle,
        isinstance(note.get("inReplyTo"), str),
    )


def plain(content: str) -> str:
    """A note's HTML as the text that is read."""
    if len(content) > _MOST_MARKED:
        return content
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", content))).strip()


def _addressees(held: Mapping[str, Any]) -> Iterator[str]:
    for name in ("to", "cc"):
        found = held.get(name)
        yield from (who for who in (found if isinstance(found, list) else [found]) if isinstance(who, str))


def _id(address: object) -> str | None:
    """A post's address, shortened to its server and its number: digits alone would be a tweet's."""
    parts = address.split("/") if isinstance(address, str) else []
    known = f"{parts[2]}/{parts[-1]}" if len(parts) > 3 and parts[-1] else ""
    return known if known and len(known) <= 60 and known.isprintable() else None
