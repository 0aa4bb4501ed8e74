"""Rendering: the templates, what they all know, and the links between the pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.responses import HTMLResponse

from app.web import static
from model.text import LINK

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
NO_STORE = {"Cache-Control": "no-store"}

# The pages that every page links to, in this order: address and word. A page passes its own address as `here`.
NAVIGATION = (
    ("/", "Play"),
    ("/daily", "Daily"),
    ("/ways", "Modes"),
    ("/board", "Ranking"),
    ("/me", "You"),
    ("/hall", "Hall"),
    ("/inside", "Inside"),
    ("/about", "About"),
)


def pieces(text: str) -> Iterator[str | None]:
    """The parts of a text between its links; None stands for a link."""
    for number, piece in enumerate(text.split(LINK)):
        if number:
            yield None
        yield piece


def html(template: str, *, status: int = 200, headers: dict[str, str] | None = None, **context: Any) -> HTMLResponse:
    """A page from a template; never stored unless `headers` say otherwise."""
    page = _templates.get_template(template).render(**context)
    return HTMLResponse(page, status, NO_STORE if headers is None else headers)


_templates = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True
)
_templates.filters["pieces"] = pieces
_templates.globals["static"] = static.url
_templates.globals["navigation"] = NAVIGATION
