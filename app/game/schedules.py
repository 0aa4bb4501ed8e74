"""Schedules: when a cron expression comes round, and whether it ever does.

A time of the day comes once on each of its days, also where clocks change: one that is skipped at the first moment
after, one that is there twice at the first. What comes every hour comes every real hour.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from croniter import CroniterBadDateError, croniter

_DRAWN = re.compile(r"(?<![a-z])[hr](?![a-z])", re.IGNORECASE)  # croniter draws these anew at each look
_FAR_BACK = datetime(2000, 1, 1, tzinfo=UTC)


def is_schedule(cron: str) -> bool:
    """Whether `cron` is an expression whose time comes, and stays; that of 0 0 31 2 *, 31 February, never does."""
    return croniter.is_valid(cron) and not _DRAWN.search(cron) and next_time(cron, _FAR_BACK) is not None


def next_time(cron: str, moment: datetime) -> datetime | None:
    """The first time after `moment`, in its zone; None where none comes, or `cron` is empty."""
    return _beside(cron, moment, is_after=True)


def last_time(cron: str, moment: datetime) -> datetime | None:
    """The last time before `moment`, in its zone; None where none came, or `cron` is empty."""
    return _beside(cron, moment, is_after=False)


def _first_moment(clock: datetime, zone: tzinfo) -> datetime:
    """The first moment at which clocks in `zone` show the naive `clock`, or more where they skip it; in `zone`."""
    shown = clock.replace(tzinfo=zone, fold=0).astimezone(UTC)
    there = shown.astimezone(zone)
    if there.replace(tzinfo=None) != clock:  # skipped
        there = _change(shown - timedelta(days=1), shown, zone).astimezone(zone)
    return there


def _beside(cron: str, moment: datetime, *, is_after: bool) -> datetime | None:
    zone = moment.tzinfo or UTC
    if not cron:
        return None
    try:
        if croniter.expand(cron)[0][1] == ["*"]:
            return _real_hour(cron, moment.astimezone(UTC), zone, is_after).astimezone(zone)
        return _first_moment(_clock_time(cron, moment.astimezone(UTC), zone, is_after), zone)
    except CroniterBadDateError:
        return None


def _real_hour(cron: str, moment: datetime, zone: tzinfo, is_after: bool) -> datetime:
    """The time beside `moment` (UTC) at which clocks in `zone` show what `cron` says, however often they show it."""
    start, edge = moment, moment if is_after else moment - timedelta(microseconds=1)
    while True:  # from one change of clocks to the next
        found = _step(cron, start.astimezone(timezone(_offset(edge, zone))), is_after).astimezone(UTC)
        if _offset(found, zone) == _offset(edge, zone):
            return found
        change = _change(min(edge, found), max(edge, found), zone)
        before = change - timedelta(seconds=1)
        start, edge = (before, change) if is_after else (change, before)


def _clock_time(cron: str, moment: datetime, zone: tzinfo, is_after: bool) -> datetime:
    """The naive time on clocks in `zone` that was the last to come before `moment` (UTC), or is the first after."""
    second = timedelta(seconds=1)
    if is_after:
        shown = _not_yet_shown(moment, zone) - second
    else:
        shown = _not_yet_shown(moment - timedelta(microseconds=1), zone)
    return _step(cron, shown.replace(tzinfo=UTC), is_after).replace(tzinfo=None)


def _not_yet_shown(moment: datetime, zone: tzinfo) -> datetime:
    """The first whole second (naive) that clocks in `zone` have not shown yet at `moment` (UTC)."""
    there = moment.astimezone(zone)
    if there.fold:  # they were set back a while ago: until then they showed more than they do now
        former = there.replace(fold=0).utcoffset() or timedelta(0)
        change = _change(moment - (former - _offset(moment, zone)), moment, zone)
        return (change + former).replace(tzinfo=None)
    return there.replace(microsecond=0, tzinfo=None) + timedelta(seconds=1)


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The second (UTC) from which on clocks in `zone` are set as they are at `after`, and not as at `before`."""
    new = _offset(after, zone)
    while after - before > timedelta(seconds=1):
        between = before + (after - before) // 2
        if _offset(between, zone) == new:
            after = between
        else:
            before = between
    return after.replace(microsecond=0)


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _step(cron: str, start: datetime, is_after: bool) -> datetime:
    steps = croniter(cron, start)
    found: datetime = steps.get_next(datetime) if is_after else steps.get_prev(datetime)
    return found
