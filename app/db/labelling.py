"""Labelling: labels as a person looks through them, and reads them anew; guesses themselves never change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, update

from app.db import rollups
from app.db.rollups import LabelKey, day_of
from app.db.tables import generators, guesses, label_sets, labels, players, samples
from app.game.labels import BY_HAND

WINDOW = 20_000  # guesses that one page looks through: it answers in time whatever the filter
BATCH = 500


@dataclass(frozen=True)
class Wanted:
    """Which labels to show."""

    archive_id: int | None = None
    generator_id: int | None = None
    status: str = ""
    reason: str = ""
    verdict: str = ""
    before_id: int | None = None
    limit: int = 50


@dataclass(frozen=True)
class Page:
    """Labels that were found, and how far was looked."""

    rows: list[Row[Any]]
    first_id: int  # the oldest guess that was looked at
    older: int | None  # where the next page begins; None at the end


def page(connection: Connection, wanted: Wanted) -> Page:
    """The newest labels that fit, out of the 20,000 guesses before `before_id`."""
    top = wanted.before_id or (connection.scalar(select(func.max(guesses.c.id))) or 0) + 1
    floor = max(0, top - WINDOW)
    query = _rows().where(labels.c.guess_id < top, labels.c.guess_id >= floor)
    for column, value in (
        (guesses.c.archive_id, wanted.archive_id),
        (guesses.c.generator_id, wanted.generator_id),
        (labels.c.status, wanted.status),
        (labels.c.reason, wanted.reason),
        (guesses.c.verdict, wanted.verdict),
    ):
        if value:
            query = query.where(column == value)
    rows = list(connection.execute(query.order_by(labels.c.guess_id.desc()).limit(wanted.limit)))
    is_full = len(rows) == wanted.limit
    return Page(rows, floor, rows[-1].id if is_full else (floor or None))


def of_player(connection: Connection, player_id: int, limit: int = 500) -> list[Row[Any]]:
    """A player's newest guesses with their labels."""
    return list(
        connection.execute(_rows().where(guesses.c.player_id == player_id).order_by(guesses.c.id.desc()).limit(limit))
    )


def player(connection: Connection, player_id: int) -> Row[Any] | None:
    """The row of a player."""
    return connection.execute(select(players).where(players.c.id == player_id)).first()


def ids_of_player(connection: Connection, player_id: int, status_not: str, after: int) -> list[int]:
    """The next guesses of a player whose labels do not have that status."""
    query = select(guesses.c.id).join(labels, labels.c.guess_id == guesses.c.id)
    query = query.where(guesses.c.player_id == player_id, guesses.c.id > after, labels.c.status != status_not)
    return list(connection.scalars(query.order_by(guesses.c.id).limit(BATCH)))


def relabel(connection: Connection, ids: Sequence[int], status: str, at: datetime) -> int:
    """Read labels anew, by hand; how many that changed. The counts move with them."""
    query = select(guesses.c.id, guesses.c.archive_id, guesses.c.guessed_at, labels.c.status, labels.c.reason)
    query = query.join(labels, labels.c.guess_id == guesses.c.id).where(
        guesses.c.id.in_(ids), labels.c.status != status
    )
    reason = None if status == "accepted" else BY_HAND
    moved: Counter[LabelKey] = Counter()
    changed = []
    for row in connection.execute(query):
        day = day_of(row.guessed_at)
        moved[LabelKey(row.archive_id, day, row.status, row.reason or "")] -= 1
        moved[LabelKey(row.archive_id, day, status, reason or "")] += 1
        changed.append(row.id)
    if changed:
        values = {"status": status, "reason": reason, "decided_at": at, "decided_by": "admin"}
        connection.execute(update(labels).where(labels.c.guess_id.in_(changed)).values(values))
        rollups.count_labels(connection, moved)
    return len(changed)


def learned_from(connection: Connection, player_id: int) -> list[Row[Any]]:
    """Generators whose label set reaches to a label of this player that was accepted: they may have learned from it."""
    first = (
        select(guesses.c.archive_id, func.min(guesses.c.id).label("first"))
        .join(labels, labels.c.guess_id == guesses.c.id)
        .where(guesses.c.player_id == player_id, labels.c.status == "accepted")
        .group_by(guesses.c.archive_id)
        .subquery()
    )
    query = (
        select(generators.c.id, generators.c.number, generators.c.archive_id)
        .join(label_sets, label_sets.c.id == generators.c.label_set_id)
        .join(first, first.c.archive_id == generators.c.archive_id)
        .where(label_sets.c.cutoff_guess_id >= first.c.first)
    )
    return list(connection.execute(query))


def export(connection: Connection, archive_id: int) -> Iterator[Row[Any]]:
    """Every guess of an archive with its label, the oldest first, streamed."""
    query = _rows().where(guesses.c.archive_id == archive_id).order_by(guesses.c.id)
    yield from connection.execute(query, execution_options={"yield_per": 1000})


def _rows() -> Select[Any]:
    columns = (
        *(guesses.c.id, guesses.c.player_id, guesses.c.archive_id, guesses.c.generator_id, guesses.c.sample_id),
        *(guesses.c.tweet_id, guesses.c.verdict, guesses.c.pick, guesses.c.tweet_index, guesses.c.mode, guesses.c.arm),
        *(guesses.c.arm_probability, guesses.c.card_probability, guesses.c.dealt_at, guesses.c.guessed_at),
        *(labels.c.status, labels.c.reason, generators.c.number, players.c.simulated, samples.c.text.label("sample")),
    )
    return (
        select(*columns)
        .select_from(guesses)
        .join(labels, labels.c.guess_id == guesses.c.id)
        .join(players, players.c.id == guesses.c.player_id)
        .join(generators, generators.c.id == guesses.c.generator_id)
        .join(samples, samples.c.id == guesses.c.sample_id)
    )
