"""The hall, a sample's own page and what is said about the game, in a real browser: readable by everyone."""

from __future__ import annotations

from datetime import timedelta

import axe
import pytest
from playwright.sync_api import expect
from serving import Game
from sqlalchemy import select, update
from visiting import DESK, PHONE, Visit

from app.db.session import now, writing
from app.db.tables import samples, tweets

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_hall_can_be_read_and_shared(visit: Visit, served: Game, size: dict[str, int], dark: bool) -> None:
    with writing(served.engine) as connection:
        ids = list(connection.scalars(select(samples.c.id).order_by(samples.c.id).limit(9)))
        for place, sample_id in enumerate(ids):
            values = {"guesses": 20, "fooled": 2 * place, "retired_stamp": 3, "hung_at": now() - timedelta(hours=3)}
            connection.execute(update(samples).where(samples.c.id == sample_id).values(values))
    page = visit(size, dark=dark)
    page.locator(".face").first.click()
    expect(page.locator("[data-verdict] b")).to_be_visible()
    with writing(served.engine) as connection:
        connection.execute(update(tweets).where(tweets.c.guesses > 0).values(guesses=9, fooled=6))
    page.get_by_role("link", name="Hall", exact=True).click()
    expect(page.get_by_role("heading", name="Convincing")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe.violations(page) == []
    page.get_by_role("link", name="Share this sample").first.click()
    expect(page.get_by_role("heading", name="Written by a machine")).to_be_visible()
    assert axe.violations(page) == []
    page.get_by_role("link", name="About", exact=True).click()
    expect(page.get_by_role("heading", name="What is kept")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe.violations(page) == []
