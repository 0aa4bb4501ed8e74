"""Schedules: when a cron expression comes round, and whether it ever does."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from croniter import CroniterBadDateError, croniter

_DRAWN = re.compile(r"(?<![a-z])[hr](?![a-z])", re.IGNORECASE)  # croniter draws these anew at each look
_FAR_BACK = datetime(2000, 1, 1, tzinfo=UTC)


def is_schedule(cron: str) -> bool:
    """Whether `cron` is an expression whose time comes, and stays; that of 0 0 31 2 *, 31 February, never does."""
    return croniter.is_valid(cron) and not _DRAWN.search(cron) and next_time(cron, _FAR_BACK) is not None


def next_time(cron: str, moment: datetime) -> datetime | None:
    """The first time after `moment`, in its zone; None where none comes, or `cron` is empty."""
    try:
        found: datetime | None = croniter(cron, moment).get_next(datetime) if cron else None
    except CroniterBadDateError:
        return None
    return found


def last_time(cron: str, moment: datetime) -> datetime | None:
    """The last time before `moment`, in its zone; None where none came, or `cron` is empty."""
    try:
        found: datetime | None = croniter(cron, moment).get_prev(datetime) if cron else None
    except CroniterBadDateError:
        return None
    return found
