"""Imports: runs that add tweets to an archive, invisible until one last flip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from app.db.tables import archives, imports, tweets

BATCH = 500  # rows of one write transaction at most, so that it stays well under 50 ms


@dataclass(frozen=True)
class Outcome:
    """What an import did."""

    read: int
    added: int
    left_out: Mapping[str, int]  # reason -> rows
    deck_from: int  # deck_seq of its first deck card
    deck_to: int  # one past its last


def begin(connection: Connection, archive_id: int, *, source: str, format: str, at: datetime) -> int:
    """Open an import of the file named `source`; its id."""
    row = {
        "archive_id": archive_id,
        "source": source,
        "format": format,
        "state": "running",
        "read": 0,
        "added": 0,
        "left_out": {},
        "started_at": at,
    }
    return int(connection.execute(insert(imports).values(row).returning(imports.c.id)).scalar_one())


def finish(connection: Connection, import_id: int, outcome: Outcome, at: datetime) -> None:
    """The flip: all that the import added is there at once, and its archive's deals go by a new stamp."""
    archive_id = connection.execute(
        update(imports)
        .where(imports.c.id == import_id)
        .values(
            state="done",
            read=outcome.read,
            added=outcome.added,
            left_out=dict(outcome.left_out),
            deck_from=outcome.deck_from,
            deck_to=outcome.deck_to,
            finished_at=at,
        )
        .returning(imports.c.archive_id)
    ).scalar_one()
    if outcome.added:
        connection.execute(update(archives).where(archives.c.id == archive_id).values(stamp=archives.c.stamp + 1))


def fail(connection: Connection, import_id: int, at: datetime) -> None:
    """Close an import that added nothing."""
    connection.execute(update(imports).where(imports.c.id == import_id).values(state="failed", finished_at=at))


def abandoned(connection: Connection, archive_id: int) -> list[int]:
    """Imports that did not come to their end: killed, or at work now."""
    running = select(imports.c.id).where(imports.c.archive_id == archive_id, imports.c.state == "running")
    return list(connection.scalars(running))


def remove_batch(connection: Connection, import_id: int) -> int:
    """Delete some of the tweets that an unfinished import wrote; how many, 0 when none were left."""
    batch = select(tweets.c.id).where(tweets.c.import_id == import_id).limit(BATCH)
    return connection.execute(delete(tweets).where(tweets.c.id.in_(batch))).rowcount


def deck_end(connection: Connection, archive_id: int) -> int:
    """One past the last place of the archive's deck."""
    end = select(func.max(imports.c.deck_to)).where(imports.c.archive_id == archive_id, imports.c.state == "done")
    return connection.execute(end).scalar() or 0
