"""The command `whichtweet`: one typer application, its commands grouped by file."""

from __future__ import annotations

import sys

import typer

from app.cli import archives, generators, model, play, simulate, work

app = typer.Typer(
    name="whichtweet",
    help="Which tweet is real? A game in which players teach a neural network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (play, archives, model, generators, work, simulate):
    group.register(app)


def main() -> None:
    """Run the command; every foreseen error becomes one line on standard error and exit code 2."""
    # Output that is piped to a program that stopped reading is no error of ours.
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
