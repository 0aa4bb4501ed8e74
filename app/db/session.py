"""Engines and transactions, the same for SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DataError

from app.db.damage import tell_damage


def open_engine(url: str, patience: float = 30.0) -> Engine:
    """An engine for `url`; for SQLite in WAL mode, with every commit on disk before it returns.

    Args:
        url: of the database.
        patience: seconds to wait for a lock of another process, or for a server that does not answer.
    """
    # An error's words go to the log: what players and tweets say stays out of it.
    common: dict[str, Any] = {"hide_parameters": True, "json_serializer": _as_json}
    if not is_sqlite(url):
        return create_engine(url, pool_pre_ping=True, connect_args=_unless_said(url, patience), **common)
    file = make_url(url).database
    if file:
        _make_private(Path(file))
    waits: dict[str, Any] = {"isolation_level": None, "check_same_thread": False, "timeout": patience}
    engine = create_engine(url, connect_args=waits, **common)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "handle_error", tell_damage, retval=True)
    event.listen(engine, "handle_error", _tell_beyond_measure, retval=True)
    return engine


def _make_private(file: Path) -> None:
    """Make a new database that nobody else on the machine reads: it holds the admins' passwords, hashed. What SQLite
    lays beside it gets the same mode."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.name.startswith((":", "file:")) and not file.exists():
        with suppress(OSError):  # SQLite says better what is the matter
            file.touch(mode=0o600)


def is_sqlite(url: str) -> bool:
    """Whether `url` names the embedded database."""
    return make_url(url).get_backend_name() == "sqlite"


def _unless_said(url: str, patience: float) -> dict[str, Any]:
    # Without these a server whose machine vanished is waited for as long as the network likes: minutes.
    wanted: dict[str, Any] = {
        "connect_timeout": max(2, round(patience)),
        "tcp_user_timeout": round(patience * 1000),  # ms until what was sent must have been received
    }
    return {name: value for name, value in wanted.items() if name not in make_url(url).query}


def _as_json(value: Any) -> str:
    """JSON as PostgreSQL takes it, too: what is infinite (a scorer's ridge), or no number, becomes null."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(json.loads(json.dumps(value), parse_constant=lambda _: None))


def _prepare_sqlite(connection: SqliteConnection, _: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
        connection.execute(f"PRAGMA {pragma}")


def _tell_beyond_measure(context: ExceptionContext) -> DataError | None:
    # PostgreSQL says so of a number of more than 64 bits; SQLite's driver breaks off before it asks.
    error = context.original_exception
    return DataError(None, None, error, hide_parameters=True) if isinstance(error, OverflowError) else None


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        return
    # A writer takes its lock at once: upgrading a read transaction later fails with "database is locked".
    writes = options.get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one moment of the database and changes nothing."""
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is on disk when the block ends, or did not happen."""
    with engine.connect() as connection, connection.execution_options(writes=True).begin():
        yield connection


def now() -> datetime:
    """This moment in UTC; handed to rules as an argument, so that tests choose it."""
    return datetime.now(UTC)
