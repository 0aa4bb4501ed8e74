"""Browsing: pages of samples and tweets as the dashboard shows them, and taking a card out of play or back in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, Table, and_, or_, select, update

from app.db.samples import next_stamp, on_shelf
from app.db.tables import generators, samples, tweets
from app.game.scoring import SHOWN_FROM

Kind = Literal["sample", "tweet"]
STATUSES = ("on the shelf", "retired", "hidden", "not shelved")
ORDERS = ("newest", "fools most", "fools least", "most guesses")
_TABLES: dict[str, Table] = {"sample": samples, "tweet": tweets}


@dataclass(frozen=True)
class Wanted:
    """Which samples or tweets to show."""

    archive_id: int
    generator_id: int | None = None
    status: str = ""
    words: str = ""
    order: str = "newest"
    before_id: int | None = None  # those behind the card with this id, in that order
    limit: int = 50


def sample_page(connection: Connection, wanted: Wanted) -> list[Row[Any]]:
    """Samples with the number of their generator."""
    query = select(samples, generators.c.number).join(generators, generators.c.id == samples.c.generator_id)
    if wanted.generator_id is not None:  # it is of that archive; told both, SQLite looks through the whole archive
        query = query.where(samples.c.generator_id == wanted.generator_id)
    else:
        query = query.where(samples.c.archive_id == wanted.archive_id)
    statuses = {
        "on the shelf": on_shelf(),
        "retired": samples.c.retired_stamp.is_not(None),
        "hidden": samples.c.hidden_at.is_not(None),
        "not shelved": samples.c.shelved_stamp.is_(None),
    }
    if wanted.status in statuses:
        query = query.where(statuses[wanted.status])
    rate = samples.c.fooled * 1.0 / samples.c.guesses
    keys = {"fools most": -rate, "fools least": rate, "most guesses": -samples.c.guesses}
    key = keys.get(wanted.order)
    if key is not None:
        query = query.where(samples.c.guesses >= SHOWN_FROM)
    return list(connection.execute(_paged(query, samples, wanted, key)))


def tweet_page(connection: Connection, wanted: Wanted) -> list[Row[Any]]:
    """Tweets of the deck."""
    query = select(tweets).where(tweets.c.archive_id == wanted.archive_id, tweets.c.split == "deck")
    if wanted.status == "hidden":
        query = query.where(tweets.c.hidden_at.is_not(None))
    return list(connection.execute(_paged(query, tweets, wanted)))


def find(connection: Connection, kind: Kind, card_id: int) -> Row[Any] | None:
    """The sample or tweet with that id."""
    table = _TABLES[kind]
    return connection.execute(select(table).where(table.c.id == card_id)).first()


def hide(
    connection: Connection, kind: Kind, archive_id: int, ids: Sequence[int], at: datetime | None, reason: str = ""
) -> int:
    """Take cards out of play at once, or with None back in; how many that changed."""
    table = _TABLES[kind]
    values: dict[str, Any] = {"hidden_at": at}
    if kind == "sample":
        values["hidden_reason"] = reason[:64] or None
    # The samples first and the archive second, as guesses take them.
    changed = connection.execute(
        update(table).where(table.c.id.in_(ids), table.c.archive_id == archive_id).values(values)
    ).rowcount
    next_stamp(connection, archive_id)
    return changed


def in_play(
    connection: Connection, archive_id: int, begins: Collection[str]
) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Samples on the shelf and tweets of the deck that may hold a folded word out of `begins`: ids and texts.

    A text of plain characters holds such a word as it stands; what else there is, folding may turn into it, so all of
    that comes too. The database looks through a large deck in a tenth of the time that reading it takes.
    """
    shelf = select(samples.c.id, samples.c.text).where(samples.c.archive_id == archive_id, on_shelf())
    deck = select(tweets.c.id, tweets.c.text).where(
        tweets.c.archive_id == archive_id, tweets.c.split == "deck", tweets.c.hidden_at.is_(None)
    )
    name = connection.dialect.name
    some, others = (
        [(i, t) for i, t in connection.execute(query.where(_may_hold(table.c.text, begins, name)))]
        for query, table in ((shelf, samples), (deck, tweets))
    )
    return some, others


def _may_hold(text: Column[str], begins: Collection[str], dialect: str) -> ColumnElement[bool]:
    strange = text.op("GLOB")("*[^ -~]*") if dialect == "sqlite" else text.op("~")("[^ -~]")
    # Folding leaves apostrophes out: "don't" becomes one word.
    marks = [text.contains(mark) for mark in ("'", "`")]
    return or_(strange, *marks, *(text.icontains(word, autoescape=True) for word in begins))


def _paged(query: Select[Any], table: Table, wanted: Wanted, key: ColumnElement[Any] | None = None) -> Select[Any]:
    """A page of the query: by the key, the smallest first, and among equals the newest first."""
    if wanted.before_id is not None:
        behind = table.c.id < wanted.before_id
        if key is not None:
            its = select(key).where(table.c.id == wanted.before_id).correlate(None).scalar_subquery()
            behind = or_(key > its, and_(key == its, behind))
        query = query.where(behind)
    if wanted.words:
        query = query.where(table.c.text.icontains(wanted.words, autoescape=True))
    return query.order_by(*(() if key is None else (key,)), table.c.id.desc()).limit(wanted.limit)
