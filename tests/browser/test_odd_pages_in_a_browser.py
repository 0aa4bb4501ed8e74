"""Pages that are seldom seen: those that say why nothing can be played, and cards from right to left."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import axe
import pytest
from factories import ALPHABET, add_archive, add_generator, add_samples, add_tweets
from playwright.sync_api import Page
from serving import Game, serve, settings
from sqlalchemy import update
from visiting import DESK, PHONE, Visit, cards, faces, is_told

from app.db.session import open_engine, writing
from app.db.tables import archives

pytestmark = pytest.mark.browser

HEBREW = "בוקר טוב לכל תושבי העיר היום נפתח השוק הגדול ליד הנמל והגשר החדש יהיה מוכן לפני החורף תודה לכולם"
JOINED = ["👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪"]  # several code points, one sign


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Game]:
    """A harbour that posts in Hebrew."""
    folder = tmp_path_factory.mktemp("odd")
    shutil.copy(migrated, folder / "whichtweet.db")
    url = f"sqlite:///{folder / 'whichtweet.db'}"
    random = Random(1)
    # A flag is made of letters from left to right: where it comes first, the browser takes it for the text's direction.
    words = [*HEBREW.split(), *JOINED]
    texts = [" ".join(["שלום", *random.choices(words, k=8 + number // 2)]) + "!" for number in range(60)]
    engine = open_engine(url)
    with writing(engine) as connection:
        archive_id = add_archive(connection, "harbour", handle="Harbour")
        add_tweets(connection, archive_id, texts[::2])
        generator_id = add_generator(connection, archive_id, alphabet="".join(set(ALPHABET).union(*texts)))
        add_samples(connection, archive_id, generator_id, texts[1::2])
    engine.dispose()
    with serve(settings(url, folder)) as game:
        yield game


def directions(page: Page, css: str) -> set[str]:
    return set(page.locator(css).evaluate_all("(found) => found.map((each) => getComputedStyle(each).direction)"))


def test_cards_from_right_to_left_stay_so_wherever_they_are_read_again(visit: Visit) -> None:
    page = visit(PHONE)
    cards(page)
    assert directions(page, ".text") == {"rtl"}
    faces(page).first.click()
    is_told(page)
    page.goto("/me/rounds")
    assert directions(page, ".pair p") == {"rtl"}
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for _ in range(9):
        dealt = page.request.post("/api/rounds").json()
        page.request.post("/api/guesses", data={"round": dealt["round"], "pick": 0})
    page.goto("/a/harbour/result")
    page.get_by_text("All 10 rounds").click()
    assert directions(page, ".all p[dir]") == {"rtl"}


def test_two_cards_from_right_to_left_fit_a_phone_and_move_by_no_verdict(visit: Visit) -> None:
    page = visit(PHONE)
    before = [page.locator(".card").nth(index).bounding_box() for index in (0, 1)]
    faces(page).first.click()
    is_told(page)
    assert [page.locator(".card").nth(index).bounding_box() for index in (0, 1)] == before
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def pause(game: Game, paused: bool) -> None:
    with writing(game.engine) as connection:
        connection.execute(update(archives).values(paused=paused, stamp=archives.c.stamp + 1))
    game.refresh()


def test_a_page_that_says_to_come_back_moves_on_by_itself(visit: Visit, served: Game) -> None:
    page = visit(bypass_csp=True)
    page.clock.install()
    pause(served, True)
    try:
        page.reload()
        assert "paused" in page.locator("h1").inner_text()
        for size, scheme in ((PHONE, "light"), (PHONE, "dark"), (DESK, "dark"), (DESK, "light")):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert axe.violations(page) == []
        with page.expect_response("**/"):
            page.clock.fast_forward(61_000)  # it looks once more, and waits on
    finally:
        pause(served, False)
    page.clock.fast_forward(61_000)
    page.wait_for_selector("[data-state=question]")


def test_it_moves_on_in_a_browser_of_some_years_ago(visit: Visit, served: Game) -> None:
    page = visit()
    page.add_init_script("delete AbortSignal.timeout")  # Safari before 16 has none
    page.clock.install()
    pause(served, True)
    try:
        page.reload()
        assert "paused" in page.locator("h1").inner_text()
    finally:
        pause(served, False)
    page.clock.fast_forward(61_000)
    page.wait_for_selector("[data-state=question]")


@pytest.mark.parametrize("path", ["/nowhere", "/a/nobody", "/daily/harbour/2000-01-01", "/c/nothing", "/challenges"])
def test_axe_finds_nothing_where_there_is_nothing(visit: Visit, path: str) -> None:
    page = visit(PHONE, bypass_csp=True)
    answer = page.goto(path)
    assert answer is not None
    assert answer.status in (404, 405)
    assert axe.violations(page) == []
