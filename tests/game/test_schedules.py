"""Schedules: times that come, and those that never do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from app.game.schedules import is_schedule, last_time, next_time

MAY = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_a_schedule_tells_its_times_on_either_side():
    assert next_time("0 3 * * *", MAY) == datetime(2026, 5, 2, 3, tzinfo=UTC)
    assert last_time("0 3 * * *", MAY) == datetime(2026, 5, 1, 3, tzinfo=UTC)
    assert next_time("", MAY) is last_time("", MAY) is None


def test_what_never_comes_round_is_no_schedule():
    assert is_schedule("0 3 29 2 *")
    for never in ("0 0 31 2 *", "0 0 31 4,6,9,11 *"):
        assert not is_schedule(never)
        assert next_time(never, MAY) is last_time(never, MAY) is None
    assert not is_schedule("at noon")


def test_a_time_that_is_drawn_by_chance_is_no_schedule():
    assert is_schedule("0 3 * mar,apr fri")
    assert not is_schedule("R R * * *")
    assert not is_schedule("r(0-29) 3 * * *")


@pytest.mark.parametrize("cron", ["45 1 * * *", "30 2 * * *", "*/20 1-3 * * *", "5 * * * *", "0 * * * 1"])
@pytest.mark.parametrize("zone", ["Europe/London", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"])
@pytest.mark.parametrize("first", [datetime(2026, 3, 28, 9, 7, tzinfo=UTC), datetime(2026, 10, 24, 9, 7, tzinfo=UTC)])
def test_the_times_told_forwards_are_those_told_backwards(cron: str, zone: str, first: datetime) -> None:
    place, last = ZoneInfo(zone), first + timedelta(days=4)
    forwards, at = [], first
    while (at := (next_time(cron, at.astimezone(place)) or last).astimezone(UTC)) < last:
        forwards.append(at)
    backwards, at = [], last
    while (at := (last_time(cron, at.astimezone(place)) or first).astimezone(UTC)) > first:
        backwards.append(at)
    assert forwards == backwards[::-1]
    assert all(earlier < later for earlier, later in pairwise(forwards))
