"""Prepared statements find what SQLAlchemy finds, on both databases, and fail as it does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from factories import add_archive, add_tweets
from sqlalchemy import Engine, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from app.db.prepared import Prepared
from app.db.session import open_engine, reading, writing
from app.db.tables import players, transfers, tweets

AT = datetime(2026, 5, 4, 3, 2, 1, 250_000, tzinfo=UTC)
ROW = {"key": b"k" * 16, "simulated": None, "created_at": AT, "day_accepted": 0, "skill": 0.25}
ADD = Prepared(insert(players), tuple(ROW))
KNOWN = Prepared(
    select(players.c.key, players.c.created_at, players.c.skill, players.c.day.is_(None), players.c.simulated).where(
        players.c.key == bindparam("key")
    )
)


def test_values_of_all_kinds_come_back_as_they_went(either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        ADD.each(connection, [ROW, ROW | {"key": b"l" * 16, "simulated": "coin"}])
    with reading(either_engine) as connection:
        assert KNOWN.rows(connection, key=b"k" * 16) == [(b"k" * 16, AT, 0.25, True, None)]
        assert KNOWN.rows(connection, key=b"l" * 16) == [(b"l" * 16, AT, 0.25, True, "coin")]
        assert KNOWN.rows(connection, key=b"m" * 16) == []


@pytest.mark.parametrize("length", [0, 1, 2, 3, 5, 8, 100])
def test_lists_of_any_length_are_asked_for(either_engine: Engine, length: int) -> None:
    with writing(either_engine) as connection:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, [f"the {number}. ferry of the day" for number in range(120)])
        found = connection.execute(select(tweets.c.id, tweets.c.text).order_by(tweets.c.id)).all()
    wanted = [tuple(row) for row in found[:length]]
    by_id = Prepared(select(tweets.c.id, tweets.c.text).where(tweets.c.id.in_(bindparam("ids", expanding=True))))
    by_both = Prepared(select(tweets.c.id, tweets.c.text), among=("both", (tweets.c.id, tweets.c.text)))
    with reading(either_engine) as connection:
        assert sorted(by_id.rows(connection, ids=[row[0] for row in wanted])) == wanted
        assert sorted(by_both.rows(connection, both=wanted)) == wanted


def test_a_change_for_no_row_is_none(either_engine: Engine) -> None:
    change = Prepared(update(players).where(players.c.key == bindparam("of")).values(skill=bindparam("mean")))
    with writing(either_engine) as connection:
        ADD.each(connection, [ROW])
        change.each(connection, [])
        change.each(connection, [{"of": b"k" * 16, "mean": 1.5}])
        assert KNOWN.rows(connection, key=b"k" * 16)[0][2] == 1.5


def test_what_the_database_refuses_is_an_error_of_sqlalchemy(either_engine: Engine) -> None:
    orphan = {"code_hash": b"c" * 32, "player_id": 77, "expires_at": AT}
    with pytest.raises(IntegrityError), writing(either_engine) as connection:
        ADD.each(connection, [ROW, ROW])
    with pytest.raises(IntegrityError), writing(either_engine) as connection:
        Prepared(insert(transfers), tuple(orphan)).each(connection, [orphan])
    with reading(either_engine) as connection:
        assert KNOWN.rows(connection, key=b"k" * 16) == []


@pytest.mark.postgres
def test_a_connection_that_was_cut_is_given_up(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    with engine.connect() as connection, engine.connect() as other:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        other.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
        with pytest.raises(OperationalError) as away:
            KNOWN.rows(connection, key=b"k" * 16)
        assert away.value.connection_invalidated
        assert connection.invalidated
    with reading(engine) as connection:
        assert KNOWN.rows(connection, key=b"k" * 16) == []
    engine.dispose()
