"""Retractions: a player's labels taken back, and given back; and which generators had learned from them by then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, select, update

from app.db import overruling
from app.db.session import writing
from app.db.tables import archives, arms, generators, label_sets, labels, players, set_players
from app.game.labels import RETRACTED, Label


@dataclass(frozen=True)
class Learned:
    """A generator that learned from a player.

    Attributes:
        labels: of that player in the set that it learned from.
        plays_as: its arms now.
    """

    generator_id: int
    archive: str
    name: str
    labels: int
    label_set_id: int
    sha256: str
    plays_as: tuple[str, ...]


def is_retracted(connection: Connection, player_id: int) -> bool | None:
    """Whether a player's labels are taken back; None where there is no such player."""
    row = connection.execute(select(players.c.retracted_at).where(players.c.id == player_id)).first()
    return None if row is None else row.retracted_at is not None


def retract(engine: Engine, player_id: int, at: datetime) -> int:
    """Take back all labels of a player, those to come included; how many changed. What the rules exclude stays so."""
    with writing(engine) as connection:
        # First: from here on, what the player guesses is taken back as it comes.
        connection.execute(
            update(players).where(players.c.id == player_id, players.c.retracted_at.is_(None)).values(retracted_at=at)
        )
    taken_back = Label("excluded", RETRACTED)
    return overruling.move_all(
        engine,
        player_id,
        labels.c.status != "excluded",
        lambda connection, ids: overruling.overrule(connection, ids, taken_back, "retraction", at),
    )


def restore(engine: Engine, player_id: int, at: datetime) -> int:
    """Give a player's labels back: they stand as an admin or the rules left each; how many changed."""
    with writing(engine) as connection:
        connection.execute(update(players).where(players.c.id == player_id).values(retracted_at=None))
    return overruling.move_all(
        engine,
        player_id,
        labels.c.decided_by == "retraction",
        lambda connection, ids: overruling.give_back(connection, ids, at),
    )


def learned_from(connection: Connection, player_id: int) -> list[Learned]:
    """The generators whose frozen set of labels holds some of this player's."""
    query = (
        select(
            *(generators.c.id, archives.c.slug, generators.c.number, set_players.c.labels),
            *(label_sets.c.id, label_sets.c.sha256, generators.c.archive_id),
        )
        .join(label_sets, label_sets.c.id == set_players.c.label_set_id)
        .join(generators, generators.c.label_set_id == label_sets.c.id)
        .join(archives, archives.c.id == generators.c.archive_id)
        .where(set_players.c.player_id == player_id)
        .order_by(archives.c.slug, generators.c.number)
    )
    found = list(connection.execute(query))
    parts = select(arms.c.generator_id, arms.c.arm).where(arms.c.generator_id.in_([row[0] for row in found]))
    playing = sorted((generator_id, arm) for generator_id, arm in connection.execute(parts))
    return [
        Learned(
            row[0], row[1], f"v{row[2]}", row[3], row[4], row[5], tuple(arm for id_, arm in playing if id_ == row[0])
        )
        for row in found
    ]
