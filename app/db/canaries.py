"""Canaries: a candidate plays a share of the rounds beside the champion until a verdict; one at a time an archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from app.db import generators, samples
from app.db.generators import ANCHOR, CANDIDATE, CHAMPION, Decided, arms_of, clear_arm, place
from app.db.tables import canaries, guesses
from app.game.canary import Plan

OPEN, PROMOTED, ROLLED_BACK, NO_DIFFERENCE, STOPPED = "open", "promoted", "rolled back", "no difference", "stopped"
OPENED = "canary opened"


class NoCanary(ValueError):  # noqa: N818  # an answer, not a mistake
    """A canary cannot be opened; the message says why."""


@dataclass(frozen=True)
class Canary:
    """A row of `canaries`."""

    id: int
    archive_id: int
    generator_id: int
    champion_id: int
    plan: Mapping[str, Any]
    gates: Sequence[Mapping[str, Any]]
    scorer: float | None
    after_guess_id: int
    opened_by: str
    opened_at: datetime
    looks: Sequence[Mapping[str, Any]]
    looked: int
    state: str
    closed_at: datetime | None

    @property
    def fixed(self) -> Plan:
        """The plan as the rules know it."""
        return Plan.from_json(self.plan)

    @property
    def looked_at(self) -> list[int]:
        """The guesses of evidence at each look so far."""
        return [int(look["guesses"]) for look in self.looks]

    def days(self, at: datetime) -> float:
        """How long it has been open."""
        return (at - self.opened_at).total_seconds() / 86_400


@dataclass(frozen=True)
class Opening:
    """What a canary is opened with.

    Attributes:
        gates: those that the candidate passed; none where a person lets it in.
        scorer: by how much the scorer expects it to fool more; None where there is none.
        figures: more that the decision to open it rests on.
    """

    plan: Plan
    opened_by: str
    gates: Sequence[Mapping[str, Any]] = ()
    scorer: float | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)


def open_canary(connection: Connection, archive_id: int, generator_id: int, opening: Opening, at: datetime) -> int:
    """Let a generator play its share of the rounds as the candidate, and the anchor its own; the canary's id.

    Its samples must be on the shelf, or come there in the same transaction.

    Raises:
        NoCanary: there is no champion to play beside, it is the champion, or another canary is open.
    """
    # Guesses take samples first and the archive second; whoever opens a canary waits for them, and for one another.
    samples.lock_shelf(connection, archive_id)
    samples.next_stamp(connection, archive_id)
    playing = arms_of(connection, archive_id)
    champion = playing.get(CHAMPION)
    if champion is None or champion.generator_id == generator_id:
        raise NoCanary("a canary needs a champion, and another generator to be tried beside it")
    if find_open(connection, archive_id) is not None or CANDIDATE in playing:
        raise NoCanary("another canary is open: stop it first, or wait for its verdict")
    plan = opening.plan
    figures = dict(opening.figures) | {"plan": plan.to_json(), "gates": list(opening.gates), "scorer": opening.scorer}
    generators.note_decision(connection, archive_id, generator_id, Decided(OPENED, opening.opened_by, figures), at)
    anchor_share = plan.anchor_share if ANCHOR in playing else 0.0
    if ANCHOR in playing:
        place(connection, archive_id, ANCHOR, playing[ANCHOR].generator_id, anchor_share, playing[ANCHOR].since)
    place(connection, archive_id, CANDIDATE, generator_id, plan.share, at)
    place(
        *(connection, archive_id, CHAMPION, champion.generator_id),
        share=1.0 - plan.share - anchor_share,
        at=champion.since,
    )
    row = {
        "archive_id": archive_id,
        "generator_id": generator_id,
        "champion_id": champion.generator_id,
        "plan": plan.to_json(),
        "gates": list(opening.gates),
        "scorer": opening.scorer,
        "after_guess_id": _newest_guess(connection, archive_id),
        "opened_by": opening.opened_by,
        "opened_at": at,
        "looks": [],
        "looked": 0,
        "state": OPEN,
    }
    return int(connection.execute(insert(canaries).values(row).returning(canaries.c.id)).scalar_one())


def note_look(connection: Connection, canary: Canary, look: Mapping[str, Any]) -> bool:
    """Keep a look that decided nothing; False where somebody else has looked, or closed it, meanwhile."""
    values = {"looks": [*canary.looks, dict(look)], "looked": canary.looked + 1}
    return connection.execute(update(canaries).where(*_as_read(canary)).values(**values)).rowcount == 1


def close(
    connection: Connection, canary: Canary, state: str, decided: Decided, at: datetime, look: Mapping[str, Any] | None
) -> bool:
    """End a canary and let the arms follow: the candidate takes the crown, or leaves the shelf.

    False where somebody else has looked at it, or closed it, since it was read: then nothing is changed.
    """
    # The shelf first, as guesses and openings have it: whoever comes second sees what the first one wrote.
    samples.lock_shelf(connection, canary.archive_id)
    stamp = samples.next_stamp(connection, canary.archive_id)
    looks = [*canary.looks, dict(look)] if look is not None else list(canary.looks)
    values = {"state": state, "closed_at": at, "looks": looks, "looked": len(looks)}
    if connection.execute(update(canaries).where(*_as_read(canary)).values(**values)).rowcount != 1:
        return False
    generators.note_decision(connection, canary.archive_id, canary.generator_id, decided, at)
    if state == PROMOTED:
        generators.crown(connection, canary.archive_id, canary.generator_id, stamp, at)
        return True
    clear_arm(connection, canary.archive_id, CANDIDATE)
    playing = arms_of(connection, canary.archive_id)
    champion = playing[CHAMPION]
    others = sum(arm.share for name, arm in playing.items() if name != CHAMPION)
    place(connection, canary.archive_id, CHAMPION, champion.generator_id, 1.0 - others, champion.since)
    keep = {arm.generator_id for arm in arms_of(connection, canary.archive_id).values() if arm.share > 0}
    samples.retire_others(connection, canary.archive_id, keep, stamp)
    return True


def find_open(connection: Connection, archive_id: int) -> Canary | None:
    """The archive's canary that has no verdict yet."""
    row = connection.execute(
        select(canaries).where(canaries.c.archive_id == archive_id, canaries.c.closed_at.is_(None))
    ).first()
    return None if row is None else _canary(row)


def find(connection: Connection, canary_id: int) -> Canary | None:
    """The canary with that id."""
    row = connection.execute(select(canaries).where(canaries.c.id == canary_id)).first()
    return None if row is None else _canary(row)


def all_open(connection: Connection) -> list[Canary]:
    """The canaries of all archives that have no verdict yet."""
    return [_canary(row) for row in connection.execute(select(canaries).where(canaries.c.closed_at.is_(None)))]


def listing(connection: Connection, archive_id: int, generator_id: int | None = None) -> list[Canary]:
    """The canaries of an archive (or of one generator), the newest first."""
    query = select(canaries).where(canaries.c.archive_id == archive_id).order_by(canaries.c.id.desc())
    if generator_id is not None:
        query = query.where(canaries.c.generator_id == generator_id)
    return [_canary(row) for row in connection.execute(query)]


def _newest_guess(connection: Connection, archive_id: int) -> int:
    newest = select(func.max(guesses.c.id)).where(guesses.c.archive_id == archive_id)
    return int(connection.execute(newest).scalar() or 0)


def _as_read(canary: Canary) -> tuple[Any, ...]:
    return canaries.c.id == canary.id, canaries.c.closed_at.is_(None), canaries.c.looked == canary.looked


def _canary(row: Row[Any]) -> Canary:
    return Canary(**row._asdict())
