"""Discretion: no page tells anything of a card that its reader may still meet."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from app.db import past, sets
from app.db.session import reading
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

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        self._engine = engine
        self._catalogue = catalogue
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
            met_tweets, met_samples = past.answered(connection, key, tweets, samples)
        return not (tweets <= met_tweets and samples <= met_samples)

    def _of(self, entry: Entry) -> _Known:
        with self._lock:
            known = self._known.get(entry.archive.id)
            with reading(self._engine) as connection:
                marks = _marks(connection, entry)
                # Samples that left the shelf may stay: a round that is still open may hold one.
                if known is not None and known.deck is entry.deck and known.marks == marks:
                    return known
                elsewhere = dealable(connection, entry.archive.id)
            is_same_deck = known is not None and known.deck is entry.deck
            tweets = known.tweets if known is not None and is_same_deck else _deck_pieces(entry.deck)
            fresh = _Known(entry.deck, marks, tweets, _sample_pieces(entry.shelf, elsewhere))
            self._known[entry.archive.id] = fresh
            return fresh


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
