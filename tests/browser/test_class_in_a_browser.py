"""A class in a real Chromium: the lecturer's wall and two phones, one of them without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Sequence

import axe
import pytest
import rooms
from factories import add_archive, add_generator, add_samples, words
from playwright.sync_api import Page, Route, expect
from rooms import CODE, KEY, Lecturer, open_room
from serving import Game
from sqlalchemy import delete, select, update
from visiting import DESK, PHONE, Visit, cards

from app.db.session import writing
from app.db.tables import class_members, class_rounds, classes, jobs, tweets

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def one_room(served: Game) -> Lecturer:
    with writing(served.engine) as connection:
        for table in (class_members, class_rounds, classes):
            connection.execute(delete(table))
    lecturer = open_room(served)
    served.services.rooms._scenes.clear()
    return lecturer


def at_the_lectern(visit: Visit, **more: bool) -> Page:
    page = visit(DESK, **more)
    page.goto(f"/class/{CODE}/lectern#{KEY}")
    expect(page.get_by_role("button", name="Start ten rounds")).to_be_visible()
    assert KEY not in page.url
    return page


def come_in(page: Page, name: str) -> None:
    page.goto(f"/class/{CODE}")
    page.get_by_label("A nickname").fill(name)
    page.get_by_role("button", name="Come in").click()
    expect(page.locator("h1")).to_have_text("You are in.")


def test_a_lecturer_and_two_phones_play_a_round(visit: Visit) -> None:
    wall, phone, plain = at_the_lectern(visit), visit(PHONE), visit(PHONE, script=False)
    come_in(phone, "Ada")
    come_in(plain, "Bob")
    expect(wall.locator(".count")).to_have_text("2 in the room")
    expect(wall.locator(".qr svg")).to_be_visible()
    wall.get_by_role("button", name="Start ten rounds").click()
    expect(phone.locator("h1")).to_have_text("Round 1 of 10: which one is real?")
    expect(phone.locator("[data-clock]")).to_have_text(re.compile(r"\d+"))
    plain.reload()
    assert cards(phone) == cards(plain)
    assert cards(phone) == cards(wall)
    for place in (0, 1):  # as on the wall
        number = phone.locator(".stub .number").nth(place)
        expect(number).to_have_text(str(place + 1))
        expect(number).to_be_visible()
    phone.locator(".face").first.click()
    expect(phone.locator("h1")).to_have_text("Your pick is in: card 1.")
    expect(wall.locator(".count").last).to_have_text("1 of 2 picked")
    plain.locator(".face").last.click()
    expect(plain.locator("h1")).to_have_text("Your pick is in: card 2.")
    wall.get_by_role("button", name="Reveal").click()
    expect(wall.locator("h1")).to_have_text("50 % were fooled.")
    expect(wall.locator(".best li")).to_have_count(2)
    verdict = re.compile("You spotted the real one|The machine fooled you")
    expect(phone.locator("h1")).to_have_text(verdict)
    size = wall.locator(".text").first.evaluate("(text) => parseFloat(getComputedStyle(text).fontSize)")
    assert size >= 32  # of 800 pixels: readable from ten metres on a wall of two metres
    wall.get_by_role("button", name="Next round").click()
    expect(phone.locator("h1")).to_have_text("Round 2 of 10: which one is real?")


@pytest.mark.parametrize("size", [DESK, {"width": 1920, "height": 1080}], ids=["1280", "1920"])
def test_the_wall_is_used_whole_and_read_from_ten_metres(visit: Visit, served: Game, size: dict[str, int]) -> None:
    wall = at_the_lectern(visit)
    wall.set_viewport_size(size)  # type: ignore[arg-type]
    phones = [rooms.come_in(served, f"Somebody {number}") for number in range(30)]
    expect(wall.locator(".count")).to_have_text("30 in the room")

    def is_whole(lowest: str) -> None:
        assert wall.evaluate("document.documentElement.scrollHeight") <= size["height"]
        box = wall.locator(lowest).last.bounding_box()
        assert box
        assert 0.85 * size["height"] < box["y"] + box["height"] <= size["height"]

    def letters(what: str) -> float:
        """Height of letters, as a share of the wall's."""
        return (
            float(wall.locator(what).first.evaluate("(e) => parseFloat(getComputedStyle(e).fontSize)")) / size["height"]
        )

    is_whole(".names")
    wall.get_by_role("button", name="Start ten rounds").click()
    expect(wall.locator(".card")).to_have_count(2)
    is_whole(".bar")
    assert letters(".text") > 0.045  # short cards stand in large letters
    with writing(served.engine) as connection:
        asked = connection.execute(select(class_rounds.c.tweet_id, class_rounds.c.sample_id)).first()
        assert asked
        was = connection.scalar(select(tweets.c.text).where(tweets.c.id == asked[0]))
        connection.execute(update(tweets).where(tweets.c.id == asked[0]).values(text=words(1, 280)))
    try:
        rooms.pick(phones[0], 0)
        expect(wall.get_by_text("Note 1:")).to_be_visible()
        is_whole(".bar")
        assert letters(".text") >= 0.039  # of two metres: eight centimetres
        wall.get_by_role("button", name="Reveal").click()
        expect(wall.locator(".stub meter")).to_have_count(2)
        is_whole(".bar")
        assert min(letters(".stub"), letters(".best li"), letters(".count")) >= 0.034
    finally:
        with writing(served.engine) as connection:
            connection.execute(update(tweets).where(tweets.c.id == asked[0]).values(text=was))


def test_the_key_does_not_stay_on_the_wall_when_its_link_is_opened_again(visit: Visit) -> None:
    wall = at_the_lectern(visit)
    again = wall.context.new_page()
    again.goto(f"/class/{CODE}/lectern#{KEY}")
    expect(again.get_by_role("button", name="Start ten rounds")).to_be_visible()
    expect(again).to_have_url(re.compile(f"/class/{CODE}/lectern$"))


def test_a_button_on_the_wall_holds_still_while_it_is_pressed(visit: Visit, served: Game) -> None:
    wall = at_the_lectern(visit)
    phones = [rooms.come_in(served), rooms.come_in(served)]
    expect(wall.locator(".count")).to_have_text("2 in the room")
    wall.get_by_role("button", name="Start ten rounds").click()
    reveal = wall.get_by_role("button", name="Reveal")
    reveal.hover()
    wall.mouse.down()
    with wall.expect_response(lambda response: "/lectern/now" in response.url and response.status == 200):
        rooms.pick(phones[0], 0)
    with wall.expect_response(lambda response: "/lectern/now" in response.url):
        pass  # what came with the look before is on the wall by now, if it is let there
    wall.mouse.up()
    expect(wall.locator("h1")).to_have_text(re.compile("were fooled"))


def test_a_double_click_on_reveal_shows_what_it_reveals(visit: Visit, served: Game) -> None:
    wall = at_the_lectern(visit)
    for _ in range(2):
        rooms.come_in(served)
    wall.get_by_role("button", name="Start ten rounds").click()
    reveal = wall.get_by_role("button", name="Reveal")
    reveal.hover()
    for clicks in (1, 2):
        wall.mouse.down(click_count=clicks)
        wall.mouse.up(click_count=clicks)
        expect(wall.get_by_role("button", name="Next round")).to_be_visible()
    with wall.expect_response(lambda response: "/lectern/now" in response.url):
        pass  # what the second click brought about would be on the wall by the next look
    with wall.expect_response(lambda response: "/lectern/now" in response.url):
        pass
    expect(wall.locator("h1")).to_have_text(re.compile("were fooled"))


def test_a_button_on_the_wall_keeps_the_focus_while_picks_come_in(visit: Visit, served: Game) -> None:
    wall = at_the_lectern(visit)
    phones = [rooms.come_in(served), rooms.come_in(served)]
    expect(wall.locator(".count")).to_have_text("2 in the room")
    wall.get_by_role("button", name="Start ten rounds").press("Enter")
    reveal = wall.get_by_role("button", name="Reveal")
    reveal.focus()
    rooms.pick(phones[0], 0)
    expect(wall.locator(".count").last).to_have_text("1 of 2 picked")
    expect(reveal).to_be_focused()
    wall.keyboard.press("Enter")
    expect(wall.locator("h1")).to_have_text(re.compile("were fooled"))


def test_the_lecturer_is_told_why_the_rounds_do_not_begin(visit: Visit, served: Game) -> None:
    with writing(served.engine) as connection:
        empty = add_archive(connection, "empty")
        connection.execute(update(classes).values(archive_id=empty))
    served.refresh()
    wall = at_the_lectern(visit)
    wall.get_by_role("button", name="Start ten rounds").click()
    expect(wall.get_by_text("No network has learned from it yet.")).to_be_visible()
    with writing(served.engine) as connection:
        connection.execute(update(classes).values(archive_id=1))
    expect(wall.locator("h1")).to_have_text("Which one is real?")
    expect(wall.get_by_role("button", name="Reveal")).to_be_visible()


@pytest.mark.parametrize("path", [r"/now\?", "/pick$"], ids=["look", "pick"])
def test_a_request_that_hangs_holds_up_no_phone(visit: Visit, one_room: Lecturer, path: str) -> None:
    phone = visit(PHONE)
    come_in(phone, "Ada")
    hung: list[Route] = []

    def hang_once(route: Route) -> None:
        if hung:
            route.continue_()
        else:
            hung.append(route)  # neither sent nor refused: a phone on its way from one network to another

    phone.route(re.compile(path), hang_once)
    one_room.press("next")
    expect(phone.locator("h1")).to_have_text("Round 1 of 10: which one is real?")
    phone.locator(".face").first.click()
    expect(phone.locator("h1")).to_have_text("Your pick is in: card 1.")
    assert hung


def test_a_pick_that_came_too_fast_is_sent_again(visit: Visit, one_room: Lecturer) -> None:
    phone = visit(PHONE)
    come_in(phone, "Ada")
    one_room.press("next")
    slow_down = "<!doctype html><title>429</title><h1>Not so fast.</h1>"
    phone.route(re.compile("/pick$"), lambda route: route.fulfill(status=429, content_type="text/html", body=slow_down))
    phone.locator(".face").first.click()
    expect(phone.locator("[data-trouble]")).to_have_text("Not so fast. Your pick is kept and sent again.")
    phone.unroute_all()
    expect(phone.locator("h1")).to_have_text("Your pick is in: card 1.")


def test_a_pick_that_is_refused_brings_the_round_anew(visit: Visit, one_room: Lecturer) -> None:
    phone = visit(PHONE)
    come_in(phone, "Ada")
    one_room.press("next")
    expect(phone.locator(".card")).to_have_count(2)
    phone.locator("[name=round]").evaluate("(field) => { field.value = 'no round of ours'; }")
    with phone.expect_navigation():
        phone.locator(".face").first.click()
    phone.locator(".face").first.click()
    expect(phone.locator("h1")).to_have_text("Your pick is in: card 1.")


def test_a_phone_of_some_years_ago_picks(visit: Visit, one_room: Lecturer) -> None:
    phone = visit(PHONE)
    # Safari before 16, and before 15.4
    phone.add_init_script("delete AbortSignal.timeout; delete SubmitEvent.prototype.submitter;")
    come_in(phone, "Ada")
    one_room.press("next")
    phone.locator(".face").first.click()
    expect(phone.locator("h1")).to_have_text("Your pick is in: card 1.")


VIEWS = ((PHONE, "light"), (PHONE, "dark"), (DESK, "dark"), (DESK, "light"))
SOME_VIEWS = VIEWS[1::2]


def check(page: Page, views: Sequence[tuple[dict[str, int], str]] = VIEWS) -> None:
    """Axe finds nothing, and nothing is wider than the screen."""
    for size, scheme in views:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert axe.violations(page, axe.STANDARDS) == [], (page.url, size, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], (page.url, size)


def test_axe_finds_nothing(visit: Visit) -> None:
    wall = at_the_lectern(visit, bypass_csp=True, reduced_motion="reduce")
    phone = visit(PHONE, bypass_csp=True, reduced_motion="reduce")
    come_in(phone, "Ada")
    check(wall)
    wall.get_by_role("button", name="Start ten rounds").click()
    expect(phone.locator(".card")).to_have_count(2)
    check(phone)
    phone.locator(".face").first.click()
    wall.get_by_role("button", name="Reveal").click()
    expect(phone.locator(".card.real")).to_be_visible()
    check(phone)
    check(wall)


def test_axe_finds_nothing_before_and_after_the_rounds(visit: Visit, served: Game) -> None:
    wall = at_the_lectern(visit, bypass_csp=True, reduced_motion="reduce")
    phone = visit(PHONE, bypass_csp=True, reduced_motion="reduce")
    phone.goto("/class?code=NONE")
    expect(phone.get_by_role("alert")).to_be_visible()
    check(phone, SOME_VIEWS)
    phone.goto(f"/class/{CODE}/lectern")
    check(phone, SOME_VIEWS)  # it asks for the key
    phone.goto(f"/class/{CODE}")
    check(phone, SOME_VIEWS)
    come_in(phone, "Ada")
    check(phone, SOME_VIEWS)
    wall.get_by_role("button", name="Start ten rounds").click()
    expect(phone.locator(".card")).to_have_count(2)
    phone.locator(".face").first.click()
    expect(phone.locator("h1")).to_have_text("Your pick is in: card 1.")
    check(phone, SOME_VIEWS)
    with writing(served.engine) as connection:  # the other nine rounds
        connection.execute(update(classes).values(number=11, asked_at=None))
    expect(phone.locator("h1")).to_have_text("That was round 10 of 10.")
    check(phone, SOME_VIEWS)
    expect(wall.get_by_role("button", name="End the class")).to_be_visible()
    check(wall, SOME_VIEWS)
    wall.get_by_role("button", name="End the class").click()
    expect(phone.locator("h1")).to_have_text("This class is over.")
    check(phone, SOME_VIEWS)


def test_axe_finds_nothing_before_and_after_a_training(visit: Visit, served: Game, one_room: Lecturer) -> None:
    wall = at_the_lectern(visit, bypass_csp=True, reduced_motion="reduce")
    phones = [rooms.come_in(served, name) for name in ("Ada", "Bartholomäus Knott", "")]
    watched = visit(PHONE, bypass_csp=True, reduced_motion="reduce")
    come_in(watched, "Eve")

    def leg(card: int) -> None:
        one_room.press("next")
        for _ in range(10):
            for phone in phones:
                rooms.pick(phone, card)
            one_room.press("reveal")
            one_room.press("next")

    leg(0)
    expect(wall.get_by_role("button", name="Train on this class")).to_be_visible()
    check(wall, SOME_VIEWS)
    one_room.press("train")
    expect(wall.get_by_text("It learns from you")).to_be_visible()
    check(wall, SOME_VIEWS)
    with writing(served.engine) as connection:  # what the worker does is tested where it is done
        generator = add_generator(connection, 1)
        add_samples(connection, 1, generator, [words(50_000 + seed, 110) for seed in range(40)])
        connection.execute(update(classes).values(generator_id=generator))
        connection.execute(update(jobs).values(state="done"))
    expect(wall.get_by_role("button", name="Ten more rounds")).to_be_visible()
    check(wall, SOME_VIEWS)
    leg(1)
    expect(wall.locator("h1")).to_have_text("Before and after")
    check(wall)
    expect(watched.locator("h1")).to_have_text("That was all.")
    expect(watched.locator(".lead")).to_contain_text("You picked in none of its rounds.")
    check(watched, SOME_VIEWS)
    wall.get_by_role("button", name="End the class").click()
    expect(wall.locator("h1")).to_have_text("Thank you.")
    check(wall)
    expect(watched.locator("h1")).to_have_text("This class is over.")
    check(watched, SOME_VIEWS)
