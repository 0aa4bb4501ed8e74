"""Classes: the rows of a room, its rounds, its members, and what they picked, which is read from their guesses."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from app.db import players
from app.db.tables import archives, class_members, class_rounds, classes, generators, guesses, samples, tweets
from app.db.tables import players as player_rows
from app.game.classroom import Where
from app.game.rounds import Round


@dataclass(frozen=True)
class Room:
    """A row of `classes`."""

    id: int
    code: str
    key_hash: bytes
    seed: bytes
    archive_id: int
    address: str
    teaches: bool
    seconds: int
    created_at: datetime
    leg: int
    number: int
    asked_at: datetime | None
    is_revealed: bool
    job_id: int | None
    generator_id: int | None
    ended_at: datetime | None

    @property
    def where(self) -> Where:
        """Where the class is."""
        return Where(self.leg, self.number, self.asked_at, self.seconds, self.is_revealed, self.ended_at is not None)


@dataclass(frozen=True)
class Asked:
    """A round of a class, the same for all."""

    leg: int
    number: int
    tweet_id: int
    sample_id: int
    generator_id: int
    arm: str
    card_probability: float
    tweet_index: int
    tweet: str
    sample: str
    generator: int
    is_hidden: bool  # one of its cards is shown to nobody any more

    @property
    def cards(self) -> tuple[str, str]:
        """The two texts as shown."""
        return (self.tweet, self.sample) if self.tweet_index == 0 else (self.sample, self.tweet)


@dataclass(frozen=True)
class Member:
    """Somebody in the room."""

    player_id: int
    key: bytes
    name: str | None


@dataclass(frozen=True)
class Picked:
    """What a member picked in a round."""

    leg: int
    number: int
    player_id: int
    pick: int
    verdict: str


_ROOM = [classes.c[name] for name in Room.__dataclass_fields__]


def open_room(connection: Connection, **values: Any) -> int:
    """A new room, with nobody in it; its id."""
    row = {"leg": 0, "number": 0, "is_revealed": False} | values
    return int(connection.execute(insert(classes).values(row).returning(classes.c.id)).scalar_one())


def find(connection: Connection, code: str) -> Room | None:
    """The room with that code."""
    row = connection.execute(select(*_ROOM).where(classes.c.code == code)).first()
    return None if row is None else _room(row)


def find_by_id(connection: Connection, class_id: int) -> Room | None:
    """The room with that id."""
    row = connection.execute(select(*_ROOM).where(classes.c.id == class_id)).first()
    return None if row is None else _room(row)


def change(connection: Connection, class_id: int, **values: Any) -> None:
    """Move a class on."""
    connection.execute(update(classes).where(classes.c.id == class_id).values(**values))


def join(connection: Connection, class_id: int, key: bytes, name: str | None, at: datetime) -> None:
    """Let the player with that key in, or change their name; they are recorded from now on."""
    players.add(connection, {key: None}, at)
    player_id = connection.execute(select(player_rows.c.id).where(player_rows.c.key == key)).scalar_one()
    dialect_insert = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
    row = {"class_id": class_id, "player_id": player_id, "name": name, "joined_at": at}
    statement = dialect_insert(class_members).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["class_id", "player_id"], set_={"name": name}))


def end(connection: Connection, at: datetime, class_id: int | None = None) -> None:
    """End a class, or all that are open: nobody's name is kept."""
    which = classes.c.ended_at.is_(None) if class_id is None else classes.c.id == class_id
    ending = select(classes.c.id).where(which)
    connection.execute(update(class_members).where(class_members.c.class_id.in_(ending)).values(name=None))
    connection.execute(update(classes).where(which).values(ended_at=at))


def keep_rounds(connection: Connection, class_id: int, leg: int, dealt: Sequence[Round]) -> None:
    """Lay down the rounds of a leg."""
    rows = [
        {"class_id": class_id, "leg": leg, "number": number} | _laid(made) for number, made in enumerate(dealt, start=1)
    ]
    connection.execute(insert(class_rounds), rows)


def replace_round(connection: Connection, class_id: int, leg: int, number: int, made: Round) -> None:
    """Lay another pair in the place of a round that nobody was asked about yet."""
    place = (class_rounds.c.class_id == class_id, class_rounds.c.leg == leg, class_rounds.c.number == number)
    connection.execute(update(class_rounds).where(*place).values(_laid(made)))


def _laid(made: Round) -> dict[str, Any]:
    return {
        **{"tweet_id": made.tweet.id, "sample_id": made.sample_id, "generator_id": made.generator_id},
        **{"arm": made.arm, "card_probability": made.card_probability, "tweet_index": made.tweet_index},
    }


def rounds(connection: Connection, class_id: int) -> list[Asked]:
    """The rounds of a class, in order."""
    names = ("leg", "number", "tweet_id", "sample_id", "generator_id", "arm", "card_probability", "tweet_index")
    is_hidden = samples.c.hidden_at.is_not(None) | tweets.c.hidden_at.is_not(None)
    query = (
        select(
            *(class_rounds.c[name] for name in names),
            *(tweets.c.text.label("tweet"), samples.c.text.label("sample")),
            *(generators.c.number.label("generator"), is_hidden.label("is_hidden")),
        )
        .join(tweets, tweets.c.id == class_rounds.c.tweet_id)
        .join(samples, samples.c.id == class_rounds.c.sample_id)
        .join(generators, generators.c.id == class_rounds.c.generator_id)
        .where(class_rounds.c.class_id == class_id)
        .order_by(class_rounds.c.leg, class_rounds.c.number)
    )
    return [Asked(**row._asdict()) for row in connection.execute(query)]


def members(connection: Connection, class_id: int) -> list[Member]:
    """Who is in the room, in the order in which they came; a player who was forgotten is nobody any more."""
    query = (
        select(class_members.c.player_id, player_rows.c.key, class_members.c.name)
        .join(player_rows, player_rows.c.id == class_members.c.player_id)
        .where(class_members.c.class_id == class_id)
        .order_by(class_members.c.joined_at, class_members.c.player_id)
    )
    return [Member(player_id, bytes(key), name) for player_id, key, name in connection.execute(query)]


def picks(connection: Connection, class_id: int) -> list[Picked]:
    """What the members picked, in the class's own rounds."""
    query = (
        select(class_rounds.c.leg, class_rounds.c.number, guesses.c.player_id, guesses.c.pick, guesses.c.verdict)
        .select_from(class_rounds)
        .join(classes, classes.c.id == class_rounds.c.class_id)
        .join(
            guesses,
            (guesses.c.sample_id == class_rounds.c.sample_id)
            & (guesses.c.tweet_id == class_rounds.c.tweet_id)
            & (guesses.c.mode == "class")
            & (guesses.c.guessed_at >= classes.c.created_at),
        )
        .join(
            class_members,
            (class_members.c.class_id == class_rounds.c.class_id) & (class_members.c.player_id == guesses.c.player_id),
        )
        .where(class_rounds.c.class_id == class_id)
    )
    return [Picked(*row) for row in connection.execute(query)]


def met(connection: Connection, class_id: int, kind: Literal["tweet", "sample"], ids: Collection[int]) -> set[int]:
    """Which of those tweets or samples somebody in the room has guessed at."""
    column = guesses.c[f"{kind}_id"]
    query = (
        select(column)
        .join(class_members, class_members.c.player_id == guesses.c.player_id)
        .where(class_members.c.class_id == class_id, column.in_(list(ids)))
        .distinct()
    )
    return set(connection.scalars(query))


def is_asking(connection: Connection, player_id: int, at: datetime) -> bool:
    """Whether a room that the player is in has a round open: what they picked in it is not told before the reveal."""
    query = (
        select(*_ROOM)
        .join(class_members, class_members.c.class_id == classes.c.id)
        .where(
            class_members.c.player_id == player_id,
            classes.c.ended_at.is_(None),
            classes.c.asked_at.is_not(None),
            classes.c.is_revealed.is_(False),
        )
    )
    return any(_room(row).where.takes(at) for row in connection.execute(query))


def has_met(connection: Connection, player_id: int, asked: Asked) -> bool:
    """Whether the player has guessed at one of the two cards before."""
    same = (guesses.c.sample_id == asked.sample_id) | (guesses.c.tweet_id == asked.tweet_id)
    return connection.execute(select(guesses.c.id).where(guesses.c.player_id == player_id, same)).first() is not None


def samples_of(connection: Connection, generator_id: int) -> list[tuple[int, str]]:
    """The samples of a generator that were vetted and are not hidden: what a class trained plays against."""
    query = select(samples.c.id, samples.c.text).where(
        samples.c.generator_id == generator_id,
        samples.c.shelved_stamp.is_not(None),
        samples.c.hidden_at.is_(None),
        samples.c.hung_at.is_(None),
    )
    return [(sample_id, text) for sample_id, text in connection.execute(query.order_by(samples.c.id))]


def open_archive(connection: Connection, slug: str | None) -> tuple[int, str] | None:
    """The archive that a class plays: the named one, else a real one before the demo."""
    query = select(archives.c.id, archives.c.slug).where(archives.c.deleted_at.is_(None))
    if slug is not None:
        query = query.where(archives.c.slug == slug)
    row = connection.execute(query.order_by(archives.c.is_demo, archives.c.id)).first()
    return None if row is None else (row[0], row[1])


def _room(row: Row[Any]) -> Room:
    fields = row._asdict()
    return Room(**fields | {"key_hash": bytes(fields["key_hash"]), "seed": bytes(fields["seed"])})
