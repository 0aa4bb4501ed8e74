"""What players may see, say and have forgotten of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import Game
from sqlalchemy import select

from app.db import jobs
from app.db.networks import OF_THE_FORGOTTEN
from app.db.session import now, writing
from app.db.tables import forgotten, guesses, players, remarks
from app.jobs.forgetting import forget_player
from app.jobs.hold import Hold
from app.jobs.workshop import Workshop, plainly


def play(client: httpx.Client) -> dict[str, Any]:
    token = client.post("/api/rounds").json()["round"]
    body: dict[str, Any] = client.post("/api/guesses", json={"round": token, "pick": 0}).json()
    return body | {"round": token}


def test_a_newcomer_has_played_nothing(game: Game) -> None:
    nothing = {"guesses": 0, "spotted": 0, "nickname": None, "skill": None, "archives": []}
    assert game.client().get("/api/players/me").json() == nothing


def test_a_player_sees_how_they_do(game: Game) -> None:
    client = game.client()
    verdicts = [play(client)["verdict"] for _ in range(6)]
    body = client.get("/api/players/me").json()
    assert (body["guesses"], body["spotted"]) == (6, verdicts.count("spotted"))
    assert body["archives"][0]["archive"] == "mayor"
    assert body["archives"][0]["best_streak"] >= body["archives"][0]["streak"]


def test_the_last_word_on_a_round_counts(game: Game) -> None:
    client = game.client()
    path = f"/api/guesses/{play(client)['guess']}"
    assert client.patch(path, json={"reason": "sense"}).status_code == 204
    assert client.patch(path, json={"report": "this is about my aunt"}).status_code == 204
    assert client.patch(path, json={"reason": "style"}).status_code == 204
    with game.engine.connect() as connection:
        row = connection.execute(select(remarks.c.reason, remarks.c.report)).one()
    assert tuple(row) == ("style", "this is about my aunt")


def test_nobody_speaks_of_another_players_round(game: Game) -> None:
    guess = play(game.client())["guess"]
    other = game.client()
    play(other)
    assert other.patch(f"/api/guesses/{guess}", json={"reason": "sense"}).status_code == 404


@pytest.mark.parametrize("guess", ["nothing", "00", "zz" * 16])
def test_a_guess_that_never_was_is_not_found(game: Game, guess: str) -> None:
    assert game.client().patch(f"/api/guesses/{guess}", json={"reason": "sense"}).status_code == 404


@pytest.mark.parametrize("body", [{"reason": "boring"}, {"report": "x" * 501}, {"verdict": "spotted"}])
def test_a_remark_that_is_not_as_documented_is_refused(game: Game, body: dict[str, str]) -> None:
    client = game.client()
    assert client.patch(f"/api/guesses/{play(client)['guess']}", json=body).status_code == 422


def test_forget_me_cuts_what_leads_from_the_cookie_to_the_guesses(either_game: Game) -> None:
    client = either_game.client()
    answer = play(client)
    client.patch(f"/api/guesses/{answer['guess']}", json={"reason": "sense", "report": "call me on 555"})
    with either_game.engine.connect() as connection:
        key = connection.execute(select(players.c.key)).scalar_one()
    cookies = dict(client.cookies)
    assert client.delete("/api/players/me").status_code == 204
    assert not client.cookies
    with either_game.engine.connect() as connection:
        assert connection.execute(select(players.c.key)).scalar_one() != key
        assert connection.execute(select(guesses.c.network)).scalar_one() == OF_THE_FORGOTTEN
        assert tuple(connection.execute(select(remarks.c.reason, remarks.c.report)).one()) == ("sense", None)
    with either_game.client(cookies=cookies) as old:
        assert old.get("/api/players/me").json()["guesses"] == 0
        assert old.patch(f"/api/guesses/{answer['guess']}", json={"reason": "style"}).status_code == 404


def test_open_rounds_of_a_forgotten_player_die(either_game: Game) -> None:
    client = either_game.client()
    play(client)
    first = client.post("/api/rounds").json()["round"]
    ahead = client.post("/api/rounds", json={"after": first}).json()["round"]
    cookies = dict(client.cookies)
    client.delete("/api/players/me")
    for token in (first, ahead):
        with either_game.client() as nobody, either_game.client(cookies=cookies) as old:
            for asker in (nobody, old):
                assert asker.post("/api/guesses", json={"round": token, "pick": 0}).status_code == 410
    with either_game.engine.connect() as connection:
        assert len(connection.execute(select(players.c.id)).all()) == 1
        assert len(connection.execute(select(guesses.c.id)).all()) == 1


def test_a_newcomers_open_round_dies_with_forget_me(game: Game) -> None:
    client = game.client()
    token = client.post("/api/rounds").json()["round"]
    client.delete("/api/players/me")
    assert game.client().post("/api/guesses", json={"round": token, "pick": 0}).status_code == 410


def test_an_old_cookie_starts_a_new_player_after_forget_me(game: Game) -> None:
    client = game.client()
    play(client)
    cookies = dict(client.cookies)
    client.delete("/api/players/me")
    with game.client(cookies=cookies) as old:
        play(old)
        assert old.get("/api/players/me").json()["guesses"] == 1
    with game.engine.connect() as connection:
        assert len(connection.execute(select(players.c.id)).all()) == 2


@pytest.mark.parametrize("way", [{}, {"mode": "daily", "archive": "mayor"}], ids=["endless", "daily"])
def test_a_page_left_open_plays_on_as_somebody_new_after_forget_me(game: Game, way: dict[str, str]) -> None:
    client = game.client()
    play(client)
    left_open = client.post("/api/rounds", json=way).json()["round"]
    client.delete("/api/players/me")  # in another tab
    assert client.post("/api/guesses", json={"round": left_open, "pick": 0}).status_code == 410
    dealt = client.post("/api/rounds", json=way | {"after": left_open})
    assert dealt.status_code == 201
    assert client.post("/api/guesses", json={"round": dealt.json()["round"], "pick": 0}).status_code == 201
    assert client.get("/api/players/me").json()["guesses"] == 1


def test_a_forgotten_key_is_kept_only_as_a_hash(game: Game) -> None:
    client = game.client()
    play(client)
    with game.engine.connect() as connection:
        key = connection.execute(select(players.c.key)).scalar_one()
    client.delete("/api/players/me")
    with game.engine.connect() as connection:
        assert connection.execute(select(forgotten.c.key_hash)).scalar_one() != key


def test_forget_me_is_carried_out_to_the_last_guess(either_game: Game, tmp_path: Path) -> None:
    client = either_game.client()
    for _ in range(3):
        play(client)
    ahead = client.post("/api/rounds").json()["round"]
    with either_game.engine.connect() as connection:
        before = connection.execute(select(players.c.id)).scalar_one()
    client.delete("/api/players/me")
    with writing(either_game.engine) as connection:
        job = jobs.claim(connection, "worker", ["forget"], now())
    assert job is not None
    hold = Hold(either_game.engine, job.claim)
    words = forget_player(Workshop(either_game.engine, tmp_path), job, hold, plainly)
    assert "3 guesses moved" in words
    with either_game.engine.connect() as connection:
        after = connection.execute(select(players.c.id)).scalar_one()
        assert after != before
        assert set(connection.scalars(select(guesses.c.player_id))) == {after}
    assert either_game.client().post("/api/guesses", json={"round": ahead, "pick": 0}).status_code == 410
