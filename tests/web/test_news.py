"""The one line for a player who comes back: what was learned meanwhile, and from whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from factories import add_generator, add_samples, words
from serving import Game
from sqlalchemy import Connection, insert, select, update

from app.db.novelties import Generation
from app.db.session import now, writing
from app.db.tables import arms, decisions, generators, guesses, label_sets, labels, players, tallies
from app.web.news import told


def come_back_after(game: Game, **ago: Any) -> None:
    """Let every player's last guess lie so long ago."""
    then = now() - timedelta(**ago)
    with writing(game.engine) as connection:
        connection.execute(update(players).values(last_guess_at=then, day=int(then.timestamp() // 86_400)))


def play(client: httpx.Client, rounds: int) -> None:
    for _ in range(rounds):
        token = client.post("/api/rounds", json={"archive": "mayor"}).json()["round"]
        assert client.post("/api/guesses", json={"round": token, "pick": 0}).status_code == 201


def promote(connection: Connection, accepted: int, cutoff: int) -> None:
    """A second generator that learned from so many labels becomes the champion."""
    learned = {
        "archive_id": 1,
        "cutoff_guess_id": cutoff,
        "rules_version": 2,
        "counts": {"accepted": accepted},
        "file_key": "labels/1.jsonl",
        "sha256": "0" * 64,
        "created_at": now(),
    }
    set_id = connection.execute(insert(label_sets).values(learned).returning(label_sets.c.id)).scalar_one()
    champion = connection.scalar(select(arms.c.generator_id).where(arms.c.arm == "champion"))
    second = add_generator(connection, 1, label_set_id=set_id)
    add_samples(connection, 1, second, [words(30_000 + number, 60 + number) for number in range(60)])
    connection.execute(update(arms).where(arms.c.arm == "champion").values(generator_id=second))
    decided = {"archive_id": 1, "generator_id": second, "champion_id": champion, "verdict": "promoted"}
    connection.execute(insert(decisions).values(decided | {"taken_by": "retrain", "taken_at": now(), "figures": {}}))
    for generator_id, fooled in ((champion, 33), (second, 38)):
        count = {"archive_id": 1, "generator_id": generator_id, "day": 20_000, "mode": "endless", "crowd": "real"}
        connection.execute(insert(tallies).values(count | {"guesses": 100, "fooled": fooled, "accepted": 90}))


@pytest.fixture
def client(game: Game) -> httpx.Client:
    return game.client()


def test_a_newcomer_and_who_was_here_today_read_no_news(client: httpx.Client) -> None:
    assert 'class="news"' not in client.get("/").text
    play(client, 1)
    assert 'class="news"' not in client.get("/").text


def test_no_change_is_said_as_plainly(client: httpx.Client, game: Game) -> None:
    play(client, 1)
    come_back_after(game, days=1)
    assert "Nothing has changed since yesterday: v1 still plays." in client.get("/").text


def test_a_change_tells_of_how_many_guesses_and_how_many_of_them_yours(client: httpx.Client, game: Game) -> None:
    play(client, 6)
    come_back_after(game, days=1)
    with writing(game.engine) as connection:
        connection.execute(update(labels).where(labels.c.guess_id > 1).values(status="accepted", reason=None))
        last = connection.scalar(select(guesses.c.id).order_by(guesses.c.id.desc()).limit(1))
        connection.execute(tallies.delete())
        promote(connection, 412, last or 0)
    game.refresh()
    page = client.get("/").text
    assert "Since yesterday it learned from 412 guesses, 5 of them yours. v2 now fools 38 % (v1: 33 %)." in page
    with game.engine.connect() as connection:
        assert connection.scalar(select(generators.c.number).order_by(generators.c.id.desc()).limit(1)) == 2


@pytest.mark.parametrize(
    ("before", "after", "yours", "line"),
    [
        ((6, 100, 0.33), (7, 101, 0.38), 0, "Since 3 May it learned from 1 guess. v7 now fools 38 % (v6: 33 %)."),
        ((6, 100, 0.33), (5, 90, 0.4), 0, "Since 3 May another network plays. v5 now fools 40 % (v6: 33 %)."),
        ((1, 0, None), (2, 60, 0.5), 2, "Since 3 May it learned from 60 guesses, 2 of them yours. v2 now fools 50 %."),
    ],
    ids=["one guess", "rolled back", "nothing to compare with"],
)
def test_the_line_says_what_there_is(before: Any, after: Any, yours: int, line: str) -> None:
    one, other = (Generation(number, number, learned, 0, rate) for number, learned, rate in (before, after))
    assert told("since 3 May", one, other, yours) == line
