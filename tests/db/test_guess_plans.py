"""A batch of guesses is looked up by index, however many there are: its cost does not grow with the tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from factories import LONG_AGO, a_guess, add_game
from sqlalchemy import Connection, Engine, func, select

from app.db import guesses, scores
from app.db.batch import House
from app.db.session import writing
from app.db.tables import samples, seats, tweets

HOUSE = House(sample_retires_after=1000, learn_from=("real",))


@contextmanager
def traced(connection: Connection) -> Iterator[list[str]]:
    """The statements that the database is asked while the block runs, with their values."""
    asked: list[str] = []
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.set_trace_callback(asked.append)
    yield asked
    driver.set_trace_callback(None)


def read_through(connection: Connection, asked: list[str]) -> list[tuple[str, str]]:
    """Which of these statements read a whole table, and how."""
    plans = [(words, connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}").all()) for words in asked]
    lines = [(words, str(row[-1])) for words, plan in plans for row in plan]
    return [(words, line) for words, line in lines if line.startswith("SCAN") and "CONSTANT" not in line]


@pytest.mark.parametrize("players", [1, 2, 5, 200])
def test_no_statement_of_a_batch_reads_a_table_through(engine: Engine, players: int) -> None:
    read: list[str] = []
    with writing(engine) as connection:
        add_game(connection)
        sample_id, generator_id = connection.execute(select(samples.c.id, samples.c.generator_id).limit(1)).one()
        tweet_id = connection.scalars(select(tweets.c.id).limit(1)).one()
    for place in range(2):  # as newcomers, then as known players
        batch = [a_guess(number, place, (tweet_id, sample_id, generator_id)) for number in range(players)]
        with writing(engine) as connection, traced(connection) as asked:
            outcomes = guesses.record(connection, batch, HOUSE)
        assert all(isinstance(outcome, guesses.Recorded) and outcome.is_new for outcome in outcomes)
        read += [words for words in asked if words.startswith(("SELECT", "UPDATE"))]
    assert len(read) > 2 * 10
    with writing(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(seats)) == players
        assert read_through(connection, read) == []


def test_old_scores_are_dropped_by_their_key(engine: Engine) -> None:
    with writing(engine) as connection:
        add_game(connection)
        sample_id, generator_id = connection.execute(select(samples.c.id, samples.c.generator_id).limit(1)).one()
        tweet_id = connection.scalars(select(tweets.c.id).limit(1)).one()
        guesses.record(connection, [a_guess(n, 0, (tweet_id, sample_id, generator_id)) for n in range(3)], HOUSE)
    with writing(engine) as connection:
        with traced(connection) as asked:
            assert scores.drop_old(connection, LONG_AGO + timedelta(days=40)) == 6
        assert read_through(connection, [words for words in asked if words.startswith("DELETE")]) == []
