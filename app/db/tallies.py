"""Tallies: counters kept with each guess, so that no page scans guesses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from app.db import upserts
from app.db.tables import tallies


class TallyKey(NamedTuple):
    """What a tally counts by; `day` in whole days since 1970, UTC."""

    archive_id: int
    generator_id: int
    day: int
    mode: str
    crowd: str


@dataclass
class Count:
    """What came of guesses."""

    guesses: int = 0
    fooled: int = 0
    accepted: int = 0


def add(connection: Connection, counts: Mapping[TallyKey, Count]) -> None:
    """Add to the tallies, in a fixed order."""
    rows = [key._asdict() | vars(counts[key]) for key in sorted(counts)]
    upserts.add(connection, tallies, TallyKey._fields, ("guesses", "fooled", "accepted"), rows)


def by_generator(connection: Connection, archive_id: int) -> dict[int, dict[str, Count]]:
    """For each generator of an archive, what came of its guesses, real players and each simulated one apart."""
    query = (
        select(
            tallies.c.generator_id,
            tallies.c.crowd,
            func.sum(tallies.c.guesses),
            func.sum(tallies.c.fooled),
            func.sum(tallies.c.accepted),
        )
        .where(tallies.c.archive_id == archive_id)
        .group_by(tallies.c.generator_id, tallies.c.crowd)
    )
    found: dict[int, dict[str, Count]] = {}
    for generator_id, crowd, *sums in connection.execute(query):
        found.setdefault(generator_id, {})[crowd] = Count(*map(int, sums))
    return found


def verdicts(connection: Connection, archive_id: int) -> Counter[str]:
    """Guesses of real players in an archive, and how many of them were fooled."""
    real = [
        count for crowds in by_generator(connection, archive_id).values() for c, count in crowds.items() if c == "real"
    ]
    return Counter(guesses=sum(count.guesses for count in real), fooled=sum(count.fooled for count in real))
