"""Retention: raw guesses that are older than an operator keeps them go, in small batches; what was counted stays."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile

from sqlalchemy import Connection, delete, func, select

from app.db.removals import OF_GUESSES
from app.db.tables import guesses

BATCH = 500  # guesses of one transaction


def drop(connection: Connection, before: datetime, to_come: datetime) -> int:
    """Remove some of the oldest guesses that were made before that moment, with their labels and remarks; how many.

    Those of a clock that was ahead, from after `to_come`, hold up no other; they go when their own time has come. (They
    are not removed: all others would look like them to a clock that is set back.)

    Seats, scores, tallies and frozen sets of labels keep what they say. A round that was guessed at is then answered
    as one that has expired: guesses must be kept for longer than rounds live.
    """
    query = select(guesses.c.id, guesses.c.guessed_at).order_by(guesses.c.id).limit(BATCH)
    query = query.where(guesses.c.guessed_at <= to_come)
    if connection.dialect.name == "sqlite":
        # SQLite numbers the next row by the newest. Numbered from 1 again, guesses would come before those that were
        # learned from, and that canaries and marks of networks are looked at from.
        query = query.where(guesses.c.id < select(func.max(guesses.c.id)).scalar_subquery())
    oldest = connection.execute(query)
    old = [row.id for row in takewhile(lambda row: row.guessed_at < before, oldest)]
    if old:
        for table in OF_GUESSES:
            connection.execute(delete(table).where(table.c.guess_id.in_(old)))
        connection.execute(delete(guesses).where(guesses.c.id.in_(old)))
    return len(old)
