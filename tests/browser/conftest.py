"""A real Chromium, and a real game to play in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from serving import Game, serve, settings, stay_within_a_day
from stocked import fill
from visiting import DESK, PHONE, Visit

from app.db.session import open_engine, writing

PATIENCE = 30_000  # ms that a page may take on a busy machine
_ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser: Debian's (without windows where that is there, as Playwright's own), else Playwright's."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        installed = shutil.which("chromium-headless-shell") or shutil.which("chromium")
        if installed is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("no Chromium: apt-get install chromium, or playwright install chromium")
        browser = playwright.chromium.launch(executable_path=installed, args=_ARGUMENTS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Game]:
    """A game that the tests of a file share; each test is a player of its own."""
    folder = tmp_path_factory.mktemp("browser")
    shutil.copy(migrated, folder / "whichtweet.db")
    url = f"sqlite:///{folder / 'whichtweet.db'}"
    engine = open_engine(url)
    with writing(engine) as connection:
        fill(connection)
    engine.dispose()
    with serve(settings(url, folder)) as game:
        yield game


@pytest.fixture
def within_a_day() -> None:
    """No midnight falls into the test."""
    stay_within_a_day(60)


@pytest.fixture
def visit(chromium: Browser, served: Game) -> Iterator[Visit]:
    """Opens the game as a new visitor: `visit(PHONE, dark=True, script=False)`; fails the test on a script error."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def opened(size: dict[str, int] = DESK, *, dark: bool = False, script: bool = True, **more: Any) -> Page:
        context = chromium.new_context(
            base_url=served.url,
            viewport=size,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            has_touch=size == PHONE,
            is_mobile=size == PHONE,
            **more,
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto("/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
