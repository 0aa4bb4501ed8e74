"""Migrations: brings a database to the schema of this code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from app.db.session import writing

# Alembic is imported where there is something to do: a web server's start need not wait for it.
if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


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
        if revision == "head" and _revision(connection) == newest():
            return
        from alembic import command

        config = _config(connection)
        _refuse_newer(config, connection)
        command.upgrade(config, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the database back to an earlier `revision`."""
    from alembic import command

    with writing(engine) as connection:
        command.downgrade(_config(connection), revision)


def newest() -> str:
    """The newest revision, told by the names of the files: they are numbered."""
    return max(file.stem for file in (MIGRATIONS / "versions").glob("*.py")).partition("_")[0]


def _revision(connection: Connection) -> str | None:
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


def _refuse_newer(config: Config, connection: Connection) -> None:
    from alembic.script import ScriptDirectory

    found = _revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaError(
            f"the database is at revision {found}, which this program does not know: "
            "run the program that made it, or restore a backup made before the upgrade"
        )
