"""What a worker may still do to a job: nothing once another has it, and nothing but end it once it is cancelled."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from factories import add_archive, add_tweets, words
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from app.db import jobs
from app.db.jobs import Job
from app.db.session import now, open_engine, reading, writing
from app.jobs import training, workflows
from app.jobs.hold import Hold
from app.jobs.supervising import TrainingWaits
from app.jobs.worker import Worker, free
from app.jobs.workshop import Interrupted, JobError, Workshop


@pytest.fixture
def worker(either_engine: Engine, tmp_path: Path) -> Worker:
    with writing(either_engine) as connection:
        add_tweets(connection, add_archive(connection), [words(seed) for seed in range(3)])
    return Worker(Workshop(either_engine, tmp_path), "sqlite://")


def claimed(worker: Worker) -> Job:
    with writing(worker._workshop.engine) as connection:
        jobs.ask(connection, "retrain", 1, {}, asked_by="ada", at=now())
    job = claimed_at(worker, now())
    assert job is not None
    return job


def claimed_at(worker: Worker, moment: datetime) -> Job | None:
    with writing(worker._workshop.engine) as connection:
        return jobs.claim(connection, worker.name, ("retrain",), moment)


def test_a_job_whose_archive_is_gone_holds_up_no_other(worker: Worker) -> None:
    """A training that waits while its archive is removed fails as it begins."""
    with writing(worker._workshop.engine) as connection:
        gone = jobs.ask(connection, "retrain", None, {}, asked_by="schedule", at=now())
        jobs.ask(connection, "retrain", 1, {}, asked_by="schedule", at=now())
    taken = [claimed_at(worker, now()), claimed_at(worker, now())]
    assert [job and job.archive_id for job in taken] == [None, 1]
    assert taken[0] is not None
    assert taken[0].id == gone


def claimed_again(worker: Worker) -> Job:
    """However long it rests."""
    job = claimed_at(worker, now() + timedelta(seconds=max(jobs.RESTS)))
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


def test_attempts_that_died_in_vain_are_counted_until_one_stores_something(worker: Worker) -> None:
    job = claimed(worker)
    counts = []
    for stores in (False, False, True, False):
        hold = Hold(worker._workshop.engine, job.claim)
        hold.step("train")
        (hold.on_stored if stores else hold.on_progress)({"step": 1})
        hold.step("measure")
        free(worker._workshop, stands(worker, job), now())
        counts.append(stands(worker, job).lost)
        job = claimed_again(worker)

    assert counts == [1, 2, 1, 2]


def test_a_job_rests_longer_after_each_attempt_in_vain_but_not_for_a_clock_that_is_set_back(worker: Worker) -> None:
    job = claimed(worker)
    moment = now()
    rests = []
    while not job.is_given_up:
        free(worker._workshop, job, moment)
        rest = min(rest for rest in (*jobs.RESTS, 1e6) if rest >= 0 and claimable(worker, moment, rest))
        rests.append(rest)
        assert ("taken up again at" in (stands(worker, job).outcome or "")) == (rest > 0)
        assert claimable(worker, moment - timedelta(days=1), 0.0)
        again = claimed_at(worker, moment + timedelta(seconds=rest))
        assert again is not None
        job = again

    assert rests == list(jobs.RESTS)


def claimable(worker: Worker, moment: datetime, seconds: float) -> bool:
    """Whether the job could be claimed some seconds after a moment, which is then not done."""
    with worker._workshop.engine.connect() as connection:
        found = jobs.claim(connection, worker.name, ("retrain",), moment + timedelta(seconds=seconds))
        connection.rollback()
    return found is not None


def test_a_database_that_goes_away_under_a_job_six_times_in_vain_ends_it(worker: Worker) -> None:
    gone = OperationalError("select", {}, Exception("server closed the connection"))
    job = claimed(worker)
    for _ in jobs.RESTS:
        with pytest.raises(workflows.Left):
            ended(worker, job, gone)
        job = claimed_again(worker)

    ended(worker, job, gone)

    assert (stands(worker, job).state, stands(worker, job).attempts) == ("failed", 6)


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


@pytest.mark.postgres
def test_of_two_workers_at_the_same_moment_one_begins_an_archives_training(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    with writing(engine) as connection:
        add_archive(connection)
        add_archive(connection, slug="other")
        for archive_id in (1, 1, 2):
            jobs.ask(connection, "retrain", archive_id, {}, asked_by="ada", at=now())
    with writing(engine) as first, writing(engine) as second:
        mine, others = (jobs.claim(each, "worker", ("retrain",), now()) for each in (first, second))
        assert (mine and mine.id, others) == (1, None)
    with writing(engine) as third:
        found = jobs.claim(third, "worker", ("retrain",), now())
        assert found is not None
        assert found.archive_id == 2
    engine.dispose()


@pytest.mark.postgres
def test_guesses_do_not_hold_up_who_claims_a_training(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    with writing(engine) as connection:
        add_archive(connection)
        jobs.ask(connection, "retrain", 1, {}, asked_by="ada", at=now())
    with writing(engine) as guessing, writing(engine) as claiming:
        add_tweets(guessing, 1, [words(1)])  # refers to the archive, as a guess does
        assert jobs.claim(claiming, "worker", ("retrain",), now()) is not None
    engine.dispose()
