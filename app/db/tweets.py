"""Tweets: what imports write, and what training and dealing read. Readers see those of imports that are done."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, insert, select

from app.db.tables import imports, tweets
from model.text import TEXT_VERSION

SPLITS = ("train", "validation", "deck")

_PAGE = 1000  # rows fetched at once when reading many


class NewTweet(NamedTuple):
    """A tweet on its way into the table; what each column means stands there."""

    source_key: str
    source_id: str | None
    text: str
    split: str
    leaning: str | None
    deck_seq: int | None
    posted_at: datetime | None
    zone: str | None


@dataclass(frozen=True, slots=True)
class DeckCard:
    """A tweet as the dealer keeps it in memory."""

    id: int
    deck_seq: int
    text: str
    leaning: str | None
    hidden: bool


@dataclass(frozen=True, slots=True)
class StoredTweet:
    """A tweet as a later import compares with it."""

    id: int
    text: str
    split: str


def add(connection: Connection, archive_id: int, import_id: int, batch: Sequence[NewTweet]) -> None:
    """Write a batch of at most `imports.BATCH` tweets."""
    common = {"archive_id": archive_id, "import_id": import_id, "text_version": TEXT_VERSION}
    rows = [tweet._asdict() | common | {"length": len(tweet.text)} for tweet in batch]
    if rows:
        connection.execute(insert(tweets), rows)


def known(connection: Connection, archive_id: int, source_keys: Collection[str]) -> dict[str, int]:
    """Which of these keys the archive holds, each with the import that wrote it (done or not)."""
    query = select(tweets.c.source_key, tweets.c.import_id).where(
        tweets.c.archive_id == archive_id, tweets.c.source_key.in_(source_keys)
    )
    return {key: import_id for key, import_id in connection.execute(query)}


def texts(connection: Connection, archive_id: int, split: str) -> Iterator[str]:
    """The texts of a split in id order, streamed."""
    query = _visible(connection, select(tweets.c.text), archive_id).where(tweets.c.split == split).order_by(tweets.c.id)
    yield from connection.scalars(query, execution_options={"yield_per": _PAGE})


def stored(connection: Connection, archive_id: int, after_id: int, limit: int = _PAGE) -> list[StoredTweet]:
    """The next tweets after `after_id` in id order."""
    query = _visible(connection, select(tweets.c.id, tweets.c.text, tweets.c.split), archive_id)
    # By the primary key alone: an index on the archive would make each page sort all of them.
    page = query.where(tweets.c.id > after_id).order_by(tweets.c.id).limit(limit)
    return [StoredTweet(*row) for row in connection.execute(page)]


def counts(connection: Connection, archive_id: int) -> dict[str, int]:
    """How many tweets each split holds."""
    by_split = select(tweets.c.split, func.count()).where(tweets.c.archive_id == archive_id).group_by(tweets.c.split)
    found = dict.fromkeys(SPLITS, 0) | {split: count for split, count in connection.execute(by_split)}
    # Counted from the index alone, which knows nothing of imports; the few that are not done are taken off again.
    for import_id in _not_done(connection, archive_id):
        for split, count in connection.execute(by_split.where(tweets.c.import_id == import_id)):
            found[split] -= count
    return found


def deck_cards(connection: Connection, archive_id: int, after_seq: int = -1) -> list[DeckCard]:
    """The cards of the archive's deck behind the place `after_seq`, in the order of the deck."""
    column = tweets.c
    query = select(column.id, column.deck_seq, column.text, column.leaning, column.hidden_at.is_not(None))
    behind = _visible(connection, query, archive_id).where(column.deck_seq > after_seq).order_by(column.deck_seq)
    return [DeckCard(*row) for row in connection.execute(behind)]


def deck_blocks(connection: Connection, archive_id: int) -> list[tuple[int, int]]:
    """The runs [from, to) of places in the deck that one import each filled, in the order of the deck."""
    query = (
        select(imports.c.deck_from, imports.c.deck_to)
        .where(imports.c.archive_id == archive_id, imports.c.state == "done", imports.c.deck_from < imports.c.deck_to)
        .order_by(imports.c.deck_from)
    )
    return [(start, end) for start, end in connection.execute(query)]


def _visible(connection: Connection, query: Select[Any], archive_id: int) -> Select[Any]:
    """`query` over the archive's tweets whose import is done.

    Named the other way round, by the imports that are not, it leaves the choice of index to the rest of the query.
    """
    query = query.where(tweets.c.archive_id == archive_id)
    hidden = _not_done(connection, archive_id)
    return query.where(tweets.c.import_id.not_in(hidden)) if hidden else query


def _not_done(connection: Connection, archive_id: int) -> list[int]:
    return list(
        connection.scalars(select(imports.c.id).where(imports.c.archive_id == archive_id, imports.c.state == "running"))
    )
