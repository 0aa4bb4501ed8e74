"""Overruling: labels moved away from what the rules said, and back; guesses never change, and the counts move along."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, select, update

from app.db import rollups
from app.db.rollups import LabelKey, day_of
from app.db.session import writing
from app.db.tables import guesses, labels
from app.game.labels import STATUSES, DecidedBy, Label, by_hand

BATCH = 500  # labels that one transaction moves


def overrule(connection: Connection, guess_ids: Sequence[int], label: Label, by: DecidedBy, at: datetime) -> int:
    """Let labels say something else than the rules do; how many that changed."""
    found = [row for row in _rows(connection, guess_ids) if (row.status, row.reason) != (label.status, label.reason)]
    values = {"status": label.status, "reason": label.reason, "decided_by": by, "decided_at": at}
    if by == "admin":
        values["admin_status"] = label.status
    _write(connection, [row.id for row in found], values)
    _count(connection, [(row, label.status, label.reason) for row in found])
    return len(found)


def give_back(connection: Connection, guess_ids: Sequence[int], at: datetime) -> int:
    """Let labels stand as an admin left each by hand, or else as the rules said; how many that changed."""
    found = _rows(connection, guess_ids)
    ruled = {"status": labels.c.ruled_status, "reason": labels.c.ruled_reason, "decided_by": "rules", "decided_at": at}
    _write(connection, [row.id for row in found if row.admin_status is None], ruled)
    _count(connection, [(row, row.ruled_status, row.ruled_reason) for row in found if row.admin_status is None])
    for status in STATUSES:
        left = [row.id for row in found if row.admin_status == status]
        overrule(connection, left, by_hand(status), "admin", at)
    return len(found)


def move_all(
    engine: Engine,
    player_id: int,
    which: ColumnElement[bool],
    move: Callable[[Connection, Sequence[int]], int],
    archive_id: int | None = None,
) -> int:
    """Move all labels of a player (in one archive) that are `which`, in small transactions; how many that changed."""
    moved, last = 0, 0
    while True:
        query = select(guesses.c.id).join(labels, labels.c.guess_id == guesses.c.id)
        query = query.where(guesses.c.player_id == player_id, guesses.c.id > last, which)
        if archive_id is not None:
            query = query.where(guesses.c.archive_id == archive_id)
        with writing(engine) as connection:
            # Locked, they are still `which`: somebody else may decide on the same ones.
            ids = list(connection.scalars(query.order_by(guesses.c.id).limit(BATCH).with_for_update(of=labels)))
            if not ids:
                return moved
            moved, last = moved + move(connection, ids), ids[-1]


def _rows(connection: Connection, guess_ids: Sequence[int]) -> list[Row[Any]]:
    stands = (labels.c.status, labels.c.reason, labels.c.admin_status, labels.c.ruled_status, labels.c.ruled_reason)
    query = select(guesses.c.id, guesses.c.archive_id, guesses.c.guessed_at, *stands)
    query = query.join(labels, labels.c.guess_id == guesses.c.id).where(guesses.c.id.in_(guess_ids))
    return list(connection.execute(query.order_by(guesses.c.id).with_for_update(of=labels)))


def _write(connection: Connection, guess_ids: Sequence[int], values: dict[str, Any]) -> None:
    if guess_ids:
        connection.execute(update(labels).where(labels.c.guess_id.in_(guess_ids)).values(values))


def _count(connection: Connection, moves: Sequence[tuple[Row[Any], str, str | None]]) -> None:
    moved: Counter[LabelKey] = Counter()
    for row, status, reason in moves:
        day = day_of(row.guessed_at)
        moved[LabelKey(row.archive_id, day, row.status, row.reason or "")] -= 1
        moved[LabelKey(row.archive_id, day, status, reason or "")] += 1
    rollups.count_labels(connection, moved)
