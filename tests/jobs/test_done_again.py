"""What is done again because its worker died between the commit and the note of it: it changes nothing more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from factories import add_archive, add_arm, add_generator, add_samples, add_tweets, words
from sqlalchemy import Engine

from app.db import canaries, generators, jobs, restocks
from app.db.canaries import Opening
from app.db.jobs import Job
from app.db.session import now, reading, writing
from app.game.canary import plan_for
from app.game.gates import fix_bounds
from app.game.promotion import bits_gate
from app.jobs import trying
from app.jobs.hold import Hold
from app.jobs.promoting import promote_generator
from app.jobs.trying import Candidate, TryOut, try_out
from app.jobs.workshop import T, Workshop, plainly


@pytest.fixture
def workshop(either_engine: Engine, tmp_path: Path) -> Workshop:
    """An archive with two generators, each with samples on the shelf; the first is the champion."""
    with writing(either_engine) as connection:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, [words(seed) for seed in range(40)])
        for number in range(2):
            made = add_generator(connection, archive_id)
            add_samples(connection, archive_id, made, [words(100 * number + 1000 + seed) for seed in range(40)])
        for generator_id in (1, 2):  # so that neither leaves the shelf: who goes back must not have to write first
            add_arm(connection, archive_id, f"spare {generator_id}", generator_id, 0.01)
    return Workshop(either_engine, tmp_path, shelf_low=20, shelf_full=40)


def taken_up(workshop: Workshop, kind: str, **arguments: object) -> Job:
    """A job that was asked for, in the hands of a worker."""
    with writing(workshop.engine) as connection:
        jobs.ask(connection, kind, 1, arguments, asked_by="ada", at=now())
        job = jobs.claim(connection, "test", (kind,), now())
    assert job is not None
    return job


def promoted(workshop: Workshop, job: Job) -> str:
    return promote_generator(workshop, job, Hold(workshop.engine, job.claim), plainly)


def taken(workshop: Workshop) -> list[tuple[str, int]]:
    """Decisions, the newest first."""
    with reading(workshop.engine) as connection:
        return [(each.verdict, each.generator_id) for each in generators.decisions_on(connection, 1)]


def champion(workshop: Workshop) -> int:
    with reading(workshop.engine) as connection:
        return generators.arms_of(connection, 1)["champion"].generator_id


def test_a_rollback_is_not_rolled_back(workshop: Workshop) -> None:
    promoted(workshop, taken_up(workshop, "promote", generator=2))
    job = taken_up(workshop, "promote")
    said = promoted(workshop, job)
    assert champion(workshop) == 1

    again = replace(job, attempts=job.attempts + 1)

    assert promoted(workshop, again) == said
    assert champion(workshop) == 1
    assert taken(workshop) == [("rolled back", 1), ("promoted", 2)]


def test_a_promotion_did_not_fail(workshop: Workshop) -> None:
    job = taken_up(workshop, "promote", generator=2)
    said = promoted(workshop, job)

    assert promoted(workshop, job) == said
    assert champion(workshop) == 2
    assert taken(workshop) == [("promoted", 2)]


def test_another_rollback_is_another_job(workshop: Workshop) -> None:
    promoted(workshop, taken_up(workshop, "promote", generator=2))
    promoted(workshop, taken_up(workshop, "promote"))
    promoted(workshop, taken_up(workshop, "promote"))

    assert champion(workshop) == 2


def test_a_candidate_that_was_held_back_for_another_canary_is_so_still(workshop: Workshop) -> None:
    """It was held back, and its worker died before that was noted."""
    archive = workshop.archive("mayor")
    with writing(workshop.engine) as connection:
        generators.clear_arm(connection, 1, "spare 2")
        row = restocks.begin(connection, archive_id=1, generator_id=2, seed=1, goal=1, job_id=None, at=now())
        other = add_generator(connection, 1)
        canaries.open_canary(connection, 1, other, Opening(plan_for(40), "ada"), now())
        found = [generators.find(connection, each) for each in (2, 1)]
    ours, theirs = found
    assert ours is not None
    assert theirs is not None
    kept: dict[str, Any] = {"write samples": row.id, "pass the gates": [None, []]}

    def step(name: str, do: Callable[[], T]) -> T:
        return kept[name] if name in kept else do()

    gates = [bits_gate(1.0, 1.0)]
    candidate = Candidate(ours, theirs, fix_bounds([]).to_json(), gates)
    first = try_out(workshop, archive, candidate, TryOut(1, step))
    again = try_out(workshop, archive, candidate, TryOut(1, step))

    assert (first.verdict, first.shelved) == (again.verdict, again.shelved) == ("hold", 0)
    assert "another canary is open" in first.words
    assert first.words == again.words
    assert taken(workshop) == [("held", 2), ("canary opened", other)]


def test_a_candidate_is_held_back_once_however_often_its_worker_dies(workshop: Workshop) -> None:
    """It is held back for a gate, or for another canary, and its worker died before anything else was done."""
    archive = workshop.archive("mayor")
    with writing(workshop.engine) as connection:
        found = [generators.find(connection, each) for each in (2, 1)]
    ours, theirs = found
    assert ours is not None
    assert theirs is not None
    worse = Candidate(ours, theirs, fix_bounds([]).to_json(), [bits_gate(2.0, 1.0)])

    for _ in range(2):
        assert try_out(workshop, archive, worse, TryOut(1)).verdict == "hold"

    assert taken(workshop) == [("held", 2)]
    try_out(workshop, archive, worse, TryOut(2))
    assert taken(workshop) == [("held", 2), ("held", 2)]


def test_a_candidate_that_meets_another_canary_is_held_back_once(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker died between the decision and throwing the samples away."""
    archive = workshop.archive("mayor")
    with writing(workshop.engine) as connection:
        generators.clear_arm(connection, 1, "spare 2")
        row = restocks.begin(connection, archive_id=1, generator_id=2, seed=1, goal=1, job_id=None, at=now())
        canaries.open_canary(connection, 1, add_generator(connection, 1), Opening(plan_for(40), "ada"), now())
        found = [generators.find(connection, each) for each in (2, 1)]
    ours, theirs = found
    assert ours is not None
    assert theirs is not None
    kept: dict[str, Any] = {"write samples": row.id, "pass the gates": [None, []]}

    def step(name: str, do: Callable[[], T]) -> T:
        return kept[name] if name in kept else do()

    class Died(BaseException):
        """The worker is no more."""

    def die(*_: object) -> None:
        raise Died

    candidate = Candidate(ours, theirs, fix_bounds([]).to_json(), [bits_gate(1.0, 1.0)])
    with monkeypatch.context() as killed:
        killed.setattr(trying, "discard", die)
        with pytest.raises(Died):
            try_out(workshop, archive, candidate, TryOut(1, step))

    again = try_out(workshop, archive, candidate, TryOut(1, step))

    assert "another canary is open" in again.words
    assert [verdict for verdict, _ in taken(workshop)] == ["held", "canary opened"]
