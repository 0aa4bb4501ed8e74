"""Raw guesses go when they are older than they are kept; what was counted stays, and play goes on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from factories import add_game
from serving import serve, settings
from sqlalchemy import func, select, update

from app.db.migrate import downgrade, migrate
from app.db.session import now, open_engine, reading, writing
from app.db.tables import guesses, labels, tallies, tweets
from app.jobs.removing import drop_guesses
from app.jobs.workshop import Workshop


def play(client, rounds):
    tokens = []
    for _ in range(rounds):
        tokens.append(client.post("/api/rounds").json()["round"])
        assert client.post("/api/guesses", json={"round": tokens[-1], "pick": 0}).status_code == 201
    return tokens


def fill(url):
    engine = open_engine(url)
    with writing(engine) as connection:
        add_game(connection)
    return engine


def test_old_guesses_go_and_what_was_counted_stays(either_url: str, tmp_path: Path) -> None:
    engine = fill(either_url)
    with serve(settings(either_url, tmp_path)) as game, game.client() as client:
        play(client, 6)
        with writing(engine) as connection:
            old = {"guessed_at": now() - timedelta(days=91)}
            connection.execute(update(guesses).where(guesses.c.id <= 4).values(old))
        assert drop_guesses(Workshop(engine, tmp_path), now()) == 0, "kept for good unless somebody says otherwise"
        assert drop_guesses(Workshop(engine, tmp_path, guesses_kept_days=90), now()) == 4
        with reading(engine) as connection:
            for table in (guesses, labels):
                assert connection.scalar(select(func.count()).select_from(table)) == 2
            assert connection.scalar(select(func.sum(tallies.c.guesses))) == 6
        assert client.get("/api/players/me").json()["guesses"] == 6
        play(client, 2)
    engine.dispose()


def test_a_guess_of_a_clock_that_was_ahead_holds_up_no_other(either_url: str, tmp_path: Path) -> None:
    """It stays until its own time has come: to a clock that is set back all others would look like it."""
    engine = fill(either_url)
    with serve(settings(either_url, tmp_path)) as game, game.client() as client:
        play(client, 4)
        with writing(engine) as connection:
            for guess, days in ((1, 365), (2, -91), (3, -91)):
                values = {"guessed_at": now() + timedelta(days=days)}
                connection.execute(update(guesses).where(guesses.c.id == guess).values(values))
        workshop = Workshop(engine, tmp_path, guesses_kept_days=90)
        assert drop_guesses(workshop, now()) == 2
        assert drop_guesses(workshop, now() - timedelta(days=9000)) == 0
        with reading(engine) as connection:
            assert sorted(connection.scalars(select(guesses.c.id))) == [1, 4]
    engine.dispose()


def test_guesses_are_numbered_on_where_all_before_were_old(either_url: str, tmp_path: Path) -> None:
    """What was learned from, and what a canary is judged by, is told by numbers: after an idle month they go on."""
    engine = fill(either_url)
    with serve(settings(either_url, tmp_path)) as game, game.client() as client:
        play(client, 3)
        with writing(engine) as connection:
            connection.execute(update(guesses).values(guessed_at=now() - timedelta(days=91)))
        drop_guesses(Workshop(engine, tmp_path, guesses_kept_days=90), now())
        play(client, 1)
        assert drop_guesses(Workshop(engine, tmp_path, guesses_kept_days=90), now()) <= 1
        with reading(engine) as connection:
            assert connection.scalars(select(guesses.c.id)).all() == [4]
    engine.dispose()


def test_guesses_outlive_rounds() -> None:
    """Else a round could be guessed at again when its first guess is gone."""
    with pytest.raises(ValueError, match="must be longer than WHICHTWEET_ROUND_MINUTES"):
        settings("", Path("data"), guesses_kept_days=1, round_minutes=2000.0)


@pytest.mark.slow
def test_a_played_game_goes_down_to_the_first_schema_and_up_again(either_url: str, tmp_path: Path) -> None:
    engine = fill(either_url)
    with serve(settings(either_url, tmp_path)) as game, game.client() as client:
        tokens = play(client, 5)
        cookies = dict(client.cookies)
    wanted = (
        select(guesses.c.round_id, guesses.c.answer, guesses.c.pick).order_by(guesses.c.id),
        select(tweets.c.text).order_by(tweets.c.id),
    )
    with reading(engine) as connection:
        before = [connection.execute(query).all() for query in wanted]
    downgrade(engine, "0001")
    with reading(engine) as connection:
        assert [connection.execute(query).all() for query in wanted] == before
    migrate(engine)
    with reading(engine) as connection:
        assert [connection.execute(query).all() for query in wanted] == before
    with serve(settings(either_url, tmp_path)) as game, game.client(cookies=cookies) as client:
        assert client.post("/api/guesses", json={"round": tokens[0], "pick": 0}).status_code == 200
        play(client, 2)
        assert client.get("/api/players/me").json()["guesses"] == 7
    engine.dispose()
