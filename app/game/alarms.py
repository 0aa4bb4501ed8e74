"""Alarms: when the share of labels that do not teach has jumped."""

from __future__ import annotations

import math

LEAST_LABELS = 100  # in the newer span, before a jump is called one
SURE = 3.0  # standard errors
JUMP = 0.10  # of share; a smaller rise is not worth an alarm however sure


def alarm(recent_lost: int, recent: int, before_lost: int, before: int) -> str | None:
    """One line where the share of labels that do not teach has jumped; None where it has not.

    Args:
        recent_lost: labels of the last seven days that are excluded or quarantined.
        recent: all labels of those days.
        before_lost: the same of the days before.
        before: all labels of the days before.
    """
    if recent < LEAST_LABELS or before < LEAST_LABELS:
        return None
    share, usual = recent_lost / recent, before_lost / before
    pooled = (recent_lost + before_lost) / (recent + before)
    error = math.sqrt(pooled * (1 - pooled) * (1 / recent + 1 / before))
    if share - usual < JUMP or error == 0 or (share - usual) / error < SURE:
        return None
    return f"{share:.0%} of this week's labels do not teach; before it were {usual:.0%}"
