"""Inside the network in a real browser: walked along by keys, with motion and without, and readable by everyone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import axe
import pytest
from playwright.sync_api import Page, Route, expect
from serving import Game, serve, settings
from stocked import fill
from visiting import DESK, PHONE, Visit

from app.db.session import open_engine, writing
from model.checkpoint import read_checkpoint, write_checkpoint
from model.vocab import END_ID

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("within_a_day")]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Game]:
    """The demo's own network, beside a game of its posts."""
    folder = tmp_path_factory.mktemp("inside")
    shutil.copy(migrated, folder / "whichtweet.db")
    demo = read_checkpoint(Path(__file__).resolve().parents[2] / "demo" / "checkpoint")
    demo.weights["output.bias"][END_ID] = -30.0  # what it writes has no end of its own: nobody knows the seed
    write_checkpoint(folder / "checkpoints" / "mayor" / "v1", demo)
    url = f"sqlite:///{folder / 'whichtweet.db'}"
    engine = open_engine(url)
    with writing(engine) as connection:
        fill(connection)
    engine.dispose()
    with serve(settings(url, folder)) as game:
        yield game


def is_accessible(page: Page) -> None:
    assert axe.violations(page) == []


@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (DESK, True)], ids=["phone light", "desk dark"])
def test_a_text_is_read_and_walked_along(visit: Visit, size: dict[str, int], dark: bool) -> None:
    page = visit(size, dark=dark, reduced_motion="reduce")
    page.goto("/inside")
    page.get_by_label("Your text").fill("The zebra quiz is on. Bring a chair!")
    page.get_by_role("button", name="Read it").click()
    slider = page.get_by_role("slider")
    expect(slider).to_be_visible(timeout=30_000)
    assert page.get_by_role("button", name="Play").is_hidden()
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("[data-name]")).to_have_text("T")
    before = page.locator('[data-value="forget"] [data-number]').text_content()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-name]")).to_have_text("e")
    assert slider.get_attribute("aria-valuetext") == f"e, {page.locator('[data-bits]').text_content()} bits"
    expect(page.locator("[data-best] li")).to_have_count(5)
    assert page.locator('[data-value="forget"] [data-number]').text_content() != before
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    is_accessible(page)


def test_a_text_is_read_in_a_browser_of_some_years_ago(visit: Visit) -> None:
    page = visit(PHONE, reduced_motion="reduce")
    page.add_init_script("delete AbortSignal.timeout")  # Safari before 16 has none
    page.goto("/inside")
    page.get_by_label("Your text").fill("Bring a chair!")
    page.get_by_role("button", name="Read it").click()
    expect(page.locator("[data-tape] > span")).to_have_count(15)  # and the end


def test_as_many_emoji_are_read_as_there_may_be_characters(visit: Visit) -> None:
    page = visit(PHONE, reduced_motion="reduce")
    page.goto("/inside")
    field = page.get_by_role("textbox")
    field.fill("a")
    field.press("End")
    page.keyboard.insert_text("\U0001f600" * 279)
    page.get_by_role("button", name="Read it").click()
    expect(page.locator("[data-tape] > span")).to_have_count(281)  # and the end
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    field.press_sequentially("b")
    page.get_by_role("button", name="Read it").click()
    expect(page.locator("#trouble")).to_have_text("That is 281 characters: at most 280 are read.")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_enter_in_the_field_shows_the_unit_that_was_typed(visit: Visit, script: bool) -> None:
    page = visit(script=script)
    page.goto("/inside")
    page.get_by_role("button", name="Read it").click()
    for unit in ("200", "7"):
        page.get_by_label("Unit").fill(unit)
        page.get_by_label("Unit").press("Enter")
        expect(page.get_by_text(f"You see unit {unit} of layer")).to_be_visible(timeout=30_000)
    busiest = page.locator("[name=unit]:is(button)").first
    unit = busiest.inner_text()
    busiest.click()
    expect(page.get_by_text(f"You see unit {unit} of layer")).to_be_visible(timeout=30_000)


@pytest.mark.parametrize(("size", "dark"), [(PHONE, True), (DESK, False)], ids=["phone dark", "desk light"])
def test_it_writes_along_and_each_equation_lights(visit: Visit, size: dict[str, int], dark: bool) -> None:
    page = visit(size, dark=dark)
    page.goto("/inside/write")
    page.get_by_label("The beginning").fill("Our ferry")
    page.get_by_role("button", name="Write on").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=30_000)
    for name in ("odds", "nucleus", "draw"):
        page.wait_for_selector(f'[data-value="{name}"].lit')
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("[data-tape] > span").last).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    is_accessible(page)


@pytest.mark.parametrize(("size", "dark", "script"), [(PHONE, False, True), (DESK, True, True), (PHONE, True, False)])
def test_from_the_verdict_to_how_the_network_reads_it(
    visit: Visit, size: dict[str, int], dark: bool, script: bool
) -> None:
    page = visit(size, dark=dark, script=script, reduced_motion="reduce")
    page.locator(".face").first.click()
    page.locator("summary", has_text="Why?").click(timeout=30_000)
    page.get_by_role("button", name="See how the network reads it").click()
    expect(page.get_by_role("heading", name="How the network reads it")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-tape]")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if script:
        is_accessible(page)
    page.get_by_text("All figures of the real card").click()
    expect(page.locator("details[open] tbody tr").first).to_be_visible()
    page.get_by_role("link", name="Back to the verdict").click()
    expect(page).to_have_url(re.compile(r"/v/\w+$"))


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_with_cookies_refused_the_verdict_leads_to_the_reading_and_back(visit: Visit, script: bool) -> None:
    page = visit(PHONE, script=script, reduced_motion="reduce")

    def without_cookie(route: Route) -> None:
        page.context.clear_cookies()
        route.continue_()

    page.route("**/*", without_cookie)
    page.goto("/daily")
    before = page.locator(".text").all_inner_texts()
    page.context.clear_cookies()
    page.locator(".face").first.click()
    page.locator("summary", has_text="Why?").click()
    page.get_by_role("button", name="spelling").click()
    expect(page.locator("[data-thanks]")).to_have_text("Thank you. That helps.")
    page.get_by_role("button", name="See how the network reads it").click()
    expect(page.get_by_role("heading", name="How the network reads it")).to_be_visible()
    page.get_by_label("Unit").fill("7")
    page.get_by_label("Unit").press("Enter")
    expect(page.get_by_text("You see unit 7 of layer")).to_be_visible()
    page.get_by_role("button", name="Back to the verdict").click()
    expect(page.locator("[data-verdict]")).not_to_be_empty()
    page.get_by_text("Why?").click()
    page.get_by_role("button", name="See how the network reads it").click()
    page.get_by_role("button", name="Next round").click()
    expect(page.locator("[data-standing]")).to_contain_text("Round 2 of 10")
    expect(page.locator(".text").first).not_to_have_text(before[0])
