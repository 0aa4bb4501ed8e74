"""A database comes to the schema of this code, once; one that a newer program made is refused."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from app.db.migrate import MIGRATIONS, SchemaError, downgrade, migrate, newest
from app.db.session import open_engine, reading, writing


def revision(engine: Engine) -> str:
    """The revision that the database says it is at."""
    with reading(engine) as connection:
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")))


def test_the_newest_revision_is_the_end_of_the_chain() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == newest()


def test_a_database_that_lags_behind_is_brought_to_the_newest_revision(engine: Engine) -> None:
    downgrade(engine, "-1")
    assert revision(engine) != newest()
    migrate(engine)
    assert revision(engine) == newest()


def test_a_database_of_a_newer_program_is_refused(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="revision 9999, which this program does not know"):
        migrate(engine)


def test_a_new_database_is_for_its_owner_alone(tmp_path: Path) -> None:
    """It holds the admins' hashed passwords; so does what is not yet taken over from beside it."""
    engine = open_engine(f"sqlite:///{tmp_path / 'new' / 'game.db'}")
    migrate(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE archives SET name = name"))
        files = [*(tmp_path / "new").iterdir()]
        assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in files if "lock" not in file.name} == {
            "game.db": 0o600,
            "game.db-wal": 0o600,
            "game.db-shm": 0o600,
        }
