"""The recorder: guesses that arrive together wait for one disk write together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from factories import a_guess, add_game
from loops import awaited
from prometheus_client import REGISTRY
from sqlalchemy import Engine, func, select

from app.db.batch import House
from app.db.guesses import Recorded
from app.db.session import reading, writing
from app.db.tables import guesses, samples, tweets
from app.web.recorder import MOST, Recorder


@pytest.fixture
def recorder(engine: Engine) -> Iterator[Recorder]:
    recorder = Recorder(engine, House(sample_retires_after=1000, learn_from=("real",)))
    recorder.start()
    yield recorder
    recorder.stop()


@pytest.fixture
def card(engine: Engine) -> tuple[int, int, int]:
    with writing(engine) as connection:
        add_game(connection)
        sample_id, generator_id = connection.execute(select(samples.c.id, samples.c.generator_id).limit(1)).one()
        return connection.scalars(select(tweets.c.id).limit(1)).one(), sample_id, generator_id


def written() -> tuple[float, float]:
    """Batches and guesses so far."""
    count, total = (REGISTRY.get_sample_value(f"whichtweet_guess_batch_{name}") for name in ("count", "sum"))
    return count or 0, total or 0


async def record_all(recorder: Recorder, numbers: range, card: tuple[int, int, int]) -> list[Recorded]:
    async def record(number: int) -> Recorded:
        time.sleep(0.001)  # the same turn of the loop, and the recorder's thread could run
        return await recorder.record(a_guess(number, 0, card))

    return await asyncio.gather(*map(record, numbers))


def test_guesses_of_one_turn_of_the_loop_are_one_transaction(recorder: Recorder, card: tuple[int, int, int]) -> None:
    before = written()
    recorded = awaited(record_all(recorder, range(MOST), card))
    assert all(each.is_new for each in recorded)
    assert written() == (before[0] + 1, before[1] + MOST)


def test_more_than_one_transaction_takes_are_all_written(
    recorder: Recorder, card: tuple[int, int, int], engine: Engine
) -> None:
    before = written()
    awaited(record_all(recorder, range(MOST + 1), card))
    assert written() == (before[0] + 2, before[1] + MOST + 1)
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(guesses)) == MOST + 1


def test_what_arrived_before_the_end_is_written(engine: Engine, card: tuple[int, int, int]) -> None:
    recorder = Recorder(engine, House(sample_retires_after=1000, learn_from=("real",)))

    async def stop_at_once() -> list[Recorded]:
        waiting = asyncio.create_task(record_all(recorder, range(3), card))
        await asyncio.sleep(0.05)
        recorder.start()
        recorder.stop()
        return await waiting

    assert [each.is_new for each in awaited(stop_at_once())] == [True] * 3
