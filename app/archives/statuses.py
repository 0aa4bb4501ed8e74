"""Statuses: an account's posts as Mastodon's API gives them, and what tools that ask it (mastodon-archive) save.

They are judged as an outbox is (`activities.py`): of what was not for everybody, or stood behind a warning, no word
goes on from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from app.archives.markup import plain
from app.archives.records import Record, address_id, handle_in

_PUBLIC = frozenset({"public", "unlisted"})
# A tool may have dropped some of these; rows with none are another's, whose texts are no HTML.
_OF_A_STATUS = frozenset(
    {"account", "spoiler_text", "reblog", "in_reply_to_id", "in_reply_to_account_id", "emojis", "media_attachments"}
)


def is_status(row: Mapping[str, Any]) -> bool:
    """Whether a row of JSON is a status rather than a post of another kind."""
    return "visibility" in row and "content" in row and not _OF_A_STATUS.isdisjoint(row)


def status_record(row: Mapping[str, Any]) -> Record:
    """The record in a status: of a public one its text; of a boost none, nor of what was not for every eye."""
    account = row["account"] if isinstance(row.get("account"), dict) else {}
    handle = _handle(account.get("acct") or account.get("username"))
    if row.get("reblog"):
        return Record("", handle=handle, reposted=True)
    if not isinstance(row["content"], str):
        return Record(None, handle=handle)
    if str(row["visibility"]) not in _PUBLIC:
        return Record("", handle=handle, private=True)
    if isinstance(warning := row.get("spoiler_text"), str) and warning.strip():
        return Record("", handle=handle, warned=True)
    answered, whom = row.get("in_reply_to_id"), row.get("in_reply_to_account_id")
    own = whom is not None and whom == account.get("id")
    return Record(
        plain(row["content"], _emoji(row.get("emojis"))),
        address_id(row.get("uri")) or address_id(row.get("url")),
        row["created_at"] if isinstance(row.get("created_at"), str) else None,
        handle,
        answered is not None,
        # A number is nobody's handle only with something before it.
        None if answered is None else handle if own else f"account {whom}",
    )


def _handle(acct: object) -> str | None:
    """The handle in an account's name, which has its server's behind it where that is another than was asked."""
    return handle_in(acct.partition("@")[0]) if isinstance(acct, str) else None


def _emoji(told: object) -> Set[str]:
    named = [each["shortcode"] for each in told if _has_shortcode(each)] if isinstance(told, list) else []
    return {f":{name}:" for name in named}


def _has_shortcode(each: object) -> bool:
    return isinstance(each, dict) and isinstance(each.get("shortcode"), str)
