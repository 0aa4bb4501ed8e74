"""Upserts: rows that are new or changed, in one statement. Built once: the way of a guess does not build it anew."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert


def replacing(connection: Connection, table: Table, keys: tuple[str, ...], changing: tuple[str, ...]) -> Executable:
    """Inserts rows; of one whose keys are there, the columns `changing` take the new values."""
    return _built(connection.dialect.name, table, keys, changing, False)


def adding(connection: Connection, table: Table, keys: tuple[str, ...], counts: tuple[str, ...]) -> Executable:
    """Inserts rows; of one whose keys are there, the columns `counts` grow by the new values."""
    return _built(connection.dialect.name, table, keys, counts, True)


@cache
def _built(dialect: str, table: Table, keys: tuple[str, ...], columns: tuple[str, ...], adds: bool) -> Executable:
    statement = (sqlite_insert if dialect == "sqlite" else postgres_insert)(table)
    new: dict[str, Any] = {name: statement.excluded[name] for name in columns}
    values = {name: table.c[name] + value for name, value in new.items()} if adds else new
    return statement.on_conflict_do_update(index_elements=list(keys), set_=values)
