"""What is a player's own, in a real Chromium: played on one device, taken to another, and forgotten."""

from __future__ import annotations

import re

import axe
import pytest
from playwright.sync_api import Page, expect
from visiting import DESK, PHONE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("within_a_day")]

PAGES = ("/me", "/me/rounds", "/board", "/move", "/me/forget")


def play(page: Page, rounds: int) -> None:
    """Rounds by the API with this browser's cookie: what they look like is tested elsewhere."""
    for _ in range(rounds):
        token = page.request.post("/api/rounds").json()["round"]
        page.request.post("/api/guesses", data={"round": token, "pick": 0})


def test_a_player_looks_at_their_own_moves_and_is_forgotten(visit: Visit) -> None:
    laptop, phone = visit(DESK, script=False), visit(PHONE)
    play(laptop, 12)
    laptop.goto("/me")
    expect(laptop.locator(".lead")).to_contain_text(re.compile(r"You spot the real one \d+ % of the time"))
    expect(laptop.locator("svg.plot .curve")).to_be_visible()
    laptop.get_by_label("Shown on the boards").fill("Ada")
    laptop.get_by_role("button", name="Save").click()
    laptop.get_by_role("button", name="Get a code").click()
    code = laptop.locator(".code").inner_text()
    phone.goto("/move")
    phone.get_by_label("The code").fill(code)
    phone.get_by_role("button", name="Go on").click()
    expect(phone).to_have_url(re.compile("/me$"))
    expect(phone.get_by_label("Shown on the boards")).to_have_value("Ada")
    phone.get_by_role("link", name="Number 1 today").click()
    expect(phone.locator("tr.you")).to_contain_text("Ada")
    phone.goto("/me/rounds")
    expect(phone.locator(".past")).to_have_count(12)
    phone.get_by_label("Verdict").select_option("spotted")
    phone.get_by_role("button", name="Show").click()
    expect(phone).to_have_url(re.compile("spotted"))
    assert phone.locator(".past.spotted").count() == phone.locator(".past").count()
    laptop.goto("/me")
    laptop.get_by_role("link", name="Forget me").click()
    laptop.get_by_role("button", name="Forget me now").click()
    expect(laptop.get_by_role("heading")).to_have_text("You are forgotten.")
    phone.goto("/me")
    expect(phone.locator(".lead")).to_contain_text("You have not played yet")


def test_why_a_nickname_was_refused_is_on_the_screen(visit: Visit) -> None:
    page = visit(PHONE, script=False)
    play(page, 10)  # the plot of skill stands above the form then
    page.goto("/me")
    page.get_by_label("Shown on the boards").fill("a")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_have_text("A nickname has 2 to 20 characters; this one has 1.")
    expect(page.get_by_role("alert")).to_be_in_viewport()


def test_axe_finds_nothing(visit: Visit) -> None:
    page = visit(bypass_csp=True, reduced_motion="reduce")
    play(page, 12)
    for address in PAGES:
        page.goto(address)
        for size, scheme in ((PHONE, "light"), (PHONE, "dark"), (DESK, "dark"), (DESK, "light")):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            assert axe.violations(page, axe.STANDARDS) == [], (address, size, scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], address
