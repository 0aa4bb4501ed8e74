"""Browsing: pages of samples and tweets as the dashboard shows them, and taking a card out of play or back in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    func,
    literal_column,
    or_,
    select,
    update,
)

from app.db.samples import next_stamp, on_shelf
from app.db.tables import generators, guesses, remarks, samples, tweets
from app.game.scoring import SHOWN_FROM

Kind = Literal["sample", "tweet"]
STATUSES = ("on the shelf", "retired", "hidden", "not shelved", "reported")
FEW = ("on the shelf", "hidden", "not shelved", "reported")  # of all samples
ORDERS = ("newest", "fools most", "fools least", "most guesses")
LOOK = 2_000  # cards in play that one look for words goes through: it answers in time however large the deck
_TABLES: dict[str, Table] = {"sample": samples, "tweet": tweets}
# Written out, as the indexes have it: one of some rows serves only a condition that is the same, word for word.
_IS_RATED: ColumnElement[bool] = literal_column("samples.guesses >= 5")
_RATE: ColumnElement[float] = literal_column("CAST(samples.fooled AS FLOAT) / NULLIF(samples.guesses, 0)")
_GUESSES: ColumnElement[int] = literal_column("samples.guesses + 0")


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
    least: float | None = None  # fool rate, of samples with enough guesses
    most: float | None = None


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
        "reported": samples.c.id.in_(_reported()),
    }
    if wanted.status in statuses:
        query = query.where(statuses[wanted.status])
    if wanted.least is not None or wanted.most is not None:
        most = 1.0 if wanted.most is None else wanted.most
        query = query.where(_IS_RATED, _RATE.between(wanted.least or 0.0, most))
    orders: dict[str, tuple[ColumnElement[Any], bool]] = {
        "fools most": (_RATE, True),
        "fools least": (_RATE, False),
        "most guesses": (_GUESSES, True),
    }
    order = orders.get(wanted.order)
    if order is not None and wanted.status in FEW:
        # Its own index finds those, and they are soon sorted; that of the order would be walked from end to end.
        query, order = query.where(samples.c.guesses + 0 >= SHOWN_FROM), (order[0] + 0, order[1])
    elif order is not None:
        query = query.where(_IS_RATED)
    return list(connection.execute(_paged(query, samples, wanted, order)))


def _reported() -> Select[int]:
    """The samples of which a player's report waits to be read."""
    waits = (remarks.c.report.is_not(None), remarks.c.settled_at.is_(None), remarks.c.report != "")
    return select(guesses.c.sample_id).join(remarks, remarks.c.guess_id == guesses.c.id).where(*waits)


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


@dataclass(frozen=True)
class Look:
    """Some of the cards in play: ids and texts of those that may hold a word, how many were looked through, and before
    which card the next look begins (None: there are no more)."""

    cards: list[tuple[int, str]]
    through: int
    before_id: int | None


def look(
    connection: Connection, kind: Kind, archive_id: int, begins: Collection[str], before_id: int | None = None
) -> Look:
    """Go through up to 2,000 samples on the shelf, or tweets of the deck, for folded words out of `begins`.

    A text of plain characters holds such a word as it stands; what else there is, folding may turn into it, so all of
    that comes too. The newest come first: those before the card `before_id`, where one is named.
    """
    table = _TABLES[kind]
    query = select(table.c.id, table.c.text).where(table.c.archive_id == archive_id)
    query = query.where(
        *((on_shelf(),) if kind == "sample" else (tweets.c.split == "deck", tweets.c.hidden_at.is_(None)))
    )
    if before_id is not None:
        query = query.where(table.c.id < before_id)
    some = query.order_by(table.c.id.desc()).limit(LOOK).subquery()
    through, last = connection.execute(select(func.count(), func.min(some.c.id))).one()
    may_hold = select(some.c.id, some.c.text).where(_may_hold(some.c.text, begins, connection.dialect.name))
    cards = [(card, text) for card, text in connection.execute(may_hold)]
    return Look(cards, through, last if through == LOOK else None)


def _may_hold(text: ColumnElement[str], begins: Collection[str], dialect: str) -> ColumnElement[bool]:
    strange = text.op("GLOB")("*[^ -~]*") if dialect == "sqlite" else text.op("~")("[^ -~]")
    # Folding leaves apostrophes out: "don't" becomes one word.
    marks = [text.contains(mark) for mark in ("'", "`")]
    return or_(strange, *marks, *(text.icontains(word, autoescape=True) for word in begins))


def _paged(
    query: Select[Any], table: Table, wanted: Wanted, order: tuple[ColumnElement[Any], bool] | None = None
) -> Select[Any]:
    """A page of the query: by a key, the largest first or not; equals by their ids in
    the same way; without a key the newest first."""
    falls = order is None or order[1]
    id_order = table.c.id.desc() if falls else table.c.id  # the way that an index of key and id can be walked
    if wanted.before_id is not None:
        behind = table.c.id < wanted.before_id if falls else table.c.id > wanted.before_id
        if order is not None:
            key = order[0]
            its = select(key).where(table.c.id == wanted.before_id).correlate(None).scalar_subquery()
            # The first says where in the index to begin, the second what is left of equals.
            query = query.where(key <= its if falls else key >= its)
            behind = or_(key < its if falls else key > its, behind)
        query = query.where(behind)
    if wanted.words:
        query = query.where(table.c.text.icontains(wanted.words, autoescape=True))
    keys = () if order is None else (order[0].desc() if order[1] else order[0],)
    return query.order_by(*keys, id_order).limit(wanted.limit)
