"""Archives: what there is, what it holds, and what can be changed about it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlalchemy import update
from starlette.responses import Response

from app.db import archives, generators, jobs, removals, stock, uploads
from app.db.audit import Change
from app.db.session import now, reading, writing
from app.db.tables import archives as table
from app.game.own_settings import LEANINGS
from app.web.admin import names, views
from app.web.admin.choosing import as_shown, found, mark_of
from app.web.admin.office import Changing, Here, Refused, Viewing, note
from app.web.admin.schedule import next_times

router = APIRouter(include_in_schema=False)
FEW_CARDS = 200
BASES = {
    "own": "my own posts",
    "public": "a public figure's public posts",
    "permission": "a private person's, who allowed it",
}


@router.get("/archives")
def list_archives(request: Request, here: Here, admin: Viewing) -> Response:
    """Every archive, the files that wait, and the form that takes another."""
    with reading(here.engine) as connection:
        rows = []
        for archive in archives.listing(connection):
            shelf = stock.shelf(connection, archive.id, here.sample_retires_after)
            champion = generators.in_arm(connection, archive.id, generators.CHAMPION)
            rows.append((archive, stock.deck_size(connection, archive.id), shelf.samples, champion))
        waiting = uploads.open_ones(connection)
        deleted = removals.deleted(connection)
    return views.page(request, "archives.html", admin, rows=rows, waiting=waiting, deleted=deleted, few=FEW_CARDS)


@router.get("/archives/{slug}")
def show_archive(request: Request, here: Here, admin: Viewing, slug: str) -> Response:
    """What an archive holds, and what can be done with it."""
    with reading(here.engine) as connection:
        archive = found(connection, slug)
        holdings = archives.holdings(connection, archive)
        shelf = stock.shelf(connection, archive.id, here.sample_retires_after)
        recent = jobs.listing(connection, archive_id=archive.id, limit=10)
        goes = removals.what_goes(connection, archive.id)
        renewing = names.pending(connection, archive)
    return views.page(
        *(request, "archive.html", admin),
        archive=archive,
        holdings=holdings,
        shelf=shelf,
        jobs=recent,
        goes=goes,
        few=FEW_CARDS,
        bases=BASES,
        next_times=next_times(here.retrain_cron, archive.own, now()),
        operators={"cron": here.retrain_cron, "labels": here.retrain_min_labels, "minutes": here.train_minutes},
        invitation=f"{str(request.base_url).rstrip('/')}/i/{archive.invite}" if archive.invite else None,
        leanings=LEANINGS,
        renewing=renewing,
        seen={
            "about": mark_of(archive.name, archive.handle, archive.description, archive.basis),
            "own": mark_of(archive.own, archive.invite),
        },
    )


@router.post("/archives/{slug}/pause")
def pause(here: Here, admin: Changing, slug: str, paused: Annotated[bool, Form()]) -> Response:
    """Stop dealing an archive's rounds, or go on."""
    with writing(here.engine) as connection:
        archive = found(connection, slug)
        connection.execute(update(table).where(table.c.id == archive.id).values(paused=paused, stamp=table.c.stamp + 1))
        change = Change("archive paused" if paused else "archive resumed", slug)
        note(connection, admin, Change(change.what, slug, {"paused": archive.paused}, {"paused": paused}))
    return views.back(f"/admin/archives/{slug}", f"{slug} is {'paused' if paused else 'played again'}.")


@router.post("/archives/{slug}/describe")
def describe(
    here: Here,
    admin: Changing,
    slug: str,
    name: Annotated[str, Form(min_length=1, max_length=200)],
    handle: Annotated[str, Form(max_length=64)] = "",
    description: Annotated[str, Form(max_length=200)] = "",
    basis: Annotated[str, Form()] = "",
    seen: Annotated[str, Form(max_length=16)] = "",
) -> Response:
    """Change what pages call an archive, whose it is, and by what right it is played."""
    after = {
        "name": name.strip(),
        "handle": handle.strip().removeprefix("@") or None,
        "description": " ".join(description.split()) or None,
        "basis": basis or None,
    }
    if basis and basis not in BASES:
        raise Refused(422, "No such answer", "Say whether it is your own, public, or by permission.")
    with writing(here.engine) as connection:
        archive = found(connection, slug)
        as_shown(seen, slug, archive.name, archive.handle, archive.description, archive.basis)
        before = {key: getattr(archive, key) for key in after}
        archives.note_basis(connection, slug, after["basis"])
        connection.execute(update(table).where(table.c.id == archive.id).values(after | {"stamp": table.c.stamp + 1}))
        if archive.may_name_others and not found(connection, slug).may_name_others:
            names.ask_anew(connection, archive, False, admin.name, now())
        note(connection, admin, Change("archive described", slug, before, after))
    return views.back(f"/admin/archives/{slug}", "Saved.")


@router.post("/archives/{slug}/delete")
def delete(here: Here, admin: Changing, slug: str, reason: Annotated[str, Form(max_length=500)] = "") -> Response:
    """Take an archive out of the game at once; for a day it can come back."""
    with writing(here.engine) as connection:
        archive = found(connection, slug)
        goes = removals.what_goes(connection, archive.id)
        removals.hide(connection, archive.id, now())
        note(connection, admin, Change("archive deleted", slug, goes, {}, reason))
    return views.back("/admin/archives", f"{slug} is deleted. It can be taken back for a day, below.")


@router.post("/archives/{archive_id}/take-back")
def take_back(here: Here, admin: Changing, archive_id: int) -> Response:
    """Bring a deleted archive back."""
    with writing(here.engine) as connection:
        slug = removals.deleted_slug(connection, archive_id)
        if slug is None or not removals.can_come_back(connection, archive_id, now()):
            raise Refused(404, "Too late", "That archive is gone for good, or was not deleted.")
        removals.hide(connection, archive_id, None)
        note(connection, admin, Change("archive taken back", slug))
    return views.back(f"/admin/archives/{slug}", f"{slug} is back.")


@router.post("/archives/{slug}/restock")
def restock(here: Here, admin: Changing, slug: str) -> Response:
    """Ask for the shelf to be filled."""
    with writing(here.engine) as connection:
        archive = found(connection, slug)
        asked = jobs.ask_unless_open(connection, "restock", archive.id, {}, asked_by=admin.name, at=now())
        if asked is None:
            raise Refused(409, "At it already", f"The shelf of {slug} is being filled, or is about to be.")
        note(connection, admin, Change("restock asked for", slug, {}, {"job": asked}))
    return views.back(f"/admin/jobs/{asked}", "Asked for.")
