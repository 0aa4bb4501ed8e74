"""Discretion: no page tells anything of a card that its reader may still meet."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine

from app.db import classes, past, players, sets
from app.db.session import now, reading
from app.db.shelf import dealable, newest_stamp
from app.game.deck import Deck
from app.game.discretion import Pieces
from app.game.shelf import Shelf
from app.web.catalogue import Catalogue
from app.web.entries import Entry


@dataclass(frozen=True)
class _Known:
    """The pieces of an archive's cards, and what they were made from."""

    deck: Deck
    marks: tuple[int, ...]
    tweets: Pieces
    samples: Pieces


class Discretion:
    """Knows the pieces of all cards; made when somebody first asks, and again when cards came."""

    def __init__(self, engine: Engine, catalogue: Catalogue, round_life: timedelta) -> None:
        self._engine = engine
        self._catalogue = catalogue
        self._round_life = round_life
        self._known: dict[int, _Known] = {}
        self._lock = threading.Lock()

    def forbids(self, text: str, key: bytes) -> bool:
        """Whether `text` holds a piece of a card that the player with that key has not answered.

        Waits for the database: to be called in a thread.
        """
        entries = list(self._catalogue.entries.values())
        return any(self.forbids_in(entry, text, key) for entry in entries)

    def forbids_in(self, entry: Entry, text: str, key: bytes) -> bool:
        """The same for the cards of one archive."""
        known = self._of(entry)
        tweets, samples = known.tweets.shared_with(text), known.samples.shared_with(text)
        if not tweets and not samples:
            return False
        with reading(self._engine) as connection:
            met_tweets, met_samples = may_hear_of(connection, key, tweets, samples)
        return not (tweets <= met_tweets and samples <= met_samples)

    def _of(self, entry: Entry) -> _Known:
        with self._lock:
            known = self._known.get(entry.archive.id)
            with reading(self._engine) as connection:
                # Looked at anew with each life of a round, for what was hidden since may be told of by then.
                lives = int(now().timestamp() / self._round_life.total_seconds())
                marks = (lives, *_marks(connection, entry))
                # Samples that left the shelf may stay: a round that is still open may hold one.
                if known is not None and known.deck is entry.deck and known.marks == marks:
                    return known
                elsewhere = dealable(connection, entry.archive.id, hidden_since=now() - self._round_life)
            is_same_deck = known is not None and known.deck is entry.deck
            tweets = known.tweets if known is not None and is_same_deck else _deck_pieces(entry.deck)
            fresh = _Known(entry.deck, marks, tweets, _sample_pieces(entry.shelf, elsewhere))
            self._known[entry.archive.id] = fresh
            return fresh


def may_hear_of(
    connection: Connection, key: bytes, tweet_ids: Collection[int], sample_ids: Collection[int]
) -> tuple[set[int], set[int]]:
    """Which of these cards the player with that key has answered, and may be told about: while a round of their class
    is open, none."""
    player = players.find(connection, key)
    if player is not None and classes.is_asking(connection, player.id, now()):
        return set(), set()
    return past.answered(connection, key, tweet_ids, sample_ids)


def _marks(connection: Connection, entry: Entry) -> tuple[int, ...]:
    """What changes whenever a sample comes that was not there: on the shelf, off it, shown again, or in a new set."""
    archive_id = entry.archive.id
    on_shelf = max((max(arm.rack.ids, default=0) for arm in entry.shelf.arms), default=0)
    return on_shelf, entry.edition, newest_stamp(connection, archive_id), sets.newest(connection, archive_id)


def _deck_pieces(deck: Deck) -> Pieces:
    return Pieces(
        (int(block.ids[place]), block.texts[place])
        for block in deck.blocks
        for place in range(len(block.ids))
        if block.ids[place]
    )


def _sample_pieces(shelf: Shelf, elsewhere: Mapping[int, str]) -> Pieces:
    """Of the samples on the shelf, and of those that practice and fixed sets still deal."""
    texts = dict(elsewhere)
    for arm in shelf.arms:
        texts |= {sample_id: arm.rack.texts[place] for place, sample_id in enumerate(arm.rack.ids)}
    return Pieces(texts.items())
