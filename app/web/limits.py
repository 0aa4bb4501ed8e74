"""Limits: how often one player, and one network, may ask."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from limits import parse
from limits.storage import Storage

from app.web.problems import Problem

SWEEP = 10_000  # counts between two looks for old ones


@dataclass(slots=True)
class _Window:
    """Counts of one window: those that others are known to have, and those that they were not told of yet."""

    ends: float
    told: int = 0
    untold: int = 0


class Counters(Storage):
    """Counts in this process's memory. (The library's own starts a thread at each count, and looks at every key.)

    What was counted can be exchanged with other processes from a thread beside (`untold`, `learn`): no request waits.
    """

    STORAGE_SCHEME = ["whichtweet-memory"]  # noqa: RUF012

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._clock = clock
        self._windows: dict[str, _Window] = {}
        self._lock = threading.Lock()
        self._since_sweep = 0

    @property
    def base_exceptions(self) -> type[Exception]:
        """What goes wrong here: nothing."""
        return RuntimeError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count; the first count of a window begins it."""
        at = self._clock()
        with self._lock:
            window = self._windows.get(key)
            # One that ends later than it can was begun before the clock was set back: nobody waits for it.
            if window is None or not at < window.ends <= at + expiry:
                window = self._windows[key] = _Window(at + expiry)
                self._since_sweep += 1
                if self._since_sweep > SWEEP:
                    self._sweep(at)
            window.untold += amount
            return window.told + window.untold

    def get(self, key: str) -> int:
        """The count of a window that is still open."""
        window = self._windows.get(key)
        return window.told + window.untold if window is not None and window.ends > self._clock() else 0

    def get_expiry(self, key: str) -> float:
        """When the window closes, in seconds since 1970."""
        window = self._windows.get(key)
        return self._clock() if window is None else window.ends

    def untold(self) -> list[tuple[str, float, int]]:
        """Key, end and counts of windows in which something was counted that others do not know."""
        at = self._clock()
        with self._lock:
            return [
                (key, window.ends, window.untold)
                for key, window in self._windows.items()
                if window.untold and window.ends > at
            ]

    def learn(self, key: str, said: int, ends: float, total: int) -> None:
        """Take in what all processes together counted for a key, `said` of it ours; and when they begin anew."""
        with self._lock:
            window = self._windows.get(key)
            if window is not None:
                window.untold = max(0, window.untold - said)
                window.told, window.ends = total, ends

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def reset(self) -> int:
        """Forget all counts."""
        size = len(self._windows)
        self._windows.clear()
        return size

    def clear(self, key: str) -> None:
        """Forget one count."""
        self._windows.pop(key, None)

    def _sweep(self, at: float) -> None:
        self._since_sweep = 0
        self._windows = {key: window for key, window in self._windows.items() if window.ends > at}


@dataclass(frozen=True)
class _Rate:
    """So many within a window of so many seconds."""

    words: str
    most: int
    seconds: int

    @classmethod
    def parsed(cls, words: str) -> _Rate:
        limit = parse(words)
        return cls(words, limit.amount, limit.get_expiry())


class Limits:
    """Rates for players and networks."""

    def __init__(self, per_player: str, per_network: str, counters: Counters | None = None) -> None:
        """Rates in the notation of `limits`, such as 120/minute; without counters, those of its own."""
        self._player = _Rate.parsed(per_player)
        self._network = _Rate.parsed(per_network)
        self._counters = counters or Counters()

    def check(self, what: str, player: str | None, network: str | None) -> None:
        """Count one request for `what`, of a player (None: nobody knows which) and a network (None: exempt).

        Raises:
            Problem: 429, with the seconds to wait.
        """
        if network is not None:
            self._count(self._network, f"{what} of network {network}")
        if player is not None:
            self._count(self._player, f"{what} of player {player}")

    def _count(self, limit: _Rate, whose: str) -> None:
        key = f"{whose}, {limit.words}"
        if self._counters.incr(key, limit.seconds) > limit.most:
            wait = max(1, math.ceil(self._counters.get_expiry(key) - time.time()))
            raise Problem(429, "too-many-requests", f"slow down: try again in {wait} s", retry_after=wait)
