"""Samples, the write side of the shelf: they are stored in batches that nobody sees, and shelved by one flip."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.db.session import now
from app.db.tables import archives, samples

BATCH = 500  # rows that one transaction writes at most


@dataclass(frozen=True)
class NewSample:
    """A vetted sample that is not stored yet."""

    seed: int
    text: str
    text_hash: str
    score: float | None = None
    held: str | None = None  # why it is kept off the shelf until somebody has looked at it


HELD = "held: "  # begins the reason for which such a sample is hidden


def add(
    connection: Connection,
    found: Sequence[NewSample],
    *,
    archive_id: int,
    generator_id: int,
    restock_id: int,
    text_version: int,
) -> int:
    """Store samples, invisible until `shelve`; how many were new: a text that the archive ever had is left out."""
    if not found:
        return 0
    rows = [
        {
            "archive_id": archive_id,
            "generator_id": generator_id,
            "restock_id": restock_id,
            "seed": sample.seed,
            "text": sample.text,
            "text_version": text_version,
            "length": len(sample.text),
            "text_hash": sample.text_hash,
            "score": sample.score,
            "hidden_at": now() if sample.held else None,
            "hidden_reason": HELD + sample.held if sample.held else None,
        }
        for sample in found
    ]
    postgres = connection.dialect.name == "postgresql"
    statement: Any = postgresql.insert(samples) if postgres else sqlite.insert(samples)
    statement = statement.on_conflict_do_nothing(index_elements=["archive_id", "text_hash"])
    return len(connection.execute(statement.returning(samples.c.id), rows).all())


def hashes(connection: Connection, archive_id: int) -> set[str]:
    """The hashes of every sample that the archive ever had."""
    return set(connection.execute(select(samples.c.text_hash).where(samples.c.archive_id == archive_id)).scalars())


def level(connection: Connection, archive_id: int, generator_id: int | None = None) -> int:
    """How many samples are on the shelf: of the archive, or of one generator."""
    query = select(func.count()).select_from(samples).where(samples.c.archive_id == archive_id, on_shelf())
    if generator_id is not None:
        query = query.where(samples.c.generator_id == generator_id)
    return connection.execute(query).scalar_one()


def shelved_texts(connection: Connection, archive_id: int, generator_id: int) -> list[str]:
    """The texts of a generator's samples on the shelf, in the order of their ids."""
    query = select(samples.c.text).where(samples.c.archive_id == archive_id, samples.c.generator_id == generator_id)
    return list(connection.scalars(query.where(on_shelf()).order_by(samples.c.id)))


def on_shelf() -> ColumnElement[bool]:
    """Which samples may be dealt now."""
    return and_(samples.c.shelved_stamp.is_not(None), samples.c.retired_stamp.is_(None), samples.c.hidden_at.is_(None))


def lock_shelf(connection: Connection, archive_id: int) -> None:
    """Keep guesses at what is on the shelf waiting until the transaction ends (PostgreSQL).

    To be called before `next_stamp`: guesses, too, take samples first and the archive second.
    """
    query = select(samples.c.id).where(samples.c.archive_id == archive_id, on_shelf()).order_by(samples.c.id)
    connection.execute(query.with_for_update())


def next_stamp(connection: Connection, archive_id: int) -> int:
    """Raise the archive's stamp by one: what may be dealt is about to change."""
    raised = update(archives).where(archives.c.id == archive_id).values(stamp=archives.c.stamp + 1)
    return int(connection.execute(raised.returning(archives.c.stamp)).scalar_one())


def shelve(connection: Connection, restock_id: int, stamp: int) -> int:
    """Put the samples of a restock on the shelf, for deals from `stamp` on; how many."""
    waiting = (samples.c.restock_id == restock_id, samples.c.shelved_stamp.is_(None))
    return connection.execute(update(samples).where(*waiting).values(shelved_stamp=stamp)).rowcount


def retire_others(connection: Connection, archive_id: int, keep: Iterable[int], stamp: int) -> int:
    """Take the samples of all generators but `keep` off the shelf, for deals from `stamp` on; how many."""
    others = (
        samples.c.archive_id == archive_id,
        samples.c.shelved_stamp.is_not(None),
        samples.c.retired_stamp.is_(None),
        samples.c.generator_id.not_in(list(keep)),
    )
    return connection.execute(update(samples).where(*others).values(retired_stamp=stamp)).rowcount


def retire_before(connection: Connection, archive_id: int, stamp: int) -> int:
    """Take every sample that was shelved before `stamp` off the shelf, for deals from then on; how many."""
    earlier = (
        samples.c.archive_id == archive_id,
        samples.c.shelved_stamp < stamp,
        samples.c.retired_stamp.is_(None),
    )
    return connection.execute(update(samples).where(*earlier).values(retired_stamp=stamp)).rowcount


def purge(connection: Connection, restock_id: int) -> int:
    """Delete up to 500 samples of a restock that never reached the shelf; how many."""
    some = (
        select(samples.c.id)
        .where(samples.c.restock_id == restock_id, samples.c.shelved_stamp.is_(None))
        .limit(BATCH)
        .scalar_subquery()
    )
    return connection.execute(delete(samples).where(samples.c.id.in_(some))).rowcount


def waiting(connection: Connection, restock_id: int) -> list[Row[Any]]:
    """Id, text, seed and score of what a restock stored and may shelve, by seed; nothing that is held."""
    query = select(samples.c.id, samples.c.text, samples.c.seed, samples.c.score)
    query = query.where(samples.c.restock_id == restock_id, samples.c.shelved_stamp.is_(None))
    return list(connection.execute(query.where(samples.c.hidden_at.is_(None)).order_by(samples.c.seed)))


def drop(connection: Connection, ids: Sequence[int]) -> None:
    """Delete samples that never reached the shelf."""
    for first in range(0, len(ids), BATCH):
        some = samples.c.id.in_(ids[first : first + BATCH])
        connection.execute(delete(samples).where(some, samples.c.shelved_stamp.is_(None)))


def texts_on_shelf(connection: Connection, generator_id: int, limit: int) -> list[str]:
    """The texts of a generator's samples on the shelf, the newest first."""
    query = select(samples.c.text).where(samples.c.generator_id == generator_id, on_shelf())
    return list(connection.execute(query.order_by(samples.c.id.desc()).limit(limit)).scalars())


def mean_score(connection: Connection, generator_id: int) -> float | None:
    """The scorer's mean of a generator's samples on the shelf; None where it chose none of them."""
    query = select(func.avg(samples.c.score)).where(samples.c.generator_id == generator_id, on_shelf())
    found = connection.execute(query).scalar()
    return None if found is None else float(found)


def texts_of(connection: Connection, restock_id: int) -> list[str]:
    """The texts of a restock in the order of their seeds; nothing that is held."""
    query = select(samples.c.text).where(samples.c.restock_id == restock_id, samples.c.hidden_at.is_(None))
    return list(connection.execute(query.order_by(samples.c.seed)).scalars())
