"""Imports: a file of tweets becomes part of an archive, all of it at once or not at all.

Rows go in by small transactions that nobody sees until one last flip, so that play goes on meanwhile and a killed
import leaves nothing to be seen; the next import of the archive sweeps up what it left.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine

from app.archives import ArchiveError, ImportStoppedError
from app.archives.dates import Order, order_in, posted
from app.archives.formats import PASSAGE, TWEET, Reading
from app.archives.naming import handle_of, name_of, slug_of
from app.archives.opening import open_archive
from app.archives.records import Record, handle_in
from app.archives.sift import ALREADY_THERE, DUPLICATE, NO_TEXT, OTHER_ACCOUNT, REASONS, Sieve, Tweet
from app.archives.source import EXPECTED
from app.archives.splits import DECK, SPLITS, split_of
from app.archives.twins import Twins
from app.db import archives, imports, tweets
from app.db.archives import Archive
from app.db.imports import BATCH, Outcome
from app.db.locks import alone
from app.db.session import now, reading, writing

LONGEST_BEGINNING = 60  # characters of a text that a message shows


@dataclass(frozen=True)
class Progress:
    """How far an import is."""

    bytes_read: int
    bytes_total: int
    read: int  # rows
    added: int  # tweets


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    slug: str
    format: str
    unit: str  # tweet or passage
    read: int  # rows of the file
    added: int  # tweets that are now in the archive
    left_out: dict[str, int]  # reason -> rows, in the order in which the reasons are tried
    splits: dict[str, int]  # split -> tweets added
    leanings: dict[str, int]  # reply, thread, cut -> tweets added
    handle: str | None
    seconds: float
    note: str | None = None  # what somebody should know who meant another file


def import_archive(
    engine: Engine,
    path: Path,
    *,
    slug: str,
    name: str | None = None,
    handle: str | None = None,
    format: str = "auto",
    split: str | None = None,
    encoding_errors: str = "strict",
    basis: str | None = None,
    is_demo: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    should_stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], datetime] = now,
) -> Imported:
    """Add the tweets in the file at `path` to the archive `slug`, which is made if there is none.

    Args:
        engine: the database, at the newest schema.
        path: the file.
        slug: the archive; made lower case, with hyphens for what a slug cannot hold.
        name: what pages call the archive; None leaves the name it has, and calls a new one by `slug` as typed.
        handle: the account, with or without @; None takes the archive's, or what the rows agree on, if they do.
        format: auto, or one of `app.archives.records.FORMATS`.
        split: line or paragraph: the file is plain text, one passage each.
        encoding_errors: one of `app.archives.source.ENCODING_ERRORS`: what becomes of bytes that are no text.
        basis: by what right it is played, one of `app.db.archives.BASES`; None leaves it as it is. A private person's
            archive is behind its invitation from the moment in which it is there.
        is_demo: mark a new archive as the demo.
        on_progress: called after each batch.
        should_stop: asked before each batch; True ends the import, and nothing of it is left.
        clock: tells the time.

    Raises:
        ArchiveError: the file or a name cannot be used, or another import of the archive is at work; nothing changed.
        ImportStoppedError: `should_stop` said so; nothing changed.
    """
    typed, slug = slug.strip(), slug_of(slug)
    name, typed = name_of(name or "") or None, name_of(typed)
    handle = handle_of(handle) if handle else None
    with open_archive(path, format, split, encoding_errors) as opened, alone(engine, f"import-{slug}") as held:
        if not held:
            raise ArchiveError(f"another import of the archive {slug} is at work: wait until it is done")
        run = _Run(engine, opened.reading, slug, handle, clock)
        try:
            run.begin(name or typed, is_demo)
            run.take_all(opened.place, on_progress, should_stop)
            return run.finish(name, basis)
        except BaseException as error:
            run.undo()
            if isinstance(error, sqlite3.Error):
                raise ArchiveError(
                    f"cannot keep temporary data ({error}): make room, or name a roomier folder with SQLITE_TMPDIR"
                ) from None
            raise


@dataclass
class _Run:
    """One import at work."""

    engine: Engine
    opened: Reading
    slug: str
    handle: str | None
    clock: Callable[[], datetime]
    archive_id: int | None = None
    import_id: int | None = None
    known_handle: str | None = None  # the archive's, before this import
    unit: str = TWEET
    deck_from: int = 0
    deck_to: int = 0
    read: int = 0
    added: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    leanings: Counter[str] = field(default_factory=Counter)
    first: str | None = None  # the text of the first row
    order: Order = "month first"  # of numbers in dates, as the first batch proves
    handles: dict[str, str] = field(default_factory=dict)  # lower case -> as written; two are enough to know

    def begin(self, name: str, is_demo: bool) -> None:
        """Sweep up after imports that were killed, and open this one."""
        self.started = time.monotonic()
        at = self.clock()
        with reading(self.engine) as connection:
            there = archives.find(connection, self.slug)
            if archives.is_deleted(connection, self.slug):
                raise ArchiveError(
                    f"the archive {self.slug} was deleted, and its name is not free yet: "
                    "restore it, or choose another name"
                )
        self.unit = self._unit(there)
        self.known_handle = there.handle if there else None
        self.sieve = Sieve(self.handle or self.known_handle, passages=self.unit == PASSAGE)
        with writing(self.engine) as connection:
            self.archive_id = archives.hold_place(
                connection, self.slug, name=name, handle=self.handle, unit=self.unit, is_demo=is_demo, at=at
            )
            left_behind = imports.abandoned(connection, self.archive_id)
        for import_id in left_behind:
            self._remove(import_id)
        with writing(self.engine) as connection:
            # The name of a file is bytes, and not always a text.
            source = self.opened.name.encode("utf-8", "replace").decode()
            self.import_id = imports.begin(connection, self.archive_id, source=source, format=self.opened.format, at=at)
            self.deck_from = self.deck_to = imports.deck_end(connection, self.archive_id)

    def _unit(self, there: Archive | None) -> str:
        if there is None:
            return self.opened.unit
        if there.unit == TWEET and self.opened.unit == PASSAGE and not self.opened.asked:
            raise ArchiveError(
                f"{self.opened.name} looks like plain text, but {self.slug} is an archive of tweets: expected "
                "JSON, CSV or tweets.js; if each of its lines is a tweet, say --split line"
            )
        return there.unit

    def take_all(
        self,
        place: Callable[[], tuple[int, int]],
        on_progress: Callable[[Progress], None],
        should_stop: Callable[[], bool],
    ) -> None:
        """Sift, place and write all records, a batch at a time."""
        with closing(Twins()) as twins:
            self._remember_stored(twins, should_stop)
            while batch := list(islice(self.opened.records, BATCH)):
                if should_stop():
                    raise ImportStoppedError("the import was stopped; nothing was imported")
                self._take(batch, twins)
                self.opened.check(self.read, self.left_out[NO_TEXT], ended=False)
                on_progress(Progress(*place(), self.read, self.added))

    def finish(self, name: str | None, basis: str | None) -> Imported:
        """The flip: what was written is there."""
        self.opened.check(self.read, self.left_out[NO_TEXT], ended=True)
        left_out = {reason: self.left_out[reason] for reason in REASONS if self.left_out[reason]}
        with writing(self.engine) as connection:
            there = archives.find(connection, self.slug)
            if there is None and self.read == 1 and self._is_taken_for_text:
                raise ArchiveError(
                    f"{self.opened.name} holds one line of plain text, {_beginning(self.first)}: expected tweets in "
                    f"{EXPECTED}; if it is a passage all the same, say --split line"
                )
            if there is None and not self.added:
                counts = ", ".join(f"{reason} {rows:,}" for reason, rows in left_out.items())
                raise ArchiveError(
                    f"no row of {self.opened.name} can be used: read {self.read:,}, left out {counts}; "
                    "expected tweets of the account itself"
                )
            # What rows say does not overrule what is known.
            handle = self.handle or (there and there.handle) or self._agreed_handle()
            archives.describe(connection, self._archive, name=name, handle=handle)
            if basis is not None:
                archives.note_basis(connection, self.slug, basis)
            outcome = Outcome(self.read, self.added, left_out, self.deck_from, self.deck_to)
            imports.finish(connection, self._import, outcome, self.clock())
        return Imported(
            slug=self.slug,
            format=self.opened.format,
            unit=self.unit,
            read=self.read,
            added=self.added,
            left_out=left_out,
            splits={split: self.splits[split] for split in SPLITS},
            leanings=dict(sorted(self.leanings.items())),
            handle=handle,
            seconds=time.monotonic() - self.started,
            note=self._note(),
        )

    def undo(self) -> None:
        """Leave nothing of this import behind."""
        if self.import_id is not None:
            self._remove(self.import_id)
        if self.archive_id is not None:
            with writing(self.engine) as connection:
                archives.give_up_place(connection, self.archive_id)

    @property
    def _archive(self) -> int:
        return _known(self.archive_id)

    @property
    def _import(self) -> int:
        return _known(self.import_id)

    def _remove(self, import_id: int) -> None:
        removed = 1
        while removed:
            with writing(self.engine) as connection:
                removed = imports.remove_batch(connection, import_id)
        with writing(self.engine) as connection:
            imports.fail(connection, import_id, self.clock())

    def _remember_stored(self, twins: Twins, should_stop: Callable[[], bool]) -> None:
        """Read what the archive holds: later tweets are compared with it."""
        last = 0
        while True:
            with reading(self.engine) as connection:
                page = tweets.stored(connection, self._archive, last, BATCH)
            if not page:
                return
            if should_stop():
                raise ImportStoppedError("the import was stopped; nothing was imported")
            twins.remember([(tweet.text, tweet.split) for tweet in page])
            last = page[-1].id

    def _take(self, batch: list[Record], twins: Twins) -> None:
        if self.read == 0:
            self.first = batch[0].text
            self.order = order_in(record.date for record in batch)
            self.sieve.meet(batch)
        self.read += len(batch)
        passed: list[Tweet] = []
        for record in batch:
            sifted = self.sieve.sift(record)
            if isinstance(sifted, str):
                self.left_out[sifted] += 1
                continue
            passed.append(sifted)
            poster = handle_in(self.sieve.poster(record))
            if poster and len(self.handles) < 2:
                self.handles.setdefault(poster.lower(), poster)
        new = self._without_known(passed)
        verdicts = twins.place([(tweet.text, split_of(tweet.id or tweet.text)) for tweet in new])
        latest = self.clock()
        rows = []
        for tweet, verdict in zip(new, verdicts, strict=True):
            if verdict in SPLITS:
                rows.append(self._row(tweet, verdict, latest))
            else:
                self.left_out[verdict] += 1
        with writing(self.engine) as connection:
            tweets.add(connection, self._archive, self._import, rows)
        self.added += len(rows)

    def _without_known(self, passed: list[Tweet]) -> list[Tweet]:
        """Those whose key the archive does not hold, each key once."""
        with reading(self.engine) as connection:
            known = tweets.known(connection, self._archive, {tweet.key for tweet in passed})
        new = []
        for tweet in passed:
            if tweet.key in known:
                own = known[tweet.key] == self._import
                self.left_out[DUPLICATE if own else ALREADY_THERE] += 1
                continue
            known[tweet.key] = self._import
            new.append(tweet)
        return new

    def _row(self, tweet: Tweet, split: str, latest: datetime) -> tweets.NewTweet:
        moment, zone = posted(tweet.date, tweet.id, latest, self.order)
        seq = None
        if split == DECK:
            seq = self.deck_to
            self.deck_to += 1
        self.splits[split] += 1
        if tweet.leaning:
            self.leanings[tweet.leaning] += 1
        return tweets.NewTweet(tweet.key, tweet.id, tweet.text, split, tweet.leaning, seq, moment, zone)

    @property
    def _is_taken_for_text(self) -> bool:
        """Whether the file was read as plain text because it looked like nothing else."""
        return self.opened.unit == PASSAGE and not self.opened.asked

    def _note(self) -> str | None:
        if len(self.handles) > 1:
            first, second = self.handles.values()
            return (
                f"{self.opened.name} holds rows of several accounts, @{first} and @{second} among them, and all were "
                "taken for one: to have those of one alone, import it under another name with --handle"
            )
        if not self.handle and self.known_handle and (others := self.left_out[OTHER_ACCOUNT]):
            return (
                f"{others:,} rows of {self.opened.name} are of other accounts than @{self.known_handle}, whose archive "
                f"{self.slug} is: if they are the account's own, by another handle, say --handle"
            )
        if not self._is_taken_for_text:
            return None
        return (
            f"{self.opened.name} was read as plain text, of which {_beginning(self.first)} is the first passage: "
            "no table, JSON or export was found in it"
        )

    def _agreed_handle(self) -> str | None:
        return next(iter(self.handles.values())) if len(self.handles) == 1 else None


def _beginning(text: str | None) -> str:
    """The beginning of a text between quotation marks, on one line."""
    words = " ".join((text or "").split())
    return repr(words if len(words) <= LONGEST_BEGINNING else f"{words[:LONGEST_BEGINNING]}…")


def _known(number: int | None) -> int:
    if number is None:
        raise RuntimeError("the import has not begun")
    return number
