"""What needs a person: the one line at the top of the overview. Pure rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST = 200  # of a kind, are counted and no more


@dataclass(frozen=True)
class Standing:
    """What the overview looks at in one archive."""

    slug: str
    paused: bool
    has_champion: bool
    shelf: int
    shelf_days: float | None  # at today's pace; None: nobody plays, or it does not run out
    deck: int


def needs(
    standings: Sequence[Standing],
    *,
    workers: int,
    silence: str | None = None,
    failed: int,
    broken: int = 0,
    reports: int,
    held: int = 0,
    queued: int,
    label_alarm: str | None,
) -> list[tuple[str, str]]:
    """What a person should look at, the most urgent first: words, and the page where to act.

    `silence`: since when no worker was heard of, in words; `broken`: requests of a day that could not be answered.
    """
    found: list[tuple[str, str]] = []
    if not standings:
        found.append(("There is no archive yet: upload one.", "/admin/archives"))
    if not workers:
        last = f" (the last one was heard of {silence})" if silence else ""
        words = f"No worker is alive{last}: start one with whichtweet work. Play goes on from the shelf."
        waiting = f" {queued} job{'s' * (queued != 1)} wait{'s' * (queued == 1)} for it." if queued else ""
        found.append((words + waiting, "/admin/training"))
    found += [need for each in standings if not each.paused and (need := _need_of(each)) is not None]
    if failed:
        found.append((f"{_counted(failed, 'job')} failed in the last seven days.", "/admin#errors"))
    if broken:
        requests = f"{broken} request{'s' * (broken != 1)}"
        found.append((f"{requests} could not be answered in the last 24 hours.", "/admin#errors"))
    if label_alarm:
        found.append((label_alarm + ".", "/admin/labels"))
    if reports:
        wait = "waits" if reports == 1 else "wait"
        found.append((f"{_counted(reports, 'report')} of players {wait} to be read.", "/admin/reports"))
    if held:
        found.append((f"{_counted(held, 'sample')} held back for a look.", "/admin/held"))
    return found


def _counted(number: int, what: str) -> str:
    return f"{number} {what}s or more" if number >= MOST else f"{number} {what}{'s' * (number != 1)}"


def _need_of(each: Standing) -> tuple[str, str] | None:
    if not each.has_champion:
        return f"{each.slug} has no generator yet: train one.", f"/admin/training?archive={each.slug}"
    if each.shelf == 0:
        return f"The shelf of {each.slug} is empty.", f"/admin/archives/{each.slug}"
    if each.shelf_days is not None and each.shelf_days < 1:
        words = f"The shelf of {each.slug} lasts {each.shelf_days * 24:.0f} hours at today's pace."
        return words, f"/admin/archives/{each.slug}"
    return None
