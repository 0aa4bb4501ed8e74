"""Forgetting, the longer part: a player's guesses move to a fresh id that leads nowhere, or go; the player's row goes.

What leads from a person to the guesses was cut at once, when they asked (`players.forget`). This is the rest: the id
under which the guesses stood is in frozen sets of labels, in the audit and in logs, and must lead nowhere either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Connection, Table, delete, insert, select, update

from app.db import rollups
from app.db.players import new_key
from app.db.rollups import LabelKey, day_of
from app.db.tables import guesses, holds, label_sets, labels, metadata, players, set_players

BATCH = 500  # guesses that one transaction moves


def is_there(connection: Connection, player_id: int) -> bool:
    """Whether the row of a player who asked to be forgotten is still there.

    It says of no guess when it was made (`players.forget`); one that does is of a newcomer, to whom SQLite gave the
    number of somebody who is gone.
    """
    own = select(players.c.id).where(players.c.id == player_id, players.c.last_guess_at.is_(None))
    return connection.execute(own).first() is not None


def is_free(connection: Connection, player_id: int) -> bool:
    """Whether no player has that number."""
    return connection.execute(select(players.c.id).where(players.c.id == player_id)).first() is None


def fresh_id(connection: Connection, player_id: int, at: datetime) -> int:
    """A player whom nobody is, to take over the guesses of one who is forgotten; made today, whoever it was before."""
    row = connection.execute(select(players.c.simulated, players.c.retracted_at).where(players.c.id == player_id)).one()
    values = {
        "key": new_key(),
        "simulated": row.simulated,
        "retracted_at": at if row.retracted_at is not None else None,
        "created_at": at.replace(hour=0, minute=0, second=0, microsecond=0),
    }
    return int(connection.execute(insert(players).values(values).returning(players.c.id)).scalar_one())


def set_ids(connection: Connection) -> list[int]:
    """All frozen sets of labels, whether their file is still there or not."""
    return list(connection.scalars(select(label_sets.c.id).order_by(label_sets.c.id)))


def amend_set(
    connection: Connection, set_id: int, file_key: str, sha256: str, lines: int, why: str, at: datetime
) -> bool:
    """Note that a frozen set is another file now, with another SHA-256, and why; False where it is gone."""
    query = select(label_sets.c.sha256, label_sets.c.amendments).where(label_sets.c.id == set_id)
    before = connection.execute(query.with_for_update()).first()
    if before is None:
        return False
    change = {"at": at.isoformat(), "why": why, "lines": lines, "before": before.sha256, "after": sha256}
    values = {"file_key": file_key, "sha256": sha256, "amendments": [*before.amendments, change]}
    connection.execute(update(label_sets).where(label_sets.c.id == set_id).values(values))
    return True


def move_some(connection: Connection, player_id: int, fresh: int) -> int:
    """Move the next guesses of a player to the fresh id; how many, 0 when none is left."""
    some = _some(connection, player_id)
    if some:
        connection.execute(update(guesses).where(guesses.c.id.in_(some)).values(player_id=fresh))
    return len(some)


def drop_some(connection: Connection, player_id: int) -> int:
    """Remove the next guesses of a player with all that hangs on them; how many, 0 when none is left.

    Counters of cards, days and generators stay: they name nobody.
    """
    some = _some(connection, player_id)
    if not some:
        return 0
    query = select(guesses.c.archive_id, guesses.c.guessed_at, labels.c.status, labels.c.reason)
    query = query.join(labels, labels.c.guess_id == guesses.c.id).where(guesses.c.id.in_(some))
    gone = Counter(
        LabelKey(row.archive_id, day_of(row.guessed_at), row.status, row.reason or "")
        for row in connection.execute(query)
    )
    rollups.count_labels(connection, {key: -count for key, count in gone.items()})
    for table, column in pointing_at(guesses):
        connection.execute(delete(table).where(column.in_(some)))
    connection.execute(delete(guesses).where(guesses.c.id.in_(some)))
    return len(some)


def name_in_sets(connection: Connection, player_id: int, fresh: int | None) -> None:
    """Let the tables say of the fresh id, or of nobody, that sets of labels hold something of theirs."""
    here = set_players.c.player_id == player_id
    connection.execute(
        delete(set_players).where(here) if fresh is None else update(set_players).where(here).values(player_id=fresh)
    )


def close(connection: Connection, player_id: int, fresh: int | None) -> None:
    """Remove the player's row, and what is kept by the player: places, scores, seats.

    That labels wait in quarantine goes over to the fresh id.
    """
    if fresh is not None:
        connection.execute(update(holds).where(holds.c.player_id == player_id).values(player_id=fresh))
    for table, column in pointing_at(players):
        if table is guesses:
            continue
        if column.nullable:
            connection.execute(update(table).where(column == player_id).values({column: None}))
        else:
            connection.execute(delete(table).where(column == player_id))
    connection.execute(delete(players).where(players.c.id == player_id))


def _some(connection: Connection, player_id: int) -> Sequence[int]:
    query = select(guesses.c.id).where(guesses.c.player_id == player_id).order_by(guesses.c.id).limit(BATCH)
    return list(connection.scalars(query))


def pointing_at(target: Table) -> list[tuple[Table, Column[int]]]:
    """Every column of the schema that names a row of `target`: a table that comes later is not left out."""
    return [
        (table, column)
        for table in metadata.sorted_tables
        for column in table.c
        if any(key.column.table is target for key in column.foreign_keys)
    ]
