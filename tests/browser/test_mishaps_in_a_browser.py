"""Mishaps in a real Chromium: pressed twice, gone back, offline, no cookies, two tabs. Nothing is lost."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect
from serving import Game
from visiting import PHONE, Visit, cards, count, faces, is_asked, is_told

from app.db.session import now

pytestmark = pytest.mark.browser


def test_a_double_click_guesses_once(visit: Visit, served: Game) -> None:
    page = visit()
    before = count(served)
    faces(page).first.dblclick()
    is_told(page)
    assert count(served) == before + 1


def test_a_double_tap_on_next_ticks_nothing_in_the_next_round(visit: Visit) -> None:
    page = visit(PHONE)
    page.clock.install()
    page.reload()
    page.clock.pause_at(now() + timedelta(hours=1))
    before = cards(page)
    faces(page).first.click()
    is_told(page)
    box = page.get_by_role("button", name="Next", exact=True).bounding_box()
    tick = page.locator(".known")
    assert box
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 2
    page.touchscreen.tap(x, y)
    is_asked(page, before)
    page.touchscreen.tap(x, y)
    assert page.evaluate(f"document.elementFromPoint({x}, {y}).closest('.known') !== null")
    expect(page.get_by_role("checkbox")).not_to_be_checked()
    page.clock.run_for(600)
    tick.tap()
    expect(page.get_by_role("checkbox")).to_be_checked()


def test_enter_held_down_or_pressed_twice_on_next_picks_no_card(visit: Visit, served: Game) -> None:
    page = visit()
    page.clock.install()
    page.reload()
    page.clock.pause_at(now() + timedelta(hours=1))
    before, seen = count(served), cards(page)
    page.keyboard.press("1")
    is_told(page)
    for _ in range(8):
        page.keyboard.down("Enter")  # held: all but the first repeat
    page.keyboard.up("Enter")
    is_asked(page, seen)
    page.keyboard.press("Enter")
    expect(page.locator("[data-state=question]")).to_be_visible()
    assert count(served) == before + 1
    page.clock.run_for(600)
    page.keyboard.press("Enter")
    is_told(page)


def test_reload_gives_the_same_open_round(visit: Visit) -> None:
    page = visit()
    before = cards(page)
    page.reload()
    assert cards(page) == before


def test_the_next_round_is_the_one_that_was_had_ahead(visit: Visit) -> None:
    page = visit()
    page.wait_for_load_state("networkidle")  # what this page had ahead is not what the next one asks for
    with page.expect_response("**/api/rounds") as ahead:
        page.reload()
    texts = [card["text"] for card in ahead.value.json()["cards"]]
    faces(page).first.click()
    is_told(page)
    page.reload()
    assert page.evaluate("[...document.querySelectorAll('.text')].map((e) => e.textContent)") == texts


def test_the_back_button_gives_the_open_round(visit: Visit) -> None:
    page = visit()
    faces(page).first.click()
    is_told(page)
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.locator("[data-state=question]")).to_be_visible()
    before = cards(page)
    page.goto("/healthz")
    page.go_back()
    assert cards(page) == before


def test_the_back_button_without_script_never_loses_a_guess(visit: Visit, served: Game) -> None:
    page = visit(script=False)
    faces(page).first.click()
    is_told(page)
    before = count(served)
    page.go_back()
    faces(page).last.click()
    is_told(page)
    assert count(served) <= before + 1


def test_a_guess_is_kept_while_the_connection_is_gone(visit: Visit, served: Game) -> None:
    page = visit()
    before = count(served)
    page.context.set_offline(True)
    faces(page).first.click()
    expect(page.locator("[data-trouble]")).to_contain_text("Your pick is kept")
    page.context.set_offline(False)
    is_told(page)
    expect(page.locator("[data-trouble]")).to_be_empty()
    assert count(served) == before + 1


def test_an_answer_that_was_lost_on_the_way_is_asked_for_again(visit: Visit, served: Game) -> None:
    page = visit()
    before = count(served)
    lost = []

    def lose(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch())  # the server records the guess; the browser never hears of it
        route.abort()

    page.route("**/api/guesses", lose)
    faces(page).first.click()
    is_told(page)
    assert lost[0].status == 201
    assert count(served) == before + 1


def test_the_next_round_waits_for_the_connection(visit: Visit) -> None:
    page = visit()
    page.route("**/api/rounds", lambda route: route.abort())
    page.reload()
    before = cards(page)
    faces(page).first.click()
    is_told(page)
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.locator("[data-trouble]")).to_contain_text("The next round comes")
    page.unroute("**/api/rounds")
    is_asked(page, before)


def refuse_cookies(page: Page) -> None:
    """No request brings a cookie from now on, whatever answers set: a request's own header cannot be taken from it."""

    def without_cookie(route: Route) -> None:
        page.context.clear_cookies()
        route.continue_()

    page.route("**/*", without_cookie)


def test_with_cookies_refused_the_game_goes_on(visit: Visit) -> None:
    page = visit()
    seen: list[str] = []
    refuse_cookies(page)
    page.goto("/")
    for _ in range(3):
        before = cards(page)
        seen += before
        page.context.clear_cookies()
        faces(page).first.click()
        is_told(page)
        page.get_by_role("button", name="Next", exact=True).click()
        is_asked(page, before)
    assert len(set(seen)) == 6


def test_without_cookies_a_set_ends_with_its_result_and_one_keeps_playing(visit: Visit) -> None:
    page = visit()
    refuse_cookies(page)
    page.goto("/")
    for number in range(1, 11):
        before = cards(page)
        page.context.clear_cookies()
        faces(page).first.click()
        is_told(page)
        expect(page.locator("[data-standing]")).to_have_text(re.compile(rf"\d+ of {number} spotted"))
        page.locator("button.next").click()
        if number < 10:
            is_asked(page, before)
    expect(page.locator("h1")).to_have_text(re.compile(r"You spotted \d+ of 10"))
    page.get_by_text("All 10 rounds").click()
    expect(page.locator(".all li")).to_have_count(10)
    page.get_by_role("button", name="Keep playing").click()
    for number in (11, 12):
        before = cards(page)
        page.context.clear_cookies()
        faces(page).first.click()
        is_told(page)
        expect(page.locator("[data-standing]")).to_have_text(re.compile(rf"\d+ of {number} spotted"))
        page.get_by_role("button", name="Next", exact=True).click()
        is_asked(page, before)


# What Safari lacks before 16, and before 15.4: phones that get nothing newer are still played on.
@pytest.mark.parametrize("lacking", ["AbortSignal.timeout", "SubmitEvent.prototype.submitter"])
def test_a_browser_of_some_years_ago_plays_on(visit: Visit, served: Game, lacking: str) -> None:
    page = visit(PHONE)
    page.add_init_script(f"delete {lacking}")
    page.reload()
    assert page.evaluate(f"typeof {lacking}") == "undefined"
    start = count(served)
    for number in (1, 2):
        before = cards(page)
        faces(page).last.click()
        is_told(page)
        expect(page.locator(".picked .number")).to_have_text("2")
        assert count(served) == start + number
        page.get_by_role("button", name="Next", exact=True).click()
        is_asked(page, before)


def test_a_second_tab_shows_what_the_first_answered(visit: Visit) -> None:
    page = visit()
    tab = page.context.new_page()
    tab.goto("/")
    assert cards(tab) == cards(page)
    faces(page).first.click()
    is_told(page)
    faces(tab).last.click()
    expect(tab.locator("[data-trouble]")).to_contain_text("answered this one before")
    assert tab.locator("[data-verdict]").inner_text() == page.locator("[data-verdict]").inner_text()


def test_the_first_ten_end_with_their_score_though_another_tab_went_on(visit: Visit) -> None:
    page = visit()

    def play_elsewhere() -> None:
        token = page.request.post("/api/rounds", data={}).json()["round"]
        assert page.request.post("/api/guesses", data={"round": token, "pick": 0}).ok

    for _ in range(9):
        play_elsewhere()
    page.reload()
    faces(page).first.click()
    is_told(page)
    play_elsewhere()
    page.get_by_role("button", name="See how you did").click()
    page.wait_for_url("**/result")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_forgotten_in_another_tab_one_goes_on_as_somebody_new(visit: Visit, script: bool) -> None:
    page = visit(script=script)
    for _ in range(3):
        before = cards(page)
        faces(page).first.click()
        is_told(page)
        page.get_by_role("button", name="Next", exact=True).click()
        is_asked(page, before)
    expect(page.locator("[data-standing]")).to_contain_text("Round 4 of 10")
    tab = page.context.new_page()
    tab.goto("/me/forget")
    tab.get_by_role("button", name="Forget me now").click()
    expect(tab.get_by_text("You are forgotten.")).to_be_visible()
    faces(page).first.click()
    expect(page.locator("[data-trouble]")).to_have_text("That round is not open any more. Here is the one that is.")
    expect(page.locator("[data-standing]")).to_have_text("Round 1 of 10")
    faces(page).first.click()
    is_told(page)
    expect(page.locator("[data-standing]")).to_have_text(re.compile(r"[01] of 1 spotted"))
