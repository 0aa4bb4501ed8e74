"""The read side of dealing: decks in blocks, arms, and the samples on the shelves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import BindParameter, ColumnElement, Connection, Select, and_, bindparam, func, or_, select

from app.db import tweets as tweet_room
from app.db.prepared import Prepared
from app.db.tables import arms, generators, guesses, samples, set_cards, tweets
from app.game.deck import Block, Texts

PRACTICE_FROM = 1_000  # samples of a generator, the newest, that practice deals


@dataclass(frozen=True)
class ArmRow:
    """A generator at play in an archive."""

    archive_id: int
    arm: str
    generator_id: int
    number: int
    share: float
    alphabet: str


@dataclass(frozen=True)
class Shelved:
    """A sample that is, or was a moment ago, on the shelf."""

    id: int
    text: str
    shelved_stamp: int
    retired_stamp: int | None
    read_strength: float | None
    read_stamp: int | None

    @property
    def read(self) -> tuple[float, int] | None:
        """How strong it is, and the stamp from which deals go by it; None while guesses have not told."""
        return None if self.read_strength is None or self.read_stamp is None else (self.read_strength, self.read_stamp)


def arms_at_play(connection: Connection) -> list[ArmRow]:
    """The arms of all archives, in a fixed order."""
    query = (
        select(
            arms.c.archive_id, arms.c.arm, arms.c.generator_id, generators.c.number, arms.c.share, generators.c.alphabet
        )
        .join(generators, generators.c.id == arms.c.generator_id)
        .order_by(arms.c.archive_id, arms.c.arm)
    )
    return [ArmRow(*row) for row in connection.execute(query)]


def blocks(connection: Connection, archive_id: int, include: Collection[str], known: int) -> list[Block]:
    """The deck's blocks behind the first `known`, in the order of the deck.

    `include` holds the leanings (reply, thread, cut) of tweets that are dealt although they lean on others.
    """
    spans = tweet_room.deck_blocks(connection, archive_id)[known:]
    if not spans:
        return []
    cards = iter(tweet_room.deck_cards(connection, archive_id, after_seq=spans[0][0] - 1))
    made = []
    card = next(cards, None)
    for start, end in spans:
        ids = np.zeros(end - start, dtype=np.int64)
        fit = np.zeros(end - start, dtype=np.bool_)
        texts = [""] * (end - start)
        while card is not None and card.deck_seq < end:
            place = card.deck_seq - start
            ids[place], texts[place] = card.id, card.text
            fit[place] = card.leaning is None or card.leaning in include
            card = next(cards, None)
        made.append(Block(start, ids, Texts(texts), fit))
    return made


def hidden_tweets(connection: Connection, archive_id: int) -> set[int]:
    """Tweets that an admin took off the deck."""
    query = select(tweets.c.id).where(tweets.c.archive_id == archive_id, tweets.c.hidden_at.is_not(None))
    return set(connection.scalars(query))


def hidden_samples(connection: Connection, archive_id: int) -> set[int]:
    """Samples that may not be dealt, whatever the stamp: those that were hidden, and those that hang in the hall."""
    found: set[int] = set()
    # Each by an index of its own.
    for why in (samples.c.hidden_at, samples.c.hung_at):
        query = select(samples.c.id).where(samples.c.archive_id == archive_id, why.is_not(None))
        found |= set(connection.scalars(query))
    return found


def shelved(connection: Connection, archive_id: int, generator_id: int, floor: int) -> list[Shelved]:
    """The samples of a generator that were on the shelf at `floor` or came later."""
    query = _shelved().where(
        samples.c.archive_id == archive_id,
        samples.c.generator_id == generator_id,
        samples.c.shelved_stamp.is_not(None),
        or_(samples.c.retired_stamp.is_(None), samples.c.retired_stamp > floor),
    )
    return [Shelved(*row) for row in connection.execute(query)]


def shelved_since(connection: Connection, archive_id: int, generator_id: int, stamp: int) -> list[Shelved]:
    """The samples of a generator that came onto the shelf, or left it, or were read after `stamp`."""
    of_generator = and_(samples.c.archive_id == archive_id, samples.c.generator_id == generator_id)
    changed = or_(samples.c.shelved_stamp > stamp, samples.c.retired_stamp > stamp, samples.c.read_stamp > stamp)
    return [Shelved(*row) for row in connection.execute(_shelved().where(of_generator, changed))]


def _shelved() -> Select[int, str, int, int | None, float | None, int | None]:
    when = (samples.c.shelved_stamp, samples.c.retired_stamp)
    return select(samples.c.id, samples.c.text, *when, samples.c.read_strength, samples.c.read_stamp)


# Each deal asks them.
_OF_PLAYER = guesses.c.player_id == bindparam("player")
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_MET = Prepared(select(guesses.c.sample_id).where(_OF_PLAYER, guesses.c.sample_id.in_(_IDS)))
_MET_TWEETS = Prepared(select(guesses.c.tweet_id).where(_OF_PLAYER, guesses.c.tweet_id.in_(_IDS)))


def met(connection: Connection, player_id: int, sample_ids: Sequence[int]) -> set[int]:
    """Which of the samples this player has guessed at."""
    return {row[0] for row in _MET.rows(connection, player=player_id, ids=sample_ids)}


def met_tweets(connection: Connection, player_id: int, tweet_ids: Sequence[int]) -> set[int]:
    """Which of the tweets this player has guessed at, in whatever mode."""
    return {row[0] for row in _MET_TWEETS.rows(connection, player=player_id, ids=tweet_ids)}


def counts_of_short(connection: Connection, archive_id: int, longest: int) -> dict[int, tuple[int, int]]:
    """Samples on the shelf of at most `longest` characters: how often real players guessed at them, and were fooled."""
    query = select(samples.c.id, samples.c.guesses, samples.c.fooled).where(
        samples.c.archive_id == archive_id,
        samples.c.shelved_stamp.is_not(None),
        samples.c.retired_stamp.is_(None),
        samples.c.length <= longest,
    )
    return {row[0]: (row[1], row[2]) for row in connection.execute(query)}


def dealable(connection: Connection, archive_id: int, *, hidden_since: datetime | None = None) -> dict[int, str]:
    """Every sample that somebody may still meet though it left the shelf: in practice, or in a fixed set.

    With `hidden_since` also those that were hidden or hung since then: a round that was dealt before may show one yet.
    """

    def is_open(column: ColumnElement[datetime]) -> ColumnElement[bool]:
        return column.is_(None) if hidden_since is None else or_(column.is_(None), column > hidden_since)

    newest = func.row_number().over(partition_by=samples.c.generator_id, order_by=samples.c.id.desc()).label("place")
    fit = (
        samples.c.archive_id == archive_id,
        samples.c.shelved_stamp.is_not(None),
        *(is_open(column) for column in (samples.c.hidden_at, samples.c.hung_at)),
    )
    ranked = select(samples.c.id, samples.c.text, newest).where(*fit).subquery()
    query = select(ranked.c.id, ranked.c.text).where(ranked.c.place <= PRACTICE_FROM)
    in_sets = select(samples.c.id, samples.c.text).join(set_cards, set_cards.c.sample_id == samples.c.id).where(*fit)
    rows = [*connection.execute(query), *connection.execute(in_sets)]
    return {sample_id: text for sample_id, text in rows}


def newest_stamp(connection: Connection, archive_id: int) -> int:
    """The stamp at which samples of the archive were last shelved, of whatever generator; 0: none ever were."""
    query = select(func.max(samples.c.shelved_stamp)).where(samples.c.archive_id == archive_id)
    return connection.scalar(query) or 0


def all_of(connection: Connection, generator_id: int) -> list[Shelved]:
    """The newest samples of a generator that ever lay on a shelf and are neither hidden nor in the hall:
    what practice deals."""
    query = (
        _shelved()
        .where(
            samples.c.generator_id == generator_id,
            samples.c.shelved_stamp.is_not(None),
            samples.c.hidden_at.is_(None),
            samples.c.hung_at.is_(None),
        )
        .order_by(samples.c.id.desc())
        .limit(PRACTICE_FROM)
    )
    return [Shelved(*row) for row in connection.execute(query)]
