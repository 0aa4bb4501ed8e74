"""Activities: what a server of the Fediverse lists in an account's outbox.json (ActivityStreams 2.0; Mastodon's
export).

Public notes are the account's posts. Boosts are somebody else's; what was sent to followers or to one person alone, and
what stood behind a warning, is no text of the game: it goes on from here without its words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

from app.archives.markup import plain
from app.archives.records import Record, address_id, handle_in

_PUBLIC = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})
_OF_FEDIVERSE = re.compile(r'\{\s*"@context"')
_LISTED = re.compile(r'"orderedItems"\s*:\s*(\[\s*")?')
_ACCOUNTS = frozenset({"Person", "Service", "Application", "Group", "Organization"})


def other_file(head: str) -> str | None:
    """What a file that begins like this is, where it comes from the Fediverse and holds no posts; None: it may."""
    if not _OF_FEDIVERSE.match(head):
        return None
    try:
        first: dict[str, Any] = json.JSONDecoder(strict=False).raw_decode(head)[0]
    except (ValueError, RecursionError):  # longer than the head, as the lists alone are, or broken
        listed = _LISTED.search(head)
        first = {"orderedItems": [""]} if listed and listed[1] else {}
    items = first.get("orderedItems")
    if isinstance(items, list) and items and isinstance(items[0], str):
        return "a list of addresses (likes.json and bookmarks.json are)"
    if first.get("type") == "OrderedCollection" and items is None:
        return "the front page of an outbox, without its posts"
    kind = first.get("type")
    return "the description of an account (actor.json)" if isinstance(kind, str) and kind in _ACCOUNTS else None


def is_activity(row: Mapping[str, Any]) -> bool:
    """Whether a row of JSON is an activity, or the note that one would hold, rather than a post of another kind."""
    named = isinstance(row.get("actor"), str) and isinstance(row.get("type"), str) and "object" in row
    return named or _is_note(row)


def activity_record(row: Mapping[str, Any]) -> Record:
    """The record in an activity: of a public note its text; of a boost none, nor of what was not for every eye."""
    if _is_note(row):
        row = {"type": "Create", "actor": row["attributedTo"], "object": row}
    actor, note = row["actor"].rstrip("/"), row["object"]
    handle = _handle(actor)
    if row["type"] == "Announce":
        return Record("", handle=handle, reposted=True)
    if row["type"] != "Create" or not isinstance(note, dict) or not isinstance(note.get("content"), str):
        return Record(None, handle=handle)
    # The note's own word comes first: where the two differ, the narrower of them may be the one that was meant.
    if not _PUBLIC & ({*_addressees(note)} or {*_addressees(row)}):
        return Record("", handle=handle, private=True)
    if isinstance(writer := note.get("attributedTo"), str) and writer.rstrip("/") != actor:
        return Record("", handle=handle, reposted=True)
    if isinstance(warning := note.get("summary"), str) and warning.strip():
        return Record("", handle=handle, warned=True)
    answered = note.get("inReplyTo") if isinstance(note.get("inReplyTo"), str) else None
    return Record(
        plain(note["content"], _emoji(note.get("tag"))),
        address_id(note.get("id")),
        note.get("published") if isinstance(note.get("published"), str) else None,
        handle,
        answered is not None,
        handle if answered is not None and answered.startswith(f"{actor}/") else answered,
    )


def _emoji(tags: object) -> Set[str]:
    named = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    return {tag["name"] for tag in named if tag.get("type") == "Emoji" and isinstance(tag.get("name"), str)}


def _is_note(row: Mapping[str, Any]) -> bool:
    return row.get("type") in ("Note", "Question") and isinstance(row.get("attributedTo"), str) and "content" in row


def _handle(actor: str) -> str | None:
    """The handle in an account's address; since Mastodon 4.5 that may end in a number, which nobody is called by."""
    before, _, last = actor.rpartition("/")
    return None if before.endswith("/ap/users") else handle_in(last)


def _addressees(held: Mapping[str, Any]) -> Iterator[str]:
    for name in ("to", "cc"):
        found = held.get(name)
        yield from (who for who in (found if isinstance(found, list) else [found]) if isinstance(who, str))
