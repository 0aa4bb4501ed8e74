"""The sizes of screens that tests play on, and what a page shows there."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

PHONE, DESK = {"width": 390, "height": 664}, {"width": 1280, "height": 800}

# Opens the game as a new visitor: `visit(PHONE, dark=True, script=False)`.
Visit = Callable[..., Page]


def cards(page: Page) -> list[str]:
    """The texts of both cards, once the page has them: what was clicked before may still be on its way."""
    expect(page.locator(".text")).to_have_count(2)
    return page.locator(".text").all_inner_texts()
