"""Takes the docs' screenshots from the demo (`make pictures`): a round in light, its verdict in dark, the dashboard.

The dashboard is shown over a month that was made up: simulated players play a little, and counts of real ones are drawn
by lot, for the demo's fictional archive alone.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from random import Random

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import select, update

from app.db import admins, archives, generators, rollups, tallies
from app.db.rollups import Attending, LabelKey, day_of
from app.db.session import now, open_engine, writing
from app.db.tables import samples
from app.db.tallies import Count, TallyKey
from app.web.admin.passwords import hashed

HOUSE = Path(__file__).resolve().parents[1]
PICTURES = HOUSE / "docs" / "pictures"
PHONE, DESK = 390, 1280
SIZES = {PHONE: 664, DESK: 860}
COLOURS = 192  # of the dashboard's pictures, which hold nothing but words, lines and plain areas
PASSWORD = "correct horse battery"  # noqa: S105  # of a game that lasts a minute
DAYS, PLAYERS, GUESSES = 30, 40, 160  # of real players; the last two a day, about
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def main() -> None:
    """Play one round on a phone, look at the dashboard, and keep what the docs show of it."""
    PICTURES.mkdir(exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with tempfile.TemporaryDirectory() as data:
        settings = {"WHICHTWEET_DATA_DIR": data, "WHICHTWEET_PORT": str(port), "WHICHTWEET_OPEN_BROWSER": "no"}
        environment = os.environ | settings
        game = subprocess.Popen([sys.executable, "-m", "app.cli", "play"], env=environment)
        try:
            _wait(f"http://127.0.0.1:{port}/readyz")
            simulated = ["simulate", "--archive", "mayor-of-gannet", "--player", "bench.players:stylist"]
            command = [sys.executable, "-m", "app.cli", *simulated, "--guesses", "60"]
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
            _make_up(f"sqlite:///{Path(data) / 'whichtweet.db'}", Random(0))  # noqa: S311  # a picture, not secrets
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
                _shoot_round(browser, f"http://127.0.0.1:{port}/")
                _shoot_dashboard(browser, f"http://127.0.0.1:{port}")
                browser.close()
        finally:
            game.terminate()
            game.wait(60)


def _wait(address: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"no answer from {address}")


def _make_up(database: str, rng: Random) -> None:
    """A month of counts, guesses at the samples on the shelf, and an admin who may look at it all."""
    engine, at = open_engine(database), now()
    with writing(engine) as connection:
        admins.create(connection, "Ada", hashed(PASSWORD), "admin", at)
        archive = archives.listing(connection)[0]
        champion = generators.listing(connection, archive.id)[0]
        for day in range(day_of(at) - DAYS + 1, day_of(at) + 1):
            guesses = rng.randint(GUESSES // 2, GUESSES * 3 // 2)
            fooled = sum(rng.random() < 0.34 for _ in range(guesses))
            taught = sum(rng.random() < 0.9 for _ in range(guesses))
            key = TallyKey(archive.id, champion.id, day, "endless", rollups.REAL)
            tallies.add(connection, {key: Count(guesses, fooled, taught)})
            attending = Attending(rng.randint(PLAYERS // 2, PLAYERS), rng.randint(1, PLAYERS // 4))
            rollups.attend(connection, {(day, rollups.REAL): attending})
            labels = {LabelKey(archive.id, day, "accepted", ""): taught}
            labels[LabelKey(archive.id, day, "excluded", "too quick")] = guesses - taught
            rollups.count_labels(connection, labels)
        for number in connection.scalars(select(samples.c.id)).all():
            seen = rng.randint(0, 24)
            values = {"guesses": seen, "fooled": sum(rng.random() < 0.34 for _ in range(seen))}
            connection.execute(update(samples).where(samples.c.id == number).values(values))
    engine.dispose()


def _shoot_round(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": PHONE, "height": SIZES[PHONE]}, color_scheme="light")
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / "round-390-light.png")
    page.emulate_media(color_scheme="dark")
    page.keyboard.press("ArrowLeft")  # digits pick nothing on a phone
    page.locator("button.next").wait_for()
    page.wait_for_timeout(600)  # the verdict's motion comes to rest
    page.screenshot(path=PICTURES / "verdict-390-dark.png")
    page.close()


def _shoot_dashboard(browser: Browser, address: str) -> None:
    page = browser.new_context(base_url=address).new_page()
    page.set_default_timeout(120_000)
    page.goto("/admin")
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin")
    _keep(page, "/admin", "overview", DESK, chart=True)
    _keep(page, "/admin", "overview", PHONE, dark=True, chart=True)
    _keep(page, "/admin/samples?order=fools+most", "samples", DESK)
    page.goto("/admin/archives")
    page.get_by_label("Drop a file here").set_input_files(HOUSE / "demo" / "mayor_of_gannet.jsonl")
    page.get_by_role("button", name="Send and look into it").click()
    page.get_by_role("heading", name="The first 20").wait_for()
    _keep(page, page.url, "upload", DESK)


def _keep(page: Page, address: str, name: str, width: int, *, dark: bool = False, chart: bool = False) -> None:
    """What a page of the dashboard shows, without a scroll, in as few bytes as that takes."""
    page.set_viewport_size({"width": width, "height": SIZES[width]})
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.goto(address)
    if chart:
        page.locator("[data-drawn]").wait_for()
        page.wait_for_timeout(600)  # until it has found its size
    taken = Image.open(BytesIO(page.screenshot())).convert("RGB")
    file = PICTURES / f"admin-{name}-{width}{'-dark' if dark else ''}.png"
    taken.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    main()
