"""The command `whichtweet`: one typer application, its commands grouped by file."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from importlib import import_module, metadata
from typing import Annotated

import typer

from model.arithmetic import numpy_at_its_best

# Which file holds a command. Only the file that is asked for is imported: the web server starts without the jobs.
FILES = {
    **dict.fromkeys(("play", "serve"), "play"),
    **dict.fromkeys(("import", "archives"), "archives"),
    **dict.fromkeys(("sample", "evaluate"), "model"),
    **dict.fromkeys(("train", "restock", "retrain", "generators"), "generators"),
    "labels": "labels",
    "work": "work",
    "class": "classroom",
    "simulate": "simulate",
    "admin": "admin",
    "keys": "keys",
    "doctor": "doctor",
    **dict.fromkeys(("backup", "restore", "db"), "keeping"),
}


def program(command: str = "") -> typer.Typer:
    """The typer application: with all commands, or with the file of one command alone."""
    app = typer.Typer(
        name="whichtweet",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    @app.callback()
    def whichtweet(
        _version: Annotated[
            bool, typer.Option("--version", help="Tell the version, and go.", is_eager=True, callback=_tell_version)
        ] = False,
    ) -> None:
        """Which tweet is real? A game in which players teach a neural network."""

    for file in [FILES[command]] if command in FILES else dict.fromkeys(FILES.values()):
        import_module(f"app.cli.{file}").register(app)
    return app


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"whichtweet {metadata.version('whichtweet')}")
        raise typer.Exit


def main() -> None:
    """Run the command; every foreseen error becomes one line on standard error and exit code 2."""
    if kernel := numpy_at_its_best().get("OPENBLAS_CORETYPE"):  # before anything imports NumPy
        os.environ.setdefault("OPENBLAS_CORETYPE", kernel)
    try:
        program(sys.argv[1] if len(sys.argv) > 1 else "")()
    except Exception as error:
        line = _in_one_line(error)
        if line is None:
            raise
        typer.echo(line, err=True)
        sys.exit(2)


def _in_one_line(error: Exception) -> str | None:
    """What a foreseen error says to the person who typed the command; None for a bug, which keeps its traceback."""
    # Imported here: a command that goes well should not wait for what only errors need.
    from sqlalchemy.exc import DataError, DBAPIError

    from app.archives import ArchiveError
    from app.cli.admin import AdminError
    from app.cli.simulate import SimulationError
    from app.db.copying import CopyError
    from app.db.damage import DamagedDatabase
    from app.db.migrate import SchemaError
    from app.game.vetting import BlockedWordsError
    from app.jobs.workshop import JobError
    from app.settings import SettingsError
    from model.checkpoint import CheckpointError

    if isinstance(error, BrokenPipeError):
        sys.stderr.close()  # who read our output has gone: nothing is wrong, and nobody listens
        sys.exit(141)
    foreseen = (
        *(
            AdminError,
            ArchiveError,
            BlockedWordsError,
            CheckpointError,
            CopyError,
            JobError,
            SchemaError,
            SettingsError,
            SimulationError,
        ),
    )
    if isinstance(error, foreseen):
        return " ".join(str(error).split("\n"))
    if _has_no_room(error):
        words = getattr(error, "strerror", None) or getattr(error, "orig", None) or error
        return f"there is no room for what was to be written ({words}): make room, then run the command again"
    if isinstance(error, DBAPIError | sqlite3.OperationalError):
        orig = getattr(error, "orig", error)  # a backup asks SQLite's driver itself
        words = str(orig).splitlines()[0]
        if isinstance(orig, DamagedDatabase):
            return words
        if isinstance(error, DataError):  # a number that is too large, say
            return f"the database takes no such value: {words}; give another one"
        return f"the database does not answer: {words}; is WHICHTWEET_DATABASE_URL right?"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return None


def _has_no_room(error: Exception) -> bool:
    """Whether a disk is full, or a quota; a file that is named with the error may be the one that was read."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return getattr(getattr(error, "orig", error), "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
