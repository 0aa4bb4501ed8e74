"""Reports: what players found wrong with a card, waiting for a person to read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select, update

from app.db import browsing
from app.db.tables import guesses, players, remarks, samples, tweets

MOST = 200  # reports that one look counts or lists
ENOUGH = 3  # players who report a sample: then it is hidden until the reports are read
REPORTED = "three reports"  # the reason that it is hidden for


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
    tweet_id: int
    tweet: str


def count_open(connection: Connection) -> int:
    """How many reports wait (at most 200 are counted): no card hidden by a person, and not set aside."""
    waiting = _waiting().with_only_columns(remarks.c.guess_id).limit(MOST).subquery()
    return connection.execute(select(func.count()).select_from(waiting)).scalar_one()


def listing(connection: Connection) -> list[Report]:
    """The reports that wait, the newest first."""
    return [Report(*row) for row in connection.execute(_waiting().order_by(remarks.c.guess_id.desc()).limit(MOST))]


def find(connection: Connection, guess_id: int) -> str | None:
    """The words of a report."""
    return connection.scalar(select(remarks.c.report).where(remarks.c.guess_id == guess_id))


def settle(connection: Connection, guess_id: int, at: datetime) -> None:
    """Set a report aside: it was read, and needs nothing more. A sample that was hidden for its reports comes back."""
    connection.execute(update(remarks).where(remarks.c.guess_id == guess_id).values(settled_at=at))
    sample = _sample_of(connection, guess_id)
    if sample is not None and sample.hidden_reason == REPORTED and _reporters(connection, sample.id) < ENOUGH:
        browsing.hide(connection, "sample", sample.archive_id, [sample.id], None)


def hide_if_enough(connection: Connection, guess_id: int, at: datetime) -> None:
    """Hide the sample of a guess that was reported, if enough players have reported it."""
    sample = _sample_of(connection, guess_id)
    if sample is None or sample.hidden_at is not None or _reporters(connection, sample.id) < ENOUGH:
        return
    browsing.hide(connection, "sample", sample.archive_id, [sample.id], at, REPORTED)


def _sample_of(connection: Connection, guess_id: int) -> Row[int, int, datetime | None, str | None] | None:
    own = select(guesses.c.sample_id).where(guesses.c.id == guess_id).scalar_subquery()
    columns = (samples.c.id, samples.c.archive_id, samples.c.hidden_at, samples.c.hidden_reason)
    return connection.execute(select(*columns).where(samples.c.id == own)).first()


def _reporters(connection: Connection, sample_id: int) -> int:
    """How many players, simulated ones aside, have reported a sample in a report that was not set aside.

    Without cookies nobody can say whether they are several: their reports are read, and hide nothing by themselves.
    """
    query = (
        select(func.count(func.distinct(guesses.c.player_id)))
        .join(remarks, remarks.c.guess_id == guesses.c.id)
        .join(players, players.c.id == guesses.c.player_id)
        .where(guesses.c.sample_id == sample_id, is_open(), guesses.c.has_cookie, players.c.simulated.is_(None))
    )
    return connection.scalar(query) or 0


def is_open() -> ColumnElement[bool]:
    """The condition that a report says something, and was not set aside."""
    return and_(remarks.c.report.is_not(None), remarks.c.report != "", remarks.c.settled_at.is_(None))


def _waiting() -> Select[Any]:
    columns = (
        *(remarks.c.guess_id, remarks.c.report, remarks.c.said_at, guesses.c.archive_id, guesses.c.player_id),
        *(samples.c.id, samples.c.text, tweets.c.id, tweets.c.text),
    )
    return (
        select(*columns)
        .join(guesses, guesses.c.id == remarks.c.guess_id)
        .join(samples, samples.c.id == guesses.c.sample_id)
        .join(tweets, tweets.c.id == guesses.c.tweet_id)
        .where(
            is_open(),
            or_(samples.c.hidden_at.is_(None), samples.c.hidden_reason == REPORTED),
            tweets.c.hidden_at.is_(None),
        )
    )
