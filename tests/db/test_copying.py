"""A game copied from one database to the other holds the same, and is played on."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from factories import add_game
from serving import serve, settings
from sqlalchemy import Engine, func, insert, select, update

from app.db import jobs
from app.db.copying import LEFT_OUT, CopyError, copied_tables, copy, one_moment, snapshot, tally
from app.db.migrate import downgrade, revision
from app.db.session import now, open_engine, reading, writing
from app.db.tables import guesses, metadata, players, tweets, workers
from app.db.tables import jobs as jobs_table


def play(client: httpx.Client, rounds: int, pick: int = 0) -> list[dict[str, Any]]:
    verdicts = []
    for _ in range(rounds):
        token = client.post("/api/rounds").json()["round"]
        verdicts.append({"round": token} | client.post("/api/guesses", json={"round": token, "pick": pick}).json())
    return verdicts


@pytest.fixture
def played(sqlite_url: str, tmp_path: Path) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """A SQLite game in which somebody played 12 rounds: their cookies, and the verdicts."""
    engine = open_engine(sqlite_url)
    with writing(engine) as connection:
        add_game(connection)
    engine.dispose()
    with serve(settings(sqlite_url, tmp_path)) as game, game.client() as client:
        verdicts = play(client, 12)
        client.patch(f"/api/guesses/{verdicts[0]['guess']}", json={"reason": "sense", "report": "ümlaut\0 🔗 <b>"})
        return dict(client.cookies), verdicts


@pytest.mark.postgres
def test_a_game_moves_to_postgresql_and_is_played_on(
    played: tuple[dict[str, str], list[dict[str, Any]]], sqlite_url: str, postgres_url: str, tmp_path: Path
) -> None:
    cookies, verdicts = played
    here, there = open_engine(sqlite_url), open_engine(postgres_url)
    with writing(here) as connection:
        asked = jobs.ask(connection, "restock", 1, {"count": 5}, asked_by="test", at=now())
        assert asked is not None
        jobs.begin(connection, asked, "work-elsewhere-1-abcd", now())
        row = {"name": "work-elsewhere-1-abcd", "started_at": now(), "heartbeat_at": now(), "trains": False}
        connection.execute(insert(workers).values(row))

    copied = copy(here, there)

    assert set(copied) == set(metadata.tables) - LEFT_OUT
    assert (copied["tweets"].rows, copied["guesses"].rows, copied["labels"].rows) == (60, 12, 12)
    with reading(there) as connection:
        for table in copied_tables():
            if table is not jobs_table:
                assert tally(connection, table) == copied[table.name], table.name
        job = jobs.find(connection, asked)
        assert job is not None
        assert (job.state, job.worker, job.attempts) == ("queued", None, 1)
        assert connection.scalar(select(func.count()).select_from(workers)) == 0
    with serve(settings(postgres_url, tmp_path)) as game, game.client(cookies=cookies) as client:
        again = client.post("/api/guesses", json={"round": verdicts[-1]["round"], "pick": 0})
        assert (again.status_code, {"round": verdicts[-1]["round"]} | again.json()) == (200, verdicts[-1])
        later = play(client, 5)
        assert client.get("/api/players/me").json()["guesses"] == 17
        assert play(game.client(), 1)[0]["streak"] in (0, 1)
    assert not {verdict["guess"] for verdict in later} & {verdict["guess"] for verdict in verdicts}
    with reading(there) as connection:
        numbers = connection.scalars(select(guesses.c.id).order_by(guesses.c.id)).all()
        assert len(set(numbers)) == 18
        assert len(connection.scalars(select(players.c.id)).all()) == 2
    here.dispose()
    there.dispose()


def test_a_database_that_holds_a_game_is_not_copied_to(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as connection:
        add_game(connection)
    with pytest.raises(CopyError, match="holds a game already"):
        copy(open_engine(f"sqlite:///{tmp_path / 'other.db'}"), engine)


@pytest.mark.slow
def test_a_copy_that_is_broken_off_leaves_the_target_empty(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as connection:
        add_game(connection)
    target = open_engine(f"sqlite:///{tmp_path / 'other.db'}")

    def stop(table: str, rows: int) -> None:
        if table == "samples":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(engine, target, stop)
    with reading(target) as connection:
        assert connection.scalar(select(func.count()).select_from(tweets)) == 0
    assert copy(engine, target)["tweets"].rows == 60


@pytest.mark.postgres
def test_a_snapshot_leaves_a_database_of_an_earlier_program_as_it_is(postgres_url: str, tmp_path: Path) -> None:
    """Somebody backs it up before an upgrade, to have a way back."""
    engine = open_engine(postgres_url)
    downgrade(engine, "-1")
    with reading(engine) as connection:
        before = revision(connection)
    with pytest.raises(CopyError, match=f"at revision {before}, of an earlier program: make the backup with that one"):
        snapshot(engine, tmp_path / "copy.db")
    with reading(engine) as connection:
        assert revision(connection) == before
    engine.dispose()


def test_a_checksum_tells_a_changed_letter(engine: Engine) -> None:
    with writing(engine) as connection:
        add_game(connection)
    with reading(engine) as connection:
        before = tally(connection, tweets)
    with writing(engine) as connection:
        connection.execute(update(tweets).where(tweets.c.id == 7).values(text=tweets.c.text + "."))
    with reading(engine) as connection:
        after = tally(connection, tweets)
    assert (after.rows, after.checksum == before.checksum) == (before.rows, False)


def test_one_moment_stays_one_while_others_write(either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        add_game(connection)
    with one_moment(either_engine) as connection:
        before = tally(connection, tweets)
        writer = threading.Thread(target=_rename, args=(either_engine,))
        writer.start()
        writer.join(30)
        assert not writer.is_alive(), "a writer waits for a reader"
        assert tally(connection, tweets) == before
    with one_moment(either_engine) as connection:
        assert tally(connection, tweets) != before


def _rename(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(update(tweets).values(text="another"))
