"""Troubles: what this web process could not answer, counted since it started; the latest are kept for the dashboard."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

KEPT = 20


@dataclass(frozen=True)
class Trouble:
    """A request that was not answered as it should have been.

    Attributes:
        route: which kind of address was asked for: the address itself may hold an invitation, or what somebody typed.
        error: the kind of error; what it says is left out for the same reason.
    """

    at: datetime
    route: str
    error: str


class Troubles:
    """The troubles of one process."""

    def __init__(self, since: datetime) -> None:
        self.since = since
        self.count = 0
        self._latest: deque[Trouble] = deque(maxlen=KEPT)

    def note(self, at: datetime, route: str, error: str) -> None:
        """Count one more."""
        self.count += 1
        self._latest.appendleft(Trouble(at, route, error))

    def latest(self) -> list[Trouble]:
        """Those that are kept, the newest first."""
        return list(self._latest)

    def within(self, span: timedelta, at: datetime) -> int:
        """How many there were of late (at most as many as are kept are counted)."""
        return sum(at - trouble.at <= span for trouble in self._latest)
