"""Damage: a SQLite file that can no longer be read is told by its name, with what to do about it."""

from __future__ import annotations

import sqlite3
from sqlite3 import SQLITE_CORRUPT, SQLITE_NOTADB

from sqlalchemy import URL
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, OperationalError


class DamagedDatabase(sqlite3.OperationalError):
    """The file is damaged; `found` is what SQLite says about it."""

    def __init__(self, file: str, found: str) -> None:
        super().__init__(
            f"the database {file} is damaged ({found}): stop the game, move the file away and restore a backup "
            "(whichtweet restore FILE)"
        )
        self.found = found


def damage(error: BaseException, url: URL) -> OperationalError | None:
    """What to raise in the place of a driver's error that says that the file is damaged; None for any other."""
    # The lower byte is the kind; what is above says where it was noticed.
    if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (SQLITE_CORRUPT, SQLITE_NOTADB):
        return None
    return OperationalError(None, None, DamagedDatabase(url.database or "", str(error)), hide_parameters=True)


def tell_damage(context: ExceptionContext) -> OperationalError | None:
    """A listener of an engine's errors."""
    return None if context.engine is None else damage(context.original_exception, context.engine.url)


def reason(error: BaseException) -> str:
    """An error for the log: its kind, since its words may hold what players say; those of damage are our own."""
    orig = error.orig if isinstance(error, DBAPIError) else None
    return str(orig) if isinstance(orig, DamagedDatabase) else type(orig or error).__name__
