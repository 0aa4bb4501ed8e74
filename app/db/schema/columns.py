"""What all tables are made of: the metadata they are entered in, moments, numbers of rows, and indexes of few rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect, Index, Integer, MetaData, TextClause, text
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, stored as whole milliseconds since 1970: the same on both databases, and cheap to bucket."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Milliseconds of an aware datetime; a naive one is a bug and raises ValueError."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return round(value.timestamp() * 1000)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """The aware datetime that was stored."""
        return None if value is None else datetime.fromtimestamp(value / 1000, UTC)


def partial_index(name: str, *columns: str | TextClause, where: str, unique: bool = False) -> Index:
    """An index of the few rows for which `where` holds; `unique`: at most one row of them for each value."""
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def hidden_index(table: str) -> Index:
    """An index of the few rows that were hidden: web processes read all of them whenever something changed."""
    return partial_index(f"ix_{table}_hidden", "archive_id", where="hidden_at IS NOT NULL")


# SQLite only numbers rows by itself when the key is its own INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")
