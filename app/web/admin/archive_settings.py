"""An archive's own settings: when it is retrained, how full its shelf is, what its deck holds, and who may play it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from app.db import archives
from app.db.archives import Archive
from app.db.audit import Change
from app.db.session import now, writing
from app.game.own_settings import OwnSettings, OwnSettingsError
from app.game.schedules import is_schedule
from app.web.admin import views
from app.web.admin.choosing import as_shown, found
from app.web.admin.names import Answer, answered
from app.web.admin.office import Changing, Here, Refused, note

router = APIRouter(include_in_schema=False)
Number = Annotated[str, Form(max_length=12)]


@router.post("/archives/{slug}/settings")
def keep(
    here: Here,
    admin: Changing,
    slug: str,
    schedule: Annotated[str, Form()] = "operator",
    retrain_cron: Annotated[str, Form(max_length=100)] = "",
    retrain_min_labels: Number = "",
    train_minutes: Number = "",
    shelf_low: Number = "",
    shelf_full: Number = "",
    deck: Annotated[str, Form()] = "operator",
    deck_include: Annotated[list[str] | None, Form()] = None,
    names: Annotated[Answer, Form()] = "",
    zone: Annotated[str, Form(max_length=64)] = "UTC",
    quiet_from: Number = "",
    quiet_to: Number = "",
    admission: Annotated[str, Form()] = "everybody",
    seen: Annotated[str, Form(max_length=16)] = "",
) -> Response:
    """Keep what is filled in; what is left empty stays with the operator's settings."""
    cron = _cron(schedule, retrain_cron.strip())
    try:
        quiet = (int(quiet_from), int(quiet_to)) if quiet_from.strip() and quiet_to.strip() else None
        own = OwnSettings(
            retrain_cron=cron,
            retrain_min_labels=_whole(retrain_min_labels),
            train_minutes=float(train_minutes) if train_minutes.strip() else None,
            shelf_low=_whole(shelf_low),
            shelf_full=_whole(shelf_full),
            deck_include=None if deck == "operator" else tuple(deck_include or ()),
            zone=zone.strip() or "UTC",
            quiet=quiet,
        )
    except OwnSettingsError as error:
        raise Refused(422, "That cannot be", f"{error}.") from None
    except ValueError:
        raise Refused(422, "No number", "Expected numbers, or nothing, in the fields of numbers.") from None
    with writing(here.engine) as connection:
        archive = found(connection, slug)
        as_shown(seen, slug, archive.own, archive.invite)
        own = answered(connection, archive, own, names, admin.name, now())
        invite = _invite(archive, admission)
        archives.keep_settings(connection, archive.id, own, invite)
        before = archive.own.to_json() | {"by invitation": archive.invite is not None}
        after = own.to_json() | {"by invitation": invite is not None}
        if names:
            after["names of others"] = names
        note(connection, admin, Change("archive set", slug, before, after))
    return views.back(f"/admin/archives/{slug}", "Saved.")


def _cron(answer: str, typed: str) -> str | None:
    """The cron expression of an archive's own, empty for never; None leaves it to the operator."""
    if answer == "operator":
        return None
    if answer != "own":
        return ""
    if not typed:
        raise Refused(422, "No schedule", "Fill in a cron expression, such as 0 3 * * *, or choose another answer.")
    if not is_schedule(typed):
        words = f"{typed} is no cron expression: expected five fields and a time that comes, such as 0 3 * * *."
        raise Refused(422, "No schedule", words)
    return typed


def _invite(archive: Archive, admission: str) -> str | None:
    if admission == "everybody":
        if archive.basis == archives.PERMISSION:
            words = "It is played by a private person's permission: it stays behind its invitation."
            raise Refused(422, "Not for everybody", words)
        return None
    return archives.new_invite() if admission == "new link" else archive.invite or archives.new_invite()


def _whole(typed: str) -> int | None:
    return int(typed) if typed.strip() else None
