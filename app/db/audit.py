"""The audit: every change that a person made, with what was before and after; nothing in it is ever changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from app.db.tables import audit

_PAGE = 500


@dataclass(frozen=True)
class Change:
    """What somebody changed."""

    what: str  # such as "sample hidden"
    subject: str  # such as "mayor sample 12"
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True)
class Entry:
    """A row of `audit`."""

    id: int
    at: datetime
    who: str
    what: str
    subject: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    reason: str | None


def note(connection: Connection, who: str, change: Change, at: datetime) -> None:
    """Keep a change; to be called in the transaction that makes it, or before the first of many."""
    row = {
        "at": at,
        "who": who,
        "what": change.what,
        "subject": change.subject[:200],
        "before": dict(change.before),
        "after": dict(change.after),
        "reason": change.reason or None,
    }
    connection.execute(insert(audit).values(row))


def page(connection: Connection, *, before_id: int | None = None, who: str = "", limit: int = 50) -> list[Entry]:
    """The newest changes first, of those before `before_id`."""
    query = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(audit.c.id < before_id)
    if who:
        query = query.where(audit.c.who == who)
    return [Entry(**row._asdict()) for row in connection.execute(query)]


def following(connection: Connection, after_id: int = 0) -> list[Entry]:
    """The oldest changes first, of those behind `after_id`: a page of them."""
    query = select(audit).where(audit.c.id > after_id).order_by(audit.c.id).limit(_PAGE)
    return [Entry(**row._asdict()) for row in connection.execute(query)]
