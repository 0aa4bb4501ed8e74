"""Opponents: what can be said of an archive and its generators before one plays against them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, func, select

from app.db import records, tallies, tweets
from app.db.generators import is_of_a_class
from app.db.tables import arms, generators, samples
from app.db.tables import tweets as tweet_rows

LEAST = 20  # guesses below which a fool rate says nothing


@dataclass(frozen=True)
class Extent:
    """How many tweets an archive has, from when to when."""

    size: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class Portrait:
    """What an archive is, and who plays for it how well."""

    extent: Extent
    champion: str | None
    fool_rate: float | None


@dataclass(frozen=True)
class Opponent:
    """A generator that can be practised against.

    Attributes:
        part: champion, candidate or anchor; None for one that does not play any more.
        played, spotted: the player's own practice against it.
    """

    number: int
    part: str | None
    cell: str | None
    fool_rate: float | None
    played: int
    spotted: int


def extent(connection: Connection, archive_id: int) -> Extent:
    """The archive's extent: it counts tweets, so it is not for every page view."""
    spread = select(func.min(tweet_rows.c.posted_at), func.max(tweet_rows.c.posted_at))
    first, last = connection.execute(spread.where(tweet_rows.c.archive_id == archive_id)).one()
    return Extent(sum(tweets.counts(connection, archive_id).values()), first, last)


def portrait(connection: Connection, archive_id: int, extent: Extent) -> Portrait:
    """The archive's portrait."""
    champion = connection.execute(
        select(generators.c.id, generators.c.number)
        .join(arms, arms.c.generator_id == generators.c.id)
        .where(arms.c.archive_id == archive_id, arms.c.arm == "champion")
    ).first()
    if champion is None:
        return Portrait(extent, None, None)
    return Portrait(extent, f"v{champion.number}", _rates(connection, archive_id).get(champion.id))


def opponents(connection: Connection, archive_id: int, player_id: int | None, most: int = 12) -> list[Opponent]:
    """The generators of which there are samples, those that play first, then the newest."""
    shown = exists().where(
        samples.c.generator_id == generators.c.id, samples.c.shelved_stamp.is_not(None), samples.c.hidden_at.is_(None)
    )
    rows = connection.execute(
        select(generators.c.id, generators.c.number, generators.c.card)
        .where(generators.c.archive_id == archive_id, shown, ~is_of_a_class())
        .order_by(generators.c.number.desc())
        .limit(most)
    ).all()
    parts: dict[int, str] = {}
    for name, generator_id in connection.execute(
        select(arms.c.arm, arms.c.generator_id).where(arms.c.archive_id == archive_id)
    ):
        if name == "champion" or generator_id not in parts:
            parts[generator_id] = name
    rates = _rates(connection, archive_id)
    own = {} if player_id is None else records.practised(connection, player_id, archive_id)
    found = [
        Opponent(
            row.number,
            parts.get(row.id),
            (row.card.get("network") or row.card.get("config") or {}).get("cell"),
            rates.get(row.id),
            *own.get(row.id, (0, 0)),
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: (each.part is None, -each.number))


def _rates(connection: Connection, archive_id: int) -> dict[int, float]:
    counts = {
        generator_id: crowds["real"]
        for generator_id, crowds in tallies.by_generator(connection, archive_id).items()
        if "real" in crowds
    }
    return {key: count.fooled / count.guesses for key, count in counts.items() if count.guesses >= LEAST}
