"""Skill: what is believed of a player and of a sample, and how one guess moves both.

A player spots the tweet beside a sample with the odds exp(skill - strength): one logit scale for both. Each side is a
normal belief, moved one guess at a time as in Glicko (Glickman 1999, "Parameter estimation in large dynamic paired
comparison experiments"), which is the online form of fitting all skills and strengths together. The average sample has
strength 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from app.game.scoring import Verdict

DRIFT = 0.002  # variance that a player's belief gains with each guess: people get better, and tired
KNOWN_FROM = 10  # guesses before a skill is shown or ranked: fewer say little
_Z = 1.959964  # deviations to either side that hold 95 %
_LEAST_VARIANCE = 0.004  # below it a belief would no longer notice that somebody changed


class Belief(NamedTuple):
    """What is believed of a skill or a strength: a normal distribution in logits."""

    mean: float
    variance: float

    @property
    def deviation(self) -> float:
        """Standard deviation in logits."""
        return math.sqrt(self.variance)

    @property
    def cautious(self) -> float:
        """The level that it exceeds with 97.5 % probability: what rankings go by, so that luck alone ranks low."""
        return self.mean - _Z * self.deviation


NEWCOMER = Belief(0.5, 1.0)  # most people spot more than half
UNREAD = Belief(0.0, 0.5)  # samples differ less than players


def after(player: Belief, sample: Belief, verdict: Verdict) -> tuple[Belief, Belief]:
    """Both beliefs after one more verdict."""
    return player_after(player, sample, verdict), _moved(sample, player, 0.0 if verdict == "spotted" else 1.0)


def player_after(player: Belief, sample: Belief, verdict: Verdict) -> Belief:
    """What is believed of the player after one more verdict."""
    rested = Belief(player.mean, min(player.variance + DRIFT, NEWCOMER.variance))
    return _moved(rested, sample, 1.0 if verdict == "spotted" else 0.0)


def share(belief: Belief) -> tuple[float, float, float]:
    """Of average samples, the share beside which the tweet is spotted: low end of the 95 % interval, middle, high."""
    spread = _Z * belief.deviation
    low, middle, high = (_logistic(belief.mean + offset) for offset in (-spread, 0.0, spread))
    return low, middle, high


def told(belief: Belief) -> dict[str, float]:
    """A belief as players are told of it: shares of average samples, rounded."""
    low, middle, high = share(belief)
    return {"share": round(middle, 4), "low": round(low, 4), "high": round(high, 4)}


def _moved(own: Belief, other: Belief, score: float) -> Belief:
    damping = _damping(other.variance)
    expected = _logistic(damping * (own.mean - other.mean))
    information = damping * damping * expected * (1 - expected)
    variance = max(1 / (1 / own.variance + information), _LEAST_VARIANCE)
    return Belief(own.mean + variance * damping * (score - expected), variance)


def _damping(variance: float) -> float:
    """How much less a result says when the other side is known only so well."""
    return 1 / math.sqrt(1 + 3 * variance / math.pi**2)


def _logistic(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
