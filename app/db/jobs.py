"""Jobs: asked for by anyone as a row, claimed by one worker at a time, told on by its progress.

A claim is the pair (worker, attempt). Every later word on a job names its claim, and a worker that lost the job to
another (it looked dead) finds that its words no longer count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, not_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from app.db.tables import archives, jobs, workers

OPEN = ("queued", "running")
TRAININGS = ("train", "retrain", "class")
COMMAND_LINE = "command line"  # asked_by of a job that a command runs by itself
RESTS = (0.0, 5.0, 20.0, 80.0, 320.0)  # seconds before another attempt, after one, two, … in a row that were in vain


@dataclass(frozen=True)
class Claim:
    """One worker's hold on one job."""

    job_id: int
    worker: str
    attempt: int


@dataclass(frozen=True)
class Job:
    """A row of `jobs`."""

    id: int
    kind: str
    archive_id: int | None
    arguments: Mapping[str, Any]
    asked_by: str
    wanted: str  # run or cancel
    state: str  # queued, running, done, failed, cancelled, skipped
    step: str | None
    progress: Mapping[str, Any]
    outcome: str | None
    worker: str | None
    attempts: int
    lost: int  # attempts in a row that died before they stored anything
    not_before: datetime | None  # when the next attempt may be made, after such ones
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_given_up(self) -> bool:
        """Whether an attempt that is lost now is one too many: it may be the job that takes its worker down."""
        return self.lost >= len(RESTS)

    def next_attempt(self, at: datetime) -> datetime:
        """When another one may be made, where this one is lost at a moment; of one that is not given up."""
        return at + timedelta(seconds=RESTS[self.lost])

    @property
    def claim(self) -> Claim:
        """The hold that its worker has on it now."""
        return Claim(self.id, self.worker or "", self.attempts)


def ask(
    connection: Connection,
    kind: str,
    archive_id: int | None,
    arguments: Mapping[str, Any],
    *,
    asked_by: str,
    at: datetime,
    once: str | None = None,
) -> int | None:
    """Ask for a job; its id.

    With `once`, a key such as ``retrain:3:2026-01-01T03:00``, None where somebody has asked for that before.
    """
    if once is not None and connection.execute(select(jobs.c.id).where(jobs.c.once == once)).first():
        return None
    row = {
        "kind": kind,
        "archive_id": archive_id,
        "arguments": dict(arguments),
        "asked_by": asked_by,
        "wanted": "run",
        "state": "queued",
        "progress": {},
        "attempts": 0,
        "lost": 0,
        "once": once,
        "created_at": at,
    }
    # Two workers may come to it at once: one of them finds the other's row in its place.
    new = sqlite_insert(jobs) if connection.dialect.name == "sqlite" else postgres_insert(jobs)
    unless_there = new.values(row).on_conflict_do_nothing(index_elements=["once"]).returning(jobs.c.id)
    return connection.execute(unless_there).scalar()


def ask_unless_open(
    connection: Connection,
    kind: str,
    archive_id: int,
    arguments: Mapping[str, Any],
    *,
    asked_by: str,
    at: datetime,
    unless: Collection[str] = (),
) -> int | None:
    """Ask for a job unless the archive has one of its kind (or of the kinds `unless`) queued or running."""
    _lock(connection, archive_id)
    if open_kinds(connection, archive_id) & {kind, *unless}:
        return None
    return ask(connection, kind, archive_id, arguments, asked_by=asked_by, at=at)


def open_kinds(connection: Connection, archive_id: int) -> set[str]:
    """The kinds of the archive's jobs that are queued or running."""
    rows = connection.execute(select(jobs.c.kind).where(jobs.c.archive_id == archive_id, jobs.c.state.in_(OPEN)))
    return set(rows.scalars())


def find(connection: Connection, job_id: int) -> Job | None:
    """The job with that id."""
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
    return None if row is None else _job(row)


def listing(connection: Connection, *, archive_id: int | None = None, limit: int = 50) -> list[Job]:
    """The newest jobs first."""
    query = select(jobs).order_by(jobs.c.id.desc()).limit(limit)
    if archive_id is not None:
        query = query.where(jobs.c.archive_id == archive_id)
    return [_job(row) for row in connection.execute(query)]


def cancel(connection: Connection, job_id: int, at: datetime) -> None:
    """Ask that a job end early: a queued one does at once, a running one within seconds."""
    connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state == "queued")
        .values(wanted="cancel", state="cancelled", outcome="cancelled before it began", finished_at=at)
    )
    connection.execute(update(jobs).where(jobs.c.id == job_id, jobs.c.state == "running").values(wanted="cancel"))


def claim(connection: Connection, worker: str, kinds: Collection[str], at: datetime) -> Job | None:
    """Take the oldest queued job of these kinds; None where there is none.

    Of an archive's trainings one runs at a time: a second would work from what the first is about to change. One that
    rests after attempts in vain is left, unless it would rest for longer than any does: the clock was set back.
    """
    rests = and_(jobs.c.not_before > at, jobs.c.not_before <= at + timedelta(seconds=max(RESTS)))
    busy = jobs.alias("busy")
    trains = (busy.c.archive_id == jobs.c.archive_id, busy.c.state == "running", busy.c.kind.in_(TRAININGS))
    may_begin = or_(jobs.c.kind.not_in(TRAININGS), ~select(busy.c.id).where(*trains).exists())
    wanted = (
        select(jobs.c.id, jobs.c.kind, jobs.c.archive_id)
        .where(jobs.c.state == "queued", jobs.c.kind.in_(kinds), may_begin)
        .where(or_(jobs.c.not_before.is_(None), not_(rests)))
        .order_by(jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = connection.execute(wanted).first()
    if found is None:
        return None
    if found.kind in TRAININGS and found.archive_id is not None:  # one whose archive is removed says so as it begins
        # Another worker may be taking another of them; then this one's turn is later.
        if not _lock(connection, found.archive_id, wait=False):
            return None
        if connection.execute(select(jobs.c.id).where(jobs.c.id == found.id, may_begin)).first() is None:
            return None
    return _take(connection, found.id, "queued", worker, at)


def begin(connection: Connection, job_id: int, worker: str, at: datetime) -> Job:
    """Take a job that was just asked for by whoever runs it: a command at the terminal."""
    job = _take(connection, job_id, "queued", worker, at)
    if job is None:
        raise LookupError(f"job {job_id} is not queued")
    return job


def requeue(
    connection: Connection, held: Claim, outcome: str | None = None, *, lost_until: datetime | None = None
) -> bool:
    """Give a job back, for another attempt; False where the claim no longer holds, or the job is to be cancelled.

    With `lost_until` this one counts as lost (its worker died, or the database went away), and the next is made then.
    """
    values: dict[str, Any] = {"state": "queued", "worker": None, "outcome": outcome}
    if lost_until is not None:
        values |= {"lost": jobs.c.lost + 1, "not_before": lost_until}
    still = (*_held(held), jobs.c.wanted == "run")
    return connection.execute(update(jobs).where(*still).values(**values)).rowcount == 1


def report(
    connection: Connection,
    held: Claim,
    *,
    step: str | None = None,
    progress: Mapping[str, Any] | None = None,
    has_stored: bool = False,
) -> str | None:
    """Note the progress of a job; what is wanted of it (run or cancel), or None where the claim no longer holds.

    One that `has_stored` something, from which another attempt goes on, has lost none in vain.
    """
    values: dict[str, Any] = {}
    if step is not None:
        values["step"] = step
    if progress is not None:
        values["progress"] = dict(progress)
    if has_stored:
        values["lost"] = 0
    if values:
        connection.execute(update(jobs).where(*_held(held)).values(**values))
    return wanted(connection, held)


def wanted(connection: Connection, held: Claim) -> str | None:
    """What is wanted of a job (run or cancel), or None where the claim no longer holds."""
    return connection.execute(select(jobs.c.wanted).where(*_held(held))).scalar()


def belong(connection: Connection, held: Claim, archive_id: int) -> None:
    """Note which archive a job is about, where that shows only as it runs: an import may make a new one."""
    connection.execute(update(jobs).where(*_held(held)).values(archive_id=archive_id))


def finish(connection: Connection, held: Claim, state: str, outcome: str, at: datetime) -> bool:
    """Close a job as done, failed, cancelled or skipped; False where the claim no longer holds."""
    values = {"state": state, "outcome": outcome, "finished_at": at}
    return connection.execute(update(jobs).where(*_held(held)).values(**values)).rowcount == 1


def stranded(connection: Connection, silent_since: datetime) -> list[Job]:
    """Running jobs whose worker is gone, or has not been heard of since then."""
    alive = (
        select(workers.c.name).where(workers.c.name == jobs.c.worker, workers.c.heartbeat_at >= silent_since).exists()
    )
    query = select(jobs).where(jobs.c.state == "running", ~alive).order_by(jobs.c.id)
    return [_job(row) for row in connection.execute(query)]


def running(connection: Connection) -> list[Job]:
    """All running jobs."""
    return [_job(row) for row in connection.execute(select(jobs).where(jobs.c.state == "running"))]


def last_ended(connection: Connection, kind: str, archive_id: int) -> Job | None:
    """The archive's newest job of a kind that has ended."""
    query = select(jobs).where(jobs.c.archive_id == archive_id, jobs.c.kind == kind, jobs.c.state.not_in(OPEN))
    row = connection.execute(query.order_by(jobs.c.id.desc()).limit(1)).first()
    return None if row is None else _job(row)


def ended_lately(connection: Connection, kind: str, archive_id: int, moment: datetime, rest: timedelta) -> bool:
    """Whether the archive's newest job of a kind ended less than `rest` before `moment`, or after it.

    After it, for two machines' clocks differ a little. One that ended later still, by a clock that was
    ahead and is set back, says nothing: it would hold up the next one until that time comes again.
    """
    last = last_ended(connection, kind, archive_id)
    return last is not None and last.finished_at is not None and abs(moment - last.finished_at) < rest


def failed_between(connection: Connection, kind: str, archive_id: int, since: datetime, until: datetime) -> list[Job]:
    """The archive's jobs of a kind that failed or were cancelled between two moments."""
    query = select(jobs).where(
        jobs.c.archive_id == archive_id,
        jobs.c.kind == kind,
        jobs.c.state.in_(("failed", "cancelled")),
        jobs.c.finished_at.between(since, until),
    )
    return [_job(row) for row in connection.execute(query)]


def _take(connection: Connection, job_id: int, state: str, worker: str, at: datetime) -> Job | None:
    taken = connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state == state)
        .values(state="running", worker=worker, attempts=jobs.c.attempts + 1, outcome=None, started_at=at)
        .returning(*jobs.c)
    ).first()
    return None if taken is None else _job(taken)


def _lock(connection: Connection, archive_id: int, *, wait: bool = True) -> bool:
    """Whether the archive is ours alone until the transaction ends; guesses go on, which only refer to it."""
    held = select(archives.c.id).where(archives.c.id == archive_id)
    held = held.with_for_update(skip_locked=not wait, key_share=True)
    return connection.execute(held).first() is not None


def _held(held: Claim) -> tuple[Any, ...]:
    return (
        jobs.c.id == held.job_id,
        jobs.c.state == "running",
        jobs.c.worker == held.worker,
        jobs.c.attempts == held.attempt,
    )


def jobs_of(rows: Iterable[Row[Any]]) -> list[Job]:
    """Whole rows of `jobs` as jobs."""
    return [_job(row) for row in rows]


def _job(row: Row[Any]) -> Job:
    fields = row._asdict()
    fields.pop("once")
    return Job(**fields)
