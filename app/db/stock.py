"""Stock: what the dashboard asks of shelves, decks and jobs, each answered from an index."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from app.db.imports import deck_end
from app.db.jobs import Job, find
from app.db.samples import on_shelf
from app.db.tables import jobs, samples


@dataclass(frozen=True)
class Shelf:
    """What may be dealt of an archive now."""

    samples: int
    guesses_left: int  # until all of them have retired


def shelf(connection: Connection, archive_id: int, retires_after: int) -> Shelf:
    """The archive's shelf; a sample retires after `retires_after` guesses."""
    query = select(func.count(), func.coalesce(func.sum(samples.c.exposures), 0))
    row = connection.execute(query.where(samples.c.archive_id == archive_id, on_shelf())).one()
    return Shelf(row[0], max(0, row[0] * retires_after - int(row[1])))


def deck_size(connection: Connection, archive_id: int) -> int:
    """How many tweets the archive keeps for its deck (some of them may not be dealt)."""
    return deck_end(connection, archive_id)


def failed_jobs(connection: Connection, limit: int = 20) -> list[Job]:
    """Jobs that failed, the newest first."""
    query = select(jobs.c.id).where(jobs.c.state == "failed").order_by(jobs.c.id.desc()).limit(limit)
    return [job for job_id in connection.scalars(query) if (job := find(connection, job_id)) is not None]
