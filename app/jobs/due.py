"""What is due: shelves that run low, retrainings whose time has come or that enough labels wait for, backups.

Asking twice is prevented by the database; a worker needs to know of no other.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from app.db import archives, canaries, generators, jobs, labels, samples
from app.db.generators import ANCHOR, CHAMPION
from app.db.session import reading, writing
from app.game.own_settings import OwnSettings
from app.game.schedules import last_time
from app.jobs.workshop import Workshop

CATCH_UP = timedelta(minutes=15)  # so long after its time a scheduled job is still asked for
REST_AFTER_FAILURE = timedelta(minutes=10)  # before a generator whose restock failed is tried again
REST_AFTER_RETRAINING = timedelta(hours=1)  # however it ended, before new labels bring the next one
OPERATORS = OwnSettings()  # nothing of its own: all as the operator's settings say


def ask_for_what_is_due(workshop: Workshop, moment: datetime) -> None:
    """Ask for restocks of shelves that are low, and for retrainings and backups whose time has come; once each."""
    with reading(workshop.engine) as connection:
        known = archives.listing(connection)
        low = [
            (each.id, wanting)
            for each in known
            if (wanting := _low(workshop.adapted(each), connection, each.id, moment)) is not None
        ]
        trained = [archive for archive in known if ANCHOR in generators.arms_of(connection, archive.id)]
    for archive_id, generator in low:
        with writing(workshop.engine) as connection:
            arguments = {"generator": generator}
            jobs.ask_unless_open(connection, "restock", archive_id, arguments, asked_by="shelf", at=moment)
    for archive in trained:
        due = due_time(workshop.adapted(archive).retrain_cron, moment, archive.own)
        if due is None:
            continue
        with writing(workshop.engine) as connection:
            if "retrain" not in jobs.open_kinds(connection, archive.id):
                key = f"retrain:{archive.id}:{due:%Y-%m-%dT%H:%MZ}"
                jobs.ask(connection, "retrain", archive.id, {}, asked_by="schedule", at=moment, once=key)
    if (due := due_time(workshop.backup_cron, moment)) is not None:
        with writing(workshop.engine) as connection:
            once = f"backup:{due:%Y-%m-%dT%H:%MZ}"
            jobs.ask(connection, "backup", None, {}, asked_by="schedule", at=moment, once=once)


def ask_for_what_is_learned(workshop: Workshop, moment: datetime) -> None:
    """Ask for retrainings for which enough labels came, whatever the schedule says; where nothing stands against it."""
    if not workshop.retrain_new_labels:
        return
    with reading(workshop.engine) as connection:
        due = [
            (archive.id, _enough(workshop.adapted(archive)))
            for archive in archives.listing(connection)
            if archive.own.after_quiet(moment) <= moment
            and ANCHOR in generators.arms_of(connection, archive.id)
            and labels.count_new(connection, archive.id) >= _enough(workshop.adapted(archive))
            and canaries.find_open(connection, archive.id) is None
            and not jobs.ended_lately(connection, "retrain", archive.id, moment, REST_AFTER_RETRAINING)
        ]
    for archive_id, least in due:
        with writing(workshop.engine) as connection:
            # The retraining counts exactly: where guesses were removed the counters tell of too many.
            arguments = {"least_labels": least}
            jobs.ask_unless_open(connection, "retrain", archive_id, arguments, asked_by="labels", at=moment)


def due_time(cron: str, moment: datetime, own: OwnSettings = OPERATORS) -> datetime | None:
    """The scheduled time that has just come, if one has within the last quarter of an hour; in UTC.

    One that falls into an archive's quiet hours comes when they end.
    """
    last = last_time(cron, (moment + timedelta(seconds=1)).astimezone(own.place))
    if last is None:
        return None
    starts = own.after_quiet(last)
    return last.astimezone(UTC) if timedelta(0) <= moment - starts <= CATCH_UP else None


def _enough(workshop: Workshop) -> int:
    """New labels that bring a retraining; of fewer than it needs it would be asked, and skipped, hour by hour."""
    return max(workshop.retrain_new_labels, workshop.retrain_min_labels)


def _low(workshop: Workshop, connection: Connection, archive_id: int, moment: datetime) -> int | None:
    """A generator at play whose samples run out, and whose restock did not fail just now; None where there is none."""
    playing = generators.arms_of(connection, archive_id)
    # After this moment too, but not long after: clocks differ a little, and one that was ahead may be set back.
    rest = REST_AFTER_FAILURE
    failed = jobs.failed_between(connection, "restock", archive_id, moment - rest, moment + rest)
    # Each rests by itself: a candidate that cannot write must not leave the champion's shelf to run dry.
    resting = {job.arguments.get("generator") for job in failed}
    if None in resting and CHAMPION in playing:  # asked for by hand
        resting.add(playing[CHAMPION].generator_id)
    # One that is filled up to less than the mark below which it is low is as full as it gets.
    least = min(workshop.shelf_low, workshop.shelf_full)
    for arm in playing.values():
        is_at_play = arm.share > 0 and arm.generator_id not in resting
        if is_at_play and samples.level(connection, archive_id, arm.generator_id) < least:
            return arm.generator_id
    return None
