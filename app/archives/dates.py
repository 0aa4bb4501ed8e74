"""When a tweet was posted: dates in every shape seen in archives, and the time that a tweet's id carries."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

Order = Literal["month first", "day first"]  # of 03/04/2020

_LONGEST = 100  # characters of a date; patterns take the square of the length

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}  # never the locale's

_FIRST_SNOWFLAKE = 29_700_859_247  # 4 November 2010; ids before it were counted up
_SNOWFLAKE_EPOCH = 1_288_834_974_657  # ms since 1970
_EARLIEST_EPOCH, _LATEST = datetime(1971, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_UNSET = frozenset({date(1, 1, 1), date(1900, 1, 1), date(1970, 1, 1)})  # what programs write for no date

# Wed Dec 23 17:38:18 +0000 2009
_TWITTER = re.compile(r"\w{3} (\w{3}) (\d{1,2}) (\d\d):(\d\d):(\d\d) ([+-]\d\d)(\d\d) (\d{4})")
_EPOCH = re.compile(r"-?\d{9,19}(?:\.\d*)?")
_UTC_NAMES = re.compile(r"\s*\b(?:UTC|GMT|Z)$", re.IGNORECASE)
# The last one as browsers write a date: GMT+0100 (Central European Standard Time)
_SPACED_OFFSET = re.compile(r"\s+(?:GMT|UTC)?([+-]\d\d):?(\d\d)(?:\s+\([^()]*\))?$")
_OTHER_ZONE = re.compile(r"\s+\(?[A-Z]{2,5}\)?$")
# 01-20-2017 17:51:25, 20.01.2017 17:51, 1/20/17 5:51 PM
_NUMBERS = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?:[ T,]+(.+))?")
# 5 Nov 2020, Nov 5, 2020, November 5th 2020, each with a time or without
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[ -]([A-Za-z]{3})[a-z]*\.?,?[ -](\d{4})(?:[ ,·-]+(.+))?")
_MONTH_DAY = re.compile(r"([A-Za-z]{3})[a-z]*\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})(?:[ ,·-]+(.+))?")
_CLOCK = re.compile(r"(\d{1,2})[:.](\d\d)(?:[:.](\d\d)(?:\.\d+)?)?\s*([AaPp])?\.?[Mm]?\.?")
_WEEKDAY = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? ", re.IGNORECASE)
_AT = re.compile(r",? at ")
_CLOCK_FIRST = re.compile(r"(\d{1,2}:\d\d(?::\d\d)?(?: ?[AaPp]\.?[Mm]\.?)?)\s*[-·,]\s*(.+)")


def posted(
    stated: str | int | float | None, tweet_id: str | None, latest: datetime, order: Order = "month first"
) -> tuple[datetime | None, str | None]:
    """When a tweet was posted, in UTC, and its zone: utc, unknown (no zone was given: taken as it is), or None.

    A date with a zone counts first, then the time that the id carries, then the date as it is. `latest` is the
    moment after which no tweet can have been posted; a later date is a mistake, and a later snowflake is the id of
    something else.
    """
    last = latest + timedelta(days=1)
    read = _read(stated, order)
    if read is not None and read.date() in _UNSET:
        read = None
    if read is not None and read.tzinfo is not None:
        moment = _in_utc(read)
        if moment is not None and moment <= last:
            return moment, "utc"
        read = None
    carried = snowflake_time(tweet_id)
    if carried is not None and carried <= last:
        return carried, "utc"
    moment = read and read.replace(tzinfo=UTC)
    return (moment, "unknown") if moment and moment <= last else (None, None)


def order_in(dates: Iterable[str | int | float | None]) -> Order:
    """How the dates of one file are written: 23/04/2020 proves of 03/04/2020 beside it that the day comes first."""
    found = [numbers for each in dates if isinstance(each, str) and (numbers := _NUMBERS.fullmatch(each.strip()))]
    slashed = [(int(numbers.group(1)), int(numbers.group(3))) for numbers in found if numbers.group(2) != "."]
    days_first = any(12 < first <= 31 for first, _ in slashed)
    return "day first" if days_first and not any(second > 12 for _, second in slashed) else "month first"


def _in_utc(stated: datetime) -> datetime | None:
    try:
        return stated.astimezone(UTC)
    except OverflowError:
        return None


def is_date(words: str) -> bool:
    """Whether `words` state a moment; a long number may."""
    return _read(words, "month first") is not None


def snowflake_time(tweet_id: str | None) -> datetime | None:
    """The UTC time in a tweet's id; None where it carries none (before November 2010, or no tweet's id)."""
    if tweet_id is None or len(tweet_id) > 19 or not (tweet_id.isascii() and tweet_id.isdecimal()):
        return None
    number = int(tweet_id)
    if number < _FIRST_SNOWFLAKE:
        return None
    return _1970 + timedelta(milliseconds=(number >> 22) + _SNOWFLAKE_EPOCH)


def _read(stated: str | int | float | None, order: Order) -> datetime | None:
    """The moment that is stated, aware only where a zone is named; None where none is."""
    try:
        if isinstance(stated, int | float):
            return _from_epoch(stated)
        return None if stated is None or len(stated) > _LONGEST else _from_words(stated.strip(), order)
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def _from_epoch(number: float) -> datetime | None:
    """Seconds, or thousandths, millionths, billionths of them: told apart by their size."""
    size = abs(float(number))
    unit = next((unit for unit in (1, 1e3, 1e6, 1e9) if size / unit < 1e11), None)
    if unit is None:
        return None
    seconds = number / unit
    moment = _1970 + timedelta(seconds=seconds)
    return moment if _EARLIEST_EPOCH <= moment <= _LATEST else None


def _from_words(words: str, order: Order) -> datetime | None:
    found = _TWITTER.fullmatch(words)
    if found:
        month, day, hour, minute, second, zone_hours, zone_minutes, year = found.groups()
        sign = "" if zone_hours == "+00" else f"{zone_hours}:{zone_minutes}"
        number = _MONTHS.get(month.lower(), 0)
        return datetime.fromisoformat(f"{year}-{number:02}-{int(day):02}T{hour}:{minute}:{second}{sign or '+00:00'}")
    if _EPOCH.fullmatch(words):
        return _from_epoch(float(words) if "." in words else int(words))
    plain, zone = _split_zone(words)
    moment = _without_zone(plain, order)
    if moment is None or moment.tzinfo is not None or zone is None:
        return moment
    return datetime.fromisoformat(f"{moment.isoformat()}{zone}")


def _split_zone(words: str) -> tuple[str, str | None]:
    """The date without its zone, and the zone as an offset; None for one that is missing or ambiguous (CET, EST)."""
    if (plain := _UTC_NAMES.sub("", words)) != words:
        return plain, "+00:00"
    offset = _SPACED_OFFSET.search(words)
    if offset:
        return words[: offset.start()], f"{offset.group(1)}:{offset.group(2)}"
    return (words if words[-2:].upper() in ("AM", "PM") else _OTHER_ZONE.sub("", words)), None


def _without_zone(words: str, order: Order) -> datetime | None:
    try:
        return datetime.fromisoformat(words)
    except ValueError:
        pass
    whole, words = words, _AT.sub(" ", _WEEKDAY.sub("", words, count=1))
    clock_first = _CLOCK_FIRST.fullmatch(words)
    if clock_first:
        words = f"{clock_first.group(2)} {clock_first.group(1)}"
    if found := _NUMBERS.fullmatch(words):
        return _from_numbers(found, order)
    if found := _DAY_MONTH.fullmatch(words):
        return _moment(int(found.group(3)), _MONTHS[found.group(2).lower()], int(found.group(1)), found.group(4))
    if found := _MONTH_DAY.fullmatch(words):
        return _moment(int(found.group(3)), _MONTHS[found.group(1).lower()], int(found.group(2)), found.group(4))
    # What is left are letters' dates; of half a day that parser knows nothing.
    return None if whole[-2:].upper() in ("AM", "PM") else parsedate_to_datetime(whole)


def _from_numbers(found: re.Match[str], order: Order) -> datetime | None:
    """Year first, or else as `order` says (American tools put the month first); the day first with dots, or over 12."""
    first, mark, second, third = found.group(1), found.group(2), int(found.group(3)), int(found.group(4))
    if len(first) == 4:
        return _moment(int(first), second, third, found.group(5))
    year = third if third > 99 else 2000 + third
    day_first = mark == "." or int(first) > 12 or (order == "day first" and second <= 12)
    month, day = (second, int(first)) if day_first else (int(first), second)
    return _moment(year, month, day, found.group(5))


def _moment(year: int, month: int, day: int, clock: str | None) -> datetime | None:
    found = _CLOCK.fullmatch(clock.strip()) if clock else None
    if found is None:
        return datetime(year, month, day)  # noqa: DTZ001 (no zone was given: the caller says what that means)
    hour, minute, second = int(found.group(1)), int(found.group(2)), int(found.group(3) or 0)
    half = (found.group(4) or "").lower()
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001
