"""The admin's dashboard: its rooms by subject, mounted below /admin."""

from __future__ import annotations

from fastapi import FastAPI

from app.web.admin import (
    archive_settings,
    bundles,
    cards,
    collections,
    door,
    figures,
    held,
    lineage,
    overview,
    records,
    teaching,
    uploads,
    work,
)
from app.web.admin.office import Office, Refused, SignInNeeded

ROOMS = (
    *(door, overview, figures, records, collections, archive_settings, uploads, work, cards, held),
    *(lineage, bundles, teaching),
)


def mount(app: FastAPI, office: Office) -> None:
    """Open the dashboard in an application."""
    app.state.office = office
    for room in ROOMS:
        app.include_router(room.router, prefix="/admin")
    app.add_exception_handler(SignInNeeded, door.send_to_the_door)
    app.add_exception_handler(Refused, door.refuse)
