"""Workflows: the memory of jobs. Each job is one workflow; what its steps came to is kept, so that a job that was
killed goes on at the step where it stood. All of DBOS lives in this file.

The table `jobs` is the truth: who holds a job is decided there, and what is kept here can be lost without harm, for
every step may be done twice. Each worker has a queue of its own, on which it puts the jobs that it holds.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID, StepOptions
from dbos import error as dbos_error
from sqlalchemy.engine import make_url

from app.jobs.workshop import WORKFLOW_SCHEMA

T = TypeVar("T")

# Fixed: DBOS would otherwise drop the work of a worker that runs a slightly older program.
APPLICATION_VERSION = "1"
POLL_SECONDS = 0.5  # between two looks at the queue
ENDED = ("SUCCESS", "ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
QUEUE = "jobs-of-"  # and the worker's name


class Left(BaseException):
    """Raised out of a job that stops without an end: its workflow stays open, to be taken up by whoever holds it next.

    A BaseException, because DBOS records every Exception as the outcome of a step.
    """


class _Unkept(BaseException):
    """Carries an error past DBOS, which would keep it as what the step came to, for ever."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


_perform: Callable[[int], None] | None = None


@DBOS.workflow(name="job")
def _job(job_id: int) -> str:
    if _perform is None:
        raise RuntimeError("workflows were not launched")
    _perform(job_id)
    return "ended"


def launch(url: str, worker: str, perform: Callable[[int], None]) -> None:
    """Start the engine in this process, with its tables made or brought up to date.

    Args:
        url: of its database: SQLite file or PostgreSQL.
        worker: name of this worker.
        perform: does the job with that id, and returns when it has ended; may raise `Left`.
    """
    global _perform  # DBOS itself is one per process
    _perform = perform
    logging.getLogger("dbos").setLevel(logging.ERROR)
    _prefer_wal(url)
    config: DBOSConfig = {
        "name": "whichtweet",
        "system_database_url": url,
        "dbos_system_schema": WORKFLOW_SCHEMA,
        "application_version": APPLICATION_VERSION,
        "executor_id": worker,
        "serializer": DBOSPortableJSONSerializer(),
        "use_listen_notify": False,
        "log_level": "ERROR",
        "console_log_level": "ERROR",
        "sys_db_pool_size": 5,
    }
    DBOS(config=config)
    _log_as_we_do()
    DBOS.listen_queues([QUEUE + worker])
    DBOS.launch()
    DBOS.register_queue(QUEUE + worker, polling_interval_sec=POLL_SECONDS, on_conflict="always_update")


def _log_as_we_do() -> None:
    """Let the engine's words go where ours do: by itself it writes tracebacks of many lines beside them."""
    log = logging.getLogger("dbos")
    log.handlers.clear()
    log.propagate = True


def start(job_id: int, worker: str) -> None:
    """Let this process do a job that it holds, from where an earlier attempt left it."""
    workflow = f"job-{job_id}"
    known = DBOS.get_workflow_status(workflow)
    if known is not None and known.status in ENDED:
        # It ended, yet the job did not: the worker died in between, or what is kept is damaged. Begin again.
        DBOS.delete_workflow(workflow)
        known = None
    if known is None:
        with SetWorkflowID(workflow):
            DBOS.enqueue_workflow(QUEUE + worker, _job, job_id)
    else:
        DBOS.resume_workflow(workflow, queue_name=QUEUE + worker)


def once(name: str, do: Callable[[], T]) -> T:
    """A step of the job that is being done: its result is kept, and it is not done again (see `Steps`).

    An error is not kept: the next attempt does the step anew.
    """

    def attempt() -> T:
        try:
            return do()
        except Exception as error:
            raise _Unkept(error) from error

    options: StepOptions = {"name": name}
    try:
        return DBOS.run_step(options, attempt)
    except _Unkept as unkept:
        raise unkept.error from None


def forget(workers_alive: Collection[str]) -> None:
    """Drop the queues of workers that are no more."""
    for queue in DBOS.list_queues():
        worker = queue.name.removeprefix(QUEUE)
        if worker != queue.name and worker not in workers_alive:
            with contextlib.suppress(dbos_error.DBOSException):
                DBOS.delete_queue(queue.name)


def stop(worker: str) -> None:
    """Stop the engine; jobs still at work in this process are left as they stand."""
    with contextlib.suppress(dbos_error.DBOSException):
        DBOS.delete_queue(QUEUE + worker)
    DBOS.destroy()


def _prefer_wal(url: str) -> None:
    """Let readers and the writer of an SQLite file not wait for one another; it is remembered in the file."""
    parsed: Any = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(parsed.database, timeout=30)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
