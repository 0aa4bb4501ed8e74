"""A job in hand: its row is kept up to date while it runs, and asked whether it is still wanted."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from app.db import jobs, workers
from app.db.jobs import Claim
from app.db.session import now, writing
from app.jobs.workshop import Interrupted, JobError, Skipped

LOOK_SECONDS = 1.0  # between two words with the database
BEAT_SECONDS = 5.0  # between two heartbeats of a worker

# Why a job stops early: somebody cancelled it; another worker has taken it over; its own worker is shutting down.
Why = Literal["", "cancelled", "lost", "paused"]


class Hold:
    """One worker's hold on one job; its methods are what jobs call `on_progress` and `should_stop`."""

    def __init__(self, engine: Engine, claim: Claim, shutting_down: Callable[[], bool] = lambda: False) -> None:
        self.claim = claim
        self.why: Why = ""
        self._engine = engine
        self._shutting_down = shutting_down
        self._looked = 0.0
        self._step: str | None = None
        self._figures: dict[str, Any] = {}
        self._unsaid = False
        self._has_stored = False

    def step(self, name: str) -> None:
        """Note what the job is at; its earlier figures no longer hold."""
        self._step, self._figures, self._unsaid = name, {}, True
        self._look()

    def stored(self) -> None:
        """Note that something is stored from which another attempt would go on: this one was not in vain."""
        self._has_stored = self._unsaid = True

    def on_stored(self, figures: Mapping[str, Any]) -> None:
        """Note how far the job is with what it has stored; see `stored` and `on_progress`."""
        self.stored()
        self.on_progress(figures)

    def on_progress(self, figures: Mapping[str, Any]) -> None:
        """Note how far the job is; written at most once a second."""
        self._figures = dict(figures)
        self._unsaid = True
        self._look_now_and_then()

    def should_stop(self) -> bool:
        """Whether the job is to end early; `why` then tells the reason."""
        if self._shutting_down():
            self.why = self.why or "paused"
        self._look_now_and_then()
        return bool(self.why)

    def _look_now_and_then(self) -> None:
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._look()

    def _look(self) -> None:
        self._looked = time.monotonic()
        # The job goes on while the database is away; what it stores waits or fails by itself.
        with contextlib.suppress(DBAPIError), writing(self._engine) as connection:
            if self._unsaid:
                wanted = jobs.report(
                    connection, self.claim, step=self._step, progress=self._figures, has_stored=self._has_stored
                )
            else:
                wanted = jobs.wanted(connection, self.claim)
            self._unsaid = self._has_stored = False
            if wanted != "run":
                self.why = self.why or ("lost" if wanted is None else "cancelled")


class Heartbeat:
    """Says every few seconds that a worker is alive, from a thread of its own, until the `with` block ends."""

    def __init__(self, engine: Engine, name: str, trains: Callable[[], bool]) -> None:
        self._engine, self._name, self._trains = engine, name, trains
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._beat()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        with contextlib.suppress(DBAPIError), writing(self._engine) as connection:
            workers.leave(connection, self._name)

    def _run(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            with contextlib.suppress(DBAPIError):
                self._beat()

    def _beat(self) -> None:
        with writing(self._engine) as connection:
            workers.beat(connection, self._name, trains=self._trains(), at=now())


@contextlib.contextmanager
def by_hand(
    engine: Engine, kind: str, archive_id: int | None, arguments: Mapping[str, Any], shutting_down: Callable[[], bool]
) -> Iterator[Hold]:
    """A job that a command at the terminal runs by itself: it has its row like any other, but no worker takes it up.

    The block closes it by `finish`; where it raises, the job is closed as failed or cancelled.
    """
    name = worker_name("terminal")
    with Heartbeat(engine, name, lambda: False):
        with writing(engine) as connection:
            asked = jobs.ask(connection, kind, archive_id, arguments, asked_by=jobs.COMMAND_LINE, at=now())
            if asked is None:
                raise RuntimeError("a job without a key of its own is never refused")
            hold = Hold(engine, jobs.begin(connection, asked, name, now()).claim, shutting_down)
        try:
            yield hold
        except BaseException as error:
            foreseen = isinstance(error, JobError | Interrupted)
            stopped = isinstance(error, Interrupted | KeyboardInterrupt)
            state = "cancelled" if stopped else "skipped" if isinstance(error, Skipped) else "failed"
            outcome = str(error) if foreseen else f"{type(error).__name__}: {error}"
            finish(engine, hold, state, outcome or "stopped at the terminal")
            raise


def finish(engine: Engine, hold: Hold, state: str, outcome: str) -> bool:
    """Close a job; False where it is no longer ours to close."""
    with writing(engine) as connection:
        return jobs.finish(connection, hold.claim, state, outcome, now())


def worker_name(kind: str) -> str:
    """A name that no other worker has: what it is, on which machine, as which process, and a random part."""
    return f"{kind}-{socket.gethostname()[:32]}-{os.getpid()}-{secrets.token_hex(4)}"
