"""Migrations: brings a database to the schema of this code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, Engine, inspect, text

from app.db.session import writing

# Alembic is imported where there is something to do: a web server's start need not wait for it.
if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


Standing = Literal["empty", "older", "current", "newer"]


class SchemaError(RuntimeError):
    """The database was made by a newer program; the message says what to do."""


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the database to `revision`, alone: a second process waits and then finds nothing to do.

    Raises:
        SchemaError: the database holds a revision that this program does not know.
    """
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(7421803)"))
        if revision == "head" and standing(connection) == "current":
            return
        from alembic import command

        config = _config(connection)
        _refuse_newer(connection)
        command.upgrade(config, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the database back to an earlier `revision`."""
    from alembic import command

    with writing(engine) as connection:
        command.downgrade(_config(connection), revision)


def newest() -> str:
    """The newest revision that this program knows."""
    return max(_known())


def standing(connection: Connection) -> Standing:
    """How the schema of a database stands to that of this program; changes nothing."""
    found = revision(connection)
    if found is None:
        return "empty"
    if found == newest():
        return "current"
    return "older" if found in _known() else "newer"


def revision(connection: Connection) -> str | None:
    """The revision of a database; None where no program of ours has been yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _refuse_newer(connection: Connection) -> None:
    if standing(connection) == "newer":
        raise SchemaError(
            f"the database is at revision {revision(connection)}, which this program does not know: "
            "run the program that made it, or restore a backup made before the upgrade"
        )


def _known() -> set[str]:
    # Told by the names of the files: they are numbered.
    return {file.stem.partition("_")[0] for file in (MIGRATIONS / "versions").glob("*.py")}
