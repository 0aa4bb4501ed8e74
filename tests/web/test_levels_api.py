"""Rounds near a player's level, as they are served: the same whenever they are asked for, and none in a canary."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx
import pytest
from factories import add_arm, add_generator, add_samples, words
from serving import Game
from sqlalchemy import select, update

from app.db.session import writing
from app.db.tables import archives, arms, guesses, players, samples, seats
from app.game.rounds import NEAR, POLICY


def texts(client: httpx.Client, **ask: Any) -> tuple[str, list[str]]:
    body = client.post("/api/rounds", json=ask).json()
    return body["round"], [card["text"] for card in body["cards"]]


def guess(client: httpx.Client, token: str) -> None:
    assert client.post("/api/guesses", json={"round": token, "pick": 0}).status_code == 201


def play(client: httpx.Client, rounds: int) -> None:
    for _ in range(rounds):
        guess(client, texts(client)[0])


def known(game: Game, client: httpx.Client) -> httpx.Client:
    """A player whose skill the game knows, on a shelf whose samples were read: the next deal goes by both."""
    play(client, 1)
    with writing(game.engine) as connection:
        connection.execute(update(players).values(skill=1.5, skill_variance=0.1))
        connection.execute(update(samples).values(read_strength=samples.c.id % 7 / 3 - 1, read_stamp=0))
        connection.execute(update(archives).values(stamp=archives.c.stamp + 1))
    game.refresh()
    play(client, 2)  # the skill was laid down for the deal after next
    return client


def policies(game: Game) -> Counter[int]:
    with game.engine.connect() as connection:
        return Counter(connection.scalars(select(guesses.c.policy_version).where(guesses.c.position > 2)))


def test_a_known_players_rounds_stay_the_same_whatever_others_do_meanwhile(either_game: Game) -> None:
    client = known(either_game, either_game.client())
    for _ in range(3):
        token, shown = texts(client)
        prefetched = texts(client, after=token)[1]
        with writing(either_game.engine) as connection:
            connection.execute(update(players).values(skill=-1.0))
            connection.execute(update(samples).values(strength=3.0))
        either_game.refresh()
        either_game.services.dealer.given.rounds.clear()  # as if another process was asked
        assert texts(client)[1] == shown
        guess(client, token)
        either_game.services.dealer.given.rounds.clear()
        assert texts(client)[1] == prefetched


def test_how_a_round_was_dealt_is_kept_with_the_guess(game: Game) -> None:
    play(known(game, game.client()), 20)
    counted = policies(game)
    assert set(counted) <= {NEAR, POLICY}
    assert counted[NEAR]
    with game.engine.connect() as connection:
        odds = set(connection.scalars(select(guesses.c.card_probability).where(guesses.c.policy_version == NEAR)))
    assert len(odds) > 1
    assert all(0 < each <= 1 for each in odds)


def test_while_a_canary_is_judged_and_for_simulated_players_chance_alone_deals(game: Game) -> None:
    play(known(game, game.simulated()), 12)
    with game.engine.connect() as connection:
        assert set(connection.scalars(select(seats.c.next_skill))) == {None}
    with writing(game.engine) as connection:
        candidate = add_generator(connection, 1)
        connection.execute(update(arms).where(arms.c.arm == "champion").values(share=0.8))
        add_arm(connection, 1, "candidate", candidate, 0.2)
        add_samples(connection, 1, candidate, [words(20_000 + seed, 100) for seed in range(30)])
    game.refresh()
    play(known(game, game.client()), 12)
    assert set(policies(game)) == {POLICY}


def test_a_sample_is_read_once_when_guesses_have_told_its_strength(game: Game) -> None:
    client = game.client()
    play(client, 1)
    with writing(game.engine) as connection:
        assert connection.scalars(select(samples.c.read_stamp).where(samples.c.read_stamp.is_not(None))).all() == []
        connection.execute(update(samples).values(strength=0.7, strength_variance=0.3))
        stamp = connection.execute(select(archives.c.stamp)).scalar_one()
    play(client, 3)
    with game.engine.connect() as connection:
        read = select(samples.c.read_strength, samples.c.read_stamp).where(samples.c.read_stamp.is_not(None))
        found = connection.execute(read.order_by(samples.c.read_stamp)).all()
    assert [row.read_stamp for row in found] == [stamp + 1, stamp + 2, stamp + 3]
    assert [row.read_strength for row in found] == pytest.approx([0.7] * 3, abs=0.2)
