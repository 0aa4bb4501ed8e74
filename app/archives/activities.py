"""Activities: what a server of the Fediverse lists in an account's outbox.json (ActivityStreams 2.0; Mastodon's
export).

Public notes are the account's posts. Boosts are somebody else's; what was sent to followers or to one person alone, and
what stood behind a warning, is no text of the game: it goes on from here without its words.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

from app.archives.records import Record, handle_in
from app.archives.sift import LONGEST

_PUBLIC = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})
_OF_FEDIVERSE = re.compile(r'\{\s*"@context"')
_LISTED = re.compile(r'"orderedItems"\s*:\s*(\[\s*")?')
_ACCOUNTS = frozenset({"Person", "Service", "Application", "Group", "Organization"})
_BREAK = re.compile(r"(?:<(?:br|/?(?:p|div|ul|ol|li|blockquote|pre|h[1-6]))\b[^<>]*>\s*)+", re.IGNORECASE)
# What Mastodon puts before a quoting post, for programs that show no quotes: not the account's words.
_QUOTED = re.compile(r"\s*<p [^<>]{0,200}\bquote-inline\b[^<>]{0,200}>.*?</p>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_SHORTCODE = re.compile(r"[ \u00a0]?(?<![\w:])(:\w{1,60}:)(?![\w:])")
_MOST_MARKED = 10 * LONGEST  # characters of a text with its markup; longer ones are too long whatever it is


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


def plain(content: str, emoji: Set[str] = frozenset()) -> str:
    """A note's HTML as the text that is read, without its server's own `emoji`, which are pictures, such as :boat:."""
    if len(content) > _MOST_MARKED:
        return content
    own = content[found.end() :] if (found := _QUOTED.match(content)) else content
    text = html.unescape(_TAG.sub("", _BREAK.sub("\n", own)))
    return (_SHORTCODE.sub(lambda found: "" if found[1] in emoji else found[0], text) if emoji else text).strip()


def address_id(address: object) -> str | None:
    """A post's address, shortened to its server and its number: digits alone would be a tweet's."""
    parts = address.split("/") if isinstance(address, str) else []
    known = f"{parts[2]}/{parts[-1]}" if len(parts) > 3 and parts[-1] else ""
    return known if known and len(known) <= 60 and known.isprintable() else None


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
