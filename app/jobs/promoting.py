"""Promotion by hand: a generator becomes the champion, with its samples on the shelf in the same moment."""

from __future__ import annotations

from app.db import generators, samples
from app.db.archives import Archive
from app.db.generators import CHAMPION, Decided, Generator
from app.db.jobs import Job
from app.db.session import now, reading, writing
from app.jobs.hold import Hold
from app.jobs.restocking import restock
from app.jobs.workshop import JobError, Progress, ShouldStop, Steps, Workshop


def promote_generator(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    """Make a generator the champion, or go back to the former one."""
    archive = workshop.archive_of(job)
    wanted = job.arguments.get("generator")

    def crown() -> str:
        with reading(workshop.engine) as connection:
            taken = generators.decided_by_job(connection, archive.id, job.id)
            named = taken.generator_id if taken is not None else wanted
            found = generators.find(connection, int(named)) if named else None
            level = samples.level(connection, archive.id, found.id) if found is not None else 0
        generator = found or former_champion(workshop, archive)
        # Killed at its last moment, it is done again: the former champion would be the one it just went back from.
        if taken is None:
            verdict = "promoted" if wanted else "rolled back"
            figures = {"reason": job.arguments.get("reason", ""), "job": job.id}
            level = promote(
                *(workshop, archive, generator),
                decided=Decided(verdict, job.asked_by, figures),
                job_id=job.id,
                on_progress=hold.on_stored,
                should_stop=hold.should_stop,
            )
        return f"{generator.name} is the champion of {archive.slug}, with {level} samples on its shelf"

    return step("promote", crown)


def promote(
    workshop: Workshop,
    archive: Archive,
    generator: Generator,
    *,
    decided: Decided,
    job_id: int,
    on_progress: Progress = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> int:
    """Make a generator the champion; how many samples it then has on the shelf. The old one plays until that moment.

    Raises:
        JobError: it is the champion already, or its checkpoint is gone.
        Interrupted: stopped; nothing changed.
    """
    with reading(workshop.engine) as connection:
        champion = generators.in_arm(connection, archive.id, CHAMPION)
        level = samples.level(connection, archive.id, generator.id)
    if champion is not None and champion.id == generator.id:
        raise JobError(f"{generator.name} is the champion of {archive.slug} already")
    if level >= min(workshop.shelf_low, workshop.shelf_full):
        with writing(workshop.engine) as connection:
            samples.lock_shelf(connection, archive.id)
            stamp = samples.next_stamp(connection, archive.id)
            generators.note_decision(connection, archive.id, generator.id, decided, now())
            generators.crown(connection, archive.id, generator.id, stamp, now())
        return level
    missing = workshop.shelf_full - level
    done = restock(
        *(workshop, archive, generator, missing),
        job_id=job_id,
        promote=decided,
        on_progress=on_progress,
        should_stop=should_stop,
    )
    return done.level


def relieve(
    workshop: Workshop,
    archive: Archive,
    generator: Generator,
    *,
    job_id: int,
    on_progress: Progress = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> str | None:
    """Let a generator that was trained for its archive take over from the base, where that still stands in.

    In words what came of it; None where the base does not play, and nothing is done.

    Raises:
        Interrupted: stopped; nothing changed.
    """
    with reading(workshop.engine) as connection:
        champion = generators.in_arm(connection, archive.id, CHAMPION)
    if champion is None or not champion.stands_in or generator.stands_in:
        return None
    try:
        level = promote(
            *(workshop, archive, generator),
            decided=Decided("promoted", "train", {"reason": "trained for the archive, where the base stood in"}),
            job_id=job_id,
            on_progress=on_progress,
            should_stop=should_stop,
        )
    except JobError as error:
        return f"{champion.name}, the base, plays on: {error}"
    return f"it is the champion, {level:,} of its samples are on the shelf"


def former_champion(workshop: Workshop, archive: Archive) -> Generator:
    """The generator that was champion before this one: what a rollback goes back to.

    Raises:
        JobError: there was none.
    """
    with reading(workshop.engine) as connection:
        champion = generators.in_arm(connection, archive.id, CHAMPION)
        for decision in generators.decisions_on(connection, archive.id):
            crowned = decision.verdict != "held" and champion is not None and decision.generator_id == champion.id
            former = decision.champion_id
            if crowned and former is not None and (found := generators.find(connection, former)) is not None:
                return found
    raise JobError(f"{archive.slug} has no former champion to go back to; name one: whichtweet generators promote")
