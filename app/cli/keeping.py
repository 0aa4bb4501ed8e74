"""The commands `backup`, `restore` and `db copy`: the game in a file, out of one, and from one database to another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status

from app.cli.workbench import JsonOption, errors, say
from app.db.copying import CopyError, Told, copy
from app.db.session import open_engine
from app.jobs.backups import Contents, Place, back_up
from app.jobs.backups import restore as put_back
from app.settings import Settings, read_settings

FileArgument = Annotated[Path, typer.Argument(help="the backup, such as whichtweet.zip")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(backup)
    app.command()(restore)
    group = typer.Typer(help="Moving the game from one database to another.", no_args_is_help=True)
    group.callback()(lambda: None)  # a group, although it holds one command
    group.command("copy")(copy_command)
    app.add_typer(group, name="db")


def backup(file: FileArgument, as_json: JsonOption = False) -> None:
    """Write the game to one file while it runs: database, checkpoints and the data folder's keys, all of one moment.

    The file can be read by you alone: whoever has it can read open rounds and pass for any player.
    """
    with errors().status("backing up") as status:
        _told(back_up(_place(read_settings()), file, _telling(status)), file, "Backed up to", as_json)


def restore(file: FileArgument, as_json: JsonOption = False) -> None:
    """Put the game in a backup back, into the database of the settings, which must be empty.

    Either database takes a backup of the other. Stop the web server and the worker first; open rounds and cookies of
    before go on where the keys are the same.
    """
    with errors().status("restoring") as status:
        _told(put_back(_place(read_settings()), file, _telling(status)), file, "Restored from", as_json)


def copy_command(
    source: Annotated[str, typer.Argument(metavar="FROM", help="database, such as sqlite:///data/whichtweet.db")],
    target: Annotated[str, typer.Argument(metavar="TO", help="empty database, such as postgresql+psycopg://…")],
    as_json: JsonOption = False,
) -> None:
    """Copy a game to an empty database, with everything: counts and checksums of every table are compared.

    Stop the web server and the workers first: what is guessed meanwhile stays behind. Checkpoints are not copied, they
    lie in files (WHICHTWEET_CHECKPOINT_DIR).
    """
    game, empty = (read_settings(database_url=url).database for url in (source, target))
    if game.startswith("sqlite:///") and not Path(game.removeprefix("sqlite:///")).exists():
        raise CopyError(f"{game} is not there")
    with errors().status("copying") as status:
        copied = copy(open_engine(game), open_engine(empty), _telling(status))
    if as_json:
        typer.echo(json.dumps({name: vars(found) for name, found in copied.items()}))
        return
    for name, found in copied.items():
        say(f"{found.rows:>12,} {name}")
    say("Copied; counts and checksums are the same.")


def _place(settings: Settings) -> Place:
    return Place(open_engine(settings.database), settings.checkpoints, settings.data_dir)


def _telling(status: Status) -> Told:
    return lambda table, rows: status.update(f"{table}: {rows:,} rows")


def _told(found: Contents, file: Path, words: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"file": str(file), **vars(found)}))
    else:
        say(f"{words} {file}: the game of {found.made_at}, {found.files} files, {found.bytes / 1e6:.1f} MB.")
