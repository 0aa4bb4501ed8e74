"""Which cards of an archive name third parties: found as they are read, where such cards stay out of its game."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from sqlalchemy import Connection

from app.db import shelf
from app.db.archives import Archive
from app.db.shelf import Shelved
from app.game.deck import Block
from app.game.third_parties import ThirdParties


@dataclass(frozen=True)
class Naming:
    """The cards that name somebody, of those that were looked at.

    Attributes:
        others: whom cards may not name; None: everybody may be named, and nothing is looked at.
        tweets, samples: the ids of cards that do.
        judged: samples that were looked at.
    """

    others: ThirdParties | None
    tweets: frozenset[int] = frozenset()
    samples: frozenset[int] = frozenset()
    judged: frozenset[int] = frozenset()

    @classmethod
    def first(cls, connection: Connection, archive: Archive) -> Self:
        """A first look, at what somebody may meet though it left the shelf: in practice, or in a set."""
        others = archive.others()
        if others is None:
            return cls(None)
        found = shelf.dealable(connection, archive.id)
        naming = frozenset(number for number, text in found.items() if others.named_in(text))
        return cls(others, samples=naming, judged=frozenset(found))

    def with_blocks(self, blocks: Iterable[Block]) -> Self:
        """The same with these blocks of the deck looked at."""
        if self.others is None:
            return self
        new = (
            number
            for block in blocks
            for index, number in enumerate(block.ids.tolist())
            if number and self.others.named_in(block.texts[index])
        )
        return replace(self, tweets=self.tweets.union(new))

    def with_samples(self, racks: Mapping[int, Mapping[int, Shelved]]) -> Self:
        """The same with those of these samples (generator -> id -> sample) looked at that were not."""
        if self.others is None:
            return self
        new = [row for rows in racks.values() for row in rows.values() if row.id not in self.judged]
        if not new:
            return self
        return replace(
            self,
            samples=self.samples.union(row.id for row in new if self.others.named_in(row.text)),
            judged=self.judged.union(row.id for row in new),
        )
