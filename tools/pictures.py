"""Takes the README's two screenshots from the demo (`make pictures`): a round in light, its verdict in dark."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
PHONE = {"width": 390, "height": 664}
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def main() -> None:
    """Play one round on a phone in each scheme, and keep what the README shows of them."""
    PICTURES.mkdir(exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with tempfile.TemporaryDirectory() as data:
        settings = {"WHICHTWEET_DATA_DIR": data, "WHICHTWEET_PORT": str(port), "WHICHTWEET_OPEN_BROWSER": "no"}
        game = subprocess.Popen([sys.executable, "-m", "app.cli", "play"], env=os.environ | settings)
        try:
            _wait(f"http://127.0.0.1:{port}/readyz")
            _shoot(f"http://127.0.0.1:{port}/")
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


def _shoot(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport=PHONE, color_scheme="light")
        page.goto(address)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=PICTURES / "round-390-light.png")
        page.emulate_media(color_scheme="dark")
        page.keyboard.press("ArrowLeft")  # digits pick nothing on a phone
        page.locator("button.next").wait_for()
        page.wait_for_timeout(600)  # the verdict's motion comes to rest
        page.screenshot(path=PICTURES / "verdict-390-dark.png")
        browser.close()


if __name__ == "__main__":
    main()
