"""The command `keys rotate`: a new key for rounds and cookies, with what the old one sealed still opened."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.workbench import say
from app.keys import rotated, rotated_file
from app.settings import read_settings

KeepOption = Annotated[int, typer.Option(min=0, help="older keys that still open what they sealed")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    group = typer.Typer(help="The secret keys that seal rounds and cookies.", no_args_is_help=True)
    group.callback()(lambda: None)  # a group, although it holds one command
    group.command()(rotate)
    app.add_typer(group, name="keys")


def rotate(keep: KeepOption = 1) -> None:
    """Seal with a new key from the next start of the web server on; the older ones still open what they sealed.

    Open rounds go on, and a cookie is sealed anew when its player next comes. After a leak use --keep 0: nothing that
    the leaked key sealed is taken any more, open rounds are lost, and players begin anew.
    """
    settings = read_settings()
    if settings.secret_key is not None:
        # The key is kept where the variable is set, which is not ours to change.
        typer.echo(f"WHICHTWEET_SECRET_KEY={','.join(rotated(settings, keep))}")
        say("Set that for every web process. First with the new key last and a restart of all; then as printed.")
        return
    file = rotated_file(settings, keep)
    say(f"{file}: a new key, and {keep} older at most. Restart the web server: whichtweet serve")
