"""POST /api/guesses: each round is answered once, for good, on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import httpx
import pytest
from factories import add_game
from serving import SECRET, Game, Opener
from sqlalchemy import Row, func, select, update

from app.db.guesses import link
from app.db.session import writing
from app.db.tables import archives, guesses, labels, players, samples, seats, tallies
from app.web.sealed import RoundSeal


def a_round(client: httpx.Client, **ask: Any) -> str:
    response = client.post("/api/rounds", json=ask)
    assert response.status_code == 201, response.text
    return str(response.json()["round"])


def guess(client: httpx.Client, token: str, pick: int = 0, **more: Any) -> httpx.Response:
    return client.post("/api/guesses", json={"round": token, "pick": pick, **more})


def play(client: httpx.Client, pick: int = 0) -> dict[str, Any]:
    response = guess(client, a_round(client), pick)
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


def rows(game: Game) -> list[Row[Any]]:
    with game.engine.connect() as connection:
        return list(connection.execute(select(guesses).order_by(guesses.c.id)))


def kind(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["type"].removeprefix("/problems/")


def test_a_guess_is_answered_with_its_verdict(either_game: Game) -> None:
    response = guess(either_game.client(), a_round(either_game.client()), 0)
    assert response.status_code == 201
    body = response.json()
    assert set(body) == {
        *("guess", "verdict", "tweet", "posted_at", "url"),
        *("generator", "fool_rate", "guesses", "streak", "played", "spotted", "skill"),
    }
    assert body["verdict"] == ("spotted" if body["tweet"] == 0 else "fooled")
    assert body["url"].startswith("https://x.com/MayorOfTest/status/10")
    assert body["posted_at"].endswith("Z")
    assert (body["generator"], body["fool_rate"], body["guesses"]) == ("v1", None, 1)


@pytest.mark.parametrize(
    ("handle", "source_id"),
    [
        ("gannet.bsky.social", "1234567"),
        ("MayorOfTest", "a1234567"),
        (None, "1234567"),
        ("MayorOfTest", None),
        ("MayorOfTest", "123456"),
    ],
)
def test_nothing_but_a_tweet_of_an_account_at_x_is_linked_to(handle: str | None, source_id: str | None) -> None:
    assert link(handle, source_id) is None
    assert link("MayorOfTest", "1234567") == "https://x.com/MayorOfTest/status/1234567"


def test_a_guess_is_stored_as_it_was_dealt_and_picked(either_game: Game) -> None:
    client = either_game.client()
    response = guess(client, a_round(client), 1, recognised=True, shown_ms=4321)
    (row,) = rows(either_game)
    assert (row.pick, row.recognised, row.shown_ms, row.has_cookie) == (1, True, 4321, True)
    assert (row.arm, row.mode, row.arm_probability, row.repeat) == ("champion", "endless", 1.0, False)
    assert 0 < row.card_probability <= 1
    assert row.answer == response.text
    assert row.dealt_at <= row.guessed_at
    assert len(row.network) == 16


def test_the_same_guess_again_gets_the_same_answer_byte_for_byte(either_game: Game) -> None:
    client = either_game.client()
    token = a_round(client)
    first, again = guess(client, token), guess(client, token)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content
    assert len(rows(either_game)) == 1


def test_a_second_guess_with_the_other_card_changes_nothing(either_game: Game) -> None:
    client = either_game.client()
    token = a_round(client)
    first = guess(client, token, 0)
    other = guess(client, token, 1)
    assert kind(other) == (409, "already-answered")
    assert other.json()["recorded"] == first.json() | {"pick": 0}
    assert rows(either_game)[0].pick == 0


def test_of_forty_guesses_at_once_exactly_one_counts(either_game: Game) -> None:
    token = a_round(either_game.client())
    statuses: list[int] = []

    def send(pick: int) -> None:
        with either_game.client() as client:
            statuses.append(guess(client, token, pick).status_code)

    threads = [threading.Thread(target=send, args=(number % 2,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(statuses) == {201: 1, 200: 19, 409: 20}
    assert len(rows(either_game)) == 1
    with either_game.engine.connect() as connection:
        assert connection.execute(select(func.sum(tallies.c.guesses))).scalar() == 1
        assert connection.execute(select(func.sum(samples.c.exposures))).scalar() == 1


def test_players_at_once_lose_no_guess(either_game: Game) -> None:
    def sit() -> None:
        with either_game.client() as client:
            for _ in range(5):
                play(client)

    threads = [threading.Thread(target=sit) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows(either_game)) == 60
    with either_game.engine.connect() as connection:
        assert connection.execute(select(func.sum(seats.c.guesses))).scalar() == 60
        assert connection.execute(select(func.sum(samples.c.guesses))).scalar() == 60
        assert connection.execute(select(func.count()).select_from(labels)).scalar() == 60


def test_an_expired_round_that_was_never_guessed_is_gone(serving: Opener) -> None:
    game = serving(round_minutes=1e-6)
    client = game.client()
    assert kind(guess(client, a_round(client))) == (410, "round-expired")
    assert rows(game) == []


def test_an_answer_outlives_the_round_and_a_change_of_keys(serving: Opener) -> None:
    client = serving().client()
    token = a_round(client)
    first = guess(client, token)
    rotated = serving(
        fill=lambda _: None, round_minutes=1e-6, secret_key=f"a newer secret of tests: long enough,{SECRET}"
    )
    again = rotated.client(cookies=client.cookies).post("/api/guesses", json={"round": token, "pick": 0})
    assert (again.status_code, again.content) == (200, first.content)


def test_a_round_sealed_with_a_key_that_was_dropped_is_refused(serving: Opener) -> None:
    token = a_round(serving().client())
    game = serving(fill=lambda _: None, secret_key="another secret altogether: of forty chars")
    assert kind(guess(game.client(), token)) == (422, "not-our-round")


def test_another_players_round_is_refused(game: Game) -> None:
    other = game.client()
    a_round(other)
    assert kind(guess(other, a_round(game.client()))) == (422, "not-our-round")


def test_damaged_foreign_and_oddly_spelled_rounds_are_refused(game: Game) -> None:
    client = game.client()
    token = a_round(client)
    spellings = [
        token[:-1],
        token + "=",
        token.replace(token[40], "A" if token[40] != "A" else "B"),
        token[:50] + " " + token[51:],
        "+" + token[1:],
        token[:-1] + chr(ord(token[-1]) ^ 1),
        RoundSeal([bytes(32)])._seal.close(bytes(139)),
        "é" * len(token),
        "",
    ]
    assert {kind(guess(client, spelled)) for spelled in spellings} == {(422, "not-our-round")}
    assert guess(client, token).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        '{"pick": 0}',
        '{"round": "x", "pick": 2}',
        '{"round": "x", "pick": true}',
        '{"round": "x", "pick": "0"}',
        '{"round": "x", "pick": 0, "recognized": true}',
        '{"round": "x", "pick": 0, "shown_ms": -1}',
        '{"round": 7, "pick": 0}',
    ],
)
def test_a_body_that_is_not_as_documented_is_refused_by_name(game: Game, body: str) -> None:
    response = game.client().post("/api/guesses", content=body)
    assert kind(response) == (422, "bad-request")
    assert response.headers["content-type"] == "application/problem+json"


def test_the_round_ahead_waits_for_the_one_before(game: Game) -> None:
    client = game.client()
    first = a_round(client)
    ahead = a_round(client, after=first)
    assert kind(guess(client, ahead)) == (409, "out-of-turn")
    assert guess(client, first).status_code == 201
    assert guess(client, ahead).status_code == 201


def test_a_place_that_was_passed_with_another_round_is_gone(serving: Opener) -> None:
    game = serving()
    client = game.client()
    old = a_round(client)
    with writing(game.engine) as connection:
        hidden = update(samples).values(hidden_at=samples.c.id)
        connection.execute(hidden.where(samples.c.text.in_(_texts(client))))
        connection.execute(update(archives).values(stamp=archives.c.stamp + 1))
    game.refresh()
    play(client)
    assert kind(guess(client, old)) == (410, "round-superseded")


def _texts(client: httpx.Client) -> list[str]:
    return [card["text"] for card in client.post("/api/rounds").json()["cards"]]


def test_a_streak_lasts_until_the_machine_fools_one(game: Game) -> None:
    client = game.client()
    row = 0
    for _ in range(12):
        answer = play(client)
        row = row + 1 if answer["verdict"] == "spotted" else 0
        assert answer["streak"] == row


def test_a_sample_tells_whom_it_fooled_from_five_guesses_on(serving: Opener) -> None:
    game = serving(fill=lambda connection: add_game(connection, on_shelf=1))
    answers = [play(game.client()) for _ in range(6)]
    assert [answer["fool_rate"] is None for answer in answers] == [True] * 4 + [False] * 2
    fooled = sum(answer["verdict"] == "fooled" for answer in answers)
    assert answers[-1]["fool_rate"] == round(fooled / 6, 4)
    assert answers[-1]["guesses"] == 6


def test_a_sample_retires_after_so_many_guesses(either_serving: Opener) -> None:
    game = either_serving(fill=lambda connection: add_game(connection, on_shelf=2), sample_retires_after=3)
    with game.engine.connect() as connection:
        before = connection.execute(select(archives.c.stamp)).scalar_one()
    for _ in range(7):
        client = game.client()
        if client.post("/api/rounds").status_code == 503:
            break
        play(client)
        game.refresh()
    with game.engine.connect() as connection:
        assert set(connection.scalars(select(samples.c.exposures))) == {3}
        assert set(connection.scalars(select(samples.c.retired_stamp))) == {before + 1, before + 2}
        assert connection.execute(select(archives.c.stamp)).scalar_one() == before + 2


def test_a_guess_without_a_cookie_counts_for_the_rounds_player_and_teaches_nothing(game: Game) -> None:
    assert guess(game.client(), a_round(game.client())).status_code == 201
    with game.engine.connect() as connection:
        assert connection.execute(select(labels.c.status, labels.c.reason)).one() == ("excluded", "no cookie")


def test_without_cookies_the_game_goes_on_as_the_same_player(game: Game) -> None:
    seen: list[str] = []
    token = None
    for _ in range(5):
        response = game.client().post("/api/rounds", json={"after": token} if token else {})
        token = response.json()["round"]
        seen += [card["text"] for card in response.json()["cards"]]
        assert guess(game.client(), token).status_code == 201
    assert len(set(seen)) == 10
    with game.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(players)).scalar() == 1


def test_who_holds_the_round_of_somebody_else_gets_no_cookie_of_theirs(game: Game) -> None:
    token = a_round(game.client())
    for response in (
        game.client().post("/api/rounds", json={"after": token}),
        game.client().post("/a/mayor", data={"round": token, "after": "1"}),
    ):
        assert response.status_code < 300
        assert "set-cookie" not in response.headers
    assert "set-cookie" in game.client().post("/api/rounds", json={}).headers


def test_simulated_players_are_counted_apart(either_game: Game) -> None:
    with either_game.simulated("speller") as robot:
        answer = play(robot)
    assert answer["guesses"] == 0
    with either_game.engine.connect() as connection:
        assert connection.execute(select(tallies.c.crowd)).scalar() == "speller"
        assert connection.execute(select(labels.c.reason)).scalar() == "simulated"
        sample = connection.execute(select(func.sum(samples.c.guesses), func.sum(samples.c.exposures))).one()
        assert tuple(sample) == (0, 1)


def test_simulated_players_teach_where_the_operator_says_so(serving: Opener) -> None:
    game = serving(learn_from=("real", "simulated"))
    with game.simulated() as robot:
        play(robot)
    with game.engine.connect() as connection:
        assert connection.execute(select(labels.c.status)).scalar() == "accepted"


def test_a_quick_guess_is_answered_as_any_other_and_teaches_nothing(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.game.labels.GLANCE_MS", 60_000)  # nobody reads that fast, however slow the machine
    client = game.client()
    for _ in range(2):
        play(client)
    with game.engine.connect() as connection:
        # A newcomer's first pair is chosen: that one is no label whatever the time.
        reasons = connection.scalars(select(labels.c.reason).order_by(labels.c.guess_id)).all()
    assert reasons == ["chosen pair", "too quick"]


def test_the_password_of_a_proxy_before_us_is_none_of_our_business(game: Game) -> None:
    client = game.client(headers={"Authorization": "Basic cGxheWVyOnNlc2FtZQ=="})
    assert client.get("/").status_code == 200
    play(client)
    with game.engine.connect() as connection:
        assert connection.execute(select(players.c.simulated)).scalar_one() is None


def test_a_wrong_operators_key_is_refused(game: Game) -> None:
    response = game.client(headers={"Authorization": "Bearer guess"}).post("/api/rounds")
    assert kind(response) == (401, "not-operator")


@pytest.mark.parametrize("path", ["/", "/api/players/me"])
def test_who_is_refused_is_told_how_to_show_who_they_are(game: Game, path: str) -> None:
    response = game.client(headers={"Authorization": "Bearer guess"}).get(path)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
