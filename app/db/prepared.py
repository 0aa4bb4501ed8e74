"""Prepared statements: those on the way of a round or a guess, put into words once and handed to the driver.

SQLAlchemy says what is asked, on both databases. Having it look the words up again at each run costs several times what
the driver needs for the answer. What players do not wait for stays with `Connection.execute`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Dialect, Select, UpdateBase, and_, bindparam, or_
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import visitors

from app.db.damage import damage

Row = tuple[Any, ...]
Convert = Callable[[Any], Any]
Statement = Select[*tuple[Any, ...]] | UpdateBase


@dataclass(frozen=True)
class _Wording:
    """A statement in the words of one database.

    Attributes:
        names: of its values, in the order in which they are counted off.
        by_name: whether the driver takes them by name all the same.
        parts: of each list, the names that its values have one by one.
        converts: of values that the driver does not take as they are, their place in `names` and what it takes.
    """

    text: str
    names: Sequence[str]
    by_name: bool
    parts: Mapping[str, Sequence[str]]
    converts: Sequence[tuple[int, Convert]]

    def filled(self, values: Mapping[str, Any]) -> Any:
        """The values as the driver takes them."""
        if self.parts:
            single = dict(values)
            for name, parts in self.parts.items():
                single.update(zip(parts, _one_by_one(values[name]), strict=True))
            values = single
        given = [values[name] for name in self.names]
        for place, convert in self.converts:
            given[place] = convert(given[place])
        return dict(zip(self.names, given, strict=True)) if self.by_name else given


class Prepared:
    """One statement, with its values by name; lists (`bindparam(name, expanding=True)`) may be of any length."""

    def __init__(
        self,
        statement: Statement,
        columns: Sequence[str] | None = None,
        among: tuple[str, Sequence[ColumnElement[Any]]] | None = None,
    ) -> None:
        """`columns`: of an insert, those that its rows hold. `among`: a list of tuples, and the columns of the rows
        that are found by it: they hold one of those tuples.
        """
        self._statement = statement
        self._columns = columns
        self._among = among
        self._lists = [
            part.key for part in visitors.iterate(statement) if isinstance(part, BindParameter) and part.expanding
        ]
        if among is not None:
            self._lists.append(among[0])
        self._wordings: dict[tuple[object, ...], _Wording] = {}
        self._reads: dict[str, Sequence[tuple[int, Convert]]] = {}

    def rows(self, connection: Connection, **values: Any) -> list[Row]:
        """What is found. A list is what the rows are in: where it is empty there are none.

        Raises:
            DBAPIError: as from `Connection.execute`.
        """
        for name in self._lists:
            values[name] = _padded(values[name])
            if not values[name]:
                return []
        wording = self._wording(connection.dialect, values)
        found, described = _run(connection, wording.text, wording.filled(values))
        reads = self._reads.get(connection.dialect.name)
        if reads is None:
            reads = self._reads[connection.dialect.name] = self._converts(connection.dialect, described)
        return [_read(row, reads) for row in found] if reads else found

    def each(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each row of values; it finds nothing.

        Raises:
            DBAPIError: as from `Connection.execute`.
        """
        if rows:
            wording = self._wording(connection.dialect, rows[0])
            _run(connection, wording.text, [wording.filled(row) for row in rows], is_many=True)

    def _wording(self, dialect: Dialect, values: Mapping[str, Any]) -> _Wording:
        kind = (dialect.name, *[len(values[name]) for name in self._lists])
        known = self._wordings.get(kind)
        if known is None:
            known = self._wordings[kind] = self._worded(dialect, values)
        return known

    def _worded(self, dialect: Dialect, values: Mapping[str, Any]) -> _Wording:
        if self._among is None or not isinstance(self._statement, Select):
            return _worded(self._statement, dialect, self._columns, values)
        name, columns = self._among
        places = [[f"{name}_{row}_{place}" for place in range(len(columns))] for row in range(len(values[name]))]
        # Not as `(a, b) IN (VALUES ...)`: for more than one tuple SQLite reads the whole table then.
        statement = self._statement.where(or_(*(_holds(columns, names) for names in places)))
        wording = _worded(statement, dialect, self._columns, {key: values[key] for key in values if key != name})
        return replace(wording, parts={**wording.parts, name: [part for names in places for part in names]})

    def _converts(self, dialect: Dialect, description: Sequence[Sequence[Any]]) -> Sequence[tuple[int, Convert]]:
        """Of the columns that the driver does not give as they are meant, their place and what makes it so."""
        types = [column.type.dialect_impl(dialect) for column in self._statement.exported_columns]
        reads = [kind.result_processor(dialect, told[1]) for kind, told in zip(types, description, strict=True)]
        return [(place, read) for place, read in enumerate(reads) if read is not None]


def _holds(columns: Sequence[ColumnElement[Any]], names: Sequence[str]) -> ColumnElement[bool]:
    values = (bindparam(name, required=False, type_=column.type) for column, name in zip(columns, names, strict=True))
    return and_(*(column == value for column, value in zip(columns, values, strict=True)))


def _worded(
    statement: Statement,
    dialect: Dialect,
    columns: Sequence[str] | None,
    values: Mapping[str, Any],
) -> _Wording:
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(columns) if columns is not None else None)
    told = compiled.construct_expanded_state(dict(values))
    converts = {
        name: bind.type.dialect_impl(dialect).bind_processor(dialect)
        for name, bind in compiled.binds.items()
        if not bind.expanding
    } | dict(told.processors)
    names = list(told.parameters) if told.positiontup is None else list(told.positiontup)
    places = [(place, converts.get(name)) for place, name in enumerate(names)]
    return _Wording(
        text=told.statement,
        names=names,
        by_name=told.positiontup is None,
        parts=told.parameter_expansion,
        converts=[(place, convert) for place, convert in places if convert is not None],
    )


def _run(connection: Connection, text: str, values: Any, *, is_many: bool = False) -> tuple[list[Row], Any]:
    """The rows that are found, and how the driver describes their columns."""
    cursor: Any = connection.connection.cursor()
    try:
        if is_many:
            cursor.executemany(text, values)
            return [], None
        cursor.execute(text, values)
        return cursor.fetchall(), cursor.description
    except connection.dialect.loaded_dbapi.Error as error:
        if damaged := damage(error, connection.engine.url):
            raise damaged from error
        is_away = connection.dialect.is_disconnect(error, connection.connection.driver_connection, cursor)
        if is_away:
            connection.invalidate(error)
        raise DBAPIError.instance(
            text,
            None,
            error,
            connection.dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=is_away,
            dialect=connection.dialect,
        ) from error
    finally:
        cursor.close()


def _read(row: Row, reads: Sequence[tuple[int, Convert]]) -> Row:
    values = list(row)
    for place, read in reads:
        values[place] = read(values[place])
    return tuple(values)


def _padded(values: Sequence[Any]) -> list[Any]:
    """As many as the next power of two, the last one again and again: which changes nothing, and so few lengths are
    put into words.
    """
    found = list(values)
    return found + found[-1:] * ((1 << (len(found) - 1).bit_length()) - len(found)) if found else found


def _one_by_one(values: Sequence[Any]) -> list[Any]:
    if isinstance(values[0], tuple):
        return [value for several in values for value in several]
    return list(values)
