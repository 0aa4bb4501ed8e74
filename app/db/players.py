"""Players: known by a secret key in their cookie, recorded from their first guess, forgotten when they ask."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from app.db import jobs, scores
from app.db.networks import OF_THE_FORGOTTEN
from app.db.prepared import Prepared
from app.db.tables import class_members, forgotten, guesses, players, remarks, transfers
from app.game.skill import Belief

KEY_BYTES = 16


class Player(NamedTuple):
    """A row of `players`."""

    id: int
    key: bytes
    simulated: str | None
    created_at: datetime
    nickname: str | None
    last_guess_at: datetime | None
    day: int | None
    day_accepted: int
    skill: float
    skill_variance: float
    retracted_at: datetime | None

    @property
    def belief(self) -> Belief:
        """What is believed of the player's skill."""
        return Belief(self.skill, self.skill_variance)

    @property
    def crowd(self) -> str:
        """Whom the tallies count this player among: real, or the name of a simulated player."""
        return self.simulated or "real"


_PLAYER = [players.c[name] for name in Player._fields]


def new_key() -> bytes:
    """A key that nobody can guess."""
    return secrets.token_bytes(KEY_BYTES)


def find(connection: Connection, key: bytes) -> Player | None:
    """The player with that key, if they ever guessed."""
    row = connection.execute(select(*_PLAYER).where(players.c.key == key)).first()
    return None if row is None else Player(*row)


_LOCKED = Prepared(
    select(*_PLAYER)
    .where(players.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(players.c.key)
    .with_for_update(key_share=True)
)


def locked(connection: Connection, keys: Collection[bytes]) -> dict[bytes, Player]:
    """The players with those keys, locked in the order of their keys until the transaction ends."""
    rows = [Player(*row) for row in _LOCKED.rows(connection, keys=list(keys))]
    return {row.key: row for row in rows}


def add(connection: Connection, newcomers: Mapping[bytes, str | None], at: datetime) -> None:
    """Record players by key, with the name of a simulated one or None; one that is there already stays as it is."""
    dialect_insert = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
    rows = [{"key": key, "simulated": newcomers[key], "created_at": at, "day_accepted": 0} for key in sorted(newcomers)]
    connection.execute(dialect_insert(players).on_conflict_do_nothing(index_elements=["key"]), rows)


_KEEP_PACE = Prepared(
    update(players)
    .where(players.c.id == bindparam("player_id"))
    .values(
        last_guess_at=bindparam("at"),
        day=bindparam("on"),
        day_accepted=bindparam("accepted"),
        skill=bindparam("mean"),
        skill_variance=bindparam("variance"),
    )
)


def keep_pace(connection: Connection, rows: Collection[Player]) -> None:
    """Write when these players last guessed, how many labels were accepted on that day, and what their skill is."""
    ordered: list[dict[str, Any]] = [
        {
            **{"player_id": row.id, "at": row.last_guess_at, "on": row.day, "accepted": row.day_accepted},
            **{"mean": row.skill, "variance": row.skill_variance},
        }
        for row in sorted(rows, key=lambda row: row.key)
    ]
    _KEEP_PACE.each(connection, ordered)


_FORGOTTEN = Prepared(select(forgotten.c.key_hash).where(forgotten.c.key_hash.in_(bindparam("hashes", expanding=True))))


def was_forgotten(connection: Connection, key: bytes) -> bool:
    """Whether "forget me" dropped the key."""
    return bool(were_forgotten(connection, [key]))


def were_forgotten(connection: Connection, keys: Collection[bytes]) -> set[bytes]:
    """Which of the keys "forget me" dropped."""
    by_hash = {_hashed(key): key for key in keys}
    return {by_hash[key_hash] for (key_hash,) in _FORGOTTEN.rows(connection, hashes=list(by_hash))}


def forget(connection: Connection, key: bytes, at: datetime) -> None:
    """Cut everything that leads from a key to its guesses.

    The network, the nickname, names in classes, the places on leaderboards and what was reported go at once. The
    guesses, now under a key that nobody holds, go to a fresh id, or go, as soon as the worker comes to it
    (`app/jobs/forgetting.py`).
    """
    dialect_insert = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
    dropped = dialect_insert(forgotten).values(key_hash=_hashed(key), forgotten_at=at)
    connection.execute(dropped.on_conflict_do_nothing(index_elements=["key_hash"]))
    player = locked(connection, [key]).get(key)
    if player is None:
        return
    connection.execute(
        update(players)
        .where(players.c.id == player.id)
        .values(key=new_key(), nickname=None, nickname_key=None, last_guess_at=None, day=None)
    )
    scores.forget(connection, player.id)
    connection.execute(delete(transfers).where(transfers.c.player_id == player.id))
    connection.execute(update(class_members).where(class_members.c.player_id == player.id).values(name=None))
    own = select(guesses.c.id).where(guesses.c.player_id == player.id)
    marked = (guesses.c.player_id == player.id, guesses.c.network.is_not(None))
    connection.execute(update(guesses).where(*marked).values(network=OF_THE_FORGOTTEN))
    connection.execute(update(remarks).where(remarks.c.guess_id.in_(own)).values(report=None))
    jobs.ask(connection, "forget", None, {"player": player.id}, asked_by="a player", at=at)


def _hashed(key: bytes) -> bytes:
    return blake2b(key, digest_size=16, person=b"forgotten").digest()
