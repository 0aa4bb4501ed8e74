"""Every way to play in a real Chromium, with its script and without, on a phone and at a desk."""

from __future__ import annotations

import re
from datetime import timedelta

import axe
import pytest
from playwright.sync_api import Page, expect
from serving import Game
from sqlalchemy import select, update
from visiting import DESK, PHONE, Visit, cards, count

from app.db.session import now, writing
from app.db.tables import guesses, tweets

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("within_a_day")]

WAYS = {"daily": "/daily", "practice": "/practice/mayor-of-gannet/v1", "mixed": "/mixed"}
SCREENS = [(PHONE, True), (PHONE, False), (DESK, True), (DESK, False)]
NAMES = ["phone", "phone without script", "desk", "desk without script"]


def pick(page: Page) -> list[str]:
    seen = cards(page)
    page.locator(".face").first.click()
    expect(page.locator("[data-state=verdict]")).to_be_visible()
    return seen


def go_on(page: Page) -> None:
    page.locator(".next").click()
    page.wait_for_selector("[data-state=question], .outcome")


def play_by_api(page: Page, rounds: int, **way: str) -> None:
    """Play as this page's player, without looking."""
    for _ in range(rounds):
        dealt = page.request.post("/api/rounds", data=way).json()
        assert page.request.post("/api/guesses", data={"round": dealt["round"], "pick": 0}).ok


def play_ten(page: Page) -> list[list[str]]:
    seen = []
    for number in range(10):
        expect(page.locator("[data-standing]")).to_contain_text(f"Round {number + 1} of 10")
        seen.append(sorted(pick(page)))
        go_on(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(r"You spotted \d+ of 10"))
    return seen


@pytest.mark.parametrize(("size", "script"), SCREENS, ids=NAMES)
def test_the_first_visit_is_ten_rounds_and_what_came_of_them(visit: Visit, size: dict[str, int], script: bool) -> None:
    page = visit(size, script=script)
    assert all(len(text) <= 90 for text in cards(page))
    mine = play_ten(page)
    page.get_by_role("button", name="Share these ten").click()
    link = page.locator("#share").input_value().splitlines()[-1]
    friend = visit(size, script=script)
    friend.goto(link)
    assert sorted(pick(friend)) == mine[0]
    if script and size == PHONE:
        play_by_api(friend, 9, mode="challenge", challenge=link.rpartition("/")[2])
        go_on(friend)
        friend.goto(link)
        expect(friend.locator(".sitters tbody tr")).to_have_count(2)
        height = friend.locator("td .squares").first.bounding_box()
        assert height
        assert height["height"] < 30  # one row of squares
        friend.set_viewport_size({"width": 320, "height": 568})
        assert friend.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize(("size", "script"), SCREENS, ids=NAMES)
def test_the_daily_is_left_and_taken_up_again(visit: Visit, size: dict[str, int], script: bool) -> None:
    page = visit(size, script=script)
    page.get_by_role("link", name="Daily").click()
    page.wait_for_url(re.compile("/daily/"))
    for _ in range(2):
        pick(page)
        go_on(page)
    third = cards(page)
    page.goto("/ways")
    page.get_by_role("link", name="Today's ten").click()
    page.wait_for_url(re.compile("/daily/"))
    assert cards(page) == third
    expect(page.locator("[data-standing]")).to_contain_text("Round 3 of 10")


def test_the_daily_ends_with_a_score_that_spoils_nothing(visit: Visit) -> None:
    page = visit(PHONE)
    page.goto("/daily")
    seen = play_ten(page)
    words = page.locator("#share").input_value()
    assert re.match(r"Which tweet is real\? Daily \d{4}-\d\d-\d\d: I spotted \d+ of 10\n[🟩🔶]{10}\nhttp", words)
    assert not any(text in words for pair in seen for text in pair)
    expect(page.locator(".countdown")).to_contain_text(re.compile(r"in (\d+ h )?\d+ min"))
    page.goto("/daily")
    expect(page.get_by_role("heading", level=1)).to_contain_text("You spotted")
    page.clock.install()
    page.reload()
    page.clock.fast_forward(25 * 3_600_000)  # past midnight, with the page still open
    expect(page.get_by_role("link", name="here they are")).to_have_attribute("href", "/daily/mayor-of-gannet")


@pytest.mark.parametrize("way", ["practice", "mixed"])
@pytest.mark.parametrize(("size", "script"), [SCREENS[0], SCREENS[3]], ids=[NAMES[0], NAMES[3]])
def test_practice_and_a_mixed_game_go_on_from_round_to_round(
    visit: Visit, way: str, size: dict[str, int], script: bool
) -> None:
    page = visit(size, script=script)
    page.goto(WAYS[way])
    seen: set[str] = set()
    for _ in range(3):
        seen |= set(pick(page))
        go_on(page)
    assert len(seen) == 6
    assert page.url.endswith(WAYS[way])


def test_the_cards_of_the_second_round_lie_where_the_first_lay_on_a_desk(visit: Visit) -> None:
    page = visit()
    slips = page.locator(".cards")
    first = slips.bounding_box()
    pick(page)
    go_on(page)
    second = slips.bounding_box()
    assert first
    assert second
    assert abs(first["y"] - second["y"]) < 1


def test_a_scroll_is_no_pick(visit: Visit, served: Game) -> None:
    page = visit(PHONE)
    before = count(served)
    box = page.locator(".face").first.bounding_box()
    assert box
    touch = page.context.new_cdp_session(page)
    x, y = box["x"] + 100, box["y"] + box["height"] / 2
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 8):
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y - 12 * step}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.locator("body").click(position={"x": 5, "y": 5})
    expect(page.locator("[data-state=question]")).to_be_visible()
    assert count(served) == before


def test_going_back_from_the_result_loses_nothing(visit: Visit) -> None:
    page = visit()
    play_by_api(page, 8, mode="daily")
    page.goto("/daily")
    for _ in range(2):
        pick(page)
        go_on(page)
    score = page.get_by_role("heading", level=1).inner_text()
    page.go_back()
    page.wait_for_load_state()
    page.goto("/daily")
    assert page.get_by_role("heading", level=1).inner_text() == score


def test_a_daily_in_two_tabs_is_one_daily(visit: Visit) -> None:
    page = visit()
    page.goto("/daily")
    tab = page.context.new_page()
    tab.goto("/daily")
    assert cards(tab) == cards(page)
    pick(page)
    tab.locator(".face").last.click()
    expect(tab.locator("[data-state=verdict]")).to_be_visible()
    assert tab.locator("[data-verdict]").inner_text() == page.locator("[data-verdict]").inner_text()
    go_on(tab)
    go_on(page)
    assert cards(tab) == cards(page)


def test_a_daily_loses_nothing_to_a_double_click_a_lost_connection_back_or_a_long_pause(
    visit: Visit, served: Game
) -> None:
    page = visit(PHONE)
    page.goto("/daily")
    before = count(served)
    page.locator(".face").first.dblclick()
    expect(page.locator("[data-state=verdict]")).to_be_visible()
    go_on(page)
    page.context.set_offline(True)
    page.locator(".face").first.click()
    expect(page.locator("[data-trouble]")).to_contain_text("Your pick is kept")
    page.context.set_offline(False)
    expect(page.locator("[data-state=verdict]")).to_be_visible()
    go_on(page)
    assert count(served) == before + 2
    third = cards(page)
    page.goto("/ways")
    page.go_back()
    assert cards(page) == third
    open_token = page.locator("[name=round]").input_value()
    old = aged(served, open_token)
    # What the page sends is what it would send had it lain open for two days.
    page.route(
        re.compile("/api/(guesses|rounds)$|/daily/mayor-of-gannet/"),
        lambda route: route.continue_(post_data=(route.request.post_data or "").replace(open_token, old)),
    )
    page.locator(".face").first.click()
    expect(page.locator("[data-trouble]")).to_have_text("That round had run out. Here is a fresh one.")
    assert cards(page) == third
    expect(page.locator("[data-standing]")).to_contain_text("Round 3 of 10")
    page.unroute_all()
    pick(page)
    assert count(served) == before + 3


def aged(game: Game, token: str) -> str:
    """The token of a round as it would be had it lain open for two days."""
    dealt = next(each for each in game.services.dealer.given.rounds.values() if each.token == token)
    return game.services.seal.close(dealt.round, now() - timedelta(days=2))


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_why_holds_the_rest(visit: Visit, script: bool) -> None:
    page = visit(PHONE, script=script)
    pick(page)
    expect(page.locator("[data-real]")).to_be_hidden()
    page.get_by_text("Why?").click()
    expect(page.locator("[data-real]")).to_contain_text("posted")
    expect(page.locator("[data-machine]")).to_contain_text(re.compile(r"It fooled \d+ % of the \d+ players"))
    expect(page.get_by_role("button", name="See how the network reads it")).to_be_visible()
    page.get_by_role("button", name="makes no sense").click()
    expect(page.locator("[data-thanks]")).to_have_text("Thank you. That helps.")
    box = page.locator(".next").bounding_box()
    assert box
    assert box["y"] + box["height"] <= PHONE["height"]


def test_all_ten_rounds_fit_a_phone_and_keep_their_lines(visit: Visit, served: Game) -> None:
    page = visit(PHONE)
    play_by_api(page, 10)
    told = "Two lines, and the other is long:\n#" + "PortGannet" * 20
    with writing(served.engine) as connection:
        tweet_id = connection.scalar(select(guesses.c.tweet_id).order_by(guesses.c.id.desc()).limit(1))
        was = connection.scalar(select(tweets.c.text).where(tweets.c.id == tweet_id))
        connection.execute(update(tweets).where(tweets.c.id == tweet_id).values(text=told))
    try:
        page.goto("/a/mayor-of-gannet/result")
    finally:
        with writing(served.engine) as connection:
            connection.execute(update(tweets).where(tweets.c.id == tweet_id).values(text=was))
    page.get_by_text("All 10 rounds").click()
    card = page.locator(".all p", has_text="Two lines")
    assert card.inner_text() == f"Real: {told}"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    expect(card).to_have_css("unicode-bidi", "plaintext")
    expect(card.locator(".kind")).to_have_css("font-size", "13px")  # as on the page of one's rounds


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_nothing(visit: Visit, size: dict[str, int], dark: bool) -> None:
    page = visit(size, dark=dark, bypass_csp=True, reduced_motion="reduce")
    pick(page)
    page.get_by_text("Why?").click()
    assert axe.violations(page, axe.STANDARDS) == []
    page.goto("/ways")
    assert axe.violations(page, axe.STANDARDS) == []
    play_by_api(page, 9)
    page.goto("/a/mayor-of-gannet/result")
    assert axe.violations(page, axe.STANDARDS) == []
    page.get_by_role("button", name="Share these ten").click()
    assert axe.violations(page, axe.STANDARDS) == []


def test_the_first_page_is_light(visit: Visit, served: Game) -> None:
    page = visit()
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    page.context.clear_cookies()
    page.goto("/")
    page.wait_for_load_state("networkidle")
    assert 0 < sum(sizes) <= 30_000
