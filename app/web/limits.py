"""Limits: how often one player, and one network, may ask."""

from __future__ import annotations

import math
import time
from typing import Any

from limits import RateLimitItem, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from app.web.problems import Problem

SWEEP = 10_000  # counts between two looks for old ones


class Counters(Storage):
    """Counts in this process's memory. (The library's own starts a thread at each count, and looks at every key.)"""

    STORAGE_SCHEME = ["whichtweet-memory"]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, tuple[int, float]] = {}
        self._since_sweep = 0

    @property
    def base_exceptions(self) -> type[Exception]:
        """What goes wrong here: nothing."""
        return RuntimeError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count; the first count of a window begins it."""
        at = time.time()
        count, end = self._counts.get(key, (0, 0.0))
        if end <= at:
            count, end = 0, at + expiry
            self._since_sweep += 1
            if self._since_sweep > SWEEP:
                self._sweep(at)
        self._counts[key] = (count + amount, end)
        return count + amount

    def get(self, key: str) -> int:
        """The count of a window that is still open."""
        count, end = self._counts.get(key, (0, 0.0))
        return count if end > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When the window closes, in seconds since 1970."""
        return self._counts.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def reset(self) -> int:
        """Forget all counts."""
        size = len(self._counts)
        self._counts.clear()
        return size

    def clear(self, key: str) -> None:
        """Forget one count."""
        self._counts.pop(key, None)

    def _sweep(self, at: float) -> None:
        self._since_sweep = 0
        self._counts = {key: value for key, value in self._counts.items() if value[1] > at}


class Limits:
    """Rates for players and networks; another storage of `limits` counts across processes."""

    def __init__(self, per_player: str, per_network: str, storage: Any | None = None) -> None:
        """Rates in the notation of `limits`, such as 120/minute."""
        self._player = parse(per_player)
        self._network = parse(per_network)
        self._limiter = FixedWindowRateLimiter(storage or Counters())

    def check(self, what: str, player: str | None, network: str) -> None:
        """Count one request for `what`, of a player (None: nobody knows which) and a network.

        Raises:
            Problem: 429, with the seconds to wait.
        """
        counted = [(self._network, f"network {network}")]
        if player is not None:
            counted.append((self._player, f"player {player}"))
        for limit, who in counted:
            if not self._limiter.hit(limit, what, who):
                raise self._too_many(limit, what, who)

    def _too_many(self, limit: RateLimitItem, what: str, who: str) -> Problem:
        reset = self._limiter.get_window_stats(limit, what, who).reset_time
        wait = max(1, math.ceil(reset - time.time()))
        return Problem(429, "too-many-requests", f"slow down: try again in {wait} s", retry_after=wait)
