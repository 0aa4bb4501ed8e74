"""Labelling: labels as a person looks through them, and reads them anew; guesses themselves never change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from app.db import overruling
from app.db.tables import generators, guesses, labels, players, remarks, samples, tweets
from app.game.labels import Status, by_hand

PAGE = 1000  # guesses of a page of an export

WINDOW = 20_000  # guesses that one page looks through: it answers in time whatever the filter


@dataclass(frozen=True)
class Wanted:
    """Which labels to show."""

    archive_id: int | None = None
    generator_id: int | None = None
    status: str = ""
    reason: str = ""
    verdict: str = ""
    before_id: int | None = None
    limit: int = 50


@dataclass(frozen=True)
class Page:
    """Labels that were found, and how far was looked."""

    rows: list[Row[Any]]
    first_id: int  # the oldest guess that was looked at
    older: int | None  # where the next page begins; None at the end


def page(connection: Connection, wanted: Wanted) -> Page:
    """The newest labels that fit, out of the 20,000 guesses before `before_id`."""
    top = wanted.before_id or (connection.scalar(select(func.max(guesses.c.id))) or 0) + 1
    floor = max(0, top - WINDOW)
    query = _rows().where(labels.c.guess_id < top, labels.c.guess_id >= floor)
    for column, value in (
        (guesses.c.archive_id, wanted.archive_id),
        (guesses.c.generator_id, wanted.generator_id),
        (labels.c.status, wanted.status),
        (labels.c.reason, wanted.reason),
        (guesses.c.verdict, wanted.verdict),
    ):
        if value:
            query = query.where(column == value)
    rows = list(connection.execute(query.order_by(labels.c.guess_id.desc()).limit(wanted.limit)))
    is_full = len(rows) == wanted.limit
    return Page(rows, floor, rows[-1].id if is_full else (floor or None))


def of_player(connection: Connection, player_id: int, limit: int = 500) -> list[Row[Any]]:
    """A player's newest guesses with their labels."""
    return list(
        connection.execute(_rows().where(guesses.c.player_id == player_id).order_by(guesses.c.id.desc()).limit(limit))
    )


def player(connection: Connection, player_id: int) -> Row[Any] | None:
    """The row of a player."""
    return connection.execute(select(players).where(players.c.id == player_id)).first()


def reading_of(connection: Connection, guess_id: int) -> dict[str, str | None] | None:
    """How the label of a guess reads now, with its reason; None where there is none."""
    row = connection.execute(select(labels.c.status, labels.c.reason).where(labels.c.guess_id == guess_id)).first()
    return None if row is None else row._asdict()


def relabel(connection: Connection, ids: Sequence[int], status: Status, at: datetime) -> int:
    """Read labels anew, by hand; how many that changed. The counts move with them."""
    return overruling.overrule(connection, ids, by_hand(status), "admin", at)


def export(connection: Connection, archive_id: int, *, simulated: bool, after: int = 0) -> Sequence[Row[Any]]:
    """A page of an archive's guesses behind the one with the id `after`, the oldest first: of people or of simulated
    players, each with its label, tweet and remark."""
    query = (
        _rows()
        .add_columns(tweets.c.source_id.label("tweet_source_id"), tweets.c.text.label("tweet_text"))
        .add_columns(remarks.c.reason.label("remark"))
        .join(tweets, tweets.c.id == guesses.c.tweet_id)
        .outerjoin(remarks, remarks.c.guess_id == guesses.c.id)
        .where(guesses.c.archive_id == archive_id, guesses.c.id > after, _is_simulated(simulated))
        .order_by(guesses.c.id)
        .limit(PAGE)
    )
    return connection.execute(query).all()


def count_by_status(connection: Connection, archive_id: int, *, simulated: bool) -> list[Row[Any]]:
    """Status, reason and how many labels, of people or of simulated players."""
    query = (
        select(labels.c.status, labels.c.reason, func.count().label("labels"))
        .join(guesses, guesses.c.id == labels.c.guess_id)
        .join(players, players.c.id == guesses.c.player_id)
        .where(guesses.c.archive_id == archive_id, _is_simulated(simulated))
        .group_by(labels.c.status, labels.c.reason)
    )
    return list(connection.execute(query))


def _is_simulated(simulated: bool) -> ColumnElement[bool]:
    return players.c.simulated.is_not(None) if simulated else players.c.simulated.is_(None)


def _rows() -> Select[Any]:
    columns = (
        *(guesses.c.id, guesses.c.player_id, guesses.c.archive_id, guesses.c.generator_id, guesses.c.sample_id),
        *(guesses.c.tweet_id, guesses.c.verdict, guesses.c.pick, guesses.c.tweet_index, guesses.c.mode, guesses.c.arm),
        *(guesses.c.arm_probability, guesses.c.card_probability, guesses.c.policy_version),
        *(guesses.c.dealt_at, guesses.c.guessed_at),
        *(labels.c.status, labels.c.reason, generators.c.number, players.c.simulated, samples.c.text.label("sample")),
    )
    return (
        select(*columns)
        .select_from(guesses)
        .join(labels, labels.c.guess_id == guesses.c.id)
        .join(players, players.c.id == guesses.c.player_id)
        .join(generators, generators.c.id == guesses.c.generator_id)
        .join(samples, samples.c.id == guesses.c.sample_id)
    )
