"""Novelties: what changed in an archive since a player was last there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from app.db import tallies
from app.db.generators import CHAMPION
from app.db.tables import arms, decisions, generators, guesses, label_sets, labels


@dataclass(frozen=True)
class Generation:
    """A generator, how many accepted labels it learned from, and up to which guess; its fool rate where known."""

    id: int
    number: int
    learned: int
    cutoff: int
    fool_rate: float | None


def champion(connection: Connection, archive_id: int) -> Generation | None:
    """The generator that plays now."""
    query = select(arms.c.generator_id).where(arms.c.archive_id == archive_id, arms.c.arm == CHAMPION)
    generator_id = connection.scalar(query)
    return None if generator_id is None else _generation(connection, archive_id, generator_id)


def champion_before(connection: Connection, archive_id: int, moment: datetime) -> Generation | None:
    """The generator that the first promotion after a moment replaced; None where nothing was promoted since."""
    query = (
        select(decisions.c.champion_id)
        .where(
            decisions.c.archive_id == archive_id,
            decisions.c.verdict.in_(("promoted", "rolled back")),
            decisions.c.taken_at > moment,
        )
        .order_by(decisions.c.id)
        .limit(1)
    )
    generator_id = connection.scalar(query)
    return None if generator_id is None else _generation(connection, archive_id, generator_id)


def taught(connection: Connection, player_id: int, archive_id: int, after: int, up_to: int) -> int:
    """How many accepted labels of a player lie among the guesses (after, up_to]."""
    query = (
        select(func.count())
        .select_from(guesses)
        .join(labels, labels.c.guess_id == guesses.c.id)
        .where(
            guesses.c.player_id == player_id,
            guesses.c.id > after,
            guesses.c.id <= up_to,
            guesses.c.archive_id == archive_id,
            labels.c.status == "accepted",
        )
    )
    return connection.scalar(query) or 0


def fool_rate(connection: Connection, archive_id: int, generator_id: int, least: int) -> float | None:
    """The share of real players' guesses that a generator fooled; None below `least` of them."""
    count = tallies.by_generator(connection, archive_id).get(generator_id, {}).get("real")
    return count.fooled / count.guesses if count is not None and count.guesses >= least else None


def _generation(connection: Connection, archive_id: int, generator_id: int) -> Generation:
    query = (
        select(generators.c.number, label_sets.c.counts, label_sets.c.cutoff_guess_id)
        .outerjoin(label_sets, label_sets.c.id == generators.c.label_set_id)
        .where(generators.c.id == generator_id)
    )
    row = connection.execute(query).one()
    learned = int((row.counts or {}).get("accepted", 0))
    rate = fool_rate(connection, archive_id, generator_id, LEAST)
    return Generation(generator_id, row.number, learned, row.cutoff_guess_id or 0, rate)


LEAST = 20  # guesses below which a generator's fool rate says nothing
