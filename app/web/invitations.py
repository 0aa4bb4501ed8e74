"""Invitations: the link by which an archive is entered that is not for everybody."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.web.problems import Problem
from app.web.services import services

router = APIRouter(include_in_schema=False)


@router.get("/i/{invite}")
async def follow(invite: str, request: Request) -> Response:
    """Let this browser play the archive that the invitation leads to, from now on."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("pages", visitor)
    entry = house.catalogue.invited(invite)
    if entry is None:
        raise Problem(404, "not-found", "this invitation leads nowhere: it was withdrawn, or mistyped")
    response = RedirectResponse(f"/a/{entry.archive.slug}", 303, {"Cache-Control": "no-store"})
    house.identity.admit(response, visitor, invite)
    return response
