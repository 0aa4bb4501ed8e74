"""The command `whichtweet`: one typer application, its commands grouped by file."""

from __future__ import annotations

import sys

import typer

from app.cli import admin, archives, generators, model, play, simulate, work

app = typer.Typer(
    name="whichtweet",
    help="Which tweet is real? A game in which players teach a neural network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (play, archives, model, generators, work, simulate, admin):
    group.register(app)


def main() -> None:
    """Run the command; every foreseen error becomes one line on standard error and exit code 2."""
    try:
        app()
    except Exception as error:
        line = _in_one_line(error)
        if line is None:
            raise
        typer.echo(line, err=True)
        sys.exit(2)


def _in_one_line(error: Exception) -> str | None:
    """What a foreseen error says to the person who typed the command; None for a bug, which keeps its traceback."""
    # Imported here: a command that goes well should not wait for what only errors need.
    from sqlalchemy.exc import DBAPIError

    from app.archives import ArchiveError
    from app.cli.admin import AdminError
    from app.cli.simulate import SimulationError
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
            JobError,
            SchemaError,
            SettingsError,
            SimulationError,
        ),
    )
    if isinstance(error, foreseen):
        return " ".join(str(error).split("\n"))
    if isinstance(error, DBAPIError):
        return f"the database does not answer: {str(error.orig).splitlines()[0]}; is WHICHTWEET_DATABASE_URL right?"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return None
