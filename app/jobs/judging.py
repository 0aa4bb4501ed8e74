"""Judging: the looks at a canary, and what follows from each; asked for by the worker, done once by whoever comes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from app.db import canaries, evidence, generators, jobs, restocks
from app.db.canaries import NO_DIFFERENCE, PROMOTED, ROLLED_BACK, Canary
from app.db.evidence import Trouble
from app.db.generators import Decided
from app.db.jobs import Job
from app.db.session import now, reading, writing
from app.game import canary as rules
from app.game.canary import Look, Standing
from app.game.effect import effect_of
from app.game.gates import rejections_gate
from app.jobs.hold import Hold
from app.jobs.workshop import JobError, ShouldStop, Skipped, Steps, Workshop, heed, never

REST = timedelta(minutes=10)  # between two looks of which the first found too little
TAKEN_BY = "canary"
STATES = {"promote": PROMOTED, "roll back": ROLLED_BACK, "no difference": NO_DIFFERENCE}


def judge_canary(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    """Look at a canary; see `look`."""
    canary_id = int(job.arguments["canary"])
    return step("look", lambda: look(workshop, canary_id, now(), hold.should_stop))


def look(workshop: Workshop, canary_id: int, at: datetime, should_stop: ShouldStop = never) -> str:
    """Look at the evidence of a canary, if it is time to, and do what follows; what was found, in one line.

    However often and by however many it is asked for, each look is made once: what is written names the looks that
    were there when the evidence was read, and counts only if there are no more by then.

    Raises:
        Skipped: there is nothing to look at yet, or somebody else has looked meanwhile.
        Interrupted: `should_stop` said so, before anything was decided.
    """
    heed(should_stop)
    with reading(workshop.engine) as connection:
        canary = canaries.find(connection, canary_id)
        if canary is None or canary.closed_at is not None:
            raise Skipped("the canary is closed")
        name = _name(connection, canary.generator_id)
        alarm = _alarm(connection, canary)
        seen = None if alarm else evidence.read(connection, canary, workshop.learn_from)
    heed(should_stop)
    if seen is None:
        return _close(workshop, canary, ROLLED_BACK, {"alarm": alarm}, at, f"{name} is rolled back: {alarm}")
    plan, days = canary.fixed, canary.days(at)
    if not rules.is_due(plan, canary.looked_at, len(seen), days):
        due = rules.next_look(plan, canary.looked_at)
        raise Skipped(f"{len(seen)} guesses of evidence, the next look is at {due}")
    effect = effect_of(seen)
    if effect.players < plan.least_players and days < plan.days:
        raise Skipped(f"{effect.players} players in the evidence, {plan.least_players} are needed")
    found = rules.judge(plan, canary.looked_at, effect, days, _standing(canary))
    heed(should_stop)
    if found.verdict == "go on":
        with writing(workshop.engine) as connection:
            if not canaries.note_look(connection, canary, found.to_json() | {"at": at.isoformat()}):
                raise Skipped("somebody else looked at it meanwhile")
        return f"{name}: {found.words}"
    return _close(workshop, canary, STATES[found.verdict], {}, at, f"{name}: {found.words}", found)


def ask_for_looks(workshop: Workshop, moment: datetime) -> None:
    """Ask for a look at each canary where there may be something to see; once, by whoever notices."""
    with reading(workshop.engine) as connection:
        due = [each for each in canaries.all_open(connection) if _may_be_due(connection, each, moment)]
    for canary in due:
        with writing(workshop.engine) as connection:
            arguments = {"canary": canary.id}
            jobs.ask_unless_open(connection, "judge", canary.archive_id, arguments, asked_by="schedule", at=moment)


def _may_be_due(connection: Connection, canary: Canary, moment: datetime) -> bool:
    """By a count alone, which never says less than the evidence will."""
    if _alarm(connection, canary):
        return True
    if jobs.ended_lately(connection, "judge", canary.archive_id, moment, REST):
        return False
    came = evidence.accepted(connection, canary)
    return rules.is_due(canary.fixed, canary.looked_at, came, canary.days(moment))


def _alarm(connection: Connection, canary: Canary) -> str | None:
    """What jumped since the canary opened and ends it at once, in one line; None where all is quiet."""
    ours, theirs = evidence.troubles(connection, canary)
    for what, bad, usual in (("reports", ours.reports, theirs.reports), ("hidden samples", ours.hidden, theirs.hidden)):
        if rules.jumped(bad, ours.rounds, usual, theirs.rounds):
            return f"{what} jumped: {bad} in {ours.rounds} rounds, {usual} in {theirs.rounds} of the champion's"
    gate = rejections_gate((ours.drafts, ours.rejected), _usual_rejections(connection, canary, theirs))
    return f"rejections jumped: {gate.words}" if gate.outcome == "failed" else None


def _usual_rejections(connection: Connection, canary: Canary, theirs: Trouble) -> tuple[int, int]:
    """The champion's drafts since the canary opened, or, where it wrote none, those of its last restock."""
    if theirs.drafts:
        return theirs.drafts, theirs.rejected
    last = restocks.newest_done(connection, canary.champion_id)
    return (last.written, last.turned_away) if last is not None else (0, 0)


def _standing(canary: Canary) -> Standing:
    passed = bool(canary.gates) and all(gate["outcome"] == "passed" for gate in canary.gates)
    return Standing(passed, canary.scorer)


def _close(
    workshop: Workshop,
    canary: Canary,
    state: str,
    figures: Mapping[str, Any],
    at: datetime,
    words: str,
    found: Look | None = None,
) -> str:
    verdict = state  # a decision is called as the canary's end is
    told = {**figures, "words": words, "plan": dict(canary.plan), "gates": list(canary.gates)}
    last = None if found is None else found.to_json() | {"at": at.isoformat()}
    if last is not None:
        told |= {"look": last, "looks before": list(canary.looks), "basis": last["basis"]}
    with writing(workshop.engine) as connection:
        if not canaries.close(connection, canary, state, Decided(verdict, TAKEN_BY, told), at, last):
            raise Skipped("somebody else looked at it meanwhile")
    return words


def _name(connection: Connection, generator_id: int) -> str:
    found = generators.find(connection, generator_id)
    if found is None:
        raise JobError("the candidate is not there any more")
    return found.name
