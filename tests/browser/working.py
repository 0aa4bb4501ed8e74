"""A game with a real worker, and the dashboard as its admins open it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from factories import LONG_AGO
from playwright.sync_api import Browser, Page, expect
from serving import SECRET, Game, serve, settings

from app.db import admins
from app.db.session import open_engine, writing
from app.web.admin.passwords import hashed

HOUSE = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
SECOND = 1000  # milliseconds


@contextmanager
def open_office(folder: Path, migrated: Path) -> Iterator[Game]:
    """A game without an archive, with its worker, and with Ada and Bo, admins, and Vera the viewer."""
    shutil.copy(migrated, folder / "whichtweet.db")
    url = f"sqlite:///{folder / 'whichtweet.db'}"
    engine = open_engine(url)
    with writing(engine) as connection:
        for name, role in (("Ada", "admin"), ("Bo", "admin"), ("Vera", "viewer")):
            admins.create(connection, name, hashed(PASSWORD), role, LONG_AGO)
    engine.dispose()
    given = {
        "DATA_DIR": str(folder),
        "SHELF_LOW": "3",
        "SHELF_FULL": "6",
        "SECRET_KEY": SECRET,
        "RETRAIN_CRON": "",
        "BACKUP_CRON": "",
        "BASE": "false",
    }
    environment = os.environ | {f"WHICHTWEET_{name}": value for name, value in given.items()}
    with (folder / "work.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "work"], cwd=HOUSE, env=environment, stdout=log, stderr=log
        )
        try:
            with serve(settings(url, folder)) as game:
                yield game
        finally:
            worker.terminate()
            worker.wait(60)


def enter(chromium: Browser, game: Game, name: str) -> Page:
    """A browser of its own in which somebody has signed in."""
    page = chromium.new_context(base_url=game.url, viewport={"width": 1280, "height": 900}).new_page()
    page.goto("/admin")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    return page


def ended(page: Page, state: str, seconds: int = 600) -> None:
    """The job on the page has ended so."""
    told = page.locator(".state-done, .state-failed, .state-cancelled").first
    expect(told).to_be_visible(timeout=seconds * SECOND)
    expect(told).to_have_text(state)


def done(page: Page, seconds: int = 600) -> None:
    """The job on the page has ended well."""
    ended(page, "done", seconds)
