"""The dealer: finds a player's seat, deals from memory, and seals the round; nothing is written."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from anyio import to_thread
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from app.db import players, seats, shelf
from app.db.session import now, reading
from app.game.rounds import Round, Seat, ShelfEmpty, deal
from app.web import metrics, problems
from app.web.catalogue import Catalogue, Entry
from app.web.identity import Visitor
from app.web.problems import Problem
from app.web.sealed import BadSeal, RoundSeal, SealedRound

REMEMBERED = 2_000  # rounds that are kept to be given again word for word
MODE = "endless"


@dataclass(frozen=True)
class Dealt:
    """An open round as it was given, and whom it was given to."""

    entry: Entry
    round: Round
    token: str
    expires_at: datetime
    body: bytes
    edition: int
    visitor: Visitor


@dataclass(frozen=True)
class _Place:
    """Where the next deal is made: the seat, who sits there, and the sample of the round that is still open."""

    seat: Seat
    player_id: int | None
    excluded: tuple[int, ...] = ()


class Dealer:
    """Deals rounds."""

    def __init__(self, engine: Engine, catalogue: Catalogue, seal: RoundSeal, life: timedelta) -> None:
        """`life`: how long a round can be guessed at."""
        self._engine = engine
        self._catalogue = catalogue
        self._seal = seal
        self._life = life
        self._given: OrderedDict[tuple[object, ...], Dealt] = OrderedDict()
        # On the embedded database a look-up takes microseconds: a thread would cost more than it saves.
        self._is_embedded = engine.dialect.name == "sqlite"
        self._connection: Connection | None = None

    async def deal(self, visitor: Visitor, slug: str | None = None, after: str | None = None) -> Dealt:
        """The visitor's open round in an archive, or the one after `after`, the token of their open round.

        Raises:
            Problem: no such archive, nothing to deal, a token that is not the visitor's, or the database is away.
        """
        opened = None if after is None else self._open(after, visitor)
        if opened is not None and not visitor.has_cookie:
            # Without a cookie the round itself says who goes on playing.
            visitor = replace(visitor, key=opened.player, stamps={opened.archive_id: opened.stamp})
        entry = self._entry(visitor, slug, opened)
        try:
            if self._is_embedded:
                return self._deal(self._reader(), visitor, entry, opened)
            return await to_thread.run_sync(self._deal_apart, visitor, entry, opened)
        except ShelfEmpty:
            raise problems.shelf_empty() from None
        except SQLAlchemyError as error:
            raise problems.database_away() from error

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None:
            self._connection.close()

    def _open(self, token: str, visitor: Visitor) -> SealedRound:
        try:
            opened = self._seal.open(token)
        except BadSeal:
            raise problems.not_our_round() from None
        if visitor.has_cookie and opened.player != visitor.key:
            raise problems.not_our_round()
        return opened

    def _entry(self, visitor: Visitor, slug: str | None, opened: SealedRound | None) -> Entry:
        if opened is not None:
            entry = self._catalogue.by_id(opened.archive_id)
            if entry is not None and slug not in (None, entry.archive.slug):
                raise Problem(422, "bad-request", f"the round in after is not one of the archive {slug}")
        else:
            entry = self._catalogue.find(slug, visitor.invites)
            if visitor.simulated is not None and slug is not None:
                entry = self._catalogue.entries.get(slug)  # the operator needs no invitation
        if entry is None:
            if slug is None:
                raise problems.shelf_empty()
            raise Problem(404, "no-archive", f"there is no archive {slug}: GET /api/archives lists them")
        if entry.archive.paused:
            raise problems.shelf_empty()
        return entry

    def _reader(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return self._connection

    def _deal_apart(self, visitor: Visitor, entry: Entry, opened: SealedRound | None) -> Dealt:
        with reading(self._engine) as connection:
            return self._deal(connection, visitor, entry, opened)

    def _deal(self, connection: Connection, visitor: Visitor, entry: Entry, opened: SealedRound | None) -> Dealt:
        visitor, place = self._place(connection, visitor, entry, opened)
        seat = place.seat
        name = (seat.player, seat.archive_id, seat.mode, seat.position, seat.again)
        given = self._given.get(name)
        at = now()
        if given is not None and given.edition == entry.edition and self._is_fresh(given, at):
            self._given.move_to_end(name)
            return replace(given, visitor=visitor)
        dealt = deal(entry.deck, entry.shelf, seat, self._past(connection, place.player_id), place.excluded)
        if given is not None and given.round.id == dealt.id and self._is_fresh(given, at):
            fresh = replace(given, edition=entry.edition, visitor=visitor)
        else:
            fresh = self._give(dealt, entry, visitor, at)
            metrics.rounds.labels("alike" if dealt.is_alike else "unlike").inc()
        self._given[name] = fresh
        self._given.move_to_end(name)
        while len(self._given) > REMEMBERED:
            self._given.popitem(last=False)
        return fresh

    def _is_fresh(self, given: Dealt, at: datetime) -> bool:
        # One that is about to expire is sealed anew: nobody can read two cards in no time.
        return given.expires_at - at > self._life / 8

    def _place(
        self, connection: Connection, visitor: Visitor, entry: Entry, opened: SealedRound | None
    ) -> tuple[Visitor, _Place]:
        archive_id = entry.archive.id
        standing = seats.standing(connection, visitor.key, archive_id, MODE)
        if standing is None and visitor.has_cookie and players.were_forgotten(connection, [visitor.key]):
            visitor = replace(visitor, key=players.new_key(), stamps={}, has_cookie=False)
            opened = None
        row = standing.seat if standing else None
        if row is None:
            stamp = visitor.stamps.get(archive_id, entry.shelf.stamp)
            visitor = replace(visitor, stamps={**visitor.stamps, archive_id: stamp})
            seat, next_stamp = Seat(visitor.key, archive_id, MODE, 0, 0, stamp), stamp
        else:
            seat = Seat(visitor.key, archive_id, MODE, row.position, row.again, row.stamp)
            next_stamp = row.next_stamp
        place = _Place(seat, standing.player_id if standing else None)
        if opened is None:
            return visitor, place
        return visitor, _after(place, opened, next_stamp)

    def _past(self, connection: Connection, player_id: int | None) -> Any:
        def met(samples: Sequence[int]) -> set[int]:
            return set() if player_id is None else shelf.met(connection, player_id, samples)

        return met

    def _give(self, dealt: Round, entry: Entry, visitor: Visitor, at: datetime) -> Dealt:
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        token, expires_at = self._seal.close(dealt, at), at + self._life
        archive = entry.archive
        body: dict[str, Any] = {
            "round": token,
            "archive": {"slug": archive.slug, "handle": archive.handle, "name": archive.name},
            "cards": [{"text": text} for text in dealt.cards],
            "expires_at": expires_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
        if dealt.repeat:
            body["repeat"] = True
        return Dealt(entry, dealt, token, expires_at, json.dumps(body).encode(), entry.edition, visitor)


def _after(place: _Place, opened: SealedRound, next_stamp: int) -> _Place:
    """The place after an open round; if that round was answered meanwhile, the player's open place."""
    seat = place.seat
    due = seat.again if opened.repeat else seat.position
    if opened.start < due:
        return place
    if opened.start > due:
        raise Problem(409, "out-of-turn", "two rounds can be open at once: answer the first of them")
    if opened.repeat:
        seat = replace(seat, again=opened.position + 1, stamp=next_stamp)
    else:
        seat = replace(seat, position=opened.position + 1, stamp=next_stamp)
    return replace(place, seat=seat, excluded=(opened.sample_id,))
