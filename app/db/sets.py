"""Fixed sets: the daily ten and challenges, where players stand in them, and how everybody's scores are spread."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from app.db import archives as archive_room
from app.db.prepared import Prepared
from app.db.tables import archives, guesses, players, samples, set_cards, set_scores, set_seats, sets, tweets
from app.game.deck import Tweet
from app.game.rounds import Round
from app.game.sets import FixedSet, Pair

FIRST = "first"  # the kind of a set without cards: everybody's own first ten rounds in an archive
KEPT = timedelta(hours=48)  # so long the cards of a daily are dealt nowhere else


@dataclass(frozen=True)
class SetSeat:
    """A row of `set_seats`; what each column means stands there."""

    player_id: int
    set_id: int
    place: int
    spotted: int
    verdicts: str
    began_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class Standing:
    """A known player and, once they guessed in that set, their seat there."""

    player_id: int
    seat: SetSeat | None


@dataclass(frozen=True)
class Sitting:
    """Somebody's result in a set."""

    player_id: int
    nickname: str | None
    verdicts: str
    spotted: int


class ScoreKey(NamedTuple):
    """What scores are counted by: a set, and how many tweets were spotted in it."""

    set_id: int
    score: int


_SEAT = [set_seats.c[name] for name in SetSeat.__dataclass_fields__]


def find(connection: Connection, kind: str, name: str, archive_id: int | None = None) -> FixedSet | None:
    """The set of that kind and name."""
    query = select(sets).where(sets.c.kind == kind, sets.c.name == name)
    if archive_id is not None:
        query = query.where(sets.c.archive_id == archive_id)
    return _found(connection, query)


def by_id(connection: Connection, set_id: int) -> FixedSet | None:
    """The set with that id."""
    return _found(connection, select(sets).where(sets.c.id == set_id))


def _found(connection: Connection, query: Select[Any]) -> FixedSet | None:
    row = connection.execute(query).first()
    if row is None:
        return None
    pairs = _pairs(connection, row.id)
    return FixedSet(row.id, row.archive_id, row.kind, row.name, pairs, row.made_by, row.created_at)


def _pairs(connection: Connection, set_id: int) -> tuple[Pair, ...]:
    query = (
        select(
            set_cards.c.place,
            tweets.c.id,
            tweets.c.text,
            samples.c.id,
            samples.c.text,
            samples.c.generator_id,
            set_cards.c.arm,
            set_cards.c.arm_probability,
            set_cards.c.card_probability,
        )
        .join(tweets, tweets.c.id == set_cards.c.tweet_id)
        .join(samples, samples.c.id == set_cards.c.sample_id)
        .where(set_cards.c.set_id == set_id)
        .order_by(set_cards.c.place)
    )
    return tuple(Pair(row[0], Tweet(row[1], row[2]), *row[3:]) for row in connection.execute(query))


def make(
    connection: Connection,
    archive_id: int,
    kind: str,
    name: str,
    cards: Sequence[Mapping[str, Any]],
    at: datetime,
    made_by: int | None = None,
) -> int | None:
    """Lay a set down; its id, or None where somebody was quicker.

    The archive's stamp goes up, so that every process keeps a daily's cards from other rounds.
    """
    row = {"archive_id": archive_id, "kind": kind, "name": name, "made_by": made_by, "created_at": at}
    made = _upsert(connection)(sets).values(row).on_conflict_do_nothing().returning(sets.c.id)
    set_id = connection.scalar(made)
    if set_id is None:
        return None
    if cards:
        connection.execute(insert(set_cards), [dict(card) | {"set_id": set_id} for card in cards])
    if kind == "daily":
        raised = update(archives).where(archives.c.id == archive_id).values(stamp=archives.c.stamp + 1)
        connection.execute(raised)
    return int(set_id)


def cards_of(rounds: Iterable[Round]) -> list[dict[str, Any]]:
    """The rows of drawn rounds, place by place."""
    return [
        {
            "place": place,
            "tweet_id": drawn.tweet.id,
            "sample_id": drawn.sample_id,
            "arm": drawn.arm,
            "arm_probability": drawn.arm_probability,
            "card_probability": drawn.card_probability,
        }
        for place, drawn in enumerate(rounds)
    ]


def worn(connection: Connection, sample_ids: Sequence[int]) -> set[int]:
    """Which of the samples anybody met."""
    query = select(samples.c.id).where(samples.c.id.in_(sample_ids), samples.c.exposures > 0)
    return set(connection.scalars(query))


def known(connection: Connection, tweet_ids: Sequence[int]) -> set[int]:
    """Which of the tweets anybody met."""
    found = set()
    for tweet_id in tweet_ids:
        query = select(guesses.c.id).where(guesses.c.tweet_id == tweet_id).limit(1)
        if connection.scalar(query) is not None:
            found.add(tweet_id)
    return found


def kept(connection: Connection, archive_id: int, at: datetime) -> tuple[frozenset[int], frozenset[int]]:
    """Tweets and samples of the archive's latest dailies, which are dealt nowhere else."""
    query = (
        select(set_cards.c.tweet_id, set_cards.c.sample_id)
        .join(sets, sets.c.id == set_cards.c.set_id)
        .where(sets.c.archive_id == archive_id, sets.c.kind == "daily", sets.c.created_at > at - KEPT)
    )
    rows = connection.execute(query).all()
    return frozenset(row[0] for row in rows), frozenset(row[1] for row in rows)


def days(connection: Connection, archive_id: int, player_id: int | None, most: int = 30) -> list[tuple[str, str]]:
    """The archive's latest dailies, the newest first: the day, and the player's verdicts ("" before the first)."""
    query = (
        select(sets.c.name, set_seats.c.verdicts)
        .outerjoin(set_seats, (set_seats.c.set_id == sets.c.id) & (set_seats.c.player_id == (player_id or 0)))
        .where(sets.c.archive_id == archive_id, sets.c.kind == "daily")
        .order_by(sets.c.name.desc())
        .limit(most)
    )
    return [(row[0], row[1] or "") for row in connection.execute(query)]


def standing(connection: Connection, key: bytes, set_id: int) -> Standing | None:
    """Where the player with that key stands in a set; None if no guess of theirs was ever recorded."""
    query = (
        select(players.c.id, *_SEAT)
        .select_from(
            players.outerjoin(set_seats, (set_seats.c.player_id == players.c.id) & (set_seats.c.set_id == set_id))
        )
        .where(players.c.key == key)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    return Standing(row[0], None if row[1] is None else SetSeat(*row[1:]))


def sittings(connection: Connection, set_id: int, player_id: int, most: int = 50) -> list[Sitting]:
    """Who has played a set to its end, the earliest first, and always the player who asks."""
    of_set = (
        select(set_seats.c.player_id, players.c.nickname, set_seats.c.verdicts, set_seats.c.spotted)
        .join(players, players.c.id == set_seats.c.player_id)
        .where(set_seats.c.set_id == set_id)
    )
    earliest = of_set.where(set_seats.c.finished_at.is_not(None)).order_by(set_seats.c.finished_at).limit(most)
    found = [Sitting(*row) for row in connection.execute(earliest)]
    if all(each.player_id != player_id for each in found):
        found += [Sitting(*row) for row in connection.execute(of_set.where(set_seats.c.player_id == player_id))]
    return found


def spread(connection: Connection, set_id: int) -> dict[int, int]:
    """How many players reached each score in a set."""
    query = select(set_scores.c.score, set_scores.c.players).where(set_scores.c.set_id == set_id)
    return {score: number for score, number in connection.execute(query)}


def met(connection: Connection, player_id: int, tweet_ids: Sequence[int], sample_ids: Sequence[int]) -> bool:
    """Whether a player guessed at any of these cards before, in whatever mode."""
    of_tweets = select(guesses.c.id).where(guesses.c.player_id == player_id, guesses.c.tweet_id.in_(tweet_ids))
    of_samples = select(guesses.c.id).where(guesses.c.player_id == player_id, guesses.c.sample_id.in_(sample_ids))
    return connection.execute(of_tweets.union_all(of_samples).limit(1)).first() is not None


_PLACE = (set_seats.c.player_id, set_seats.c.set_id)
_LOCKED = Prepared(select(*_SEAT).order_by(*_PLACE).with_for_update(), among=("places", _PLACE))


def locked(connection: Connection, wanted: Collection[tuple[int, int]]) -> dict[tuple[int, int], SetSeat]:
    """The seats with those (player, set), locked in a fixed order until the transaction ends."""
    rows = [SetSeat(*row) for row in _LOCKED.rows(connection, places=list(wanted))]
    return {(row.player_id, row.set_id): row for row in rows}


def lengths(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    """The last place of each set whose cards nobody took out, that do not hang in the hall, and that name nobody whom
    the archive's cards may not name; none for a set that is left without any."""
    if not ids:
        return {}
    is_shown = samples.c.hidden_at.is_(None) & samples.c.hung_at.is_(None) & tweets.c.hidden_at.is_(None)
    query = (
        select(set_cards.c.set_id, set_cards.c.place, tweets.c.archive_id, tweets.c.text, samples.c.text)
        .join(samples, samples.c.id == set_cards.c.sample_id)
        .join(tweets, tweets.c.id == set_cards.c.tweet_id)
        .where(set_cards.c.set_id.in_(ids), is_shown)
        .order_by(set_cards.c.set_id, set_cards.c.place.desc())
    )
    others = {archive.id: archive.others() for archive in archive_room.listing(connection)}
    last: dict[int, int] = {}
    for set_id, place, archive_id, *texts in connection.execute(query):
        unnamed = others.get(archive_id)
        if set_id not in last and (unnamed is None or not any(map(unnamed.named_in, texts))):
            last[set_id] = place
    return last


def keep(connection: Connection, rows: Collection[SetSeat]) -> None:
    """Write seats, new or changed, in a fixed order."""
    if not rows:
        return
    statement = _upsert(connection)(set_seats)
    statement = statement.on_conflict_do_update(
        index_elements=["player_id", "set_id"],
        set_={name: statement.excluded[name] for name in ("place", "spotted", "verdicts", "finished_at")},
    )
    connection.execute(statement, [vars(row) for row in sorted(rows, key=lambda row: (row.player_id, row.set_id))])


def count(connection: Connection, reached: Mapping[ScoreKey, int]) -> None:
    """Add to how many players reached each score, in a fixed order."""
    if not reached:
        return
    statement = _upsert(connection)(set_scores)
    statement = statement.on_conflict_do_update(
        index_elements=["set_id", "score"], set_={"players": set_scores.c.players + statement.excluded.players}
    )
    rows = [key._asdict() | {"players": reached[key]} for key in sorted(reached)]
    connection.execute(statement, rows)


def first_tens(connection: Connection, archive_ids: Collection[int], at: datetime) -> dict[int, int]:
    """The set that first tens of an archive are counted in, made where there is none yet: archive -> set."""
    for archive_id in sorted(archive_ids):
        make(connection, archive_id, FIRST, FIRST, (), at)
    query = select(sets.c.archive_id, sets.c.id).where(sets.c.kind == FIRST, sets.c.archive_id.in_(archive_ids))
    return {archive_id: set_id for archive_id, set_id in connection.execute(query)}


def _upsert(connection: Connection) -> Any:
    return sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert


def newest(connection: Connection, archive_id: int) -> int:
    """The id of an archive's newest set; 0 where it has none."""
    return connection.scalar(select(func.max(sets.c.id)).where(sets.c.archive_id == archive_id)) or 0
