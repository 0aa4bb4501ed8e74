"""Transfers: a code takes a player to another device, once and within minutes."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from app.db.tables import players, transfers

LIFE = timedelta(minutes=10)


def open_way(connection: Connection, player_id: int, code_hash: bytes, at: datetime) -> None:
    """Let that code lead to the player; the one before no longer does."""
    connection.execute(delete(transfers).where((transfers.c.player_id == player_id) | (transfers.c.expires_at <= at)))
    row = {"code_hash": code_hash, "player_id": player_id, "expires_at": at + LIFE}
    connection.execute(insert(transfers).values(row))


def take(connection: Connection, code_hash: bytes, at: datetime) -> bytes | None:
    """The key of the player that the code leads to; the code is used up. None for an unknown, used or old one."""
    spent = delete(transfers).where(transfers.c.code_hash == code_hash, transfers.c.expires_at > at)
    player_id = connection.scalar(spent.returning(transfers.c.player_id))
    if player_id is None:
        return None
    return bytes(connection.execute(select(players.c.key).where(players.c.id == player_id)).scalar_one())
