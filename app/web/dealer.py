"""The dealer: finds a player's seat, deals from memory, and seals the round; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from anyio import to_thread
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from app.db import players, seats, sets, shelf
from app.db.session import now, reading
from app.game.rounds import AllMet, Deal, NoCard, Seat, ShelfEmpty, deal, open_with, turn
from app.game.sets import FixedSet, deal_pair, following
from app.game.shelf import Arm, Past, Shelf
from app.web import problems
from app.web.catalogue import Catalogue
from app.web.entries import Entry
from app.web.fixed import FixedSets
from app.web.given import Dealt, GivenRounds
from app.web.identity import Visitor, open_round
from app.web.opponents import Opponents
from app.web.problems import Problem
from app.web.sealed import RoundSeal
from app.web.ways import Way


class _Place(NamedTuple):
    """Where the next deal is made: the seat, who sits there, and the cards of the round that is still open."""

    seat: Seat
    player_id: int | None
    open_samples: tuple[int, ...] = ()
    # The pair that opens has a tweet out of turn: the player's order may come to it next.
    open_tweets: tuple[int, ...] = ()
    played: int = 0
    spotted: int = 0


class _Met(NamedTuple):
    """Tells which samples, and which tweets, a player met, or has before them."""

    samples: Past
    tweets: Past


_Work = Callable[[Connection, Visitor], Dealt]


class Dealer:
    """Deals rounds."""

    def __init__(
        self, engine: Engine, catalogue: Catalogue, fixed: FixedSets, seal: RoundSeal, life: timedelta
    ) -> None:
        """`life`: how long a round can be guessed at."""
        self._engine = engine
        self._catalogue = catalogue
        self._fixed = fixed
        self._seal = seal
        self._life = life
        self.given = GivenRounds(seal, life)
        self._opponents = Opponents(engine)
        # On the embedded database a look-up takes microseconds: a thread would cost more than it saves.
        self._is_embedded = engine.dialect.name == "sqlite"
        self._connection: Connection | None = None

    async def deal(self, visitor: Visitor, way: Way, after: str | None = None) -> Dealt:
        """The visitor's open round in that way to play, or the one after `after`, the token of their open round.

        A round that has run out leads to no other: its place is dealt anew.

        Raises:
            Problem: no such archive, nothing to deal, a set that is through, a token that is not the visitor's, or the
                database is away.
        """
        opened = None if after is None else open_round(self._seal, visitor, after)
        if opened is not None and not visitor.has_cookie:
            # Without a cookie the round itself says who goes on playing.
            visitor = replace(visitor, key=opened.player, stamps={opened.archive_id: opened.stamp}, is_lent=True)
        work = await self._prepared(visitor, way, opened)
        try:
            if self._is_embedded:
                return work(self._reader(), visitor)
            return await to_thread.run_sync(self._deal_apart, work, visitor)
        except ShelfEmpty:
            if way.mode == "practice":
                raise problems.practice_through(way.generator) from None  # it need not be one that still writes
            raise problems.shelf_empty() from None
        except SQLAlchemyError as error:
            raise problems.database_away() from error

    async def _prepared(self, visitor: Visitor, way: Way, opened: Deal | None) -> _Work:
        """The dealing itself, once what it needs is in memory."""
        after = None if opened is None or now() > opened.dealt_at + self._life else opened
        if way.is_mixed:
            if opened is not None and opened.mode != way.mode:
                raise Problem(422, "bad-request", f"the round in after is of {opened.mode}, and not of a mixed game")
            return lambda connection, visitor: self._deal_mixed(connection, visitor, after)
        if way.mode == "challenge":
            fixed = await self._fixed.challenge(way.name)
            home = self._catalogue.home_of(fixed)
            if home is None:
                raise problems.shelf_empty()
            if not home.admits(visitor.invites):
                raise Problem(404, "not-found", "there is no such challenge")
            if home.archive.paused:
                raise problems.archive_paused()
            return lambda connection, visitor: self._deal_fixed(connection, visitor, home, fixed, after)
        entry = self._entry(visitor, way, opened)
        if way.mode == "daily":
            fixed = await self._fixed.daily(entry, way.name)
            return lambda connection, visitor: self._deal_fixed(connection, visitor, entry, fixed, after)
        if way.mode == "practice":
            arm = await self._opponents.find(entry, way.generator)
            return lambda connection, visitor: self._deal(connection, visitor, entry, after, arm)
        return lambda connection, visitor: self._deal(connection, visitor, entry, after)

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None:
            self._connection.close()

    def _entry(self, visitor: Visitor, way: Way, opened: Deal | None) -> Entry:
        slug = way.slug
        entry = self._catalogue.by_id(opened.archive_id) if opened is not None else None
        if entry is None or slug not in (None, entry.archive.slug):
            entry = self._catalogue.find(slug, visitor.invites)
            if visitor.simulated is not None and slug is not None:
                entry = self._catalogue.entries.get(slug)  # the operator needs no invitation
        elif visitor.simulated is None and not entry.admits(visitor.invites):
            # The invitation was withdrawn since: the open round may be answered, and leads to no other.
            slug, entry = entry.archive.slug, None
        if entry is None:
            if slug is None:
                raise problems.shelf_empty()
            raise Problem(404, "no-archive", f"there is no archive {slug}: GET /api/archives lists them")
        if opened is not None and (opened.archive_id, opened.mode) != (entry.archive.id, way.mode):
            raise Problem(422, "bad-request", f"the round in after is not of {way.mode} in {entry.archive.slug}")
        if entry.archive.paused:
            raise problems.archive_paused()
        return entry

    def _reader(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return self._connection

    def _deal_apart(self, work: _Work, visitor: Visitor) -> Dealt:
        with reading(self._engine) as connection:
            return work(connection, visitor)

    def _deal(
        self,
        connection: Connection,
        visitor: Visitor,
        entry: Entry,
        opened: Deal | None,
        opponent: Arm | None = None,
    ) -> Dealt:
        visitor, place = self._place(connection, visitor, entry, opened, opponent)
        seat = place.seat
        name = (seat.player, seat.archive_id, seat.mode, seat.opponent, seat.position, seat.again)
        if (given := self.given.again(name, entry)) is not None:
            return given._replace(visitor=visitor, played=place.played, spotted=place.spotted)
        excluded = {*place.open_samples, *entry.kept_samples}
        dealt = None
        if visitor.simulated is None and place.player_id is None:
            dealt = open_with(entry.opening, seat, excluded)
        if dealt is None:
            on_shelf = entry.shelf if opponent is None else Shelf((opponent,), entry.shelf.stamp)
            met = _past(connection, place)
            barred = {*place.open_tweets, *entry.kept_tweets}
            try:
                dealt = deal(entry.deck, on_shelf, seat, met.samples, excluded, met.tweets, barred)
            except NoCard:
                raise _no_card(entry) from None
            except AllMet:
                if opponent is not None:
                    raise
                raise problems.all_met() from None
        given = self.given.give(name, dealt, entry, visitor)
        return given._replace(visitor=visitor, played=place.played, spotted=place.spotted)

    def _deal_mixed(self, connection: Connection, visitor: Visitor, opened: Deal | None) -> Dealt:
        """The visitor's open round in the archive whose turn it is: drawn by their key and how often they guessed.

        Of an archive of which they have met everything the turn passes to the next.
        """
        entries = [entry for entry in self._catalogue.ranked(visitor.invites) if entry.is_open]
        entries = [entry for entry in entries if entry.archive.is_demo == entries[0].archive.is_demo]
        if not entries:
            raise problems.shelf_empty()
        answered, spotted, due = seats.turns(connection, visitor.key, opened.archive_id if opened else 0)
        if opened is not None and opened.start >= due[opened.again]:
            answered += 1
        entries.sort(key=lambda each: each.archive.id)
        first = turn(visitor.key, answered) % len(entries)
        for entry in entries[first:] + entries[:first]:
            is_same = opened is not None and opened.archive_id == entry.archive.id
            try:
                dealt = self._deal(connection, visitor, entry, opened if is_same else None)
            except Problem as problem:
                if problem.kind != "all-met":
                    raise
            else:
                return dealt._replace(played=answered, spotted=spotted)
        raise problems.all_met()

    def _deal_fixed(
        self, connection: Connection, visitor: Visitor, entry: Entry, fixed: FixedSet, opened: Deal | None
    ) -> Dealt:
        standing = sets.standing(connection, visitor.key, fixed.id)
        if standing is None and _was_forgotten(connection, visitor, opened):
            visitor = _newcomer(visitor)
            opened = None
        seat = standing.seat if standing else None
        start = seat.place if seat else 0
        if opened is not None:
            if opened.set_id != fixed.id:
                raise Problem(422, "bad-request", "the round in after is not one of this set")
            if opened.start > start:
                raise Problem(409, "out-of-turn", "two rounds can be open at once: answer the first of them")
            start = max(start, opened.position + 1)
        pair = following(fixed, start, entry.hidden_tweets, entry.hidden_samples)
        if pair is None:
            raise Problem(409, "set-through", "you have played all rounds of this set")
        name = (visitor.key, fixed.id, start)
        given = self.given.again(name, entry)
        if given is None:
            player = standing.player_id if standing else None
            repeat = player is not None and sets.met(connection, player, [pair.tweet.id], [pair.sample_id])
            dealt = deal_pair(fixed, pair, visitor.key, start, entry.shelf.stamp, repeat=repeat)
            given = self.given.give(name, dealt, entry, visitor)
        return given._replace(
            visitor=visitor,
            played=len(seat.verdicts) if seat else 0,
            spotted=seat.spotted if seat else 0,
            of=len(fixed.pairs),
        )

    def _place(
        self,
        connection: Connection,
        visitor: Visitor,
        entry: Entry,
        opened: Deal | None,
        opponent: Arm | None,
    ) -> tuple[Visitor, _Place]:
        archive_id = entry.archive.id
        mode, against = ("endless", 0) if opponent is None else ("practice", opponent.generator_id)
        standing = seats.standing(connection, visitor.key, archive_id, mode)
        if standing is None and _was_forgotten(connection, visitor, opened):
            visitor = _newcomer(visitor)
            opened = None
        row = standing.seat if standing else None
        if row is None:
            stamp = visitor.stamps.get(archive_id, entry.shelf.stamp)
            visitor = replace(visitor, stamps={**visitor.stamps, archive_id: stamp})
            seat = following = Seat(visitor.key, archive_id, mode, 0, 0, stamp, against)
        else:
            seat = Seat(visitor.key, archive_id, mode, row.position, row.again, row.stamp, against, row.skill)
            following = replace(seat, stamp=row.next_stamp, skill=row.next_skill)
        place = _Place(
            seat,
            standing.player_id if standing else None,
            played=row.guesses if row else 0,
            spotted=row.spotted if row else 0,
        )
        if opened is None:
            return visitor, place
        return visitor, _after(place, opened, following)


def _past(connection: Connection, place: _Place) -> _Met:
    player_id = place.player_id

    def samples(ids: Sequence[int]) -> set[int]:
        return set() if player_id is None else shelf.met(connection, player_id, ids)

    def tweets(ids: Sequence[int]) -> set[int]:
        met = set() if player_id is None else shelf.met_tweets(connection, player_id, ids)
        return met.union(place.open_tweets)

    return _Met(samples, tweets)


def _newcomer(visitor: Visitor) -> Visitor:
    return replace(visitor, key=players.new_key(), stamps={}, has_cookie=False, is_lent=False)


def _no_card(entry: Entry) -> Problem:
    # Cards are judged by what the networks at play can write: without any, none is one.
    return problems.no_card(entry.archive, len(entry.deck)) if entry.is_taught else problems.untaught()


def _was_forgotten(connection: Connection, visitor: Visitor, opened: Deal | None) -> bool:
    """Whether the key that a cookie or an open round brought was dropped by "forget me"."""
    return (visitor.has_cookie or opened is not None) and players.was_forgotten(connection, visitor.key)


def _after(place: _Place, opened: Deal, following: Seat) -> _Place:
    """The place after an open round; if that round was answered meanwhile, the player's open place.

    `following`: the seat with what was laid down for the deal after this one.
    """
    seat = place.seat
    due = seat.again if opened.again else seat.position
    if opened.start < due:
        return place
    if opened.start > due:
        raise Problem(409, "out-of-turn", "two rounds can be open at once: answer the first of them")
    if opened.again:
        seat = replace(following, again=opened.position + 1)
    else:
        seat = replace(following, position=opened.position + 1)
    return place._replace(seat=seat, open_samples=(opened.sample_id,), open_tweets=(opened.tweet_id,))
