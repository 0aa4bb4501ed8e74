"""Training on a class: what a retraining does, on the class's own labels; what comes of it plays in that room alone."""

from __future__ import annotations

from typing import Any

from app.db import classes, generators
from app.db.archives import Archive
from app.db.generators import ANCHOR, OF_A_CLASS
from app.db.session import reading, writing
from app.game.classroom import ROUNDS
from app.jobs import training
from app.jobs.freezing import freeze_labels, read_set
from app.jobs.learning import lessons_of
from app.jobs.restocking import restock
from app.jobs.retraining import Errand
from app.jobs.studying import train_from
from app.jobs.supervising import need_tensorflow
from app.jobs.workshop import JobError, Workshop

SAMPLES = 5 * ROUNDS  # to choose the rounds' samples from


def train_on_class(workshop: Workshop, archive: Archive, class_id: int, errand: Errand) -> str:
    """Let a new generator learn from the labels of one class, from the anchor; what came of it, in one line.

    Raises:
        Skipped: the class taught nothing.
        TrainingWaits: TensorFlow is not installed.
        Interrupted: stopped; goes on where it stood when asked again.
        JobError: it failed; says why.
    """
    step = errand.step
    with reading(workshop.engine) as connection:
        anchor = generators.in_arm(connection, archive.id, ANCHOR)
        room = classes.find_by_id(connection, class_id)
    if anchor is None or room is None:
        raise JobError("the class, or the anchor of its archive, is not there any more")
    need_tensorflow()
    frozen = step("freeze the labels", lambda: freeze_labels(workshop, archive, 1, class_id=class_id))
    folder = training.run_folder(workshop, archive, f"class-{errand.job_id}")

    def write_texts() -> int:
        lessons = lessons_of(workshop, archive, read_set(workshop, frozen["id"]), {})
        training.freeze_texts(workshop, archive, folder, lessons, anew=False)
        return len(lessons)

    lessons = step("write the texts", write_texts)
    seconds = step("train", lambda: train_from(workshop, folder, anchor, errand))
    key, digest = step("keep the checkpoint", lambda: training.adopt(workshop, archive, folder))
    bits = step("evaluate", lambda: training.evaluate(workshop, archive, key))
    card = {"made_by": OF_A_CLASS, "labels": frozen["labels"], "lessons": lessons, "seconds": seconds}

    def register() -> int:
        lineage: dict[str, Any] = {"parent_id": anchor.id, "label_set_id": frozen["id"], "decoding": anchor.decoding}
        return training.register(workshop, archive, key, digest, bits=bits, card=card, **lineage)[0].id

    def write() -> int:
        return restock(
            *(workshop, archive, writer, SAMPLES),
            job_id=errand.job_id,
            on_progress=errand.on_progress,
            should_stop=errand.should_stop,
        ).shelved

    writer = workshop.generator(step("register", register))
    step("restock", write)
    with writing(workshop.engine) as connection:
        classes.change(connection, class_id, generator_id=writer.id)
    training.clear(folder)
    return f"{writer.name} learned from {frozen['labels']} labels of the class {room.code}; it plays there alone"
