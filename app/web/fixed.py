"""Fixed sets in memory: finds the daily ten and challenges, and makes a day's ten when they are first asked for."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from app.db import sets
from app.db.session import now, reading, writing
from app.game.rounds import ShelfEmpty
from app.game.sets import TEN, FixedSet, compose
from app.web import problems
from app.web.apart import apart
from app.web.entries import Entry
from app.web.problems import Problem
from app.web.ways import is_date

REMEMBERED = 500  # sets


class FixedSets:
    """Sets never change once they are made: what was read once is kept."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = now) -> None:
        self._engine = engine
        self._clock = clock
        self._known: OrderedDict[tuple[str, object, str], FixedSet] = OrderedDict()

    def today(self) -> str:
        """The UTC date, as today's daily is named."""
        return self._clock().astimezone(UTC).date().isoformat()

    def midnight(self) -> datetime:
        """When the next daily begins."""
        at = self._clock().astimezone(UTC)
        return at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)

    async def daily(self, entry: Entry, day: str) -> FixedSet:
        """The daily of an archive; of today ("" or its date) it is made if nobody asked for it before.

        Raises:
            Problem: 404; no day, one to come, one on which nobody played, or fewer than ten cards at all. 503: too few
                at the moment.
        """
        today = self.today()
        day = day or today
        name = ("daily", entry.archive.mark, day)
        known = self._known.get(name)
        if known is not None:
            return known
        if not is_date(day) or day > today:
            raise Problem(404, "not-found", f"there is no daily of {day} yet" if is_date(day) else "that is no date")

        def find() -> FixedSet | None:
            with reading(self._engine) as connection:
                found = sets.find(connection, "daily", day, entry.archive.id)
            return found or (self._make(entry, day) if day == today else None)

        found = await apart(find)
        if found is None:
            raise Problem(404, "not-found", f"nobody played a daily on {day}")
        return self._keep(name, found)

    async def challenge(self, name: str) -> FixedSet:
        """The challenge of that name.

        Raises:
            Problem: 404.
        """
        key = ("challenge", 0, name)
        known = self._known.get(key)
        if known is not None:
            return known

        def find() -> FixedSet | None:
            with reading(self._engine) as connection:
                return sets.find(connection, "challenge", name)

        found = await apart(find) if len(name) <= 32 else None
        if found is None:
            raise Problem(404, "not-found", "there is no such challenge")
        return self._keep(key, found)

    def _make(self, entry: Entry, day: str) -> FixedSet | None:
        try:
            with reading(self._engine) as connection:
                drawn = compose(
                    entry.deck,
                    entry.shelf,
                    secrets.token_bytes(16),
                    lambda ids: sets.worn(connection, ids) | entry.kept_samples,
                    lambda ids: sets.known(connection, ids) | entry.kept_tweets,
                )
        except ShelfEmpty:
            raise _no_ten(entry) from None
        with writing(self._engine) as connection:
            # Another process may have been quicker: then its ten are the day's.
            sets.make(connection, entry.archive.id, "daily", day, sets.cards_of(drawn), self._clock())
            return sets.find(connection, "daily", day, entry.archive.id)

    def _keep(self, name: tuple[str, object, str], found: FixedSet) -> FixedSet:
        self._known[name] = found
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found


def _no_ten(entry: Entry) -> Problem:
    """Why an archive has no ten pairs for a day."""
    if not entry.is_taught:
        return problems.untaught()
    written, dealt = entry.shelf.level(), entry.deck.dealt(TEN)
    if not dealt:
        return problems.no_card(entry.archive, len(entry.deck))
    if dealt == TEN and written < TEN:
        words = f"it has written {written} cards for now, and a daily needs {TEN}: try again in a moment"
        return problems.shelf_empty(words)
    return problems.no_daily(entry.archive, dealt, TEN)
