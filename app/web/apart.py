"""Apart: what waits for the database is done in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import to_thread
from sqlalchemy.exc import DataError, SQLAlchemyError

from app.web import problems

Found = TypeVar("Found")


async def apart(work: Callable[[], Found]) -> Found:
    """Do what waits for the database in a thread of its own.

    Raises:
        Problem: 503; the database does not answer.
        DataError: what was to be kept is nothing that a database takes.
    """
    try:
        return await to_thread.run_sync(work)
    except DataError:
        raise
    except SQLAlchemyError as error:
        raise problems.database_away() from error
