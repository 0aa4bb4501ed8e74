"""The guard: headers that keep browsers strict, a limit on bodies, no changes for other sites, HEAD as GET without its
body, a clock and an id on every answer."""

from __future__ import annotations

import time
from random import getrandbits

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web import metrics
from app.web.errors import unforeseen
from app.web.origin import is_foreign
from app.web.problems import Problem

MOST_BYTES = 64 * 1024  # of a request's body

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The dashboard's charts style themselves where they stand; and large files may be sent to it.
ADMIN_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
    "img-src 'self'", "img-src 'self' data:"
)
UPLOADS = ("/admin/uploads", "/admin/generators/bundle")

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class _TooLarge(Exception):  # noqa: N818
    pass


class Guard:
    """Plain ASGI: it costs microseconds, where the framework's own middleware class costs a task per request."""

    def __init__(self, app: ASGIApp, is_https: bool) -> None:
        headers = dict(HEADERS)
        if is_https:
            headers["strict-transport-security"] = "max-age=31536000"
        self._app = app
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        headers["content-security-policy"] = ADMIN_POLICY
        self._admin_headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0
        taken = 0
        path = scope["path"]
        # What monitors and previews of links ask first; the routes know GET alone.
        is_head = scope["method"] == "HEAD"
        asked = {**scope, "method": "GET"} if is_head else scope
        request = f"{getrandbits(64):016x}"  # a name for the log, no secret
        structlog.contextvars.bind_contextvars(request=request)
        is_admins = path == "/admin" or path.startswith("/admin/")
        headers = self._admin_headers if is_admins else self._headers
        # Those routes ask who sends before they read, and have their own limits.
        most = None if path in UPLOADS else MOST_BYTES

        async def guarded_receive() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if most is not None and taken > most:
                raise _TooLarge
            return message

        async def guarded_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *headers, (b"x-request-id", request.encode())]
            elif is_head:
                message["body"] = b""
            await send(message)

        # The dashboard asks more strictly, and says no by a page of its own.
        app = _not_from_here if not is_admins and is_foreign(scope) else self._app
        try:
            _refuse_larger(scope, most)
            await app(asked, guarded_receive, guarded_send)
        except Exception as error:
            # Answered here, with the headers of every answer; what nobody foresaw is thrown on to where it is noted.
            if not status:
                await _told(error, Request(asked))(asked, receive, guarded_send)
            if not isinstance(error, _TooLarge):
                raise
        finally:
            metrics.answer_of(str(status)).inc()
            # By route, not by path: strangers choose paths, and each new one would be kept.
            route = getattr(asked.get("route"), "path", "other")
            metrics.seconds_of(route).observe(time.perf_counter() - began)


def _refuse_larger(scope: Scope, most: int | None) -> None:
    if most is not None and _announced(scope) > most:
        raise _TooLarge


def _told(error: Exception, request: Request) -> Response:
    if isinstance(error, _TooLarge):
        return Problem(413, "too-large", "the request's body is larger than 64 kB").response()
    return unforeseen(request)


async def _not_from_here(scope: Scope, receive: Receive, send: Send) -> None:
    problem = Problem(403, "not-from-here", "this was sent by a page of another site, so nothing was changed")
    await problem.response()(scope, receive, send)


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
