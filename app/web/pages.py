"""Pages."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from app.web.problems import Problem

router = APIRouter(include_in_schema=False)


def problem_page(request: Request, problem: Problem) -> Response:
    """A problem as a page."""
    return HTMLResponse(f"<h1>{problem.kind}</h1>", problem.status, problem.headers)
