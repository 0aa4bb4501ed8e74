"""The pages as plain forms, for browsers without script and without cookies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import httpx
import pytest
from factories import add_archive, add_game, add_generator, add_samples, add_tweets, words
from serving import Game, Opener
from sqlalchemy import Connection, func, select, update

from app.db.session import now, writing
from app.db.tables import archives, guesses, remarks

HOSTILE = (
    "<script>alert(1)</script> \u202e reversed <b>bold</b> & \"quoted\" 'too' z\u0351\u0352\u0353algo, and harmless"
)


def token(page: str) -> str:
    found = re.search(r'name="round" value="([^"]+)"', page)
    assert found, page
    return found[1]


def action(page: str) -> str:
    found = re.search(r'<form class="round" method="post" action="([^"]+)"', page)
    assert found, page
    return found[1]


def texts(page: str) -> list[str]:
    found = re.findall(r'<span class="text" dir="auto">(.*?)</span></button>', page, re.DOTALL)
    return [unescape(text) for text in found]


def pick(client: httpx.Client, page: str, index: int = 0, **more: str) -> httpx.Response:
    data = {"round": token(page), "pick": str(index)} | more
    return client.post("/a/mayor", data=data, follow_redirects=True)


@pytest.fixture
def client(game: Game) -> Iterator[httpx.Client]:
    with game.client() as opened:
        yield opened


def test_the_page_asks_the_question_and_says_why(client: httpx.Client) -> None:
    page = client.get("/").text
    assert re.search(r"<h1>Which tweet is <em>real\?</em></h1>", page)
    assert "Help us train a neural network!" in page
    assert "Round 1 of 10" in page


def test_both_cards_are_made_alike(client: httpx.Client) -> None:
    cards = re.findall(r"<article.*?</article>", client.get("/").text, re.DOTALL)
    bare = [re.sub(r'(<span class="text" dir="auto">).*?(</span></button>)', r"\1\2", card) for card in cards]
    assert bare[0] == re.sub(r"\b2\b", "1", bare[1].replace('value="1"', 'value="0"').replace("stub-1", "stub-0"))


def test_the_verdict_and_the_next_round_come_by_plain_forms(client: httpx.Client) -> None:
    first = client.get("/").text
    verdict = pick(client, first)
    assert verdict.status_code == 200
    assert re.search(r"You spotted the real one\.|The machine fooled you\.", verdict.text)
    assert texts(verdict.text) == texts(first)
    assert "written by network v1." in verdict.text
    following = client.post("/a/mayor", data={"round": token(first), "after": "1"})
    assert not set(texts(following.text)) & set(texts(first))


def test_a_verdict_has_an_address_of_its_own_for_its_player_alone(game: Game, client: httpx.Client) -> None:
    verdict = pick(client, client.get("/").text)
    assert "/v/" in str(verdict.url)
    assert client.get(verdict.url).text == verdict.text
    assert game.client().get(str(verdict.url)).status_code == 404


def test_reload_gives_the_same_open_round(client: httpx.Client) -> None:
    first, again = client.get("/").text, client.get("/").text
    assert (token(first), texts(first)) == (token(again), texts(again))


def test_the_back_button_and_the_other_card_show_what_was_answered(client: httpx.Client) -> None:
    first = client.get("/").text
    before = pick(client, first, 0).text
    other = pick(client, first, 1)
    assert other.status_code == 200
    assert "You had answered this one before." in other.text
    assert "written by network" in other.text
    assert texts(other.text) == texts(before)


def test_a_form_without_cookies_plays_on_as_one_player(game: Game) -> None:
    seen: list[str] = []
    page = game.client().get("/").text
    for _ in range(4):
        seen += texts(page)
        verdict = pick(game.client(), page)
        assert verdict.status_code == 200
        page = game.client().post("/a/mayor", data={"round": token(verdict.text), "after": "1"}).text
    assert len(set(seen)) == 8
    with game.engine.connect() as connection:
        assert len(set(connection.scalars(select(guesses.c.player_id)))) == 1


@pytest.mark.parametrize("way", ["/a/mayor", "/daily/mayor"])
def test_with_cookies_refused_ten_rounds_end_with_their_score(game: Game, way: str) -> None:
    page = game.client().get(way, follow_redirects=True).text
    address = action(page)
    for number in range(1, 11):
        assert f"Round {number} of 10" in page
        verdict = game.client().post(address, data={"round": token(page), "pick": "0"}).text
        page = game.client().post(address, data={"round": token(verdict)}, follow_redirects=True).text
    assert re.search(r"<h1>You spotted \d+ of 10</h1>", page)
    assert "Your picks are kept" not in page, "labels without a cookie teach nothing"
    if way == "/a/mayor":
        shared = game.client().post("/challenges", data={"archive": "mayor", "round": token(page)}).text
        assert re.search(r"/c/\w+</textarea>", shared)
    with game.engine.connect() as connection:
        assert len(set(connection.scalars(select(guesses.c.player_id)))) == 1


def played_on(game: Game, page: str) -> str:
    """What follows a round of this page and its verdict, in a browser that takes no cookie."""
    verdict = game.client().post(action(page), data={"round": token(page), "pick": "0"}).text
    return game.client().post(action(page), data={"round": token(verdict), "after": "1"}).text


def kept_on(game: Game, page: str) -> str:
    """What "Keep playing" on the page of a score leads to, in such a browser."""
    form = re.search(
        r'<form id="on" method="post" action="([^"]+)"><input type="hidden" name="round" value="([^"]+)">', page
    )
    assert form, page
    assert re.search(r'<button [^>]*form="on" name="on" value="1">Keep playing</button>', page)
    answer = game.client().post(form[1], data={"round": form[2], "on": "1"})
    assert "set-cookie" not in answer.headers, "whoever holds a round gets no more of its player"
    return answer.text


@pytest.mark.parametrize(
    ("way", "standing"), [("/a/mayor", r"\d+ of 10 spotted"), ("/daily/mayor", "Round 1 of 10")], ids=["first", "daily"]
)
def test_with_cookies_refused_one_keeps_playing_after_the_score_as_the_same_player(
    game: Game, way: str, standing: str
) -> None:
    seen: list[str] = []
    page = game.client().get(way, follow_redirects=True).text
    for _ in range(10):
        seen += texts(page)
        page = played_on(game, page)
    score, page = page, kept_on(game, page)
    assert re.search(f"data-standing>{standing}<", page)
    if way == "/a/mayor":
        shared = game.client().post("/challenges", data={"archive": "mayor", "round": token(score)}).text
        assert texts(kept_on(game, shared)) == texts(page)
    for _ in range(2):
        seen += texts(page)
        page = played_on(game, page)
    assert len(set(seen)) == 24
    with game.engine.connect() as connection:
        assert len(connection.scalars(select(guesses.c.player_id)).all()) == 12
        assert len(set(connection.scalars(select(guesses.c.player_id)))) == 1


def test_who_takes_cookies_keeps_playing_by_a_link(client: httpx.Client) -> None:
    for _ in range(10):
        pick(client, client.get("/").text)
    page = client.get("/a/mayor/result").text
    assert '<a class="quiet" href="/a/mayor">Keep playing</a>' in page
    assert 'name="on"' not in page


def test_a_daily_says_what_it_is_and_ten_rounds_what_becomes_of_them(client: httpx.Client) -> None:
    page = client.get("/daily/mayor", follow_redirects=True).text
    assert "Everybody plays the same ten on a day" in page
    assert "same ten on a day" not in client.get("/").text
    for _ in range(10):
        client.post(action(page), data={"round": token(page), "pick": "0"})
        page = client.get("/daily/mayor", follow_redirects=True).text
    assert "Your picks are kept" in page


def test_the_eleventh_round_is_one_of_no_ten(client: httpx.Client) -> None:
    for _ in range(9):
        pick(client, client.get("/").text)
    page = client.get("/").text
    assert "Round 10 of 10" in page
    assert "See how you did" in pick(client, page).text
    assert re.search(r"data-standing>\d+ of 10 spotted<", client.get("/").text)


def test_the_tenth_verdict_leads_to_the_score_also_when_it_is_looked_at_later(client: httpx.Client) -> None:
    for _ in range(9):
        pick(client, client.get("/").text)
    tenth = pick(client, client.get("/").text).text
    pick(client, client.get("/").text)
    assert "See how you did" in tenth
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(.*?)">', tenth))
    assert client.post(action(tenth), data=hidden, follow_redirects=True).url.path == "/a/mayor/result"


def aged(game: Game, page: str) -> str:
    """The token of a page's round as it would be had it lain open for two days."""
    dealt = next(each for each in game.services.dealer.given.rounds.values() if each.token == token(page))
    return game.services.seal.close(dealt.round, now() - timedelta(days=2))


@pytest.mark.parametrize("cookies", [True, False], ids=["with cookies", "without"])
@pytest.mark.parametrize("way", ["/a/mayor", "/daily/mayor", "/mixed"])
def test_a_round_that_has_run_out_is_dealt_anew(game: Game, way: str, cookies: bool) -> None:
    client = game.client()

    def browser() -> httpx.Client:
        return client if cookies else game.client()

    page = browser().get(way, follow_redirects=True).text
    address = action(page)
    for _ in range(2):  # at the very beginning, and later on
        fresh = browser().post(address, data={"round": aged(game, page), "pick": "0"}, follow_redirects=True)
        assert fresh.status_code == 200
        assert "That round had run out. Here is a fresh one." in fresh.text
        assert texts(fresh.text) == texts(page)
        verdict = browser().post(address, data={"round": token(fresh.text), "pick": "0"}, follow_redirects=True).text
        assert re.search("You spotted the real one|The machine fooled you", verdict)
        after = "" if cookies else token(verdict)
        page = browser().post(address, data={"round": after}, follow_redirects=True).text
        assert set(texts(page)).isdisjoint(texts(verdict))


def test_a_form_of_a_round_that_has_passed_shows_the_open_one(game: Game, client: httpx.Client) -> None:
    first = client.get("/daily/mayor", follow_redirects=True).text
    ahead = client.post("/api/rounds", json={"mode": "daily", "archive": "mayor", "after": token(first)}).json()
    answer = client.post(action(first), data={"round": ahead["round"], "pick": "0"}, follow_redirects=True)
    assert "Another round was open before that one. Here it is." in answer.text
    assert texts(answer.text) == texts(first)


def test_of_two_first_tabs_the_earlier_ones_pick_leads_to_the_round_of_the_cookie_that_holds(game: Game) -> None:
    browser = game.client()
    early = browser.get("/").text
    browser.cookies.clear()  # the other tab asked before the first answer had come: it brought no cookie
    later = browser.get("/").text
    answer = browser.post(action(early), data={"round": token(early), "pick": "0"}, follow_redirects=True)
    assert answer.status_code == 200
    assert "your pick was not counted. Here is yours." in answer.text
    assert texts(answer.text) == texts(later)
    with game.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(guesses)).scalar() == 0
    assert re.search("You spotted the real one|The machine fooled you", pick(browser, answer.text).text)


def test_i_know_this_tweet_goes_with_the_guess(game: Game, client: httpx.Client) -> None:
    pick(client, client.get("/").text, recognised="1")
    with game.engine.connect() as connection:
        assert connection.execute(select(guesses.c.recognised)).scalar_one() is True


def test_what_gave_it_away_can_be_said_by_a_plain_form(game: Game, client: httpx.Client) -> None:
    verdict = pick(client, client.get("/").text)
    path = re.search(r'action="(/v/\w+)"', verdict.text)
    assert path
    thanked = client.post(path[1], data={"reason": "repeats", "report": ""}, follow_redirects=True)
    assert "Thank you." in thanked.text
    assert re.search(r'value="repeats" aria-pressed="true"', thanked.text)
    with game.engine.connect() as connection:
        assert connection.execute(select(remarks.c.reason, remarks.c.report)).one() == ("repeats", None)


def test_without_a_cookie_it_can_be_said_too_and_the_game_goes_on(game: Game) -> None:
    page = game.client().get("/daily/mayor", follow_redirects=True).text
    verdict = game.client().post(action(page), data={"round": token(page), "pick": "0"}).text
    path = re.search(r'action="(/v/\w+)#why"', verdict)
    assert path
    said = {"reason": "repeats", "report": "", "round": token(verdict)}
    thanked = game.client().post(path[1], data=said).text
    assert "Thank you." in thanked
    assert re.search(r'value="repeats" aria-pressed="true"', thanked)
    assert texts(thanked) == texts(verdict)
    following = game.client().post(action(thanked), data={"round": token(thanked), "after": "1"}).text
    assert "Round 2 of 10" in following
    somebody = game.client().get("/").text
    assert game.client().post(path[1], data=said | {"round": token(somebody)}).status_code == 404
    assert game.client().post(path[1], data={"reason": "sense"}).status_code == 404
    with game.engine.connect() as connection:
        assert connection.execute(select(remarks.c.reason, guesses.c.has_cookie).join(guesses)).all() == [
            ("repeats", False)
        ]


def test_hostile_texts_show_as_text(serving: Opener) -> None:
    def fill(connection: Connection) -> None:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, [HOSTILE])
        generator_id = add_generator(connection, archive_id, alphabet="".join(set(HOSTILE)) + words(1))
        add_samples(connection, archive_id, generator_id, [words(1, 110)])

    page = serving(fill=fill).client().get("/").text
    assert HOSTILE in texts(page)
    assert "<script>alert" not in page


def test_a_link_shows_as_a_mark_that_cannot_be_clicked(serving: Opener) -> None:
    def fill(connection: Connection) -> None:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, ["Read this before the council meets tonight 🔗 and bring it"])
        generator_id = add_generator(connection, archive_id)
        add_samples(connection, archive_id, generator_id, ["Read that before the council eats tonight 🔗 and sing it"])

    page = serving(fill=fill).client().get("/").text
    assert page.count('<span class="link">link</span>') == 2
    assert "<a " not in "".join(re.findall(r"<article.*?</article>", page, re.DOTALL))


def test_lines_stay_lines(serving: Opener) -> None:
    def fill(connection: Connection) -> None:
        archive_id = add_archive(connection, unit="passage", handle=None, name="Shakespeare")
        add_tweets(connection, archive_id, ["Shall I compare thee to a summer's day?\nThou art more lovely"])
        generator_id = add_generator(connection, archive_id)
        add_samples(
            connection, archive_id, generator_id, ["Shall I bereave thee of a summer's bay?\nThou art more lonely"]
        )

    page = serving(fill=fill).client().get("/").text
    assert "day?\nThou" in page
    assert "Which passage is" in page
    assert "I know this passage" in page
    assert "tweet" not in re.sub(r"<[^>]+>|whichtweet", "", page).lower()


def test_several_archives_can_be_chosen_from(serving: Opener) -> None:
    def two(connection: Connection) -> None:
        add_game(connection, "mayor")
        add_game(connection, "obama", handle="BarackObama")

    client = serving(fill=two).client()
    page = client.get("/a/obama").text
    assert "@BarackObama" in page
    assert 'href="/ways"' in page
    ways = client.get("/ways").text
    assert 'href="/a/mayor"' in ways
    assert 'href="/a/obama"' in ways
    assert 'href="/mixed"' in ways
    assert client.get("/a/nobody").status_code == 404


def test_the_demo_says_so_and_shows_how_to_play_a_real_account(serving: Opener) -> None:
    page = serving(fill=lambda connection: add_game(connection, is_demo=True)).client().get("/").text
    assert "This is the demo." in page
    assert "whichtweet import" in page
    verdict = pick(serving(fill=lambda _: None).client(), page)
    assert "x.com" not in verdict.text


def test_search_engines_find_the_game_and_show_no_card(game: Game) -> None:
    client = game.client(follow_redirects=True)
    first = client.get("/").text
    found = {path: client.get(path).text for path in ("/daily", "/practice/mayor/v1", "/mixed")}
    found |= {"/": first, "verdict": pick(client, first).text}
    assert {path for path, page in found.items() if 'content="noindex"' not in page} == {"/", "/daily"}
    for page in found.values():
        around = re.search(r'<div class="cards[^>]*>', page)
        assert around
        assert "data-nosnippet" in around[0]


def test_who_chooses_an_archive_reads_whose_it_is(serving: Opener) -> None:
    def fill(connection: Connection) -> None:
        add_game(connection, "mayor", description="<Ferries> & potholes")
        add_game(connection, "other")

    client = serving(fill=fill).client()
    ways = client.get("/ways").text
    assert ways.count("<bdi>&lt;Ferries&gt; &amp; potholes</bdi>") == 1
    listed = client.get("/api/archives").json()["archives"]
    assert {each["slug"]: each["description"] for each in listed} == {"mayor": "<Ferries> & potholes", "other": None}


def test_before_there_is_anything_to_play_the_page_is_kind(serving: Opener) -> None:
    client = serving(fill=lambda _: None).client()
    for path, status in (("/", 503), ("/hall", 404)):
        response = client.get(path)
        assert response.status_code == status
        assert "There is nothing to play yet." in response.text
        assert "still writing" not in response.text
        assert "whichtweet import" in response.text


def add_unplayable(connection: Connection) -> None:
    """An archive of which the network cannot write a single card."""
    archive_id = add_archive(connection, "unplayable")
    add_tweets(connection, archive_id, [words(seed).replace("Note", "Ноте") for seed in range(12)])
    add_samples(
        connection, archive_id, add_generator(connection, archive_id), [words(100 + seed) for seed in range(12)]
    )


@pytest.mark.parametrize("path", ["/", "/a/unplayable", "/daily/unplayable", "/practice/unplayable/v1"])
def test_an_archive_of_which_nothing_can_be_a_card_says_so(serving: Opener, path: str) -> None:
    page = serving(fill=add_unplayable).client(follow_redirects=True).get(path)
    assert page.status_code == 404
    assert "Nothing of this archive can be played." in page.text
    assert "None of the 12 tweets that it keeps for play makes a card" in page.text
    assert "writing" not in page.text
    assert "data-again" not in page.text


def test_the_demo_is_played_where_nothing_of_the_real_archive_can_be(serving: Opener) -> None:
    def fill(connection: Connection) -> None:
        add_unplayable(connection)
        add_game(connection, "demo", is_demo=True)

    client = serving(fill=fill).client()
    assert "This is the demo." in client.get("/").text
    listed = client.get("/api/archives").json()["archives"]
    assert {each["slug"]: each["is_open"] for each in listed} == {"demo": True, "unplayable": False}


def test_before_a_network_has_learned_from_it_an_archive_says_so(serving: Opener) -> None:
    game = serving(fill=lambda connection: add_tweets(connection, add_archive(connection), [words(1), words(2)]))
    for path in ("/", "/daily/mayor"):
        page = game.client(follow_redirects=True).get(path)
        assert page.status_code == 503
        assert "No network has learned from it yet." in page.text
        assert "still writing" not in page.text
        assert "data-again" in page.text


@pytest.mark.parametrize("path", ["/", "/a/mayor", "/daily/mayor", "/practice/mayor/v1"])
def test_a_paused_archive_says_so(game: Game, path: str) -> None:
    client = game.client(follow_redirects=True)
    open_before = client.get("/").text
    with writing(game.engine) as connection:
        connection.execute(update(archives).values(paused=True, stamp=archives.c.stamp + 1))
    game.refresh()
    page = client.get(path)
    assert page.status_code == 503
    assert "This archive is paused." in page.text
    assert "writing" not in page.text
    assert client.post("/api/rounds", json={"archive": "mayor"}).json()["type"] == "/problems/archive-paused"
    assert re.search("You spotted the real one|The machine fooled you", pick(client, open_before).text), (
        "no pick is lost"
    )


def test_a_player_who_met_every_sample_finds_a_kind_page(serving: Opener) -> None:
    client = serving(fill=lambda connection: add_game(connection, on_shelf=1)).client()
    pick(client, client.get("/").text)
    response = client.get("/")
    assert response.status_code == 409
    assert "You have met all of it." in response.text
    assert "The network writes more as other players use them up" in response.text
    assert 'href="/ways">' in response.text
    assert "data-again" not in response.text


def test_once_the_deck_is_through_the_page_says_so(serving: Opener) -> None:
    client = serving(fill=lambda connection: add_game(connection, cards=1)).client()
    pick(client, client.get("/").text)
    assert re.search(r"data-repeat>You have met one of these before", client.get("/").text)


def test_a_form_that_was_tampered_with_leads_to_the_open_round(client: httpx.Client) -> None:
    page = client.get("/").text
    other = "BBA" if token(page).endswith("AAA") else "AAA"
    response = client.post("/a/mayor", data={"round": token(page)[:-3] + other, "pick": "0"})
    assert "your pick was not counted. Here is yours." in response.text
    assert texts(response.text) == texts(page)
    assert client.post("/a/mayor", data={"round": token(page), "pick": "7"}).status_code == 422


def test_the_address_of_a_button_says_so_and_leads_to_the_game(client: httpx.Client) -> None:
    page = client.get("/me/move")
    assert page.status_code == 405
    assert "This page opens by a button on another one" in page.text
    assert "Try again" not in page.text
    assert 'href="/">Play' in page.text


def test_an_unknown_address_gets_a_page_that_leads_back(client: httpx.Client) -> None:
    response = client.get("/nothing")
    assert response.status_code == 404
    assert 'href="/"' in response.text
