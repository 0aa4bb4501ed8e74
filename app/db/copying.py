"""Copying: every row of a database into an empty one, of the same kind or the other, from one moment; then compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Connection, Engine, Table, func, insert, inspect, select, text, update

from app.db.migrate import migrate, revision, standing
from app.db.session import open_engine, writing
from app.db.tables import jobs, metadata

BATCH = 1000  # rows read and written at a time
# What only the processes of one place know: who is at work there.
LEFT_OUT = frozenset({"workers", "counts"})
_WORD = 1 << 128


class CopyError(RuntimeError):
    """The rows cannot be copied there; the message is one line that says why and what to do."""


@dataclass(frozen=True)
class Tally:
    """What a table holds.

    Attributes:
        checksum: over the values of all rows, whatever their order; the same on both databases.
    """

    rows: int
    checksum: str


Told = Callable[[str, int], None]  # table, rows of it so far


@contextmanager
def one_moment(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one moment of the database however long it reads; writers do not wait for it."""
    # SQLite's read transactions are that already; PostgreSQL's default sees a new moment with each statement.
    options = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**options) as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def copied_tables() -> list[Table]:
    """The tables that are copied, each after those it refers to."""
    return [table for table in metadata.sorted_tables if table.name not in LEFT_OUT]


def is_empty(engine: Engine) -> bool:
    """Whether no table that is copied holds a row."""
    with one_moment(engine) as connection:
        there = set(inspect(connection).get_table_names())  # some or all are missing where no program of today was yet
        held = [table for table in copied_tables() if table.name in there]
        return not any(connection.execute(select(1).select_from(table).limit(1)).first() for table in held)


def copy(source: Engine, target: Engine, told: Told = lambda table, rows: None) -> dict[str, Tally]:
    """Copy every row to `target` in one transaction, whole or not at all; what was copied, by table.

    Both are brought to the schema of this program first. What both hold is compared before the transaction ends. Jobs
    that were running are put in the queue again: their worker's memory is not copied.

    Raises:
        CopyError: the target holds rows already, or does not hold what the source does.
    """
    migrate(source)
    migrate(target)
    if not is_empty(target):
        raise CopyError(f"{target.url.render_as_string()} holds a game already: name an empty database")
    with one_moment(source) as reader, writing(target) as writer:
        copied = {table.name: _copy_table(reader, writer, table, told) for table in copied_tables()}
        for table in copied_tables():
            found = tally(writer, table)
            if found != copied[table.name]:
                raise CopyError(f"{table.name} was not copied whole: {copied[table.name]} became {found}")
            number_on(writer, table)
        _requeue(writer)
    return copied


def tally(connection: Connection, table: Table) -> Tally:
    """Count a table's rows and sum them up."""
    rows = total = 0
    for batch in _batches(connection, table):
        rows += len(batch)
        total += sum(_digest(table, row) for row in batch)
    return Tally(rows, f"{total % _WORD:032x}")


@contextmanager
def embedded(file: Path) -> Iterator[Engine]:
    """The embedded database in a file."""
    engine = open_engine(f"sqlite:///{file}")
    try:
        yield engine
    finally:
        engine.dispose()


def snapshot(engine: Engine, file: Path, told: Told = lambda table, rows: None) -> None:
    """Put one moment of a database that is in use into a new SQLite file.

    Raises:
        CopyError: it is a PostgreSQL database of an earlier program, which a copy of rows would bring up to date.
    """
    with embedded(file) as copy_of:
        if engine.dialect.name != "sqlite":
            with engine.connect() as used:
                if standing(used) == "older":
                    words = f"the database is at revision {revision(used)}, of an earlier program: make the backup "
                    raise CopyError(f"{words}with that one, before whichtweet serve of this one brings it up to date")
            copy(engine, copy_of, told)
        else:
            # All pages in one step: it reads under one lock that no writer of a WAL database waits for.
            with engine.connect() as used, copy_of.connect() as fresh:
                used.connection.driver_connection.backup(fresh.connection.driver_connection, pages=-1)  # type: ignore[union-attr]
        with copy_of.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # A file of its own: nothing of it may be left in a log beside it.
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")


def _copy_table(reader: Connection, writer: Connection, table: Table, told: Told) -> Tally:
    rows = total = 0
    names = [column.name for column in table.columns]
    for batch in _batches(reader, table):
        writer.execute(insert(table), [dict(zip(names, row, strict=True)) for row in batch])
        rows += len(batch)
        total += sum(_digest(table, row) for row in batch)
        told(table.name, rows)
    return Tally(rows, f"{total % _WORD:032x}")


def _batches(connection: Connection, table: Table) -> Iterator[Sequence[Sequence[Any]]]:
    # In the order of the key: a generator comes after its parent.
    query = select(table).order_by(*table.primary_key.columns)
    yield from connection.execute(query, execution_options={"yield_per": BATCH}).partitions()


def _digest(table: Table, row: Sequence[Any]) -> int:
    values = [
        json.dumps(value, sort_keys=True)
        if isinstance(column.type, JSON)
        else bytes(value)
        if isinstance(value, memoryview)
        else value
        for column, value in zip(table.columns, row, strict=True)
    ]
    return int.from_bytes(blake2b(repr(values).encode("utf-8", "backslashreplace"), digest_size=16).digest(), "big")


def number_on(connection: Connection, table: Table) -> None:
    """Let new rows be numbered after the copied ones: PostgreSQL counts apart from the rows."""
    column = table.autoincrement_column
    if connection.dialect.name != "postgresql" or column is None:
        return
    highest = connection.scalar(select(func.max(column)))
    if highest is not None:
        name = {"table": table.name, "column": column.name, "highest": highest}
        connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :highest)"), name)


def _requeue(connection: Connection) -> None:
    again = {"state": "queued", "worker": None, "outcome": "it goes on where the game was copied to"}
    connection.execute(update(jobs).where(jobs.c.state == "running").values(again))
