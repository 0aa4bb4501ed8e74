"""Pages of the dashboard that the admin's story does not end on: axe finds nothing, on a desk and on a phone."""

from __future__ import annotations

import axe
import pytest
from factories import LONG_AGO
from playwright.sync_api import Page, expect
from serving import Game
from visiting import DESK, PHONE, Visit

from app.db import admins, archives, jobs, uploads, workers
from app.db.session import now, writing
from app.db.tables import archives as table
from app.web.admin.passwords import hashed

PASSWORD = "correct horse battery"
PREVIEW = {
    **{"format": "json", "unit": "tweet", "read": 61, "passed": 60, "whole": True, "left_out": {"retweet": 1}},
    **{"examples": {"retweet": ["RT @someone: not mine"]}, "handle": None, "deck": 12, "naming": 9, "deck_unnamed": 10},
    "shown": [
        {"text": "we had soup with Clive Bose at the pier", "date": "2026-01-01", "leaning": None, "naming": True},
        {"text": "and it rained", "date": "2026-01-02", "leaning": "thread", "naming": False},
    ],
}
PAGES = ("", "/archives/mayor-of-gannet", "/uploads/1", "/generators", "/held", "/samples", "/labels", "/training")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def office(served: Game) -> Game:
    """The shared game with an admin, a private archive whose shelf is being written anew, errors, and an upload."""
    at = now()
    with writing(served.engine) as connection:
        admins.create(connection, "Ada", hashed(PASSWORD), "admin", LONG_AGO)
        archives.note_basis(connection, "mayor-of-gannet", "own")
        jobs.ask(connection, "restock", 1, {"name_others": True}, asked_by="Ada", at=at)
        failed = jobs.ask(connection, "train", 1, {}, asked_by="schedule", at=at)
        assert failed is not None
        jobs.finish(connection, jobs.begin(connection, failed, "work-1", at).claim, "failed", "the disk is full", at)
        workers.beat(connection, "work-1", trains=True, at=LONG_AGO)
        upload = uploads.add(connection, key="k", source="tweets.json", size=9000, asked_by="Ada", at=at)
        uploads.note_preview(connection, upload, "ready", PREVIEW)
        connection.execute(table.update().values(stamp=table.c.stamp + 1))
    served.refresh()
    return served


def sign_in(page: Page) -> None:
    page.goto("/admin")
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin")


def test_axe_finds_nothing(office: Game, visit: Visit) -> None:
    page = visit()
    sign_in(page)
    for path in PAGES:
        page.goto("/admin" + path)
        page.locator("details.do").evaluate_all("all => all.forEach(each => each.open = true)")
        # Whether a table is too wide depends on the fonts: each can be scrolled with the keyboard, as it is served.
        assert page.locator(".wide:not([tabindex])").count() == 0, path
        for scheme, size in (("light", DESK), ("dark", PHONE)):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size(size)  # type: ignore[arg-type]
            found = axe.violations(page)
            told = [(v["id"], node["html"][:160]) for v in found for node in v["nodes"][:2]]
            assert told == [], f"/admin{path} in {scheme}"
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"/admin{path} is too wide"


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_a_bundle_is_picked_and_its_job_shown(office: Game, visit: Visit, script: bool) -> None:
    page = visit(script=script)
    sign_in(page)
    page.goto("/admin/generators")
    page.get_by_label("Drop a file here").set_input_files(
        {"name": "v7.zip", "mimeType": "application/zip", "buffer": b"PK"}
    )
    page.get_by_role("button", name="Take it in for mayor-of-gannet").click()
    page.wait_for_url("**/admin/jobs/*")
    expect(page.get_by_role("heading", name="Bundle")).to_contain_text("of mayor-of-gannet")
    expect(page.locator("main")).to_contain_text("file: v7.zip")
