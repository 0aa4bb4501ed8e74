"""Removals: an archive leaves with all that belongs to it; a day before that it is only hidden, and can come back."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.sql.elements import ColumnElement

from app.db.tables import (
    archives,
    arms,
    canaries,
    class_members,
    class_rounds,
    classes,
    decisions,
    generators,
    guesses,
    holds,
    imports,
    jobs,
    label_sets,
    label_tallies,
    labels,
    remarks,
    restocks,
    samples,
    scores,
    screenings,
    seats,
    set_cards,
    set_players,
    set_scores,
    set_seats,
    sets,
    tallies,
    tweets,
)

BATCH = 500
UNDO = timedelta(days=1)  # that a deleted archive can be taken back

# What hangs on a guess, and goes before it.
OF_GUESSES = (labels, remarks)  # what goes with a guess


def hide(connection: Connection, archive_id: int, at: datetime | None) -> None:
    """Delete an archive (from `at` on it is nowhere to be seen), or with None take that back."""
    raised = {"deleted_at": at, "stamp": archives.c.stamp + 1}
    connection.execute(update(archives).where(archives.c.id == archive_id).values(raised))


def deleted(connection: Connection) -> list[tuple[int, str, datetime]]:
    """Archives that were deleted and can still come back: id, slug, when."""
    query = select(archives.c.id, archives.c.slug, archives.c.deleted_at).where(archives.c.deleted_at.is_not(None))
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def deleted_slug(connection: Connection, archive_id: int) -> str | None:
    """The slug of an archive that was deleted."""
    query = select(archives.c.slug).where(archives.c.id == archive_id, archives.c.deleted_at.is_not(None))
    return connection.scalar(query)


def is_gone(connection: Connection, slug: str) -> bool:
    """Whether no archive has that slug, deleted or not."""
    return connection.scalar(select(archives.c.id).where(archives.c.slug == slug)) is None


def can_come_back(connection: Connection, archive_id: int, at: datetime) -> bool:
    """Whether an archive was deleted less than a day ago: later, part of it may be gone already."""
    when = connection.scalar(select(archives.c.deleted_at).where(archives.c.id == archive_id))
    return when is not None and at - when <= UNDO


def what_goes(connection: Connection, archive_id: int) -> dict[str, int]:
    """What would go with an archive: figures to be shown before it is deleted."""

    def count(table: Table) -> int:
        return connection.scalar(select(func.count()).select_from(table).where(table.c.archive_id == archive_id)) or 0

    played = connection.scalar(select(func.sum(tallies.c.guesses)).where(tallies.c.archive_id == archive_id))
    found = {"tweets": tweets, "samples": samples, "generators": generators}
    return {name: count(table) for name, table in found.items()} | {"guesses with their labels": int(played or 0)}


def remove_batch(connection: Connection, archive_id: int) -> int:
    """Remove some rows of a deleted archive, the archive itself last; how many, 0 when nothing is left."""
    of_archive = select(guesses.c.id).where(guesses.c.archive_id == archive_id).order_by(guesses.c.id).limit(BATCH)
    ids = list(connection.scalars(of_archive))
    if ids:
        for table in OF_GUESSES:
            connection.execute(delete(table).where(table.c.guess_id.in_(ids)))
        return connection.execute(delete(guesses).where(guesses.c.id.in_(ids))).rowcount
    if removed := _remove_classes(connection, archive_id):
        return removed
    of_sets = select(sets.c.id).where(sets.c.archive_id == archive_id)
    for table in (set_cards, set_seats, set_scores):
        connection.execute(delete(table).where(table.c.set_id.in_(of_sets)))
    connection.execute(delete(sets).where(sets.c.archive_id == archive_id))
    for table in (samples, restocks, tweets, imports):
        if removed := _some(connection, table, table.c.archive_id == archive_id):
            return removed
    removed = 0
    for table in (arms, canaries, decisions, scores, seats, tallies, label_tallies, holds, screenings):
        removed += connection.execute(delete(table).where(table.c.archive_id == archive_id)).rowcount
    connection.execute(update(generators).where(generators.c.archive_id == archive_id).values(parent_id=None))
    learned = select(label_sets.c.id).where(label_sets.c.archive_id == archive_id)
    removed += connection.execute(delete(set_players).where(set_players.c.label_set_id.in_(learned))).rowcount
    for table in (generators, label_sets):
        removed += connection.execute(delete(table).where(table.c.archive_id == archive_id)).rowcount
    connection.execute(update(jobs).where(jobs.c.archive_id == archive_id).values(archive_id=None))
    return removed + connection.execute(delete(archives).where(archives.c.id == archive_id)).rowcount


def _remove_classes(connection: Connection, archive_id: int) -> int:
    ids = list(connection.scalars(select(classes.c.id).where(classes.c.archive_id == archive_id)))
    for table in (class_members, class_rounds) if ids else ():
        connection.execute(delete(table).where(table.c.class_id.in_(ids)))
    return connection.execute(delete(classes).where(classes.c.id.in_(ids))).rowcount if ids else 0


def _some(connection: Connection, table: Table, where: ColumnElement[bool]) -> int:
    some = select(table.c.id).where(where).limit(BATCH)
    return connection.execute(delete(table).where(table.c.id.in_(some))).rowcount
