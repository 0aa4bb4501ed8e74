"""The catalogue: every archive's deck and shelf in memory, kept fresh in the background so that dealing never waits."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence

import structlog
from sqlalchemy import Engine

from app.db import archives, shelf
from app.db.damage import reason
from app.db.session import reading
from app.game.sets import FixedSet
from app.web import metrics
from app.web.entries import Entries, Entry, Faults

POLL_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Catalogue:
    """Entries by slug; `refresh` replaces them whole, so that readers never see half a change."""

    def __init__(self, engine: Engine, faults: Faults, include: Sequence[str]) -> None:
        """`faults` and `include` say which cards may be dealt; see `Entries`."""
        self._engine = engine
        self._made = Entries(faults, include)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.entries: Mapping[str, Entry] = {}
        self.is_loaded = False

    def find(self, slug: str | None, invites: Collection[str] = ()) -> Entry | None:
        """The entry with that slug; without one, the entry that a newcomer plays: a real archive before the demo.

        One that is entered by an invitation is there for those alone whose `invites` hold it.
        """
        if slug is None:
            return next(iter(self.ranked(invites)), None)
        entry = self.entries.get(slug)
        return entry if entry is not None and entry.admits(invites) else None

    def ranked(self, invites: Collection[str] = ()) -> list[Entry]:
        """All entries that are open to these `invites`: what can be dealt before what cannot, real archives before the
        demo, the oldest first."""
        return sorted(
            (entry for entry in self.entries.values() if entry.admits(invites)),
            key=lambda entry: (not entry.is_open, entry.archive.is_demo, entry.archive.id),
        )

    def invited(self, invite: str) -> Entry | None:
        """The entry that an invitation leads to."""
        return next((entry for entry in self.entries.values() if entry.archive.invite == invite), None)

    def by_id(self, archive_id: int) -> Entry | None:
        """The entry of an archive."""
        return next((entry for entry in self.entries.values() if entry.archive.id == archive_id), None)

    def home_of(self, fixed: FixedSet) -> Entry | None:
        """The entry of the archive that a set is of; a younger one has only its number, which was free again."""
        entry = self.by_id(fixed.archive_id)
        is_younger = entry is not None and fixed.made_at is not None and entry.archive.created_at > fixed.made_at
        return None if is_younger else entry

    def start(self) -> None:
        """Load everything, then look for changes once a second until `stop`.

        It returns when the first look is done: whoever asks a server that listens gets a round.
        """
        self._look()
        self._thread = threading.Thread(target=self._run, name="catalogue", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the looking."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            self._look()

    def _look(self) -> None:
        try:
            self.refresh()
        except Exception as error:  # the thread is the only one that looks: nothing may end it
            # Play goes on from what is in memory; guesses will say that the database is away.
            log.warning("catalogue not refreshed", reason=reason(error))

    def refresh(self) -> None:
        """Read what changed since the last time."""
        with self._lock:
            with reading(self._engine) as connection:
                arms = shelf.arms_at_play(connection)
                found = archives.listing(connection)
                entries = {}
                for archive in found:
                    own = [arm for arm in arms if arm.archive_id == archive.id]
                    entries[archive.slug] = self._made.next(connection, archive, own, self.entries.get(archive.slug))
            self._made.forget_all_but({archive.id for archive in found})
            for slug in self.entries.keys() - entries.keys():
                metrics.shelf.remove(slug)  # a shelf that is gone is neither low nor empty
            self.entries = entries
            for slug, entry in entries.items():
                metrics.shelf.labels(slug).set(entry.shelf.level())
            self.is_loaded = True
