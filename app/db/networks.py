"""Networks: the mark of a guess that tells networks of one day apart is dropped when it is old."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile

from sqlalchemy import Connection, select, update

from app.db.tables import guesses

WINDOW = 2000  # guesses that one transaction goes through
# The mark of guesses whose players asked to be forgotten, one and the same: until marks are dropped they count together
# as one network. Else whoever plays as many from one network need only ask to be forgotten each time.
OF_THE_FORGOTTEN = bytes(16)


def drop(connection: Connection, after_id: int, before: datetime, to_come: datetime) -> int | None:
    """Drop the marks of the next guesses behind `after_id` that were made before that moment.

    The id of the last one gone through; None where the next guess is younger, or there is none. A guess of a moment
    that has not come, made while a clock was ahead, is as old as those before it: none behind it waits for that.
    """
    query = select(guesses.c.id, guesses.c.guessed_at).where(guesses.c.id > after_id).order_by(guesses.c.id)
    rows = connection.execute(query.limit(WINDOW))
    old = [row.id for row in takewhile(lambda row: row.guessed_at < before or row.guessed_at > to_come, rows)]
    if not old:
        return None
    marked = (guesses.c.id > after_id, guesses.c.id <= old[-1], guesses.c.network.is_not(None))
    connection.execute(update(guesses).where(*marked).values(network=None))
    return int(old[-1])
