"""Own settings: where one archive is played otherwise than the operator's settings say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LEANINGS = ("reply", "thread", "cut")
LARGEST = {"retrain_min_labels": 10**7, "shelf_low": 10**5, "shelf_full": 10**5, "train_minutes": 10_000}


class OwnSettingsError(ValueError):
    """A value cannot be used; the message is one line that names it."""


@dataclass(frozen=True)
class OwnSettings:
    """What an archive has of its own; None leaves it to the operator's setting of that name.

    Attributes:
        retrain_cron: when to retrain (cron expression, in `zone`); empty means never.
        retrain_min_labels: new labels below which a scheduled retraining is skipped.
        train_minutes: that a scheduled training may take.
        shelf_low: samples on the shelf below which it is restocked.
        shelf_full: samples that a restock fills the shelf up to.
        deck_include: leanings of tweets that are dealt although they lean on others.
        zone: name of the time zone (IANA) in which cron and quiet hours are meant.
        name_others: whether cards may name third parties; None: as the archive's basis says.
        quiet: hours [from, to) of the day, in `zone`, in which no training is begun by the schedule.
    """

    retrain_cron: str | None = None
    retrain_min_labels: int | None = None
    train_minutes: float | None = None
    shelf_low: int | None = None
    shelf_full: int | None = None
    deck_include: tuple[str, ...] | None = None
    name_others: bool | None = None
    zone: str = "UTC"
    quiet: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for name, most in LARGEST.items():
            value = getattr(self, name)
            if value is not None and not 0 < value <= most:
                raise OwnSettingsError(f"{name}: found {value}, expected more than 0 and at most {most:,}")
        if self.shelf_low and self.shelf_full and self.shelf_low > self.shelf_full:
            raise OwnSettingsError(f"shelf_low: found {self.shelf_low}, expected no more than {self.shelf_full} (full)")
        if strange := set(self.deck_include or ()) - set(LEANINGS):
            raise OwnSettingsError(f"deck_include: found {min(strange)!r}, expected any of {', '.join(LEANINGS)}")
        if self.quiet is not None and not all(0 <= hour <= 23 for hour in self.quiet):
            raise OwnSettingsError("quiet: expected two hours from 0 to 23")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise OwnSettingsError(f"zone: found {self.zone!r}, expected a name like Europe/Berlin or UTC") from None

    @property
    def place(self) -> ZoneInfo:
        """The time zone of cron and quiet hours."""
        return ZoneInfo(self.zone)

    def after_quiet(self, moment: datetime) -> datetime:
        """`moment`, or the end of the quiet hours that it lies in."""
        if self.quiet is None or self.quiet[0] == self.quiet[1]:
            return moment
        begin, end = self.quiet
        there = moment.astimezone(self.place)
        is_quiet = begin <= there.hour < end if begin < end else there.hour >= begin or there.hour < end
        if not is_quiet:
            return moment
        over = there.replace(hour=end, minute=0, second=0, microsecond=0)
        over = over if over > there else over + timedelta(days=1)
        return over.astimezone(UTC).astimezone(self.place)  # an hour that clocks skip is told as they show it

    def to_json(self) -> dict[str, Any]:
        """What differs from leaving all to the operator, as plain values."""
        plain = OwnSettings()
        return {name: value for name, value in asdict(self).items() if value != getattr(plain, name)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The settings that `to_json` wrote; what a later version knows besides is passed over."""
        known = {field.name for field in fields(cls)}
        values: dict[str, Any] = {name: value for name, value in data.items() if name in known}
        values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**values)
