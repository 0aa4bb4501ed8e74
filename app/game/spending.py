"""Alpha spending: how sure each of a few looks at growing evidence must be, so that all together err seldom enough.

Boundaries of O'Brien and Fleming's kind, as Lan and DeMets spend them (Biometrika 70, 1983): an early look needs far
more than the last one, and the looks may come at other moments than was planned, as long as what they found does not
decide when.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

GRID = 401  # points that stand for the density of what is still undecided
FAR = 8.0  # standard errors: beyond lies nothing that counts

Floats = NDArray[np.float64]
_NORMAL = NormalDist()
# The normal distribution's upper tail, tabled: between two entries a straight line is off by less than 1e-6.
_PLACES = np.linspace(-9, 9, 9001)
_TAIL = np.array([0.5 * math.erfc(z / math.sqrt(2)) for z in _PLACES])


def spent(fraction: float, alpha: float) -> float:
    """How much of `alpha` may be spent when that fraction of the planned evidence is in."""
    if fraction >= 1:
        return alpha
    if fraction <= 0:
        return 0.0
    return 2 * (1 - _NORMAL.cdf(_NORMAL.inv_cdf(1 - alpha / 2) / math.sqrt(fraction)))


@lru_cache(maxsize=256)
def boundaries(evidence: tuple[float, ...], spending: tuple[float, ...]) -> tuple[float, ...]:
    """The z at which each look decides, one-sided.

    Args:
        evidence: at each look so far, in any unit, growing.
        spending: the error that all looks up to each one may make together, growing.

    Raises:
        ValueError: the two do not go together, or do not grow.
    """
    if len(evidence) != len(spending) or not _grows(evidence) or any(np.diff(spending) < 0):
        raise ValueError("found looks without growing evidence and spending, expected one of each for each look")
    found: list[float] = []
    places = weights = np.empty(0)
    for look, at in enumerate(evidence):
        before = evidence[look - 1] if look else 0.0
        step = math.sqrt(at - before)
        start, mass = (places, weights) if look else (np.zeros(1), np.ones(1))
        allowed = spending[look] - (spending[look - 1] if look else 0.0)
        limit = _limit(start, mass, step, allowed, FAR * math.sqrt(at))
        found.append(limit / math.sqrt(at))
        places, weights = _undecided(start, mass, step, limit, FAR * math.sqrt(at))
    return tuple(found)


def _limit(start: Floats, mass: Floats, step: float, allowed: float, far: float) -> float:
    """Where the rest of the walk crosses with the probability that is allowed now."""
    low, high = -far, far
    for _ in range(40):
        middle = (low + high) / 2
        crossing = float(mass @ np.interp((middle - start) / step, _PLACES, _TAIL))
        low, high = (middle, high) if crossing > allowed else (low, middle)
    return high


def _undecided(start: Floats, mass: Floats, step: float, limit: float, far: float) -> tuple[Floats, Floats]:
    """The density of the walk below the limit, as places and what each weighs (by the trapezoid rule)."""
    places = np.linspace(-far, limit, GRID)
    density = np.exp(-0.5 * ((places[:, None] - start[None, :]) / step) ** 2) @ mass / (step * math.sqrt(2 * math.pi))
    width = np.full(GRID, (limit + far) / (GRID - 1))
    width[0] = width[-1] = width[0] / 2
    return places, density * width


def _grows(values: Sequence[float]) -> bool:
    return all(after > before for before, after in zip((0.0, *values), values, strict=False))
