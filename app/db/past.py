"""What a player has played: single rounds, as they were shown and answered."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Column, Connection, select

from app.db.tables import generators, guesses, players, remarks, samples, sets, tweets


@dataclass(frozen=True)
class Played:
    """A round after its guess.

    Attributes:
        answer: the JSON text that the player got.
        said: the reason that the player gave for what gave the sample away, if any.
    """

    archive_id: int
    tweet_text: str
    sample_text: str
    tweet_index: int
    pick: int
    repeat: bool
    answer: str
    said: str | None
    mode: str
    set_name: str | None  # of the fixed set that it was a place of
    generator: int  # its number

    @property
    def cards(self) -> tuple[str, str]:
        """The two texts as shown."""
        texts = (self.tweet_text, self.sample_text)
        return texts if self.tweet_index == 0 else (texts[1], texts[0])


def find(connection: Connection, round_id: bytes, key: bytes) -> Played | None:
    """The guess in that round, if the player with that key made it."""
    query = (
        select(
            guesses.c.archive_id,
            tweets.c.text,
            samples.c.text,
            guesses.c.tweet_index,
            guesses.c.pick,
            guesses.c.repeat,
            guesses.c.answer,
            remarks.c.reason,
            guesses.c.mode,
            sets.c.name,
            generators.c.number,
        )
        .join(players, players.c.id == guesses.c.player_id)
        .join(tweets, tweets.c.id == guesses.c.tweet_id)
        .join(samples, samples.c.id == guesses.c.sample_id)
        .join(generators, generators.c.id == guesses.c.generator_id)
        .outerjoin(remarks, remarks.c.guess_id == guesses.c.id)
        .outerjoin(sets, sets.c.id == guesses.c.set_id)
        .where(guesses.c.round_id == round_id, players.c.key == key)
    )
    row = connection.execute(query).first()
    return None if row is None else Played(*row)


def answered(
    connection: Connection, key: bytes, tweet_ids: Collection[int], sample_ids: Collection[int]
) -> tuple[set[int], set[int]]:
    """Which of these tweets and samples the player with that key has guessed at."""

    def met(column: Column[int], ids: Collection[int]) -> set[int]:
        if not ids:
            return set()
        own = select(column).join(players, players.c.id == guesses.c.player_id)
        return set(connection.scalars(own.where(players.c.key == key, column.in_(sorted(ids)))))

    return met(guesses.c.tweet_id, tweet_ids), met(guesses.c.sample_id, sample_ids)
