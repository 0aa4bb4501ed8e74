"""Screenings: the guesses that players are screened by, who is held and who was cleared, and what was found when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from app.db.labels import of_crowds
from app.db.tables import guesses, holds, labels, players, samples, screenings

_PAGE = 5000  # rows fetched at once


@dataclass(frozen=True)
class Round:
    """A guess that players are screened by."""

    player_id: int
    sample_id: int
    tweet_id: int
    tweet_index: int
    pick: int
    network: bytes | None


def rounds(
    connection: Connection, archive_id: int, learn_from: Collection[str], *, up_to: int, most: int
) -> list[Round]:
    """The newest guesses that teach, or would if their player were not held; the oldest first.

    Labels that an admin spoke on count as the admin said; those taken back do not count.
    """
    teaches = or_(
        (labels.c.ruled_status == "accepted") & labels.c.decided_by.in_(("rules", "screen")),
        (labels.c.status == "accepted") & (labels.c.decided_by == "admin"),
    )
    columns = (guesses.c.player_id, guesses.c.sample_id, guesses.c.tweet_id, guesses.c.tweet_index, guesses.c.pick)
    query = (
        select(*columns, guesses.c.network)
        .join(labels, labels.c.guess_id == guesses.c.id)
        .join(players, players.c.id == guesses.c.player_id)
        .where(guesses.c.archive_id == archive_id, guesses.c.id <= up_to, teaches, of_crowds(learn_from))
        .order_by(guesses.c.id.desc())
        .limit(most)
    )
    found = [Round(*row) for row in connection.execute(query, execution_options={"yield_per": _PAGE})]
    return found[::-1]


def texts(connection: Connection, archive_id: int, sample_ids: Collection[int]) -> dict[int, str]:
    """The texts of an archive's samples."""
    query = select(samples.c.id, samples.c.text).where(samples.c.archive_id == archive_id)
    wanted = set(sample_ids)
    return {sample_id: text for sample_id, text in connection.execute(query) if sample_id in wanted}


def held(connection: Connection, archive_id: int) -> dict[int, str]:
    """Players whose labels wait in quarantine in an archive, with the reason."""
    query = select(holds.c.player_id, holds.c.reason).where(
        holds.c.archive_id == archive_id, holds.c.cleared_at.is_(None)
    )
    return {player_id: reason for player_id, reason in connection.execute(query)}


def hold(
    connection: Connection, archive_id: int, player_id: int, reason: str, figures: Mapping[str, Any], at: datetime
) -> None:
    """Note that a player's labels wait from now on; where they do already, what shows it now."""
    values = {"reason": reason, "figures": dict(figures)}
    still = (holds.c.archive_id == archive_id, holds.c.player_id == player_id, holds.c.cleared_at.is_(None))
    if connection.execute(update(holds).where(*still).values(values)).rowcount == 0:
        row = values | {"archive_id": archive_id, "player_id": player_id, "since": at}
        connection.execute(insert(holds).values(row))


def clear(connection: Connection, archive_id: int, player_id: int, at: datetime) -> None:
    """Note that a player's labels wait no more."""
    connection.execute(
        update(holds)
        .where(holds.c.archive_id == archive_id, holds.c.player_id == player_id, holds.c.cleared_at.is_(None))
        .values(cleared_at=at)
    )


def of_player(connection: Connection, player_id: int) -> list[Row[Any]]:
    """When and why a player's labels waited, or do; the newest first."""
    query = select(holds).where(holds.c.player_id == player_id).order_by(holds.c.id.desc())
    return list(connection.execute(query))


def note(connection: Connection, row: Mapping[str, Any]) -> int:
    """Keep what a screening found; its id."""
    return int(connection.execute(insert(screenings).values(dict(row)).returning(screenings.c.id)).scalar_one())


def last(connection: Connection, archive_id: int) -> Row[Any] | None:
    """The newest screening of an archive."""
    query = select(screenings).where(screenings.c.archive_id == archive_id).order_by(screenings.c.id.desc())
    return connection.execute(query.limit(1)).first()


def new_guesses(connection: Connection, archive_id: int, enough: int) -> int:
    """How many guesses came since the newest screening; counted up to `enough`."""
    found = last(connection, archive_id)
    after = 0 if found is None else found.cutoff_guess_id
    newer = select(guesses.c.id).where(guesses.c.archive_id == archive_id, guesses.c.id > after).limit(enough)
    return int(connection.scalar(select(func.count()).select_from(newer.subquery())) or 0)
