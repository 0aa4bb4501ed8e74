"""Nicknames: given to players, each look once."""

from __future__ import annotations

from sqlalchemy import Connection, update
from sqlalchemy.exc import IntegrityError

from app.db.tables import players
from app.game.nicknames import NicknameRefused, accept, key

__all__ = ["accept", "give"]


def give(connection: Connection, player: bytes, shown: str | None) -> None:
    """Give the player with that key an accepted nickname, or take theirs away.

    Raises:
        NicknameRefused: somebody has one that looks the same, or the player has not played yet.
    """
    values = {"nickname": shown, "nickname_key": shown and key(shown)}
    try:
        changed = connection.execute(update(players).where(players.c.key == player).values(values)).rowcount
    except IntegrityError:
        raise NicknameRefused("somebody is called that, or something that looks like it: choose another") from None
    if not changed:
        raise NicknameRefused("play a round first: then there is somebody to name")
