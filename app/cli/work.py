"""The command `work`: the worker, which trains, restocks and imports beside the web server."""

from __future__ import annotations

import contextlib
import os
import signal
from types import FrameType

import typer

from app.cli.data_folder import try_data_folder
from app.cli.logs import write_logs
from app.cli.workbench import open_workshop
from app.db.session import is_sqlite
from app.jobs.workshop import WORKFLOWS
from app.settings import Settings, read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(work)


def work() -> None:
    """Do the jobs of the game until stopped: fill shelves that run low, train, retrain on schedule, import.

    Any number of workers may run, on one machine or several that share a PostgreSQL database. Without TensorFlow a
    worker does everything but train, and begins to as soon as it is installed.
    """
    settings = read_settings()
    try_data_folder(settings.data_dir)
    # Imported here: it takes a second, and only this command needs it.
    from app.jobs.worker import Worker

    write_logs(settings.log_level)
    with contextlib.suppress(OSError):
        os.nice(5)  # play comes first
    worker = Worker(open_workshop(settings), workflows_url(settings))

    def stop(number: int, frame: FrameType | None) -> None:
        worker.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    worker.run()


def workflows_url(settings: Settings) -> str:
    """Where the workflow engine keeps its memory: a file of its own, or on PostgreSQL the same database."""
    if is_sqlite(settings.database):
        return f"sqlite:///{settings.data_dir / WORKFLOWS}"
    return settings.database
