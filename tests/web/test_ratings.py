"""What a guess moves besides its label: the player's skill, the sample's strength, the scores of the day and week."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from factories import a_guess
from serving import Game
from sqlalchemy import select, update

from app.db import scores
from app.db.batch import House
from app.db.guesses import Recorded, record
from app.db.session import now, writing
from app.db.tables import guesses, players, samples
from app.db.tables import scores as score_rows
from app.game import skill
from app.game.skill import NEWCOMER, UNREAD, Belief


def play(client: httpx.Client, **more: Any) -> dict[str, Any]:
    token = client.post("/api/rounds").json()["round"]
    body: dict[str, Any] = client.post("/api/guesses", json={"round": token, "pick": 0} | more).json()
    return body


def begun(client: httpx.Client) -> httpx.Client:
    """A player who has had their first pair, which was chosen to be easy and moves nothing."""
    play(client)
    return client


def test_the_first_pair_moves_nothing(game: Game) -> None:
    play(game.client())
    with game.engine.connect() as connection:
        assert connection.execute(select(players.c.skill)).scalar_one() == NEWCOMER.mean
        assert connection.execute(select(score_rows)).first() is None


def test_skill_moves_with_each_guess_and_is_kept_with_it(either_game: Game) -> None:
    client = begun(either_game.client())
    belief = NEWCOMER
    for _ in range(3):
        answer = play(client)
        belief = skill.after(belief, UNREAD, answer["verdict"])[0]
        assert answer["skill"] == skill.told(belief)
        with either_game.engine.connect() as connection:
            player = connection.execute(select(players.c.skill, players.c.skill_variance)).one()
            guess = connection.execute(
                select(guesses.c.skill, guesses.c.skill_variance).order_by(guesses.c.id.desc())
            ).first()
        assert Belief(*player) == belief
        assert guess == player


def test_a_pick_in_a_class_moves_nothing_by_which_another_answer_would_tell_its_verdict(game: Game) -> None:
    with writing(game.engine) as connection:
        (recorded,) = record(connection, [a_guess(7, 0, (1, 1, 1), now(), mode="class")], House(20, ("real",)))
    assert isinstance(recorded, Recorded)
    assert json.loads(recorded.answer)["verdict"]
    with game.engine.connect() as connection:
        assert connection.execute(select(players.c.skill)).scalar_one() == NEWCOMER.mean
        assert set(connection.scalars(select(samples.c.strength))) == {UNREAD.mean}


def test_a_card_that_was_known_moves_nothing(game: Game) -> None:
    play(begun(game.client()), recognised=True)
    with game.engine.connect() as connection:
        assert connection.execute(select(players.c.skill)).scalar_one() == NEWCOMER.mean
        assert set(connection.scalars(select(samples.c.strength))) == {UNREAD.mean}
        assert connection.execute(select(score_rows)).first() is None


@pytest.mark.parametrize("way", ["ticked", "without a cookie"])
def test_nobody_ranks_higher_by_owning_to_their_sure_picks_alone(game: Game, way: str) -> None:
    client = begun(game.client())

    def pick(card: int, *, is_sure: bool) -> None:
        dealt = client.post("/api/rounds").json()["round"]
        picked = game.services.seal.open(dealt).tweet_index ^ card
        sender = game.client() if way == "without a cookie" and not is_sure else client
        sender.post(
            "/api/guesses", json={"round": dealt, "pick": picked, "recognised": way == "ticked" and not is_sure}
        )

    for _ in range(10):
        pick(0, is_sure=True)
        pick(1, is_sure=False)
        pick(0, is_sure=False)
    [row] = client.get("/api/boards/mayor").json()["rows"]
    assert (row["guesses"], row["spotted"], row["best_streak"]) == (20, 10, 1)


def test_a_label_that_does_not_teach_leaves_the_sample_as_it_was(game: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.game.labels.GLANCE_MS", 60_000)  # nobody reads that fast, however slow the machine
    client = begun(game.client())
    verdict = play(client)["verdict"]  # quicker than anyone reads
    with game.engine.connect() as connection:
        assert set(connection.scalars(select(samples.c.strength))) == {UNREAD.mean}
        moved = connection.execute(select(players.c.skill)).scalar_one() - NEWCOMER.mean
    assert (moved > 0) == (verdict == "spotted")


def test_simulated_players_are_on_no_board(game: Game) -> None:
    play(begun(game.simulated()))
    with game.engine.connect() as connection:
        assert connection.execute(select(score_rows)).first() is None
        assert connection.execute(select(players.c.skill)).scalar_one() != NEWCOMER.mean


def test_a_board_ranks_from_ten_guesses_on_by_the_cautious_level(either_game: Game) -> None:
    clients = [begun(either_game.client()) for _ in range(3)]
    for client, rounds in zip(clients, (9, 12, 15), strict=True):
        for _ in range(rounds):
            play(client)
    at = now()
    with either_game.engine.connect() as connection:
        day = scores.top(connection, "day", 1, at)
        assert scores.top(connection, "week", 1, at) == day
        assert [row.guesses for row in sorted(day, key=lambda row: row.guesses)] == [12, 15]
        levels = [row.belief.cautious for row in day]
        assert levels == sorted(levels, reverse=True)
        places = [scores.place(connection, scores.keys(1, row.player_id, at)[0], at) for row in day]
        assert places == [1, 2]
        assert scores.place(connection, scores.keys(1, 1, at)[0], at) is None
        assert scores.top(connection, "day", 1, at + timedelta(days=1)) == []


def test_who_are_level_share_a_place(game: Game) -> None:
    clients = [begun(game.client()) for _ in range(3)]
    for client in clients:
        for _ in range(11):
            play(client)
    with writing(game.engine) as connection:
        best = connection.execute(select(score_rows.c.skill, score_rows.c.skill_variance, score_rows.c.level)).first()
        assert best
        two = score_rows.c.player_id.in_((2, 3))
        connection.execute(update(score_rows).where(two).values(**best._mapping))
        lower = {"skill": best.skill - 1, "level": best.level - 1}
        connection.execute(update(score_rows).where(score_rows.c.player_id == 1).values(**{**best._mapping, **lower}))
    for client, place in zip(clients, (3, 1, 1), strict=True):
        board = client.get("/api/boards/mayor").json()
        assert [row["place"] for row in board["rows"]] == [1, 1, 3]
        assert [row["place"] for row in board["rows"] if row["is_you"]] == [board["your_place"]] == [place]
        assert f"You are number {place}." in client.get("/board").text


def test_leaving_an_open_round_for_long_ends_a_ranked_streak(game: Game) -> None:
    client = begun(game.client())
    streak = 0
    for number in range(12):
        if number == 6:
            with writing(game.engine) as connection:
                long_ago = now() - timedelta(minutes=11)
                connection.execute(update(players).values(last_guess_at=long_ago))
                connection.execute(update(score_rows).values(last_guess_at=long_ago))
            streak = 0
        verdict = play(client)["verdict"]
        streak = streak + 1 if verdict == "spotted" else 0
        with game.engine.connect() as connection:
            assert connection.execute(select(score_rows.c.streak)).scalars().all() == [streak, streak]


def test_forget_me_takes_the_player_off_the_board(game: Game) -> None:
    client = game.client()
    for _ in range(12):
        play(client)
    client.delete("/api/players/me")
    with game.engine.connect() as connection:
        assert scores.top(connection, "day", 1, now()) == []


def test_scores_that_no_board_shows_any_more_are_dropped(either_game: Game) -> None:
    client = begun(either_game.client())
    play(client)
    with writing(either_game.engine) as connection:
        assert scores.drop_old(connection, now() + timedelta(days=13)) == 0
        assert scores.drop_old(connection, now() + timedelta(days=40)) == 2
        assert scores.drop_old(connection, now() + timedelta(days=40)) == 0
