"""About: who runs the game, how it works, what it keeps, and how to have something removed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from app.web.rendering import html
from app.web.services import services

router = APIRouter(include_in_schema=False)

_MAILBOX = re.compile(r"[\w.+-]+@[\w.-]+")


@dataclass(frozen=True)
class About:
    """Who runs the game; empty where nobody has said."""

    operator: str
    contact: str

    @property
    def address(self) -> str | None:
        """Where a link to the contact leads: an address of the web, or of a mailbox; None where it is neither."""
        if self.contact.startswith(("https://", "http://")):
            return self.contact
        is_mailbox = (
            self.contact.count("@") == 1 and not set(self.contact) & set(" <>/?&#") and not self.contact.startswith("@")
        )
        return f"mailto:{self.contact}" if is_mailbox else None


def mount(app: FastAPI, about: About) -> None:
    """Open the page in an application."""
    app.state.about = about
    app.include_router(router)


@router.get("/about")
async def show(request: Request) -> Response:
    """The page."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("pages", visitor)
    entry = house.catalogue.find(None, visitor.invites)
    hours = house.round_life.total_seconds() / 3600
    about: About = request.app.state.about
    return html("about.html", here="/about", about=about, unit=entry.archive.unit if entry else "tweet", hours=hours)
