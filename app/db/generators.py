"""Generators: immutable recipes, numbered within an archive, and the arms that say which one plays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from app.db import samples
from app.db.tables import archives, arms, canaries, decisions, generators

CHAMPION, CANDIDATE, ANCHOR = "champion", "candidate", "anchor"
OF_A_CLASS = "class"  # what made a generator that learned from one class (`made_by` of its card)
STANDS_IN = "base"  # what made a generator that stands in until the archive's own is trained (`made_by` of its card)


@dataclass(frozen=True)
class Generator:
    """A row of `generators`."""

    id: int
    archive_id: int
    number: int
    parent_id: int | None
    checkpoint_key: str
    checkpoint_sha256: str
    decoding: Mapping[str, Any]
    scorer_sha256: str | None
    vetting_version: int
    alphabet: str
    bits_per_character: float | None
    card: Mapping[str, Any]
    label_set_id: int | None
    created_at: datetime

    @property
    def name(self) -> str:
        """How it is shown: v1, v2, …"""
        return f"v{self.number}"

    @property
    def stands_in(self) -> bool:
        """Whether it is the shipped base, in the place of a generator that was trained for the archive."""
        return self.card.get("made_by") == STANDS_IN

    @property
    def is_of_a_class(self) -> bool:
        """Whether it learned from one class, and plays in its room alone."""
        return self.card.get("made_by") == OF_A_CLASS


@dataclass(frozen=True)
class Recipe:
    """What makes a generator; two with the same checkpoint, decoding, scorer and vetting are one."""

    checkpoint_key: str
    checkpoint_sha256: str
    decoding: Mapping[str, Any]
    vetting_version: int
    alphabet: str
    bits_per_character: float | None
    parent_id: int | None = None
    scorer_sha256: str | None = None
    label_set_id: int | None = None
    card: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Arm:
    """Which generator plays a part, and how often."""

    arm: str
    generator_id: int
    share: float
    since: datetime


@dataclass(frozen=True)
class Decided:
    """What was decided about a generator, by whom or what, on which figures."""

    verdict: str  # see `decisions` in the schema
    taken_by: str
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """A row of `decisions`."""

    id: int
    archive_id: int
    generator_id: int
    champion_id: int | None
    verdict: str
    taken_by: str
    figures: Mapping[str, Any]
    taken_at: datetime


def register(connection: Connection, archive_id: int, recipe: Recipe, at: datetime) -> tuple[Generator, bool]:
    """The generator of this recipe and whether it is new.

    The first one of an archive is its champion; the first that was trained for it is its anchor, too.
    """
    # One at a time within an archive: numbers have no gaps and no twins.
    connection.execute(select(archives.c.id).where(archives.c.id == archive_id).with_for_update())
    for known in listing(connection, archive_id):
        if _same(known, recipe):
            return known, False
    number = 1 + (
        connection.execute(
            select(func.max(generators.c.number)).where(generators.c.archive_id == archive_id)
        ).scalar_one()
        or 0
    )
    row = {
        "archive_id": archive_id,
        "number": number,
        "parent_id": recipe.parent_id,
        "checkpoint_key": recipe.checkpoint_key,
        "checkpoint_sha256": recipe.checkpoint_sha256,
        "decoding": dict(recipe.decoding),
        "scorer_sha256": recipe.scorer_sha256,
        "vetting_version": recipe.vetting_version,
        "alphabet": recipe.alphabet,
        "bits_per_character": recipe.bits_per_character,
        "card": dict(recipe.card),
        "label_set_id": recipe.label_set_id,
        "created_at": at,
    }
    made = _generator(connection.execute(insert(generators).values(row).returning(*generators.c)).one())
    playing = arms_of(connection, archive_id)
    if CHAMPION not in playing:
        place(connection, archive_id, CHAMPION, made.id, 1.0, at)
    if ANCHOR not in playing and not made.stands_in:
        place(connection, archive_id, ANCHOR, made.id, 0.0, at)
    return made, True


def is_of_a_class() -> ColumnElement[bool]:
    """The same as a condition."""
    return func.coalesce(generators.c.card["made_by"].as_string(), "") == OF_A_CLASS


def find(connection: Connection, generator_id: int) -> Generator | None:
    """The generator with that id."""
    row = connection.execute(select(generators).where(generators.c.id == generator_id)).first()
    return None if row is None else _generator(row)


def by_number(connection: Connection, archive_id: int, number: int) -> Generator | None:
    """The generator that is shown as v`number`."""
    if number >= 1 << 31:  # PostgreSQL would not even compare
        return None
    row = connection.execute(
        select(generators).where(generators.c.archive_id == archive_id, generators.c.number == number)
    ).first()
    return None if row is None else _generator(row)


def listing(connection: Connection, archive_id: int) -> list[Generator]:
    """The generators of an archive, v1 first."""
    query = select(generators).where(generators.c.archive_id == archive_id).order_by(generators.c.number)
    return [_generator(row) for row in connection.execute(query)]


def arms_of(connection: Connection, archive_id: int) -> dict[str, Arm]:
    """The arms of an archive by name; empty before its first generator."""
    query = select(arms.c.arm, arms.c.generator_id, arms.c.share, arms.c.since).where(arms.c.archive_id == archive_id)
    return {row.arm: Arm(*row) for row in connection.execute(query)}


def in_arm(connection: Connection, archive_id: int, arm: str) -> Generator | None:
    """The generator that plays `arm`, if any does."""
    query = select(generators).join(arms, arms.c.generator_id == generators.c.id)
    row = connection.execute(query.where(arms.c.archive_id == archive_id, arms.c.arm == arm)).first()
    return None if row is None else _generator(row)


def place(connection: Connection, archive_id: int, arm: str, generator_id: int, share: float, at: datetime) -> None:
    """Let a generator play `arm` from now on. Shares must sum to 1 when the transaction ends: the caller sees to it."""
    values = {"generator_id": generator_id, "share": share, "since": at}
    changed = connection.execute(
        update(arms).where(arms.c.archive_id == archive_id, arms.c.arm == arm).values(**values)
    )
    if changed.rowcount == 0:
        connection.execute(insert(arms).values(archive_id=archive_id, arm=arm, **values))


def crown(connection: Connection, archive_id: int, generator_id: int, stamp: int, at: datetime) -> None:
    """Make a generator the champion for deals from `stamp` on; whoever plays no part any more leaves the shelf.

    A canary that is open ends: its candidate was tried beside a champion that is none any more.
    """
    still_open = (canaries.c.archive_id == archive_id, canaries.c.closed_at.is_(None))
    connection.execute(update(canaries).where(*still_open).values(state="stopped", closed_at=at))
    clear_arm(connection, archive_id, CANDIDATE)
    others = arms_of(connection, archive_id)
    others.pop(CHAMPION, None)
    share = 1.0 - sum(arm.share for arm in others.values())
    place(connection, archive_id, CHAMPION, generator_id, share, at)
    playing = {generator_id, *(arm.generator_id for arm in others.values() if arm.share > 0)}
    samples.retire_others(connection, archive_id, playing, stamp)


def note_decision(connection: Connection, archive_id: int, generator_id: int, decided: Decided, at: datetime) -> None:
    """Keep a decision about who plays; to be called before the arms change, for it notes the champion of the moment."""
    champion = arms_of(connection, archive_id).get(CHAMPION)
    row = {
        "archive_id": archive_id,
        "generator_id": generator_id,
        "champion_id": champion.generator_id if champion else None,
        "verdict": decided.verdict,
        "taken_by": decided.taken_by,
        "figures": dict(decided.figures),
        "taken_at": at,
    }
    connection.execute(insert(decisions).values(row))


def decisions_on(connection: Connection, archive_id: int) -> list[Decision]:
    """Every decision about an archive's generators, the newest first."""
    query = select(decisions).where(decisions.c.archive_id == archive_id).order_by(decisions.c.id.desc())
    return [Decision(**row._asdict()) for row in connection.execute(query)]


def decided_by_job(connection: Connection, archive_id: int, job_id: int) -> Decision | None:
    """The decision that a job took about who plays, which names it; None where it has taken none."""
    return next((each for each in decisions_on(connection, archive_id) if each.figures.get("job") == job_id), None)


def clear_arm(connection: Connection, archive_id: int, arm: str) -> None:
    """Let nobody play `arm`."""
    connection.execute(delete(arms).where(arms.c.archive_id == archive_id, arms.c.arm == arm))


def _same(known: Generator, recipe: Recipe) -> bool:
    return (
        known.checkpoint_sha256 == recipe.checkpoint_sha256
        and dict(known.decoding) == dict(recipe.decoding)
        and known.scorer_sha256 == recipe.scorer_sha256
        and known.vetting_version == recipe.vetting_version
    )


def _generator(row: Row[Any]) -> Generator:
    return Generator(**row._asdict())
