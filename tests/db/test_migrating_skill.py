"""The schema's steps that brought skill: back and forth with rows in the tables, on either database."""

from __future__ import annotations

from factories import add_game
from sqlalchemy import Engine, func, inspect, select

from app.db.migrate import downgrade, migrate
from app.db.session import writing
from app.db.tables import samples


def test_skill_comes_and_goes_with_rows_in_the_tables(either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        add_game(connection)
    downgrade(either_engine, "0001")
    assert "scores" not in inspect(either_engine).get_table_names()
    migrate(either_engine)
    with either_engine.connect() as connection:
        counted = connection.execute(select(func.count(), func.sum(samples.c.strength_variance))).one()
    assert tuple(counted) == (60, 30.0)
