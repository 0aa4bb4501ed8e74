"""The worker as a process, on real databases: what is asked for gets done, once, whatever happens to it on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.exc import OperationalError
from stock import shelf, stock_archive, stock_generator

from app.db import jobs, samples, workers
from app.db.jobs import Job
from app.db.session import now, open_engine, reading, writing
from app.db.tables import jobs as jobs_table
from app.jobs import workflows
from app.jobs.worker import Worker
from app.jobs.workshop import Workshop

pytestmark = pytest.mark.process

HOUSE = Path(__file__).parents[2]
PATIENCE = 180.0  # seconds; the machine may be busy
BATCH = 200  # samples: so many that a worker is still writing when the first of them are seen


@dataclass
class House:
    """A game's data folder with an archive in it, and the workers that were started on it."""

    folder: Path
    url: str
    engine: Engine
    workshop: Workshop
    environment: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def work(self, **settings: object) -> subprocess.Popen[bytes]:
        """Start a worker and wait until it is ready."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WHICHTWEET_")}
        # On no schedule: what a test sees must not hang on the time of day.
        never = {"retrain_cron": "", "backup_cron": "", "screen_cron": ""}
        given = {"data_dir": self.folder, "database_url": self.url, "shelf_low": 1} | never | settings
        environment |= {f"WHICHTWEET_{name.upper()}": str(value) for name, value in given.items()} | self.environment
        before = self.at_work()
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "work"], cwd=HOUSE, env=environment, stderr=log
            )
        self.started.append(process)
        self.wait(lambda: len(self.at_work() - before) == 1 or process.poll() is not None)
        assert process.poll() is None, self.words()
        return process

    @property
    def log(self) -> Path:
        return self.folder / "work.log"

    def words(self) -> str:
        return self.log.read_text()

    def at_work(self) -> set[str]:
        with reading(self.engine) as connection:
            return {worker.name for worker in workers.listing(connection, now().replace(year=2000))}

    def ask(self, kind: str = "restock", **arguments: Any) -> int:
        with writing(self.engine) as connection:
            asked = jobs.ask(connection, kind, 1, arguments, asked_by="test", at=now())
        assert asked is not None
        return asked

    def job(self, job_id: int) -> Job:
        with reading(self.engine) as connection:
            found = jobs.find(connection, job_id)
        assert found is not None
        return found

    def ended(self, job_id: int) -> Job:
        self.wait(lambda: self.job(job_id).state not in ("queued", "running"))
        return self.job(job_id)

    def wait(self, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not until():
            assert time.monotonic() < deadline, f"waited in vain; the workers said:\n{self.words()}"
            time.sleep(0.05)

    def level(self) -> int:
        with reading(self.engine) as connection:
            return samples.level(connection, 1)


@contextmanager
def a_house(url: str, folder: Path) -> Iterator[House]:
    engine = open_engine(url)
    stock_archive(engine)
    workshop = Workshop(engine, folder / "checkpoints")
    stock_generator(workshop, workshop.archive("gannet"))
    house = House(folder, url, engine, workshop)
    yield house
    for process in house.started:
        process.kill()
        process.wait()
    engine.dispose()


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    with a_house(sqlite_url, tmp_path) as house:
        yield house


@pytest.fixture
def either_house(either_url: str, tmp_path: Path) -> Iterator[House]:
    with a_house(either_url, tmp_path) as house:
        yield house


def test_a_restock_that_was_asked_for_gets_done(house: House) -> None:
    asked = house.ask(count=80)
    house.work()

    job = house.ended(asked)

    assert (job.state, job.outcome, job.attempts) == ("done", "80 samples of v1 shelved", 1)
    assert house.level() == 80


def test_a_shelf_that_runs_low_is_filled(house: House) -> None:
    house.work(shelf_low=30, shelf_full=70)

    house.wait(lambda: house.level() == 70)

    with reading(house.engine) as connection:
        assert [job.asked_by for job in jobs.listing(connection)] == ["shelf"]


def test_a_killed_job_goes_on_and_is_done_once(either_house: House) -> None:
    asked = either_house.ask(count=BATCH)
    either_house.work()
    either_house.wait(lambda: len(shelf(either_house.engine)) > 0)
    either_house.started[0].kill()
    either_house.started[0].wait()
    begun = {row.restock_id for row in shelf(either_house.engine)}
    assert either_house.level() == 0

    either_house.work()
    job = either_house.ended(asked)

    assert (job.state, job.attempts) == ("done", 2)
    rows = shelf(either_house.engine)
    assert len(rows) == len({row.text for row in rows}) == either_house.level() == BATCH
    assert {row.restock_id for row in rows} == begun


def test_a_worker_that_is_asked_to_stop_leaves_its_job_to_go_on(house: House) -> None:
    asked = house.ask(count=BATCH)
    house.work()
    house.wait(lambda: len(shelf(house.engine)) > 0)

    house.started[0].send_signal(signal.SIGTERM)
    assert house.started[0].wait(PATIENCE) == 0

    assert (house.job(asked).state, house.at_work(), house.level()) == ("queued", set(), 0)
    house.work()
    assert house.ended(asked).state == "done"
    assert house.level() == BATCH


def test_a_running_job_can_be_cancelled(house: House) -> None:
    asked = house.ask(count=390)
    house.work()
    house.wait(lambda: house.job(asked).progress.get("samples", 0) > 0)

    with writing(house.engine) as connection:
        jobs.cancel(connection, asked, now())

    assert house.ended(asked).state == "cancelled"
    assert house.level() == 0


def test_progress_can_be_read_while_a_job_runs(house: House) -> None:
    asked = house.ask(count=390)
    house.work()

    house.wait(lambda: house.job(asked).progress.get("written", 0) > 0)

    job = house.job(asked)
    assert (job.state, job.step) == ("running", "restock")
    assert {"written", "samples", "goal"} <= job.progress.keys()


def test_two_workers_share_the_work_and_do_nothing_twice(either_house: House) -> None:
    asked = [either_house.ask(count=40) for _ in range(4)]
    either_house.work()
    either_house.work()

    done = [either_house.ended(job) for job in asked]

    assert {(job.state, job.attempts) for job in done} == {("done", 1)}
    assert either_house.level() == 160


def test_the_job_of_a_worker_that_fell_silent_is_taken_up(house: House) -> None:
    asked = _left_behind(house, "work-elsewhere-1-abcd", asked_by="shelf")
    house.work()

    job = house.ended(asked)

    assert (job.state, job.attempts) == ("done", 2)


def test_a_job_that_keeps_killing_its_worker_is_given_up(house: House) -> None:
    asked = _left_behind(house, "work-elsewhere-1-abcd", asked_by="shelf", lost=5)
    house.work()

    job = house.ended(asked)

    assert job.state == "failed"
    assert "its worker died in 6 attempts in a row" in (job.outcome or "")


def test_a_job_that_came_further_each_time_is_not_given_up(house: House) -> None:
    asked = _left_behind(house, "work-elsewhere-1-abcd", asked_by="shelf", attempts=50)
    house.work()

    job = house.ended(asked)

    assert (job.state, job.attempts, job.lost) == ("done", 51, 0)


def test_the_job_of_a_command_that_was_killed_is_left_to_the_command(house: House) -> None:
    asked = _left_behind(house, "terminal-elsewhere-1-abcd", asked_by=jobs.COMMAND_LINE)
    house.work()

    job = house.ended(asked)

    assert job.state == "failed"
    assert "the same command goes on from there" in (job.outcome or "")


def test_a_job_that_cannot_be_done_says_why(house: House) -> None:
    checkpoint = house.folder / "checkpoints/gannet/letters-0/weights.safetensors"
    checkpoint.write_bytes(b"nothing")
    asked = house.ask(count=10)
    house.work()

    job = house.ended(asked)

    assert job.state == "failed"
    assert "weights.safetensors: damaged" in (job.outcome or "")


def test_drafts_that_a_killed_process_left_go_after_a_day(house: House) -> None:
    (house.folder / "uploads").mkdir()
    places = [
        *(house.folder / "checkpoints" / ".bundle-{}", house.folder / ".restore-{}"),
        house.folder / "uploads" / ".arriving-{}",
    ]
    old, fresh = ([Path(str(place).format(name)) for place in places] for name in ("old", "fresh"))
    for draft in (*old, *fresh):
        draft.mkdir()
        (draft / "half").write_text("made")
    yesterday = time.time() - 90_000
    for draft in old:
        os.utime(draft, (yesterday, yesterday))

    house.work()
    house.wait(lambda: not any(draft.exists() for draft in old))

    assert all((draft / "half").exists() for draft in fresh)


def test_a_full_shelf_is_skipped(house: House) -> None:
    house.ask(count=60)
    again = house.ask()
    house.work(shelf_full=50)

    job = house.ended(again)

    assert (job.state, job.outcome) == ("skipped", "the shelf is full")


def test_training_waits_for_tensorflow_and_begins_when_it_arrives(house: House) -> None:
    (house.folder / "sitecustomize.py").write_text(HIDES_TENSORFLOW)
    arrived = house.folder / "arrived"
    house.environment = {"PYTHONPATH": f"{house.folder}{os.pathsep}{HOUSE}", "ARRIVED": str(arrived)}
    training = house.ask("train", minutes=0.01, units=8, layers=1, epochs=None)
    restock = house.ask(count=20)
    house.work()

    assert house.ended(restock).state == "done"
    assert house.job(training).state == "queued"
    assert "training waits for TensorFlow: make setup-train" in house.words()
    arrived.touch()
    house.wait(lambda: house.job(training).state == "running")


# What an installation looks like from inside a process that was there before it.
HIDES_TENSORFLOW = """
import os, sys, threading, time
sys.modules["tensorflow"] = None
def wait():
    while not os.path.exists(os.environ["ARRIVED"]):
        time.sleep(0.05)
    del sys.modules["tensorflow"]
threading.Thread(target=wait, daemon=True).start()
"""


def test_a_job_that_could_not_be_started_is_begun_another_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk was full for a while: the engine's own file could not take what was claimed."""
    asked = house.ask(count=30)
    worker = Worker(house.workshop, "sqlite://")
    is_full, started = True, []

    def start(job_id: int, name: str) -> None:
        if is_full:
            raise OperationalError("INSERT", {}, OSError("database or disk is full"))
        started.append(job_id)

    monkeypatch.setattr(workflows, "start", start)
    monkeypatch.setattr(workflows, "forget", lambda alive: None)
    with pytest.raises(OperationalError):
        worker._look()
    is_full = False
    worker._due.clear()  # as if a minute had gone by
    worker._look()

    assert started == [asked]
    assert (house.job(asked).state, house.job(asked).attempts) == ("running", 2)


def test_a_look_that_goes_wrong_does_not_end_the_worker(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """One archive's odd figures or settings would otherwise end every worker, again at each start."""
    asked, started = house.ask(count=30), []
    worker = Worker(house.workshop, "sqlite://")

    def start(job_id: int, name: str) -> None:
        started.append(job_id)
        worker._at_work.clear()
        worker.stop()

    def odd(*_: object) -> None:
        raise OverflowError("int too large to convert to float")

    for name in ("launch", "stop", "forget"):
        monkeypatch.setattr(workflows, name, lambda *_: None)
    monkeypatch.setattr(workflows, "start", start)
    monkeypatch.setattr("app.jobs.worker.ask_for_looks", odd)
    worker.run()

    assert started == [asked]


def _left_behind(house: House, worker: str, *, asked_by: str, attempts: int = 1, lost: int = 0) -> int:
    """A job that a worker was at when it was last heard of, long ago."""
    asked = house.ask(count=30)
    with writing(house.engine) as connection:
        workers.beat(connection, worker, trains=True, at=now().replace(year=2020))
        values = {"state": "running", "worker": worker, "attempts": attempts, "lost": lost, "asked_by": asked_by}
        connection.execute(update(jobs_table).where(jobs_table.c.id == asked).values(**values))
    return asked


BREAKS = """
import sys, time
from app.cli.logs import write_logs
from app.jobs import workflows
def breaks(job_id):
    done.append(job_id)
    raise ConnectionError("the database\\nis away")
done = []
write_logs("info")
workflows.launch(sys.argv[1], "work", breaks)
workflows.start(1, "work")
while not done:
    time.sleep(0.05)
workflows.stop("work")
"""


@pytest.mark.process
def test_what_the_engine_logs_is_one_object_a_line_like_all_else(tmp_path: Path) -> None:
    """A job whose row cannot be written, as while the database is away, is told by the workflow engine itself."""
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    done = subprocess.run([sys.executable, "-c", BREAKS, url], capture_output=True, text=True, check=True)
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert any("is away" in line["exception"] for line in told if line["logger"] == "dbos")
