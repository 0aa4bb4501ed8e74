"""Elements of JSON: the records in one, however a tool wrapped them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.archives.activities import activity_record, is_activity
from app.archives.markup import unmarked
from app.archives.records import Layout, Record, handle_in, layout_of, record_from
from app.archives.statuses import is_status, status_record

# Under these names an object may hold the array of its tweets.
CONTAINERS = frozenset(
    {"data", "tweets", "statuses", "results", "items", "records", "posts", "timeline", "orderedItems", "feed"}
)

_WRAPPERS = ("tweet", "legacy", "status")  # hold the tweet, whatever stands beside
_ENVELOPES = ("data", "_json", "post", "record", "value")  # hold it where nothing beside is a text
_MOST_WRAPPED = 3
_LONGER = (
    ("extended_tweet", "full_text"),
    ("note_tweet", "text"),
    ("note_tweet", "note_tweet_results", "result", "text"),
)
_POSTERS = tuple(("core", "user_results", "result", held, "screen_name") for held in ("legacy", "core"))  # pages of X


def records_in(element: object) -> list[Record]:
    """The records in one element: of a page of answers as an API gives them, all of its rows."""
    if not isinstance(element, dict):
        return [record_of(element)]
    names = names_in(element.get("includes"))
    record = record_of({**element, "data": signed(element["data"], names)} if names and "data" in element else element)
    if record.text is None:
        rows = [row for name in CONTAINERS & element.keys() for row in _listed(element[name])]
        if rows:
            return [record_of(signed(row, names)) for row in rows]
    return [record]


def names_in(includes: object) -> dict[str, str]:
    """The handles of those whom an answer of the API of X includes, by their ids."""
    users = _listed(includes.get("users")) if isinstance(includes, dict) else []
    return {
        str(user.get("id")): handle
        for user in users
        if isinstance(user, dict) and (handle := handle_in(user.get("username")))
    }


def is_unsigned(row: object) -> bool:
    """Whether a row of the API of X names its author by a number alone."""
    return isinstance(row, dict) and "author_id" in row and "author" not in row


def signed(row: Any, names: Mapping[str, str]) -> Any:
    """The row with its author's handle, where `names` tells it."""
    if not is_unsigned(row) or str(row["author_id"]) not in names:
        return row
    return {**row, "author": {"username": names[str(row["author_id"])]}}


def record_of(row: object) -> Record:
    """The record in one row; without a text where there is none."""
    if isinstance(row, str):
        return Record(row)
    if not isinstance(row, dict):
        return Record(None)
    if is_activity(row):
        return activity_record(row)
    held, layout = _unwrapped(row)
    fields = held[0]
    if is_status(fields):
        return status_record(fields)
    record = unmarked(record_from(fields, layout))
    if longer := next(filter(None, map(_longer, held)), None):
        record = record._replace(text=longer)
    if record.handle is None:
        record = record._replace(handle=next(filter(None, map(_poster, held)), None))
    if not record.in_reply and _answers(fields):
        record = record._replace(in_reply=True)
    return record._replace(reposted=True) if _is_repost(row) else record


def _unwrapped(row: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], Layout]:
    """The tweet itself and what it is wrapped in, from the inside out; and the tweet's layout."""
    held, layout = [row], layout_of(tuple(row))
    for _ in range(_MOST_WRAPPED):
        names = _WRAPPERS if layout.text else _WRAPPERS + _ENVELOPES
        inner = next((row[name] for name in names if isinstance(row.get(name), dict)), None)
        if inner is None:
            break
        row, layout = inner, layout_of(tuple(inner))
        held.insert(0, row)
    return held, layout


def _longer(held: Mapping[str, Any]) -> str | None:
    """The whole of a text that was too long for its field."""
    return next((text for path in _LONGER if path[0] in held and (text := _at(held, path))), None)


def _poster(fields: Mapping[str, Any]) -> str | None:
    user = fields.get("user") or fields.get("author")
    if not isinstance(user, dict):
        return next((handle for path in _POSTERS if (handle := handle_in(_at(fields, path)))), None)
    return next((handle for name in layout_of(tuple(user)).handle if (handle := handle_in(user[name]))), None)


def _answers(fields: Mapping[str, Any]) -> bool:
    """Whether it answers another, where no column of its own says so (API of X, Bluesky)."""
    references = _listed(fields.get("referenced_tweets"))
    return isinstance(fields.get("reply"), dict) or any(
        isinstance(reference, dict) and reference.get("type") == "replied_to" for reference in references
    )


def _is_repost(row: Mapping[str, Any]) -> bool:
    """Whether a feed of Bluesky shows somebody else's post there."""
    return "reason" in row and str(_at(row, ("reason", "$type"))).endswith("Repost")


def _at(held: object, path: tuple[str, ...]) -> str | None:
    """The words at the end of a path of names."""
    for name in path:
        held = held.get(name) if isinstance(held, dict) else None
    return held if isinstance(held, str) else None


def _listed(found: object) -> list[Any]:
    return found if isinstance(found, list) else []
