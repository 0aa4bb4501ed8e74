"""Reports: what players found wrong with a card, waiting for a person to read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select, update

from app.db.tables import guesses, remarks, samples, tweets

MOST = 200  # reports that one look counts or lists


@dataclass(frozen=True)
class Report:
    """One player's report of a round."""

    guess_id: int
    words: str
    said_at: datetime
    archive_id: int
    player_id: int
    sample_id: int
    sample: str
    sample_hidden: bool
    tweet_id: int
    tweet: str
    tweet_hidden: bool


def count_open(connection: Connection) -> int:
    """How many reports wait (at most 200 are counted): neither card hidden yet, and not set aside."""
    waiting = _waiting().with_only_columns(remarks.c.guess_id).limit(MOST).subquery()
    return connection.execute(select(func.count()).select_from(waiting)).scalar_one()


def listing(connection: Connection) -> list[Report]:
    """The reports that wait, the newest first."""
    return [Report(*row) for row in connection.execute(_waiting().order_by(remarks.c.guess_id.desc()).limit(MOST))]


def find(connection: Connection, guess_id: int) -> str | None:
    """The words of a report."""
    return connection.scalar(select(remarks.c.report).where(remarks.c.guess_id == guess_id))


def settle(connection: Connection, guess_id: int, at: datetime) -> None:
    """Set a report aside: it was read, and needs nothing more."""
    connection.execute(update(remarks).where(remarks.c.guess_id == guess_id).values(settled_at=at))


def _waiting() -> Select[Any]:
    columns = (
        *(remarks.c.guess_id, remarks.c.report, remarks.c.said_at, guesses.c.archive_id, guesses.c.player_id),
        *(samples.c.id, samples.c.text, samples.c.hidden_at.is_not(None)),
        *(tweets.c.id, tweets.c.text, tweets.c.hidden_at.is_not(None)),
    )
    return (
        select(*columns)
        .join(guesses, guesses.c.id == remarks.c.guess_id)
        .join(samples, samples.c.id == guesses.c.sample_id)
        .join(tweets, tweets.c.id == guesses.c.tweet_id)
        .where(
            remarks.c.report.is_not(None),
            remarks.c.settled_at.is_(None),
            samples.c.hidden_at.is_(None),
            tweets.c.hidden_at.is_(None),
        )
    )
