"""Opening the demo: once, whoever else is at it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Engine

from app.db import archives, generators, samples
from app.db.session import reading
from app.jobs.demo import SLUG, open_demo


def test_two_that_open_it_at_once_open_it_once(engine: Engine, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        opened = list(pool.map(lambda _: open_demo(engine, tmp_path / "checkpoints"), range(2)))
    assert sorted(opened) == [False, True]
    with reading(engine) as connection:
        demo = archives.find(connection, SLUG)
        assert demo is not None
        champion = generators.in_arm(connection, demo.id, generators.CHAMPION)
        assert champion is not None
        assert samples.level(connection, demo.id, champion.id) > 0


def test_what_is_there_already_is_left_alone(engine: Engine, tmp_path: Path) -> None:
    assert open_demo(engine, tmp_path / "checkpoints")
    assert not open_demo(engine, tmp_path / "checkpoints")
