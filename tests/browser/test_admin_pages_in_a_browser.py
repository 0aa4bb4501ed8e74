"""Every page of the dashboard with something on it: axe finds nothing, on a desk and on a phone, in light and dark."""

from __future__ import annotations

import re
from datetime import datetime

import axe
import pytest
from factories import LONG_AGO, add_generator, add_samples, words
from playwright.sync_api import Page, expect
from serving import Game
from sqlalchemy import Connection
from visiting import DESK, PHONE, Visit

from app.db import admins, archives, audit, browsing, jobs, players, rollups, tallies, uploads, workers
from app.db.audit import Change
from app.db.rollups import LabelKey, day_of
from app.db.session import now, writing
from app.db.tables import archives as table
from app.db.tables import guesses, labels, remarks, samples
from app.db.tallies import Count, TallyKey
from app.web.admin import ROOMS
from app.web.admin.passwords import hashed
from bench.pages import DOWNLOADS

PASSWORD = "correct horse battery"
PREVIEW = {
    **{"format": "json", "unit": "tweet", "read": 61, "passed": 60, "whole": True, "left_out": {"retweet": 1}},
    **{"examples": {"retweet": ["RT @someone: not mine"]}, "handle": None, "deck": 12, "naming": 9, "deck_unnamed": 10},
    "shown": [
        {"text": "we had soup with Clive Bose at the pier", "date": "2026-01-01", "leaning": None, "naming": True},
        {"text": "and it rained", "date": "2026-01-02", "leaning": "thread", "naming": False},
    ],
}
# Every route that shows a page -> what is asked of it.
PAGES = {
    "": ("",),
    "/audit": ("/audit",),
    "/archives": ("/archives",),
    "/archives/{slug}": ("/archives/mayor-of-gannet",),
    "/uploads/{upload_id}": ("/uploads/1", "/uploads/2"),
    "/training": ("/training",),
    "/jobs/{job_id}": ("/jobs/2", "/jobs/3"),
    "/samples": ("/samples?order=fools+most", "/samples?status=hidden"),
    "/tweets": ("/tweets?words=the",),
    "/words": ("/words?words=harbour", "/words?words=%21"),
    "/reports": ("/reports",),
    "/held": ("/held",),
    "/generators": ("/generators",),
    "/generators/{generator_id}": ("/generators/1", "/generators/2"),
    "/generators/compare": ("/generators/compare?left=1&right=2",),
    "/labels": ("/labels",),
    "/players/{player_id}": ("/players/1",),
    "/sign-in": (),  # looked at before anybody has signed in
}
NOT_FOUND = "/archives/nowhere"

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
        other = uploads.add(connection, key="l", source="wrong.csv", size=9, asked_by="Ada", at=at)
        uploads.note_preview(connection, other, "failed", {"trouble": "no tweets in wrong.csv"})
        trained = jobs.ask(connection, "train", 1, {"minutes": 1}, asked_by="Ada", at=at)
        assert trained is not None
        curve = [
            {"step": step, "train_bits": 4 - step / 500, "bits_per_character": 4 - step / 600 if step % 200 else None}
            for step in range(100, 1000, 100)
        ]
        told = {"curve": curve, "step": 900, "steps": 1000, "samples": ["we had soup", "and it rained"]}
        told["log"] = ["13:45:07 step 900 of 1,000, epoch 2", "13:45:08 wrote: we had soup"]
        claim = jobs.begin(connection, trained, "work-1", at).claim
        jobs.report(connection, claim, progress=told)
        jobs.finish(connection, claim, "done", "v1 registered", at)
        add_samples(connection, 1, add_generator(connection, 1, parent_id=1), [words(n) for n in range(8)])
        held = {"hidden_at": at, "hidden_reason": "held: illness"}
        connection.execute(samples.update().where(samples.c.id == 3).values(held))
        _play(connection, at)
        note = Change("archive set", "mayor-of-gannet", {"zone": "UTC"}, {"zone": "Europe/Berlin"}, "it is there")
        audit.note(connection, "Ada", note, at)
        connection.execute(table.update().values(stamp=table.c.stamp + 1))
    served.refresh()
    return served


def _play(connection: Connection, at: datetime) -> None:
    """A player's guess with its label, the count of it, and a report."""
    players.add(connection, {b"p" * 16: None}, at)
    row = {"round_id": b"r" * 16, "player_id": 1, "archive_id": 1, "tweet_id": 1, "sample_id": 1, "generator_id": 1}
    row |= {"arm": "champion", "mode": "endless", "position": 1, "repeat": False, "tweet_index": 0, "pick": 1}
    row |= {"verdict": "fooled", "recognised": False, "has_cookie": True, "policy_version": 1, "arm_probability": 1.0}
    row |= {"card_probability": 0.1, "dealt_at": at, "guessed_at": at, "answer": "{}"}
    connection.execute(guesses.insert().values(row))
    label = {"guess_id": 1, "status": "accepted", "rules_version": 1, "decided_at": at}
    connection.execute(labels.insert().values(label))
    rollups.count_labels(connection, {LabelKey(1, day_of(at), "accepted", ""): 1})
    key = TallyKey(1, 1, day_of(at), "endless", rollups.REAL)
    tallies.add(connection, {key: Count(1, 1, 1)})
    connection.execute(remarks.insert().values(guess_id=1, report="this is about my aunt", said_at=at))


def sign_in(page: Page) -> None:
    page.goto("/admin")
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin")


def test_every_page_is_looked_at() -> None:
    routes = {route.path for room in ROOMS for route in room.router.routes if "GET" in route.methods}  # type: ignore[attr-defined]
    files = {
        "/bokeh.js",
        "/charts/fool-rates.json",
        "/charts/jobs/{job_id}.json",
        "/charts/generators/{generator_id}.json",
        "/jobs/{job_id}.json",
        *DOWNLOADS,
    }
    assert routes - files == set(PAGES)


@pytest.mark.parametrize("signed_in", [False, True], ids=["outside", "inside"])
def test_axe_finds_nothing(office: Game, visit: Visit, signed_in: bool) -> None:
    page = visit()
    if signed_in:
        sign_in(page)
    asked = [address for some in PAGES.values() for address in some] if signed_in else ["/sign-in"]
    for path in [*asked, NOT_FOUND] if signed_in else asked:
        page.goto("/admin" + path)
        page.locator("main details").evaluate_all("all => all.forEach(each => each.open = true)")
        # Whether a table is too wide depends on the fonts: each can be scrolled with the keyboard, as it is served.
        assert page.locator(".wide:not([tabindex])").count() == 0, path
        for place in page.locator("[data-chart]").all():
            expect(place).to_have_attribute("data-drawn", re.compile("yes|empty"))
        for scheme, size in (("light", DESK), ("dark", PHONE), ("light", PHONE), ("dark", DESK)):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size(size)  # type: ignore[arg-type]
            # What is not about colours is the same in the other scheme, and what is, the same on another screen.
            is_first = (scheme, size) in (("light", DESK), ("dark", PHONE))
            found = axe.violations(page, None if is_first else ["color-contrast", "target-size"])
            told = [(v["id"], node["html"][:160]) for v in found for node in v["nodes"][:2]]
            assert told == [], f"/admin{path} in {scheme}"
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"/admin{path} is too wide"


def test_a_look_for_words_that_comes_in_parts_is_counted_together(
    office: Game, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit()
    sign_in(page)
    page.goto("/admin/words?words=harbour")
    whole = page.locator("[data-count]").inner_text()
    listed = page.locator(".slips tbody tr").all_inner_texts()
    assert len(listed) > 25
    monkeypatch.setattr(browsing, "LOOK", 40)
    page.goto("/admin/words?words=harbour")
    expect(page.locator("[data-count]")).to_have_text(whole)
    assert page.locator(".slips tbody tr").all_inner_texts() == listed
    page = visit(script=False)
    sign_in(page)
    page.goto("/admin/words?words=harbour")
    expect(page.locator("[data-count]")).to_contain_text("of 80 cards that were looked through.")
    page.get_by_role("link", name="Look through more").click()
    expect(page.locator("[data-count]")).to_contain_text("of 80 cards that were looked through.")


def test_what_was_opened_on_the_page_of_a_running_job_stays_open_as_it_goes_on(office: Game, visit: Visit) -> None:
    def report(step: int) -> None:
        line = f"13:45:07 step {step} of 9, epoch 1"
        with writing(office.engine) as connection:
            jobs.report(connection, claim, progress={"step": step, "steps": 9, "log": [line]})

    with writing(office.engine) as connection:
        asked = jobs.ask(connection, "train", 1, {"minutes": 1}, asked_by="Ada", at=now())
        assert asked is not None
        claim = jobs.begin(connection, asked, "work-1", now()).claim
    report(1)
    page = visit()
    sign_in(page)
    page.goto(f"/admin/jobs/{asked}")
    page.get_by_text("Log (UTC)").click()
    expect(page.locator(".log")).to_contain_text("step 1 of 9")
    report(2)
    expect(page.locator(".log")).to_contain_text("step 2 of 9")
    expect(page.locator(".log")).to_be_visible()
    with writing(office.engine) as connection:
        jobs.finish(connection, claim, "done", "v3 registered", now())
    expect(page.locator(".state-done")).to_be_visible()


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
