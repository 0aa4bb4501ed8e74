"""Views: the dashboard's templates, how figures are written in them, and the one line that says what was done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.db.admins import Admin
from app.db.session import now
from app.game.scoring import interval
from app.web import static

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
NO_STORE = {"Cache-Control": "no-store"}
SAID = "whichtweet_said"

NAV = (
    ("Overview", "/admin"),
    ("Archives", "/admin/archives"),
    ("Samples", "/admin/samples"),
    ("Generators", "/admin/generators"),
    ("Training", "/admin/training"),
    ("Labels", "/admin/labels"),
    ("Audit", "/admin/audit"),
)


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True
    )
    templates.globals.update(static=static.url, nav=NAV)
    templates.filters.update(
        {each.__name__: each for each in (percent, points, span, moment, ago, size, seconds, day, told, plain, behind)},
        n=number,
    )
    return templates


def page(request: Request, template: str, admin: Admin | None, *, status: int = 200, **values: Any) -> Response:
    """A page of the dashboard."""
    said = unquote(request.cookies.get(SAID, ""))
    path, asked = request.url.path, request.url.query
    known = {"path": path, "address": f"{path}?{asked}" if asked else path, "query": dict(request.query_params)}
    content = _templates().get_template(f"admin/{template}").render(admin=admin, said=said, **known, **values)
    response = HTMLResponse(content, status, NO_STORE)
    if said:
        response.delete_cookie(SAID, path="/admin", httponly=True, samesite="strict")
    return response


def back(to: str, said: str = "") -> Response:
    """After a change: on to a page, which says in one line what was done."""
    response = RedirectResponse(to, 303, NO_STORE)
    if said:
        response.set_cookie(SAID, quote(said[:600]), max_age=60, path="/admin", httponly=True, samesite="strict")
    return response


def behind(query: Mapping[str, str], last: int) -> str:
    """The address of the page behind the row `last`, which asks for the same otherwise."""
    return "?" + urlencode({**query, "before": last})


def number(value: float | None) -> str:
    """12,345; a dash where there is none."""
    return "–" if value is None else f"{value:,.0f}"


def percent(part: float | None, whole: float | None = 1.0) -> str:
    """A share in percent: 37.5 %; a dash where there is nothing to share."""
    return "–" if part is None or not whole else f"{100 * part / whole:.1f} %"


def points(value: float | None) -> str:
    """A difference of two shares in points of percent: +4.2; a dash where there is none."""
    return "–" if value is None else f"{100 * value:+.1f}"


def span(fooled: int, guesses: int) -> str:
    """The 95 % interval of a fool rate: 31.0–44.2 %."""
    if not guesses:
        return "–"
    low, high = interval(fooled, guesses)
    return f"{100 * low:.1f}–{100 * high:.1f} %"


def moment(at: datetime | None) -> str:
    """2026-05-01 13:45 UTC."""
    return "–" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def day(number_of_day: int) -> str:
    """A day, from whole days since 1970."""
    return datetime.fromtimestamp(number_of_day * 86_400, UTC).date().isoformat()


def ago(at: datetime | None) -> str:
    """How long ago, in the largest unit that says enough."""
    return "never" if at is None else f"{seconds((now() - at).total_seconds())} ago"


def seconds(length: float | None) -> str:
    """A length of time in words: 45 s, 3 min, 5.2 h, 12 days."""
    if length is None:
        return "–"
    for limit, divisor, unit in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
        if length < limit:
            return f"{length / divisor:.0f} {unit}" if unit != "h" else f"{length / divisor:.1f} h"
    return f"{length / 86_400:,.0f} days"


def size(count: float) -> str:
    """A size in bytes: 1.2 MB."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def told(values: Mapping[str, Any]) -> str:
    """A mapping in one line: name: value, name: value."""
    return ", ".join(f"{name}: {_in_words(value)}" for name, value in values.items())


def _in_words(value: Any) -> Any:
    if isinstance(value, Mapping):
        return f"({told(value)})"
    if isinstance(value, list):
        return "; ".join(str(_in_words(each)) for each in value) or "none"
    return "none" if value is None else value


def plain(value: Any) -> str:
    """A figure of a model card: whole numbers with commas, others to four digits; words as they are."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) and abs(value) < 10_000 else str(_in_words(value))
