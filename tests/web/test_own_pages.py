"""/me, /move and /board, as plain pages: what a player sees of their own, and takes along, and leaves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from factories import LONG_AGO, add_game, add_generator
from rooms import come_in, open_room, pick
from serving import Game, Opener
from sqlalchemy import insert, select, update

from app.db import history
from app.db.forgetting import pointing_at
from app.db.session import writing
from app.db.tables import label_sets, players, set_players, transfers


@pytest.fixture
def client(game: Game) -> Iterator[httpx.Client]:
    with game.client() as opened:
        yield opened


def play(client: httpx.Client, archive: str = "mayor") -> dict[str, Any]:
    token = client.post("/api/rounds", json={"archive": archive}).json()["round"]
    body: dict[str, Any] = client.post("/api/guesses", json={"round": token, "pick": 0}).json()
    return body


def code_of(page: httpx.Response) -> str:
    found = re.search(r'<p class="code">([A-Z2-9]{5}-[A-Z2-9]{5})</p>', page.text)
    assert found, page.text
    return found[1]


def test_somebody_new_is_told_where_to_begin(client: httpx.Client) -> None:
    page = client.get("/me")
    assert "You have not played yet" in page.text
    assert "in a browser that keeps none you can play, and nothing is found here" in page.text
    assert "Set-Cookie" not in page.headers


def test_skill_is_shown_from_ten_rounds_on_with_its_plot(client: httpx.Client) -> None:
    for _ in range(9):
        play(client)
    early = client.get("/me").text
    assert "known from 10 rounds on: 1 to go" in early
    play(client)
    page = client.get("/me").text
    assert re.search(r"You spot the real one <b>\d+ %</b>", page)
    assert re.search(r"Likely between \d+ % and \d+ %", page)
    assert page.count("<polyline") == 1
    assert re.search(r"<tr><td>10</td><td>\d+ %</td>", page)
    body = client.get("/api/players/me").json()
    assert 0 < body["skill"]["low"] < body["skill"]["share"] < body["skill"]["high"] < 1


def test_every_round_is_listed_and_filtered(serving: Opener) -> None:
    def two(connection: Any) -> None:
        add_game(connection)
        add_game(connection, "other")

    client = serving(two).client()
    verdicts = [play(client)["verdict"] for _ in range(8)] + [play(client, "other")["verdict"]]
    page = client.get("/me/rounds").text
    assert page.count('<li class="past') == 9
    for verdict in ("spotted", "fooled"):
        shown = client.get("/me/rounds", params={"verdict": verdict}).text
        assert shown.count('<li class="past') == shown.count(f'"past {verdict}"') == verdicts.count(verdict)
    assert client.get("/me/rounds?archive=other").text.count('<li class="past') == 1
    assert client.get("/me/rounds?mode=daily").text.count('<li class="past') == 0
    for strange in ("verdict=lost", "archive=none", "mode=chess", "before=x"):
        assert client.get(f"/me/rounds?{strange}").status_code == 404


def test_older_rounds_are_a_page_away_and_none_is_lost(client: httpx.Client) -> None:
    rounds = [play(client)["guess"] for _ in range(32)]
    first = client.get("/me/rounds").text
    older = re.search(r'href="(/me/rounds\?[^"]*before=\d+)"', first)
    assert older
    second = client.get(older[1]).text
    listed = re.findall(r'href="/v/([0-9a-f]{32})"', first + second)
    assert listed == rounds[::-1]
    assert "before=" not in second


def test_nobody_sees_the_rounds_of_another(game: Game, client: httpx.Client) -> None:
    play(client)
    other = game.client()
    play(other)
    assert other.get("/me/rounds").text.count('<li class="past') == 1


def test_a_long_curve_is_thinned_and_keeps_its_end(game: Game, client: httpx.Client) -> None:
    for _ in range(25):
        play(client)
    with game.engine.connect() as connection:
        points = history.curve(connection, 1, points=10)
    assert [point.number for point in points] == [1, 4, 7, 10, 13, 16, 19, 22, 25]


def test_the_page_tells_which_generators_learned_from_the_player(game: Game, client: httpx.Client) -> None:
    for _ in range(5):
        play(client)
    with writing(game.engine) as connection:
        row = {"archive_id": 1, "cutoff_guess_id": 5, "rules_version": 1, "counts": {}, "file_key": "x"}
        made = insert(label_sets).values(row | {"sha256": "0" * 64, "created_at": LONG_AGO}).returning(label_sets.c.id)
        set_id = connection.execute(made).scalar_one()
        connection.execute(insert(set_players).values(label_set_id=set_id, player_id=1, labels=3))
        add_generator(connection, 1, label_set_id=set_id)
        add_generator(connection, 1)
    assert "<b>3</b> of your guesses taught v2 of @MayorOfTest" in client.get("/me").text


def test_everything_can_be_downloaded(either_game: Game) -> None:
    client = either_game.client()
    rounds = [play(client) for _ in range(4)]
    client.patch(f"/api/guesses/{rounds[0]['guess']}", json={"reason": "sense"})
    client.post("/me/name", data={"nickname": "Ada"})
    answer = client.get("/me/download")
    assert answer.headers["content-disposition"].startswith("attachment")
    body = answer.json()
    assert body["player"]["nickname"] == "Ada"
    assert [row["round_id"] for row in body["rounds"]] == [played["guess"] for played in rounds]
    assert [row["verdict"] for row in body["rounds"]] == [played["verdict"] for played in rounds]
    assert body["rounds"][0]["remark"] == "sense"
    with either_game.engine.connect() as connection:
        key = connection.execute(select(players.c.key)).scalar_one()
    assert key.hex() not in answer.text
    assert either_game.client().get("/me/download").json() == {"player": None, "rounds": []}


def test_what_is_downloaded_holds_all_that_is_kept_of_the_player(game: Game) -> None:
    lecturer, client = open_room(game), come_in(game, "Ada in class")
    lecturer.press("next")
    pick(client, 0)
    lecturer.press("reveal")
    for _ in range(10):
        last = play(client)
    name = client.post("/api/challenges", json={}).json()["challenge"]
    dealt = client.post("/api/rounds", json={"mode": "daily", "archive": "mayor"}).json()
    client.post("/api/guesses", json={"round": dealt["round"], "pick": 0})
    body = client.get("/me/download").json()
    kept = body["kept"]
    pointing = {table.name for table, _ in pointing_at(players)} - {"guesses", "transfers"}
    assert set(kept) == pointing | {"set_players"}
    assert kept["class_members"][0]["name"] == "Ada in class"
    assert [row["name"] for row in kept["sets"]] == [name]
    assert {row["mode"] for row in kept["seats"]} >= {"endless", "class"}
    assert len(kept["set_seats"]) == 2  # the challenge, and the daily
    assert {row["span"] for row in kept["scores"]} == {"day", "week"}
    endless = [row for row in body["rounds"] if row["mode"] == "endless"]
    assert json.loads(endless[-1]["answer"]) == last
    assert {(row["mode"], row["set_kind"]) for row in body["rounds"]} == {
        ("class", None),
        ("endless", None),
        ("daily", "daily"),
    }


def test_a_nickname_is_given_refused_and_taken_away(game: Game, client: httpx.Client) -> None:
    refused = client.post("/me/name", data={"nickname": "Ada"})
    assert (refused.status_code, "You have not played yet" in refused.text) == (422, True)
    play(client)
    assert client.post("/me/name", data={"nickname": " Ada "}, follow_redirects=True).url.path == "/me"
    assert client.get("/api/players/me").json()["nickname"] == "Ada"
    rude = client.post("/me/name", data={"nickname": "F4gg0t"})
    assert rude.status_code == 422
    assert "not for here" in rude.text
    other = game.client()
    play(other)
    assert "somebody is called that" in other.post("/me/name", data={"nickname": "A.D.A"}).text.lower()
    client.post("/me/name", data={"nickname": ""})
    assert client.get("/api/players/me").json()["nickname"] is None
    assert other.post("/me/name", data={"nickname": "ada"}).status_code == 303


def test_a_code_takes_the_player_to_another_device_once(either_game: Game) -> None:
    client = either_game.client()
    play(client)
    code = code_of(client.post("/me/move"))
    phone = either_game.client()
    taken = phone.post("/move", data={"code": code.lower().replace("-", " ")})
    assert (taken.status_code, taken.headers["location"]) == (303, "/me")
    assert phone.get("/api/players/me").json() == client.get("/api/players/me").json()
    play(phone)
    assert client.get("/api/players/me").json()["guesses"] == 2
    assert either_game.client().post("/move", data={"code": code}).status_code == 422


def test_a_new_code_replaces_the_old_and_old_ones_die(game: Game, client: httpx.Client) -> None:
    play(client)
    first, second = code_of(client.post("/me/move")), code_of(client.post("/me/move"))
    assert game.client().post("/move", data={"code": first}).status_code == 422
    with writing(game.engine) as connection:
        assert len(connection.execute(select(transfers)).all()) == 1
        connection.execute(update(transfers).values(expires_at=LONG_AGO))
    assert game.client().post("/move", data={"code": second}).status_code == 422


def test_codes_cannot_be_tried_for_long(game: Game, client: httpx.Client) -> None:
    play(client)
    answers = [client.post("/move", data={"code": f"AAAAA-{number:05}"}).status_code for number in range(12)]
    assert answers[:10] == [422] * 10
    assert answers[10:] == [429] * 2


@pytest.mark.slow
def test_what_a_device_played_by_itself_is_said_to_stay_behind(client: httpx.Client) -> None:
    assert "stay behind" not in client.get("/move").text
    play(client)
    assert "The 1 round that this device played by itself will stay behind" in client.get("/move").text


def test_forget_me_asks_once_more_and_then_does(game: Game, client: httpx.Client) -> None:
    play(client)
    client.post("/me/name", data={"nickname": "Ada"})
    code = code_of(client.post("/me/move"))
    assert "Forget me now" in client.get("/me/forget").text
    assert "You are forgotten" in client.post("/me/forget").text
    assert not client.cookies
    assert game.client().post("/move", data={"code": code}).status_code == 422
    with game.engine.connect() as connection:
        assert connection.execute(select(players.c.nickname, players.c.nickname_key)).one() == (None, None)


def test_a_board_shows_names_places_and_the_rule(game: Game, client: httpx.Client) -> None:
    assert "Nobody is ranked yet today" in client.get("/board").text
    for _ in range(11):  # the first pair is chosen, and not ranked
        play(client)
    client.post("/me/name", data={"nickname": "Ada <b>"})
    client.post("/me/name", data={"nickname": "Ada"})
    page = client.get("/board?archive=mayor&span=week").text
    assert re.search(r'<tr class="you"><td>1</td><th scope="row"><bdi>Ada</bdi> <small>you</small>', page)
    assert "You are number 1" in page
    assert "low end of the 95 % interval" in page
    stranger = game.client().get("/board").text
    assert "you</small>" not in stranger
    assert "You have no ranked rounds today" in stranger
    body = client.get("/api/boards/mayor?span=week").json()
    assert (body["your_place"], body["rows"][0]["name"], body["rows"][0]["guesses"]) == (1, "Ada", 10)
    assert client.get("/api/boards/none").status_code == 404
    assert client.get("/board?span=year").status_code == 404
