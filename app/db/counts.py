"""Counts: how often somebody asked within a window of time, summed up over all web processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, case, delete
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from app.db.tables import counts


@dataclass(frozen=True)
class Count:
    """So many times under a key, in the window that ends then (seconds since 1970)."""

    key: bytes
    ends: float
    count: int


def add(connection: Connection, told: Sequence[Count], at: datetime) -> list[Count]:
    """Add to the counts; for each key its sum, in the window of whoever began it."""
    if not told:
        return []
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
    rows = [
        {"key": each.key, "ends_at": datetime.fromtimestamp(each.ends, UTC), "count": each.count}
        for each in sorted(told, key=lambda each: each.key)  # in a fixed order: nobody waits in a circle
    ]
    new = insert(counts).values(rows)
    is_over = counts.c.ends_at <= at
    summed = new.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "count": case((is_over, new.excluded.count), else_=counts.c.count + new.excluded.count),
            "ends_at": case((is_over, new.excluded.ends_at), else_=counts.c.ends_at),
        },
    ).returning(counts.c.key, counts.c.ends_at, counts.c.count)
    return [Count(bytes(key), ends_at.timestamp(), count) for key, ends_at, count in connection.execute(summed)]


def sweep(connection: Connection, at: datetime) -> None:
    """Drop the counts of windows that are over."""
    connection.execute(delete(counts).where(counts.c.ends_at <= at))
