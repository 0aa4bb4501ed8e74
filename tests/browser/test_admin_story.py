"""One story as an admin would live it, in a real Chromium, with a real server and a real worker."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import axe
import pytest
from playwright.sync_api import Browser, Page, expect
from serving import Game
from working import HOUSE, SECOND, done, enter, open_office

from app.db import audit, generators
from app.db.session import reading

DATA = HOUSE.parent / "shared" / "data"
PAGES = ("", "/archives", "/samples", "/tweets", "/generators", "/training", "/labels", "/reports", "/words", "/audit")

pytestmark = [pytest.mark.browser, pytest.mark.train]


@pytest.fixture
def tweets(tmp_path: Path) -> Path:
    """The beginning of a real archive of ../shared/data, enough for a tiny training."""
    found = sorted(DATA.rglob("*.json")) if DATA.exists() else []
    for file in found:
        rows = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(rows, list) and len(rows) > 2000 and "text" in rows[0]:
            path = tmp_path / "trump.json"
            path.write_text(json.dumps(rows[:2500]), encoding="utf-8")
            return path
    pytest.skip("../shared/data holds no archive in JSON")


@pytest.fixture
def office(tmp_path: Path, migrated: Path) -> Iterator[Game]:
    with open_office(tmp_path, migrated) as game:
        yield game


def train(page: Page, seed: int) -> None:
    page.goto("/admin/training?archive=trump")
    for label, value in (("Minutes at most", "0.1"), ("Layers", "1"), ("Units", "64"), ("Seed", str(seed))):
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Start").click()


def test_an_admins_story(chromium: Browser, office: Game, tweets: Path) -> None:
    page = enter(chromium, office, "Ada")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)

    # Upload, look, import
    page.goto("/admin/archives")
    page.get_by_label("Drop a file here").set_input_files(tweets)
    page.get_by_role("button", name="Send and look into it").click()
    expect(page.get_by_role("heading", name="The first 20")).to_be_visible(timeout=60 * SECOND)
    expect(page.locator("main")).to_contain_text("link only")
    page.get_by_label("Into the archive").fill("trump")
    page.get_by_label("a public figure's public posts").check()
    page.get_by_role("button", name="Import", exact=True).click()
    done(page)

    # Train twice, watching the curve; the first one's samples come onto the shelf by themselves
    train(page, 1)
    expect(page.locator("[data-drawn]")).to_be_visible(timeout=60 * SECOND)
    done(page)
    expect(page.locator("main")).to_contain_text("bits per character on the validation split")
    train(page, 2)
    done(page)

    # See samples, hide one
    page.goto("/admin/samples?archive=trump&status=on+the+shelf")
    for _ in range(60):
        if page.get_by_role("button", name="Hide").count():
            break
        page.wait_for_timeout(SECOND)
        page.reload()
    page.get_by_placeholder("why").first.fill("a trial")
    page.get_by_role("button", name="Hide").first.click()
    expect(page.get_by_role("status")).to_contain_text("is hidden")

    # Promote the second; a viewer is refused each change; roll back
    page.goto("/admin/generators?archive=trump")
    page.get_by_role("link", name="v2").click()
    expect(page).to_have_url(re.compile(r"/admin/generators/\d+$"))
    second = page.url
    page.get_by_label("Why promote").fill("it is newer")
    page.get_by_role("button", name="Promote").click()
    done(page)
    viewer = enter(chromium, office, "Vera")
    viewer.goto(second)
    expect(viewer.get_by_role("button", name="Roll back")).to_have_count(0)
    for path, form in (
        ("/admin/generators/1/promote", {"reason": "mischief"}),
        ("/admin/cards/hide", {"kind": "sample", "card": "1", "reason": "mischief"}),
        ("/admin/archives/trump/delete", {}),
    ):
        answer = viewer.request.post(path, form=form, headers={"Origin": office.url})
        assert answer.status == 403, path
    page.goto(second)
    page.get_by_label("Why").fill("only a trial")
    page.get_by_role("button", name="Roll back").click()
    done(page)
    with reading(office.engine) as connection:
        champion = generators.in_arm(connection, 1, generators.CHAMPION)
    assert champion is not None
    assert champion.name == "v1"

    # Export labels, and read it all in the audit
    page.goto("/admin/labels")
    page.get_by_text("Export for research").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON lines of trump, real players").click()
    assert download.value.suggested_filename.endswith(".jsonl")
    with reading(office.engine) as connection:
        kept = [entry.what for entry in audit.following(connection) if entry.who == "Ada"]
    for what in (
        *("file uploaded", "import asked for", "training asked for", "sample hidden"),
        *("promotion asked for", "rollback asked for", "labels exported"),
    ):
        assert what in kept, kept
    assert errors == []
    axe_finds_nothing(page)


def axe_finds_nothing(page: Page) -> None:
    for path in PAGES:
        page.goto("/admin" + path)
        # What is not about colours is the same in the dark.
        for scheme, rules in (("light", None), ("dark", ["color-contrast", "link-in-text-block"])):
            page.emulate_media(color_scheme=scheme)
            found = axe.violations(page, rules)
            told = [(v["id"], node["html"][:160]) for v in found for node in v["nodes"][:2]]
            assert told == [], f"/admin{path} in {scheme}"
