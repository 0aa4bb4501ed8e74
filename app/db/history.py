"""History: everything that one player played, for that player alone; pages go by key and read own rounds only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, LargeBinary, Row, Select, func, select

from app.db.forgetting import pointing_at
from app.db.networks import OF_THE_FORGOTTEN
from app.db.tables import (
    archives,
    generators,
    guesses,
    labels,
    players,
    remarks,
    samples,
    seats,
    set_players,
    sets,
    transfers,
    tweets,
)
from app.game.skill import Belief

PAGE = 30
POINTS = 120  # of the curve of skill: more could not be told apart
_BATCH = 500


@dataclass(frozen=True)
class Wanted:
    """Which rounds to show; empty means any.

    Attributes:
        before: only rounds older than the guess with this id.
    """

    verdict: str = ""
    archive_id: int | None = None
    mode: str = ""
    before: int | None = None


@dataclass(frozen=True)
class PastRound:
    """One line of a player's history."""

    guess_id: int
    round_id: bytes
    archive_id: int
    tweet: str
    sample: str
    generator: int
    mode: str
    verdict: str
    guessed_at: datetime


@dataclass(frozen=True)
class Point:
    """A player's skill after their `number`-th round."""

    number: int
    at: datetime
    belief: Belief


@dataclass(frozen=True)
class Lesson:
    """How many of a player's guesses a generator had to learn from."""

    archive_id: int
    generator: int
    guesses: int


def page(connection: Connection, player_id: int, wanted: Wanted, limit: int = PAGE) -> list[PastRound]:
    """The player's newest rounds that fit; one more than `limit` tells that there are older ones."""
    columns = (guesses.c.id, guesses.c.round_id, guesses.c.archive_id, tweets.c.text, samples.c.text.label("sample"))
    query = (
        select(*columns, generators.c.number, guesses.c.mode, guesses.c.verdict, guesses.c.guessed_at)
        .join(tweets, tweets.c.id == guesses.c.tweet_id)
        .join(samples, samples.c.id == guesses.c.sample_id)
        .join(generators, generators.c.id == guesses.c.generator_id)
        .where(guesses.c.player_id == player_id)
    )
    if wanted.before is not None:
        query = query.where(guesses.c.id < wanted.before)
    for column, value in (
        (guesses.c.verdict, wanted.verdict),
        (guesses.c.archive_id, wanted.archive_id),
        (guesses.c.mode, wanted.mode),
    ):
        if value:
            query = query.where(column == value)
    rows = connection.execute(query.order_by(guesses.c.id.desc()).limit(limit + 1))
    return [PastRound(row[0], bytes(row[1]), *row[2:]) for row in rows]


def curve(connection: Connection, player_id: int, points: int = POINTS) -> list[Point]:
    """The player's skill over their rounds, evenly thinned to about `points`, the newest always among them."""
    numbered = (
        select(guesses.c.id, func.row_number().over(order_by=guesses.c.id).label("number"))
        .where(guesses.c.player_id == player_id)
        .subquery()
    )
    total = connection.scalar(select(func.count()).select_from(numbered)) or 0
    stride = max(1, -(-total // points))
    query = (
        select(numbered.c.number, guesses.c.guessed_at, guesses.c.skill, guesses.c.skill_variance)
        .join(numbered, numbered.c.id == guesses.c.id)
        .where((total - numbered.c.number) % stride == 0, guesses.c.skill.is_not(None))
        .order_by(numbered.c.number)
    )
    return [Point(number, at, Belief(mean, variance)) for number, at, mean, variance in connection.execute(query)]


def taught(connection: Connection, player_id: int, limit: int = 12) -> list[Lesson]:
    """The newest generators that learned from guesses of the player's, with how many: as frozen for their training."""
    query = (
        select(generators.c.archive_id, generators.c.number, set_players.c.labels)
        .join(set_players, set_players.c.label_set_id == generators.c.label_set_id)
        .where(set_players.c.player_id == player_id)
        .order_by(generators.c.id.desc())
        .limit(limit)
    )
    return [Lesson(*row) for row in connection.execute(query)]


def modes(connection: Connection, player_id: int) -> list[str]:
    """The ways in which the player has played."""
    return sorted(connection.scalars(select(seats.c.mode).where(seats.c.player_id == player_id).distinct()))


def newest(connection: Connection, player_id: int) -> int:
    """The id of a player's last guess; 0 before the first."""
    return connection.scalar(select(func.max(guesses.c.id)).where(guesses.c.player_id == player_id)) or 0


def export(connection: Connection, player_id: int, after: int, last: int) -> tuple[list[dict[str, Any]], int | None]:
    """A page of a player's rounds with all that is kept of them, the oldest first of those after a guess, up to `last`.

    And the guess that the next page comes after; None behind the last.
    """
    rows = connection.execute(_export_query().where(_own(player_id, after), guesses.c.id <= last)).all()
    return [_plain(row) for row in rows], rows[-1].id if rows else None


def belongings(connection: Connection, player_id: int) -> dict[str, list[dict[str, Any]]]:
    """What else is kept of a player, table by table: seats, scores, sets, classes; a table that comes later, too.

    Without rounds (`export`) and codes for another device, which are secret and gone in minutes.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for table, column in pointing_at(players):
        if table in (guesses, transfers):
            continue
        # A challenge is kept of whoever made it; nothing of what others did in it.
        shown = [each for each in table.c if each is not column and not isinstance(each.type, LargeBinary)]
        rows = connection.execute(select(*shown).where(column == player_id).order_by(*table.primary_key))
        found[table.name] = [{name: _value(value) for name, value in row._asdict().items()} for row in rows]
    lessons = select(set_players.c.label_set_id, set_players.c.labels).where(set_players.c.player_id == player_id)
    return found | {"set_players": [row._asdict() for row in connection.execute(lessons)]}


def player_fields(connection: Connection, player_id: int) -> dict[str, Any]:
    """All that is kept of the player themselves, but for the key that is in their cookie."""
    row = connection.execute(select(players).where(players.c.id == player_id)).one()
    hidden = ("key", "id", "nickname_key")
    return {name: _value(value) for name, value in row._asdict().items() if name not in hidden}


def _own(player_id: int, after: int) -> Any:
    return (guesses.c.player_id == player_id) & (guesses.c.id > after)


def _export_query() -> Select[Any]:
    return (
        select(
            *(guesses.c.id, guesses.c.round_id, archives.c.slug.label("archive"), tweets.c.text.label("tweet")),
            *(samples.c.text.label("sample"), generators.c.number.label("generator"), guesses.c.arm, guesses.c.mode),
            *(guesses.c.repeat, guesses.c.tweet_index, guesses.c.pick, guesses.c.verdict, guesses.c.recognised),
            *(guesses.c.position, guesses.c.has_cookie, sets.c.kind.label("set_kind"), sets.c.name.label("set")),
            *(guesses.c.arm_probability, guesses.c.card_probability, guesses.c.policy_version),
            *(guesses.c.dealt_at, guesses.c.guessed_at, guesses.c.shown_ms, guesses.c.skill, guesses.c.skill_variance),
            func.coalesce(guesses.c.network != OF_THE_FORGOTTEN, False).label("network_kept"),
            *(labels.c.status.label("label"), labels.c.reason),
            *(remarks.c.reason.label("remark"), remarks.c.report, remarks.c.said_at, guesses.c.answer),
        )
        .join(archives, archives.c.id == guesses.c.archive_id)
        .join(tweets, tweets.c.id == guesses.c.tweet_id)
        .join(samples, samples.c.id == guesses.c.sample_id)
        .join(generators, generators.c.id == guesses.c.generator_id)
        .outerjoin(labels, labels.c.guess_id == guesses.c.id)
        .outerjoin(remarks, remarks.c.guess_id == guesses.c.id)
        .outerjoin(sets, sets.c.id == guesses.c.set_id)
        .order_by(guesses.c.id)
        .limit(_BATCH)
    )


def _plain(row: Row[Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row._asdict().items() if name != "id"}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value.hex() if isinstance(value, bytes | memoryview) else value
