"""Rollups: what the dashboard shows, counted while it happens; no page of it scans guesses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from app.db.tables import attendance, label_tallies, tallies
from app.db.upserts import add
from app.game.alarms import alarm

SECONDS_PER_DAY = 86_400
REAL = "real"
WEEK = 7  # days


class LabelKey(NamedTuple):
    """What labels are counted by; `reason` is "" where accepted."""

    archive_id: int
    day: int
    status: str
    reason: str


@dataclass
class Attending:
    """Players of a day."""

    players: int = 0
    newcomers: int = 0


@dataclass(frozen=True)
class Played:
    """What came of one generator's guesses on one day, by real players."""

    day: int
    archive_id: int
    generator_id: int
    guesses: int
    fooled: int
    accepted: int


def day_of(moment: datetime) -> int:
    """The day of a moment: whole days since 1970, UTC."""
    return int(moment.timestamp() // SECONDS_PER_DAY)


def attend(connection: Connection, counts: Mapping[tuple[int, str], Attending]) -> None:
    """Add players to their days, in a fixed order."""
    rows = [{"day": day, "crowd": crowd} | vars(counts[day, crowd]) for day, crowd in sorted(counts)]
    add(connection, attendance, ("day", "crowd"), ("players", "newcomers"), rows)


def count_labels(connection: Connection, counts: Mapping[LabelKey, int]) -> None:
    """Add to (or, below zero, take from) the counts of labels, in a fixed order."""
    rows = [key._asdict() | {"labels": counts[key]} for key in sorted(counts) if counts[key]]
    add(connection, label_tallies, LabelKey._fields, ("labels",), rows)


def attended(connection: Connection, since: int) -> dict[int, Attending]:
    """Real players by day, from the day `since` on."""
    query = select(attendance.c.day, attendance.c.players, attendance.c.newcomers)
    found = connection.execute(query.where(attendance.c.day >= since, attendance.c.crowd == REAL))
    return {day: Attending(players, newcomers) for day, players, newcomers in found}


def played(connection: Connection, since: int, archive_id: int | None = None, crowd: str = REAL) -> list[Played]:
    """Guesses of a crowd by day and generator, from the day `since` on, in that order."""
    keys = (tallies.c.day, tallies.c.archive_id, tallies.c.generator_id)
    sums = (func.sum(tallies.c.guesses), func.sum(tallies.c.fooled), func.sum(tallies.c.accepted))
    query = select(*keys, *sums).where(tallies.c.day >= since, tallies.c.crowd == crowd).group_by(*keys).order_by(*keys)
    if archive_id is not None:
        query = query.where(tallies.c.archive_id == archive_id)
    return [Played(*map(int, row)) for row in connection.execute(query)]


def labels_by_status(
    connection: Connection, since: int = 0, archive_id: int | None = None
) -> dict[tuple[int, str, str], int]:
    """(day, status, reason) -> labels, from the day `since` on."""
    keys = (label_tallies.c.day, label_tallies.c.status, label_tallies.c.reason)
    query = select(*keys, func.sum(label_tallies.c.labels)).where(label_tallies.c.day >= since).group_by(*keys)
    if archive_id is not None:
        query = query.where(label_tallies.c.archive_id == archive_id)
    found: Counter[tuple[int, str, str]] = Counter()
    for day, status, reason, labels in connection.execute(query):
        found[day, status, reason] += int(labels)
    return {key: labels for key, labels in sorted(found.items()) if labels}


def label_alarm(labels: Mapping[tuple[int, str, str], int], today: int) -> str | None:
    """One line where the share of labels that do not teach is far higher this week than before.

    `labels` are as `labels_by_status` gives them; those of simulated players say nothing of the game.
    """
    sums = [0, 0, 0, 0]
    for (day, status, reason), count in labels.items():
        if reason in ("simulated", "not simulated"):
            continue
        place = 0 if day > today - WEEK else 2
        sums[place] += count * (status != "accepted")
        sums[place + 1] += count
    return alarm(*sums)
