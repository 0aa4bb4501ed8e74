"""Thin routes: the endpoint gets the request and gives the answer, with nothing of the framework in between."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute, APIRouter
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class ThinRoute(APIRoute):
    """Documented like any other, but nothing is resolved or validated per request: the endpoint does what it needs."""

    def __init__(self, path: str, endpoint: Callable[[Request], Coroutine[Any, Any, Response]], **told: Any) -> None:
        super().__init__(path, endpoint, **told)
        self.app = _straight(endpoint)


def _straight(endpoint: Callable[[Request], Coroutine[Any, Any, Response]]) -> ASGIApp:
    """The endpoint alone: what it raises goes to where the errors of all routes are told."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await endpoint(Request(scope, receive, send))
        await response(scope, receive, send)

    return app


def include(app: FastAPI, router: APIRouter) -> None:
    """Add a router's routes as they are: those of one that is included are looked for twice for each request."""
    app.router.routes.extend(router.routes)
