"""Errands: what the dashboard asks the worker to do besides: look into an upload, promote, remove an archive."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from app.archives import ArchiveError
from app.archives.opening import open_archive
from app.archives.sift import Sieve
from app.db import generators, jobs, networks, removals, retention, samples, uploads
from app.db.generators import Decided
from app.db.jobs import Job
from app.db.session import now, reading, writing
from app.game.third_parties import ThirdParties
from app.jobs.backups import Place, back_up_nightly
from app.jobs.bundles import take_in_bundle
from app.jobs.fetching import fetch
from app.jobs.forgetting import forget_player
from app.jobs.hold import Hold
from app.jobs.promoting import former_champion, promote
from app.jobs.workshop import Interrupted, JobError, Steps, Workshop

SHOWN = 20  # tweets and left-out rows that a preview shows
NETWORK_KEPT = timedelta(days=30)
WINDOWS = 20  # of guesses whose marks of networks one look drops: the rest has time
LOOKED_AT = 20_000  # rows that a preview reads: enough to see what a file is


def preview(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    """Look into an uploaded file: its format, its first tweets, and what would be left out, why. Nothing is kept."""
    upload_id = int(job.arguments["upload"])

    def look() -> str:
        try:
            found = _looked_into(Path(job.arguments["path"]), job.arguments, hold)
        except ArchiveError as error:
            with writing(workshop.engine) as connection:
                uploads.note_preview(connection, upload_id, "failed", {"trouble": str(error)})
            raise JobError(str(error)) from None
        with writing(workshop.engine) as connection:
            uploads.note_preview(connection, upload_id, "ready", found)
        return f"{found['format']}: {found['read']:,} rows looked at, {found['passed']:,} tweets in them"

    return step("look", look)


def fetch_upload(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    """Fetch a file from the internet, and look into it as if somebody had sent it."""
    upload_id, path = int(job.arguments["upload"]), Path(job.arguments["path"])

    def bring() -> int:
        try:
            size = fetch(*(job.arguments["url"], path), on_progress=hold.on_progress, should_stop=hold.should_stop)
        except JobError as error:
            with writing(workshop.engine) as connection:
                uploads.note_preview(connection, upload_id, "failed", {"trouble": str(error)})
            raise
        with writing(workshop.engine) as connection:
            uploads.note_arrival(connection, upload_id, size)
        return size

    step("fetch", bring)
    return preview(workshop, job, hold, step)


def promote_generator(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    """Make a generator the champion, or go back to the former one."""
    archive = workshop.archive_of(job)
    wanted = job.arguments.get("generator")

    def crown() -> str:
        with reading(workshop.engine) as connection:
            taken = generators.decided_by_job(connection, archive.id, job.id)
            named = taken.generator_id if taken is not None else wanted
            found = generators.find(connection, int(named)) if named else None
            level = samples.level(connection, archive.id, found.id) if found is not None else 0
        generator = found or former_champion(workshop, archive)
        # Killed at its last moment, it is done again: the former champion would be the one it just went back from.
        if taken is None:
            verdict = "promoted" if wanted else "rolled back"
            figures = {"reason": job.arguments.get("reason", ""), "job": job.id}
            level = promote(
                *(workshop, archive, generator),
                decided=Decided(verdict, job.asked_by, figures),
                job_id=job.id,
                on_progress=hold.on_progress,
                should_stop=hold.should_stop,
            )
        return f"{generator.name} is the champion of {archive.slug}, with {level} samples on its shelf"

    return step("promote", crown)


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
            hold.on_progress({"rows": removed})
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
            last = networks.drop(connection, after_id, moment - NETWORK_KEPT)
        if last is None:
            break
        after_id = last
    return after_id


def drop_guesses(workshop: Workshop, moment: datetime) -> int:
    """Remove raw guesses that are older than they are kept, some at a time; how many."""
    removed = 0
    for _ in range(WINDOWS if workshop.guesses_kept_days else 0):
        with writing(workshop.engine) as connection:
            some = retention.drop(connection, moment - timedelta(days=workshop.guesses_kept_days))
        removed += some
        if some < retention.BATCH:
            break
    return removed


def write_backup(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    """Write the night's backup, and remove those that are too old."""
    place = Place(workshop.engine, workshop.checkpoints, workshop.data_dir)

    def told(what: str, count: int) -> None:
        hold.on_progress({"at": what, "rows": count})
        if hold.should_stop():
            raise Interrupted

    return step("back up", lambda: back_up_nightly(place, workshop.backups, workshop.backups_kept, now(), told))


ERRANDS = {
    "preview": preview,
    "fetch": fetch_upload,
    "promote": promote_generator,
    "remove": remove_archive,
    "backup": write_backup,
    "forget": forget_player,
    "bundle": take_in_bundle,
}


def _looked_into(path: Path, options: Mapping[str, Any], hold: Hold) -> dict[str, Any]:
    left_out: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    shown: list[dict[str, Any]] = []
    read = passed = naming = 0
    handles: Counter[str] = Counter()
    reading = (options.get("format", "auto"), options.get("split"), options.get("encoding_errors", "strict"))
    with open_archive(path, *reading) as at_hand:
        opened = at_hand.reading
        sieve = Sieve(options.get("handle") or None, passages=opened.unit == "passage")
        for record in islice(opened.records, LOOKED_AT):
            read += 1
            if read % 500 == 0 and hold.should_stop():
                raise Interrupted
            sifted = sieve.sift(record)
            if isinstance(sifted, str):
                left_out[sifted] += 1
                if len(examples.setdefault(sifted, [])) < 3:
                    examples[sifted].append(_as_shown(record.text)[:200])
                continue
            passed += 1
            if record.handle:
                handles[record.handle] += 1
            names = ThirdParties.but(options.get("handle") or record.handle).named_in(sifted.text)
            naming += names
            if len(shown) < SHOWN:
                row = {"text": sifted.text, "date": _as_shown(sifted.date or ""), "leaning": sifted.leaning}
                shown.append(row | {"naming": names})
        so_far, size = at_hand.place()
        ended = so_far >= size
        opened.check(read, left_out["no text"], ended=ended)
    return {
        "format": opened.format,
        "unit": opened.unit,
        "read": read,
        "passed": passed,
        "whole": read < LOOKED_AT,
        "left_out": dict(left_out.most_common()),
        "examples": examples,
        "shown": shown,
        "handle": next(iter(handles), None) if len(handles) == 1 else None,
        # A fifth of the tweets goes to the deck; those that lean on others are not dealt.
        "deck": round(passed * 0.2),
        "naming": naming,
        "deck_unnamed": round((passed - naming) * 0.2),
    }


def _as_shown(found: object) -> str:
    """What stands in a file, as a page can show it: half a character, which JSON can say, becomes a question mark."""
    return str(found).encode("utf-8", "replace").decode()
