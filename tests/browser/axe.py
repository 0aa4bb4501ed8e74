"""What axe finds on a page: it is put there once for each document, and gives back its findings alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from playwright.sync_api import Page

STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def violations(page: Page, only: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """What breaks a rule on the page as it stands now.

    Args:
        page: that has been loaded.
        only: tags or names of rules that are tried; None: all that axe has on by itself.
    """
    base = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is not installed")
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(base.AXE_SCRIPT)
    # What is in order is told at length, and nobody reads it.
    options: dict[str, Any] = {"resultTypes": ["violations"]} | ({} if only is None else {"runOnly": list(only)})
    found: list[dict[str, Any]] = page.evaluate("async options => (await axe.run(options)).violations", options)
    return found
