"""An archive's own settings: kept as told, refused by name, and quiet hours that are meant in a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.game.own_settings import LEANINGS, OwnSettings, OwnSettingsError


@pytest.mark.slow
@given(
    st.builds(
        OwnSettings,
        retrain_cron=st.sampled_from([None, "", "0 3 * * *"]),
        retrain_min_labels=st.none() | st.integers(1, 1000),
        name_others=st.none() | st.booleans(),
        deck_include=st.none() | st.lists(st.sampled_from(LEANINGS), unique=True).map(tuple),
        zone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns"]),
        quiet=st.none() | st.tuples(st.integers(0, 23), st.integers(0, 23)),
    )
)
def test_what_is_written_is_read_back(own: OwnSettings) -> None:
    assert OwnSettings.from_json(own.to_json()) == own


def test_settings_that_leave_all_to_the_operator_are_empty() -> None:
    assert OwnSettings().to_json() == {}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"retrain_min_labels": 0}, "retrain_min_labels: found 0"),
        ({"train_minutes": -1.0}, "train_minutes: found -1.0"),
        ({"shelf_low": 30, "shelf_full": 20}, "shelf_low: found 30"),
        ({"deck_include": ("quote",)}, "deck_include: found 'quote'"),
        ({"quiet": (22, 24)}, "quiet: expected two hours"),
        ({"zone": "Middle/Earth"}, "zone: found 'Middle/Earth'"),
        ({"zone": "../../etc/passwd"}, "zone: found"),
    ],
)
def test_what_cannot_be_is_refused_by_name(values: dict[str, Any], words: str) -> None:
    with pytest.raises(OwnSettingsError, match=words):
        OwnSettings(**values)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 7, 1, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet", "moment", "after"),
    [
        ((8, 18), at(5, 59), at(5, 59)),  # Berlin is two hours ahead in July: 7:59 there
        ((8, 18), at(6), at(16)),
        ((8, 18), at(15, 59), at(16)),
        ((8, 18), at(16), at(16)),
        ((22, 6), at(21), at(4) + timedelta(days=1)),
        ((22, 6), at(3), at(4)),
        ((0, 0), at(3), at(3)),
    ],
)
def test_a_moment_in_quiet_hours_waits_for_their_end(quiet: tuple[int, int], moment: datetime, after: datetime) -> None:
    assert OwnSettings(zone="Europe/Berlin", quiet=quiet).after_quiet(moment) == after


def test_quiet_hours_that_end_at_an_hour_that_clocks_skip_end_at_the_next():
    before = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert (
        OwnSettings(zone="Europe/Berlin", quiet=(22, 2)).after_quiet(before).isoformat() == "2026-03-29T03:00:00+02:00"
    )
