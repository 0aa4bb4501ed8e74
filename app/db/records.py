"""Records of sets: a player's rounds in a set or their first or last ten, and the challenge made of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Select, select

from app.db import sets
from app.db.sets import SetSeat
from app.db.tables import guesses, samples, tweets
from app.game.sets import FOOLED, SPOTTED, TEN, FixedSet

_NAME_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # 32, none that looks like another
_LOOKED_AT = 200  # guesses that are looked through for ten that fit


@dataclass(frozen=True)
class Answered:
    """A round that a player answered, with what they may now see of it."""

    guess_id: int
    round_id: bytes
    tweet_id: int
    sample_id: int
    tweet_text: str
    sample_text: str
    verdict: str
    arm: str
    arm_probability: float
    card_probability: float
    guesses: int
    fooled: int


def in_set(connection: Connection, player_id: int, fixed: FixedSet) -> list[Answered]:
    """The player's rounds in a set, in its order; of a challenge's maker those that it was made of."""
    is_maker = fixed.made_by == player_id
    places = {(pair.tweet.id, pair.sample_id): pair.place for pair in fixed.pairs}
    query = _answered().where(
        guesses.c.player_id == player_id,
        guesses.c.tweet_id.in_([tweet_id for tweet_id, _ in places]),
        guesses.c.set_id.is_(None) if is_maker else guesses.c.set_id == fixed.id,
    )
    rows = [Answered(*row) for row in connection.execute(query.order_by(guesses.c.id))]
    found = {places[row.tweet_id, row.sample_id]: row for row in rows if (row.tweet_id, row.sample_id) in places}
    return [found[place] for place in sorted(found)]


def first_ten(connection: Connection, player_id: int, archive_id: int) -> list[Answered]:
    """The player's first ten endless rounds in an archive."""
    query = _endless(player_id, archive_id).order_by(guesses.c.id).limit(TEN)
    return [Answered(*row) for row in connection.execute(query)]


def last_ten(
    connection: Connection, player_id: int, archive_id: int, no_tweets: Collection[int], no_samples: Collection[int]
) -> list[Answered]:
    """The player's last ten endless rounds in an archive that can be played by others: in the order they were played.

    No card that is hidden, nor any of `no_tweets` and `no_samples`: what hangs in the hall, and the latest dailies.
    """
    query = _endless(player_id, archive_id).where(tweets.c.hidden_at.is_(None), samples.c.hidden_at.is_(None))
    rows = [Answered(*row) for row in connection.execute(query.order_by(guesses.c.id.desc()).limit(_LOOKED_AT))]
    fit: list[Answered] = []
    seen: set[int] = set()
    for row in rows:
        is_out = row.tweet_id in no_tweets or row.sample_id in no_samples
        if not is_out and row.tweet_id not in seen and len(fit) < TEN:
            fit.append(row)
            seen.add(row.tweet_id)
    return fit[::-1]


def make_challenge(
    connection: Connection, player_id: int, archive_id: int, rounds: list[Answered], at: datetime, key: bytes
) -> str:
    """A challenge of rounds that a player answered; asked again, it is the same. Gives its name.

    The maker's result stands in it from the beginning.
    """
    digest = blake2b(b"".join(each.round_id for each in rounds), key=key, digest_size=10, person=b"challenge").digest()
    name = "".join(_NAME_LETTERS[byte % 32] for byte in digest)
    cards = [
        {
            "place": place,
            "tweet_id": each.tweet_id,
            "sample_id": each.sample_id,
            "arm": each.arm,
            "arm_probability": each.arm_probability,
            "card_probability": each.card_probability,
        }
        for place, each in enumerate(rounds)
    ]
    set_id = sets.make(connection, archive_id, "challenge", name, cards, at, made_by=player_id)
    if set_id is not None:
        verdicts = verdicts_of(rounds)
        spotted = verdicts.count(SPOTTED)
        sets.keep(connection, [SetSeat(player_id, set_id, len(rounds), spotted, verdicts, at, at)])
        sets.count(connection, {sets.ScoreKey(set_id, spotted): 1})
    return name


def verdicts_of(rounds: list[Answered]) -> str:
    """The verdicts of rounds, a letter each."""
    return "".join(SPOTTED if each.verdict == "spotted" else FOOLED for each in rounds)


def practised(connection: Connection, player_id: int, archive_id: int) -> dict[int, tuple[int, int]]:
    """Of a player's practice in an archive: generator -> rounds, and in how many they spotted the tweet."""
    query = select(guesses.c.generator_id, guesses.c.verdict).where(
        guesses.c.player_id == player_id, guesses.c.archive_id == archive_id, guesses.c.mode == "practice"
    )
    found: dict[int, tuple[int, int]] = {}
    for generator_id, verdict in connection.execute(query.order_by(guesses.c.id.desc()).limit(2000)):
        played, spotted = found.get(generator_id, (0, 0))
        found[generator_id] = played + 1, spotted + (verdict == "spotted")
    return found


def _endless(player_id: int, archive_id: int) -> Select[Any]:
    return _answered().where(
        guesses.c.player_id == player_id, guesses.c.archive_id == archive_id, guesses.c.mode == "endless"
    )


def _answered() -> Select[Any]:
    columns = (
        *(guesses.c.id, guesses.c.round_id, guesses.c.tweet_id, guesses.c.sample_id, tweets.c.text, samples.c.text),
        *(guesses.c.verdict, guesses.c.arm, guesses.c.arm_probability, guesses.c.card_probability),
        *(samples.c.guesses, samples.c.fooled),
    )
    query = select(*columns).select_from(guesses).join(tweets, tweets.c.id == guesses.c.tweet_id)
    return query.join(samples, samples.c.id == guesses.c.sample_id)
