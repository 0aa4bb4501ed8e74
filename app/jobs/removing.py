"""Removing what is kept no longer, in short transactions: deleted archives, old guesses, scores, marks of networks."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta

from app.db import jobs, networks, removals, retention, scores
from app.db.jobs import Job
from app.db.session import reading, writing
from app.jobs.hold import Hold
from app.jobs.workshop import Interrupted, JobError, Steps, Workshop

NETWORK_KEPT = timedelta(days=30)
AHEAD = timedelta(days=1)  # farther than that no clock is ahead of another that is right
WINDOWS = 20  # of guesses whose marks of networks one look drops: the rest has time


def remove_archive(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    """Remove an archive that was deleted a day ago, with all that goes with it, in small batches."""
    archive_id = int(job.arguments["archive"])

    def remove() -> str:
        with reading(workshop.engine) as connection:
            slug = removals.deleted_slug(connection, archive_id)
            was = str(job.arguments.get("slug", ""))
            has_left_files = slug is None and was != "" and removals.is_gone(connection, was)
        if has_left_files:  # an attempt before this one was killed at its last moment
            shutil.rmtree(workshop.folder(was), ignore_errors=True)
            return f"{was} is removed: its files, after its rows"
        if slug is None:
            raise JobError("nobody deleted that archive, or somebody took it back")
        removed = 0
        while True:
            with writing(workshop.engine) as connection:
                some = removals.remove_batch(connection, archive_id)
            if not some:
                break
            removed += some
            hold.on_stored({"rows": removed})
            if hold.should_stop():
                raise Interrupted
        shutil.rmtree(workshop.folder(slug), ignore_errors=True)
        return f"{slug} is removed: {removed:,} rows"

    return step("remove", remove)


def ask_for_removals(workshop: Workshop, moment: datetime) -> None:
    """Ask that archives which were deleted a day ago be removed, each once a day: a removal may fail."""
    with reading(workshop.engine) as connection:
        due = [found for found in removals.deleted(connection) if moment - found[2] > removals.UNDO]
    for archive_id, slug, deleted_at in due:
        with writing(workshop.engine) as connection:
            once = f"remove:{archive_id}:{deleted_at:%Y-%m-%dT%H:%M:%S}:{(moment - deleted_at).days}"
            asked = {"archive": archive_id, "slug": slug}
            jobs.ask(connection, "remove", None, asked, asked_by="schedule", at=moment, once=once)


def drop_networks(workshop: Workshop, after_id: int, moment: datetime) -> int:
    """Drop the marks of networks that are 30 days old, behind a guess; the last one that was looked at."""
    for _ in range(WINDOWS):
        with writing(workshop.engine) as connection:
            last = networks.drop(connection, after_id, moment - NETWORK_KEPT, moment + AHEAD)
        if last is None:
            break
        after_id = last
    return after_id


def drop_guesses(workshop: Workshop, moment: datetime) -> int:
    """Remove raw guesses that are older than they are kept, some at a time; how many."""
    removed = 0
    for _ in range(WINDOWS if workshop.guesses_kept_days else 0):
        with writing(workshop.engine) as connection:
            kept = timedelta(days=workshop.guesses_kept_days)
            some = retention.drop(connection, moment - kept, moment + AHEAD)
        removed += some
        if some < retention.BATCH:
            break
    return removed


def drop_old_scores(workshop: Workshop, moment: datetime) -> None:
    """Drop what no leaderboard shows any more, in short transactions."""
    dropped = True
    while dropped:
        with writing(workshop.engine) as connection:
            dropped = scores.drop_old(connection, moment) > 0
