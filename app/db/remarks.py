"""Remarks: what a player says of a round after the verdict."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from app.db.tables import guesses, players, remarks


def note(
    connection: Connection, round_id: bytes, key: bytes, at: datetime, *, reason: str | None, report: str | None
) -> bool:
    """Keep what the player with that key says of a guess of theirs; False if it is none of theirs.

    None leaves what was said before as it is; the last word counts.
    """
    own = (
        select(guesses.c.id)
        .join(players, players.c.id == guesses.c.player_id)
        .where(guesses.c.round_id == round_id, players.c.key == key)
    )
    guess_id = connection.scalar(own)
    if guess_id is None:
        return False
    said = {name: words for name, words in (("reason", reason), ("report", report)) if words is not None}
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
    statement = insert(remarks).values(guess_id=guess_id, said_at=at, **said)
    connection.execute(statement.on_conflict_do_update(index_elements=["guess_id"], set_={**said, "said_at": at}))
    return True
