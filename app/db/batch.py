"""A batch of guesses: what the database says of everybody and everything in it; app/db/batch_writing.py writes it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select

from app.db import players, scores, seats, sets
from app.db.players import Player
from app.db.prepared import Prepared
from app.db.rollups import Attending, LabelKey
from app.db.scores import ScoreKey
from app.db.seats import SeatRow
from app.db.sets import SetSeat
from app.db.tables import archives, generators, guesses, samples, tweets
from app.db.tallies import Count, TallyKey
from app.game.boards import RANKED_MODES, Score
from app.game.labels import Standing
from app.game.rounds import Deal
from app.game.skill import Belief


class Guess(NamedTuple):
    """A pick in a dealt round, as it arrived.

    Attributes:
        deal: the round, as its token brought it back.
        shelf_stamp: the stamp that the player's next deal but one is made with.
        simulated: the name of the simulated player, for one that is not recorded yet.
        is_expired: the round is too old to be guessed at; one that was guessed is answered all the same.
        class_teaches: the round is one of a class that was asked to teach.
    """

    deal: Deal
    pick: int
    recognised: bool
    shown_ms: int | None
    has_cookie: bool
    simulated: str | None
    network: bytes | None
    guessed_at: datetime
    is_expired: bool
    shelf_stamp: int
    class_teaches: bool = False


@dataclass(frozen=True)
class House:
    """The rules of the house that a guess is recorded by."""

    sample_retires_after: int
    learn_from: tuple[str, ...]


@dataclass
class SampleCount:
    """The counters of a sample."""

    guesses: int
    fooled: int
    exposures: int
    is_on_shelf: bool
    archive_id: int
    strength: float
    strength_variance: float
    is_read: bool

    @property
    def belief(self) -> Belief:
        """What is believed of the sample's strength."""
        return Belief(self.strength, self.strength_variance)


@dataclass
class TweetCount:
    """What a batch adds to the counters of a tweet."""

    guesses: int = 0
    fooled: int = 0


@dataclass
class Batch:
    """What the database says of everybody and everything in a batch, and what changes with it."""

    players: dict[bytes, Player]
    forgotten: set[bytes]
    answers: dict[bytes, tuple[int, str]]
    seats: dict[tuple[int, int, str], SeatRow]
    samples: dict[int, SampleCount]
    tweets: dict[int, tuple[datetime | None, str | None]]
    numbers: dict[int, int]
    links: dict[int, str | None]
    scores: dict[ScoreKey, Score]
    rows: list[dict[str, Any]] = field(default_factory=list)
    labels: list[Standing] = field(default_factory=list)
    counts: dict[TallyKey, Count] = field(default_factory=lambda: defaultdict(Count))
    attending: dict[tuple[int, str], Attending] = field(default_factory=lambda: defaultdict(Attending))
    label_counts: Counter[LabelKey] = field(default_factory=Counter)
    moved: set[bytes] = field(default_factory=set)
    sat: set[tuple[int, int, str]] = field(default_factory=set)
    exposed: set[int] = field(default_factory=set)
    scored: set[ScoreKey] = field(default_factory=set)
    shown_tweets: dict[int, TweetCount] = field(default_factory=lambda: defaultdict(TweetCount))
    met: set[tuple[int, str, int]] = field(default_factory=set)
    sittings: dict[tuple[int, int], SetSeat] = field(default_factory=dict)
    last_places: dict[int, int] = field(default_factory=dict)
    sat_down: set[tuple[int, int]] = field(default_factory=set)
    firsts: Counter[tuple[int, int]] = field(default_factory=Counter)
    reached: Counter[sets.ScoreKey] = field(default_factory=Counter)


def read(connection: Connection, batch: Sequence[Guess]) -> Batch:
    """Look up, and lock in a fixed order, what a batch needs; newcomers get their row."""
    keys = {guess.deal.player for guess in batch}
    known = players.locked(connection, keys)
    answers = _answers(connection, {guess.deal.id for guess in batch})
    strangers = keys - known.keys()
    forgotten = players.were_forgotten(connection, strangers) if strangers else set()
    newcomers = {
        guess.deal.player: guess.simulated
        for guess in batch
        # A row is made only for a guess that will be recorded: a first place, not expired.
        if guess.deal.player in strangers - forgotten and guess.deal.start == 0 and not guess.is_expired
    }
    if newcomers:
        players.add(connection, newcomers, min(guess.guessed_at for guess in batch))
        known |= players.locked(connection, newcomers)
        # Another process may have recorded the same newcomer, and round, a moment ago.
        answers |= _answers(connection, {guess.deal.id for guess in batch})
    deals = [guess.deal for guess in batch]
    places = {(known[deal.player].id, deal.archive_id, deal.mode) for deal in deals if deal.player in known}
    return Batch(
        players=known,
        forgotten=forgotten,
        answers=answers,
        seats=seats.locked(connection, places),
        samples=_samples(connection, {deal.sample_id for deal in deals}),
        tweets=_tweets(connection, {deal.tweet_id for deal in deals}),
        numbers=_numbers(connection, {deal.generator_id for deal in deals}),
        links=_handles(connection, {deal.archive_id for deal in deals}),
        scores=_scores(connection, batch, known),
    )


def _scores(connection: Connection, batch: Sequence[Guess], known: Mapping[bytes, Player]) -> dict[ScoreKey, Score]:
    wanted = {
        key
        for guess in batch
        if guess.deal.mode in RANKED_MODES and guess.deal.player in known
        for key in scores.keys(guess.deal.archive_id, known[guess.deal.player].id, guess.guessed_at)
    }
    return scores.of(connection, wanted) if wanted else {}


_ANSWERS = Prepared(
    select(guesses.c.round_id, guesses.c.pick, guesses.c.answer).where(
        guesses.c.round_id.in_(bindparam("rounds", expanding=True))
    )
)
_SAMPLES = Prepared(
    select(
        samples.c.id,
        samples.c.guesses,
        samples.c.fooled,
        samples.c.exposures,
        samples.c.retired_stamp.is_(None),
        samples.c.archive_id,
        samples.c.strength,
        samples.c.strength_variance,
        samples.c.read_stamp.is_not(None),
    )
    .where(samples.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(samples.c.id)
    .with_for_update(key_share=True)
)
_TWEETS = Prepared(
    select(tweets.c.id, tweets.c.posted_at, tweets.c.source_id).where(tweets.c.id.in_(bindparam("ids", expanding=True)))
)
_NUMBERS = Prepared(
    select(generators.c.id, generators.c.number).where(generators.c.id.in_(bindparam("ids", expanding=True)))
)
_HANDLES = Prepared(
    select(archives.c.id, archives.c.handle, archives.c.is_demo).where(
        archives.c.id.in_(bindparam("ids", expanding=True))
    )
)


def _answers(connection: Connection, rounds: Collection[bytes]) -> dict[bytes, tuple[int, str]]:
    rows = _ANSWERS.rows(connection, rounds=list(rounds))
    return {round_id: (pick, answer) for round_id, pick, answer in rows}


def _samples(connection: Connection, ids: Collection[int]) -> dict[int, SampleCount]:
    return {row[0]: SampleCount(*row[1:]) for row in _SAMPLES.rows(connection, ids=list(ids))}


def _tweets(connection: Connection, ids: Collection[int]) -> dict[int, tuple[datetime | None, str | None]]:
    rows = _TWEETS.rows(connection, ids=list(ids))
    return {tweet_id: (posted_at, source_id) for tweet_id, posted_at, source_id in rows}


def _numbers(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    return dict(_NUMBERS.rows(connection, ids=list(ids)))


def _handles(connection: Connection, ids: Collection[int]) -> dict[int, str | None]:
    """Handles of accounts that exist; None for the demo and for texts that no account posted."""
    rows = _HANDLES.rows(connection, ids=list(ids))
    return {archive_id: None if is_demo else handle for archive_id, handle, is_demo in rows}
