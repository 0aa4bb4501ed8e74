"""What a worker does for each kind of job: the arguments of its row in, one line about what came of it out."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.archives import ArchiveError, ImportStoppedError
from app.db import archives, generators, jobs, samples
from app.db.generators import CHAMPION
from app.db.jobs import Job
from app.db.session import now, reading, writing
from app.jobs import training
from app.jobs.backups import Place, back_up_nightly
from app.jobs.base import stand_in, stand_in_after_import, start_for
from app.jobs.bundles import drop_bundle, take_in_bundle
from app.jobs.class_training import train_on_class
from app.jobs.curve import Curve
from app.jobs.forgetting import forget_player
from app.jobs.hold import Hold
from app.jobs.importing import import_archive
from app.jobs.judging import judge_canary
from app.jobs.previewing import fetch_upload, preview
from app.jobs.promoting import promote_generator, relieve
from app.jobs.removing import remove_archive
from app.jobs.renewing import renew
from app.jobs.restocking import restock
from app.jobs.retraining import Errand, retrain
from app.jobs.screening import in_words, screen_players
from app.jobs.supervising import Budget, Event, Shape
from app.jobs.workshop import Interrupted, JobError, Skipped, Steps, Workshop


def do(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    """Do a job; what came of it, in one line.

    Raises:
        Skipped: there was nothing to do.
        Interrupted: it was asked to stop.
        JobError: it cannot be done.
    """
    with reading(workshop.engine) as connection:
        own = [archive for archive in archives.listing(connection) if archive.id == job.archive_id]
    workshop = workshop.adapted(own[0]) if own else workshop
    return TASKS[job.kind](workshop, job, hold, step)


def _import(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    options = dict(job.arguments)
    path = Path(options.pop("path"))

    def bring_in() -> str:
        try:
            done = import_archive(
                *(workshop.engine, path),
                **options,
                on_progress=lambda so_far: hold.on_progress(asdict(so_far)),
                should_stop=hold.should_stop,
            )
        except ImportStoppedError:
            raise Interrupted from None
        except ArchiveError as error:
            raise JobError(str(error)) from None
        archive = workshop.archive(done.slug)
        with writing(workshop.engine) as connection:
            jobs.belong(connection, job.claim, archive.id)
        words = f"{done.added:,} tweets added to {done.slug} from {done.read:,} rows"
        words += f"; {done.note}" if done.note else ""
        base, declined = stand_in_after_import(workshop, archive)
        if base is not None:
            words += f"; the base stands in as {base.name} until a generator of its own is trained"
        return f"{words}; the base does not stand in: {declined}" if declined else words

    words = step("import", bring_in)
    # What came by the dashboard has done its work: what was left out of it should not lie about for good.
    if workshop.data_dir / "uploads" in path.parents:
        shutil.rmtree(path.parent, ignore_errors=True)
    return words


def _train(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    wanted, archive = job.arguments, workshop.archive_of(job)
    shape = Shape(**{name: wanted[name] for name in ("layers", "units", "cell") if name in wanted})
    made = training.make_generator(
        *(workshop, archive, shape, _budget(workshop, wanted)),
        seed=wanted.get("seed", 0),
        start=None if wanted.get("from_scratch") else start_for(workshop, shape),
        step=step,
        on_event=telling(hold),
        should_stop=hold.should_stop,
        # A worker that shuts down goes on another time; cancelled, what was learned so far is not registered.
        keep_when_stopped=lambda: False,
    )
    generator = workshop.generator(made.generator_id)

    def take_over() -> str | None:
        return relieve(
            *(workshop, archive, generator),
            job_id=job.id,
            on_progress=hold.on_stored,
            should_stop=hold.should_stop,
        )

    relieved = step("take over from the base", take_over)
    words = f"{generator.name} registered: {made.bits_per_character:.3f} bits per character on the validation split"
    return f"{words}; {relieved}" if relieved else words


def _restock(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    archive = workshop.archive_of(job)
    is_anew = "name_others" in job.arguments

    def choose() -> list[int]:
        with reading(workshop.engine) as connection:
            wanted = job.arguments.get("generator")
            generator = (
                generators.find(connection, wanted) if wanted else generators.in_arm(connection, archive.id, CHAMPION)
            )
        generator = generator or stand_in(workshop, archive)
        if generator is None:
            raise JobError(f"{archive.slug} has no generator yet: whichtweet train --archive {archive.slug}")
        with reading(workshop.engine) as connection:
            level = samples.level(connection, archive.id, generator.id)
        return [generator.id, job.arguments.get("count") or workshop.shelf_full - (0 if is_anew else level)]

    generator_id, goal = step("choose", choose)
    if goal <= 0:
        raise Skipped("the shelf is full")
    generator = workshop.generator(generator_id)
    if is_anew:
        renewed = step("write anew", lambda: renew(workshop, archive, generator, job, hold))
        names = "may name others" if job.arguments["name_others"] else "name nobody else"
        return f"the shelf is written anew: {renewed} samples of {generator.name}; cards {names}"
    shelved = step(
        "restock",
        lambda: (
            restock(
                *(workshop, archive, generator, goal),
                job_id=job.id,
                on_progress=hold.on_stored,
                should_stop=hold.should_stop,
            ).shelved
        ),
    )
    return f"{shelved} samples of {generator.name} shelved"


def _retrain(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    return retrain(workshop, workshop.archive_of(job), _errand(workshop, job, hold, step)).words


def _train_on_class(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    errand = _errand(workshop, job, hold, step)
    return train_on_class(workshop, workshop.archive_of(job), int(job.arguments["class"]), errand)


def _errand(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> Errand:
    return Errand(
        job_id=job.id,
        budget=_budget(workshop, job.arguments),
        seed=job.arguments.get("seed", 0),
        least_labels=job.arguments.get("least_labels"),
        ways=tuple(job.arguments.get("ways", ())),
        step=step,
        on_event=telling(hold),
        on_progress=hold.on_stored,
        should_stop=hold.should_stop,
    )


def _screen(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    archive = workshop.archive_of(job)
    return in_words(step("screen the players", lambda: screen_players(workshop, archive, hold.should_stop)))


def _back_up(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    place = Place(workshop.engine, workshop.checkpoints, workshop.data_dir)

    def told(what: str, count: int) -> None:
        hold.on_progress({"at": what, "rows": count})
        if hold.should_stop():
            raise Interrupted

    return step("back up", lambda: back_up_nightly(place, workshop.backups, workshop.backups_kept, now(), told))


TASKS: Mapping[str, Callable[[Workshop, Job, Hold, Steps], str]] = {
    "import": _import,
    "train": _train,
    "restock": _restock,
    "retrain": _retrain,
    "screen": _screen,
    "class": _train_on_class,
    "judge": judge_canary,
    "preview": preview,
    "fetch": fetch_upload,
    "promote": promote_generator,
    "remove": remove_archive,
    "backup": _back_up,
    "forget": forget_player,
    "bundle": take_in_bundle,
}
HEAVY = ("train", "retrain", "screen", "class")  # need what training installs, and most of the machine
LIGHT = tuple(kind for kind in TASKS if kind not in HEAVY)


def clear_up(workshop: Workshop, job: Job) -> None:
    """Remove what a job that will not go on has left in files; the rows it left go with the next restock."""
    if job.kind in ("retrain", "class"):
        with contextlib.suppress(JobError):
            training.clear(training.run_folder(workshop, workshop.archive_of(job), f"{job.kind}-{job.id}"))
    if job.kind == "bundle":
        drop_bundle(job)


def telling(hold: Hold) -> Callable[[Event], None]:
    """Passes what a training says on to jobs.progress: epoch, step of steps, bits per character, seconds left.

    The curve so far, the newest samples and the newest lines of the log go with it.
    """
    curve = Curve()

    def on_event(event: Event) -> None:
        curve.take(event, now())
        if event["event"] in ("sample", "saved"):  # a training tells either when it has saved where it stands
            hold.on_stored(curve.figures())
        elif event["event"] == "progress":
            hold.on_progress(curve.figures())

    return on_event


def _budget(workshop: Workshop, wanted: Mapping[str, Any]) -> Budget:
    minutes, epochs = wanted.get("minutes"), wanted.get("epochs")
    return Budget(minutes or (None if epochs else workshop.train_minutes), epochs)
