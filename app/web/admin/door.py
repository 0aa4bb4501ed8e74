"""The door: signing in and out."""

from __future__ import annotations

import secrets
from typing import Annotated
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import RedirectResponse, Response

from app.db import admins
from app.db.audit import Change
from app.db.session import now, reading, writing
from app.web.admin import views
from app.web.admin.office import COOKIE, SPAN, Here, Refused, SignInNeeded, Viewing, from_here, hash_of, note, signed_in
from app.web.admin.passwords import is_right
from app.web.admin.threshold import DEVICE_COOKIE, DEVICE_SECONDS
from app.web.identity import prefix
from app.web.services import Services, services

log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False)
FromHere = Depends(from_here)


@router.get("/sign-in")
def show_door(request: Request, next: str = "") -> Response:
    """The form to sign in with."""
    try:
        signed_in(request)
    except SignInNeeded:
        return views.page(request, "sign_in.html", None, next=_ours(next), name="", trouble="")
    return RedirectResponse(_ours(next), 303, views.NO_STORE)


@router.post("/sign-in", dependencies=[FromHere])
def sign_in(
    request: Request,
    here: Here,
    house: Annotated[Services, Depends(services)],
    name: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    """Begin a session, under a token that nobody has seen before."""
    network = prefix(request.client.host if request.client else "")
    wait = here.threshold.wait(name, network, request.cookies.get(DEVICE_COOKIE))
    if wait:
        trouble = f"Too many tries: the next one is possible in {views.seconds(wait)}."
        response = views.page(request, "sign_in.html", None, status=429, next=_ours(next), name=name, trouble=trouble)
        response.headers["Retry-After"] = str(wait)
        return response
    with reading(here.engine) as connection:
        admin = admins.find(connection, name)
    if not is_right(password, admin.password_hash if admin else None) or admin is None:
        # Not the name: it may be a password that went into the wrong field. The threshold bounds how many lines come.
        log.warning("sign-in failed", network=house.identity.network_mark(network, now()).hex())
        trouble = "That name and password do not belong together."
        return views.page(request, "sign_in.html", None, status=401, next=_ours(next), name=name, trouble=trouble)
    token, at = secrets.token_urlsafe(32), now()
    with writing(here.engine) as connection:
        admins.forget_ended(connection, SPAN, at)
        if old := request.cookies.get(COOKIE):
            admins.end(connection, hash_of(old))
        admins.begin(connection, admin.id, hash_of(token), at)
        note(connection, admin, Change("signed in", f"admin {admin.name}"))
    response = RedirectResponse(_ours(next), 303, views.NO_STORE)
    _keep(response, here, COOKIE, token, int(SPAN.absolute.total_seconds()))
    _keep(response, here, DEVICE_COOKIE, here.threshold.mark(admin.name), DEVICE_SECONDS)
    return response


@router.post("/sign-out", dependencies=[FromHere])
def sign_out(request: Request, here: Here, admin: Viewing) -> Response:
    """End this session."""
    with writing(here.engine) as connection:
        admins.end(connection, hash_of(request.cookies[COOKIE]))
        note(connection, admin, Change("signed out", f"admin {admin.name}"))
    return _outside()


@router.post("/sign-out-everywhere", dependencies=[FromHere])
def sign_out_everywhere(here: Here, admin: Viewing) -> Response:
    """End every session of this admin."""
    with writing(here.engine) as connection:
        ended = admins.end_all(connection, admin.id)
        note(connection, admin, Change("signed out everywhere", f"admin {admin.name}", {"sessions": ended}))
    return _outside()


def send_to_the_door(request: Request, _: Exception) -> Response:
    """Nobody is signed in: the door, and from there to where they wanted to go."""
    if request.method != "GET" or request.url.path.endswith(".json"):
        words = "You are signed out: nothing was changed. Sign in, then do it again."
        return views.page(request, "refused.html", None, status=401, title="Signed out", words=words)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/admin/sign-in?next={quote(wanted)}", 303, views.NO_STORE)


def refuse(request: Request, error: Exception) -> Response:
    """A refusal as a page."""
    refused = error if isinstance(error, Refused) else Refused(500, "Something broke", "It was written down.")
    try:
        admin = signed_in(request)
    except (SignInNeeded, SQLAlchemyError):  # whom we cannot look up is told all the same
        admin = None
    return views.page(request, "refused.html", admin, status=refused.status, title=refused.title, words=refused.words)


def _keep(response: Response, here: Here, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path="/admin", secure=here.is_https, httponly=True, samesite="strict"
    )


def _outside() -> Response:
    response = RedirectResponse("/admin/sign-in", 303, views.NO_STORE)
    response.delete_cookie(COOKIE, path="/admin", httponly=True, samesite="strict")
    return response


def _ours(address: str) -> str:
    """An address of the dashboard; its first page in place of any other."""
    is_ours = address == "/admin" or address.startswith(("/admin/", "/admin?"))
    return address if is_ours and "\\" not in address and not address.startswith("/admin/sign-in") else "/admin"
