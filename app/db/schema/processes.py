"""What processes tell one another: the jobs that are asked for, who works, and what limits have counted."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from app.db.schema.columns import Id, Moment, metadata

# What somebody wants done, and how far it is. The truth; the workflow engine's own tables can be rebuilt from it.
jobs = Table(
    "jobs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(16), nullable=False),  # one of TASKS in app/jobs/tasks.py
    Column("archive_id", ForeignKey("archives.id")),
    Column("arguments", JSON, nullable=False),
    Column("asked_by", String(64), nullable=False),  # schedule, shelf, command line, or an admin's name
    Column("wanted", String(16), nullable=False),  # run, cancel
    Column("state", String(16), nullable=False),  # queued, running, done, failed, cancelled, skipped
    Column("step", String(64)),
    Column("progress", JSON, nullable=False, default=dict),
    Column("outcome", Text),  # one line: what came of it, or why not
    Column("worker", String(64)),
    Column("attempts", Integer, nullable=False, default=0),
    Column("lost", Integer, nullable=False, default=0),  # attempts in a row that died before they stored anything
    Column("not_before", Moment),  # when the next attempt may be made, after such ones
    Column("once", String(128), unique=True),  # what is asked for once only, by whoever is first; null: no limit
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Index("ix_jobs_state_id", "state", "id"),
    Index("ix_jobs_archive_id", "archive_id", "id"),
)

workers = Table(
    "workers",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("started_at", Moment, nullable=False),
    Column("heartbeat_at", Moment, nullable=False),
    Column("trains", Boolean, nullable=False),  # whether TensorFlow is there
)

# How often somebody asked within a window of time: what limits are held to, where several web processes share them.
counts = Table(
    "counts",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),  # a keyed hash: leads to no player and no address
    Column("ends_at", Moment, nullable=False, index=True),
    Column("count", BigInteger, nullable=False),
)
