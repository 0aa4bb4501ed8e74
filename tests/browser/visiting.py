"""The sizes of screens that tests play on, and what a page shows there."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect
from serving import Game
from sqlalchemy import func, select

from app.db.tables import guesses

PHONE, DESK = {"width": 390, "height": 664}, {"width": 1280, "height": 800}

VERDICT = re.compile("You spotted the real one|The machine fooled you")

# Opens the game as a new visitor: `visit(PHONE, dark=True, script=False)`.
Visit = Callable[..., Page]


def cards(page: Page) -> list[str]:
    """The texts of both cards, once the page has them: what was clicked before may still be on its way."""
    expect(page.locator(".text")).to_have_count(2)
    return page.locator(".text").all_inner_texts()


def faces(page: Page) -> Locator:
    """The buttons that the cards are."""
    return page.locator(".face")


def is_told(page: Page) -> None:
    """The verdict is on the page."""
    expect(page.locator("[data-verdict]")).to_have_text(VERDICT)


def is_asked(page: Page, before: list[str]) -> None:
    """The next round is: another one than that with these cards."""
    expect(page.locator("[data-state=question]")).to_be_visible()
    expect(page.locator(".text").first).not_to_have_text(before[0])


def count(game: Game) -> int:
    """Guesses in the game so far."""
    with game.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(guesses)).scalar_one()
