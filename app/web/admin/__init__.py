"""The admin's dashboard: its rooms by subject, mounted below /admin."""

from __future__ import annotations

from fastapi import FastAPI

from app.web.admin import (
    archive_settings,
    archives,
    bundles,
    cards,
    door,
    figures,
    generators,
    held,
    labels,
    overview,
    records,
    uploads,
    work,
)
from app.web.admin.office import Office, Refused, SignInNeeded

ROOMS = (
    *(door, overview, figures, records, archives, archive_settings, uploads, work, cards, held),
    *(generators, bundles, labels),
)


def mount(app: FastAPI, office: Office) -> None:
    """Open the dashboard in an application."""
    app.state.office = office
    for room in ROOMS:
        app.include_router(room.router, prefix="/admin")
    app.add_exception_handler(SignInNeeded, door.send_to_the_door)
    app.add_exception_handler(Refused, door.refuse)
