"""The schedule as an admin sees it: when retrainings are due next."""

from __future__ import annotations

from datetime import datetime

from croniter import croniter

from app.game.own_settings import OwnSettings

SHOWN = 5


def next_times(operators_cron: str, own: OwnSettings, moment: datetime) -> list[datetime]:
    """The next times at which a retraining is due, in the archive's zone; none where it has no schedule."""
    cron = operators_cron if own.retrain_cron is None else own.retrain_cron
    if not cron:
        return []
    times = croniter(cron, moment.astimezone(own.place))
    return [own.after_quiet(times.get_next(datetime)) for _ in range(SHOWN)]
