"""Entries: an archive as it can be dealt now, made of what the database says, and made anew of what changed in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sqlalchemy import Connection

from app.db import sets, shelf
from app.db.archives import Archive
from app.db.session import now
from app.db.shelf import ArmRow, Shelved
from app.game.deck import Block, Deck
from app.game.opening import LONGEST, NO_OPENING, Opening, Short, prepare
from app.game.shelf import Arm, Rack, Shelf
from app.game.third_parties import ThirdParties
from app.web.naming import Naming

# A seat may be this many changes behind the shelf before it is moved on; in steps, so that it is not moved each time.
MEMORY = 1024
OPENING_SECONDS = 60.0  # so long the cards for a first round stay the same
SHORT_TWEETS = 64  # that may open a newcomer's game
WORDS_FROM = 5_000  # tweets whose words count as words

# For one archive: says why a text may not be dealt, or None.
Fault = Callable[[str], str | None]
Faults = Callable[[Archive], Fault]


@dataclass(frozen=True)
class Entry:
    """An archive as it can be dealt now.

    Attributes:
        edition: changes when cards were hidden or shown again; what was dealt before is then looked at anew.
        opening: cards for a newcomer's first round.
        hidden_tweets, hidden_samples: cards that are not shown, also in sets that were fixed before: an admin hid them,
            or they name somebody whom this archive's cards may not name.
        kept_tweets, kept_samples: cards of the latest dailies, which come up nowhere else.
    """

    archive: Archive
    deck: Deck
    shelf: Shelf
    edition: int
    opening: Opening = NO_OPENING
    hidden_tweets: frozenset[int] = frozenset()
    hidden_samples: frozenset[int] = frozenset()
    kept_tweets: frozenset[int] = frozenset()
    kept_samples: frozenset[int] = frozenset()

    def admits(self, invites: Collection[str]) -> bool:
        """Whether somebody who brings these invitations may play it."""
        return self.archive.invite is None or self.archive.invite in invites

    @cached_property
    def others(self) -> ThirdParties | None:
        """Whom cards may not name; None where they may name everybody."""
        return self.archive.others()

    def shows(self, text: str) -> bool:
        """Whether a card with this text may be shown: it names nobody who is to be left out."""
        return self.others is None or not self.others.named_in(text)

    @property
    def is_taught(self) -> bool:
        """Whether a network writes for it."""
        return any(arm.share > 0 for arm in self.shelf.arms)

    @cached_property
    def is_open(self) -> bool:
        """Whether there is anything to deal."""
        return not self.archive.paused and self.shelf.level() > 0 and self.deck.dealt(1) > 0


@dataclass(frozen=True)
class _Source:
    """What an entry was made from, so that only what changed is read again."""

    archive: Archive
    arms: Sequence[ArmRow]
    blocks: tuple[Block, ...]
    fault: Fault
    hidden_tweets: frozenset[int]
    hidden_samples: frozenset[int]
    samples: Mapping[int, Mapping[int, Shelved]]  # generator -> sample id -> sample
    edition: int
    naming: Naming


class Entries:
    """Makes entries, and remembers what each was made from, so that only what changed is read again."""

    def __init__(self, faults: Faults, include: Sequence[str]) -> None:
        """`include`: the leanings of tweets (reply, thread, cut) that are dealt although they lean on others."""
        self._faults = faults
        self._include = include
        self._sources: dict[int, _Source] = {}
        self._openings: dict[int, tuple[float, tuple[object, ...] | None, Opening]] = {}

    def next(self, connection: Connection, archive: Archive, arms: Sequence[ArmRow], known: Entry | None) -> Entry:
        """The archive's entry now; `known` itself, the entry before, where nothing changed.

        Args:
            connection: to the database.
            archive: as it stands.
            arms: what plays in it.
            known: its entry so far; None for an archive that is new.
        """
        before = self._sources.get(archive.id)
        if before is not None and known is not None and before.archive == archive and before.arms == arms:
            return known
        edition = known.edition if known is not None else 0
        if before is not None and _choice(before.archive) != _choice(archive):
            before, edition = None, edition + 1  # other cards may be dealt now: all of them are looked at anew
        source = self._source(connection, archive, arms, before, edition)
        deck = known.deck if known is not None and before is not None else None
        if deck is None or before is None or _deck_parts(before) != _deck_parts(source):
            deck = Deck(source.blocks, source.fault, source.hidden_tweets)
            deck.dealt(1)  # before anybody waits for it: where no card can be dealt, all of them are looked at
        self._sources[archive.id] = source
        kept_tweets, kept_samples = sets.kept(connection, archive.id, now())
        return Entry(
            archive,
            deck,
            _shelf(source),
            source.edition,
            opening=self._opening(connection, source, deck, kept_tweets, kept_samples),
            hidden_tweets=source.hidden_tweets,
            hidden_samples=source.hidden_samples,
            kept_tweets=kept_tweets,
            kept_samples=kept_samples,
        )

    def forget_all_but(self, ids: Collection[int]) -> None:
        """Forget archives that are gone: SQLite may give the number of one that was removed to another."""
        self._sources = {number: source for number, source in self._sources.items() if number in ids}
        self._openings = {number: opening for number, opening in self._openings.items() if number in ids}

    def _opening(
        self,
        connection: Connection,
        source: _Source,
        deck: Deck,
        kept_tweets: frozenset[int],
        kept_samples: frozenset[int],
    ) -> Opening:
        """The cards that may open: looked for once a minute, since a shelf changes with every few guesses."""
        arms = tuple(arm.generator_id for arm in source.arms if arm.share > 0)
        made_from = (source.edition, id(deck), arms, kept_tweets, kept_samples)
        at, known_from, opening = self._openings.get(source.archive.id, (0.0, None, NO_OPENING))
        if known_from != made_from or time.monotonic() - at > OPENING_SECONDS:
            at, opening = time.monotonic(), _opening(connection, source, deck, kept_tweets, kept_samples)
        on_shelf = {row.id for rows in source.samples.values() for row in rows.values() if row.retired_stamp is None}
        if not on_shelf.issuperset(sample.id for sample in opening.samples):
            left = tuple(sample for sample in opening.samples if sample.id in on_shelf)
            opening = replace(opening, samples=left)
        self._openings[source.archive.id] = (at, made_from, opening)
        return opening

    def _source(
        self,
        connection: Connection,
        archive: Archive,
        arms: Sequence[ArmRow],
        before: _Source | None,
        edition: int,
    ) -> _Source:
        old_blocks = before.blocks if before else ()
        include = self._include if archive.own.deck_include is None else archive.own.deck_include
        new_blocks = shelf.blocks(connection, archive.id, include, len(old_blocks))
        samples = {arm.generator_id: _samples(connection, archive, arm, before) for arm in arms}
        naming = before.naming if before else Naming.first(connection, archive)
        naming = naming.with_blocks(new_blocks).with_samples(samples)
        hidden_tweets = naming.tweets | shelf.hidden_tweets(connection, archive.id)
        hidden_samples = naming.samples | shelf.hidden_samples(connection, archive.id)
        source = _Source(
            archive=archive,
            arms=arms,
            blocks=(*old_blocks, *new_blocks),
            fault=before.fault if before else _unjudged,
            hidden_tweets=hidden_tweets,
            hidden_samples=hidden_samples,
            samples=samples,
            edition=edition,
            naming=naming,
        )
        alphabets = {arm.alphabet for arm in arms if arm.share > 0}
        if (
            before is None
            or before.archive.unit != archive.unit
            or alphabets != {arm.alphabet for arm in before.arms if arm.share > 0}
        ):
            source = replace(source, fault=_within(alphabets, self._faults(archive)))
        if before and (before.hidden_tweets, before.hidden_samples) != (hidden_tweets, hidden_samples):
            source = replace(source, edition=edition + 1)
        return source


def _choice(archive: Archive) -> tuple[object, ...]:
    """What an archive's own settings say about which cards may be dealt."""
    return archive.own.deck_include, archive.others()


def _unjudged(text: str) -> str | None:
    return "no generator"


def _within(alphabets: set[str], fault: Fault) -> Fault:
    """`fault`, and a card holds only characters that every generator at play can write: any other would tell."""
    common = frozenset.intersection(*map(frozenset, alphabets)) if alphabets else frozenset()

    def judge(text: str) -> str | None:
        return fault(text) if common.issuperset(text) else "alphabet"

    return judge


def _deck_parts(source: _Source) -> tuple[object, ...]:
    return len(source.blocks), id(source.fault), source.hidden_tweets


def _floor(stamp: int) -> int:
    return max(0, (stamp // MEMORY - 1) * MEMORY)


def _samples(connection: Connection, archive: Archive, arm: ArmRow, before: _Source | None) -> Mapping[int, Shelved]:
    floor = _floor(archive.stamp)
    known = before.samples.get(arm.generator_id) if before else None
    if known is None or before is None:
        return {sample.id: sample for sample in shelf.shelved(connection, archive.id, arm.generator_id, floor)}
    changed = shelf.shelved_since(connection, archive.id, arm.generator_id, before.archive.stamp)
    together = {**known, **{sample.id: sample for sample in changed}}
    return {
        sample.id: sample
        for sample in together.values()
        if sample.retired_stamp is None or sample.retired_stamp > floor
    }


def _opening(
    connection: Connection, source: _Source, deck: Deck, kept_tweets: frozenset[int], kept_samples: frozenset[int]
) -> Opening:
    counts = shelf.counts_of_short(connection, source.archive.id, LONGEST)
    short = [
        Short(row.id, row.text, arm.generator_id, arm.arm, *counts[row.id])
        for arm in source.arms
        if arm.share > 0
        for row in source.samples[arm.generator_id].values()
        if row.id in counts and row.retired_stamp is None and not {row.id} & (kept_samples | source.hidden_samples)
    ]
    tweets = [tweet for tweet in deck.short(LONGEST, SHORT_TWEETS) if tweet.id not in kept_tweets]
    return prepare(tweets, short, deck.words(WORDS_FROM))


def _shelf(source: _Source) -> Shelf:
    arms = []
    for arm in source.arms:
        rows = [row for row in source.samples[arm.generator_id].values() if row.id not in source.hidden_samples]
        rows.sort(key=lambda row: row.id)
        rack = Rack(
            [row.id for row in rows],
            [row.text for row in rows],
            [row.shelved_stamp for row in rows],
            [row.retired_stamp for row in rows],
            [row.read for row in rows],
        )
        arms.append(Arm(arm.arm, arm.generator_id, arm.share, rack))
    return Shelf(tuple(arms), source.archive.stamp, _floor(source.archive.stamp))
