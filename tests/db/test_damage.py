"""A damaged SQLite file is told by its name, with what to do, however it is come upon."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from factories import add_archive
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import OperationalError

from app.db.damage import DamagedDatabase, reason
from app.db.prepared import Prepared
from app.db.session import reading, writing
from app.db.tables import archives


def spoil(engine: Engine, whole: bool) -> Path:
    """Spoil the table of archives, or the file from its first byte on."""
    file = Path(str(engine.url.database))
    with engine.connect() as connection:
        page = connection.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = 'archives'").scalar_one()
        size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    engine.dispose()  # the last to leave writes the log back
    with file.open("r+b") as opened:
        opened.seek(0 if whole else (page - 1) * size)
        opened.write(b"\xaa" * size)
    return file


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("way", ["execute", "prepared"])
def test_the_file_and_the_remedy_are_named(engine: Engine, whole: bool, way: str) -> None:
    with writing(engine) as connection:
        add_archive(connection)
    file = spoil(engine, whole)
    query = select(archives.c.name)
    ways: dict[str, Callable[[Connection], object]] = {
        "execute": lambda connection: connection.execute(query).all(),
        "prepared": Prepared(query).rows,
    }
    with pytest.raises(OperationalError) as caught, reading(engine) as connection:
        ways[way](connection)
    assert isinstance(caught.value.orig, DamagedDatabase)
    words = reason(caught.value)
    assert words.startswith(f"the database {file} is damaged (")
    assert words.endswith("restore a backup (whichtweet restore FILE)")
    assert "\n" not in words


def test_of_any_other_error_the_log_has_the_kind_alone(engine: Engine) -> None:
    with pytest.raises(OperationalError) as caught, reading(engine) as connection:
        connection.exec_driver_sql("SELECT 'a secret' FROM nowhere")
    assert reason(caught.value) == "OperationalError"
