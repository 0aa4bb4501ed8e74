"""Cards of a private person's archive that name somebody else stay out of its game, wherever cards come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from factories import LONG_AGO, add_archive, add_generator, add_samples, add_tweets, words
from serving import Game, Opener
from sqlalchemy import Connection, select, update

from app.db import archives
from app.db.session import reading, writing
from app.db.tables import archives as table
from app.db.tables import samples, tweets
from app.web.entries import Entry

NAMED = "Clive Bose"
WITH_NAME = [f"{NAMED} and I say: {words(seed, 70)}" for seed in range(100, 110)]
WITHOUT = [words(seed, 90) for seed in range(10)]
SAMPLES_WITH_NAME = [f"{NAMED} and I say: {words(seed, 70)}" for seed in range(200, 210)]
SAMPLES_WITHOUT = [words(seed, 90) for seed in range(300, 310)]


def fill(connection: Connection, **values: Any) -> None:
    archive_id = add_archive(connection, **{"basis": "own"} | values)
    add_tweets(connection, archive_id, [*WITH_NAME, *WITHOUT])
    add_samples(connection, archive_id, add_generator(connection, archive_id), [*SAMPLES_WITH_NAME, *SAMPLES_WITHOUT])


def entry(game: Game) -> Entry:
    game.refresh()
    return game.services.catalogue.entries["mayor"]


def dealt(found: Entry) -> tuple[set[str], set[str]]:
    """The texts of the tweets that may be dealt, and of the samples."""
    deck = {card.text for place in range(len(found.deck)) if (card := found.deck.card(b"k" * 16, place))}
    rack = found.shelf.arms[0].rack
    return deck, {rack.texts[index] for index in rack.on_shelf(found.shelf.stamp)[0]}


def settle(game: Game, name_others: bool) -> None:
    with writing(game.engine) as connection:
        archives.let_names(connection, 1, name_others)
        connection.execute(update(table).values(stamp=table.c.stamp + 1))


@pytest.mark.parametrize("basis", ["own", "permission"])
def test_of_a_private_person_neither_tweets_nor_samples_name_anybody(serving: Opener, basis: str) -> None:
    found = entry(serving(fill=lambda connection: fill(connection, basis=basis)))
    assert dealt(found) == (set(WITHOUT), set(SAMPLES_WITHOUT))


@pytest.mark.parametrize("basis", ["public", None])
def test_of_a_public_figure_both_do(serving: Opener, basis: str | None) -> None:
    found = entry(serving(fill=lambda connection: fill(connection, basis=basis)))
    assert dealt(found) == ({*WITH_NAME, *WITHOUT}, {*SAMPLES_WITH_NAME, *SAMPLES_WITHOUT})


def test_the_setting_lets_them_in_and_out_while_people_play(serving: Opener) -> None:
    game = serving(fill=fill)
    before = entry(game).edition
    settle(game, True)
    assert dealt(entry(game)) == ({*WITH_NAME, *WITHOUT}, {*SAMPLES_WITH_NAME, *SAMPLES_WITHOUT})
    between = entry(game).edition
    settle(game, False)
    assert dealt(entry(game)) == (set(WITHOUT), set(SAMPLES_WITHOUT))
    assert before < between < entry(game).edition  # what was dealt before is looked at anew


def test_what_comes_later_is_looked_at_too(serving: Opener) -> None:
    game = serving(fill=fill)
    entry(game)
    with writing(game.engine) as connection:
        add_tweets(connection, 1, [f"{NAMED} once more: {words(400, 70)}", words(401, 90)])
        add_samples(connection, 1, 1, [f"{NAMED} once more: {words(500, 70)}", words(501, 90)])
    assert dealt(entry(game)) == ({*WITHOUT, words(401, 90)}, {*SAMPLES_WITHOUT, words(501, 90)})


def test_practice_and_sets_leave_them_out(serving: Opener) -> None:
    def with_old_samples(connection: Connection) -> None:
        fill(connection)
        old = [f"{NAMED} of old: {words(seed, 70)}" for seed in range(600, 605)]
        add_samples(connection, 1, 1, old, retired_stamp=3)

    game = serving(fill=with_old_samples)
    found = entry(game)
    with reading(game.engine) as connection:
        named = {row.id for row in connection.execute(select(samples)) if NAMED in row.text}
        tweets_named = {row.id for row in connection.execute(select(tweets)) if NAMED in row.text}
    assert (found.hidden_samples, found.hidden_tweets) == (named, tweets_named)
    with game.client() as client:
        seen: Sequence[str] = ()
        for _ in range(8):
            asked = client.post("/api/rounds", json={"mode": "practice", "archive": "mayor", "generator": "v1"}).json()
            seen = [*seen, *(card["text"] for card in asked["cards"])]
            client.post("/api/guesses", json={"round": asked["round"], "pick": 0}).raise_for_status()
    assert len(seen) == 16
    assert not [text for text in seen if NAMED in text]


def test_nothing_that_names_somebody_hangs_in_the_hall(serving: Opener) -> None:
    def hung(connection: Connection) -> None:
        fill(connection)
        guessed = {"guesses": 9, "fooled": 8, "hung_at": LONG_AGO, "retired_stamp": 3}
        add_samples(connection, 1, 1, [f"{NAMED} in a frame: {words(700, 70)}", words(701, 90)], **guessed)

    game = serving(fill=hung)
    with reading(game.engine) as connection:
        named, unnamed = connection.scalars(select(samples.c.id).where(samples.c.hung_at.is_not(None)))
    with game.client() as client:
        assert NAMED not in client.get("/hall").text
        assert client.get(f"/hall/{named}").status_code == 404
        assert client.get(f"/hall/{unnamed}").status_code == 200
