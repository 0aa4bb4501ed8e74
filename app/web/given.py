"""Given rounds: each is sealed once, and given again word for word to whoever asks again."""

from __future__ import annotations

import json
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.db.archives import Archive
from app.db.session import now
from app.game.rounds import Round
from app.web import metrics
from app.web.entries import Entry
from app.web.identity import Visitor
from app.web.sealed import RoundSeal

REMEMBERED = 2_000  # rounds

# Player, archive and place: whatever a round hangs on but its cards.
Name = tuple[object, ...]


class Dealt(NamedTuple):
    """An open round as it was given, whom it was given to, and how that player stands.

    Attributes:
        played: rounds answered before: in the set, or in this archive and mode.
        of: rounds of the set; 0 where there is no end.
    """

    archive: Archive  # not its entry: as many shelves as there were since would be kept
    round: Round
    token: str
    expires_at: datetime
    body: bytes
    edition: int
    visitor: Visitor
    played: int = 0
    spotted: int = 0
    of: int = 0


class GivenRounds:
    """The latest rounds that were given, by name."""

    def __init__(self, seal: RoundSeal, life: timedelta) -> None:
        """`life`: how long a round can be guessed at."""
        self._seal = seal
        self._life = life
        self.rounds: OrderedDict[Name, Dealt] = OrderedDict()

    def again(self, name: Name, entry: Entry) -> Dealt | None:
        """The round of that name, to be given again as it was; None where it is to be dealt, or dealt anew."""
        given = self.rounds.get(name)
        if given is None or given.edition != entry.edition or not self._is_fresh(given, now()):
            return None
        self.rounds.move_to_end(name)
        return given

    def give(self, name: Name, dealt: Round, entry: Entry, visitor: Visitor) -> Dealt:
        """A round that was dealt just now: in its old words where it is the same still, sealed anew otherwise."""
        given, at = self.rounds.get(name), now()
        if given is not None and given.round.id == dealt.id and self._is_fresh(given, at):
            fresh = given._replace(edition=entry.edition, archive=entry.archive)
        else:
            fresh = self._sealed(dealt, entry, visitor, at)
            metrics.round_of("alike" if dealt.is_alike else "unlike").inc()
        self.rounds[name] = fresh
        self.rounds.move_to_end(name)
        while len(self.rounds) > REMEMBERED:
            self.rounds.popitem(last=False)
        return fresh

    def _is_fresh(self, given: Dealt, at: datetime) -> bool:
        # One that is about to expire is sealed anew: nobody can read two cards in no time.
        return given.expires_at - at > self._life / 8

    def _sealed(self, dealt: Round, entry: Entry, visitor: Visitor, at: datetime) -> Dealt:
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        token, expires_at = self._seal.close(dealt, at), at + self._life
        archive = entry.archive
        body: dict[str, Any] = {
            "round": token,
            "archive": {"slug": archive.slug, "handle": archive.handle, "name": archive.name},
            "cards": [{"text": text} for text in dealt.cards],
            "mode": dealt.mode,
            "expires_at": expires_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
        if dealt.repeat:
            body["repeat"] = True
        return Dealt(
            archive=archive,
            round=dealt,
            token=token,
            expires_at=expires_at,
            body=json.dumps(body).encode(),
            edition=entry.edition,
            visitor=visitor,
        )
