"""Seats: where a player stands in each archive."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select

from app.db.prepared import Prepared
from app.db.tables import players, seats
from app.db.upserts import replace


class SeatRow(NamedTuple):
    """A row of `seats`; what each column means stands there."""

    player_id: int
    archive_id: int
    mode: str
    position: int
    again: int
    stamp: int
    next_stamp: int
    guesses: int
    spotted: int
    streak: int
    best_streak: int
    skill: float | None = None
    next_skill: float | None = None


class Standing(NamedTuple):
    """A known player and, once they guessed in that archive, their seat there."""

    player_id: int
    seat: SeatRow | None


_CHANGING = (
    *("position", "again", "stamp", "next_stamp", "guesses", "spotted", "streak", "best_streak"),
    *("skill", "next_skill"),
)
_SEAT = [seats.c[name] for name in SeatRow._fields]
_STANDING = Prepared(
    select(players.c.id, *_SEAT)
    .select_from(
        players.outerjoin(
            seats,
            (seats.c.player_id == players.c.id)
            & (seats.c.archive_id == bindparam("archive"))
            & (seats.c.mode == bindparam("mode")),
        )
    )
    .where(players.c.key == bindparam("key"))
)


def standing(connection: Connection, key: bytes, archive_id: int, mode: str) -> Standing | None:
    """Where the player with that key stands; None if no guess of theirs was ever recorded."""
    for player_id, *seat in _STANDING.rows(connection, key=key, archive=archive_id, mode=mode):
        return Standing(player_id, None if seat[0] is None else SeatRow(*seat))
    return None


def turns(connection: Connection, key: bytes, archive_id: int) -> tuple[int, int, tuple[int, int]]:
    """How many endless rounds the player with that key answered in all archives, in how many they spotted the tweet,
    and the place (and, among repeats, the place) that they are to answer next in one of them.
    """
    query = (
        select(seats.c.archive_id, seats.c.guesses, seats.c.spotted, seats.c.position, seats.c.again)
        .join(players, players.c.id == seats.c.player_id)
        .where(players.c.key == key, seats.c.mode == "endless")
    )
    rows = connection.execute(query).all()
    due = next(((row.position, row.again) for row in rows if row.archive_id == archive_id), (0, 0))
    return sum(row.guesses for row in rows), sum(row.spotted for row in rows), due


_PLACE = (seats.c.player_id, seats.c.archive_id, seats.c.mode)
_LOCKED = Prepared(select(*_SEAT).order_by(*_PLACE).with_for_update(), among=("places", _PLACE))


def locked(connection: Connection, wanted: Collection[tuple[int, int, str]]) -> dict[tuple[int, int, str], SeatRow]:
    """The seats with those (player, archive, mode), locked in a fixed order until the transaction ends."""
    rows = [SeatRow(*row) for row in _LOCKED.rows(connection, places=list(wanted))]
    return {(row.player_id, row.archive_id, row.mode): row for row in rows}


def of_player(connection: Connection, player_id: int) -> list[SeatRow]:
    """All seats of a player."""
    query = select(*_SEAT).where(seats.c.player_id == player_id).order_by(seats.c.archive_id, seats.c.mode)
    return [SeatRow(*row) for row in connection.execute(query)]


def keep(connection: Connection, rows: Collection[SeatRow]) -> None:
    """Write seats, new or changed, in a fixed order."""
    ordered: list[Mapping[str, Any]] = [
        row._asdict() for row in sorted(rows, key=lambda row: (row.player_id, row.archive_id, row.mode))
    ]
    replace(connection, seats, ("player_id", "archive_id", "mode"), _CHANGING, ordered)
