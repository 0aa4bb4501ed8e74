"""Results: what came of a set, beside everybody's; and the text that says so without giving a card away."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from app.db import players, records, sets
from app.db.records import Answered
from app.db.session import reading
from app.db.sets import Sitting
from app.game.sets import FOOLED, SPOTTED, TEN, FixedSet, following
from app.web.apart import apart
from app.web.entries import Entry
from app.web.identity import Visitor
from app.web.problems import Problem
from app.web.services import Services
from app.web.ways import Way

ENOUGH = 5  # other players before one is compared with them
# Told apart by their form as well as by their colour.
SQUARES = {SPOTTED: "🟩", FOOLED: "🔶", "-": "⬜"}


@dataclass(frozen=True)
class Result:
    """How a player stands in a set, and once they are through what everybody else did.

    Attributes:
        rounds: the player's own, in order.
        spread: how many players reached each score.
    """

    way: Way
    entry: Entry
    kind: str
    verdicts: str
    of: int
    is_through: bool
    player_id: int | None = None
    made_by: int | None = None
    rounds: list[Answered] = field(default_factory=list)
    spread: dict[int, int] = field(default_factory=dict)
    sittings: list[Sitting] = field(default_factory=list)

    @property
    def spotted(self) -> int:
        """In how many rounds the tweet was spotted."""
        return self.verdicts.count(SPOTTED)

    @property
    def players(self) -> int:
        """Who played it to its end."""
        return sum(self.spread.values())

    @property
    def average(self) -> float | None:
        """How many rounds they spotted, on average."""
        return sum(score * many for score, many in self.spread.items()) / self.players if self.players else None

    @property
    def beaten(self) -> float | None:
        """The share of the other players that spotted fewer; None below five of them."""
        others = self.players - 1
        fewer = sum(many for score, many in self.spread.items() if score < self.spotted)
        return fewer / others if others >= ENOUGH else None

    @property
    def hardest(self) -> Answered | None:
        """Of the samples that fooled the player the one that fools most."""
        fooled = [each for each in self.rounds if each.verdict == "fooled"]
        return max(fooled, key=lambda each: (each.fooled / max(1, each.guesses), each.guesses), default=None)

    def share(self, address: str) -> str:
        """What to send to a friend: the score, a square for each round, the link."""
        unit = self.entry.archive.unit
        what = f"Daily {self.way.name}: " if self.kind == "daily" else ""
        squares = "".join(SQUARES[verdict] for verdict in self.verdicts)
        return f"Which {unit} is real? {what}I spotted {self.spotted} of {len(self.verdicts)}\n{squares}\n{address}"


async def of_set(house: Services, visitor: Visitor, way: Way) -> Result:
    """What came of a daily or a challenge.

    Raises:
        Problem: 404; there is none of that name.
    """
    if way.mode == "challenge":
        fixed = await house.fixed.challenge(way.name)
        entry = house.catalogue.home_of(fixed)
    else:
        entry = house.catalogue.find(way.slug, visitor.invites)
        if entry is None:
            raise Problem(404, "no-archive", f"there is no archive {way.slug}: GET /api/archives lists them")
        fixed = await house.fixed.daily(entry, way.name)
    if entry is None or not entry.admits(visitor.invites):
        raise Problem(404, "not-found", "this archive is gone")
    home = entry

    def read() -> Result:
        with reading(house.engine) as connection:
            return _read_set(connection, visitor, home, fixed)

    return await apart(read)


def _read_set(connection: Connection, visitor: Visitor, entry: Entry, fixed: FixedSet) -> Result:
    way = Way(fixed.mode, entry.archive.slug, fixed.name)
    standing = sets.standing(connection, visitor.key, fixed.id)
    seat = standing.seat if standing else None
    is_through = following(fixed, seat.place if seat else 0, entry.hidden_tweets, entry.hidden_samples) is None
    if standing is None or seat is None:
        if is_through:
            raise Problem(404, "not-found", "every round of this set was taken out before you began")
        return Result(way, entry, fixed.mode, "", len(fixed.pairs), False)
    spread = sets.spread(connection, fixed.id) if is_through else {}
    if is_through and seat.finished_at is None:
        # What was left of the set was taken out since their last guess, so that none counted them.
        spread[seat.spotted] = spread.get(seat.spotted, 0) + 1
    return Result(
        way,
        entry,
        fixed.mode,
        seat.verdicts,
        len(fixed.pairs),
        is_through,
        standing.player_id,
        fixed.made_by,
        records.in_set(connection, standing.player_id, fixed) if is_through else [],
        spread,
        sets.sittings(connection, fixed.id, standing.player_id) if is_through and fixed.mode == "challenge" else [],
    )


async def of_first_ten(house: Services, visitor: Visitor, slug: str) -> Result:
    """What came of the visitor's first ten rounds in an archive.

    Raises:
        Problem: 404; there is no such archive.
    """
    entry = house.catalogue.find(slug, visitor.invites)
    if entry is None:
        raise Problem(404, "no-archive", f"there is no archive {slug}: GET /api/archives lists them")
    archive = entry.archive

    def read() -> Result:
        with reading(house.engine) as connection:
            player = players.find(connection, visitor.key)
            rounds = records.first_ten(connection, player.id, archive.id) if player else []
            counted = sets.find(connection, sets.FIRST, sets.FIRST, archive.id)
            is_through = len(rounds) == TEN
            return Result(
                Way("endless", archive.slug),
                entry,
                sets.FIRST,
                records.verdicts_of(rounds),
                TEN,
                is_through,
                player.id if player else None,
                rounds=rounds,
                spread=sets.spread(connection, counted.id) if counted and is_through else {},
            )

    return await apart(read)
