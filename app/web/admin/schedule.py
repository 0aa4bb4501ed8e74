"""The schedule as an admin sees it: when retrainings are due next."""

from __future__ import annotations

from datetime import datetime

from app.game.own_settings import OwnSettings
from app.game.schedules import next_time

SHOWN = 5


def next_times(operators_cron: str, own: OwnSettings, moment: datetime) -> list[datetime]:
    """The next times at which a retraining is due, in the archive's zone; none where it has no schedule."""
    cron = operators_cron if own.retrain_cron is None else own.retrain_cron
    times: list[datetime] = []
    at: datetime | None = moment.astimezone(own.place)
    while len(times) < SHOWN and (at := at and next_time(cron, at)):
        begun = own.after_quiet(at)
        if begun not in times:  # all that falls into quiet hours comes once, at their end
            times.append(begun)
    return times
