"""Training on a class: what a retraining does, on the class's own labels; what comes of it plays in that room alone.

A class waits for it, so its budget of time is kept whatever the machine: a training is stopped in time for its samples
to be written, and these are shelved when the time is up, if there are enough for ten rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app.db import classes, generators, jobs
from app.db.archives import Archive
from app.db.generators import ANCHOR, OF_A_CLASS, Generator
from app.db.session import now, reading, writing
from app.game.classroom import ROUNDS
from app.jobs import training
from app.jobs.freezing import freeze_labels, read_set
from app.jobs.learning import lessons_of
from app.jobs.restocking import make_do, restock
from app.jobs.retraining import Errand
from app.jobs.supervising import Shape, need_tensorflow, train
from app.jobs.workshop import Interrupted, JobError, Workshop
from model.checkpoint import CheckpointError, read_checkpoint

SAMPLES = 5 * ROUNDS  # to choose the rounds' samples from
LEAST = ROUNDS + 2  # that will do when the time is up: the rounds', and some for a pair that has to be laid anew
IN_ALL = timedelta(minutes=5)  # from the lecturer's wish to the end
# When the training is asked to stop. It may take a minute to measure and save once more; the rest is for samples.
TRAINED_BY = timedelta(minutes=3)
WRITTEN_BY = IN_ALL - timedelta(seconds=10)  # when the last draft is read

TOO_SLOW = "this machine was too slow to learn anything in five minutes; nothing else should keep it busy meanwhile"


@dataclass(frozen=True)
class _Clock:
    """The time that a class has, and whether somebody asked to stop before."""

    asked_at: datetime
    now: Callable[[], datetime]
    errand: Errand

    def is_past(self, moment: timedelta) -> bool:
        return self.now() - self.asked_at > moment

    def stops_at(self, moment: timedelta) -> Callable[[], bool]:
        return lambda: self.errand.should_stop() or self.is_past(moment)


def train_on_class(
    workshop: Workshop,
    archive: Archive,
    class_id: int,
    errand: Errand,
    clock: Callable[[], datetime] = now,
) -> str:
    """Let a new generator learn from the labels of one class, from the anchor; what came of it, in one line.

    Raises:
        Skipped: the class taught nothing.
        TrainingWaits: TensorFlow is not installed.
        Interrupted: stopped; goes on where it stood when asked again.
        JobError: it failed, or five minutes were not enough; says why.
    """
    step = errand.step
    with reading(workshop.engine) as connection:
        anchor = generators.in_arm(connection, archive.id, ANCHOR)
        room = classes.find_by_id(connection, class_id)
        job = jobs.find(connection, errand.job_id)
    if room is None:
        raise JobError("the class is not there any more")
    if anchor is None:
        raise JobError(f"there is no trained generator to begin from: whichtweet train --archive {archive.slug}")
    need_tensorflow()
    time = _Clock(job.created_at if job else clock(), clock, errand)
    stops = errand.should_stop
    frozen = step(
        "freeze the labels", lambda: freeze_labels(workshop, archive, 1, class_id=class_id, should_stop=stops)
    )
    folder = training.run_folder(workshop, archive, f"class-{errand.job_id}")

    def write_texts() -> int:
        lessons = lessons_of(workshop, archive, read_set(workshop, frozen["id"]), {})
        training.freeze_texts(workshop, archive, folder, lessons, anew=False)
        return len(lessons)

    lessons = step("write the texts", write_texts)
    step("train", lambda: _train(workshop, folder, anchor, errand, time))
    key, digest = step("keep the checkpoint", lambda: training.adopt(workshop, archive, folder))

    def register() -> int:
        # As training measured it: to measure on more texts takes as long as training, on a slow machine.
        figures = read_checkpoint(workshop.folder(key)).meta
        card = {"made_by": OF_A_CLASS, "labels": frozen["labels"], "lessons": lessons, "seconds": figures["seconds"]}
        lineage: dict[str, Any] = {"parent_id": anchor.id, "label_set_id": frozen["id"], "decoding": anchor.decoding}
        bits = float(figures["bits_per_character"])
        return training.register(workshop, archive, key, digest, bits=bits, card=card, **lineage)[0].id

    writer = workshop.generator(step("register", register))
    step("restock", lambda: _write(workshop, archive, writer, errand, time))
    with writing(workshop.engine) as connection:
        classes.change(connection, class_id, generator_id=writer.id)
    training.clear(folder)
    return f"{writer.name} learned from {frozen['labels']} labels of the class {room.code}; it plays there alone"


def _train(workshop: Workshop, folder: Path, anchor: Generator, errand: Errand, time: _Clock) -> bool:
    """Train from the anchor until the budget is spent or it is time; whether it was time.

    Raises:
        Interrupted: somebody asked to stop.
        JobError: the training failed, or came to nothing in time.
    """
    try:
        trained = train(
            folder,
            Shape(),  # the anchor's own, in fact: it is what the training starts from
            errand.budget,
            seed=errand.seed,
            start=workshop.folder(anchor.checkpoint_key),
            on_event=errand.on_event,
            should_stop=time.stops_at(TRAINED_BY),
        )
        if not trained.stopped:
            return False
    except (Interrupted, JobError):
        if errand.should_stop() or not time.is_past(TRAINED_BY):
            raise
    if errand.should_stop():
        raise Interrupted
    try:
        read_checkpoint(folder / "checkpoint")
    except CheckpointError:
        raise JobError(TOO_SLOW) from None
    return True


def _write(workshop: Workshop, archive: Archive, writer: Generator, errand: Errand, time: _Clock) -> int:
    """Have the samples of the rounds written; when it is time, what is there will do. How many there are."""
    try:
        return restock(
            *(workshop, archive, writer, SAMPLES),
            job_id=errand.job_id,
            on_progress=errand.on_progress,
            should_stop=time.stops_at(WRITTEN_BY),
        ).shelved
    except Interrupted:
        if errand.should_stop():
            raise
    made = make_do(workshop, writer, errand.job_id, LEAST)
    if made is None:
        raise JobError(TOO_SLOW)
    return made.shelved
