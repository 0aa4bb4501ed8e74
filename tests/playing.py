"""Guesses straight into the database, as many as a canary takes, on a clock that the test holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from sqlalchemy import Engine, insert, select, update

from app.db import generators, tallies
from app.db.rollups import day_of
from app.db.session import writing
from app.db.tables import guesses, labels, players, samples, seats, tweets
from app.db.tallies import Count, TallyKey

_rounds = count(1)


def add_players(engine: Engine, archive_id: int, number: int, at: datetime, **values: Any) -> list[int]:
    """Players who have a seat in the archive."""
    rows = [{"key": f"player {next(_rounds):09d}".encode(), "created_at": at, "last_guess_at": at} | values] * number
    rows = [row | {"key": f"player {next(_rounds):09d}".encode()} for row in rows]
    place = {"archive_id": archive_id, "mode": "endless", "position": 0, "stamp": 1, "next_stamp": 1}
    none = {"guesses": 0, "spotted": 0, "streak": 0, "best_streak": 0}
    with writing(engine) as connection:
        ids = list(connection.scalars(insert(players).returning(players.c.id, sort_by_parameter_order=True), rows))
        connection.execute(insert(seats), [place | none | {"player_id": player_id} for player_id in ids])
    return ids


def play(
    engine: Engine,
    archive_id: int,
    who: Sequence[int],
    at: datetime,
    *,
    each: int,
    rates: dict[str, float],
    seed: int = 0,
    status: str = "accepted",
    **values: Any,
) -> None:
    """Let players guess `each` times by the arms' shares; `rates` says how often each arm's samples fool them."""
    random = Random(seed)
    with writing(engine) as connection:
        arms = [arm for arm in generators.arms_of(connection, archive_id).values() if arm.share > 0]
        cards = {
            arm.arm: list(connection.scalars(select(samples.c.id).where(samples.c.generator_id == arm.generator_id)))
            for arm in arms
        }
        deck = list(connection.scalars(select(tweets.c.id).where(tweets.c.archive_id == archive_id)))
        connection.execute(update(players).where(players.c.id.in_(who)).values(last_guess_at=at))
        rows = []
        counted: dict[TallyKey, Count] = {}
        for player_id in who:
            for number in range(each):
                arm = random.choices(arms, [arm.share for arm in arms])[0]
                fooled = random.random() < rates.get(arm.arm, 0.3)
                rows.append(
                    {
                        "round_id": next(_rounds).to_bytes(16, "big"),
                        **{"player_id": player_id, "archive_id": archive_id, "tweet_id": random.choice(deck)},
                        **{"sample_id": random.choice(cards[arm.arm]), "generator_id": arm.generator_id},
                        **{"arm": arm.arm, "mode": "endless", "position": number, "repeat": False},
                        **{"tweet_index": 0, "pick": int(fooled), "verdict": "fooled" if fooled else "spotted"},
                        **{"recognised": False, "has_cookie": True, "policy_version": 1, "arm_probability": arm.share},
                        **{"card_probability": 0.1, "dealt_at": at, "guessed_at": at + timedelta(seconds=9)},
                        "answer": "{}",
                    }
                    | values
                )
                key = TallyKey(archive_id, arm.generator_id, day_of(at), rows[-1]["mode"], "real")
                tally = counted.setdefault(key, Count())
                tally.fooled += fooled
                tally.guesses, tally.accepted = tally.guesses + 1, tally.accepted + (status == "accepted")
        ids = list(connection.scalars(insert(guesses).returning(guesses.c.id, sort_by_parameter_order=True), rows))
        label = {"status": status, "rules_version": 1, "decided_at": at}
        connection.execute(insert(labels), [label | {"guess_id": guess_id} for guess_id in ids])
        tallies.add(connection, counted)
