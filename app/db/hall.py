"""The hall: the samples that fooled the most and the least, and the tweets most often taken for machine.

What hangs in the hall is out of the game for good, whatever deals: so nobody sees there what they may be asked about.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, literal_column, select, update

from app.db import sets
from app.db.samples import next_stamp
from app.db.tables import generators, samples, set_cards, tweets

LOOKED_AT = 120  # rows at either end among which the hall chooses


@dataclass(frozen=True)
class Rated:
    """A sample with what became of its guesses."""

    id: int
    text: str
    generator: int  # its number
    guesses: int
    fooled: int
    hung_at: datetime | None
    archive_id: int


@dataclass(frozen=True)
class Doubted:
    """A tweet that was taken for machine."""

    id: int
    text: str
    guesses: int
    fooled: int


def rated(connection: Connection, archive_id: int) -> list[Rated]:
    """Samples of five guesses or more: those that fooled the most, and those that fooled the least."""
    found: dict[int, Rated] = {}
    # Written out, for an index of some rows is only used where the condition is the same, word for word.
    enough: ColumnElement[bool] = literal_column("samples.guesses >= 5")
    for order in (samples.c.fooled.desc(), samples.c.fooled.asc()):
        query = _rated().where(samples.c.archive_id == archive_id, enough, samples.c.hidden_at.is_(None))
        query = query.order_by(order, samples.c.id.desc()).limit(LOOKED_AT)
        found |= {row.id: Rated(*row) for row in connection.execute(query)}
    return list(found.values())


def doubted(connection: Connection, archive_id: int) -> list[Doubted]:
    """The tweets most often taken for machine."""
    some: ColumnElement[bool] = literal_column("tweets.fooled > 0")
    query = select(tweets.c.id, tweets.c.text, tweets.c.guesses, tweets.c.fooled)
    query = query.where(tweets.c.archive_id == archive_id, some, tweets.c.hidden_at.is_(None))
    rows = connection.execute(query.order_by(tweets.c.fooled.desc(), tweets.c.id.desc()).limit(LOOKED_AT))
    return [Doubted(*row) for row in rows]


def find(connection: Connection, sample_id: int) -> Rated | None:
    """A sample that hangs in the hall, and is not hidden."""
    own = (samples.c.id == sample_id, samples.c.hung_at.is_not(None), samples.c.hidden_at.is_(None))
    row = connection.execute(_rated().where(*own)).first()
    return None if row is None else Rated(*row)


def hidden(
    connection: Connection, tweet_ids: Collection[int], sample_ids: Collection[int]
) -> tuple[set[int], set[int]]:
    """Which of these tweets and samples are shown to nobody any more."""
    gone_tweets = select(tweets.c.id).where(tweets.c.id.in_(sorted(tweet_ids)), tweets.c.hidden_at.is_not(None))
    gone_samples = select(samples.c.id).where(samples.c.id.in_(sorted(sample_ids)), samples.c.hidden_at.is_not(None))
    return set(connection.scalars(gone_tweets)), set(connection.scalars(gone_samples))


def hang(connection: Connection, archive_id: int, at: datetime) -> int:
    """Hang the samples that left the shelf with the most or the fewest fooled, if they do not hang yet; how many.

    Not those of the latest dailies: many have yet to meet them.
    """
    _, kept = sets.kept(connection, archive_id, at)
    ends = [row.id for row in rated(connection, archive_id) if row.hung_at is None and row.id not in kept]
    # What lies in a set can still be played there, and would leave a gap.
    is_laid = select(set_cards.c.set_id).where(set_cards.c.sample_id == samples.c.id).exists()
    new = (samples.c.id.in_(ends), samples.c.retired_stamp.is_not(None), samples.c.hung_at.is_(None), ~is_laid)
    if not ends or connection.scalar(select(samples.c.id).where(*new).limit(1)) is None:
        return 0
    hung = connection.execute(update(samples).where(*new).values(hung_at=at)).rowcount
    next_stamp(connection, archive_id)
    return hung


def _rated() -> Select[int, str, int, int, int, datetime | None, int]:
    return select(
        *(samples.c.id, samples.c.text, generators.c.number, samples.c.guesses, samples.c.fooled),
        *(samples.c.hung_at, samples.c.archive_id),
    ).join(generators, generators.c.id == samples.c.generator_id)
