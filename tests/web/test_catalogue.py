"""The catalogue follows the database, and the recorder and the metrics follow play."""

from __future__ import annotations

import asyncio
import gc
import socket
import weakref

import httpx
import pytest
from factories import (
    LONG_AGO,
    a_guess,
    add_archive,
    add_arm,
    add_game,
    add_generator,
    add_samples,
    add_tweets,
    words,
)
from loops import awaited
from prometheus_client import REGISTRY
from serving import Game, Opener
from sqlalchemy import delete, update

from app.db import removals
from app.db.batch import Guess
from app.db.session import now, writing
from app.db.tables import archives, arms, imports, samples
from app.web.metrics import start_metrics
from app.web.recorder import DatabaseAway


def level(game: Game) -> int:
    game.refresh()
    return game.services.catalogue.entries["mayor"].shelf.level()


def test_a_restock_is_on_the_shelf_with_its_flip(game: Game) -> None:
    assert level(game) == 60
    with writing(game.engine) as connection:
        add_samples(connection, 1, 1, [words(seed) for seed in range(9000, 9010)])
    assert level(game) == 70


def test_a_sample_that_retired_is_off_the_shelf(game: Game) -> None:
    with writing(game.engine) as connection:
        connection.execute(update(archives).values(stamp=archives.c.stamp + 1))
        connection.execute(update(samples).where(samples.c.id <= 5).values(retired_stamp=3))
    assert level(game) == 55


def test_a_sample_that_is_shown_again_is_back_on_the_shelf(game: Game) -> None:
    for moment, expected in ((LONG_AGO, 59), (None, 60)):
        with writing(game.engine) as connection:
            connection.execute(update(archives).values(stamp=archives.c.stamp + 1))
            connection.execute(update(samples).where(samples.c.id == 5).values(hidden_at=moment))
        assert level(game) == expected


def test_a_shelf_that_was_followed_by_another_is_forgotten_although_its_rounds_are_open(game: Game) -> None:
    shelf = weakref.ref(game.services.catalogue.entries["mayor"].shelf.arms[0].rack)
    assert game.client().post("/api/rounds").status_code == 201
    with writing(game.engine) as connection:
        add_samples(connection, 1, 1, [words(9000)])
    game.refresh()
    gc.collect()
    assert shelf() is None
    assert len(game.services.dealer.given.rounds) == 1


def test_an_import_adds_its_cards_when_it_is_done(game: Game) -> None:
    with writing(game.engine) as connection:
        add_tweets(connection, 1, [words(seed) for seed in range(500, 520)])
        connection.execute(update(imports).where(imports.c.id == 2).values(state="running"))
        connection.execute(update(archives).values(stamp=archives.c.stamp + 1))
    game.refresh()
    assert len(game.services.catalogue.entries["mayor"].deck) == 60
    with writing(game.engine) as connection:
        connection.execute(update(imports).where(imports.c.id == 2).values(state="done"))
        connection.execute(update(archives).values(stamp=archives.c.stamp + 1))
    game.refresh()
    assert len(game.services.catalogue.entries["mayor"].deck) == 80


def test_a_new_champion_plays_at_once_for_players_who_stand_in_the_middle(game: Game) -> None:
    client = game.client()
    token = client.post("/api/rounds").json()["round"]
    assert client.post("/api/guesses", json={"round": token, "pick": 0}).json()["generator"] == "v1"
    with writing(game.engine) as connection:
        second = add_generator(connection, 1)
        add_samples(connection, 1, second, [words(seed, 100) for seed in range(7000, 7060)])
        connection.execute(delete(arms).where(arms.c.arm == "champion"))
        add_arm(connection, 1, "champion", second, 1.0)
    game.refresh()
    client.post("/api/rounds")
    game.services.dealer.given.rounds.clear()
    token = client.post("/api/rounds").json()["round"]
    assert client.post("/api/guesses", json={"round": token, "pick": 0}).json()["generator"] == "v2"


def test_the_shelf_of_an_archive_that_was_deleted_wakes_nobody(game: Game) -> None:
    """What a web server last knew of it would be low, or empty, until that server is started again."""
    assert level(game) == 60
    labels = {"archive": "mayor"}
    assert REGISTRY.get_sample_value("whichtweet_shelf_samples", labels) == 60
    with writing(game.engine) as connection:
        removals.hide(connection, 1, now())
    game.refresh()
    assert REGISTRY.get_sample_value("whichtweet_shelf_samples", labels) is None


def test_a_paused_archive_is_not_dealt(game: Game) -> None:
    with writing(game.engine) as connection:
        connection.execute(update(archives).values(paused=True))
    game.refresh()
    assert game.client().post("/api/rounds").status_code == 503


def test_nothing_of_an_archive_that_was_removed_is_taken_for_one_that_came_after(game: Game) -> None:
    """On SQLite the next archive gets the number of the one that was removed, if that was the newest."""
    before = game.services.catalogue.entries["mayor"]
    awaited(game.services.fixed.daily(before, game.services.fixed.today()))
    with game.client() as client:
        assert client.post("/api/rounds", json={"mode": "practice", "generator": "v1"}).status_code == 201
        for _ in range(10):
            token = client.post("/api/rounds", json={}).json()["round"]
            assert client.post("/api/guesses", json={"round": token, "pick": 0}).status_code == 201
        challenge = client.post("/api/challenges", json={}).json()["challenge"]
        in_challenge = {"mode": "challenge", "challenge": challenge}
    with game.client() as client:
        assert client.post("/api/rounds", json=in_challenge).status_code == 201
    with writing(game.engine) as connection:
        removals.hide(connection, 1, LONG_AGO)
    game.refresh()
    with writing(game.engine) as connection:
        while removals.remove_batch(connection, 1):
            pass
        archive_id = add_archive(connection, "mayor", created_at=now())
        add_tweets(connection, archive_id, [words(seed) for seed in range(5000, 5080)])
        add_samples(
            connection, archive_id, add_generator(connection, archive_id), [words(s) for s in range(6000, 6080)]
        )
    game.refresh()

    after = game.services.catalogue.entries["mayor"]
    assert after.archive.id == before.archive.id
    assert len(after.deck) == 80
    new = {words(seed) for seed in (*range(5000, 5080), *range(6000, 6080))}
    with game.client() as client:
        for ask in ({}, {"mode": "practice", "generator": "v1"}, {"mode": "daily"}):
            cards = client.post("/api/rounds", json=ask).json()["cards"]
            assert {card["text"] for card in cards} <= new, ask
        assert "cards" not in client.post("/api/rounds", json=in_challenge).json()
        assert client.get(f"/api/sets/challenge/{challenge}").status_code == 404


def test_play_goes_on_from_memory_while_the_catalogue_cannot_be_read(game: Game) -> None:
    with game.engine.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE generators RENAME TO lost")
        connection.commit()
    with pytest.raises(Exception, match="generators"):
        game.refresh()
    assert game.client().post("/api/rounds").status_code == 201


def test_one_guess_that_cannot_be_written_takes_no_other_with_it(game: Game) -> None:
    def guess(number: int, tweet_id: int) -> Guess:
        return a_guess(number, 0, (tweet_id, 1, 1), stamp=2)

    async def together() -> list[object]:
        asked = [guess(1, 1), guess(2, 999_999), guess(3, 2)]  # the second names a tweet that is not there
        return await asyncio.gather(*map(game.services.recorder.record, asked), return_exceptions=True)

    first, second, third = awaited(together())
    assert getattr(first, "is_new", False)
    assert isinstance(second, DatabaseAway)
    assert getattr(third, "is_new", False)


def test_metrics_tell_of_rounds_guesses_and_the_shelf_on_loopback(serving: Opener) -> None:
    game = serving(fill=lambda connection: add_game(connection, "measured"))
    client = game.client()
    token = client.post("/api/rounds").json()["round"]
    client.post("/api/guesses", json={"round": token, "pick": 0})
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    start_metrics(port)
    told = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    assert 'whichtweet_rounds_total{lengths="alike"}' in told
    assert 'whichtweet_guesses_total{crowd="real"}' in told
    assert 'whichtweet_shelf_samples{archive="measured"} 60.0' in told
    assert 'path="/api/guesses"' in told
