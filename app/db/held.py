"""Held back: samples that nobody sees before an admin has looked at them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, Connection, and_, func, literal_column, select, update

from app.db.browsing import hide
from app.db.samples import HELD
from app.db.tables import archives, generators, samples

MOST = 200  # samples that one look counts or lists
REFUSED = "refused"

Ruling = Literal["release", "refuse"]


@dataclass(frozen=True)
class Held:
    """A sample that waits for a look."""

    id: int
    text: str
    why: str
    generator: int  # its number
    archive: str
    archive_id: int


def count(connection: Connection) -> int:
    """How many wait (at most 200 are counted)."""
    waiting = select(samples.c.id).where(_waits()).limit(MOST).subquery()
    return connection.scalar(select(func.count()).select_from(waiting)) or 0


def listing(connection: Connection) -> list[Held]:
    """Those that wait, the oldest first."""
    columns = (
        *(samples.c.id, samples.c.text, samples.c.hidden_reason, generators.c.number),
        *(archives.c.slug, samples.c.archive_id),
    )
    query = (
        select(*columns)
        .join(generators, generators.c.id == samples.c.generator_id)
        .join(archives, archives.c.id == samples.c.archive_id)
        .where(_waits())
        .order_by(samples.c.id)
        .limit(MOST)
    )
    return [
        Held(number, text, why.removeprefix(HELD), generator, slug, archive_id)
        for number, text, why, generator, slug, archive_id in connection.execute(query)
    ]


def rule(connection: Connection, sample_id: int, ruling: Ruling, at: datetime) -> str | None:
    """Put a sample in play or keep it out for good; why it was held, or None where it does not wait any more."""
    row = connection.execute(
        select(samples.c.archive_id, samples.c.hidden_reason).where(samples.c.id == sample_id, _waits())
    ).first()
    if row is None:
        return None
    if ruling == "release":
        hide(connection, "sample", row.archive_id, [sample_id], None)
    else:
        refused = update(samples).where(samples.c.id == sample_id)
        connection.execute(refused.values(hidden_at=at, hidden_reason=REFUSED))
    return str(row.hidden_reason).removeprefix(HELD)


def _waits() -> ColumnElement[bool]:
    # Only what was shelved: until then a restock may still throw it away.
    return and_(
        samples.c.hidden_at.is_not(None),
        samples.c.hidden_reason.like(literal_column(f"'{HELD}%'")),  # as it stands, or no index of these few serves
        samples.c.shelved_stamp.is_not(None),
    )
