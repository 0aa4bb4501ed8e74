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
    and_,
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
REPORTS = 200  # the newest that wait, whose samples are listed
WINDOW = 10_000  # cards that one page looks through for words, say: it answers in time however large the archive
LOOK = 2_000  # cards in play that one look for blocked words goes through, for the same reason
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


@dataclass(frozen=True)
class Page:
    """Cards that fit, and where the next page begins."""

    rows: list[Row[Any]]
    last_id: int | None  # of the last card that was looked at, where there may be more behind it
    is_full: bool  # as many as were wanted; else that many of 10,000 hold the words, and the rest were not looked at


def sample_page(connection: Connection, wanted: Wanted) -> Page:
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
    looked_for = _with_words(samples, wanted)
    if wanted.least is not None or wanted.most is not None:
        between = (wanted.least or 0.0, 1.0 if wanted.most is None else wanted.most)
        if order is not None:
            query = query.where(_IS_RATED, _RATE.between(*between))
            if wanted.order == "most guesses":  # its index would be walked for what is of another rate
                order = (order[0] + 0, order[1])
        else:
            looked_for += [samples.c.guesses + 0 >= SHOWN_FROM, (_RATE + 0).between(*between)]
    return _page(connection, query, samples, wanted, looked_for, order)


def _reported() -> Select[int]:
    """The samples of which a player's report waits to be read: of the newest reports."""
    waits = (remarks.c.report.is_not(None), remarks.c.settled_at.is_(None), remarks.c.report != "")
    newest = select(remarks.c.guess_id).where(*waits).order_by(remarks.c.guess_id.desc()).limit(REPORTS).subquery()
    return select(guesses.c.sample_id).join(newest, newest.c.guess_id == guesses.c.id)


def tweet_page(connection: Connection, wanted: Wanted) -> Page:
    """Tweets of the deck."""
    query = select(tweets).where(tweets.c.archive_id == wanted.archive_id, tweets.c.split == "deck")
    if wanted.status == "hidden":
        query = query.where(tweets.c.hidden_at.is_not(None))
    return _page(connection, query, tweets, wanted, _with_words(tweets, wanted))


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


def _with_words(table: Table, wanted: Wanted) -> list[ColumnElement[bool]]:
    return [table.c.text.icontains(wanted.words, autoescape=True)] if wanted.words else []


Order = tuple[ColumnElement[Any], bool]  # a key, and whether the largest comes first


def _page(
    connection: Connection,
    query: Select[Any],
    table: Table,
    wanted: Wanted,
    looked_for: Sequence[ColumnElement[bool]],
    order: Order | None = None,
) -> Page:
    """A page of the query in an order, equals by their ids in the same way; without a key the newest first.

    What is `looked_for` no index finds: 10,000 cards are looked at.
    """
    falls = order is None or order[1]
    # The way that an index of key and id can be walked.
    keys = () if order is None else (order[0].desc() if falls else order[0],)
    query = query.order_by(*keys, table.c.id.desc() if falls else table.c.id)
    if wanted.before_id is not None:
        query = query.where(*_beyond(table, order, wanted.before_id, falls))
    # What many cards have is soon found, and the end of ten thousand takes a while to be.
    for window in (WINDOW // 10, WINDOW) if looked_for else (0,):
        part, end = query.where(*looked_for), None
        if window:
            end = connection.scalar(query.with_only_columns(table.c.id).offset(window - 1).limit(1))
        if end is not None:
            part = part.where(or_(table.c.id == end, and_(*_beyond(table, order, end, not falls))))
        rows = list(connection.execute(part.limit(wanted.limit + 1)))
        if len(rows) > wanted.limit:
            return Page(rows[: wanted.limit], rows[wanted.limit - 1].id, True)
        if end is None:
            break
    return Page(rows, end, False)


def _beyond(table: Table, order: Order | None, card_id: int, is_below: bool) -> list[ColumnElement[bool]]:
    """That a card comes, by key and id, below the card with that id, or above it."""
    beyond = table.c.id < card_id if is_below else table.c.id > card_id
    if order is None:
        return [beyond]
    key = order[0]
    its = select(key).where(table.c.id == card_id).correlate(None).scalar_subquery()
    # The first says where in the index to begin, the second what is left of equals.
    return [key <= its if is_below else key >= its, or_(key < its if is_below else key > its, beyond)]
