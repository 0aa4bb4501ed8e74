"""Bundles: a generator leaves in one file, and one that comes in a file is checked and registered by the worker."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from app.db import archives, generators, jobs
from app.db.audit import Change
from app.db.bundles import card_of
from app.db.jobs import Job
from app.db.session import now, reading, writing
from app.web.admin import views
from app.web.admin.choosing import found
from app.web.admin.office import Changing, Here, Office, Refused, Viewing, note
from app.web.admin.receiving import receive, told_of

router = APIRouter(include_in_schema=False)
MOST_BYTES = 1_100_000_000  # a little more than the files in a bundle may hold together, were none of them packed


@router.get("/generators/{generator_id}/bundle.zip")
def download(here: Here, _: Viewing, generator_id: int) -> Response:
    """The generator in one file, as `whichtweet generators import` takes it; nothing in it is a program."""
    # Imported here: the pages of players never need it.
    from app.bundle import pack
    from model.checkpoint import CheckpointError

    with reading(here.engine) as connection:
        one = generators.find(connection, generator_id)
        archive = next((each for each in archives.listing(connection) if one and each.id == one.archive_id), None)
        if one is None or archive is None:
            raise Refused(404, "No such generator", "It never was, or its archive was deleted.")
        card = card_of(connection, archive, one, now())
    with TemporaryDirectory() as folder:
        file = Path(folder) / "bundle.zip"
        try:
            pack(here.checkpoints / one.checkpoint_key, file, card)
        except CheckpointError as error:
            raise Refused(404, "The checkpoint is gone or damaged", f"{error}.") from None
        packed = file.read_bytes()
    headers = views.NO_STORE | {"Content-Disposition": f'attachment; filename="{one.name}.zip"'}
    return Response(packed, headers=headers, media_type="application/zip")


@router.post("/generators/bundle")
async def take_in(request: Request, here: Here, admin: Changing, archive: str) -> Response:
    """Take a bundle, and have the worker check it, measure it and register it for an archive."""
    await to_thread.run_sync(lambda: _refuse_unknown(here, archive))
    key, name, size = await receive(request, here.uploads, MOST_BYTES)

    def ask() -> int | None:
        arguments = {"path": str(here.uploads.absolute() / key / name), "file": name, "bytes": size}
        with writing(here.engine) as connection:
            which = found(connection, archive)
            asked = jobs.ask(connection, "bundle", which.id, arguments, asked_by=admin.name, at=now())
            after = {"file": name, "bytes": size, "job": asked}
            note(connection, admin, Change("bundle uploaded", archive, {}, after))
        return asked

    with told_of(here.uploads, key):
        asked = await to_thread.run_sync(ask)
    return views.back(f"/admin/jobs/{asked}", "The bundle has arrived.")


def forget(job: Job) -> None:
    """Remove the file of a job that was cancelled while it waited; after one that runs, its worker clears up."""
    if job.kind == "bundle" and job.state == "cancelled":
        shutil.rmtree(Path(job.arguments["path"]).parent, ignore_errors=True)


def _refuse_unknown(here: Office, slug: str) -> None:
    """Before a large file is read."""
    with reading(here.engine) as connection:
        found(connection, slug)
