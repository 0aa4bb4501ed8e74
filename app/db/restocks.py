"""Restocks: what each batch of samples was asked to be, how far it is, and what vetting turned away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, insert, select, update

from app.db.generators import Generator
from app.db.tables import generators, jobs, restocks
from app.game.vetting import FORM, HELD

ODDS = ("temperature", "top_p", "names")  # of a decoding: what drafts are drawn from
LOOKED_AT = 50  # restocks of a network, the newest first


@dataclass(frozen=True)
class Restock:
    """A row of `restocks`."""

    id: int
    archive_id: int
    generator_id: int
    seed: int
    state: str  # running, done, failed
    written: int
    shelved: int
    rejected: Mapping[str, int]
    tweets_read: int
    tweets_rejected: Mapping[str, int]
    goal: int
    job_id: int | None
    balance: Mapping[str, Any] | None
    seconds: float | None
    started_at: datetime
    finished_at: datetime | None

    @property
    def turned_away(self) -> int:
        """Drafts that broke a rule of vetting; what passed it, and was not chosen or is held, is none."""
        return sum(count for rule, count in self.rejected.items() if rule not in (FORM, HELD))


def begin(
    connection: Connection,
    *,
    archive_id: int,
    generator_id: int,
    seed: int,
    goal: int,
    job_id: int | None,
    at: datetime,
) -> Restock:
    """Open a restock."""
    row = {
        "archive_id": archive_id,
        "generator_id": generator_id,
        "seed": seed,
        "state": "running",
        "written": 0,
        "shelved": 0,
        "rejected": {},
        "tweets_read": 0,
        "tweets_rejected": {},
        "goal": goal,
        "job_id": job_id,
        "started_at": at,
    }
    return _restock(connection.execute(insert(restocks).values(row).returning(*restocks.c)).one())


def of_job(connection: Connection, job_id: int, generator_id: int) -> Restock | None:
    """The restock that a job opened for a generator, done or not: what an interrupted job goes on with."""
    query = select(restocks).where(
        restocks.c.job_id == job_id, restocks.c.generator_id == generator_id, restocks.c.state != "failed"
    )
    row = connection.execute(query.order_by(restocks.c.id.desc())).first()
    return None if row is None else _restock(row)


def newest_done(connection: Connection, generator_id: int) -> Restock | None:
    """The last restock of a generator that is done."""
    query = select(restocks).where(restocks.c.generator_id == generator_id, restocks.c.state == "done")
    row = connection.execute(query.order_by(restocks.c.id.desc()).limit(1)).first()
    return None if row is None else _restock(row)


def since(connection: Connection, generator_id: int, at: datetime) -> list[Restock]:
    """The restocks of a generator that began at that moment or later."""
    query = select(restocks).where(restocks.c.generator_id == generator_id, restocks.c.started_at >= at)
    return [_restock(row) for row in connection.execute(query.order_by(restocks.c.id))]


def abandoned(connection: Connection, archive_id: int) -> list[Restock]:
    """Restocks of the archive that nobody will go on with: their job has ended, or they had none."""
    going_on = exists().where(jobs.c.id == restocks.c.job_id, jobs.c.state.in_(("queued", "running")))
    query = select(restocks).where(restocks.c.archive_id == archive_id, restocks.c.state == "running", ~going_on)
    return [_restock(row) for row in connection.execute(query)]


def advance(
    connection: Connection, restock_id: int, *, written: int, shelved: int, rejected: Mapping[str, int]
) -> None:
    """Note how far a restock is; in the transaction that stores the samples, so that both agree after a crash."""
    connection.execute(
        update(restocks)
        .where(restocks.c.id == restock_id)
        .values(written=written, shelved=shelved, rejected=dict(rejected))
    )


def note_tweets(connection: Connection, restock_id: int, read: int, rejected: Mapping[str, int]) -> None:
    """Note what the same rules say of held-out tweets."""
    connection.execute(
        update(restocks).where(restocks.c.id == restock_id).values(tweets_read=read, tweets_rejected=dict(rejected))
    )


def note_balance(connection: Connection, restock_id: int, balance: Mapping[str, Any]) -> None:
    """Note what the drafts of a restock are steered by."""
    connection.execute(update(restocks).where(restocks.c.id == restock_id).values(balance=dict(balance)))


def newest_balance(connection: Connection, generator: Generator) -> Mapping[str, Any] | None:
    """What the drafts of the newest restock were steered by that the same network wrote at the same odds, for this
    generator or another one that differs in how its drafts are chosen; None where none was."""
    query = (
        select(restocks.c.balance, generators.c.decoding)
        .join(generators, generators.c.id == restocks.c.generator_id)
        .where(
            generators.c.archive_id == generator.archive_id,
            generators.c.checkpoint_sha256 == generator.checkpoint_sha256,
            restocks.c.balance.is_not(None),
            restocks.c.state != "failed",
        )
        .order_by(restocks.c.id.desc())
        .limit(LOOKED_AT)
    )
    for balance, decoding in connection.execute(query):
        if all(decoding.get(name) == generator.decoding.get(name) for name in ODDS):
            found: Mapping[str, Any] = balance
            return found
    return None


def close(connection: Connection, restock_id: int, state: str, seconds: float, at: datetime) -> bool:
    """Close a running restock as done or failed; False where it is closed already."""
    closed = (
        update(restocks)
        .where(restocks.c.id == restock_id, restocks.c.state == "running")
        .values(state=state, seconds=seconds, finished_at=at)
    )
    return connection.execute(closed).rowcount == 1


def find(connection: Connection, restock_id: int) -> Restock | None:
    """The restock with that id."""
    row = connection.execute(select(restocks).where(restocks.c.id == restock_id)).first()
    return None if row is None else _restock(row)


def _restock(row: Row[Any]) -> Restock:
    return Restock(**row._asdict())
