"""Scoring: verdicts, streaks, fool rates and how sure one can be of them."""

from __future__ import annotations

import math
from typing import Literal

Verdict = Literal["spotted", "fooled"]

SHOWN_FROM = 5  # guesses of a sample before its fool rate is shown: fewer say nothing, and point at players


def verdict(pick: int, tweet_index: int) -> Verdict:
    """`spotted` if the card that was picked is the tweet, else `fooled`."""
    return "spotted" if pick == tweet_index else "fooled"


def streak(before: int, outcome: Verdict) -> int:
    """Tweets spotted in a row, after one more verdict."""
    return before + 1 if outcome == "spotted" else 0


def fool_rate(fooled: int, guesses: int) -> float | None:
    """Share of guesses that took the sample for the tweet; None below five guesses."""
    return round(fooled / guesses, 4) if guesses >= SHOWN_FROM else None


def interval(fooled: int, guesses: int) -> tuple[float, float]:
    """The 95 % interval of a fool rate (Wilson's score: sound for few guesses and for rates near 0 or 1)."""
    if guesses <= 0:
        return 0.0, 1.0
    z = 1.959964
    rate = fooled / guesses
    centre = rate + z * z / (2 * guesses)
    spread = z * math.sqrt(rate * (1 - rate) / guesses + z * z / (4 * guesses * guesses))
    scale = 1 + z * z / guesses
    low, high = (centre - spread) / scale, (centre + spread) / scale
    # Rounding must not put the rate outside of its own interval.
    return max(0.0, min(low, rate)), min(1.0, max(high, rate))
