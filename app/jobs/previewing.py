"""Previews: a file that was sent, or is fetched, is looked into before anything of it is kept."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from app.archives import ArchiveError
from app.archives.naming import handle_of
from app.archives.opening import Opened, open_archive
from app.archives.records import Record, handle_in
from app.archives.sift import NO_TEXT, Sieve, Tweet
from app.archives.splits import DECK_SHARE
from app.db import uploads
from app.db.imports import BATCH
from app.db.jobs import Job
from app.db.session import writing
from app.game.third_parties import ThirdParties
from app.jobs.fetching import fetch
from app.jobs.hold import Hold
from app.jobs.workshop import Interrupted, JobError, Steps, Workshop

LOOKED_AT = 20_000  # rows that a preview reads: enough to see what a file is
ASKED_EVERY = 500  # rows: whether somebody wants it to stop
SHOWN = 20  # tweets that a preview shows
EXAMPLES = 3  # of rows that are left out, for each reason


def preview(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    """Look into an uploaded file: its format, its first tweets, and what would be left out, why. Nothing is kept."""
    upload_id = int(job.arguments["upload"])

    def look() -> str:
        try:
            found = _looked_into(Path(job.arguments["path"]), job.arguments, hold)
        except ArchiveError as error:
            _note_failure(workshop, upload_id, str(error))
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
            _note_failure(workshop, upload_id, str(error))
            raise
        with writing(workshop.engine) as connection:
            is_wanted = uploads.note_arrival(connection, upload_id, size)
        if not is_wanted:  # the page that would throw it away has done so already
            shutil.rmtree(path.parent, ignore_errors=True)
            raise Interrupted
        return size

    step("fetch", bring)
    return preview(workshop, job, hold, step)


def _note_failure(workshop: Workshop, upload_id: int, why: str) -> None:
    with writing(workshop.engine) as connection:
        uploads.note_preview(connection, upload_id, "failed", {"trouble": why})


def _looked_into(path: Path, options: Mapping[str, Any], hold: Hold) -> dict[str, Any]:
    handle = handle_of(options["handle"]) if options.get("handle") else None
    how = (options.get("format", "auto"), options.get("split"), options.get("encoding_errors", "strict"))
    with open_archive(path, *how) as opened:
        sieve = Sieve(handle, passages=opened.reading.unit == "passage")
        look, records = _Look(handle, sieve), islice(opened.reading.records, LOOKED_AT)
        first = list(islice(records, BATCH))
        sieve.meet(first)
        for record in chain(first, records):
            look.at(record)
            if look.read % ASKED_EVERY == 0 and hold.should_stop():
                raise Interrupted
        return look.found(opened)


class _Look:
    """What the rows of a file that were looked at come to."""

    def __init__(self, handle: str | None, sieve: Sieve) -> None:
        self.read = 0
        self._handle = handle
        self._sieve = sieve
        self._passed = self._naming = 0
        self._left_out: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}
        self._shown: list[dict[str, Any]] = []
        self._handles: set[str] = set()

    def at(self, record: Record) -> None:
        """Count one row in."""
        self.read += 1
        sifted = self._sieve.sift(record)
        if isinstance(sifted, str):
            self._leave_out(record, sifted)
        else:
            self._pass(record, sifted)

    def _leave_out(self, record: Record, reason: str) -> None:
        self._left_out[reason] += 1
        examples = self._examples.setdefault(reason, [])
        if len(examples) < EXAMPLES:
            examples.append(_as_shown(record.text)[:200])

    def _pass(self, record: Record, tweet: Tweet) -> None:
        self._passed += 1
        poster = handle_in(self._sieve.poster(record))
        if poster:
            self._handles.add(poster)
        is_naming = ThirdParties.but(self._handle or poster).named_in(tweet.text)
        self._naming += is_naming
        if len(self._shown) < SHOWN:
            row = {"text": tweet.text, "date": _as_shown(tweet.date or ""), "leaning": tweet.leaning}
            self._shown.append(row | {"naming": is_naming})

    def found(self, opened: Opened) -> dict[str, Any]:
        """The preview as it is stored and shown.

        Raises:
            ArchiveError: the file cannot be used.
        """
        bytes_read, size = opened.place()
        opened.reading.check(self.read, self._left_out[NO_TEXT], ended=bytes_read >= size)
        return {
            "format": opened.reading.format,
            "unit": opened.reading.unit,
            "read": self.read,
            "passed": self._passed,
            "whole": self.read < LOOKED_AT,
            "left_out": dict(self._left_out.most_common()),
            "examples": self._examples,
            "shown": self._shown,
            "handle": next(iter(self._handles)) if len(self._handles) == 1 else None,
            # Of the deck, those that lean on others are not dealt.
            "deck": round(self._passed * DECK_SHARE),
            "naming": self._naming,
            "deck_unnamed": round((self._passed - self._naming) * DECK_SHARE),
        }


def _as_shown(found: object) -> str:
    """What stands in a file, as a page can show it: half a character, which JSON can say, becomes a question mark."""
    return str(found).encode("utf-8", "replace").decode()
