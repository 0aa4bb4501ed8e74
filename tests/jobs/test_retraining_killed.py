"""A retraining whose worker is killed goes on at that step: real processes, SIGKILL, the whole way to the canary."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from stock import shelf

from app.db import canaries, generators, jobs, samples
from app.db.jobs import Job
from app.db.session import now, open_engine, reading, writing

pytestmark = pytest.mark.process

HOUSE = Path(__file__).parents[2]
PATIENCE = 180.0  # seconds; the machine may be busy
STEPS = (
    *("see who is tried", "freeze the labels", "fix the bounds", "learn to choose", "write the texts", "train"),
    *("keep the checkpoint", "compare the networks", "evaluate", "evaluate the champion", "register"),
    *("write samples", "pass the gates", "open the canary"),
)
SHORT = ("open the canary",)


@pytest.fixture
def folder(played: Path, tmp_path: Path) -> Path:
    shutil.copytree(played, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def engine(folder: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{folder / 'whichtweet.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def work(folder: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts workers, the first of which may be told where to die."""
    started: list[subprocess.Popen[bytes]] = []

    def start(die_at: str = "") -> subprocess.Popen[bytes]:
        command = [sys.executable, str(Path(__file__).with_name("dying.py"))]
        command += [f"sqlite:///{folder / 'whichtweet.db'}", str(folder), die_at]
        paths = os.pathsep.join(map(str, (HOUSE, HOUSE / "tests", Path(__file__).parent)))
        with (folder / "work.log").open("ab") as log:
            started.append(subprocess.Popen(command, cwd=HOUSE, env=os.environ | {"PYTHONPATH": paths}, stderr=log))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def ask(engine: Engine) -> int:
    with writing(engine) as connection:
        arguments = {"minutes": 1, "ways": ["weights"]}
        asked = jobs.ask(connection, "retrain", 1, arguments, asked_by="test", at=now())
    assert asked is not None
    return asked


def ended(engine: Engine, folder: Path, job_id: int) -> Job:
    deadline = time.monotonic() + PATIENCE
    while True:
        with reading(engine) as connection:
            job = jobs.find(connection, job_id)
        assert job is not None
        if job.state not in ("queued", "running"):
            return job
        assert time.monotonic() < deadline, f"still at {job.step}:\n{(folder / 'work.log').read_text()}"
        time.sleep(0.2)


@pytest.mark.parametrize(
    "step", [pytest.param(step, marks=() if step in SHORT else pytest.mark.long) for step in STEPS]
)
def test_killed_at_a_step_it_goes_on_there(
    engine: Engine, folder: Path, work: Callable[..., subprocess.Popen[bytes]], step: str
) -> None:
    asked = ask(engine)
    assert work(step).wait(PATIENCE) == -signal.SIGKILL
    with reading(engine) as connection:
        job = jobs.find(connection, asked)
    assert job is not None
    assert (job.state, job.step) == ("running", step)

    work()
    job = ended(engine, folder, asked)

    assert (job.state, job.attempts) == ("done", 2), job.outcome
    assert "v2 passed its gates and is tried beside v1" in (job.outcome or "")
    with reading(engine) as connection:
        assert [each.name for each in generators.listing(connection, 1)] == ["v1", "v2"]
        assert len(canaries.listing(connection, 1)) == 1
        assert [each.verdict for each in generators.decisions_on(connection, 1)] == ["canary opened"]
        assert samples.level(connection, 1, 2) == 220
    rows = [row for row in shelf(engine) if row.generator_id == 2]
    assert len(rows) == len({row.text for row in rows}) == 220
    assert not (folder / "checkpoints/gannet/runs" / f"retrain-{asked}").exists()


@pytest.mark.long
def test_two_workers_never_run_the_same_one(
    engine: Engine, folder: Path, work: Callable[..., subprocess.Popen[bytes]]
) -> None:
    asked = ask(engine)
    work()
    work()

    job = ended(engine, folder, asked)

    assert (job.state, job.attempts) == ("done", 1), job.outcome
    with reading(engine) as connection:
        assert len(generators.listing(connection, 1)) == 2
        assert len(canaries.listing(connection, 1)) == 1
