"""The game as a person plays it, in a real Chromium."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from serving import Game
from sqlalchemy import func, select
from visiting import DESK, PHONE, Visit, cards

from app.db.tables import guesses, remarks

pytestmark = pytest.mark.browser

VERDICT = re.compile("You spotted the real one|The machine fooled you")


def faces(page: Page) -> Any:
    return page.locator(".face")


def is_told(page: Page) -> None:
    expect(page.locator("[data-verdict]")).to_have_text(VERDICT)


def is_asked(page: Page, before: list[str]) -> None:
    expect(page.locator("[data-state=question]")).to_be_visible()
    expect(page.locator(".text").first).not_to_have_text(before[0])


def count(game: Game) -> int:
    with game.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(guesses)).scalar_one()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_three_rounds_by_click(visit: Visit, size: dict[str, int], dark: bool) -> None:
    page = visit(size, dark=dark)
    for number in range(3):
        before = cards(page)
        expect(page.locator(".card .note")).to_have_text(["one of two: one is machine-written"] * 2)
        faces(page).nth(number % 2).click()
        is_told(page)
        expect(page.locator(".real .note")).to_have_text("Real")
        expect(page.locator(".machine .note")).to_have_text("Machine-written")
        page.get_by_text("Why?").click()
        expect(page.locator("[data-real]")).to_contain_text("posted")
        expect(page.locator("[data-machine]")).to_contain_text("written by network v1.")
        page.get_by_role("button", name="Next", exact=True).click()
        is_asked(page, before)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_three_rounds_without_script(visit: Visit, size: dict[str, int]) -> None:
    page = visit(size, script=False)
    for _ in range(3):
        before = cards(page)
        faces(page).first.click()
        is_told(page)
        assert cards(page) == before
        page.get_by_role("button", name="Next", exact=True).click()
        is_asked(page, before)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_enter_on_the_tick_picks_no_card(visit: Visit, served: Game, script: bool) -> None:
    before = count(served)
    page = visit(script=script)
    asked = cards(page)
    page.get_by_label("I know this").press("Enter")
    if not script:
        page.wait_for_url("**/a/mayor-of-gannet?**")
    page.get_by_label("I know this").press("Space")
    expect(page.get_by_label("I know this")).to_be_checked()
    assert cards(page) == asked
    assert count(served) == before
    faces(page).last.click()
    is_told(page)
    assert page.locator(".picked .number").inner_text() == "2"


def test_by_keys_alone(visit: Visit) -> None:
    page = visit()
    for key in ("1", "2", "ArrowLeft", "ArrowRight"):
        before = cards(page)
        page.keyboard.press(key)
        is_told(page)
        picked = page.locator(".picked .number").inner_text()
        assert picked == {"1": "1", "2": "2", "ArrowLeft": "1", "ArrowRight": "2"}[key]
        page.keyboard.press("Enter")
        is_asked(page, before)


def test_digits_can_be_switched_off_and_stay_off(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="Keys 1 2").click()
    page.reload()
    expect(page.get_by_role("button", name="Keys 1 2")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("1")
    page.keyboard.press("ArrowRight")
    is_told(page)
    expect(page.locator(".picked .number")).to_have_text("2")


def test_a_tick_by_key_leaves_the_keys_to_pick_by(visit: Visit, served: Game) -> None:
    page = visit()
    page.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    page.keyboard.press("2")
    is_told(page)
    with served.engine.connect() as connection:
        last = select(guesses.c.pick, guesses.c.recognised).order_by(guesses.c.id.desc()).limit(1)
        assert tuple(connection.execute(last).one()) == (1, True)


def test_selecting_text_by_keys_picks_no_card(visit: Visit) -> None:
    page = visit()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("[data-state=question]")).to_be_visible()
    page.keyboard.press("2")
    is_told(page)
    assert page.locator(".picked .number").inner_text() == "2"


def test_by_tab_and_enter(visit: Visit) -> None:
    page = visit()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(faces(page).first).to_be_focused()
    page.keyboard.press("Enter")
    is_told(page)
    expect(page.get_by_role("button", name="Next", exact=True)).to_be_focused()


def test_by_touch(visit: Visit) -> None:
    page = visit(PHONE)
    faces(page).last.tap()
    is_told(page)


@pytest.mark.parametrize("path", ["/", "/practice/mayor-of-gannet/v1"])
def test_the_verdict_moves_no_card(visit: Visit, path: str) -> None:
    page = visit(PHONE)
    page.goto(path)
    for _ in range(4):
        before = [page.locator(".card").nth(index).bounding_box() for index in (0, 1)]
        texts = cards(page)
        faces(page).first.click()
        is_told(page)
        assert [page.locator(".card").nth(index).bounding_box() for index in (0, 1)] == before
        page.get_by_role("button", name="Next", exact=True).click()
        is_asked(page, texts)


def test_both_cards_the_question_and_next_fit_a_small_phone(visit: Visit) -> None:
    page = visit(PHONE)
    for _ in range(9):
        texts = cards(page)
        top = page.locator("h1").bounding_box()
        last = page.locator(".card").last.bounding_box()
        panel = page.locator(".panel").bounding_box()
        assert top
        assert last
        assert panel
        assert top["y"] >= 0
        assert last["y"] + last["height"] <= panel["y"]
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.keyboard.press("ArrowLeft")
        is_told(page)
        button = page.get_by_role("button", name="Next", exact=True).bounding_box()
        assert button
        assert 400 < button["y"] < button["y"] + button["height"] <= PHONE["height"]
        assert button["height"] >= 48
        page.get_by_role("button", name="Next", exact=True).click()
        is_asked(page, texts)


def boxes(page: Page, *selectors: str) -> list[Any]:
    return [page.locator(selector).bounding_box() for selector in selectors]


def test_why_opens_below_the_cards_and_moves_nothing_that_the_thumb_reaches(visit: Visit) -> None:
    page = visit(PHONE, reduced_motion="reduce")
    for _ in range(4):
        texts = cards(page)
        faces(page).first.click()
        is_told(page)
        reached = ("[data-verdict]", ".next", ".why > summary")
        before = boxes(page, *reached)
        page.get_by_text("Why?").click()
        expect(page.get_by_text("Report a card")).to_be_in_viewport()
        assert boxes(page, *reached) == before
        page.get_by_text("Report a card").click()
        expect(page.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)
        (send,) = boxes(page, ".send")
        assert send["y"] + send["height"] <= before[0]["y"]
        page.get_by_text("Report a card").click()
        page.evaluate("document.querySelector('.why .reading').scrollIntoView({ block: 'end' })")
        last, told = boxes(page, ".card >> nth=1", ".why .reading")
        assert last["y"] + last["height"] <= told["y"]
        assert told["y"] + told["height"] <= before[0]["y"]
        page.evaluate("scrollTo(0, 0)")
        for card in boxes(page, ".card >> nth=0", ".card >> nth=1"):
            middle = f"{card['x'] + card['width'] / 2}, {card['y'] + card['height'] / 2}"
            assert page.evaluate(f"document.elementFromPoint({middle}).closest('.card') !== null")
        page.get_by_role("button", name="Next", exact=True).click()
        is_asked(page, texts)
        assert page.evaluate("scrollY") == 0


def test_why_opens_below_next_where_no_script_could_bring_it_into_view(visit: Visit) -> None:
    page = visit(PHONE, script=False)
    faces(page).first.click()
    is_told(page)
    (before,) = boxes(page, ".next")
    page.get_by_text("Why?").click()
    last, button, told = boxes(page, ".card >> nth=1", ".next", ".why .reading")
    assert button == before
    assert last["y"] + last["height"] <= button["y"]
    assert button["y"] + button["height"] <= told["y"]
    page.get_by_role("button", name="spelling").click()
    expect(page.get_by_text("Thank you. That helps.")).to_be_in_viewport()


def test_two_cards_of_280_characters_with_emoji_fit_a_small_phone(visit: Visit) -> None:
    page = visit(PHONE)
    words = "Come down to the harbour 🚤 with your umbrella ☔ for a wonderful, wet, windy day in town 💛💛💛. "
    page.evaluate(
        """(text) => {
            document.querySelectorAll(".text").forEach((element) => { element.textContent = text; });
            document.querySelector(".cards").classList.add("long");
        }""",
        (words * 3)[:280],
    )
    last, panel = boxes(page, ".card >> nth=1", ".panel")
    assert last["y"] + last["height"] <= panel["y"]
    assert page.locator(".text").first.evaluate("(text) => parseFloat(getComputedStyle(text).fontSize)") >= 16


def test_a_double_click_guesses_once(visit: Visit, served: Game) -> None:
    page = visit()
    before = count(served)
    faces(page).first.dblclick()
    is_told(page)
    assert count(served) == before + 1


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


def test_with_cookies_refused_a_reason_is_not_asked_for_again(visit: Visit) -> None:
    page = visit()
    refuse_cookies(page)
    page.goto("/")
    page.context.clear_cookies()
    faces(page).first.click()
    is_told(page)
    page.get_by_text("Why?").click()
    page.get_by_role("button", name="spelling").click()
    expect(page.locator("[data-thanks]")).to_have_text("That could not be noted: your browser takes no cookie.")


def test_without_cookies_a_set_ends_with_its_result(visit: Visit) -> None:
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


def test_what_gave_it_away_is_one_tap(visit: Visit, served: Game) -> None:
    page = visit(PHONE)
    faces(page).first.click()
    is_told(page)
    page.get_by_text("Why?").click()
    page.get_by_role("button", name="not their style").click()
    expect(page.locator("[data-thanks]")).to_have_text("Thank you. That helps.")
    expect(page.get_by_role("button", name="not their style")).to_have_attribute("aria-pressed", "true")
    with served.engine.connect() as connection:
        assert "style" in set(connection.scalars(select(remarks.c.reason)))


def test_keys_do_not_guess_while_a_report_is_written(visit: Visit, served: Game) -> None:
    page = visit()
    faces(page).first.click()
    is_told(page)
    page.get_by_text("Why?").click()
    page.get_by_text("Report a card").click()
    page.get_by_label("What is wrong with it?").fill("12 names a neighbour")
    page.get_by_label("What is wrong with it?").press("1")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-thanks]")).to_have_text("Thank you. That helps.")
    with served.engine.connect() as connection:
        assert "12 names a neighbour1" in set(connection.scalars(select(remarks.c.report)))


def test_the_answer_is_not_in_the_page_before_the_guess(visit: Visit) -> None:
    page = visit()
    html = page.content()
    # A sealed round is made of such letters and digits: by chance it holds any two.
    for telling in (r"(?<![\w-])v1(?![\w-])", "posted 2", r"x\.com", "written by network"):
        assert not re.search(telling, html)


def test_nothing_is_asked_of_another_host(visit: Visit, served: Game) -> None:
    page = visit()
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.reload()
    faces(page).first.click()
    is_told(page)
    assert hosts == {served.url.split("/")[2]}


def test_the_verdict_is_announced(visit: Visit) -> None:
    page = visit()
    faces(page).first.click()
    is_told(page)
    assert page.locator("[data-verdict]").get_attribute("role") == "status"
    expect(page.locator("[data-verdict]")).to_contain_text(re.compile(r"Card [12] is real"))


def test_the_page_holds_at_twice_the_size(visit: Visit) -> None:
    page = visit({"width": 640, "height": 400})  # 1280 x 800 at 200 %
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    faces(page).last.click()
    is_told(page)
    page.get_by_role("button", name="Next", exact=True).click()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_nothing(visit: Visit, size: dict[str, int], dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = visit(size, dark=dark, bypass_csp=True, reduced_motion="reduce")
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    assert axe.Axe().run(page, options=options).response["violations"] == []
    faces(page).first.click()
    is_told(page)
    assert axe.Axe().run(page, options=options).response["violations"] == []
