"""Trying a candidate: its samples are written where nobody sees them, pass the gates, and a canary opens with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from app.db import canaries, evidence, generators, restocks, samples
from app.db.archives import Archive
from app.db.canaries import NoCanary, Opening
from app.db.generators import Decided, Generator
from app.db.restocks import Restock
from app.db.session import now, reading, writing
from app.game import promotion
from app.game.canary import Plan, plan_for
from app.game.gates import Bounds
from app.game.promotion import Gate
from app.jobs.gating import gates_of
from app.jobs.restocking import discard, shelve, write
from app.jobs.workshop import JobError, Progress, ShouldStop, Steps, Workshop, plainly

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Candidate:
    """A generator that asks to be tried.

    Attributes:
        champion: whom it is compared with.
        bounds: of sets of samples, fixed before it was trained; as plain values.
        gates: those that were decided before its samples were written.
        figures: more that the decision rests on.
    """

    generator: Generator
    champion: Generator
    bounds: Mapping[str, Any]
    gates: Sequence[Gate] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TryOut:
    """How a trial is done: the job it belongs to, and who is told of it; see `Errand`."""

    job_id: int
    step: Steps = plainly
    on_progress: Progress = lambda _: None
    should_stop: ShouldStop = lambda: False


@dataclass(frozen=True)
class Tried:
    """What a trial came to: a canary that is open, or a candidate that is held back."""

    verdict: str  # canary or hold
    gates: list[Gate]
    shelved: int  # samples
    words: str  # one line


def try_out(workshop: Workshop, archive: Archive, candidate: Candidate, how: TryOut) -> Tried:
    """Let a candidate pass the gates and open its canary; held back, it keeps its figures and does not play.

    Raises:
        Interrupted: stopped; goes on where it stood when asked again.
        JobError: next to nothing passes vetting, or a checkpoint is damaged or gone.
    """
    step, gates = how.step, list(candidate.gates)
    if not gates or promotion.verdict(gates) == "promote":
        written = step("write samples", lambda: _write(workshop, archive, candidate, how))
        found = step("pass the gates", lambda: _measure(workshop, archive, candidate, written, how))
        gates += [Gate(**gate) for gate in found]
        if promotion.verdict(gates) == "promote":
            shelved, words = step("open the canary", lambda: _open(workshop, archive, candidate, written, gates))
            return Tried("canary" if shelved else "hold", gates, shelved, words)
    step("hold back", lambda: _hold_back(workshop, archive, candidate, gates, how.job_id))
    words = f"{candidate.generator.name} is held back: {promotion.reason(gates)}"
    return Tried("hold", gates, 0, words)


def plan_now(connection: Connection, archive_id: int, workshop: Workshop, at: datetime) -> Plan:
    """The plan of a canary that opens now, by how many play."""
    active = evidence.active_players(connection, archive_id, workshop.learn_from, at - WEEK)
    return plan_for(active, workshop.canary_share, workshop.anchor_share)


def _write(workshop: Workshop, archive: Archive, candidate: Candidate, how: TryOut) -> int:
    row = write(
        *(workshop, archive, candidate.generator, workshop.shelf_full),
        job_id=how.job_id,
        on_progress=how.on_progress,
        should_stop=how.should_stop,
    )
    return row.id


def _measure(
    workshop: Workshop, archive: Archive, candidate: Candidate, written: int, how: TryOut
) -> list[dict[str, Any]]:
    bounds = Bounds.from_json(candidate.bounds)
    row = _restock(workshop, written)
    found = gates_of(workshop, archive, row, candidate.champion, bounds, how.should_stop)
    return [gate.to_json() for gate in found]


def _open(
    workshop: Workshop, archive: Archive, candidate: Candidate, written: int, gates: Sequence[Gate]
) -> tuple[int, str]:
    """Put the samples on the shelf and open the canary, in one transaction; samples shelved, and one line."""
    row, generator = _restock(workshop, written), candidate.generator

    def let_in(connection: Connection, stamp: int) -> None:
        plan = plan_now(connection, archive.id, workshop, now())
        scorer = _expected(connection, candidate)
        opening = Opening(plan, "retrain", [gate.to_json() for gate in gates], scorer, candidate.figures)
        canaries.open_canary(connection, archive.id, generator.id, opening, now())

    try:
        if row.state != "failed":
            shelve(workshop, row, let_in)
    except NoCanary as error:
        # Somebody opened another one meanwhile. The decision first: a restock that was thrown away has one.
        decided = Decided("held", "retrain", {"gates": [gate.to_json() for gate in gates], "reason": str(error)})
        with writing(workshop.engine) as connection:
            generators.note_decision(connection, archive.id, generator.id, decided, now())
        discard(workshop, row)
        return 0, f"{generator.name} passed its gates but is held back: {error}"
    with reading(workshop.engine) as connection:
        if row.state == "failed":  # by an attempt that was killed before this step was noted
            why = _why_held(connection, archive, generator)
            return 0, f"{generator.name} passed its gates but is held back: {why}"
        opened = canaries.listing(connection, archive.id, generator.id)[0].fixed
    words = (
        f"{generator.name} passed its gates and is tried beside {candidate.champion.name} in {opened.share:.0%} of"
        f" rounds, for {opened.days:.0f} days at most"
    )
    return row.shelved, words


def _why_held(connection: Connection, archive: Archive, generator: Generator) -> str:
    """The reason that the newest decision to hold a generator back gives."""
    taken = generators.decisions_on(connection, archive.id)
    held = (each for each in taken if each.generator_id == generator.id and each.verdict == "held")
    return next((str(each.figures.get("reason", "")) for each in held), "its samples were thrown away")


def _expected(connection: Connection, candidate: Candidate) -> float | None:
    """By how much the scorer that chose both generators' samples expects the candidate's to fool more."""
    ours, theirs = candidate.generator, candidate.champion
    if ours.scorer_sha256 is None or ours.scorer_sha256 != theirs.scorer_sha256:
        return None  # scores of different scorers are not of one scale
    both = [samples.mean_score(connection, generator.id) for generator in (ours, theirs)]
    return None if None in both else both[0] - both[1]  # type: ignore[operator]


def _hold_back(workshop: Workshop, archive: Archive, candidate: Candidate, gates: Sequence[Gate], job_id: int) -> None:
    with reading(workshop.engine) as connection:
        row = restocks.of_job(connection, job_id, candidate.generator.id)
    if row is not None and row.state == "running":
        discard(workshop, row)
    figures = {"gates": [gate.to_json() for gate in gates], **candidate.figures}
    with writing(workshop.engine) as connection:
        generators.note_decision(
            connection, archive.id, candidate.generator.id, Decided("held", "retrain", figures), now()
        )


def _restock(workshop: Workshop, restock_id: int) -> Restock:
    with reading(workshop.engine) as connection:
        found = restocks.find(connection, restock_id)
    if found is None:
        raise JobError("the restock vanished from the database while it ran")
    return found
