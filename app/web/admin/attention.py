"""What needs a person: the alarm on labels, and the one line at the top of the overview. Pure rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_LABELS = 100  # in the newer span, before a jump is called one
SURE = 3.0  # standard errors
JUMP = 0.10  # of share; a smaller rise is not worth an alarm however sure


@dataclass(frozen=True)
class Standing:
    """What the overview looks at in one archive."""

    slug: str
    paused: bool
    has_champion: bool
    shelf: int
    shelf_days: float | None  # at today's pace; None: nobody plays, or it does not run out
    deck: int


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


def needs(
    standings: Sequence[Standing], *, workers: int, failed: int, reports: int, queued: int, label_alarm: str | None
) -> list[tuple[str, str]]:
    """What a person should look at, the most urgent first: words, and the page where to act."""
    found: list[tuple[str, str]] = []
    if not standings:
        found.append(("There is no archive yet: upload one.", "/admin/archives"))
    if not workers:
        words = "No worker is alive: start one with whichtweet work."
        found.append((words + (f" {queued} jobs wait for it." if queued else ""), "/admin/training"))
    found += [need for each in standings if not each.paused and (need := _need_of(each)) is not None]
    if failed:
        found.append((f"{failed} job{'s' * (failed != 1)} failed in the last seven days.", "/admin/training"))
    if label_alarm:
        found.append((label_alarm + ".", "/admin/labels"))
    if reports:
        found.append((f"{reports} report{'s' * (reports != 1)} of players wait to be read.", "/admin/reports"))
    return found


def _need_of(each: Standing) -> tuple[str, str] | None:
    if not each.has_champion:
        return f"{each.slug} has no generator yet: train one.", f"/admin/training?archive={each.slug}"
    if each.shelf == 0:
        return f"The shelf of {each.slug} is empty.", f"/admin/archives/{each.slug}"
    if each.shelf_days is not None and each.shelf_days < 1:
        words = f"The shelf of {each.slug} lasts {each.shelf_days * 24:.0f} hours at today's pace."
        return words, f"/admin/archives/{each.slug}"
    return None
