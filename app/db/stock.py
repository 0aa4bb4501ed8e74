"""Stock: what the dashboard asks of shelves, decks and jobs, each answered from an index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Subquery, func, select

from app.db.imports import deck_end
from app.db.jobs import OPEN, Job, jobs_of
from app.db.samples import on_shelf
from app.db.tables import jobs, samples

MOST = 200  # failed jobs that one look counts


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


def failed_jobs(connection: Connection, since: datetime, limit: int = 20) -> list[Job]:
    """Jobs that failed since then, the newest first."""
    failed = _newest_failed(limit)
    query = select(jobs).join(failed, failed.c.id == jobs.c.id).where(jobs.c.finished_at >= since)
    return jobs_of(connection.execute(query.order_by(jobs.c.id.desc())))


def count_failed(connection: Connection, since: datetime) -> int:
    """How many jobs failed since then (at most 200 are counted)."""
    failed = _newest_failed(MOST)
    return connection.scalar(select(func.count()).select_from(failed).where(failed.c.finished_at >= since)) or 0


def _newest_failed(limit: int) -> Subquery:
    query = select(jobs.c.id, jobs.c.finished_at).where(jobs.c.state == "failed")
    return query.order_by(jobs.c.id.desc()).limit(limit).subquery()


def open_jobs(connection: Connection, limit: int) -> list[Job]:
    """Jobs that are queued or running, the oldest first."""
    query = select(jobs).where(jobs.c.state.in_(OPEN)).order_by(jobs.c.id).limit(limit)
    return jobs_of(connection.execute(query))


def count_queued(connection: Connection) -> int:
    """How many jobs wait for a worker."""
    return connection.scalar(select(func.count()).select_from(jobs).where(jobs.c.state == "queued")) or 0
