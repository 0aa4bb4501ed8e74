"""The recorder: one thread that writes guesses, many in one transaction, so that each waits for one disk write."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from app.db import guesses
from app.db.batch import Guess, House
from app.db.damage import reason
from app.db.guesses import Outcome, Recorded
from app.db.session import writing
from app.web import metrics

MOST = 32  # guesses of one transaction: under 10 ms, 30 where statements of that size are worded for the first time
TRIES = 3

log = structlog.get_logger(__name__)


class DatabaseAway(ConnectionError):  # noqa: N818
    """The guess could not be written; it may be sent again."""


@dataclass(frozen=True)
class _Waiting:
    guess: Guess
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Outcome]


class Recorder:
    """Takes guesses from the event loop, answers when they are on disk."""

    def __init__(self, engine: Engine, house: House) -> None:
        self._engine = engine
        self._house = house
        self._arrived: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._calls: queue.SimpleQueue[bool] = queue.SimpleQueue()  # to write what arrived; False: and then to end
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is waiting, then end."""
        self._calls.put(False)
        self._thread.join()

    async def record(self, guess: Guess) -> Recorded:
        """The answer to a guess, once it is on disk.

        Raises:
            GuessRefused: the guess is not one to record.
            DatabaseAway: it could not be written now.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        self._arrived.put(_Waiting(guess, loop, future))
        # When the loop has come round: what arrives with this guess goes with it.
        loop.call_soon(self._calls.put, True)
        outcome = await future
        if isinstance(outcome, Recorded):
            return outcome
        raise outcome

    def _run(self) -> None:
        is_open = True
        while is_open:
            is_open = self._calls.get()
            while batch := self._next():
                self._settle(batch)

    def _next(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        while len(batch) < MOST and not self._arrived.empty():
            batch.append(self._arrived.get())
        return batch

    def _settle(self, batch: Sequence[_Waiting]) -> None:
        try:
            outcomes: Sequence[Outcome | Exception] = self._write([waiting.guess for waiting in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, OperationalError):
                # One guess that cannot be written must not take the others with it.
                for waiting in batch:
                    self._settle([waiting])
                return
            log.warning("guesses not written", reason=reason(error), guesses=len(batch))
            outcomes = [DatabaseAway() if isinstance(error, SQLAlchemyError) else error] * len(batch)
        metrics.batch.observe(len(batch))
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Outcome], Outcome | Exception]]] = {}
        for waiting, outcome in zip(batch, outcomes, strict=True):
            by_loop.setdefault(waiting.loop, []).append((waiting.future, outcome))
        for loop, answers in by_loop.items():
            loop.call_soon_threadsafe(_answer, answers)

    def _write(self, batch: Sequence[Guess]) -> list[Outcome]:
        for attempt in range(1, TRIES + 1):
            try:
                with writing(self._engine) as connection:
                    return guesses.record(connection, batch, self._house)
            except (OperationalError, IntegrityError) as error:
                # Another process was quicker with the same round, or the database broke a deadlock.
                if attempt == TRIES:
                    raise
                log.info("guesses tried again", reason=reason(error))
        raise AssertionError("unreachable")


def _answer(answers: Sequence[tuple[asyncio.Future[Outcome], Outcome | Exception]]) -> None:
    for future, outcome in answers:
        if future.done():
            continue
        if isinstance(outcome, DatabaseAway) or not isinstance(outcome, Recorded | guesses.GuessRefused):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
