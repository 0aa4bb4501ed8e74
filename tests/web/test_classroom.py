"""A class in a room: one lecturer, many players behind one address, rounds that are the same for all."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import blake2b
from types import SimpleNamespace
from unittest.mock import patch

import httpx
import pytest
from factories import add_game, add_generator, add_samples, words
from fastapi import Request
from loops import awaited
from rooms import CODE, KEY, come_in, open_room, pick, room, texts, token
from serving import Game, Opener
from sqlalchemy import func, select, update

from app.db import browsing
from app.db.browsing import Kind
from app.db.classes import end
from app.db.session import now, writing
from app.db.tables import (
    class_members,
    class_rounds,
    classes,
    forgotten,
    guesses,
    jobs,
    labels,
    players,
    samples,
    seats,
    tweets,
)
from app.web.identity import COOKIE
from app.web.own import download
from app.web.rooms import EXEMPT_SECONDS, Rooms


def test_thirty_players_behind_one_address_play_ten_rounds(serving: Opener) -> None:
    # Thirty-five requests a minute for the network: enough to come in, not to play, were it not for the room.
    game = serving(network_rate_limit="35/minute")
    lecturer = open_room(game)
    phones = [come_in(game, f"Player {number:02}") for number in range(30)]
    assert "30 in the room" in lecturer.wall()
    with ThreadPoolExecutor(10) as crowd:
        lecturer.press("next")
        for number in range(1, 11):
            pages = list(crowd.map(room, phones))
            assert len({tuple(texts(page)) for page in pages}) == 1
            assert len({token(page) for page in pages}) == 30
            list(crowd.map(pick, phones, [place % 2 for place in range(30)], pages, [False] * 30))
            wall = lecturer.press("reveal")
            assert re.findall(r'value="(\d+)" aria-label="picks"', wall) == ["15", "15"]
            assert f"Round {number} of 10" in wall
            if number == 1:
                spotted = ["You spotted the real one" in page for page in crowd.map(room, phones)]
                assert spotted in ([True, False] * 15, [False, True] * 15)
            lecturer.press("next")
    wall = lecturer.wall()
    assert "50 %" in wall
    assert "of 300 picks" in wall
    with game.engine.connect() as connection:
        query = select(func.count(), func.count(guesses.c.player_id.distinct())).where(guesses.c.mode == "class")
        assert tuple(connection.execute(query).one()) == (300, 30)
        assert connection.execute(select(func.count(guesses.c.sample_id.distinct()))).scalar() == 10


def test_every_process_drops_the_exemption_of_a_class_that_ended(either_game: Game) -> None:
    clock = [1000.0]
    ours, theirs = (Rooms(either_game.engine, lambda: clock[0]) for _ in range(2))
    open_room(either_game)
    come_in(either_game)
    with either_game.engine.connect() as connection:
        key = connection.scalars(select(players.c.key)).one()
    for rooms in (ours, theirs):
        assert not rooms.exempts(key)
        rooms.scene(CODE)
        assert rooms.exempts(key)
    with writing(either_game.engine) as connection:
        ended = connection.scalars(select(classes.c.id)).one()
        end(connection, now(), ended)
    ours.scene(CODE, anew=True)
    assert not ours.exempts(key)
    assert theirs.exempts(key)
    clock[0] += EXEMPT_SECONDS  # nobody asks the other process about the room any more
    assert not theirs.exempts(key)
    theirs.scene(CODE)
    assert not theirs.exempts(key)


def test_nobody_is_told_before_the_reveal(game: Game) -> None:
    lecturer, phone = open_room(game), come_in(game)
    lecturer.press("next")
    before = room(phone)
    assert "Picked by" not in before
    after = pick(phone, 0)
    assert "Your pick is in: card 1." in after
    assert not re.search("spotted the real|fooled you", after)
    assert "1 of 1 picked" in lecturer.wall()
    assert not re.search(r'class="card (real|machine)"', lecturer.wall())
    lecturer.press("reveal")
    assert re.search("You spotted the real one|The machine fooled you", room(phone))


@pytest.mark.parametrize("query", ["", "?said=1"])
def test_a_round_of_a_class_can_be_looked_at_afterwards_and_leads_on_to_its_archive(game: Game, query: str) -> None:
    lecturer, phone = open_room(game), come_in(game)
    lecturer.press("next")
    cards = texts(room(phone))
    pick(phone, 0)
    lecturer.press("reveal")
    address = re.search(r'href="(/v/[0-9a-f]{32})">The round', phone.get("/me/rounds?mode=class").text)
    assert address
    page = phone.get(address[1] + query)
    assert page.status_code == 200
    assert re.search("You spotted the real one|The machine fooled you", page.text)
    assert texts(page.text) == cards
    assert '<form class="round" method="post" action="/a/mayor"' in page.text
    following = phone.post("/a/mayor", data={"round": "", "after": "1"})
    assert following.status_code == 200
    assert "Pick the real one." in following.text


@pytest.mark.parametrize("address", ["/me", "/me/rounds", "/me/download", "/api/players/me"])
def test_no_own_figures_tell_the_verdict_before_the_reveal(game: Game, address: str) -> None:
    lecturer, phone, elsewhere = open_room(game), come_in(game), game.client()
    assert phone.get(address).status_code == 200
    lecturer.press("next")
    pick(phone, 0)
    refused = phone.get(address)
    assert refused.status_code == 409
    assert "class" in refused.text
    assert not re.search("spotted|fooled", refused.text)
    assert elsewhere.get(address).status_code == 200
    lecturer.press("reveal")
    assert re.search("spotted|fooled", phone.get(address).text)


def test_a_download_that_is_read_slowly_tells_no_verdict_before_the_reveal(game: Game) -> None:
    lecturer, phone = open_room(game), come_in(game)
    request = Request(
        {
            "type": "http",
            "headers": [(b"cookie", f"{COOKIE}={phone.cookies[COOKIE]}".encode())],
            "app": SimpleNamespace(state=SimpleNamespace(services=game.services)),
        }
    )

    async def read() -> str:
        answer = await download(request)
        lecturer.press("next")
        pick(phone, 0)
        return "".join([str(part) async for part in answer.body_iterator])

    told = json.loads(awaited(read()))
    assert (told["rounds"], told["kept"]) == ([], None)
    lecturer.press("reveal")
    assert phone.get("/me/download").json()["rounds"][0]["verdict"] in ("spotted", "fooled")


def test_the_hall_tells_no_card_of_a_round_before_the_reveal(game: Game) -> None:
    lecturer, phone = open_room(game), come_in(game)
    lecturer.press("next")
    page = room(phone)
    cards = texts(page)
    pick(phone, 0, page)
    with writing(game.engine) as connection:
        for table in (samples, tweets):
            connection.execute(update(table).values(guesses=9, fooled=8))
    assert not set(cards) & set(hung(phone))
    lecturer.press("reveal")
    assert set(cards) <= set(hung(phone))


def test_the_network_reads_no_card_of_a_round_before_the_reveal(game: Game) -> None:
    lecturer, phone = open_room(game), come_in(game)
    lecturer.press("next")
    page = room(phone)
    pick(phone, 0, page)
    for status in (422, 503):  # refused; and let through to a network that is not at hand here
        assert {phone.post("/inside", data={"text": text}).status_code for text in texts(page)} == {status}
        lecturer.press("reveal")


def hung(phone: httpx.Client) -> list[str]:
    return re.findall(r'<p class="text" dir="auto">(.*?)</p>', phone.get("/hall").text, re.DOTALL)


def test_a_second_pick_and_a_late_one_change_nothing(game: Game) -> None:
    lecturer, phone, late = open_room(game), come_in(game), come_in(game)
    lecturer.press("next")
    page, other = room(phone), room(late)
    pick(phone, 0, page)
    assert "Your pick is in: card 1." in pick(phone, 1, page)
    lecturer.press("reveal")
    assert "You did not pick" in pick(late, 0, other)
    # Neither does the way around the room.
    body = {"round": token(other), "pick": 0}
    assert late.post("/api/guesses", json=body).status_code == 422
    with game.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(guesses)).scalar() == 1


def test_an_archive_too_small_for_a_class_says_so_on_the_wall(serving: Opener) -> None:
    game = serving(fill=lambda connection: add_game(connection, cards=9))
    lecturer = open_room(game)
    come_in(game)
    answer = lecturer.press("next")
    assert "This archive is too small for a class." in answer
    assert "9 of its tweets can be dealt, a class needs 10" in answer
    assert "writing" not in answer


def test_a_round_closes_by_itself_when_its_time_is_up(game: Game) -> None:
    lecturer, phone = open_room(game), come_in(game)
    lecturer.press("next")
    page = room(phone)
    with writing(game.engine) as connection:
        connection.execute(update(classes).values(asked_at=now() - timedelta(seconds=63)))
    assert "You did not pick" in pick(phone, 0, page)
    assert re.search(r'class="card (real|machine)"', lecturer.wall())


def test_nobody_sees_the_verdict_and_then_picks(game: Game) -> None:
    lecturer, phone = open_room(game), come_in(game)
    lecturer.press("next")
    page = room(phone)
    for seconds, is_told in ((61, False), (63, True)):  # of the sixty, and the two in which a pick may be on its way
        at = now()
        with writing(game.engine) as connection:
            connection.execute(update(classes).values(asked_at=at - timedelta(seconds=seconds)))
        game.services.rooms.scene(CODE, anew=True)
        with patch("app.web.classroom.now", lambda at=at: at):
            screens = phone.get(f"/class/{CODE}/now").text, lecturer.wall()
        for screen in screens:
            assert bool(re.search(r'class="card (real|machine)', screen)) is is_told
    assert "You did not pick" in pick(phone, 0, page)


def test_who_missed_a_round_or_came_late_goes_on_with_the_others(game: Game) -> None:
    lecturer, first = open_room(game), come_in(game)
    lecturer.press("next")
    lecturer.press("reveal")
    lecturer.press("next")
    second = come_in(game)
    assert texts(room(first)) == texts(room(second))
    for phone in (first, second):
        assert "Your pick is in" in pick(phone, 0)
    lecturer.press("reveal")
    lecturer.press("next")
    assert "Your pick is in" in pick(first, 1)


def test_guesses_of_a_class_are_recorded_like_any_other_and_teach_where_asked(
    either_game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.game.labels.GLANCE_MS", 60_000)  # nobody reads that fast, however slow the machine
    lecturer, phone = open_room(either_game), come_in(either_game)
    lecturer.press("next")
    page = room(phone)
    with writing(either_game.engine) as connection:
        # Somebody who had time to read: the deal lies a minute back.
        connection.execute(update(classes).values(asked_at=now() - timedelta(seconds=20)))
    pick(phone, 0, page)
    with either_game.engine.connect() as connection:
        row = connection.execute(select(guesses.c.mode, guesses.c.arm, guesses.c.repeat, guesses.c.answer)).one()
        assert row[:3] == ("class", "champion", False)
        label = connection.execute(select(labels.c.status, labels.c.reason)).one()
        assert label.reason == "too quick"  # and not "class round"
        assert connection.execute(select(seats.c.mode)).scalar_one() == "class"


def test_the_lectern_is_for_the_lecturer(game: Game) -> None:
    open_room(game)
    phone = come_in(game)
    assert "lecturer's key" in phone.get(f"/class/{CODE}/lectern").text
    assert phone.post(f"/class/{CODE}/lectern", data={"place": "0.0", "do": "next"}).status_code == 403
    assert phone.get(f"/class/{CODE}/lectern/now").status_code == 403
    assert phone.post(f"/class/{CODE}/key", data={"key": "a guess"}).status_code == 403
    assert phone.post(f"/class/{CODE}/key", data={"key": KEY}).status_code == 303


@pytest.mark.parametrize("is_https", [False, True])
def test_the_lecturers_key_goes_over_no_plain_http_where_there_is_https(serving: Opener, *, is_https: bool) -> None:
    game = serving(secure_cookies=is_https)
    open_room(game)
    given = game.client().post(f"/class/{CODE}/key", data={"key": KEY}).headers["set-cookie"]
    assert ("Secure" in given) is is_https


def test_a_button_pressed_twice_does_it_once(game: Game) -> None:
    lecturer = open_room(game)
    come_in(game)
    lecturer.press("next")
    for _ in range(2):
        lecturer.client.post(f"/class/{CODE}/lectern", data={"place": "0.0", "do": "next"})
    assert "Round 1 of 10" in lecturer.wall()


def test_looking_again_costs_nothing_while_nothing_changed(game: Game) -> None:
    lecturer, phone = open_room(game), come_in(game)
    lecturer.press("next")
    now_ = f"/class/{CODE}/now"
    seen = re.search(r'data-version="([^"]+)"', phone.get(now_).text)
    assert seen
    assert phone.get(now_, params={"seen": seen[1]}).status_code == 204
    lecturer.press("reveal")
    assert phone.get(now_, params={"seen": seen[1]}).status_code == 200


def test_ending_deletes_the_names(game: Game) -> None:
    lecturer, phone = open_room(game), come_in(game, "Ada")
    assert "Ada" in lecturer.wall()
    for _ in range(21):
        if "End the class" in lecturer.press("next"):
            break
        lecturer.press("reveal")
    assert "Thank you" in lecturer.press("end")
    assert "This class is over" in room(phone)
    with game.engine.connect() as connection:
        assert set(connection.scalars(select(class_members.c.name))) == {None}
    assert phone.post(f"/class/{CODE}/join", data={"name": "Bob"}, follow_redirects=True).status_code == 200
    with game.engine.connect() as connection:
        assert set(connection.scalars(select(class_members.c.name))) == {None}


@pytest.mark.parametrize("name", ["F4gg0t", "x" * 30])
def test_a_name_that_is_not_taken_is_asked_for_again(game: Game, name: str) -> None:
    open_room(game)
    client = game.client()
    client.get(f"/class/{CODE}")
    answer = client.post(f"/class/{CODE}/join", data={"name": name})
    assert answer.status_code == 422
    assert "nickname" in answer.text.partition('id="refused"')[2]


def test_a_stranger_cannot_fill_a_room_or_try_codes_without_end(serving: Opener) -> None:
    game = serving(network_rate_limit="5/minute")
    open_room(game)
    come_in_as = [game.client().post(f"/class/{CODE}/join", data={"name": ""}).status_code for _ in range(7)]
    assert come_in_as == [422] * 5 + [429] * 2  # they bring no cookie
    tried = [game.client().get("/class/ABCDE/lectern/now").status_code for _ in range(7)]
    assert tried == [404] * 5 + [429] * 2


def test_the_door_leads_into_the_room(game: Game) -> None:
    lecturer = open_room(game)
    client = game.client()
    assert client.get(f"/class?code={CODE.lower()}").headers["location"] == f"/class/{CODE}"
    assert client.get("/class?code=NONE").status_code == 404
    assert f'<a href="/class/{CODE}" aria-current="page">Class</a>' in room(client)
    assert f'<a href="/class/{CODE}/lectern" aria-current="page">Class</a>' in lecturer.wall()
    assert 'href="/class"' in client.get("/ways").text
    assert client.get("/class/NONE").status_code == 404


def test_a_class_is_asked_about_cards_that_are_new_to_everybody_in_it(game: Game) -> None:
    daily = {"mode": "daily", "archive": "mayor"}
    somebody_else = game.client()  # whose question lays down the daily
    ten = [
        card["text"] for card in somebody_else.post("/api/rounds", json=daily).json()["cards"]
    ]  # it is laid down now
    lecturer, phone = open_room(game), come_in(game)
    met = set(ten)
    for ask in [daily] * 10 + [{"archive": "mayor"}] * 15:
        dealt = phone.post("/api/rounds", json=ask).json()
        met |= {card["text"] for card in dealt["cards"]}
        phone.post("/api/guesses", json={"round": dealt["round"], "pick": 0})
        game.refresh()
    lecturer.press("next")
    with game.engine.connect() as connection:
        asked = connection.execute(
            select(tweets.c.text, samples.c.text)
            .select_from(class_rounds)
            .join(tweets, tweets.c.id == class_rounds.c.tweet_id)
            .join(samples, samples.c.id == class_rounds.c.sample_id)
        ).all()
    assert len(met) == 50
    assert len(asked) == 10
    assert met.isdisjoint(text for pair in asked for text in pair)


def laid(game: Game, number: int) -> tuple[int, int, str, str]:
    """Tweet and sample of a round of the first leg: their ids and texts."""
    with game.engine.connect() as connection:
        row = connection.execute(
            select(tweets.c.id, samples.c.id, tweets.c.text, samples.c.text)
            .select_from(class_rounds)
            .join(tweets, tweets.c.id == class_rounds.c.tweet_id)
            .join(samples, samples.c.id == class_rounds.c.sample_id)
            .where(class_rounds.c.leg == 1, class_rounds.c.number == number)
        ).one()
    return tuple(row)  # type: ignore[return-value]


def hide_card(game: Game, kind: Kind, card_id: int) -> None:
    with writing(game.engine) as connection:
        browsing.hide(connection, kind, 1, [card_id], now(), "three reports")
    game.refresh()


@pytest.mark.parametrize("kind", ["sample", "tweet"])
def test_a_round_whose_card_was_hidden_before_it_is_asked_gets_another_pair(game: Game, kind: Kind) -> None:
    lecturer, phone = open_room(game), come_in(game)
    lecturer.press("next")
    pick(phone, 0)
    tweet_id, sample_id, *hidden = laid(game, 2)
    hide_card(game, kind, tweet_id if kind == "tweet" else sample_id)
    lecturer.press("reveal")
    wall = lecturer.press("next")
    assert "Round 2 of 10" in wall
    assert set(texts(room(phone))) == set(laid(game, 2)[2:])
    assert set(laid(game, 2)[2:]).isdisjoint(hidden)
    assert "Your pick is in" in pick(phone, 0)
    with game.engine.connect() as connection:
        cards = connection.execute(select(class_rounds.c.tweet_id, class_rounds.c.sample_id)).all()
    assert len({card for pair in cards for card in (("t", pair[0]), ("s", pair[1]))}) == 20


def test_a_card_that_is_hidden_while_it_is_asked_leaves_every_screen_and_no_pick_is_lost(game: Game) -> None:
    lecturer, first, second = open_room(game), come_in(game), come_in(game)
    lecturer.press("next")
    form = room(second)
    pick(first, 0)
    seen = re.search(r'data-version="([^"]+)"', room(second))
    assert seen
    hide_card(game, "sample", laid(game, 1)[1])
    game.services.rooms.scene(CODE, anew=True)
    late = come_in(game)
    for page in (lecturer.wall(), room(first), room(second), room(late)):
        assert texts(page) == []
        assert "taken back" in page
    assert second.get(f"/class/{CODE}/now", params={"seen": seen[1]}).status_code == 200
    data = {"round": token(form), "pick": "0"}
    assert "taken back" in second.post(f"/class/{CODE}/pick", data=data, follow_redirects=True).text
    with game.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(guesses)).scalar() == 1
    assert "Round 2 of 10" in lecturer.press("next")
    assert len(texts(room(first))) == 2
    hide_card(game, "sample", laid(game, 2)[1])
    game.services.rooms.scene(CODE, anew=True)
    with writing(game.engine) as connection:  # it was hidden by mistake
        browsing.hide(connection, "sample", 1, [laid(game, 2)[1]], None)
    game.services.rooms.scene(CODE, anew=True)
    assert "Your pick is in" in pick(second, 0)


def test_a_round_for_which_there_is_no_other_pair_is_passed_over(serving: Opener) -> None:
    game = serving(fill=lambda connection: add_game(connection, cards=10, on_shelf=10))
    lecturer, phone = open_room(game), come_in(game)
    lecturer.press("next")
    for number in (2, 10):
        hide_card(game, "sample", laid(game, number)[1])
    pick(phone, 0)
    lecturer.press("reveal")
    assert "Round 3 of 10" in lecturer.press("next")
    for _ in range(3, 9):
        pick(phone, 0)
        lecturer.press("reveal")
        lecturer.press("next")
    pick(phone, 0)
    lecturer.press("reveal")
    assert "Ten rounds" in lecturer.press("next")


def test_train_on_this_class_then_before_and_after(game: Game) -> None:
    lecturer = open_room(game)
    phones = [come_in(game) for _ in range(3)]

    def leg(card: int) -> None:
        lecturer.press("next")
        for _ in range(10):
            for phone in phones:
                pick(phone, card)
            lecturer.press("reveal")
            lecturer.press("next")

    leg(0)
    assert "Train on this class" in lecturer.wall()
    assert "It learns from you: it is about to begin. Five minutes at most." in lecturer.press("train")
    for step, words_ in (("train", "it trains"), ("restock", "it writes its next cards")):
        with writing(game.engine) as connection:
            connection.execute(update(jobs).values(state="running", step=step))
        game.services.rooms.scene(CODE, anew=True)
        assert f"It learns from you: {words_}." in lecturer.wall()
    with writing(game.engine) as connection:
        job = connection.execute(select(jobs.c.kind, jobs.c.arguments)).one()
        assert job.kind == "class"
        assert job.arguments["minutes"] < 5
        # What the worker does is tested where it is done; here its outcome comes in.
        generator = add_generator(connection, 1)
        add_samples(connection, 1, generator, [words(50_000 + seed, 110) for seed in range(40)])
        connection.execute(update(classes).values(generator_id=generator))
        connection.execute(update(jobs).values(state="done"))
    game.services.rooms.scene(CODE, anew=True)
    assert "Ten more rounds" in lecturer.wall()
    leg(1)
    wall = lecturer.wall()
    assert "Before and after" in wall
    assert re.search(r"[+-]\d+ points, 95 % interval [+-]\d+ to [+-]\d+", wall)
    with game.engine.connect() as connection:
        arms = connection.execute(select(guesses.c.arm, func.count()).group_by(guesses.c.arm)).all()
        assert sorted(map(tuple, arms)) == [("champion", 30), ("class", 30)]
        pairs = connection.execute(select(func.count(guesses.c.tweet_id.distinct()))).scalar()
        assert pairs == 20


def test_a_room_is_found_by_its_code_in_small_letters(game: Game) -> None:
    open_room(game)
    answer = game.client().get(f"/class/{CODE.lower()}")
    assert (answer.status_code, answer.headers.get("location")) == (303, f"/class/{CODE}")


def test_too_small_a_class_is_told_that_there_is_nothing_to_learn_from(game: Game) -> None:
    lecturer, phone = open_room(game), come_in(game)
    lecturer.press("next")
    for _ in range(10):
        pick(phone, 0)
        lecturer.press("reveal")
        lecturer.press("next")
    wall = lecturer.wall()
    assert "Train on this class" not in wall
    assert "from 20 picks on: this class made 10" in wall


def test_who_takes_no_cookie_is_told_so_and_fills_no_room(game: Game) -> None:
    lecturer = open_room(game)
    phone = game.client()
    for _ in range(2):
        phone.cookies.clear()
        page = phone.post(f"/class/{CODE}/join", data={"name": "Ada"}, follow_redirects=True)
        assert (page.status_code, 'value="Ada"' in page.text) == (422, True)
        assert "your browser brought none" in page.text
    assert "0 in the room" in lecturer.wall()
    assert phone.post(f"/class/{CODE}/join", data={"name": "Ada"}).status_code == 303  # it takes one now
    assert "You are in." in room(phone)


def test_forget_me_takes_the_name_off_the_wall_at_once(either_game: Game) -> None:
    lecturer, phone = open_room(either_game), come_in(either_game, "Ada Example")
    lecturer.press("next")
    pick(phone, 0)
    assert "Ada Example" in lecturer.press("reveal")
    assert phone.delete("/api/players/me").status_code == 204
    with either_game.engine.connect() as connection:
        assert connection.execute(select(class_members.c.name)).scalar_one() is None
    assert "Ada Example" not in lecturer.press("next")


def test_who_was_forgotten_comes_into_a_room_as_somebody_new(game: Game) -> None:
    lecturer, phone = open_room(game), come_in(game)
    cookies = dict(phone.cookies)
    phone.delete("/api/players/me")
    with game.engine.connect() as connection:
        dropped = connection.execute(select(forgotten.c.key_hash)).scalar_one()
    # Another tab, or a device that has the same cookie by a transfer code.
    with game.client(cookies=cookies) as left_open:
        left_open.post(f"/class/{CODE}/join", data={"name": "Ada"})
        lecturer.press("next")
        assert "Your pick is in" in pick(left_open, 0)
    with game.engine.connect() as connection:
        keys = connection.scalars(select(players.c.key)).all()
    assert dropped not in [blake2b(key, digest_size=16, person=b"forgotten").digest() for key in keys]
