"""Thin routes: the endpoint gets the request and gives the answer, with nothing of the framework in between."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute, APIRouter
from starlette.responses import Response


class ThinRoute(APIRoute):
    """Documented like any other, but nothing is resolved or validated per request: the endpoint does what it needs."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself, which takes nothing but the request."""
        return self.endpoint


def include(app: FastAPI, router: APIRouter) -> None:
    """Add a router's routes as they are: those of one that is included are looked for twice for each request."""
    app.router.routes.extend(router.routes)
