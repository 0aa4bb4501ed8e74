"""A served game, on SQLite and on either database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from factories import add_game
from serving import Game, Opener, serve, settings, stay_within_a_day
from sqlalchemy import Engine

from app.db.session import open_engine, writing


@pytest.fixture
def serving(sqlite_url: str, tmp_path: Path) -> Iterator[Opener]:
    """Serves a game: `serving(rate_limit="2/minute")`; `fill` puts archives in, one of 60 cards and 60 samples."""
    yield from _opener(sqlite_url, tmp_path)


@pytest.fixture
def game(serving: Opener) -> Game:
    """A game with one archive of 60 cards and 60 samples."""
    return serving()


@pytest.fixture
def either_serving(either_url: str, tmp_path: Path) -> Iterator[Opener]:
    """Serves a game, once on SQLite and once on PostgreSQL."""
    yield from _opener(either_url, tmp_path)


@pytest.fixture
def either_game(either_serving: Opener) -> Game:
    """A game, once on SQLite and once on PostgreSQL."""
    return either_serving()


def _opener(url: str, folder: Path) -> Iterator[Opener]:
    stay_within_a_day(10)
    with ExitStack() as stack:

        def opened(fill: Callable[[Any], Any] = add_game, **more: Any) -> Game:
            engine: Engine = open_engine(url)
            with writing(engine) as connection:
                fill(connection)
            engine.dispose()
            return stack.enter_context(serve(settings(url, folder, **more)))

        yield opened
