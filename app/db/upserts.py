"""Upserts: rows that are new or changed, in one statement, which is put into words once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from app.db.prepared import Prepared

Rows = Sequence[Mapping[str, Any]]


def replace(connection: Connection, table: Table, keys: tuple[str, ...], changing: tuple[str, ...], rows: Rows) -> None:
    """Insert rows, which hold `keys` and `changing`; of one whose keys are there, `changing` take the new values."""
    _built(connection.dialect.name, table, keys, changing, False).each(connection, rows)


def add(connection: Connection, table: Table, keys: tuple[str, ...], counts: tuple[str, ...], rows: Rows) -> None:
    """Insert rows, which hold `keys` and `counts`; of one whose keys are there, `counts` grow by the new values."""
    _built(connection.dialect.name, table, keys, counts, True).each(connection, rows)


@cache
def _built(dialect: str, table: Table, keys: tuple[str, ...], columns: tuple[str, ...], adds: bool) -> Prepared:
    statement = (sqlite_insert if dialect == "sqlite" else postgres_insert)(table)
    new: dict[str, Any] = {name: statement.excluded[name] for name in columns}
    values = {name: table.c[name] + value for name, value in new.items()} if adds else new
    return Prepared(statement.on_conflict_do_update(index_elements=list(keys), set_=values), (*keys, *columns))
