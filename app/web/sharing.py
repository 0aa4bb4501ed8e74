"""Sharing: what limits count is exchanged with the other web processes once a second, by way of the database."""

from __future__ import annotations

import threading
from hashlib import blake2b

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.db import counts
from app.db.counts import Count
from app.db.damage import reason
from app.db.session import now, writing
from app.web.limits import Counters
from app.web.sealed import derive

SECONDS = 1.0  # between two exchanges: so long may a limit be overrun by those who ask several processes at once
SWEEP = 60  # exchanges between two sweeps of counts whose time is over
MOST = 5_000  # counts of one exchange; what is more goes with the next

log = structlog.get_logger(__name__)


class Sharing:
    """Exchanges counts in a thread of its own. While the database is away, each process counts for itself."""

    def __init__(self, engine: Engine, counters: Counters, secret: bytes) -> None:
        self._engine = engine
        self._counters = counters
        self._key = derive(secret, "counts")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sharing", daemon=True)
        self._exchanges = 0

    def start(self) -> None:
        """Begin to exchange."""
        self._thread.start()

    def stop(self) -> None:
        """Exchange once more, then end."""
        self._stop.set()
        self._thread.join()

    def exchange(self) -> None:
        """Tell what was counted here, and learn what all have counted of the same."""
        untold = self._counters.untold()[:MOST]
        # Keys name players and networks: what is stored is a mark that leads to neither.
        marks = {self._mark(key): (key, said) for key, _, said in untold}
        told = [Count(self._mark(key), ends, said) for key, ends, said in untold]
        with writing(self._engine) as connection:
            together = counts.add(connection, told, now())
            if self._exchanges % SWEEP == 0:
                counts.sweep(connection, now())
        self._exchanges += 1
        for found in together:
            key, said = marks[found.key]
            self._counters.learn(key, said, found.ends, found.count)

    def _run(self) -> None:
        is_open = True
        while is_open:
            is_open = not self._stop.wait(SECONDS)
            try:
                self.exchange()
            except SQLAlchemyError as error:
                log.warning("limits not shared", reason=reason(error))

    def _mark(self, key: str) -> bytes:
        return blake2b(key.encode(), key=self._key, digest_size=16).digest()
