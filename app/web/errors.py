"""Errors: whatever goes wrong becomes a problem, in JSON for programs and as a page for people."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from python_multipart.multipart import parse_options_header
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.db.damage import reason
from app.db.session import now
from app.web import problems
from app.web.admin.door import refuse
from app.web.admin.office import Refused
from app.web.identity import OperatorUnknown
from app.web.problem_page import problem_page
from app.web.problems import Problem
from app.web.troubles import Troubles

log = structlog.get_logger(__name__)

_KINDS = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}


def register(app: FastAPI, troubles: Troubles) -> None:
    """Map exceptions to answers, here and nowhere else; what is no answer to the request is noted as trouble."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(UnicodeError, _unreadable)
    app.add_exception_handler(ClientDisconnect, _broken_off)

    def note(request: Request, error: str) -> None:
        troubles.note(now(), getattr(request.scope.get("route"), "path", "other"), error)

    @app.exception_handler(Problem)
    async def _problem(request: Request, problem: Problem) -> Response:
        if problem.kind == "database-away":  # an empty shelf or a busy desk is an answer
            if problem.__cause__ is not None:
                log.warning("database away", reason=reason(problem.__cause__))
            note(request, problem.kind)
        return _shown(request, problem)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        kind = _KINDS.get(error.status_code, "bad-request")
        response = _shown(request, Problem(error.status_code, kind, problems.TITLES[kind].lower()))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(OperatorUnknown)
    async def _operator(request: Request, error: OperatorUnknown) -> Response:
        return _shown(request, Problem(401, "not-operator", str(error)))

    @app.exception_handler(DataError)
    async def _no_such_value(request: Request, error: DataError) -> Response:
        # A NUL in a text, a number beyond all measure: what PostgreSQL will not take.
        return _shown(request, Problem(422, "bad-request", "a value is not one that can be kept"))

    @app.exception_handler(OperationalError)
    async def _away(request: Request, error: OperationalError) -> Response:
        log.warning("database away", reason=reason(error))
        note(request, type(error.orig).__name__)
        return _shown(request, problems.database_away())

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> Response:
        log.error("unforeseen", path=request.url.path, error=type(error).__name__)
        note(request, type(error).__name__)
        return unforeseen(request)


def unforeseen(request: Request) -> Response:
    """The answer to a request on which something broke that nobody thought of."""
    return _shown(request, Problem(500, "internal", "something broke on our side; it was written down"))


async def _invalid(request: Request, error: Exception) -> Response:
    """A field of the address or of a form is not as expected: the first one is named, and nothing of what it held."""
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    return _shown(request, Problem(422, "bad-request", f"{where}: {first['msg']}" if where else first["msg"]))


async def _unreadable(request: Request, error: Exception) -> Response:
    """A form names an encoding that does not fit it, or half a character came in by one.

    In UTF-8, which is meant where none is named, every form is read, whatever it holds: there the text is one of ours.
    """
    _, named = parse_options_header(request.headers.get("content-type"))
    if named.get(b"charset", b"utf-8").lower() in (b"utf-8", b"utf8"):
        raise error
    return _shown(request, Problem(422, "bad-request", "a text is in no encoding that is read here"))


async def _broken_off(request: Request, error: Exception) -> Response:
    """Whoever sent half of a request, and does not wait for this: nothing is wrong here."""
    return _shown(request, Problem(400, "bad-request", "the request broke off before its end"))


def _shown(request: Request, problem: Problem) -> Response:
    if request.url.path.startswith(("/api", "/healthz", "/readyz")):
        return problem.response()
    if request.url.path.startswith("/admin"):
        words = f"{problem.detail[:1].upper()}{problem.detail[1:]}."
        return refuse(request, Refused(problem.status, problems.TITLES.get(problem.kind, "Not that"), words))
    return problem_page(request, problem)
