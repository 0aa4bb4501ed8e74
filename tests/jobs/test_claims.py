"""What a worker may still do to a job: nothing once another has it, and nothing but end it once it is cancelled."""

from __future__ import annotations

from pathlib import Path

import pytest
from factories import add_archive, add_tweets, words
from sqlalchemy import Engine

from app.db import jobs
from app.db.jobs import Job
from app.db.session import now, reading, writing
from app.jobs import training, workflows
from app.jobs.hold import Hold
from app.jobs.supervising import TrainingWaits
from app.jobs.worker import Worker
from app.jobs.workshop import Interrupted, JobError, Workshop


@pytest.fixture
def worker(either_engine: Engine, tmp_path: Path) -> Worker:
    with writing(either_engine) as connection:
        add_tweets(connection, add_archive(connection), [words(seed) for seed in range(3)])
    return Worker(Workshop(either_engine, tmp_path), "sqlite://")


def claimed(worker: Worker) -> Job:
    with writing(worker._workshop.engine) as connection:
        jobs.ask(connection, "retrain", 1, {}, asked_by="ada", at=now())
        job = jobs.claim(connection, worker.name, ("retrain",), now())
    assert job is not None
    return job


def stands(worker: Worker, job: Job) -> Job:
    with reading(worker._workshop.engine) as connection:
        found = jobs.find(connection, job.id)
    assert found is not None
    return found


def run_of(worker: Worker, job: Job) -> Path:
    """The folder in which a job's training keeps what it came to, with something in it."""
    workshop = worker._workshop
    folder = training.run_folder(workshop, workshop.archive("mayor"), f"retrain-{job.id}")
    folder.mkdir(parents=True)
    (folder / "texts.json").write_text("{}")
    return folder


def ended(worker: Worker, job: Job, error: Exception, why: str = "") -> None:
    hold = Hold(worker._workshop.engine, job.claim)
    hold.why = why  # type: ignore[assignment]
    with worker._ending(job, hold):
        raise error


def test_who_lost_a_job_removes_nothing_of_it(worker: Worker) -> None:
    """It looked dead for half a minute: another worker trains in the folder now."""
    job = claimed(worker)
    folder = run_of(worker, job)
    with writing(worker._workshop.engine) as connection:
        jobs.requeue(connection, job.claim)
        jobs.claim(connection, "another", ("retrain",), now())

    ended(worker, job, JobError("training failed"))

    assert (folder / "texts.json").exists()
    assert (stands(worker, job).state, stands(worker, job).worker) == ("running", "another")


def test_who_fails_at_a_job_clears_up(worker: Worker) -> None:
    job = claimed(worker)
    folder = run_of(worker, job)

    ended(worker, job, JobError("training failed"))

    assert not folder.exists()
    assert stands(worker, job).state == "failed"


@pytest.mark.parametrize(
    "error", [Interrupted(), TrainingWaits("training waits for TensorFlow: make setup-train")], ids=["stop", "waits"]
)
def test_what_was_cancelled_is_not_put_back_in_the_queue(worker: Worker, error: Exception) -> None:
    """The worker shut down, or found no TensorFlow, before it saw the wish: nobody might claim the job again."""
    job = claimed(worker)
    folder = run_of(worker, job)
    with writing(worker._workshop.engine) as connection:
        jobs.cancel(connection, job.id, now())

    ended(worker, job, error, why="paused")

    assert stands(worker, job).state == "cancelled"
    assert not folder.exists()


def test_what_is_still_wanted_is_put_back_in_the_queue(worker: Worker) -> None:
    job = claimed(worker)

    with pytest.raises(workflows.Left):
        ended(worker, job, Interrupted(), why="paused")

    assert stands(worker, job).state == "queued"
