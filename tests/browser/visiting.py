"""The sizes of screens that tests play on."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

PHONE, DESK = {"width": 390, "height": 664}, {"width": 1280, "height": 800}

# Opens the game as a new visitor: `visit(PHONE, dark=True, script=False)`.
Visit = Callable[..., Page]
