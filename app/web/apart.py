"""Apart: what waits for the database is done in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError

from app.web import problems

Found = TypeVar("Found")


async def apart(work: Callable[[], Found]) -> Found:
    """Do what waits for the database in a thread of its own.

    Raises:
        Problem: 503; the database does not answer.
    """
    try:
        return await to_thread.run_sync(work)
    except SQLAlchemyError as error:
        raise problems.database_away() from error
