"""A batch of guesses is looked up by index, however many there are: its cost does not grow with the tables."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from factories import add_game
from sqlalchemy import Engine, func, select

from app.db import guesses
from app.db.batch import Guess, House
from app.db.session import writing
from app.db.tables import samples, scores, seats, tweets

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
HOUSE = House(sample_retires_after=1000, learn_from=("real",))


def a_guess(number: int, place: int, card: tuple[int, int, int]) -> Guess:
    tweet_id, sample_id, generator_id = card
    return Guess(
        round_id=bytes([number, place] * 8),
        player=bytes([number] * 16),
        archive_id=1,
        tweet_id=tweet_id,
        sample_id=sample_id,
        generator_id=generator_id,
        arm="champion",
        mode="endless",
        start=place,
        position=place,
        repeat=False,
        tweet_index=0,
        arm_probability=1.0,
        card_probability=1.0,
        policy=1,
        stamp=1,
        characters=100,
        dealt_at=AT,
        pick=0,
        recognised=False,
        shown_ms=None,
        has_cookie=True,
        simulated=None,
        network=None,
        guessed_at=AT,
        is_expired=False,
        shelf_stamp=1,
    )


@pytest.mark.parametrize("players", [1, 2, 5, 200])
def test_no_statement_of_a_batch_reads_a_table_through(engine: Engine, players: int) -> None:
    asked: list[str] = []
    with writing(engine) as connection:
        add_game(connection)
        sample_id, generator_id = connection.execute(select(samples.c.id, samples.c.generator_id).limit(1)).one()
        tweet_id = connection.scalars(select(tweets.c.id).limit(1)).one()
    for place in range(2):  # as newcomers, then as known players
        with writing(engine) as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.set_trace_callback(asked.append)
            batch = [a_guess(number, place, (tweet_id, sample_id, generator_id)) for number in range(players)]
            outcomes = guesses.record(connection, batch, HOUSE)
            driver.set_trace_callback(None)
        assert all(isinstance(outcome, guesses.Recorded) and outcome.is_new for outcome in outcomes)
    read = [words for words in asked if words.startswith(("SELECT", "UPDATE"))]
    assert len(read) > 2 * 10
    with writing(engine) as connection:
        for table in (seats, scores):
            assert connection.scalar(select(func.count()).select_from(table)) >= players
        for words in read:
            plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}")]
            assert not [line for line in plan if line.startswith("SCAN") and "CONSTANT" not in line], (words, plan)
