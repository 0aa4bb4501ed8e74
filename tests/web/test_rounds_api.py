"""POST /api/rounds: one open round a player, and one ahead; nothing to shop for, nothing to read."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest
from factories import add_archive, add_game, add_generator, add_samples, add_tweets, words
from serving import Game, Opener
from sqlalchemy import Connection, Table, select, update

from app.db.session import now, writing
from app.db.tables import archives, guesses, samples, tweets


def a_round(client: httpx.Client, **ask: Any) -> dict[str, Any]:
    response = client.post("/api/rounds", json=ask)
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


def texts(body: dict[str, Any]) -> set[str]:
    return {card["text"] for card in body["cards"]}


def test_a_round_is_two_cards_with_nothing_but_their_texts(game: Game) -> None:
    body = a_round(game.client())
    assert set(body) == {"round", "archive", "mode", "cards", "expires_at"}
    assert body["archive"] == {"slug": "mayor", "handle": "MayorOfTest", "name": "Mayor"}
    assert [set(card) for card in body["cards"]] == [{"text"}, {"text"}]


def test_one_card_is_a_tweet_and_the_other_a_sample(game: Game) -> None:
    shown = texts(a_round(game.client()))
    with game.engine.connect() as connection:
        assert len(shown & set(connection.scalars(select(tweets.c.text)))) == 1
        assert len(shown & set(connection.scalars(select(samples.c.text)))) == 1


def test_asking_again_gives_the_same_open_round_word_for_word(game: Game) -> None:
    client = game.client()
    assert client.post("/api/rounds").content == client.post("/api/rounds", json={"archive": "mayor"}).content


def test_asking_again_gives_the_same_pair_while_the_shelf_changes(game: Game) -> None:
    client = game.client()
    before = texts(a_round(client))
    with writing(game.engine) as connection:
        add_samples(connection, 1, 1, [words(seed, 100) for seed in range(5000, 5200)])
    game.refresh()
    game.services.dealer.given.rounds.clear()  # as if another process was asked
    assert texts(a_round(client)) == before


def test_another_process_deals_the_same_round(game: Game, serving: Opener) -> None:
    client = game.client()
    before = a_round(client)
    other = serving(fill=lambda _: None)
    with other.client(cookies=client.cookies) as elsewhere:
        assert texts(a_round(elsewhere)) == texts(before)


def test_the_next_round_can_be_had_ahead_and_is_what_comes_after_the_guess(game: Game) -> None:
    client = game.client()
    first = a_round(client)
    ahead = client.post("/api/rounds", json={"after": first["round"]})
    assert ahead.status_code == 201
    client.post("/api/guesses", json={"round": first["round"], "pick": 0})
    assert client.post("/api/rounds").content == ahead.content


def test_the_tweet_of_the_pair_that_opens_is_not_in_the_round_ahead(serving: Opener) -> None:
    def few(connection: Connection) -> None:
        add_game(connection, cards=6)

    game = serving(fill=few)
    for _ in range(40):  # the pair that opens is out of turn: one in five would meet its tweet next
        client = game.client()
        first = a_round(client)
        assert not texts(first) & texts(a_round(client, after=first["round"]))


def test_no_more_than_two_rounds_are_open(game: Game) -> None:
    client = game.client()
    ahead = a_round(client, after=a_round(client)["round"])
    third = client.post("/api/rounds", json={"after": ahead["round"]})
    assert (third.status_code, third.json()["type"]) == (409, "/problems/out-of-turn")


def test_looking_ahead_from_an_answered_round_gives_the_open_one(game: Game) -> None:
    client = game.client()
    first = a_round(client)
    client.post("/api/guesses", json={"round": first["round"], "pick": 0})
    assert a_round(client, after=first["round"]) == a_round(client)


def test_no_player_meets_a_card_twice_until_the_deck_is_through(game: Game) -> None:
    client = game.client()
    seen: list[str] = []
    # The pair that opens takes the place of the card that would have been first: that one waits for the second time.
    for _ in range(59):
        body = a_round(client)
        assert "repeat" not in body
        seen += texts(body)
        client.post("/api/guesses", json={"round": body["round"], "pick": 0})
    assert len(set(seen)) == 118
    last = a_round(client)
    assert "repeat" not in last, "the card that waited was met by nobody"
    assert not texts(last) & set(seen)
    client.post("/api/guesses", json={"round": last["round"], "pick": 0})
    assert a_round(client)["repeat"] is True


def test_tokens_have_one_width(game: Game) -> None:
    assert len({len(str(a_round(game.client())["round"])) for _ in range(20)}) == 1


def test_a_player_starts_in_each_archive_on_their_own(serving: Opener) -> None:
    def two(connection: Connection) -> None:
        add_game(connection, "mayor")
        add_game(connection, "obama")

    client = serving(fill=two).client()
    mayor = a_round(client, archive="mayor")
    obama = a_round(client, archive="obama")
    assert obama["archive"]["slug"] == "obama"
    assert a_round(client, archive="mayor") == mayor
    assert client.post("/api/rounds", json={"archive": "obama", "after": mayor["round"]}).status_code == 422


def test_a_real_archive_is_played_before_the_demo(serving: Opener) -> None:
    def two(connection: Connection) -> None:
        add_game(connection, "demo", is_demo=True)
        add_game(connection, "real")

    assert a_round(serving(fill=two).client())["archive"]["slug"] == "real"


def test_an_unknown_archive_is_not_found(game: Game) -> None:
    response = game.client().post("/api/rounds", json={"archive": "nobody"})
    assert (response.status_code, response.json()["type"]) == (404, "/problems/no-archive")


@pytest.mark.parametrize(("networks", "kind"), [(0, "untaught"), (1, "shelf-empty")])
def test_an_empty_shelf_says_when_to_come_back(serving: Opener, networks: int, kind: str) -> None:
    def add_archive_with_deck_only(connection: Connection) -> None:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, [words(1), words(2)])
        for _ in range(networks):
            add_generator(connection, archive_id)

    response = serving(fill=add_archive_with_deck_only).client().post("/api/rounds")
    assert (response.status_code, response.json()["type"]) == (503, f"/problems/{kind}")
    assert int(response.headers["retry-after"]) > 0


def test_a_player_who_met_every_sample_gets_no_pair_again(serving: Opener) -> None:
    client = serving(fill=lambda connection: add_game(connection, on_shelf=3)).client()
    for _ in range(3):
        client.post("/api/guesses", json={"round": a_round(client)["round"], "pick": 0})
    refused = client.post("/api/rounds")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/all-met")


@pytest.mark.parametrize("table", [tweets, samples])
def test_a_hidden_card_leaves_the_open_round_at_once(game: Game, table: Table) -> None:
    client = game.client()
    shown = texts(a_round(client))
    with writing(game.engine) as connection:
        connection.execute(update(table).where(table.c.text.in_(shown)).values(hidden_at=now()))
        connection.execute(update(archives).values(stamp=archives.c.stamp + 1))
    game.refresh()
    assert not texts(a_round(client)) >= shown


def test_a_card_with_a_character_that_the_generator_cannot_write_is_not_dealt(serving: Opener) -> None:
    def fill(connection: Connection) -> None:
        archive_id = add_game(connection, cards=1)
        add_tweets(connection, archive_id, ["Ω" + words(seed) for seed in range(30)])

    client = serving(fill=fill).client()
    first = a_round(client)
    assert not any("Ω" in text for text in texts(first))
    client.post("/api/guesses", json={"round": first["round"], "pick": 0})
    assert a_round(client)["repeat"] is True


def test_tweets_that_lean_on_others_are_dealt_by_setting(serving: Opener) -> None:
    def fill(connection: Connection) -> None:
        archive_id = add_game(connection, cards=1)
        reply = ["@ada " + words(seed) for seed in range(30)]
        add_tweets(connection, archive_id, reply, leaning="reply")

    client = serving(fill=fill, deck_include=("reply",)).client()
    shown: set[str] = set()
    for _ in range(5):
        body = a_round(client)
        shown |= texts(body)
        client.post("/api/guesses", json={"round": body["round"], "pick": 0})
    assert any(text.startswith("@ada") for text in shown)


def test_dealing_writes_nothing(game: Game) -> None:
    client = game.client()
    a_round(client, after=a_round(client)["round"])
    with game.engine.connect() as connection:
        assert connection.execute(select(guesses)).first() is None
        assert connection.exec_driver_sql("SELECT count(*) FROM players").scalar() == 0


def test_many_players_at_once_get_rounds_of_their_own(game: Game) -> None:
    found: list[str] = []

    def play() -> None:
        with game.client() as client:
            found.append(str(a_round(client)["round"]))

    threads = [threading.Thread(target=play) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 16
