"""Rooms: what a class shows now, read from the database a few times a second however many ask."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from app.db import classes, jobs, seats
from app.db.classes import Asked, Member, Picked, Room
from app.db.jobs import Job
from app.db.session import reading
from app.game.classroom import Change, Phase, change, round_id
from app.game.deck import Tweet
from app.game.rounds import Round

FRESH_SECONDS = 0.4  # that one look serves everybody
# After the last look at a room: a process whose members have gone to another one does not see it end.
EXEMPT_SECONDS = 60.0


@dataclass(frozen=True)
class Scene:
    """A class at one moment."""

    room: Room
    members: list[Member]
    rounds: list[Asked]
    picks: list[Picked]
    job: Job | None
    read_at: float

    @property
    def asked(self) -> Asked | None:
        """The round that is on the wall."""
        here = (self.room.leg, self.room.number)
        return next((asked for asked in self.rounds if (asked.leg, asked.number) == here), None)

    @property
    def is_taken_back(self) -> bool:
        """Whether a card of the round on the wall was hidden since: nobody is shown it, and nobody picks any more."""
        return self.asked is not None and self.asked.is_hidden

    def phase(self, at: datetime) -> Phase:
        """What is going on; a round that was taken back is over."""
        phase = self.room.where.phase(at)
        return "revealed" if phase == "asking" and self.is_taken_back else phase

    def takes(self, at: datetime) -> bool:
        """Whether a pick is still taken."""
        return self.room.where.takes(at) and not self.is_taken_back

    def member(self, key: bytes) -> Member | None:
        """The member with that key."""
        return next((member for member in self.members if member.key == key), None)

    def here(self) -> dict[int, Picked]:
        """Who picked what in the round on the wall."""
        place = (self.room.leg, self.room.number)
        return {picked.player_id: picked for picked in self.picks if (picked.leg, picked.number) == place}

    def histogram(self) -> tuple[int, int]:
        """How many picked the first card, and the second."""
        counted = Counter(picked.pick for picked in self.here().values())
        return counted[0], counted[1]

    def board(self, at: datetime) -> list[tuple[Member, int, int]]:
        """Members with what they spotted and how much they picked, the best first; an open round does not count yet."""
        open_round = (self.room.leg, self.room.number) if self.phase(at) == "asking" else None
        told = [picked for picked in self.picks if (picked.leg, picked.number) != open_round]
        spotted = Counter(picked.player_id for picked in told if picked.verdict == "spotted")
        made = Counter(picked.player_id for picked in told)
        lines = [(member, spotted[member.player_id], made[member.player_id]) for member in self.members]
        return sorted(lines, key=lambda line: (-line[1], line[2]))

    def change(self) -> Change | None:
        """What the training changed, once both legs were played."""
        return change((p.leg, p.number, p.player_id, p.verdict == "fooled") for p in self.picks)

    def fool_rate(self, leg: int) -> tuple[int, int]:
        """How often the class was fooled in a leg, of how many picks."""
        made = [picked for picked in self.picks if picked.leg == leg]
        return sum(picked.verdict == "fooled" for picked in made), len(made)


class Rooms:
    """The open rooms of this process."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds that only grow."""
        self._engine = engine
        self._clock = clock
        self._scenes: dict[str, Scene] = {}
        self._lock = threading.Lock()
        self._exempt: dict[bytes, float] = {}  # players of rooms that were open at the last look -> until when

    def exempts(self, key: bytes) -> bool:
        """Whether the player with that key is in a room that is open: one address may hold all who are."""
        return self._exempt.get(key, 0.0) > self._clock()

    def scene(self, code: str, *, anew: bool = False) -> Scene | None:
        """The class in the room with that code; None where there is none."""
        known = self._scenes.get(code)
        if known is not None and not anew and self._clock() - known.read_at < FRESH_SECONDS:
            return known
        with self._lock:
            known = self._scenes.get(code)
            if known is not None and not anew and self._clock() - known.read_at < FRESH_SECONDS:
                return known
            with reading(self._engine) as connection:
                scene = _read(connection, code, self._clock())
            if scene is None:
                return None
            self._scenes[code] = scene
            self._note_members(scene)
            return scene

    def _note_members(self, scene: Scene) -> None:
        at = self._clock()
        until = 0.0 if scene.room.ended_at else at + EXEMPT_SECONDS
        self._exempt |= {member.key: until for member in scene.members}
        self._exempt = {key: end for key, end in self._exempt.items() if end > at}
        self._scenes = {code: each for code, each in self._scenes.items() if at - each.read_at < EXEMPT_SECONDS}

    def deal(self, scene: Scene, asked: Asked, member: Member, stamp: int) -> Round:
        """The round on the wall as that member's own."""
        with reading(self._engine) as connection:
            standing = seats.standing(connection, member.key, scene.room.archive_id, "class")
            is_repeat = classes.has_met(connection, member.player_id, asked)
        seat = standing.seat if standing else None
        place = 0 if seat is None else seat.again if is_repeat else seat.position
        shorter, longer = sorted(map(len, asked.cards))
        return Round(
            id=round_id(member.key, scene.room.id, asked.leg, asked.number),
            player=member.key,
            archive_id=scene.room.archive_id,
            mode="class",
            start=place,
            position=place,
            repeat=is_repeat,
            tweet=Tweet(asked.tweet_id, asked.tweet),
            sample_id=asked.sample_id,
            sample_text=asked.sample,
            generator_id=asked.generator_id,
            arm=asked.arm,
            arm_probability=1.0,
            card_probability=asked.card_probability,
            tweet_index=asked.tweet_index,
            stamp=stamp if seat is None else seat.stamp,
            is_alike=shorter >= 0.8 * longer,
            again=is_repeat,
        )


def _read(connection: Connection, code: str, at: float) -> Scene | None:
    room = classes.find(connection, code)
    if room is None:
        return None
    return Scene(
        room,
        classes.members(connection, room.id),
        classes.rounds(connection, room.id),
        classes.picks(connection, room.id),
        None if room.job_id is None else jobs.find(connection, room.job_id),
        at,
    )
