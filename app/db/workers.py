"""Workers: who is at work, as each one says by its heartbeat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from app.db.tables import workers


@dataclass(frozen=True)
class Worker:
    """A row of `workers`."""

    name: str
    started_at: datetime
    heartbeat_at: datetime
    trains: bool  # whether TensorFlow is there


def beat(connection: Connection, name: str, *, trains: bool, at: datetime) -> None:
    """Say that the worker `name` is alive, and whether it can train."""
    known = connection.execute(update(workers).where(workers.c.name == name).values(heartbeat_at=at, trains=trains))
    if known.rowcount == 0:
        row = {"name": name, "started_at": at, "heartbeat_at": at, "trains": trains}
        connection.execute(insert(workers).values(row))


def leave(connection: Connection, name: str) -> None:
    """Say that the worker `name` has stopped: whatever it still holds is free to be taken."""
    connection.execute(delete(workers).where(workers.c.name == name))


def forget(connection: Connection, silent_since: datetime) -> None:
    """Drop workers that were not heard of since then."""
    connection.execute(delete(workers).where(workers.c.heartbeat_at < silent_since))


def listing(connection: Connection, silent_since: datetime) -> list[Worker]:
    """The workers that were heard of since then, oldest first."""
    query = select(workers).where(workers.c.heartbeat_at >= silent_since).order_by(workers.c.started_at)
    return [Worker(**row._asdict()) for row in connection.execute(query)]


def last_heard_of(connection: Connection) -> Worker | None:
    """The worker that spoke last, alive or not; None where none ever did, or all have said goodbye."""
    row = connection.execute(select(workers).order_by(workers.c.heartbeat_at.desc()).limit(1)).first()
    return None if row is None else Worker(**row._asdict())
