"""Held back: samples that join a person with something grave, to be released or refused."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.db import held
from app.db.audit import Change
from app.db.held import Ruling
from app.db.session import now, reading, writing
from app.web.admin import views
from app.web.admin.office import Changing, Here, Refused, Viewing, note

router = APIRouter(include_in_schema=False)


@router.get("/held")
def list_held(request: Request, here: Here, admin: Viewing) -> Response:
    """Samples that wait for a look."""
    with reading(here.engine) as connection:
        rows = held.listing(connection)
    return views.page(request, "held.html", admin, rows=rows)


@router.post("/held/{sample}")
def rule(here: Here, admin: Changing, sample: int, ruling: Annotated[Ruling, Form()]) -> Response:
    """Let a sample be dealt, or keep it out for good."""
    with writing(here.engine) as connection:
        why = held.rule(connection, sample, ruling, now())
        if why is None:
            raise Refused(404, "It does not wait", "Somebody else has looked at it, or its restock was given up.")
        what = "released" if ruling == "release" else "refused"
        note(connection, admin, Change(f"held sample {what}", f"sample {sample}", {"held": why}, {what: True}))
    return views.back("/admin/held", f"Sample {sample} is {what}.")
