"""Dates: every shape seen, and the time in a tweet's id."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.archives.dates import order_in, posted, snowflake_time

LATEST = datetime(2026, 1, 1, tzinfo=UTC)
SNOWFLAKE = "1324398500000000000"


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Wed Dec 23 17:38:18 +0000 2009", at(2009, 12, 23, 17, 38, 18)),
        ("Wed Dec 23 17:38:18 +0200 2009", at(2009, 12, 23, 15, 38, 18)),
        ("2020-11-05T12:00:00Z", at(2020, 11, 5, 12)),
        ("2020-11-05T12:00:00.000Z", at(2020, 11, 5, 12)),
        ("2020-11-05 12:00:00+01:00", at(2020, 11, 5, 11)),
        ("2020-11-05 12:00:00 +0100", at(2020, 11, 5, 11)),
        ("2020-11-05 12:00:00 UTC", at(2020, 11, 5, 12)),
        ("Nov 5, 2020 · 12:00 PM UTC", at(2020, 11, 5, 12)),
        ("Thu, 05 Nov 2020 12:00:00 +0000", at(2020, 11, 5, 12)),
        ("Thu Nov 05 2020 12:00:00 GMT+0100 (Central European Standard Time)", at(2020, 11, 5, 11)),
        (1604577600000, at(2020, 11, 5, 12)),
        ("1604577600000", at(2020, 11, 5, 12)),
        (1604577600, at(2020, 11, 5, 12)),
        ("1604577600.5", at(2020, 11, 5, 12, 0, 0, 500000)),
    ],
)
def test_a_date_with_a_zone_is_believed(date: str | int, moment: datetime) -> None:
    assert posted(date, SNOWFLAKE, LATEST) == (moment, "utc")


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("2020-11-05 12:00:00", at(2020, 11, 5, 12)),
        ("2020-11-05T12:00:00", at(2020, 11, 5, 12)),
        ("2020-11-05", at(2020, 11, 5)),
        ("2020/11/05 12:00", at(2020, 11, 5, 12)),
        ("01-20-2017 17:51:25", at(2017, 1, 20, 17, 51, 25)),
        ("1/20/17 5:51 PM", at(2017, 1, 20, 17, 51)),
        ("20/01/2017 17:51", at(2017, 1, 20, 17, 51)),
        ("20.01.2017 17:51", at(2017, 1, 20, 17, 51)),
        ("5 Nov 2020", at(2020, 11, 5)),
        ("Nov 5, 2020", at(2020, 11, 5)),
        ("November 5th, 2020 at 9:30 pm", at(2020, 11, 5, 21, 30)),
        ("November 05, 2020 at 09:30PM", at(2020, 11, 5, 21, 30)),
        ("Thursday, November 5, 2020 9:30:00 PM", at(2020, 11, 5, 21, 30)),
        ("Thursday, November 5, 2020", at(2020, 11, 5)),
        ("Thu Nov 05 21:30:00 2020", at(2020, 11, 5, 21, 30)),
        ("11:22 PM - 5 Nov 2020", at(2020, 11, 5, 23, 22)),
        ("2020-11-05 12:00:00 CET", at(2020, 11, 5, 12)),
    ],
)
def test_a_date_without_a_zone_is_marked(date: str, moment: datetime) -> None:
    assert posted(date, None, LATEST) == (moment, "unknown")


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00", "1970-01-01 00:00:00", "1970-01-01T00:00:00Z", "1900-01-01"])
def test_what_programs_write_for_no_date_is_none(date: str) -> None:
    assert posted(date, None, LATEST) == (None, None)


def test_the_day_comes_first_where_others_of_the_file_prove_it() -> None:
    assert order_in(["03/04/2020", None, 5, "23/04/2020 17:00"]) == "day first"
    assert posted("03/04/2020", None, LATEST, order_in(["23/04/2020"])) == (at(2020, 4, 3), "unknown")
    assert posted("03/04/2020", None, LATEST, order_in(["04/23/2020"])) == (at(2020, 3, 4), "unknown")
    assert order_in(["23/04/2020", "04/23/2020", "23.04.2020"]) == "month first"


def test_the_id_tells_the_time_of_a_date_without_a_zone() -> None:
    # A tweet of the Obama archive: its date there is seven hours behind.
    moment, zone = posted("2017-03-23 06:00:20", "844896595179180034", LATEST)
    assert (moment and moment.replace(microsecond=0), zone) == (at(2017, 3, 23, 13, 0, 20), "utc")


def test_the_id_alone_tells_the_time() -> None:
    moment, zone = posted(None, "844896595179180034", LATEST)
    assert (moment and moment.year, zone) == (2017, "utc")


def test_ids_before_november_2010_carry_no_time() -> None:
    assert posted("2009-12-23 17:38:18", "6971079756", LATEST) == (at(2009, 12, 23, 17, 38, 18), "unknown")
    assert snowflake_time("6971079756") is None


def test_an_id_from_the_future_is_no_tweets() -> None:
    assert posted(None, "9" * 19, LATEST) == (None, None)


@pytest.mark.parametrize("date", ["2999-01-01 00:00:00", "2999-01-01T00:00:00Z", 12_345_678_901_234_567_890])
def test_a_date_from_the_future_is_a_mistake(date: str | int) -> None:
    assert posted(date, None, LATEST) == (None, None)
    assert posted(date, SNOWFLAKE, LATEST) == posted(None, SNOWFLAKE, LATEST)


def test_the_milliseconds_of_an_id_are_kept() -> None:
    moment = snowflake_time("844896595179180034")
    assert moment is not None
    assert round(moment.timestamp() * 1000) == (844896595179180034 >> 22) + 1288834974657


@pytest.mark.parametrize(
    "nonsense", ["", "yesterday", "2020-13-45", "32/32/2020", "0", "NaN", "Wed Foo 99", -5, 1e300, "1 " * 50_000]
)
def test_nonsense_is_no_date(nonsense: str | float) -> None:
    assert posted(nonsense, None, LATEST) == (None, None)


@pytest.mark.slow
@given(st.text(max_size=40) | st.integers() | st.floats() | st.none(), st.text(max_size=25) | st.none())
def test_no_date_whatever_raises(date: str | float | None, tweet_id: str | None) -> None:
    moment, zone = posted(date, tweet_id, LATEST)
    assert (moment is None) == (zone is None)
    assert moment is None or moment.tzinfo is UTC
