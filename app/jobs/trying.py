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
from app.db.generators import CHAMPION, Decided, Generator
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
ANEW = "another champion was crowned meanwhile"


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
    """What a trial came to: a canary that is open, a candidate that is held back, or one that is to be measured anew.

    Attributes:
        verdict: canary, hold, or anew.
        shelved: samples.
        words: one line.
        champion_id: who was crowned while the candidate was measured beside another; None but for the verdict anew.
    """

    verdict: str
    gates: list[Gate]
    shelved: int
    words: str
    champion_id: int | None = None


class _Crowned(Exception):  # noqa: N818  # an answer, not a mistake
    """The champion is not the one that the candidate was measured beside."""

    def __init__(self, champion_id: int) -> None:
        super().__init__()
        self.champion_id = champion_id


def try_out(workshop: Workshop, archive: Archive, candidate: Candidate, how: TryOut) -> Tried:
    """Let a candidate pass the gates and open its canary; held back, it keeps its figures and does not play.

    Where another generator was crowned meanwhile its samples wait, and it is to be tried once more beside that one.

    Raises:
        Interrupted: stopped; goes on where it stood when asked again.
        JobError: next to nothing passes vetting, or a checkpoint is damaged or gone.
    """
    step, gates = how.step, list(candidate.gates)
    if not gates or promotion.verdict(gates) == "promote":
        written = step("write samples", lambda: _write(workshop, archive, candidate, how))
        crowned, found = step("pass the gates", lambda: _measure(workshop, archive, candidate, written, how))
        if crowned:
            return Tried("anew", gates, 0, ANEW, crowned)
        gates += [Gate(**gate) for gate in found]
        if promotion.verdict(gates) == "promote":
            shelved, words, crowned = step(
                "open the canary", lambda: _open(workshop, archive, candidate, written, gates, how.job_id)
            )
            return Tried("anew" if crowned else "canary" if shelved else "hold", gates, shelved, words, crowned)
    step("hold back", lambda: _hold_back(workshop, archive, candidate, gates, how.job_id))
    words = f"{candidate.generator.name} is held back: {promotion.reason(gates)}"
    return Tried("hold", gates, 0, words)


def plan_now(connection: Connection, archive_id: int, workshop: Workshop, at: datetime) -> Plan:
    """The plan of a canary that opens now, by how many play."""
    active = evidence.active_players(connection, archive_id, workshop.learn_from, at - WEEK)
    return plan_for(active, workshop.canary_share, workshop.anchor_share, kept_days=workshop.guesses_kept_days)


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
) -> tuple[int | None, list[dict[str, Any]]]:
    """The gates; or, where another champion was crowned meanwhile, its id: the shelf of the former one may be empty."""
    with reading(workshop.engine) as connection:
        crowned = _crowned(connection, candidate)
    if crowned is not None:
        return crowned, []
    bounds = Bounds.from_json(candidate.bounds)
    row = _restock(workshop, written)
    found = gates_of(workshop, archive, row, candidate.champion, bounds, how.should_stop)
    return None, [gate.to_json() for gate in found]


def _crowned(connection: Connection, candidate: Candidate) -> int | None:
    """The champion, where it is another one than the candidate is measured beside; the candidate itself is none."""
    champion = generators.in_arm(connection, candidate.generator.archive_id, CHAMPION)
    known = (candidate.champion.id, candidate.generator.id)
    return None if champion is None or champion.id in known else champion.id


def _open(
    workshop: Workshop, archive: Archive, candidate: Candidate, written: int, gates: Sequence[Gate], job_id: int
) -> tuple[int, str, int | None]:
    """Put the samples on the shelf and open the canary, in one transaction; samples shelved, and one line.

    Or the id of who was crowned meanwhile: then nothing is changed.
    """
    row, generator = _restock(workshop, written), candidate.generator

    def let_in(connection: Connection, stamp: int) -> None:
        if (crowned := _crowned(connection, candidate)) is not None:
            raise _Crowned(crowned)
        plan = plan_now(connection, archive.id, workshop, now())
        scorer = _expected(connection, candidate)
        opening = Opening(plan, "retrain", [gate.to_json() for gate in gates], scorer, candidate.figures)
        canaries.open_canary(connection, archive.id, generator.id, opening, now())

    try:
        if row.state == "running":
            shelve(workshop, row, let_in)
    except _Crowned as crowned:
        return 0, ANEW, crowned.champion_id
    except NoCanary as error:
        # Somebody opened another one meanwhile. The decision first: a restock that was thrown away has one.
        figures = {"gates": [gate.to_json() for gate in gates], "reason": str(error)}
        _note_held(workshop, archive, generator, figures, job_id)
        discard(workshop, row)
        return 0, f"{generator.name} passed its gates but is held back: {error}", None
    with reading(workshop.engine) as connection:
        if row.state == "failed":  # by an attempt that was killed before this step was noted
            why = _why_held(connection, archive, generator)
            return 0, f"{generator.name} passed its gates but is held back: {why}", None
        opened = canaries.listing(connection, archive.id, generator.id)[0].fixed
    words = (
        f"{generator.name} passed its gates and is tried beside {candidate.champion.name} in {opened.share:.0%} of"
        f" rounds, for {opened.days:.0f} days at most"
    )
    return row.shelved, words, None


def _note_held(
    workshop: Workshop, archive: Archive, generator: Generator, figures: Mapping[str, Any], job_id: int
) -> None:
    """Decide to hold a candidate back; once, however often the job that does is taken up again."""
    decided = Decided("held", "retrain", {**figures, "job": job_id})
    with writing(workshop.engine) as connection:
        if generators.decided_by_job(connection, archive.id, job_id) is None:
            generators.note_decision(connection, archive.id, generator.id, decided, now())


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
    _note_held(workshop, archive, candidate.generator, figures, job_id)


def _restock(workshop: Workshop, restock_id: int) -> Restock:
    with reading(workshop.engine) as connection:
        found = restocks.find(connection, restock_id)
    if found is None:
        raise JobError("the restock vanished from the database while it ran")
    return found
