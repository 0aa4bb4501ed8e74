"""The commands `admin create | password | list | remove`: who may open the dashboard."""

from __future__ import annotations

import getpass
import json
import sys
from typing import Annotated

import typer
from sqlalchemy import Engine

from app.db import admins, audit
from app.db.audit import Change
from app.db.session import now, open_engine, reading, writing
from app.settings import read_settings

BY = "command line"
NameArgument = Annotated[str, typer.Argument(help="what the admin is called and signs in as")]


class AdminError(ValueError):
    """An admin cannot be made or changed as asked; the message is one line that says what to do."""


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    group = typer.Typer(
        help="Who may open the dashboard at /admin: make, list and remove admins.", no_args_is_help=True
    )
    group.command()(create)
    group.command()(password)
    group.command("list")(show)
    group.command()(remove)
    app.add_typer(group, name="admin")


def create(
    name: NameArgument,
    role: Annotated[str, typer.Option(help="admin: may change things; viewer: may only look")] = "admin",
) -> None:
    """Make an admin. The password is asked twice; with no terminal it is read from standard input, one line."""
    if role not in admins.ROLES:
        raise AdminError(f"found the role {role}, expected admin or viewer")
    if not name.strip() or name != name.strip() or len(name) > 64 or not name.isprintable():
        raise AdminError("found no usable name, expected 1 to 64 characters without spaces around them")
    engine = _engine()
    with reading(engine) as connection:
        is_taken = admins.find(connection, name) is not None
    if is_taken:
        raise AdminError(f"there is an admin {name} already; a new password: whichtweet admin password {name}")
    hashed = _asked()
    with writing(engine) as connection:
        if not admins.create(connection, name, hashed, role, now()):
            raise AdminError(f"there is an admin {name} already")
        audit.note(connection, BY, Change("admin made", f"admin {name}", {}, {"role": role}), now())
    typer.echo(f"{name} ({role}) may sign in at /admin now.")


def password(name: NameArgument) -> None:
    """Give an admin a new password; wherever they are signed in, they are signed out."""
    engine = _engine()
    found = _found(engine, name)
    hashed = _asked()
    with writing(engine) as connection:
        admins.set_password(connection, found.id, hashed)
        audit.note(connection, BY, Change("password changed", f"admin {name}"), now())
    typer.echo(f"{name} has a new password, and is signed out everywhere.")


def show(as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False) -> None:
    """List the admins."""
    with reading(_engine()) as connection:
        listed = admins.listing(connection)
    if as_json:
        rows = [{"name": each.name, "role": each.role, "created_at": each.created_at.isoformat()} for each in listed]
        typer.echo(json.dumps({"admins": rows}, ensure_ascii=False))
        return
    for each in listed:
        typer.echo(f"{each.name:<24} {each.role:<8} since {each.created_at:%Y-%m-%d}")
    if not listed:
        typer.echo("There is no admin yet: whichtweet admin create NAME", err=True)


def remove(name: NameArgument) -> None:
    """Remove an admin, and sign them out. What they did stays in the audit."""
    engine = _engine()
    found = _found(engine, name)
    with writing(engine) as connection:
        admins.remove(connection, found.id)
        audit.note(connection, BY, Change("admin removed", f"admin {name}", {"role": found.role}), now())
    typer.echo(f"{name} is removed and signed out.")


def _engine() -> Engine:
    from app.db.migrate import migrate

    engine = open_engine(read_settings().database)
    migrate(engine)
    return engine


def _found(engine: Engine, name: str) -> admins.Admin:
    with reading(engine) as connection:
        found = admins.find(connection, name)
    if found is None:
        raise AdminError(f"there is no admin {name}: whichtweet admin list")
    return found


def _asked() -> str:
    """The hash of a password that was typed twice, unseen."""
    from app.web.admin.passwords import WeakPasswordError, hashed

    if sys.stdin.isatty():
        typed = getpass.getpass("Password: ")
        if getpass.getpass("The same again: ") != typed:
            raise AdminError("the two passwords differ; nothing was changed")
    else:
        typed = sys.stdin.readline().rstrip("\n")
    try:
        return hashed(typed)
    except WeakPasswordError as error:
        raise AdminError(str(error)) from None
