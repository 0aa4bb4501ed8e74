"""The threshold: how often one may try a password. No stranger's tries use up those of an admin's own browser."""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Sequence
from hashlib import sha256

from limits import parse
from limits.strategies import FixedWindowRateLimiter

from app.web.limits import Counters
from app.web.sealed import BadSeal, Seal

DEVICE_COOKIE = "whichtweet_device"
DEVICE_SECONDS = 400 * 86_400
PER_NAME = "10 per 15 minute"  # tries of one network with one name
PER_NETWORK = "50 per 15 minute"  # tries of one network, whatever the names
PER_DEVICE = "20 per 15 minute"  # tries of a browser in which this admin has signed in before

_DEVICE = struct.Struct(">B32s")


class Threshold:
    """Counts tries by network and name, never by name alone: a name can be known to strangers.

    A browser that an admin has signed in with holds a sealed mark, and its tries are counted apart: even somebody
    in the same network cannot lock that admin out.
    """

    def __init__(self, secrets: Sequence[bytes], counters: Counters | None = None) -> None:
        """Without counters, with those of its own."""
        self._seal = Seal(secrets, "device", _DEVICE.size)
        self._limiter = FixedWindowRateLimiter(counters or Counters())
        self._name, self._network, self._device = parse(PER_NAME), parse(PER_NETWORK), parse(PER_DEVICE)

    def mark(self, name: str) -> str:
        """The mark of a browser in which the admin of that name has signed in."""
        return self._seal.close(_DEVICE.pack(1, _short(name)))

    def wait(self, name: str, network: str, mark: str | None) -> int:
        """Count a try; 0, or the seconds until the next one may be made."""
        if mark and self._is_of(mark, name):
            checks = [(self._device, f"device {mark}")]
        else:
            checks = [(self._network, f"network {network}"), (self._name, f"name {network} {_short(name).hex()}")]
        for limit, who in checks:
            if not self._limiter.hit(limit, "sign-in", who):
                reset = self._limiter.get_window_stats(limit, "sign-in", who).reset_time
                return max(1, math.ceil(reset - time.time()))
        return 0

    def _is_of(self, mark: str, name: str) -> bool:
        try:
            return self._seal.open(mark) == _DEVICE.pack(1, _short(name))
        except BadSeal:
            return False


def _short(name: str) -> bytes:
    return sha256(name.encode()).digest()
